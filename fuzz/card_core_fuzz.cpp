// links: virtual_card
//
// Sequences of APDUs to the virtual card: each input is a run of messages as vpcd frames them (two bytes of length, the
// message), so resets and requests for the ATR are among them. The first byte chooses the generation.
#include "base/ensure.hpp"
#include "virtual_card/card_core.hpp"
#include "virtual_card/openssl.hpp"
#include "virtual_card/vpcd.hpp"

namespace {

using namespace symbolon;
using namespace symbolon::virtual_card;

constexpr std::size_t most_messages = 64;

/// Files of every shape that the card knows, without a PKI behind them.
Card card_of(Generation generation)
{
    Card card{.persona = "fuzz", .generation = generation, .pin = "1234"};
    for (auto const path :
         {files::directory, files::object_directory, files::certificates, files::authentication_certificate})
        card.files[path] = Bytes(path.file % 700 + 1, 0x30);
    Bytes identity;
    for (Byte tag = 1; tag < 0x12; ++tag) {
        identity.insert(identity.end(), {tag, 20});
        identity.resize(identity.size() + 20, tag);
    }
    card.files[files::identity] = identity;
    card.files[files::address] = {0x01, 0xFF, 0xFF, 0x05, 0x41}; // a length beyond the file
    card.card_data = Bytes(28, 0x17);
    auto const ec = generation == Generation::v18;
    auto const new_key = [ec] { return ec ? new_ec_key() : new_rsa_key(2048); };
    card.authentication_key = new_key();
    card.signature_key = new_key();
    if (ec) card.basic_key = new_key();
    return card;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    static auto const card_17 = card_of(Generation::v17);
    static auto const card_18 = card_of(Generation::v18);
    if (size == 0) return 0;
    auto card = CardCore{data[0] % 2 == 0 ? card_18 : card_17};
    Framing framing;
    framing.feed({data + 1, size - 1});
    for (std::size_t i = 0; i < most_messages; ++i) {
        auto const message = framing.next();
        if (!message) break;
        auto const answer = answer_message(card, *message);
        if (!answer || message->size() == 1) continue;
        // A T=0 card always answers a status word, and at most 256 bytes before it.
        ENSURE(answer->size() >= 2 && answer->size() <= 258);
        ENSURE(answer->at(answer->size() - 2) >> 4U == 0x6 || answer->at(answer->size() - 2) == 0x90);
        ENSURE(card.pin_tries() >= 0 && card.pin_tries() <= 3);
        ENSURE(card.pin().size() >= 4 && card.pin().size() <= 12);
    }
    return 0;
}

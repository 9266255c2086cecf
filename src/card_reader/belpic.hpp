#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"
#include "card/reading.hpp"
#include "card_reader/apdu.hpp"
#include "card_reader/transceiver.hpp"

#include <functional>
#include <optional>
#include <string_view>

namespace symbolon::card_reader {

enum class Generation : std::uint8_t { v1_7, v1_8 };

/// What GET CARD DATA says: 28 bytes, which begin with the chip's number.
struct CardData {
    Bytes bytes;
    Generation generation = Generation::v1_7;

    [[nodiscard]] ByteView chip_number() const { return ByteView{bytes}.first(16); }
    /// Cards of this system version need a moment after 6Cxx: the official middleware waits, too.
    [[nodiscard]] bool is_slow_after_wrong_length() const { return bytes[22] == 0x00 && bytes[23] == 0x01; }
};

/// Where the PIN comes from: typed here, or on the reader's keys.
struct PinOnReader {};
using PinSource = std::variant<SecretText, PinOnReader>;

/// With one try left a wrong PIN blocks the card for good, so it takes a confirmation.
enum class LastTry : std::uint8_t { refuse, confirmed };

/// The Belgian identity card behind a transceiver. Each method is one transaction that begins with selecting the
/// applet, so that it doesn't matter what other programs did with the card before.
///
/// Every method fails with what the transceiver says, and with: card_not_belgian (the applet isn't there),
/// card_generation_unsupported (before 1.7), card_unresponsive (an answer that the manuals don't have).
class BelpicCard {
public:
    explicit BelpicCard(Transceiver& card) : card_{card} {}

    Result<CardData> card_data();

    /// All files, padding included. Gives no answer to a challenge yet.
    Result<card::CardReading> read_files(CardData const& data);

    /// Whether the card holds a signature certificate: cards of minors have zeros there.
    Result<bool> has_signature_certificate(CardData const& data);

    /// INTERNAL AUTHENTICATE (1.8): r‖s, 96 bytes, over the 48 bytes of `digest`.
    Result<Bytes> answer_with_card_key(ByteView digest);

    /// How many tries the PIN has left: 0 to 3.
    Result<int> pin_tries_left(CardData const& data);

    /// MSE, VERIFY, PSO: a signature over `digest` (SHA-384 on 1.8, SHA-256 on 1.7), as the card gives it, 96 or 256
    /// bytes. Afterwards the card is logged off.
    ///
    /// Fails further, first match wins: pin_blocked, pin_last_try, pin_malformed, pin_wrong (with the tries left),
    /// cancelled (on the reader's keys).
    Result<Bytes> sign(CardData const& data, KeyReference key, ByteView digest, PinSource const& pin, LastTry last_try);

private:
    Result<Response> exchange(ByteView command);
    Result<void> select_applet_first();
    Result<CardData> read_card_data();
    /// Nothing: there is no such file.
    Result<std::optional<Bytes>> read_file(std::uint16_t directory, std::uint16_t file, std::size_t most_bytes,
                                           CardData const& data);
    Result<int> read_pin_tries(CardData const& data);
    Result<void> verify_pin(PinSource const& pin);
    Result<Bytes> collect(Response response);
    void leave_logged_off();

    Transceiver& card_;
};

/// Whether a signature failed because nobody typed on a reader with keys until its time was over. No try was used.
bool is_nothing_typed(Failure const& failure);

/// Whether an answer to reset (ISO 7816-3 §8) is one of the Belgian identity card.
bool is_belgian_atr(ByteView atr);

} // namespace symbolon::card_reader

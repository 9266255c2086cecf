#include "card_reader/belpic.hpp"

#include <algorithm>
#include <array>

namespace symbolon::card_reader {

namespace {

constexpr std::string_view pin_field = "pin";

constexpr std::uint16_t df_belpic = 0xDF00;
constexpr std::uint16_t df_identity = 0xDF01;

// What is asked for at a time: readers differ in how they carry 256 bytes and a status word.
constexpr std::size_t block_bytes = 0xF8;

constexpr std::size_t signature_bytes_ec = 96;
constexpr std::size_t signature_bytes_rsa = 256;

// GET RESPONSE for one answer: a signature comes in one or two.
constexpr int most_response_parts = 4;

constexpr std::size_t applet_version_at = 21;
constexpr std::size_t tries_at = 28;
constexpr int most_pin_tries = 3;

std::string hex_of(std::uint16_t sw)
{
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string text = "SW ";
    for (auto const shift : {12U, 8U, 4U, 0U}) text += digits[sw >> shift & 0x0FU];
    return text;
}

/// An answer that nobody promised. The status word is no secret.
std::unexpected<Failure> unexpected_answer(char const* command, Response const& response)
{
    return fail(Outcome::card_unresponsive, std::string{command} + ": " + hex_of(response.sw));
}

/// The reader has waited for its keys, and ended the matter by itself (PC/SC part 10 §2.5.2: 6400). The card was not
/// asked.
std::unexpected<Failure> nothing_typed() { return fail_about(Outcome::cancelled, {std::string{pin_field}}); }

/// What VERIFY answered.
Result<void> judge_verify(Response const& response)
{
    if (response.is_ok()) return {};
    if (auto const tries = response.tries_left()) {
        // The manual of 1.8 allows 63C0 and 6983 for the last wrong one.
        if (*tries == 0) return fail(Outcome::pin_blocked);
        return fail_with_tries(Outcome::pin_wrong, *tries);
    }
    if (response.is(StatusWord::pin_blocked)) return fail(Outcome::pin_blocked);
    if (response.is(StatusWord::wrong_data) || response.is(StatusWord::wrong_length) ||
        response.is(StatusWord::reader_wrong_pin_length))
        return fail(Outcome::pin_malformed);
    if (response.is(StatusWord::reader_timeout)) return nothing_typed();
    if (response.is(StatusWord::reader_cancelled)) return fail(Outcome::cancelled, "on the reader");
    return unexpected_answer("VERIFY", response);
}

} // namespace

bool is_nothing_typed(Failure const& failure)
{
    return failure.outcome == Outcome::cancelled &&
           std::ranges::find(failure.fields, pin_field) != failure.fields.end();
}

bool is_belgian_atr(ByteView atr)
{
    // eid-card.md §1. 1.0 to 1.7 differ in the interface bytes and in the last of the historical bytes.
    constexpr std::array<Byte, 13> up_to_1_7{0x3B, 0x98, 0x00, 0x40, 0x00, 0xA5, 0x03,
                                             0x01, 0x01, 0x01, 0xAD, 0x13, 0x10};
    constexpr std::array<Byte, 13> counts{0xFF, 0xFF, 0x00, 0xFF, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xF0};
    constexpr std::array<Byte, 20> from_1_8{0x3B, 0x7F, 0x96, 0x00, 0x00, 0x80, 0x31, 0x80, 0x65, 0xB0,
                                            0x85, 0x04, 0x01, 0x20, 0x12, 0x0F, 0xFF, 0x82, 0x90, 0x00};
    if (std::ranges::equal(atr, from_1_8)) return true;
    if (atr.size() != up_to_1_7.size()) return false;
    for (std::size_t i = 0; i < up_to_1_7.size(); ++i)
        if ((atr[i] & counts[i]) != up_to_1_7[i]) return false;
    return true;
}

Result<Response> BelpicCard::exchange(ByteView command) { return parse_response(TRY(card_.transmit(command))); }

Result<void> BelpicCard::select_applet_first()
{
    auto const response = TRY(exchange(select_applet()));
    if (!response.is_ok()) return fail(Outcome::card_not_belgian, hex_of(response.sw));
    return {};
}

Result<CardData> BelpicCard::read_card_data()
{
    auto response = TRY(exchange(get_card_data()));
    if (auto const right = response.right_length()) response = TRY(exchange(get_card_data(*right)));
    if (!response.is_ok() || response.data.size() < 28) return unexpected_answer("GET CARD DATA", response);

    switch (response.data[applet_version_at]) {
    case 0x17: return CardData{std::move(response.data), Generation::v1_7};
    case 0x18: return CardData{std::move(response.data), Generation::v1_8};
    default: return fail(Outcome::card_generation_unsupported);
    }
}

Result<CardData> BelpicCard::card_data()
{
    auto const transaction = TRY(Transaction::begin(card_));
    TRY(select_applet_first());
    return read_card_data();
}

Result<std::optional<Bytes>> BelpicCard::read_file(std::uint16_t directory, std::uint16_t file, std::size_t most_bytes,
                                                   CardData const& data)
{
    auto const selected = TRY(exchange(select_path({directory, file})));
    if (selected.is(StatusWord::file_not_found)) return std::nullopt;
    if (!selected.is_ok()) return unexpected_answer("SELECT", selected);

    Bytes content;
    // A card may give less at a time than it is asked for, but not so little that reading it never ends.
    for (auto reads_left = 2 * (most_bytes / block_bytes + 2); reads_left > 0 && content.size() <= most_bytes;
         --reads_left) {
        auto asked = block_bytes;
        auto response = TRY(exchange(read_binary(content.size(), asked)));
        auto const left = response.right_length();
        if (left) {
            // Fewer bytes than were asked for are left, and this is how many.
            if (data.is_slow_after_wrong_length()) card_.pause(std::chrono::milliseconds{50});
            asked = *left;
            response = TRY(exchange(read_binary(content.size(), asked)));
        }
        // A file that ends where an answer does says so when more is asked for.
        auto const ends_here = response.is(StatusWord::end_of_file);
        if ((response.is(StatusWord::offset_beyond_end) || (ends_here && response.data.empty())) && !content.empty())
            return content;
        if (!(response.is_ok() || ends_here) || response.data.empty() || response.data.size() > asked)
            return unexpected_answer("READ BINARY", response);
        append(content, response.data);
        if (ends_here || (left && asked < block_bytes && response.data.size() == asked)) return content;
    }
    return fail(Outcome::card_unresponsive, "a file that is longer than it may be");
}

Result<card::CardReading> BelpicCard::read_files(CardData const& data)
{
    auto const transaction = TRY(Transaction::begin(card_));
    TRY(select_applet_first());

    auto const read = [&](std::uint16_t directory, std::uint16_t file, std::size_t most_bytes) -> Result<Bytes> {
        auto content = TRY(read_file(directory, file, most_bytes + card::max_padding_bytes, data));
        return std::move(content).value_or(Bytes{});
    };
    card::CardReading reading;
    reading.card_data = data.bytes;
    reading.identity = TRY(read(df_identity, 0x4031, card::max_identity_bytes));
    reading.identity_signature = TRY(read(df_identity, 0x4032, card::max_signature_bytes));
    reading.address = TRY(read(df_identity, 0x4033, card::max_address_bytes));
    reading.address_signature = TRY(read(df_identity, 0x4034, card::max_signature_bytes));
    reading.photo = TRY(read(df_identity, 0x4035, card::max_photo_bytes));
    if (data.generation == Generation::v1_8)
        reading.card_key = TRY(read(df_identity, 0x4040, card::max_signature_bytes));
    reading.authentication_certificate = TRY(read(df_belpic, 0x5038, card::max_certificate_bytes));
    reading.signature_certificate = TRY(read(df_belpic, 0x5039, card::max_certificate_bytes));
    reading.ca_certificate = TRY(read(df_belpic, 0x503A, card::max_certificate_bytes));
    reading.root_certificate = TRY(read(df_belpic, 0x503B, card::max_certificate_bytes));
    reading.register_certificate = TRY(read(df_belpic, 0x503C, card::max_certificate_bytes));
    return reading;
}

Result<bool> BelpicCard::has_signature_certificate(CardData const& data)
{
    auto const transaction = TRY(Transaction::begin(card_));
    TRY(select_applet_first());
    auto const content = TRY(read_file(df_belpic, 0x5039, card::max_certificate_bytes + card::max_padding_bytes, data));
    return content && std::ranges::any_of(*content, [](Byte byte) { return byte != 0; });
}

Result<Bytes> BelpicCard::collect(Response response)
{
    Bytes data;
    for (int parts_left = most_response_parts; parts_left > 0 && response.waiting_bytes(); --parts_left) {
        append(data, response.data);
        response = TRY(exchange(get_response(*response.waiting_bytes())));
        if (auto const right = response.right_length()) response = TRY(exchange(get_response(*right)));
    }
    if (!response.is_ok()) return unexpected_answer("GET RESPONSE", response);
    append(data, response.data);
    return data;
}

Result<Bytes> BelpicCard::answer_with_card_key(ByteView digest)
{
    auto const transaction = TRY(Transaction::begin(card_));
    TRY(select_applet_first());
    auto answer = TRY(collect(TRY(exchange(internal_authenticate(digest)))));
    if (answer.size() != signature_bytes_ec) return fail(Outcome::card_unresponsive, "INTERNAL AUTHENTICATE: length");
    return answer;
}

Result<int> BelpicCard::read_pin_tries(CardData const& data)
{
    if (data.generation == Generation::v1_8) {
        auto response = TRY(exchange(get_card_data_with_tries()));
        if (auto const right = response.right_length()) response = TRY(exchange(get_card_data_with_tries(*right)));
        // What is no count of tries (FF: not told) must not pass for all of them.
        if (response.is_ok() && response.data.size() > tries_at && response.data[tries_at] <= most_pin_tries)
            return response.data[tries_at];
    }
    // No try is spent by this from 1.7 on. Before, it was one: card_data() has refused those cards.
    auto const response = TRY(exchange(verify_status()));
    if (response.is_ok()) return most_pin_tries; // verified by somebody before us
    if (response.is(StatusWord::pin_blocked)) return 0;
    if (auto const tries = response.tries_left()) return *tries;
    return unexpected_answer("VERIFY without data", response);
}

Result<int> BelpicCard::pin_tries_left(CardData const& data)
{
    auto const transaction = TRY(Transaction::begin(card_));
    TRY(select_applet_first());
    return read_pin_tries(data);
}

Result<void> BelpicCard::verify_pin(PinSource const& pin)
{
    if (auto const* typed = std::get_if<SecretText>(&pin)) {
        auto const command = verify(*typed);
        return judge_verify(TRY(exchange(command.reveal())));
    }
    return judge_verify(TRY(parse_response(TRY(card_.verify_on_pin_pad(verify_template())))));
}

void BelpicCard::leave_logged_off()
{
    // If it fails the card is gone, or somebody else has it: its rights ended with the transaction.
    [[maybe_unused]] auto const answer = card_.transmit(log_off());
}

Result<Bytes> BelpicCard::sign(CardData const& data, KeyReference key, ByteView digest, PinSource const& pin,
                               LastTry last_try)
{
    if (auto const* typed = std::get_if<SecretText>(&pin); typed != nullptr && !is_pin(typed->reveal()))
        return fail(Outcome::pin_malformed);

    auto const transaction = TRY(Transaction::begin(card_));
    TRY(select_applet_first());

    auto const tries = TRY(read_pin_tries(data));
    if (tries == 0) return fail(Outcome::pin_blocked);
    if (tries == 1 && last_try == LastTry::refuse) return fail_with_tries(Outcome::pin_last_try, 1);

    // The right to use the signature key lasts for the next command, so the order is fixed: MSE, VERIFY, PSO.
    auto const directory = TRY(exchange(select_path({df_belpic})));
    if (!directory.is_ok()) return unexpected_answer("SELECT DF", directory);
    auto const algorithm = data.generation == Generation::v1_8 ? SignatureAlgorithm::ecdsa_sha384
                                                               : SignatureAlgorithm::rsa_pkcs1_v15_sha256;
    auto const environment = TRY(exchange(set_security_environment(algorithm, key)));
    if (!environment.is_ok()) return unexpected_answer("MANAGE SECURITY ENVIRONMENT", environment);

    TRY(verify_pin(pin));
    auto signature = [&]() -> Result<Bytes> { return collect(TRY(exchange(compute_digital_signature(digest)))); }();
    leave_logged_off();

    auto const expected = data.generation == Generation::v1_8 ? signature_bytes_ec : signature_bytes_rsa;
    if (signature && signature->size() != expected)
        return fail(Outcome::card_unresponsive, "COMPUTE DIGITAL SIGNATURE: length");
    return signature;
}

} // namespace symbolon::card_reader

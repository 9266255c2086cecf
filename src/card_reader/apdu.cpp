#include "card_reader/apdu.hpp"

#include "base/ensure.hpp"
#include "base/text.hpp"

#include <array>

namespace symbolon::card_reader {

namespace {

constexpr std::array<Byte, 15> applet_aid{0xA0, 0x00, 0x00, 0x00, 0x30, 0x29, 0x05, 0x70,
                                          0x00, 0xAD, 0x13, 0x10, 0x01, 0x01, 0xFF};
constexpr std::size_t pin_block_bytes = 8;

/// Le, where 256 is written 00.
Byte length_byte(std::size_t size)
{
    ENSURE(size >= 1 && size <= 256);
    return static_cast<Byte>(size & 0xFFU);
}

/// A command with data.
Bytes command(Byte cla, Byte ins, Byte p1, Byte p2, ByteView data)
{
    ENSURE(!data.empty() && data.size() <= 255);
    Bytes bytes{cla, ins, p1, p2, static_cast<Byte>(data.size())};
    append(bytes, data);
    return bytes;
}

Bytes with_file_ids(std::initializer_list<std::uint16_t> files)
{
    Bytes bytes;
    for (auto const file : files) {
        bytes.push_back(static_cast<Byte>(file >> 8U));
        bytes.push_back(static_cast<Byte>(file & 0xFFU));
    }
    return bytes;
}

/// GlobalPlatform's PIN block: nibble 2, nibble length, the digits, F to the end.
SecretBytes pin_block(std::string_view pin)
{
    ENSURE(is_pin(pin));
    Bytes block(pin_block_bytes, 0xFF);
    block[0] = static_cast<Byte>(0x20U | pin.size());
    for (std::size_t i = 0; i < pin.size(); ++i) {
        auto& byte = block[1 + i / 2];
        auto const digit = static_cast<unsigned>(pin[i] - '0');
        byte = static_cast<Byte>(i % 2 == 0 ? (digit << 4U) | (byte & 0x0FU) : (byte & 0xF0U) | digit);
    }
    return SecretBytes{std::move(block)};
}

} // namespace

Result<Response> parse_response(ByteView bytes)
{
    if (bytes.size() < 2) return fail(Outcome::card_unresponsive, "an answer without a status word");
    auto const data = bytes.first(bytes.size() - 2);
    auto const status = bytes.last(2);
    return Response{{data.begin(), data.end()}, static_cast<std::uint16_t>(status[0] << 8U | status[1])};
}

Bytes select_applet() { return command(0x00, 0xA4, 0x04, 0x0C, applet_aid); }

Bytes select_path(std::initializer_list<std::uint16_t> path)
{
    return command(0x00, 0xA4, 0x08, 0x0C, with_file_ids(path));
}

Bytes select_file(std::uint16_t file) { return command(0x00, 0xA4, 0x02, 0x0C, with_file_ids({file})); }

Bytes read_binary(std::size_t offset, std::size_t size)
{
    ENSURE(offset < 0x8000);
    return {0x00, 0xB0, static_cast<Byte>(offset >> 8U), static_cast<Byte>(offset & 0xFFU), length_byte(size)};
}

Bytes get_card_data(std::size_t size) { return {0x80, 0xE4, 0x00, 0x00, length_byte(size)}; }

Bytes get_card_data_with_tries(std::size_t size) { return {0x80, 0xE4, 0x00, 0x01, length_byte(size)}; }

Bytes verify_status() { return {0x00, 0x20, 0x00, 0x01, 0x00}; }

SecretBytes verify(SecretText const& pin)
{
    auto const block = pin_block(pin.reveal());
    return SecretBytes{command(0x00, 0x20, 0x00, 0x01, block.reveal())};
}

Bytes verify_template()
{
    Bytes block(pin_block_bytes, 0xFF);
    block[0] = 0x20;
    return command(0x00, 0x20, 0x00, 0x01, block);
}

Bytes set_security_environment(SignatureAlgorithm algorithm, KeyReference key)
{
    // 80: algorithm reference, 84: private key reference (ISO 7816-4 table 55). The card's manual counts four bytes
    // before them.
    std::array<Byte, 5> const data{0x04, 0x80, static_cast<Byte>(algorithm), 0x84, static_cast<Byte>(key)};
    return command(0x00, 0x22, 0x41, 0xB6, data);
}

Bytes compute_digital_signature(ByteView digest) { return command(0x00, 0x2A, 0x9E, 0x9A, digest); }

Bytes internal_authenticate(ByteView challenge)
{
    ENSURE(challenge.size() == 48);
    Bytes data{0x94, 0x30};
    append(data, challenge);
    return command(0x00, 0x88, 0x02, 0x81, data);
}

Bytes get_response(std::size_t size) { return {0x00, 0xC0, 0x00, 0x00, length_byte(size)}; }

Bytes log_off() { return {0x80, 0xE6, 0x00, 0x00, 0x00}; }

bool is_pin(std::string_view text) { return text.size() >= 4 && text.size() <= 12 && is_digits(text); }

Result<SecretText> pin_from_digits(std::string_view digits)
{
    if (!is_pin(digits)) return fail(Outcome::pin_malformed);
    constexpr std::size_t more_than_fits_into_a_string_object = 64;
    std::string pin;
    pin.reserve(more_than_fits_into_a_string_object); // so that moving it leaves nothing behind
    pin = digits;
    return SecretText{std::move(pin)};
}

} // namespace symbolon::card_reader

#include "crypto/encoding.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace symbolon::crypto {

namespace {

constexpr std::string_view standard_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t not_a_sign = 255;

using Values = std::array<std::uint8_t, 256>;

constexpr Values values_of(std::string_view alphabet)
{
    Values values{};
    values.fill(not_a_sign);
    for (std::size_t i = 0; i < alphabet.size(); ++i)
        values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
    return values;
}

constexpr auto standard_values = values_of(standard_alphabet);
constexpr auto url_values = values_of(url_alphabet);

std::string encoded(ByteView bytes, std::string_view alphabet)
{
    std::string text((bytes.size() * 8 + 5) / 6, '\0');
    auto* to = text.data();
    for (; bytes.size() >= 3; bytes = bytes.subspan(3)) {
        auto const bits = std::uint32_t{bytes[0]} << 16U | std::uint32_t{bytes[1]} << 8U | bytes[2];
        *to++ = alphabet[bits >> 18U];
        *to++ = alphabet[(bits >> 12U) & 63U];
        *to++ = alphabet[(bits >> 6U) & 63U];
        *to++ = alphabet[bits & 63U];
    }
    if (bytes.empty()) return text;
    auto const bits = std::uint32_t{bytes[0]} << 8U | (bytes.size() > 1 ? bytes[1] : Byte{0});
    *to++ = alphabet[bits >> 10U];
    *to++ = alphabet[(bits >> 4U) & 63U];
    if (bytes.size() > 1) *to = alphabet[(bits << 2U) & 63U];
    return text;
}

// RFC 4648 §3.2, §3.3, §3.5: no padding here, no foreign sign, bits left over are zero.
Result<Bytes> decoded(std::string_view text, Values const& values)
{
    if (text.size() % 4 == 1) return fail(Outcome::encoding_malformed, "length");
    Bytes bytes(text.size() * 3 / 4);
    auto next = bytes.begin();
    std::uint32_t bits = 0;
    int held = 0;
    for (auto const sign : text) {
        auto const value = values[static_cast<unsigned char>(sign)];
        if (value == not_a_sign) return fail(Outcome::encoding_malformed, "sign outside the alphabet");
        bits = (bits << 6U) | value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            *next++ = static_cast<Byte>((bits >> static_cast<unsigned>(held)) & 255U);
        }
    }
    if ((bits & ((1U << static_cast<unsigned>(held)) - 1U)) != 0)
        return fail(Outcome::encoding_malformed, "bits left over");
    return bytes;
}

} // namespace

std::string base64url(ByteView bytes) { return encoded(bytes, url_alphabet); }

Result<Bytes> from_base64url(std::string_view text) { return decoded(text, url_values); }

std::string base64(ByteView bytes)
{
    auto text = encoded(bytes, standard_alphabet);
    while (text.size() % 4 != 0) text += '=';
    return text;
}

Result<Bytes> from_base64(std::string_view text)
{
    if (text.size() % 4 != 0) return fail(Outcome::encoding_malformed, "padding");
    for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
    return decoded(text, standard_values);
}

std::string hex(ByteView bytes)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (auto const byte : bytes) {
        text += digits[byte >> 4U];
        text += digits[byte & 15U];
    }
    return text;
}

Result<Bytes> from_hex(std::string_view text)
{
    if (text.size() % 2 != 0) return fail(Outcome::encoding_malformed, "length");
    auto const value_of = [](char sign) -> int {
        if (sign >= '0' && sign <= '9') return sign - '0';
        if (sign >= 'a' && sign <= 'f') return sign - 'a' + 10;
        if (sign >= 'A' && sign <= 'F') return sign - 'A' + 10;
        return -1;
    };
    Bytes bytes;
    bytes.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        auto const high = value_of(text[i]);
        auto const low = value_of(text[i + 1]);
        if (high < 0 || low < 0) return fail(Outcome::encoding_malformed, "sign outside the alphabet");
        bytes.push_back(static_cast<Byte>(high * 16 + low));
    }
    return bytes;
}

} // namespace symbolon::crypto

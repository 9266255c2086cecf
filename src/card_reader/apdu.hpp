#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

#include <cstdint>
#include <initializer_list>
#include <string_view>

/// Command and response APDUs as the Belpic applet knows them (ISO 7816-4 §5.1; applet manuals 1.7 and 1.8). T=0: a
/// command either sends data or asks for some, never both, and is written with its P3.
namespace symbolon::card_reader {

/// SW1 SW2.
enum class StatusWord : std::uint16_t {
    ok = 0x9000,
    verification_failed = 0x6300, ///< 63Cx: x tries are left
    pin_blocked = 0x6983,
    security_not_satisfied = 0x6982,
    conditions_not_satisfied = 0x6985,
    wrong_data = 0x6A80,
    file_not_found = 0x6A82,
    wrong_length = 0x6700,
    offset_beyond_end = 0x6B00,
    end_of_file = 0x6282, ///< ISO 7816-4 §5.6: fewer bytes were left than were asked for
    reader_timeout = 0x6400,
    reader_cancelled = 0x6401,
    reader_wrong_pin_length = 0x6403,
};

struct Response {
    Bytes data;
    std::uint16_t sw = 0;

    [[nodiscard]] bool is(StatusWord status) const { return sw == static_cast<std::uint16_t>(status); }
    [[nodiscard]] bool is_ok() const { return is(StatusWord::ok); }

    /// 61xx: that many bytes wait for GET RESPONSE; 256 is written 00.
    [[nodiscard]] std::optional<std::size_t> waiting_bytes() const { return second_byte_of(0x61); }
    /// 6Cxx: this is the Le that should have been asked for.
    [[nodiscard]] std::optional<std::size_t> right_length() const { return second_byte_of(0x6C); }
    /// 63Cx.
    [[nodiscard]] std::optional<int> tries_left() const
    {
        if ((sw & 0xFFF0U) != 0x63C0U) return std::nullopt;
        return sw & 0x0FU;
    }

private:
    [[nodiscard]] std::optional<std::size_t> second_byte_of(std::uint16_t first) const
    {
        if (sw >> 8U != first) return std::nullopt;
        auto const value = sw & 0xFFU;
        return value == 0 ? 256 : value;
    }
};

/// Fails with card_unresponsive: shorter than a status word.
Result<Response> parse_response(ByteView bytes);

/// SELECT the Belpic applet by its AID; no answer data (P2 = 0C).
Bytes select_applet();

/// SELECT by path from the MF, without 3F00: DF00 5038.
Bytes select_path(std::initializer_list<std::uint16_t> path);

/// SELECT by file identifier in the current DF.
Bytes select_file(std::uint16_t file);

/// READ BINARY. `offset` below 2¹⁵, `size` 1 to 256.
Bytes read_binary(std::size_t offset, std::size_t size);

/// GET CARD DATA: 28 bytes.
Bytes get_card_data(std::size_t size = 28);

/// GET CARD DATA with what 1.8 adds: the tries that the PIN has left, and two counters.
Bytes get_card_data_with_tries(std::size_t size = 31);

/// VERIFY without data: asks how many tries are left (from 1.7 on; it costs one on older cards).
Bytes verify_status();

/// VERIFY with the PIN block. Wiped when it goes.
SecretBytes verify(SecretText const& pin);

/// The VERIFY that a reader with keys completes: the PIN's place is filled with F.
Bytes verify_template();

enum class KeyReference : Byte { authentication = 0x82, signature = 0x83 };
enum class SignatureAlgorithm : Byte {
    ecdsa_sha384 = 0x02,         ///< 1.8
    rsa_pkcs1_v15_sha256 = 0x08, ///< 1.7
};

/// MANAGE SECURITY ENVIRONMENT, set for a digital signature.
Bytes set_security_environment(SignatureAlgorithm algorithm, KeyReference key);

/// PERFORM SECURITY OPERATION: COMPUTE DIGITAL SIGNATURE over a digest.
Bytes compute_digital_signature(ByteView digest);

/// INTERNAL AUTHENTICATE with the card's own key: 48 bytes.
Bytes internal_authenticate(ByteView challenge);

Bytes get_response(std::size_t size);

Bytes log_off();

/// Whether a PIN can be one: 4 to 12 digits.
bool is_pin(std::string_view text);

/// A PIN in one place of memory, which is overwritten with it. `digits` stays the caller's to wipe. Fails:
/// pin_malformed.
Result<SecretText> pin_from_digits(std::string_view digits);

} // namespace symbolon::card_reader

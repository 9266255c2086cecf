#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "card/certificate.hpp"
#include "card/reading.hpp"

namespace symbolon::card {

/// Whether the chip that holds the card's own key answered this challenge: INTERNAL AUTHENTICATE (1.8). Without it,
/// files copied from a card would pass for the card. `card_key`: EF 4040, whose hash the Register signed; `answer`:
/// r‖s, 96 bytes.
///
/// Fails: card_not_genuine.
Result<void> check_card_key_answer(ByteView card_key, Challenge const& challenge, ByteView answer);

/// Whether the authentication key answered this challenge (1.7): PKCS#1 v1.5 with SHA-256. Fails: card_not_genuine.
Result<void> check_authentication_answer(Certificate const& authentication, Challenge const& challenge,
                                         ByteView answer);

/// Which digest the card's keys sign: SHA-384 with P-384 (1.8), SHA-256 with RSA-2048 (1.7).
enum class ContractDigest : std::uint8_t { sha256, sha384 };
ContractDigest contract_digest_for(Certificate const& signature_certificate);

/// Whether the holder's signature key signed a contract's digest. `raw_signature` is what the card gave: r‖s of 96
/// bytes (P-384), or PKCS#1 v1.5 (RSA-2048).
///
/// Gives the signature as CMS wants it: ECDSA-Sig-Value DER (RFC 5753 §7.2), or PKCS#1 v1.5 as it is.
///
/// Fails, first match wins: contract_not_signed_by_signature_key (the certificate isn't one for signatures, or
/// `authentication`'s key made the signature), contract_signature_invalid.
Result<Bytes> verify_contract_signature(Certificate const& signature, Certificate const& authentication,
                                        ByteView digest, ByteView raw_signature);

} // namespace symbolon::card

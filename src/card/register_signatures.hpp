#pragma once

#include "base/result.hpp"
#include "card/certificate.hpp"
#include "card/identity_file.hpp"
#include "card/reading.hpp"

namespace symbolon::card {

/// Whether SHA-1 counts, as on the oldest 1.7 cards.
enum class Sha1 : std::uint8_t { refused, accepted };

/// The National Register's signatures over the identity and the address (eid-card.md §5).
///
/// EF 4032 covers EF 4031 as it was read. EF 4034 covers EF 4033 without its zeros at the end, followed by the whole of
/// EF 4032, its own padding included: so an address can't be moved to another card. EC: ECDSA-Sig-Value with SHA-384;
/// RSA: PKCS#1 v1.5 with SHA-256.
///
/// Fails, first match wins: identity_signature_invalid, address_signature_invalid.
Result<void> check_register_signatures(CardReading const& reading, Certificate const& national_register, Sha1 sha1);

/// The photo and the card's own key are those whose hashes the Register signed. The hash's length says which one it is.
///
/// Fails, first match wins: photo_hash_mismatch, card_key_hash_mismatch.
Result<void> check_hashes(CardReading const& reading, IdentityFile const& identity, Sha1 sha1);

} // namespace symbolon::card

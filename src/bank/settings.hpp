#pragma once

#include "crypto/jwe.hpp"
#include "crypto/timed_key.hpp"
#include "enrolment/bank.hpp"

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// Identity from a bank: an OpenID Relying Party (docs/decisions/0014-through-a-bank.md).
namespace symbolon::bank {

/// What a bank says of a person, by the names that it has unless the configuration maps it to another one.
inline constexpr std::array<std::string_view, 13> claim_names{
    "family_name",          "given_name",   "birthdate", "gender",          "place_of_birth",
    "nationality",          "phone_number", "address",   "national_number", "document_number",
    "document_valid_until", "card_read_on", "acr"};

/// What was settled with one bank.
struct Registration {
    enrolment::BankTerms terms;
    std::string issuer;
    std::string client_id = "symbolon";
    std::map<std::string, std::string, std::less<>> claims; ///< one of claim_names → what this bank calls it

    /// What this bank calls a claim.
    [[nodiscard]] std::string claim(std::string_view name) const;
};

/// Our keys towards all banks.
struct Keys {
    std::vector<crypto::TimedKey> signing;         ///< ES256: who we are (private_key_jwt); the last has no end
    std::vector<crypto::DecryptionKey> decryption; ///< ID tokens are encrypted to these

    [[nodiscard]] crypto::SigningKey signing_at(Instant now) const;
};

struct Settings {
    std::vector<Registration> banks; ///< in the order in which they are offered
    std::string redirect_uri;        ///< PHONE_URL/bank/return
    Keys keys;
};

/// The public halves of those that are published at `now`, a JWK Set (RFC 7517 §5) for the banks. The one that signs is
/// the first.
std::string public_jwk_set(Keys const& keys, Instant now);

} // namespace symbolon::bank

#pragma once

#include "base/json.hpp"
#include "base/result.hpp"
#include "crypto/key.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

/// JSON Web Signature, compact serialization only (RFC 7515 §7.1).
namespace symbolon::crypto {

/// A key of a JWK Set (RFC 7517 §5) with the members that choose it.
struct VerificationKey {
    std::string key_id;                          ///< kid; may be empty
    std::optional<SignatureAlgorithm> algorithm; ///< alg; where the set restricts it
    PublicKey key;
};

/// The signing keys of a JWK Set. Keys of unknown type, for encryption (`use: enc`) or with private members are passed
/// over; fails with jwk_malformed when the text is no JWK Set.
Result<std::vector<VerificationKey>> parse_jwk_set(std::string_view text);

/// A private key with the name and algorithm that its signatures carry.
struct SigningKey {
    std::string key_id;
    SignatureAlgorithm algorithm = SignatureAlgorithm::es256;
    PrivateKey key;
};

/// BASE64URL(header) . BASE64URL(payload) . BASE64URL(signature), with alg, kid and, where given, typ.
std::string sign_jws(SigningKey const& key, std::string_view payload, std::string_view type = {});

struct Jws {
    json::Object header;
    std::string payload;
};

/// The header and payload of a JWS that one of `keys` signed with one of `allowed` (RFC 7515 §5.2). The algorithm comes
/// from what was registered (RFC 8725 §3.1); `crit`, `b64`, and unencoded or JSON serializations are refused; a `kid`
/// narrows the keys.
///
/// Fails, first match wins: jws_malformed, jws_algorithm_refused, key_unknown, jws_signature_invalid.
Result<Jws> verify_jws(std::string_view compact, std::span<VerificationKey const> keys,
                       std::span<SignatureAlgorithm const> allowed);

/// The header and payload as they stand, not verified: to find out whose they claim to be. Fails with jws_malformed.
Result<Jws> peek_jws(std::string_view compact);

} // namespace symbolon::crypto

#pragma once

#include "base/instant.hpp"
#include "crypto/jws.hpp"

/// Signed heads of the append-only log (docs/log.md).
namespace symbolon::crypto {

/// What a signed head says: so many entries, and the root of their tree.
struct TreeHead {
    std::int64_t size = 0;
    Bytes root;
    Instant at;
};

/// A JWS (compact, type symbolon-log-head+jws) over {"v": 1, "size", "root" (base64url), "at"}. `key`: ES256.
std::string sign_head(TreeHead const& head, SigningKey const& key);

/// What a head says, once its signature was checked. Fails: jws_malformed, jws_algorithm_refused,
/// jws_signature_invalid.
Result<TreeHead> verify_head(std::string_view head, PublicKey const& key);

} // namespace symbolon::crypto

#pragma once

#include "base/secret.hpp"
#include "crypto/openssl.hpp"

/// Points of P-256 and the secret that two keys share: only for the .cpp files of this folder.
namespace symbolon::crypto::p256 {

inline constexpr std::size_t point_bytes = 65; ///< SEC 1 §2.3.3, uncompressed: 04 ‖ x ‖ y

Bytes point_of(EVP_PKEY const* key);

/// The public key at an uncompressed point. Nothing, if it is none or not on the curve.
openssl::Key key_at(ByteView point);

/// NIST SP 800-56A §5.7.1.2: the x coordinate of the shared point, 32 bytes. Both keys were checked when they were
/// made.
SecretBytes shared_secret(EVP_PKEY* own, EVP_PKEY* other);

} // namespace symbolon::crypto::p256

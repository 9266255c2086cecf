#pragma once

#include "base/bytes.hpp"
#include "base/secret.hpp"

#include <string_view>

namespace symbolon::crypto {

enum class HashAlgorithm { sha1, sha256, sha384, sha512 };

Bytes hash(HashAlgorithm algorithm, ByteView data);
Bytes sha256(ByteView data);
inline Bytes sha256(std::string_view text) { return sha256(bytes_of(text)); }

/// HMAC-SHA-256 (RFC 2104): 32 bytes.
Bytes hmac_sha256(SecretBytes const& key, ByteView data);

/// HKDF-SHA-256 (RFC 5869).
SecretBytes hkdf_sha256(SecretBytes const& input_key, ByteView salt, std::string_view info, std::size_t size_bytes);

/// PBKDF2 with HMAC-SHA-256 (RFC 8018 §5.2). iterations > 0, size_bytes > 0.
Bytes pbkdf2_sha256(ByteView password, ByteView salt, int iterations, std::size_t size_bytes);

} // namespace symbolon::crypto

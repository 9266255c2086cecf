#pragma once

#include "base/bytes.hpp"
#include "base/secret.hpp"

#include <optional>

/// AES-256-GCM under a given nonce: only for aead and seal, who see to it that no nonce serves twice.
namespace symbolon::crypto::gcm {

inline constexpr std::size_t key_bytes = 32;
inline constexpr std::size_t nonce_bytes = 12;
inline constexpr int tag_bytes = 16;

/// Appends ciphertext ‖ tag to `to`.
void encrypt(ByteView key, ByteView nonce, ByteView plain, ByteView associated_data, Bytes& to);

/// `sealed` is ciphertext ‖ tag. Nothing, if the tag does not fit.
std::optional<SecretBytes> decrypt(ByteView key, ByteView nonce, ByteView sealed, ByteView associated_data);

} // namespace symbolon::crypto::gcm

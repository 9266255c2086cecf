#pragma once

#include "base/bytes.hpp"
#include "base/secret.hpp"

#include <optional>

/// AES-GCM under a given nonce: only for aead, seal and push_encryption, who see to it that no nonce serves twice.
namespace symbolon::crypto::gcm {

inline constexpr std::size_t key_bytes = 32;       ///< AES-256
inline constexpr std::size_t short_key_bytes = 16; ///< AES-128, where a protocol says so
inline constexpr std::size_t nonce_bytes = 12;
inline constexpr int tag_bytes = 16;

/// Appends ciphertext ‖ tag to `to`. The size of the key says which AES.
void encrypt(ByteView key, ByteView nonce, ByteView plain, ByteView associated_data, Bytes& to);

/// `sealed` is ciphertext ‖ tag. Nothing, if the tag does not fit.
std::optional<SecretBytes> decrypt(ByteView key, ByteView nonce, ByteView sealed, ByteView associated_data);

} // namespace symbolon::crypto::gcm

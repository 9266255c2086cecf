#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "crypto/key.hpp"
#include "crypto/random.hpp"

namespace symbolon::crypto {

/// Sealed so that only the owner of a P-256 key can open it (docs/device-protocol.md "Seal").
///
/// ephemeral public point (65, uncompressed) ‖ AES-256-GCM ciphertext ‖ tag (16). Key and nonce come from HKDF-SHA-256
/// over the ECDH secret with salt = ephemeral point ‖ recipient's point and info = "symbolon-seal-v1".
Bytes seal_to(PublicKey const& recipient, ByteView plain, ByteView associated_data);

/// Fails with seal_invalid.
Result<SecretBytes> open_seal(PrivateKey const& recipient, ByteView sealed, ByteView associated_data);

} // namespace symbolon::crypto

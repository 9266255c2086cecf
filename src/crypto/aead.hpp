#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "crypto/random.hpp"

namespace symbolon::crypto {

/// AES-256-GCM (NIST SP 800-38D). Gives nonce (12) ‖ ciphertext ‖ tag (16). `key` has 32 bytes; a nonce is drawn each
/// time.
Bytes seal_with_key(SecretBytes const& key, ByteView plain, ByteView associated_data, Random& random);

/// The plain bytes. Fails with data_damaged: too short, or the tag does not fit key, bytes and associated data.
Result<SecretBytes> open_with_key(SecretBytes const& key, ByteView sealed, ByteView associated_data);

} // namespace symbolon::crypto

#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"
#include "crypto/key.hpp"

#include <filesystem>

namespace symbolon::vault {

/// The vault's own keys. They are in one file (mode 0600) that no other program reads.
struct Keys {
    crypto::PrivateKey seal;   ///< V, P-256: phones seal to it
    crypto::PrivateKey grants; ///< G, Ed25519
    SecretBytes kek;           ///< 32 bytes: code keys are kept under it
    crypto::PublicKey permits; ///< of the server, Ed25519: who may replace a code key
};

/// Makes a vault's directory: `vault.key`, `vault.pub` (V and G as JWK, for the server and for audits) and `permit.key`
/// (the private key of the permits, for the server). Fails with configuration_invalid: there is a vault already, or the
/// directory can't be written.
Result<void> make_vault(std::filesystem::path const& directory, crypto::Random& random);

/// Fails with configuration_invalid: no vault there, others may read its key file, or the file is damaged.
Result<Keys> read_keys(std::filesystem::path const& directory);

/// The server's key for permits. Fails with configuration_invalid.
Result<crypto::PrivateKey> read_permit_key(std::filesystem::path const& directory);

} // namespace symbolon::vault

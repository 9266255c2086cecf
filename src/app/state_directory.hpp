#pragma once

#include "app/config.hpp"
#include "bank/settings.hpp"
#include "base/instant.hpp"
#include "base/result.hpp"
#include "crypto/timed_key.hpp"
#include "store/keyring.hpp"

#include <filesystem>
#include <string>
#include <vector>

/// Where an operator's keys and data lie (docs/operating.md). One directory, mode 0700, which the server, the vault and
/// the operator's command share:
///
///     symbolon.toml    settings
///     master.key       32 bytes, wraps the data keys of the store
///     master.previous.key  while it is rotated: the one before
///     lookup.key       32 bytes, HMAC of what is looked up
///     pairwise.key     32 bytes, makes pairwise subjects
///     server.key       32 bytes, of which the server's short-lived keys are made (nonces, counters)
///     signing.json     the keys of ID tokens
///     record.key       the key that approval records are signed with, PKCS#8
///     push.key         the key that push services know us by (RFC 8292), PKCS#8
///     bank.key         the first key that banks know us by (private_key_jwt), PKCS#8
///     bank_signing.json  where that key was rotated: all that are kept, with their times
///     bank_encryption.key  the key that banks encrypt ID tokens to, PKCS#8
///     vault/           the vault's own (vault::make_vault); permit.key in it, or moved beside these, is the server's
///     store.db         made at the first start
namespace symbolon::app {

struct State {
    store::Keys keys;
    SecretBytes pairwise_secret;
    SecretBytes server_secret;
    crypto::SigningKey record_key;              ///< ES256
    crypto::SigningKey push_key;                ///< ES256, without a key id
    crypto::PrivateKey permit_key;              ///< Ed25519: permits for the vault to replace a code key
    std::vector<crypto::TimedKey> signing_keys; ///< read_signing_keys
};

/// Makes the directory with everything but the database. `settings`: the text of symbolon.toml.
/// Fails with configuration_invalid: something is there already, or it can't be written.
Result<void> make_state_directory(std::filesystem::path const& directory, std::string_view settings,
                                  crypto::Random& random, Instant now);

/// Reads what the server needs, and makes push.key where an older version made the directory. Fails with
/// configuration_invalid: a file is missing, has another size, or others than its owner may read it.
Result<State> read_state(std::filesystem::path const& directory, Instant now);

/// The keys of the store. Fails with configuration_invalid.
Result<store::Keys> read_store_keys(std::filesystem::path const& directory);

/// A new master key; the one before stays beside it until end_master_rotation. Where a rotation is under way already,
/// nothing is changed. Fails with configuration_invalid.
Result<void> begin_master_rotation(std::filesystem::path const& directory, crypto::Random& random);

/// Forgets the master key before: no data key is wrapped with it any more. Fails with configuration_invalid.
Result<void> end_master_rotation(std::filesystem::path const& directory);

/// 32 bytes of the server's secret for one purpose: "device_nonce".
SecretBytes derived_key(State const& state, std::string_view purpose);

/// All signing keys that are kept, in the order in which they were made. Fails with configuration_invalid.
Result<std::vector<crypto::TimedKey>> read_signing_keys(std::filesystem::path const& directory);

/// The same, with a key of each algorithm that is published at `now`: what a provider can sign with. Fails with
/// configuration_invalid.
Result<std::vector<crypto::TimedKey>> keys_of_provider(std::filesystem::path const& directory, Instant now);

/// Makes a new key for each algorithm. It is published at once and signs after `notice`; the one before is published
/// for `overlap` more. Keys whose time is over are forgotten. Fails with configuration_invalid.
Result<void> rotate_signing_keys(std::filesystem::path const& directory, Instant now, Seconds notice, Seconds overlap);

/// Our keys towards the banks, made where they are missing. Fails with configuration_invalid.
Result<bank::Keys> read_bank_keys(std::filesystem::path const& directory);

/// As rotate_signing_keys, for the key that we sign with towards the banks. The key that they encrypt to stays.
Result<void> rotate_bank_keys(std::filesystem::path const& directory, Instant now, Seconds notice, Seconds overlap);

/// What the banks of a configuration are asked with.
bank::Settings bank_settings(Configuration const& configuration, bank::Keys keys);

/// A file of 32 bytes that only its owner may read. Fails with configuration_invalid.
Result<SecretBytes> read_key_file(std::filesystem::path const& file);

/// Writes a file that only its owner may read, whole or not at all, and onto the disk. Fails with
/// configuration_invalid.
Result<void> write_secret_file(std::filesystem::path const& file, ByteView content);

} // namespace symbolon::app

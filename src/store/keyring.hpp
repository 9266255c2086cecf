#pragma once

#include "base/secret.hpp"
#include "crypto/random.hpp"
#include "store/engine.hpp"

#include <functional>
#include <list>
#include <mutex>
#include <unordered_map>

namespace symbolon::store {

/// The operator's keys, each 32 bytes. They lie outside the database, and in no backup of it.
struct Keys {
    SecretBytes master; ///< wraps the data keys
    SecretBytes lookup; ///< HMAC of what is looked up
    SecretBytes
        former_master{}; ///< while the master key is rotated: some data keys are still wrapped with it; or empty
};

/// Reads the keys anew, as they are where the operator keeps them.
using ReadKeys = std::function<Result<Keys>()>;

/// The data keys of the owners of records, and what is encrypted and hashed with them.
///
/// A body is AES-256-GCM under its owner's data key, with table, id and version as associated data: it opens only in
/// its own place. Safe from any thread.
class Keyring {
public:
    /// `read_keys`: so that a running program follows when the master key is rotated; may be empty. `most_remembered`:
    /// data keys kept in memory.
    Keyring(Engine& engine, Keys keys, crypto::Random& random, ReadKeys read_keys = {},
            std::size_t most_remembered = 20'000);

    /// A new owner's data key, and the write that stores it, wrapped. `kept_until` as in a Record.
    struct NewOwner {
        SecretBytes key;
        Insert write;
    };
    /// Fails as `read_keys` does: under a master key that may be over nothing new is kept.
    Result<NewOwner> new_owner(std::string const& owner, std::optional<Instant> kept_until);

    /// The data key of an owner. Fails with data_damaged: there is none (it was deleted), or the master key is another.
    Flow<SecretBytes> key_of(std::string owner);

    /// The same, made and committed now where there is none.
    Flow<SecretBytes> key_made_for(std::string owner, std::optional<Instant> kept_until);

    /// Wraps some of the data keys that are not wrapped with the master key with it. Gives how many were found; call it
    /// again until none is.
    Flow<std::size_t> rewrap_some();

    /// Forgets an owner's key here, after it was deleted.
    void forget(std::string const& owner);

    [[nodiscard]] Bytes seal(SecretBytes const& key, std::string_view table, std::string_view id, std::int64_t version,
                             ByteView plain);
    /// Fails with data_damaged.
    [[nodiscard]] static Result<SecretBytes> open(SecretBytes const& key, std::string_view table, std::string_view id,
                                                  std::int64_t version, ByteView sealed);

    /// HMAC-SHA-256 of a value, for one purpose: "phone_number".
    [[nodiscard]] Bytes lookup(std::string_view purpose, std::string_view value) const;

    crypto::Random& random() { return random_; }

private:
    void remember(std::string const& owner, SecretBytes const& key);
    Keys keys() const;
    Result<void> read_again();
    Result<SecretBytes> unwrapped(Record const& record);

    Engine& engine_;
    mutable std::mutex keys_mutex_;
    Keys keys_;
    crypto::Random& random_;
    ReadKeys read_keys_;
    std::size_t most_remembered_;

    struct Remembered {
        SecretBytes key;
        std::list<std::string>::iterator place;
    };
    std::mutex mutex_;
    std::list<std::string> recently_used_; ///< first: just now
    std::unordered_map<std::string, Remembered> remembered_;
};

} // namespace symbolon::store

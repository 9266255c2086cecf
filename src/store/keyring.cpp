#include "store/keyring.hpp"

#include "crypto/aead.hpp"
#include "crypto/hash.hpp"

namespace symbolon::store {

namespace {

constexpr std::size_t key_bytes = 32;

Bytes place_of(std::string_view table, std::string_view id, std::int64_t version)
{
    Bytes place = to_bytes(table);
    place.push_back(0);
    append(place, bytes_of(id));
    place.push_back(0);
    append(place, bytes_of(std::to_string(version)));
    return place;
}

} // namespace

Keyring::Keyring(Engine& engine, Keys keys, crypto::Random& random, std::size_t most_remembered)
    : engine_{engine},
      keys_{std::move(keys)},
      random_{random},
      most_remembered_{most_remembered}
{
    ENSURE(keys_.master.reveal().size() == key_bytes && keys_.lookup.reveal().size() == key_bytes);
    ENSURE(most_remembered_ > 0);
}

Keyring::NewOwner Keyring::new_owner(std::string const& owner, std::optional<Instant> kept_until)
{
    SecretBytes key{random_.bytes(key_bytes)};
    Record record{
        .id = owner,
        .owner = owner,
        .keys = {},
        .state = {},
        .kept_until = kept_until,
        .body = seal(keys_.master, name_of(Table::data_key), owner, 1, key.reveal()),
    };
    return {.key = std::move(key), .write = Insert{.table = Table::data_key, .record = std::move(record)}};
}

Flow<SecretBytes> Keyring::key_of(std::string owner)
{
    {
        std::scoped_lock const lock{mutex_};
        if (auto const found = remembered_.find(owner); found != remembered_.end()) {
            recently_used_.splice(recently_used_.begin(), recently_used_, found->second.place);
            co_return found->second.key;
        }
    }
    auto const record = co_await engine_.get(Table::data_key, owner);
    if (!record) co_return fail(Outcome::data_damaged, "the data key is gone");
    auto const key = co_await open(keys_.master, name_of(Table::data_key), owner, record->version, record->body);
    if (key.reveal().size() != key_bytes) co_return fail(Outcome::data_damaged, "data key");
    remember(owner, key);
    co_return key;
}

Flow<SecretBytes> Keyring::key_made_for(std::string owner, std::optional<Instant> kept_until)
{
    auto found = co_await outcome_of(key_of(owner));
    if (found) co_return *std::move(found);
    // Somebody made it since, or it does not open: then it fails once more.
    if (co_await engine_.get(Table::data_key, owner)) co_return co_await key_of(owner);

    auto made = new_owner(owner, kept_until);
    std::vector<Write> writes;
    writes.emplace_back(std::move(made.write));
    auto const committed = co_await engine_.commit(std::move(writes));
    // Somebody else may have been first: then theirs counts.
    if (committed.conflict) co_return co_await key_of(owner);
    remember(owner, made.key);
    co_return std::move(made.key);
}

void Keyring::forget(std::string const& owner)
{
    std::scoped_lock const lock{mutex_};
    auto const found = remembered_.find(owner);
    if (found == remembered_.end()) return;
    recently_used_.erase(found->second.place);
    remembered_.erase(found);
}

void Keyring::remember(std::string const& owner, SecretBytes const& key)
{
    std::scoped_lock const lock{mutex_};
    if (remembered_.contains(owner)) return;
    if (remembered_.size() >= most_remembered_) {
        remembered_.erase(recently_used_.back());
        recently_used_.pop_back();
    }
    recently_used_.push_front(owner);
    remembered_.emplace(owner, Remembered{.key = key, .place = recently_used_.begin()});
}

Bytes Keyring::seal(SecretBytes const& key, std::string_view table, std::string_view id, std::int64_t version,
                    ByteView plain)
{
    return crypto::seal_with_key(key, plain, place_of(table, id, version), random_);
}

Result<SecretBytes> Keyring::open(SecretBytes const& key, std::string_view table, std::string_view id,
                                  std::int64_t version, ByteView sealed)
{
    auto opened = crypto::open_with_key(key, sealed, place_of(table, id, version));
    if (!opened) return fail(Outcome::data_damaged, std::string{table} + ": the body does not open in its place");
    return opened;
}

Bytes Keyring::lookup(std::string_view purpose, std::string_view value) const
{
    Bytes data = to_bytes(purpose);
    data.push_back(0);
    append(data, bytes_of(value));
    return crypto::hmac_sha256(keys_.lookup, data);
}

} // namespace symbolon::store

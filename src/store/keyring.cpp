#include "store/keyring.hpp"

#include "crypto/aead.hpp"
#include "crypto/encoding.hpp"
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

/// The word of the data keys that are wrapped with a master key. Tells nothing of it.
std::string generation_of(SecretBytes const& master)
{
    constexpr std::size_t bytes = 8;
    return crypto::hex(
        ByteView{crypto::hmac_sha256(master, bytes_of("symbolon generation of data keys"))}.first(bytes));
}

} // namespace

Keyring::Keyring(Engine& engine, Keys keys, crypto::Random& random, ReadKeys read_keys, std::size_t most_remembered)
    : engine_{engine},
      keys_{std::move(keys)},
      random_{random},
      read_keys_{std::move(read_keys)},
      most_remembered_{most_remembered}
{
    ENSURE(keys_.master.reveal().size() == key_bytes && keys_.lookup.reveal().size() == key_bytes);
    ENSURE(most_remembered_ > 0);
}

Result<Keyring::NewOwner> Keyring::new_owner(std::string const& owner, std::optional<Instant> kept_until)
{
    // New ones are wrapped with what is the master key now: a rotation must not miss one of a program that began
    // before.
    TRY(read_again());
    auto const master = keys().master;
    SecretBytes key{random_.bytes(key_bytes)};
    Record record{
        .id = owner,
        .owner = owner,
        .keys = {},
        .state = generation_of(master),
        .kept_until = kept_until,
        .body = seal(master, name_of(Table::data_key), owner, 1, key.reveal()),
    };
    return NewOwner{.key = std::move(key), .write = Insert{.table = Table::data_key, .record = std::move(record)}};
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
    auto const key = co_await unwrapped(*record);
    remember(owner, key);
    co_return key;
}

Flow<SecretBytes> Keyring::key_made_for(std::string owner, std::optional<Instant> kept_until)
{
    auto found = co_await outcome_of(key_of(owner));
    if (found) co_return *std::move(found);
    // Somebody made it since, or it does not open: then it fails once more.
    if (co_await engine_.get(Table::data_key, owner)) co_return co_await key_of(owner);

    auto made = co_await new_owner(owner, kept_until);
    std::vector<Write> writes;
    writes.emplace_back(std::move(made.write));
    auto const committed = co_await engine_.commit(std::move(writes));
    // Somebody else may have been first: then theirs counts.
    if (committed.conflict) co_return co_await key_of(owner);
    remember(owner, made.key);
    co_return std::move(made.key);
}

Flow<std::size_t> Keyring::rewrap_some()
{
    constexpr std::size_t at_once = 500;
    co_await read_again();
    auto const known = keys();
    // Those of the program before have no word.
    Query query{.table = Table::data_key, .states = {std::string{}}, .at_most = at_once};
    if (!known.former_master.empty()) query.states.push_back(generation_of(known.former_master));
    auto records = co_await engine_.list(std::move(query));
    std::vector<Write> writes;
    for (auto& record : records) {
        auto const key = co_await unwrapped(record);
        record.state = generation_of(known.master);
        record.body = seal(known.master, name_of(Table::data_key), record.id, record.version + 1, key.reveal());
        writes.emplace_back(Update{.table = Table::data_key, .record = std::move(record)});
    }
    // Where one was deleted meanwhile, the next look goes without it.
    if (!writes.empty()) co_await engine_.commit(std::move(writes));
    co_return records.size();
}

Keys Keyring::keys() const
{
    std::scoped_lock const lock{keys_mutex_};
    return keys_;
}

Result<void> Keyring::read_again()
{
    if (!read_keys_) return {};
    auto fresh = TRY(read_keys_());
    std::scoped_lock const lock{keys_mutex_};
    keys_.master = std::move(fresh.master);
    keys_.former_master = std::move(fresh.former_master);
    return {};
}

Result<SecretBytes> Keyring::unwrapped(Record const& record)
{
    auto const with = [&](SecretBytes const& master) -> Result<SecretBytes> {
        if (master.empty()) return fail(Outcome::data_damaged, "data key");
        auto key = open(master, name_of(Table::data_key), record.id, record.version, record.body);
        if (key && key->reveal().size() != key_bytes) return fail(Outcome::data_damaged, "data key");
        return key;
    };
    auto const with_either = [&](Keys const& known) {
        auto key = with(known.master);
        return key ? key : with(known.former_master);
    };
    if (auto key = with_either(keys())) return key;
    // Or the master key was rotated since this program began.
    TRY(read_again());
    return with_either(keys());
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

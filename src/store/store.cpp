#include "store/store.hpp"

#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "store/codec.hpp"
#include "store/value_cache.hpp"

namespace symbolon::store {

using ports::Stored;

namespace {

// How long short-lived records stay after their time is over, so that whoever comes late is told what happened.
constexpr Seconds enrolment_grace = 24h;
constexpr Seconds action_grace = 1h;
constexpr Seconds sign_in_grace = 1h;
constexpr Seconds grant_grace = 1h;
constexpr Seconds day = 24h;

constexpr std::size_t swept_at_once = 2000;
constexpr std::size_t most_waiting_enrolments = 8;
constexpr std::size_t all_of_one_number = 10'000; // that an erasure takes with it; the sweep has the rest in a day
constexpr std::size_t most_open_actions = 50;
constexpr std::size_t most_waiting_actions = 10'000;
constexpr std::size_t most_unanswered_actions = 500;
constexpr std::size_t most_consents = 10'000;
constexpr std::size_t most_grants = 100'000;
constexpr Seconds trace_kept = 30 * 24h;
constexpr std::size_t most_clients = 100'000;
constexpr std::size_t salt_bytes = 16;
constexpr std::size_t most_remembered_values = 4096; // a person's is 10 KB or so

std::string owner_of(AccountId const& account) { return "account/" + account.text(); }
std::string owner_of(EnrolmentId const& enrolment) { return "enrolment/" + enrolment.text(); }
constexpr std::string_view owner_operator = "operator";
constexpr std::string_view waiting_first = "waiting_first";
constexpr std::string_view unanswered_state = "unanswered";
constexpr std::string_view without_token = "without_token";

/// What passes within minutes and is nobody's yet: one data key a day.
struct Day {
    Instant begins;

    explicit Day(Instant at) : begins{at - at.time_since_epoch() % day} {}
    [[nodiscard]] std::string owner() const { return "day/" + std::to_string(numeric_date(begins) / day.count()); }
    [[nodiscard]] Instant key_kept_until() const { return begins + 3 * day; }
};

std::optional<Bytes> key_unless_empty(Bytes const& value)
{
    return value.empty() ? std::nullopt : std::optional{value};
}

// ---- values as records
// -----------------------------------------------------------------------------------------------

/// What of a value stands outside its body, and whose it is.
template <class T>
struct Shape;

template <>
struct Shape<account::Account> {
    static constexpr Table table = Table::account;
    static Record record(account::Account const& it, Keyring const& keyring)
    {
        // A closed account lets go of its person and number.
        auto const closed = it.state == account::State::closed;
        auto const key = [&](std::string_view purpose, std::string const& value) -> std::optional<Bytes> {
            if (closed || value.empty()) return std::nullopt;
            return keyring.lookup(purpose, value);
        };
        return {
            .id = it.id.text(),
            .owner = owner_of(it.id),
            .keys = {key("phone_number", it.phone_number.e164()), key("national_number", it.person.national_number)},
            .state = std::string{word(it.state)},
        };
    }
};

template <>
struct Shape<account::Device> {
    static constexpr Table table = Table::device;
    static Record record(account::Device const& it, Keyring const&)
    {
        return {.id = it.id.text(), .owner = owner_of(it.account), .keys = {}, .state = std::string{word(it.state)}};
    }
};

template <>
struct Shape<account::PushSubscription> {
    static constexpr Table table = Table::push_subscription;
    static Record record(account::PushSubscription const& it, Keyring const&)
    {
        return {
            .id = it.device.text(), .owner = owner_of(it.account), .keys = {}, .state = std::string{word(it.state)}};
    }
};

/// The word that queries ask for. Only an enrolment with an identification token waits for a phone that types it; one
/// that a phone began itself is nobody else's to find.
std::string waiting_word(enrolment::Enrolment const& it)
{
    auto const is_at_the_phone = it.state == enrolment::State::sms || it.state == enrolment::State::code;
    if (is_at_the_phone && it.token_hash.empty()) return std::string{without_token};
    return std::string{word(it.state)};
}

template <>
struct Shape<enrolment::Enrolment> {
    static constexpr Table table = Table::enrolment;
    static Record record(enrolment::Enrolment const& it, Keyring const& keyring)
    {
        return {
            .id = it.id.text(),
            .owner = owner_of(it.id),
            .keys = {key_unless_empty(it.browser_hash), key_unless_empty(it.ticket_hash),
                     key_unless_empty(it.reader_session_hash), key_unless_empty(it.phone_session_hash),
                     keyring.lookup("phone_number", it.phone_number.e164())},
            .state = waiting_word(it),
            .kept_until = it.expires_at + enrolment_grace,
        };
    }
};

/// The word that queries ask for. Requests that are to be kept in sight have one of their own, and so have those whose
/// end is not in the history yet.
std::string queue_word(action::Action const& it)
{
    if (it.owes_history) return std::string{unanswered_state};
    auto const first =
        it.first || it.entry == action::Entry::qr || it.entry == action::Entry::link || it.entry == action::Entry::code;
    if (it.state == action::State::waiting && first) return std::string{waiting_first};
    return std::string{word(it.state)};
}

template <>
struct Shape<consent::Consent> {
    static constexpr Table table = Table::consent;
    static std::string id(AccountId const& account, ClientId const& client, Keyring const& keyring)
    {
        return crypto::base64url(keyring.lookup("consent", account.text() + '/' + client.text()));
    }
    static Record record(consent::Consent const& it, Keyring const& keyring)
    {
        return {.id = id(it.account, it.client, keyring), .owner = owner_of(it.account), .keys = {}, .state = {}};
    }
};

/// The words of requests that a phone may still be asked.
std::vector<std::string> const& open_words()
{
    using action::State;
    static std::vector<std::string> const words{std::string{word(State::waiting)}, std::string{waiting_first},
                                                std::string{word(State::shown)}, std::string{word(State::returning)}};
    return words;
}

template <>
struct Shape<action::Action> {
    static constexpr Table table = Table::action;
    static Record record(action::Action const& it, Keyring const&)
    {
        auto state = queue_word(it);
        auto owner = it.account ? owner_of(*it.account) : Day{it.created_at}.owner();
        std::optional<Bytes> open_of; // nobody's as well: the same is written (D7)
        if (std::ranges::find(open_words(), state) != open_words().end()) open_of = to_bytes(owner);
        return {
            .id = it.id.text(),
            .owner = std::move(owner),
            .keys = {std::move(open_of)},
            .state = std::move(state),
            .kept_until = it.expires_at + action_grace,
        };
    }
};

template <>
struct Shape<grant::SignIn> {
    static constexpr Table table = Table::sign_in;
    static Record record(grant::SignIn const& it, Keyring const& keyring)
    {
        std::optional<Bytes> short_code;
        if (!it.short_code.empty() && it.state == grant::SignIn::State::started)
            short_code = keyring.lookup("short_code", it.short_code);
        return {
            .id = it.id.text(),
            .owner = Day{it.created_at}.owner(),
            .keys = {std::move(short_code)},
            .state = std::string{word(it.state)},
            .kept_until = it.expires_at + sign_in_grace,
        };
    }
};

template <>
struct Shape<grant::Grant> {
    static constexpr Table table = Table::grant;
    static Record record(grant::Grant const& it, Keyring const&)
    {
        return {
            .id = it.id.text(),
            .owner = owner_of(it.account),
            .keys = {key_unless_empty(it.code_hash), key_unless_empty(it.access_token_hash)},
            .state = std::string{word(it.state)},
            .kept_until = std::max(it.expires_at, it.access_token_expires_at) + grant_grace,
        };
    }
};

template <>
struct Shape<partner::Client> {
    static constexpr Table table = Table::client;
    static Record record(partner::Client const& it, Keyring const&)
    {
        return {.id = it.id.text(), .owner = std::string{owner_operator}, .keys = {}, .state = {}};
    }
};

/// The first use of something leaves this, whose id is there then.
Insert use_of(ports::Once const& once, Keyring const& keyring)
{
    // What partners call their assertions may be long, and is theirs to know.
    return {.table = Table::nonce,
            .record = {.id = once.kind + '/' + crypto::base64url(keyring.lookup("nonce/" + once.kind, once.key)),
                       .kept_until = once.until}};
}

Count count_of(ports::OneMore const& more, Instant now)
{
    ENSURE(more.window > 0s);
    auto const begins = now - now.time_since_epoch() % more.window;
    return {.table = Table::counter,
            .record = {.id = more.kind + '/' + crypto::base64url(more.key) + '/' + std::to_string(more.window.count()) +
                             '/' + std::to_string(numeric_date(begins)),
                       .kept_until = begins + more.window},
            .at_most = more.at_most};
}

/// What all ports share.
class Access {
public:
    Access(Engine& engine, Keyring& keyring) : engine{engine}, keyring{keyring} {}

    Engine& engine;
    Keyring& keyring;
    ValueCache cache{most_remembered_values};

    /// The record of a value with its body sealed, as it will be at `version`.
    template <class T>
    Record sealed(T const& value, std::int64_t version, SecretBytes const& key) const
    {
        auto record = Shape<T>::record(value, keyring);
        record.body = keyring.seal(key, name_of(Shape<T>::table), record.id, version, encode(value));
        return record;
    }

    /// A write of a value, which is remembered once it is durable.
    struct Change {
        Write write;
        Table table;
        std::string id;
        std::string owner;
        std::int64_t version; ///< as it is then
        std::shared_ptr<void const> value;
    };

    template <class T>
    Change insertion_under(T value, SecretBytes const& key)
    {
        auto record = sealed(value, 1, key);
        auto id = record.id;
        auto owner = record.owner;
        return {.write = Insert{.table = Shape<T>::table, .record = std::move(record)},
                .table = Shape<T>::table,
                .id = std::move(id),
                .owner = std::move(owner),
                .version = 1,
                .value = std::make_shared<T const>(std::move(value))};
    }

    template <class T>
    Flow<Change> insertion(T value)
    {
        auto const key = co_await keyring.key_of(Shape<T>::record(value, keyring).owner);
        co_return insertion_under(std::move(value), key);
    }

    template <class T>
    Flow<Change> update(Stored<T> stored)
    {
        auto const version = stored.version + 1;
        auto record = Shape<T>::record(stored.value, keyring);
        auto const key = co_await keyring.key_of(record.owner);
        record.body = keyring.seal(key, name_of(Shape<T>::table), record.id, version, encode(stored.value));
        record.version = stored.version;
        auto id = record.id;
        auto owner = record.owner;
        co_return Change{.write = Update{.table = Shape<T>::table, .record = std::move(record)},
                         .table = Shape<T>::table,
                         .id = std::move(id),
                         .owner = std::move(owner),
                         .version = version,
                         .value = std::make_shared<T const>(std::move(stored.value))};
    }

    template <class T>
    Flow<Stored<T>> opened(Record record)
    {
        if (auto const known = cache.find<T>(Shape<T>::table, record))
            co_return Stored<T>{.value = *known, .version = record.version};
        auto const key = co_await keyring.key_of(record.owner);
        auto const body = co_await Keyring::open(key, name_of(Shape<T>::table), record.id, record.version, record.body);
        auto value = co_await decode<T>(body.reveal());
        cache.remember(Shape<T>::table, record.id, record.version, record.owner, std::make_shared<T const>(value));
        co_return Stored<T>{.value = std::move(value), .version = record.version};
    }

    template <class T>
    Flow<std::vector<Stored<T>>> opened(std::vector<Record> records)
    {
        std::vector<Stored<T>> values;
        for (auto& record : records) {
            auto value = co_await opened<T>(std::move(record));
            values.push_back(std::move(value));
        }
        co_return values;
    }

    template <class T>
    Flow<std::optional<Stored<T>>> find(std::string id)
    {
        auto const table = Shape<T>::table;
        auto const known = cache.version_of(table, id);
        auto record = co_await engine.get(table, id, known);
        if (!record) {
            cache.forget(table, id);
            co_return std::optional<Stored<T>>{};
        }
        if (known == record->version) {
            if (auto const value = cache.find<T>(table, *record))
                co_return std::optional{Stored<T>{.value = *value, .version = record->version}};
            // It made room for others meanwhile, or is somebody else's by now.
            record = co_await engine.get(table, id);
            if (!record) co_return std::optional<Stored<T>>{};
        }
        co_return std::optional{co_await opened<T>(*std::move(record))};
    }

    template <class T>
    Flow<std::optional<Stored<T>>> find_by(Column const& column, Bytes value)
    {
        // An empty hash stands for "none open", and finds nothing.
        if (value.empty()) co_return std::optional<Stored<T>>{};
        auto id = co_await engine.find(column, value);
        if (!id) co_return std::optional<Stored<T>>{};
        auto found = co_await find<T>(*std::move(id));
        // Between the two looks it may have got another key.
        if (found && Shape<T>::record(found->value, keyring).keys.at(column.index) != value) found.reset();
        co_return found;
    }

    struct Done : Committed {
        bool was_used = false; ///< the conflict is that of `once`
    };

    /// Does all of it or nothing; what was written is remembered. `once` is used up by it, behind all others: where one
    /// of them stands in the way too, the conflict is that one's.
    Flow<Done> commit(std::vector<Write> writes, std::vector<Change> changes,
                      std::optional<ports::Once> once = std::nullopt)
    {
        for (auto& change : changes) writes.push_back(std::move(change.write));
        auto const use = writes.size();
        if (once) writes.emplace_back(use_of(*once, keyring));
        Done committed{co_await engine.commit(std::move(writes))};
        committed.was_used = committed.conflict && committed.conflict->write == use;
        if (committed.conflict) co_return committed;
        for (auto& change : changes)
            cache.remember(change.table, change.id, change.version, std::move(change.owner), std::move(change.value));
        co_return committed;
    }

    /// Changes, and writes of other kinds, in any order.
    template <class... W>
    Flow<void> commit_all(W... given)
    {
        std::vector<Write> writes;
        std::vector<Change> changes;
        auto const take = [&](auto&& each) {
            using Given = std::remove_cvref_t<decltype(each)>;
            if constexpr (std::is_same_v<Given, Change>) changes.push_back(std::forward<decltype(each)>(each));
            else if constexpr (std::is_same_v<Given, Line>) add(writes, std::forward<decltype(each)>(each));
            else writes.emplace_back(std::forward<decltype(each)>(each));
        };
        (take(std::move(given)), ...);
        return commit_or_conflict(std::move(writes), std::move(changes));
    }

    Flow<void> commit_or_conflict(std::vector<Write> writes, std::vector<Change> changes)
    {
        auto const committed = co_await commit(std::move(writes), std::move(changes));
        if (committed.conflict) co_return fail(Outcome::conflict, "somebody else was first");
        co_return {};
    }

    /// Whoever is over the limit already is refused without a write. Fails: too_many_requests.
    Flow<void> check_room(Count count)
    {
        if (!count.at_most) co_return {};
        auto const before = co_await engine.get(Table::counter, count.record.id);
        if (before && before->version >= *count.at_most) co_return fail(Outcome::too_many_requests);
        co_return {};
    }

    template <class T>
    Flow<void> save(Stored<T> stored)
    {
        auto write = co_await update(std::move(stored));
        co_await commit_all(std::move(write));
        co_return {};
    }

    /// A line of history as a line of the log, and the evidence that its hash is of.
    struct Line {
        Append append;
        std::optional<Insert> evidence;
    };
    static void add(std::vector<Write>& writes, Line line)
    {
        writes.emplace_back(std::move(line.append));
        if (line.evidence) writes.emplace_back(*std::move(line.evidence));
    }

    /// The same, under a key that is at hand.
    Line line(ports::HistoryEntry const& entry, Instant at, SecretBytes const& key)
    {
        HistoryBody const body{
            .event = entry.event,
            .client = entry.client,
            .detail = entry.detail,
            .record = entry.record.empty() ? Bytes{} : crypto::sha256(entry.record),
            .salt = keyring.random().bytes(salt_bytes),
        };
        auto const plain = encode(body);
        LogEntry line{
            .at = at,
            .kind = entry.event,
            .id = crypto::time_ordered_id(at, keyring.random()),
            .account = keyring.lookup("log_account", entry.account.text()),
            .content = crypto::sha256(plain),
            .owner = owner_of(entry.account),
        };
        line.body = keyring.seal(key, "log", line.id, 1, plain);
        std::optional<Insert> evidence;
        if (!entry.record.empty()) {
            auto const table = Table::evidence;
            Record record{.id = line.id, .owner = line.owner, .keys = {}, .state = {}};
            record.body = keyring.seal(key, name_of(table), record.id, 1, entry.record);
            evidence = Insert{.table = table, .record = std::move(record)};
        }
        return {.append = {.entry = std::move(line)}, .evidence = std::move(evidence)};
    }

    /// What is kept with a line of that account's history.
    Flow<std::optional<Bytes>> evidence(AccountId account, std::string line)
    {
        auto const found = co_await engine.get(Table::evidence, std::move(line));
        if (!found || found->owner != owner_of(account)) co_return std::optional<Bytes>{};
        auto const key = co_await keyring.key_of(found->owner);
        auto const plain =
            co_await Keyring::open(key, name_of(Table::evidence), found->id, found->version, found->body);
        co_return std::optional{plain.reveal()};
    }

    Flow<Line> line(ports::HistoryEntry entry)
    {
        auto const key = co_await keyring.key_of(owner_of(entry.account));
        co_return line(entry, entry.at, key);
    }
};

// ---- ports
// -----------------------------------------------------------------------------------------------------------

class Accounts final : public ports::Accounts {
public:
    explicit Accounts(Access& access) : access_{access} {}

    Flow<std::optional<Stored<account::Account>>> find(AccountId id) override
    {
        return access_.find<account::Account>(id.text());
    }

    Flow<std::optional<Stored<account::Account>>> find_by_phone_number(account::PhoneNumber number) override
    {
        return access_.find_by<account::Account>(columns::account_phone_number,
                                                 access_.keyring.lookup("phone_number", number.e164()));
    }

    Flow<std::optional<Stored<account::Account>>> find_by_national_number(std::string national_number) override
    {
        return access_.find_by<account::Account>(columns::account_national_number,
                                                 access_.keyring.lookup("national_number", national_number));
    }

    Flow<void> open(account::Account account, account::Device device, Bytes contract_pdf,
                    Stored<enrolment::Enrolment> enrolment, ports::HistoryEntry entry,
                    std::optional<ports::NumberLost> number_lost, std::optional<ports::Once> credential) override
    {
        auto owner = co_await access_.keyring.new_owner(owner_of(account.id), {});
        auto enrolment_update = co_await access_.update(std::move(enrolment));
        auto const national_number = account.person.national_number;
        std::vector<Write> writes;
        writes.emplace_back(std::move(owner.write));
        add_contract(writes, account, contract_pdf, owner.key);
        Access::add(writes, access_.line(entry, entry.at, owner.key));
        std::vector<Access::Change> changes;
        co_await add_loss(number_lost, writes, changes);
        auto const account_write = writes.size() + changes.size();
        changes.push_back(access_.insertion_under(std::move(account), owner.key));
        changes.push_back(access_.insertion_under(std::move(device), owner.key));
        changes.push_back(std::move(enrolment_update));
        auto const committed = co_await access_.commit(std::move(writes), std::move(changes), std::move(credential));
        if (!committed.conflict) co_return {};
        co_await check_credential(committed);
        if (committed.conflict->write == account_write && committed.conflict->key != nullptr) {
            auto const person = co_await find_by_national_number(national_number);
            if (person) co_return fail(Outcome::already_a_holder, "the same person has an account");
            co_return fail(Outcome::phone_number_taken, "another account has the number");
        }
        co_return fail(Outcome::conflict, "somebody else was first");
    }

    Flow<void> move(ports::AccountMove move) override
    {
        auto const owner = owner_of(move.account.value.id);
        auto const key = co_await access_.keyring.key_of(owner);
        std::vector<Write> writes;
        add_contract(writes, move.account.value, move.contract_pdf, key);
        Access::add(writes, access_.line(move.entry, move.entry.at, key));
        writes.emplace_back(RemoveAllOf{.table = Table::push_subscription, .owner = owner});
        std::vector<Access::Change> changes;
        // Who loses the number comes before who gets it.
        co_await add_loss(move.number_lost, writes, changes);
        auto account_update = co_await access_.update(std::move(move.account));
        changes.push_back(std::move(account_update));
        changes.push_back(access_.insertion_under(std::move(move.device), key));
        if (move.before) {
            auto before_update = co_await access_.update(*std::move(move.before));
            changes.push_back(std::move(before_update));
        }
        auto enrolment_update = co_await access_.update(std::move(move.enrolment));
        changes.push_back(std::move(enrolment_update));
        auto const committed =
            co_await access_.commit(std::move(writes), std::move(changes), std::move(move.credential));
        co_await check_credential(committed);
        co_await check_number(committed);
        co_return {};
    }

    Flow<void> undo_open(Stored<account::Account> account, Stored<account::Device> device,
                         Stored<enrolment::Enrolment> enrolment, ports::HistoryEntry entry) override
    {
        account.value.state = account::State::closed;
        return undo_move(std::move(account), std::move(device), std::move(enrolment), std::move(entry));
    }

    Flow<void> undo_move(Stored<account::Account> account, Stored<account::Device> device,
                         Stored<enrolment::Enrolment> enrolment, ports::HistoryEntry entry) override
    {
        account.value.device.reset();
        device.value.state = account::Device::State::unbound;
        std::vector<Write> writes;
        auto line = co_await access_.line(std::move(entry));
        Access::add(writes, std::move(line));
        writes.emplace_back(RemoveAllOf{.table = Table::push_subscription, .owner = owner_of(account.value.id)});
        std::vector<Access::Change> changes;
        auto account_update = co_await access_.update(std::move(account));
        changes.push_back(std::move(account_update));
        auto device_update = co_await access_.update(std::move(device));
        changes.push_back(std::move(device_update));
        auto enrolment_update = co_await access_.update(std::move(enrolment));
        changes.push_back(std::move(enrolment_update));
        auto const committed = co_await access_.commit(std::move(writes), std::move(changes));
        co_await check_number(committed);
        co_return {};
    }

    Flow<void> save(Stored<account::Account> account, ports::HistoryEntry entry) override
    {
        auto update = co_await access_.update(std::move(account));
        auto line = co_await access_.line(std::move(entry));
        co_await access_.commit_all(std::move(update), std::move(line));
        co_return {};
    }

private:
    /// Through a bank none was signed, and there is none to keep.
    void add_contract(std::vector<Write>& writes, account::Account const& account, Bytes const& pdf,
                      SecretBytes const& key) const
    {
        if (pdf.empty()) return;
        auto const id = account.contract.text();
        Record record{
            .id = id,
            .owner = owner_of(account.id),
            .keys = {},
            .state = {},
            .body = access_.keyring.seal(key, name_of(Table::contract), id, 1, pdf),
        };
        writes.emplace_back(Insert{.table = Table::contract, .record = std::move(record)});
    }

    /// The writes by which another account loses its number.
    Flow<void> add_loss(std::optional<ports::NumberLost>& lost, std::vector<Write>& writes,
                        std::vector<Access::Change>& changes)
    {
        if (!lost) co_return {};
        auto line = co_await access_.line(std::move(lost->entry));
        Access::add(writes, std::move(line));
        auto update = co_await access_.update(std::move(lost->account));
        changes.push_back(std::move(update));
        co_return {};
    }

    static Result<void> check_credential(Access::Done const& committed)
    {
        if (committed.was_used) return fail(Outcome::passkey_refused, "the credential is known already");
        return {};
    }

    /// Of an account that was there before, the number is all that another one can have.
    static Result<void> check_number(Committed const& committed)
    {
        if (!committed.conflict) return {};
        if (committed.conflict->key != nullptr)
            return fail(Outcome::phone_number_taken, "another account has the number");
        return fail(Outcome::conflict, "somebody else was first");
    }

    Access& access_;
};

class Devices final : public ports::Devices {
public:
    explicit Devices(Access& access) : access_{access} {}

    Flow<std::optional<Stored<account::Device>>> find(DeviceId id) override
    {
        return access_.find<account::Device>(id.text());
    }
    Flow<void> save(Stored<account::Device> device) override { return access_.save(std::move(device)); }
    Flow<void> save(Stored<account::Device> device, ports::HistoryEntry entry) override
    {
        auto update = co_await access_.update(std::move(device));
        auto line = co_await access_.line(std::move(entry));
        co_await access_.commit_all(std::move(update), std::move(line));
        co_return {};
    }
    Flow<bool> save(Stored<account::Device> device, ports::HistoryEntry entry, ports::Once once) override
    {
        std::vector<Access::Change> changes;
        auto update = co_await access_.update(std::move(device));
        changes.push_back(std::move(update));
        std::vector<Write> writes;
        auto line = co_await access_.line(std::move(entry));
        Access::add(writes, std::move(line));
        auto const committed = co_await access_.commit(std::move(writes), std::move(changes), std::move(once));
        if (!committed.conflict) co_return true;
        if (committed.was_used) co_return false;
        co_return fail(Outcome::conflict, "somebody else was first");
    }

private:
    Access& access_;
};

class PushSubscriptions final : public ports::PushSubscriptions {
public:
    explicit PushSubscriptions(Access& access) : access_{access} {}

    Flow<std::optional<Stored<account::PushSubscription>>> find(DeviceId device) override
    {
        return access_.find<account::PushSubscription>(device.text());
    }

    Flow<void> put(account::PushSubscription subscription) override
    {
        auto const before = co_await access_.engine.get(Table::push_subscription, subscription.device.text());
        if (before) {
            co_await access_.save(Stored<account::PushSubscription>{std::move(subscription), before->version});
            co_return {};
        }
        auto insert = co_await access_.insertion(std::move(subscription));
        co_await access_.commit_all(std::move(insert));
        co_return {};
    }

    Flow<void> save(Stored<account::PushSubscription> subscription) override
    {
        return access_.save(std::move(subscription));
    }

    Flow<void> turn_off(DeviceId device, Instant now) override
    {
        auto before = co_await find(std::move(device));
        if (!before) co_return {};
        // The record stays, so that its versions never begin anew.
        auto const& kept = before->value;
        account::PushSubscription const off{.device = kept.device,
                                            .account = kept.account,
                                            .state = account::PushSubscription::State::off,
                                            .language = kept.language,
                                            .since = now};
        co_await access_.save(ports::changed(*before, off));
        co_return {};
    }

private:
    Access& access_;
};

class Enrolments final : public ports::Enrolments {
public:
    explicit Enrolments(Access& access) : access_{access} {}

    Flow<void> add(enrolment::Enrolment enrolment) override
    {
        auto owner =
            co_await access_.keyring.new_owner(owner_of(enrolment.id), enrolment.expires_at + enrolment_grace + day);
        auto insert = access_.insertion_under(std::move(enrolment), owner.key);
        co_await access_.commit_all(std::move(owner.write), std::move(insert));
        co_return {};
    }

    Flow<std::optional<Stored<enrolment::Enrolment>>> find(EnrolmentId id) override
    {
        return access_.find<enrolment::Enrolment>(id.text());
    }
    Flow<std::optional<Stored<enrolment::Enrolment>>> find_by_browser(Bytes browser_hash) override
    {
        return access_.find_by<enrolment::Enrolment>(columns::enrolment_browser, std::move(browser_hash));
    }
    Flow<std::optional<Stored<enrolment::Enrolment>>> find_by_ticket(Bytes ticket_hash) override
    {
        return access_.find_by<enrolment::Enrolment>(columns::enrolment_ticket, std::move(ticket_hash));
    }
    Flow<std::optional<Stored<enrolment::Enrolment>>> find_by_reader_session(Bytes session_hash) override
    {
        return access_.find_by<enrolment::Enrolment>(columns::enrolment_reader_session, std::move(session_hash));
    }
    Flow<std::optional<Stored<enrolment::Enrolment>>> find_by_phone_session(Bytes session_hash) override
    {
        return access_.find_by<enrolment::Enrolment>(columns::enrolment_phone_session, std::move(session_hash));
    }

    Flow<std::vector<Stored<enrolment::Enrolment>>> waiting_for_phone(account::PhoneNumber number) override
    {
        using enrolment::State;
        Query query{
            .table = Table::enrolment,
            .column = &columns::enrolment_phone_number,
            .value = access_.keyring.lookup("phone_number", number.e164()),
            .states = {std::string{word(State::token)}, std::string{word(State::sms)}, std::string{word(State::code)}},
            .order = Query::Order::newest_first,
            .at_most = most_waiting_enrolments,
        };
        auto records = co_await access_.engine.list(std::move(query));
        co_return co_await access_.opened<enrolment::Enrolment>(std::move(records));
    }

    Flow<void> save(Stored<enrolment::Enrolment> enrolment) override { return access_.save(std::move(enrolment)); }

private:
    Access& access_;
};

class Contracts final : public ports::Contracts {
public:
    explicit Contracts(Access& access) : access_{access} {}

    Flow<std::optional<Bytes>> find(AccountId account, ContractId id) override
    {
        auto const record = co_await access_.engine.get(Table::contract, id.text());
        if (!record || record->owner != owner_of(account)) co_return std::optional<Bytes>{};
        auto const key = co_await access_.keyring.key_of(record->owner);
        auto const pdf =
            co_await Keyring::open(key, name_of(Table::contract), record->id, record->version, record->body);
        co_return std::optional{pdf.reveal()};
    }

private:
    Access& access_;
};

class Actions final : public ports::Actions {
public:
    explicit Actions(Access& access) : access_{access} {}

    Flow<void> start(action::Action action, Stored<grant::SignIn> sign_in) override
    {
        if (!action.account) {
            Day const today{action.created_at};
            co_await access_.keyring.key_made_for(today.owner(), today.key_kept_until());
        }
        auto insert = co_await access_.insertion(std::move(action));
        auto update = co_await access_.update(std::move(sign_in));
        co_await access_.commit_all(std::move(insert), std::move(update));
        co_return {};
    }

    Flow<Stored<action::NumberTrace>> trace_of(account::PhoneNumber number) override
    {
        auto const id = trace_id(number);
        auto const version = access_.cache.version_of(Table::number_trace, id);
        auto record = co_await access_.engine.get(Table::number_trace, id, version);
        if (!record) co_return Stored<action::NumberTrace>{};
        if (auto const known = access_.cache.find<action::NumberTrace>(Table::number_trace, *record))
            co_return Stored<action::NumberTrace>{.value = *known, .version = record->version};
        if (record->version == version) record = co_await access_.engine.get(Table::number_trace, id);
        if (!record) co_return Stored<action::NumberTrace>{};
        auto const key = co_await access_.keyring.key_made_for(std::string{owner_operator}, {});
        auto const body =
            co_await Keyring::open(key, name_of(Table::number_trace), record->id, record->version, record->body);
        auto trace = co_await decode<action::NumberTrace>(body.reveal());
        co_return Stored<action::NumberTrace>{.value = std::move(trace), .version = record->version};
    }

    Flow<bool> start_by_number(action::Action action, Stored<grant::SignIn> sign_in, account::PhoneNumber number,
                               Stored<action::NumberTrace> trace, std::optional<ActionId> oldest,
                               ports::OneMore counted) override
    {
        auto count = count_of(counted, action.created_at);
        co_await access_.check_room(count);
        Day const today{action.created_at};
        auto const day_key = co_await access_.keyring.key_made_for(today.owner(), today.key_kept_until());
        auto const key = co_await access_.keyring.key_made_for(std::string{owner_operator}, {});
        Record record{.id = trace_id(number),
                      .owner = std::string{owner_operator},
                      .keys = {},
                      .state = {},
                      .kept_until = action.created_at + trace_kept};
        record.body =
            access_.keyring.seal(key, name_of(Table::number_trace), record.id, trace.version + 1, encode(trace.value));
        record.version = trace.version;

        Access::Change traced{.write = Insert{.table = Table::number_trace, .record = record},
                              .table = Table::number_trace,
                              .id = record.id,
                              .owner = record.owner,
                              .version = trace.version + 1,
                              .value = std::make_shared<action::NumberTrace const>(std::move(trace.value))};
        if (trace.version != 0) traced.write = Update{.table = Table::number_trace, .record = std::move(record)};

        std::vector<Write> writes;
        writes.emplace_back(std::move(count));
        if (oldest) {
            auto room = co_await made_nobodys(*oldest, action.created_at, today, day_key);
            if (room) writes.emplace_back(*std::move(room));
        }
        auto insert = co_await access_.insertion(std::move(action));
        auto update = co_await access_.update(std::move(sign_in));
        auto const sign_in_write = writes.size() + 2;
        std::vector<Access::Change> changes;
        changes.push_back(std::move(traced));
        changes.push_back(std::move(insert));
        changes.push_back(std::move(update));
        auto const committed = co_await access_.commit(std::move(writes), std::move(changes));
        if (committed.conflict && committed.conflict->write == 0) co_return fail(Outcome::too_many_requests);
        if (committed.conflict && committed.conflict->write == sign_in_write)
            co_return fail(Outcome::conflict, "somebody else was first");
        co_return !committed.conflict.has_value();
    }

    Flow<std::optional<Stored<action::Action>>> find(ActionId id) override
    {
        return access_.find<action::Action>(id.text());
    }

    Flow<std::vector<Stored<action::Action>>> open_for(AccountId account, Instant now) override
    {
        using action::State;
        Query query{
            .table = Table::action,
            .column = &columns::action_open_of,
            .value = to_bytes(owner_of(account)),
            .states = open_words(), // a program of before knows nothing of the column
            .kept_after = now + action_grace,
            .order = Query::Order::newest_first,
            .at_most = most_open_actions,
        };
        auto records = co_await access_.engine.list(query);
        if (records.size() == most_open_actions) {
            // Whatever a stranger adds, these stay in sight.
            query.states = {std::string{waiting_first}, std::string{word(State::shown)},
                            std::string{word(State::returning)}};
            auto in_sight = co_await access_.engine.list(std::move(query));
            for (auto& record : in_sight)
                if (std::ranges::find(records, record.id, &Record::id) == records.end())
                    records.push_back(std::move(record));
        }
        co_return co_await access_.opened<action::Action>(std::move(records));
    }

    Flow<void> save(Stored<action::Action> action) override { return access_.save(std::move(action)); }

    Flow<std::vector<ActionId>> waiting(Instant now) override
    {
        Query query{
            .table = Table::action,
            .states = {std::string{word(action::State::waiting)}, std::string{waiting_first}},
            .kept_after = now + action_grace,
            .order = Query::Order::oldest_first,
            .at_most = most_waiting_actions,
        };
        auto const records = co_await access_.engine.list(std::move(query));
        std::vector<ActionId> ids;
        ids.reserve(records.size());
        for (auto const& record : records) ids.emplace_back(record.id);
        co_return ids;
    }

    Flow<std::vector<ActionId>> unanswered(std::optional<AccountId> account, Instant now) override
    {
        Query query{.table = Table::action,
                    .states = open_words(),
                    .kept_up_to = now + action_grace,
                    .at_most = most_unanswered_actions};
        if (account) query.owner = owner_of(*account);
        auto const ran_out = co_await access_.engine.list(query);
        query.states = {std::string{unanswered_state}};
        query.kept_up_to.reset();
        auto const ended = co_await access_.engine.list(std::move(query));
        std::vector<ActionId> ids;
        for (auto const* some : {&ran_out, &ended})
            for (auto const& record : *some)
                if (ids.size() < most_unanswered_actions) ids.emplace_back(record.id);
        co_return ids;
    }

    Flow<Bytes> record_of(action::Action action) override
    {
        if (action.evidence.empty() || !action.account) co_return std::move(action.record);
        auto kept = co_await access_.evidence(*action.account, std::move(action.evidence));
        if (!kept) co_return fail(Outcome::data_damaged, "the record of an action is gone");
        co_return *std::move(kept);
    }

    Flow<void> settle(Stored<action::Action> action, ports::HistoryEntry entry) override
    {
        action.value.owes_history = false;
        auto line = co_await access_.line(std::move(entry));
        leave_record_to(line, action.value);
        auto update = co_await access_.update(std::move(action));
        co_await access_.commit_all(std::move(update), std::move(line));
        co_return {};
    }

    using ports::Actions::decide;
    Flow<void> decide(Stored<action::Action> action, Stored<account::Device> device, ports::HistoryEntry entry,
                      std::optional<Stored<consent::Consent>> consent) override
    {
        action.value.owes_history = false;
        auto line = co_await access_.line(std::move(entry));
        leave_record_to(line, action.value);
        auto action_update = co_await access_.update(std::move(action));
        auto device_update = co_await access_.update(std::move(device));
        std::vector<Write> writes;
        Access::add(writes, std::move(line));
        std::vector<Access::Change> changes;
        changes.push_back(std::move(action_update));
        changes.push_back(std::move(device_update));
        if (consent && consent->version == 0) {
            auto insert = co_await access_.insertion(std::move(consent->value));
            changes.push_back(std::move(insert));
        } else if (consent) {
            auto update = co_await access_.update(*std::move(consent));
            changes.push_back(std::move(update));
        }
        co_await access_.commit_or_conflict(std::move(writes), std::move(changes));
        co_return {};
    }

private:
    /// The history keeps what was answered for good. A second copy would be most of what an ended action takes.
    static void leave_record_to(Access::Line const& line, action::Action& action)
    {
        if (action::is_undecided(action) || !line.evidence) return;
        action.evidence = line.append.entry.id;
        action.record.clear();
        action.shown.clear();
    }

    [[nodiscard]] std::string trace_id(account::PhoneNumber const& number) const
    {
        return crypto::base64url(access_.keyring.lookup("number_trace", number.e164()));
    }

    /// A request that nobody saw, as nobody's. The same is read and written where it is nobody's already (D7). One that
    /// ran out stays its holder's, who finds it in the history.
    Flow<std::optional<Update>> made_nobodys(ActionId id, Instant now, Day today, SecretBytes day_key)
    {
        auto record = co_await access_.engine.get(Table::action, id.text());
        if (!record || record->state != word(action::State::waiting)) co_return std::optional<Update>{};
        if (record->kept_until <= now + action_grace) co_return std::optional<Update>{};
        auto oldest = co_await access_.opened<action::Action>(*std::move(record));
        oldest.value.account.reset();
        oldest.value.device.reset();
        auto changed = Shape<action::Action>::record(oldest.value, access_.keyring);
        changed.owner = today.owner();
        changed.keys = {to_bytes(changed.owner)};
        changed.body =
            access_.keyring.seal(day_key, name_of(Table::action), changed.id, oldest.version + 1, encode(oldest.value));
        changed.version = oldest.version;
        co_return std::optional{Update{.table = Table::action, .record = std::move(changed)}};
    }

    Access& access_;
};

class Consents final : public ports::Consents {
public:
    explicit Consents(Access& access) : access_{access} {}

    Flow<std::optional<Stored<consent::Consent>>> find(AccountId account, ClientId client) override
    {
        return access_.find<consent::Consent>(Shape<consent::Consent>::id(account, client, access_.keyring));
    }

    Flow<std::vector<consent::Consent>> list(AccountId account) override
    {
        Query query{.table = Table::consent,
                    .owner = owner_of(account),
                    .order = Query::Order::newest_first,
                    .at_most = most_consents};
        auto records = co_await access_.engine.list(std::move(query));
        auto stored = co_await access_.opened<consent::Consent>(std::move(records));
        std::vector<consent::Consent> consents;
        for (auto& each : stored)
            if (!consent::is_withdrawn(each.value)) consents.push_back(std::move(each.value));
        co_return consents;
    }

    Flow<void> withdraw(Stored<consent::Consent> consent, ports::HistoryEntry entry) override
    {
        using State = grant::Grant::State;
        auto const client = consent.value.client;
        Query query{.table = Table::grant,
                    .owner = owner_of(consent.value.account),
                    .states = {std::string{word(State::issued)}, std::string{word(State::redeemed)}},
                    .at_most = most_grants};
        auto records = co_await access_.engine.list(std::move(query));
        auto grants = co_await access_.opened<grant::Grant>(std::move(records));
        // The row stays, with its version: a record of that name never begins anew.
        consent.value.shared.clear();
        consent.value.kept_back.clear();
        consent.value.at = entry.at;
        std::vector<Access::Change> changes;
        auto withdrawn = co_await access_.update(std::move(consent));
        changes.push_back(std::move(withdrawn));
        for (auto& grant : grants) {
            if (grant.value.client != client) continue;
            grant.value.state = State::revoked;
            auto revoked = co_await access_.update(std::move(grant));
            changes.push_back(std::move(revoked));
        }
        std::vector<Write> writes;
        auto line = co_await access_.line(std::move(entry));
        Access::add(writes, std::move(line));
        co_await access_.commit_or_conflict(std::move(writes), std::move(changes));
        co_return {};
    }

private:
    Access& access_;
};

class SignIns final : public ports::SignIns {
public:
    explicit SignIns(Access& access) : access_{access} {}

    Flow<void> add(grant::SignIn sign_in) override
    {
        auto insert = co_await insertion(std::move(sign_in));
        co_await access_.commit_all(std::move(insert));
        co_return {};
    }

    Flow<void> add(grant::SignIn sign_in, ports::OneMore counted) override
    {
        auto count = count_of(counted, sign_in.created_at);
        co_await access_.check_room(count);
        std::vector<Write> writes;
        writes.emplace_back(std::move(count));
        std::vector<Access::Change> changes;
        auto insert = co_await insertion(std::move(sign_in));
        changes.push_back(std::move(insert));
        auto const committed = co_await access_.commit(std::move(writes), std::move(changes));
        if (committed.conflict && committed.conflict->write == 0) co_return fail(Outcome::too_many_requests);
        if (committed.conflict) co_return fail(Outcome::conflict, "somebody else was first");
        co_return {};
    }

    Flow<std::optional<Stored<grant::SignIn>>> find(SignInId id) override
    {
        return access_.find<grant::SignIn>(id.text());
    }
    Flow<std::optional<Stored<grant::SignIn>>> find_by_short_code(std::string short_code) override
    {
        return access_.find_by<grant::SignIn>(columns::sign_in_short_code,
                                              access_.keyring.lookup("short_code", short_code));
    }
    Flow<void> save(Stored<grant::SignIn> sign_in) override { return access_.save(std::move(sign_in)); }

    Flow<void> finish(Stored<grant::SignIn> sign_in, grant::Grant grant) override
    {
        auto update = co_await access_.update(std::move(sign_in));
        auto insert = co_await access_.insertion(std::move(grant));
        co_await access_.commit_all(std::move(update), std::move(insert));
        co_return {};
    }

private:
    Flow<Access::Change> insertion(grant::SignIn sign_in)
    {
        Day const today{sign_in.created_at};
        auto const key = co_await access_.keyring.key_made_for(today.owner(), today.key_kept_until());
        co_return access_.insertion_under(std::move(sign_in), key);
    }

    Access& access_;
};

class Grants final : public ports::Grants {
public:
    explicit Grants(Access& access) : access_{access} {}

    Flow<std::optional<Stored<grant::Grant>>> find_by_code(Bytes code_hash) override
    {
        return access_.find_by<grant::Grant>(columns::grant_code, std::move(code_hash));
    }
    Flow<std::optional<Stored<grant::Grant>>> find_by_access_token(Bytes access_token_hash) override
    {
        return access_.find_by<grant::Grant>(columns::grant_access_token, std::move(access_token_hash));
    }
    Flow<void> save(Stored<grant::Grant> grant) override { return access_.save(std::move(grant)); }
    Flow<bool> save(Stored<grant::Grant> grant, ports::Once once) override
    {
        std::vector<Write> writes;
        writes.emplace_back(use_of(once, access_.keyring));
        std::vector<Access::Change> changes;
        auto update = co_await access_.update(std::move(grant));
        changes.push_back(std::move(update));
        auto const committed = co_await access_.commit(std::move(writes), std::move(changes));
        if (!committed.conflict) co_return true;
        if (committed.conflict->write == 0) co_return false;
        co_return fail(Outcome::conflict, "somebody else was first");
    }

private:
    Access& access_;
};

class Clients final : public ports::Clients {
public:
    explicit Clients(Access& access) : access_{access} {}

    Flow<std::optional<Stored<partner::Client>>> find(ClientId id) override
    {
        return access_.find<partner::Client>(id.text());
    }

    Flow<std::vector<partner::Client>> list() override
    {
        Query query{.table = Table::client, .at_most = most_clients};
        auto records = co_await access_.engine.list(std::move(query));
        auto stored = co_await access_.opened<partner::Client>(std::move(records));
        std::vector<partner::Client> clients;
        clients.reserve(stored.size());
        for (auto& each : stored) clients.push_back(std::move(each.value));
        co_return clients;
    }

    Flow<void> add(partner::Client client) override
    {
        co_await access_.keyring.key_made_for(std::string{owner_operator}, {});
        auto insert = co_await access_.insertion(std::move(client));
        co_await access_.commit_all(std::move(insert));
        co_return {};
    }

    Flow<void> save(Stored<partner::Client> client) override { return access_.save(std::move(client)); }

    Flow<void> remove(Stored<partner::Client> client) override
    {
        std::vector<Write> writes;
        writes.emplace_back(Remove{.table = Table::client, .id = client.value.id.text(), .version = client.version});
        co_await access_.commit_or_conflict(std::move(writes), {});
        co_return {};
    }

private:
    Access& access_;
};

class Nonces final : public ports::Nonces {
public:
    explicit Nonces(Access& access) : access_{access} {}

    using ports::Nonces::use;
    Flow<bool> use(ports::Once once) override
    {
        auto insert = use_of(once, access_.keyring);
        std::vector<Write> writes;
        writes.emplace_back(std::move(insert));
        auto const committed = co_await access_.engine.commit(std::move(writes));
        co_return !committed.conflict.has_value();
    }

private:
    Access& access_;
};

class Counters final : public ports::Counters {
public:
    explicit Counters(Access& access) : access_{access} {}

    Flow<int> add(std::string kind, Bytes key, Seconds window, Instant now) override
    {
        auto count = count_of({.kind = std::move(kind), .key = std::move(key), .window = window, .at_most = {}}, now);
        std::vector<Write> writes;
        writes.emplace_back(std::move(count));
        auto const committed = co_await access_.engine.commit(std::move(writes));
        ENSURE(committed.versions.size() == 1);
        co_return static_cast<int>(std::min<std::int64_t>(committed.versions.front(), std::numeric_limits<int>::max()));
    }

private:
    Access& access_;
};

class History final : public ports::History {
public:
    explicit History(Access& access) : access_{access} {}

    Flow<void> append(ports::HistoryEntry entry) override
    {
        auto line = co_await access_.line(std::move(entry));
        co_await access_.commit_all(std::move(line));
        co_return {};
    }

    Flow<std::vector<ports::HistoryEntry>> list(AccountId account, int at_most) override
    {
        ENSURE(at_most >= 0);
        auto const owner = owner_of(account);
        auto const lines = co_await access_.engine.log_of(owner, end_of_time, static_cast<std::size_t>(at_most));
        std::vector<ports::HistoryEntry> entries;
        if (lines.empty()) co_return entries;
        auto const key = co_await access_.keyring.key_of(owner);
        for (auto const& line : lines) {
            auto const plain = co_await Keyring::open(key, "log", line.id, 1, line.body);
            auto body = co_await decode<HistoryBody>(plain.reveal());
            entries.push_back({
                .account = account,
                .at = line.at,
                .event = std::move(body.event),
                .client = std::move(body.client),
                .detail = std::move(body.detail),
            });
        }
        co_return entries;
    }

    Flow<std::vector<ports::LogLine>> lines(AccountId account, std::int64_t before, int at_most) override
    {
        ENSURE(at_most >= 0);
        auto const owner = owner_of(account);
        auto const found = co_await access_.engine.log_of(owner, before, static_cast<std::size_t>(at_most));
        std::vector<ports::LogLine> lines;
        if (found.empty()) co_return lines;
        auto const key = co_await access_.keyring.key_of(owner);
        for (auto const& line : found) {
            auto const plain = co_await Keyring::open(key, "log", line.id, 1, line.body);
            lines.push_back({.sequence = line.sequence,
                             .at = line.at,
                             .kind = line.kind,
                             .id = line.id,
                             .account = line.account,
                             .content = line.content,
                             .previous = line.previous,
                             .body = plain.reveal()});
        }
        co_return lines;
    }

    Flow<std::optional<Bytes>> record(AccountId account, std::string entry) override
    {
        return access_.evidence(std::move(account), std::move(entry));
    }

private:
    static constexpr auto end_of_time = std::numeric_limits<std::int64_t>::max();

    Access& access_;
};

class Ledger final : public ports::Ledger {
public:
    explicit Ledger(Access& access) : access_{access} {}

    Flow<std::int64_t> size() override { return access_.engine.log_size(); }

    Flow<Bytes> root(std::int64_t size) override
    {
        if (size == 0) co_return crypto::merkle::empty_root();
        auto const hashes = co_await path({{.begin = 0, .end = size}});
        co_return hashes.front();
    }

    Flow<std::vector<Bytes>> inclusion(std::int64_t sequence, std::int64_t size) override
    {
        return path(crypto::merkle::inclusion_path(sequence - 1, size));
    }
    Flow<std::vector<Bytes>> consistency(std::int64_t first, std::int64_t second) override
    {
        return path(crypto::merkle::consistency_path(first, second));
    }

    Flow<std::optional<ports::SignedHead>> newest_head() override
    {
        auto const newest =
            co_await access_.engine.list({.table = Table::log_head, .order = Query::Order::newest_first, .at_most = 1});
        if (newest.empty()) co_return std::optional<ports::SignedHead>{};
        co_return std::optional{head_in(newest.front())};
    }

    Flow<ports::SignedHead> keep_head(ports::SignedHead head) override
    {
        Insert insert{.table = Table::log_head,
                      .record = {.id = std::to_string(head.size),
                                 .owner = std::string{owner_operator},
                                 .keys = {},
                                 .state = {},
                                 .body = to_bytes(head.jws)}};
        std::vector<Write> writes;
        writes.emplace_back(std::move(insert));
        auto const committed = co_await access_.engine.commit(std::move(writes));
        if (!committed.conflict) co_return head;
        auto const there = co_await access_.engine.get(Table::log_head, std::to_string(head.size));
        if (!there) co_return fail(Outcome::data_damaged, "the signed head is gone");
        co_return head_in(*there);
    }

private:
    static ports::SignedHead head_in(Record const& record)
    {
        return {.size = std::stoll(record.id), .jws = std::string{text_of(record.body)}};
    }

    /// The hashes of ranges, read at once.
    Flow<std::vector<Bytes>> path(std::vector<crypto::merkle::Range> ranges)
    {
        std::vector<crypto::merkle::Node> nodes;
        for (auto const& range : ranges) std::ranges::copy(crypto::merkle::nodes_of(range), std::back_inserter(nodes));
        auto const hashes = co_await access_.engine.log_hashes(std::move(nodes));
        std::vector<Bytes> path;
        auto left = std::span{hashes};
        for (auto const& range : ranges) {
            auto const count = crypto::merkle::nodes_of(range).size();
            path.push_back(crypto::merkle::hash_of(left.first(count)));
            left = left.subspan(count);
        }
        co_return path;
    }

    Access& access_;
};

} // namespace

struct Store::Ports {
    Ports(Engine& engine, Keys keys, crypto::Random& random, ReadKeys read_keys)
        : keyring{engine, std::move(keys), random, std::move(read_keys)},
          access{engine, keyring}
    {}

    Keyring keyring;
    Access access;
    Accounts accounts{access};
    Devices devices{access};
    PushSubscriptions push_subscriptions{access};
    Enrolments enrolments{access};
    Contracts contracts{access};
    Actions actions{access};
    SignIns sign_ins{access};
    Grants grants{access};
    Clients clients{access};
    Nonces nonces{access};
    Counters counters{access};
    Consents consents{access};
    History history{access};
    Ledger ledger{access};
};

Store::Store(Engine& engine, Keys keys, crypto::Random& random, ReadKeys read_keys)
    : ports_{std::make_unique<Ports>(engine, std::move(keys), random, std::move(read_keys))}
{}

Store::~Store() = default;

ports::Accounts& Store::accounts() { return ports_->accounts; }
ports::Devices& Store::devices() { return ports_->devices; }
ports::PushSubscriptions& Store::push_subscriptions() { return ports_->push_subscriptions; }
ports::Enrolments& Store::enrolments() { return ports_->enrolments; }
ports::Contracts& Store::contracts() { return ports_->contracts; }
ports::Actions& Store::actions() { return ports_->actions; }
ports::SignIns& Store::sign_ins() { return ports_->sign_ins; }
ports::Grants& Store::grants() { return ports_->grants; }
ports::Clients& Store::clients() { return ports_->clients; }
ports::Nonces& Store::nonces() { return ports_->nonces; }
ports::Counters& Store::counters() { return ports_->counters; }
ports::Consents& Store::consents() { return ports_->consents; }
ports::History& Store::history() { return ports_->history; }
ports::Ledger& Store::ledger() { return ports_->ledger; }

Flow<LogHead> Store::verify_log(crypto::PublicKey key, std::vector<std::string> heads)
{
    return store::verify_log(ports_->access.engine,
                             {.key = std::move(key), .heads = std::move(heads), .keyring = &ports_->keyring});
}

Flow<void> Store::erase(AccountId account, Instant now)
{
    auto& access = ports_->access;
    auto const found = co_await ports_->accounts.find(account);
    if (!found) co_return fail(Outcome::not_found, "no such account");
    auto const owner = owner_of(account);

    std::vector<Write> writes;
    auto line = co_await access.line(
        ports::HistoryEntry{.account = account, .at = now, .event = "erased", .client = {}, .detail = "{}"});
    Access::add(writes, std::move(line));
    for (auto const table : {Table::device, Table::contract, Table::action, Table::grant, Table::consent,
                             Table::push_subscription, Table::evidence})
        writes.emplace_back(RemoveAllOf{.table = table, .owner = owner});
    writes.emplace_back(Remove{.table = Table::account, .id = account.text(), .version = found->version});

    std::vector<std::string> owners{owner};
    if (auto const& number = found->value.phone_number; !number.empty()) {
        auto const enrolments =
            co_await access.engine.list({.table = Table::enrolment,
                                         .column = &columns::enrolment_phone_number,
                                         .value = access.keyring.lookup("phone_number", number.e164()),
                                         .at_most = all_of_one_number});
        for (auto const& one : enrolments) {
            writes.emplace_back(Remove{.table = Table::enrolment, .id = one.id, .version = one.version});
            owners.push_back(one.owner);
        }
    }
    for (auto const& each : owners)
        if (auto const key = co_await access.engine.get(Table::data_key, each))
            writes.emplace_back(Remove{.table = Table::data_key, .id = key->id, .version = key->version});

    auto const committed = co_await access.engine.commit(std::move(writes));
    if (committed.conflict) co_return fail(Outcome::conflict, "something of it changed at this moment");
    for (auto const& each : owners) access.keyring.forget(each);
    co_return {};
}

Flow<std::size_t> Store::rewrap_some_keys() { return ports_->keyring.rewrap_some(); }

Flow<std::size_t> Store::sweep(Instant now) { return ports_->access.engine.sweep(now, swept_at_once); }

} // namespace symbolon::store

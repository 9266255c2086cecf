#include "vault/judge.hpp"

#include "base/ensure.hpp"
#include "crypto/aead.hpp"
#include "crypto/hash.hpp"
#include "crypto/seal.hpp"
#include "vault/statement.hpp"

#include <sqlite3.h>

#include <set>
#include <string>

namespace symbolon::vault {

namespace {

constexpr int all_tries = 3;                 // design.md §10
constexpr std::size_t public_key_bytes = 32; // Ed25519
constexpr std::size_t signature_bytes = 64;
constexpr Seconds grants_kept = 1h; // far longer than an action lives; wrong answers too
constexpr auto eddsa = crypto::SignatureAlgorithm::eddsa;

constexpr char const* schema = R"(
    create table if not exists code(
        account text primary key,
        device text not null,
        version integer not null,
        sealed_key blob,              -- null: forgotten for good
        tries_left integer not null check (tries_left between 0 and 3)) strict, without rowid;
    create table if not exists granted(
        action text primary key,
        message_hash blob not null,
        signed blob not null,
        at integer not null) strict, without rowid;
    create index if not exists granted_at on granted(at);
    create table if not exists wrong(
        account text not null,
        answer_hash blob not null,
        at integer not null,
        primary key(account, answer_hash)) strict, without rowid;
    create index if not exists wrong_at on wrong(at);
    create table if not exists replaced(
        account text not null,
        device text not null,
        version integer not null,
        reason text not null,
        permit blob not null,
        at integer not null,
        move integer not null default 0) strict;
    create index if not exists replaced_account on replaced(account);
)";

/// What files of before lack. A vault of before opens the file as well: it names the columns that it writes.
constexpr char const* has_moves = "select 1 from pragma_table_info('replaced') where name = 'move'";
constexpr char const* add_moves = "alter table replaced add column move integer not null default 0";

struct CloseDatabase {
    void operator()(sqlite3* database) const { sqlite3_close(database); }
};
struct FinalizeStatement {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

/// The database does not do what it must. Caught in Judge, where it becomes store_failed.
struct DatabaseError {
    std::string message;
};

/// A prepared statement, and its values and columns by position.
class Query {
public:
    Query() = default;
    Query(sqlite3* database, char const* text)
    {
        sqlite3_stmt* raw = nullptr;
        if (sqlite3_prepare_v3(database, text, -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr) != SQLITE_OK)
            throw DatabaseError{sqlite3_errmsg(database)};
        statement_.reset(raw);
    }

    Query& bind(int at, std::string_view text)
    {
        ok(sqlite3_bind_text(statement_.get(), at, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT));
        return *this;
    }
    Query& bind(int at, ByteView bytes)
    {
        ok(sqlite3_bind_blob(statement_.get(), at, bytes.data(), static_cast<int>(bytes.size()), SQLITE_TRANSIENT));
        return *this;
    }
    Query& bind(int at, std::int64_t number)
    {
        ok(sqlite3_bind_int64(statement_.get(), at, number));
        return *this;
    }

    /// Whether there is a (next) row.
    bool row()
    {
        auto const result = sqlite3_step(statement_.get());
        if (result == SQLITE_ROW) return true;
        sqlite3_reset(statement_.get());
        if (result != SQLITE_DONE) throw DatabaseError{sqlite3_errstr(result)};
        return false;
    }
    void run()
    {
        while (row()) {}
    }
    /// After the rows that are of interest.
    void done() { sqlite3_reset(statement_.get()); }

    [[nodiscard]] std::int64_t number(int column) const { return sqlite3_column_int64(statement_.get(), column); }
    [[nodiscard]] bool is_null(int column) const
    {
        return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
    }
    [[nodiscard]] Bytes bytes(int column) const
    {
        auto const* data = static_cast<Byte const*>(sqlite3_column_blob(statement_.get(), column));
        return {data, data + sqlite3_column_bytes(statement_.get(), column)};
    }
    [[nodiscard]] std::string text(int column) const { return string_of(bytes(column)); }

private:
    static void ok(int result)
    {
        if (result != SQLITE_OK) throw DatabaseError{sqlite3_errstr(result)};
    }
    std::unique_ptr<sqlite3_stmt, FinalizeStatement> statement_;
};

void execute(sqlite3* database, char const* text)
{
    if (sqlite3_exec(database, text, nullptr, nullptr, nullptr) != SQLITE_OK)
        throw DatabaseError{sqlite3_errmsg(database)};
}

/// Commits when told so, else takes everything back.
class Transaction {
public:
    explicit Transaction(sqlite3* database) : database_{database} { execute(database_, "begin immediate"); }
    Transaction(Transaction const&) = delete;
    Transaction& operator=(Transaction const&) = delete;
    ~Transaction()
    {
        if (open_) sqlite3_exec(database_, "rollback", nullptr, nullptr, nullptr);
    }
    void commit()
    {
        execute(database_, "commit");
        open_ = false;
    }

private:
    sqlite3* database_;
    bool open_ = true;
};

Reply failed(Outcome outcome)
{
    Reply reply;
    reply.outcome = outcome;
    return reply;
}

/// Where a code key is kept: it can be opened nowhere else.
Bytes place_of(AccountId const& account, DeviceId const& device, std::int64_t version)
{
    auto const text = std::to_string(version);
    return statement("symbolon-vault-code-v1", {bytes_of(account.text()), bytes_of(device.text()), bytes_of(text)});
}

Result<crypto::PublicKey> ed25519_at(ByteView raw)
{
    static constexpr std::array<Byte, 12> prefix{0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                                 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00}; // RFC 8410 §4
    Bytes der{prefix.begin(), prefix.end()};
    append(der, raw);
    return crypto::PublicKey::from_der(der);
}

/// What stands between the two commits of a judged code.
struct Taken {
    std::int64_t version = 0;
    Bytes sealed_key;
    int tries_left = 0;
    Bytes granted; ///< an earlier grant for the same message: its answer was lost
    Bytes answer_hash;
};

/// These very bytes: message and sealed proof, for one action on one phone.
Bytes hash_of(JudgeCode const& request)
{
    return crypto::sha256(
        statement("symbolon-vault-answer-v1",
                  {bytes_of(request.device.text()), bytes_of(request.action.text()), request.message, request.proof}));
}

AccountId const* account_of(Request const& request)
{
    return std::visit(
        [](auto const& one) -> AccountId const* {
            if constexpr (requires { one.account; }) return &one.account;
            else return nullptr;
        },
        request);
}

} // namespace

struct Judge::State {
    Keys keys;
    crypto::Random& random;
    Hooks hooks;
    std::unique_ptr<sqlite3, CloseDatabase> database;
    Query find, take_try, restore_tries, add, replace, note_replacement, forget, find_grant, keep_grant, prune;
    Query find_replacement, find_last_move;
    Query find_wrong, keep_wrong, prune_wrong, forget_wrong;
    Bytes seal_point;
    Bytes grant_key;

    Reply answer_keys() const
    {
        Reply reply;
        reply.seal_point = seal_point;
        reply.grant_key = grant_key;
        return reply;
    }

    /// The code key of a registration, once it has shown that it can sign.
    Result<Bytes> code_key_in(RegisterCode const& request) const
    {
        auto const signed_bytes = code_key_statement(request.nonce, request.device, request.code_version);
        auto const opened = TRY(crypto::open_seal(keys.seal, request.sealed_code_key, signed_bytes));
        ByteView const content = opened.reveal();
        if (content.size() != public_key_bytes + signature_bytes) return fail(Outcome::proof_malformed);
        auto const raw = content.first(public_key_bytes);
        auto const key = ed25519_at(raw);
        if (!key || !key->verifies(eddsa, signed_bytes, content.subspan(public_key_bytes)))
            return fail(Outcome::proof_malformed);
        return Bytes{raw.begin(), raw.end()};
    }

    Reply answer_register(RegisterCode const& request, Instant now)
    {
        auto const key = code_key_in(request);
        if (!key) return failed(key.error().outcome);
        auto const sealed = crypto::seal_with_key(
            keys.kek, *key, place_of(request.account, request.device, request.code_version), random);

        if (request.permit.empty()) {
            add.bind(1, request.account.text()).bind(2, request.device.text()).bind(3, request.code_version);
            auto const added = add.bind(4, sealed).row();
            add.done();
            return added ? Reply{} : failed(Outcome::conflict);
        }
        if (!keys.permits.verifies(eddsa,
                                   permit_statement(request.account, request.device, request.code_version,
                                                    request.reason, request.nonce, request.move),
                                   request.permit))
            return failed(Outcome::conflict);
        // A permit counts once: the same again is a repetition whose answer got lost, and gives neither tries nor a
        // key.
        auto const used = find_replacement.bind(1, request.account.text()).bind(2, request.permit).row();
        find_replacement.done();
        if (used) return Reply{};
        // One that lay about on its way here until the account had gone on to another phone comes too late.
        auto const last = find_last_move.bind(1, request.account.text()).row() ? find_last_move.number(0) : 0;
        find_last_move.done();
        if (last > 0 && request.move <= last) return failed(Outcome::moved_meanwhile);
        replace.bind(1, request.account.text()).bind(2, request.device.text()).bind(3, request.code_version);
        replace.bind(4, sealed).run();
        note_replacement.bind(1, request.account.text()).bind(2, request.device.text());
        note_replacement.bind(3, request.code_version).bind(4, request.reason).bind(5, request.permit);
        note_replacement.bind(6, numeric_date(now)).bind(7, request.move).run();
        forget_wrong.bind(1, request.account.text()).run();
        return Reply{};
    }

    Reply answer_tries(AskTries const& request)
    {
        Reply reply;
        if (find.bind(1, request.account.text()).row() && !find.is_null(2))
            reply.tries_left = static_cast<int>(find.number(3));
        else reply.outcome = Outcome::device_unknown;
        find.done();
        return reply;
    }

    /// The reply to an answer that was found wrong before, and comes again because what was said to it got lost. It
    /// tells nothing new, so it takes no try: or one slip on a bad network would use up all three.
    std::optional<Reply> repeated(JudgeCode const& request, Bytes const& answer_hash, Instant now)
    {
        find_wrong.bind(1, request.account.text()).bind(2, answer_hash).bind(3, numeric_date(now - grants_kept));
        auto const known = find_wrong.row();
        find_wrong.done();
        if (!known) return std::nullopt;
        return answer_tries(AskTries{request.account});
    }

    /// The first half of a judgement: one try less, if there is one.
    std::expected<Taken, Outcome> take(JudgeCode const& request, Bytes answer_hash)
    {
        Taken taken;
        taken.answer_hash = std::move(answer_hash);
        if (find_grant.bind(1, request.action.text()).row()) {
            auto const same = find_grant.bytes(0) == crypto::sha256(request.message);
            taken.granted = find_grant.bytes(1);
            find_grant.done();
            if (!same) return std::unexpected{Outcome::action_closed};
        }
        auto const took = take_try.bind(1, request.account.text()).bind(2, request.device.text()).row();
        if (took) {
            taken.version = take_try.number(0);
            taken.sealed_key = take_try.bytes(1);
            taken.tries_left = static_cast<int>(take_try.number(2));
        }
        take_try.done();
        if (took) return taken;

        auto const known =
            find.bind(1, request.account.text()).row() && !find.is_null(2) && find.text(0) == request.device.text();
        find.done();
        return std::unexpected{known ? Outcome::code_blocked : Outcome::device_unknown};
    }

    /// Whether the proof is the code key's over the message. Nothing is written.
    bool is_right(JudgeCode const& request, Taken const& taken) const
    {
        auto const raw =
            crypto::open_with_key(keys.kek, taken.sealed_key, place_of(request.account, request.device, taken.version));
        if (!raw) return false;
        auto const key = ed25519_at(raw->reveal());
        auto const signature =
            crypto::open_seal(keys.seal, request.proof,
                              code_proof_context(request.action, request.device, static_cast<int>(taken.version)));
        return key && signature && key->verifies(eddsa, request.message, signature->reveal());
    }

    /// The second half of a right code: all tries again, and the grant.
    Reply grant(JudgeCode const& request, Taken const& taken, Instant now)
    {
        Reply reply;
        reply.right = true;
        reply.tries_left = all_tries;
        reply.grant = taken.granted;
        restore_tries.bind(1, request.account.text()).run();
        if (!reply.grant.empty()) return reply;

        auto const hash = crypto::sha256(request.message);
        reply.grant = grant_statement(request.account, request.device, static_cast<int>(taken.version), request.action,
                                      hash, now);
        append(reply.grant, keys.grants.sign(eddsa, reply.grant));
        keep_grant.bind(1, request.action.text()).bind(2, hash).bind(3, reply.grant);
        keep_grant.bind(4, numeric_date(now)).run();
        return reply;
    }

    /// Answers requests of different accounts.
    void answer_batch(std::span<Request const> requests, std::span<std::size_t const> which,
                      std::vector<Reply>& replies, Instant now)
    {
        std::vector<std::pair<std::size_t, Taken>> judged;
        {
            Transaction transaction{database.get()};
            for (auto const at : which) {
                auto const& request = requests[at];
                if (auto const* asked = std::get_if<RegisterCode>(&request)) {
                    replies[at] = answer_register(*asked, now);
                } else if (auto const* forgotten = std::get_if<ForgetCode>(&request)) {
                    forget.bind(1, forgotten->account.text()).run();
                    forget_wrong.bind(1, forgotten->account.text()).run();
                } else if (auto const* tries = std::get_if<AskTries>(&request)) {
                    replies[at] = answer_tries(*tries);
                } else if (auto const* code = std::get_if<JudgeCode>(&request)) {
                    auto hash = hash_of(*code);
                    if (auto again = repeated(*code, hash, now)) {
                        replies[at] = *std::move(again);
                        continue;
                    }
                    auto taken = take(*code, std::move(hash));
                    if (taken) judged.emplace_back(at, *std::move(taken));
                    else replies[at] = failed(taken.error());
                } else {
                    replies[at] = answer_keys();
                }
            }
            prune.bind(1, numeric_date(now - grants_kept)).run();
            prune_wrong.bind(1, numeric_date(now - grants_kept)).run();
            transaction.commit();
        }
        if (judged.empty()) return;
        if (hooks.counted) hooks.counted();

        Transaction transaction{database.get()};
        for (auto const& [at, taken] : judged) {
            auto const& request = std::get<JudgeCode>(requests[at]);
            if (is_right(request, taken)) {
                replies[at] = grant(request, taken, now);
                continue;
            }
            replies[at].tries_left = taken.tries_left;
            keep_wrong.bind(1, request.account.text()).bind(2, taken.answer_hash).bind(3, numeric_date(now)).run();
        }
        transaction.commit();
    }
};

Judge::Judge(std::unique_ptr<State> state) : state_{std::move(state)} {}
Judge::Judge(Judge&& other) noexcept = default;
Judge& Judge::operator=(Judge&& other) noexcept = default;
Judge::~Judge() = default;

Result<Judge> Judge::open(std::filesystem::path const& path, Keys keys, crypto::Random& random, Hooks hooks)
{
    sqlite3* raw = nullptr;
    auto const opened =
        sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
    std::unique_ptr<sqlite3, CloseDatabase> database{raw};
    if (opened != SQLITE_OK) return fail(Outcome::store_failed, "can't open " + path.string());
    sqlite3_extended_result_codes(raw, 1);

    try {
        execute(raw, "pragma journal_mode = wal; pragma synchronous = full; pragma locking_mode = exclusive;"
                     "pragma trusted_schema = off; pragma secure_delete = on");
        execute(raw, schema);
        if (!Query{raw, has_moves}.row()) execute(raw, add_moves);
        auto state =
            std::make_unique<State>(State{.keys = std::move(keys), .random = random, .hooks = std::move(hooks)});
        state->find = {raw, "select device, version, sealed_key, tries_left from code where account = ?1"};
        // The one statement that counts: parallel or crashed calls can't gain a try.
        state->take_try = {raw, "update code set tries_left = tries_left - 1 where account = ?1 and device = ?2 "
                                "and tries_left > 0 and sealed_key is not null "
                                "returning version, sealed_key, tries_left"};
        state->restore_tries = {raw, "update code set tries_left = 3 where account = ?1"};
        state->add = {raw,
                      "insert into code(account, device, version, sealed_key, tries_left) values(?1, ?2, ?3, ?4, 3) "
                      "on conflict do nothing returning 1"};
        state->replace = {raw, "insert into code(account, device, version, sealed_key, tries_left) "
                               "values(?1, ?2, ?3, ?4, 3) on conflict do update set device = ?2, version = ?3, "
                               "sealed_key = ?4, tries_left = 3"};
        state->note_replacement = {raw, "insert into replaced(account, device, version, reason, permit, at, move) "
                                        "values(?1, ?2, ?3, ?4, ?5, ?6, ?7)"};
        state->find_replacement = {raw, "select 1 from replaced where account = ?1 and permit = ?2"};
        state->find_last_move = {raw, "select max(move) from replaced where account = ?1"};
        state->forget = {raw, "update code set sealed_key = null, tries_left = 0 where account = ?1"};
        state->find_grant = {raw, "select message_hash, signed from granted where action = ?1"};
        state->keep_grant = {raw, "insert into granted(action, message_hash, signed, at) values(?1, ?2, ?3, ?4)"};
        state->prune = {raw, "delete from granted where at < ?1"};
        state->find_wrong = {raw, "select 1 from wrong where account = ?1 and answer_hash = ?2 and at > ?3"};
        state->keep_wrong = {raw, "insert into wrong(account, answer_hash, at) values(?1, ?2, ?3) "
                                  "on conflict do update set at = ?3"};
        state->prune_wrong = {raw, "delete from wrong where at < ?1"};
        state->forget_wrong = {raw, "delete from wrong where account = ?1"};
        state->database = std::move(database);

        auto const der = state->keys.seal.public_key().der(); // RFC 5480 §2: the point is what stands last
        ENSURE(der.size() > 65 && der[der.size() - 65] == 4);
        state->seal_point = {der.end() - 65, der.end()};
        state->grant_key = state->keys.grants.public_key().der();
        return Judge{std::move(state)};
    } catch (DatabaseError const& error) {
        return fail(Outcome::store_failed, path.string() + ": " + error.message);
    }
}

std::vector<Reply> Judge::answer(std::span<Request const> requests, Instant now)
{
    std::vector<Reply> replies(requests.size());
    std::vector<std::size_t> waiting(requests.size());
    for (std::size_t at = 0; at < waiting.size(); ++at) waiting[at] = at;

    while (!waiting.empty()) {
        std::set<AccountId> accounts;
        std::vector<std::size_t> batch;
        std::vector<std::size_t> later;
        for (auto const at : waiting) {
            auto const* account = account_of(requests[at]);
            auto const first = account == nullptr || accounts.insert(*account).second;
            (first ? batch : later).push_back(at);
        }
        try {
            state_->answer_batch(requests, batch, replies, now);
        } catch (DatabaseError const&) {
            // What was counted stays counted; nobody is told of a success that is not on disk.
            for (auto const at : batch) replies[at] = failed(Outcome::store_failed);
        }
        waiting = std::move(later);
    }
    return replies;
}

} // namespace symbolon::vault

#include "store/sqlite/sqlite_engine.hpp"

#include "base/executor.hpp"
#include "store/log.hpp"
#include "store/sqlite/migrations.hpp"
#include "store/sqlite/row_memory.hpp"

#include <sqlite3.h>

#include <condition_variable>
#include <csignal>
#include <deque>
#include <future>
#include <limits>
#include <mutex>
#include <thread>

namespace symbolon::store {

using sqlite::Connection;
using sqlite::RowMemory;
using sqlite::Statement;

namespace {

constexpr std::array all_tables{
    Table::data_key,          Table::account,      Table::device,  Table::contract, Table::enrolment, Table::action,
    Table::sign_in,           Table::grant,        Table::client,  Table::nonce,    Table::counter,   Table::log_head,
    Table::push_subscription, Table::number_trace, Table::consent, Table::evidence};

// ---- SQL, made once for each table -------------------------------------------------------------------------------

struct Sql {
    std::string columns; ///< "id, version, owner, state, kept_until, body, key …"
    std::string insert;
    std::string update;
    std::string remove;
    std::string remove_all_of;
    std::string count;
    std::string get;
    std::string sweep;
};

Sql make_sql(Table table)
{
    auto const name = std::string{name_of(table)};
    Sql sql;
    sql.columns = "id, version, owner, state, kept_until, body";
    std::string places = "?, ?, ?, ?, ?, ?";
    std::string assignments = "version = version + 1, owner = ?, state = ?, kept_until = ?, body = ?";
    for (auto const& column : columns_of(table)) {
        sql.columns += ", " + std::string{column.name};
        places += ", ?";
        assignments += ", " + std::string{column.name} + " = ?";
    }
    // A row that is there already, or has another's unique key, is no error here but zero rows changed.
    sql.insert = "INSERT INTO " + name + " (" + sql.columns + ") VALUES (" + places + ") ON CONFLICT DO NOTHING";
    sql.update = "UPDATE OR IGNORE " + name + " SET " + assignments + " WHERE id = ? AND version = ?";
    sql.remove = "DELETE FROM " + name + " WHERE id = ? AND version = ?";
    sql.remove_all_of = "DELETE FROM " + name + " WHERE owner = ?";
    sql.count = "INSERT INTO " + name + " (" + sql.columns + ") VALUES (" + places +
                ") ON CONFLICT (id) DO UPDATE SET version = version + 1 WHERE version < ? RETURNING version";
    sql.get = "SELECT " + sql.columns + " FROM " + name + " WHERE id = ?";
    sql.sweep = "DELETE FROM " + name + " WHERE rowid IN (SELECT rowid FROM " + name +
                " WHERE kept_until <= ? ORDER BY kept_until LIMIT ?)";
    return sql;
}

Sql const& sql_of(Table table)
{
    static auto const all = [] {
        std::map<Table, Sql> made;
        for (auto const each : all_tables) made[each] = make_sql(each);
        return made;
    }();
    return all.at(table);
}

constexpr std::string_view log_columns =
    "sequence, at, kind, id, account, content, previous, hash, owner, body, subtrees";

// ---- rows -----------------------------------------------------------------------------------------------------------

constexpr int version_place = 1;

/// All but the body.
Record members_in(Statement const& row, Table table)
{
    Record record{
        .id = row.text(0),
        .version = row.number(version_place),
        .owner = row.text(2),
        .keys = {},
        .state = row.text(3),
        .kept_until = row.is_null(4) ? std::nullopt : std::optional{instant_of(row.number(4))},
        .body = {},
    };
    int place = 6;
    for (std::size_t i = 0; i < columns_of(table).size(); ++i, ++place)
        record.keys.push_back(row.is_null(place) ? std::nullopt : std::optional{row.blob(place)});
    return record;
}

/// What the memory of rows keeps.
std::optional<Record> without_body(std::optional<Record> const& record)
{
    if (!record) return std::nullopt;
    return Record{.id = record->id,
                  .version = record->version,
                  .owner = record->owner,
                  .keys = record->keys,
                  .state = record->state,
                  .kept_until = record->kept_until,
                  .body = {}};
}

Record record_in(Statement const& row, Table table)
{
    auto record = members_in(row, table);
    record.body = row.blob(5);
    return record;
}

LogEntry entry_in(Statement const& row)
{
    return {
        .sequence = row.number(0),
        .at = instant_of(row.number(1)),
        .kind = row.text(2),
        .id = row.text(3),
        .account = row.blob(4),
        .content = row.blob(5),
        .previous = row.blob(6),
        .hash = row.blob(7),
        .owner = row.text(8),
        .body = row.blob(9),
        .subtrees = row.blob(10),
    };
}

/// The hashes of an entry of the log. Throws Error when there is none.
LogHashes hashes_at(Connection& connection, std::int64_t sequence)
{
    auto statement = connection.prepared("SELECT hash, subtrees FROM log_entry WHERE sequence = ?");
    if (!statement.bind(sequence).step())
        throw sqlite::Error{SQLITE_CORRUPT, "entry " + std::to_string(sequence) + " of the log is missing"};
    return {.hash = statement.blob(0), .subtrees = statement.blob(1)};
}

/// The number of entries, and the hash of the last one.
std::pair<std::int64_t, Bytes> end_of_log(Connection& connection)
{
    auto statement = connection.prepared("SELECT sequence, hash FROM log_entry ORDER BY sequence DESC LIMIT 1");
    if (!statement.step()) return {0, {}};
    return {statement.number(0), statement.blob(1)};
}

void bind_members(Statement& statement, Record const& record)
{
    statement.bind(std::string_view{record.owner}).bind(std::string_view{record.state});
    if (record.kept_until) {
        statement.bind(numeric_date(*record.kept_until));
    } else {
        statement.bind_null();
    }
    statement.bind(ByteView{record.body});
}

void bind_keys(Statement& statement, Record const& record)
{
    for (auto const& key : record.keys) {
        if (key) {
            statement.bind(ByteView{*key});
        } else {
            statement.bind_null();
        }
    }
}

void bind_whole(Statement& statement, Record const& record, std::int64_t version)
{
    statement.bind(std::string_view{record.id}).bind(version);
    bind_members(statement, record);
    bind_keys(statement, record);
}

std::int64_t bounded(std::size_t number)
{
    return static_cast<std::int64_t>(
        std::min(number, static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())));
}

// ---- writes ---------------------------------------------------------------------------------------------------------

/// Runs the writes of one batch, until one's condition does not hold.
class Batch {
public:
    explicit Batch(Connection& connection) : connection_{connection} {}

    Committed run(std::vector<Write>& writes)
    {
        Committed result;
        for (std::size_t place = 0; place < writes.size(); ++place) {
            auto const done = std::visit([&](auto& write) { return (*this)(write); }, writes[place]);
            if (!done) {
                result.versions.clear();
                auto const* key = std::visit([&](auto const& write) { return taken_key(write); }, writes[place]);
                result.conflict = Conflict{.write = place, .key = key};
                return result;
            }
            result.versions.push_back(*done);
        }
        return result;
    }

private:
    std::optional<std::int64_t> operator()(Insert const& write)
    {
        ENSURE(write.record.keys.size() == columns_of(write.table).size());
        auto statement = connection_.prepared(sql_of(write.table).insert);
        bind_whole(statement, write.record, 1);
        statement.step();
        if (connection_.changes() == 0) return std::nullopt;
        return 1;
    }

    std::optional<std::int64_t> operator()(Update const& write)
    {
        ENSURE(write.record.keys.size() == columns_of(write.table).size());
        auto statement = connection_.prepared(sql_of(write.table).update);
        bind_members(statement, write.record);
        bind_keys(statement, write.record);
        statement.bind(std::string_view{write.record.id}).bind(write.record.version).step();
        if (connection_.changes() == 0) return std::nullopt;
        return write.record.version + 1;
    }

    std::optional<std::int64_t> operator()(Remove const& write)
    {
        connection_.prepared(sql_of(write.table).remove).bind(std::string_view{write.id}).bind(write.version).step();
        if (connection_.changes() == 0) return std::nullopt;
        return 0;
    }

    std::optional<std::int64_t> operator()(Count const& write)
    {
        auto const most = write.at_most.value_or(std::numeric_limits<std::int64_t>::max());
        if (most < 1) return std::nullopt;
        auto statement = connection_.prepared(sql_of(write.table).count);
        bind_whole(statement, write.record, 1);
        if (!statement.bind(most).step()) return std::nullopt;
        auto const version = statement.number(0);
        statement.step();
        return version;
    }

    std::optional<std::int64_t> operator()(RemoveAllOf const& write)
    {
        connection_.prepared(sql_of(write.table).remove_all_of).bind(std::string_view{write.owner}).step();
        return 0;
    }

    std::optional<std::int64_t> operator()(Append& write)
    {
        static std::string const insert =
            "INSERT INTO log_entry (" + std::string{log_columns} + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        auto& entry = write.entry;
        auto [before, previous] = end_of_log(connection_);
        chain(entry, before, std::move(previous),
              [this](std::int64_t sequence) { return hashes_at(connection_, sequence); });
        connection_.prepared(insert)
            .bind(entry.sequence)
            .bind(numeric_date(entry.at))
            .bind(std::string_view{entry.kind})
            .bind(std::string_view{entry.id})
            .bind(ByteView{entry.account})
            .bind(ByteView{entry.content})
            .bind(ByteView{entry.previous})
            .bind(ByteView{entry.hash})
            .bind(std::string_view{entry.owner})
            .bind(ByteView{entry.body})
            .bind(ByteView{entry.subtrees})
            .step();
        return entry.sequence;
    }

    /// Why a row was not written: the unique key that another record has, or (null) the id or the version.
    Column const* taken_key(Insert const& write)
    {
        auto statement = connection_.prepared(sql_of(write.table).get);
        if (statement.bind(std::string_view{write.record.id}).step()) return nullptr;
        return taken_key(write.table, write.record);
    }

    Column const* taken_key(Update const& write)
    {
        auto statement = connection_.prepared(sql_of(write.table).get);
        auto const there = statement.bind(std::string_view{write.record.id}).step();
        if (!there || statement.number(1) != write.record.version) return nullptr;
        return taken_key(write.table, write.record);
    }

    template <class Other>
    Column const* taken_key(Other const&)
    {
        return nullptr;
    }

    Column const* taken_key(Table table, Record const& record)
    {
        for (auto const& column : columns_of(table)) {
            auto const& key = record.keys[column.index];
            if (column.values != Column::Values::unique || !key) continue;
            auto statement = connection_.prepared("SELECT 1 FROM " + std::string{name_of(table)} + " WHERE " +
                                                  std::string{column.name} + " = ? AND id <> ?");
            if (statement.bind(ByteView{*key}).bind(std::string_view{record.id}).step()) return &column;
        }
        return nullptr;
    }

    Connection& connection_;
};

/// Tells the memory of rows what a batch has done.
void remember(std::vector<Write>& writes, std::vector<std::int64_t> const& versions, RowMemory& memory)
{
    for (std::size_t place = 0; place < writes.size(); ++place) {
        std::visit(
            [&]<class W>(W& write) {
                if constexpr (std::is_same_v<W, Insert> || std::is_same_v<W, Update> || std::is_same_v<W, Count>)
                    memory.written(write.table, std::move(write.record), versions[place]);
                else if constexpr (std::is_same_v<W, Remove>) memory.changed(write.table, write.id);
                else if constexpr (std::is_same_v<W, RemoveAllOf>) memory.clear();
            },
            writes[place]);
    }
}

} // namespace

// ---- the writer's thread ------------------------------------------------------------------------------------------

/// One batch that waits for its turn.
struct SqliteEngine::Job {
    /// Within the transaction; false: nothing of it may stay. May run again, from the start. Throws Error.
    std::function<bool(Connection&)> work;
    std::function<void(RowMemory&)> tell;   ///< after COMMIT, if it stayed: what it changed
    std::function<void(Result<void>)> done; ///< after COMMIT
    Executor* executor = nullptr;           ///< where `done` runs; null: here
    bool one_statement = false;             ///< needs no savepoint
    bool stays = false;                     ///< its work is in the transaction
    std::optional<Failure> failure;         ///< why this one alone failed
};

class SqliteEngine::Writer {
public:
    Writer(std::filesystem::path const& file, Options options)
        : connection_{file, Connection::Mode::write},
          options_{options}
    {
        auto const migrations = sqlite::all_migrations();
        sqlite::migrate(connection_, migrations, migrations.back().number);
        memory_.committed(memory_.now(), [](RowMemory&) {});
        // Signals are the main thread's.
        sigset_t all;
        sigset_t before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        thread_ = std::thread{[this] { loop(); }};
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }
    Writer(Writer const&) = delete;
    Writer& operator=(Writer const&) = delete;

    ~Writer()
    {
        {
            std::scoped_lock const lock{mutex_};
            stopping_ = true;
        }
        wake_.notify_one();
        thread_.join();
    }

    RowMemory& memory() { return memory_; }

    /// Whether the job was taken.
    bool add(std::shared_ptr<Job> job)
    {
        {
            std::scoped_lock const lock{mutex_};
            if (waiting_.size() >= options_.most_waiting) return false;
            waiting_.push_back(std::move(job));
            if (gathering_ && waiting_.size() < options_.most_at_once) return true; // it looks by itself
        }
        wake_.notify_one();
        return true;
    }

private:
    void loop()
    {
        std::vector<std::shared_ptr<Job>> batch;
        for (;;) {
            {
                std::unique_lock lock{mutex_};
                wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
                if (waiting_.empty()) return;
                if (lonely_before_ < options_.lonely) {
                    gathering_ = true;
                    wake_.wait_for(lock, options_.gathering,
                                   [this] { return stopping_ || waiting_.size() >= options_.most_at_once; });
                    gathering_ = false;
                }
                while (!waiting_.empty() && batch.size() < options_.most_at_once) {
                    batch.push_back(std::move(waiting_.front()));
                    waiting_.pop_front();
                }
                lonely_before_ = batch.size() > 1 ? 0 : std::min(lonely_before_ + 1, options_.lonely);
            }
            auto const failure = commit(batch);
            std::map<Executor*, std::vector<std::shared_ptr<Job>>> answers;
            for (auto& job : batch) {
                if (failure) job->failure = failure;
                answers[job->executor].push_back(std::move(job));
            }
            for (auto& [executor, answered] : answers) {
                auto answer = [jobs = std::move(answered)] {
                    for (auto const& job : jobs)
                        job->done(job->failure ? Result<void>{std::unexpected{*job->failure}} : Result<void>{});
                };
                // One after the other would wake the loop for each.
                if (executor == nullptr) answer();
                else executor->post(std::move(answer));
            }
            batch.clear();
        }
    }

    /// All jobs in one transaction. The failure is that of all of them.
    std::optional<Failure> commit(std::vector<std::shared_ptr<Job>> const& batch)
    {
        try {
            connection_.prepared("BEGIN IMMEDIATE").step();
        } catch (sqlite::Error const& error) {
            return failed(error);
        }
        try {
            auto before = memory_.now(); // nobody else commits any more
            // Nearly always all of them stay. A savepoint for each would copy every page once more that it writes.
            if (!std::ranges::all_of(batch, [this](auto const& job) { return stays(*job); })) {
                connection_.prepared("ROLLBACK").step();
                connection_.prepared("BEGIN IMMEDIATE").step();
                before = memory_.now();
                for (auto const& job : batch) run(*job);
            }
            connection_.prepared("COMMIT").step();
            memory_.committed(before, [&batch](RowMemory& memory) {
                for (auto const& job : batch)
                    if (job->stays) job->tell(memory);
            });
            return std::nullopt;
        } catch (sqlite::Error const& error) {
            if (connection_.in_transaction()) connection_.execute("ROLLBACK");
            return failed(error);
        }
    }

    /// One job within the transaction; whether nothing of it has to be taken back.
    bool stays(Job& job)
    {
        try {
            job.stays = job.work(connection_);
        } catch (sqlite::Error const&) {
            if (!connection_.in_transaction()) throw;
            return false;
        }
        return job.stays || job.one_statement;
    }

    /// One job within the transaction, of which others stay when it doesn't. What goes wrong with it alone is its own
    /// failure; what ends the transaction (a full disk, an I/O error) is thrown.
    void run(Job& job)
    {
        auto const savepoint = !job.one_statement;
        job.stays = false;
        if (savepoint) connection_.prepared("SAVEPOINT job").step();
        try {
            job.stays = job.work(connection_);
        } catch (sqlite::Error const& error) {
            if (!connection_.in_transaction()) throw;
            job.failure = failed(error);
        }
        if (!savepoint) return;
        if (!job.stays) connection_.prepared("ROLLBACK TO job").step();
        connection_.prepared("RELEASE job").step();
    }

    static Failure failed(sqlite::Error const& error) { return fail(Outcome::store_failed, error.what()).error(); }

    Connection connection_;
    Options options_;
    RowMemory memory_{connection_, options_.most_remembered};
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::shared_ptr<Job>> waiting_;
    bool stopping_ = false;
    bool gathering_ = false;
    std::size_t lonely_before_ = options_.lonely; ///< commits in a row that were of one batch alone
    std::thread thread_;
};

Flow<void> SqliteEngine::written(std::shared_ptr<Job> job)
{
    job->executor = Executor::current();
    if (job->executor == nullptr) {
        // No loop to go on in: a tool, or a test. It waits here.
        std::promise<Result<void>> promise;
        job->done = [&promise](Result<void> result) { promise.set_value(std::move(result)); };
        if (!writer_->add(job)) co_return fail(Outcome::unavailable, "too many commits wait");
        co_return promise.get_future().get();
    }
    auto begin = [this, job](Finish<void> const& finish) {
        job->done = finish;
        if (!writer_->add(job)) finish(fail(Outcome::unavailable, "too many commits wait"));
    };
    co_await wait_for<void>(std::move(begin));
    co_return {};
}

// ---- readers --------------------------------------------------------------------------------------------------------

/// Connections that are not in use; there come to be as many as threads read at once.
class SqliteEngine::Readers {
public:
    explicit Readers(std::filesystem::path file) : file_{std::move(file)} {}

    template <class Read>
    auto with(Read read) -> Result<decltype(read(std::declval<Connection&>()))>
    {
        try {
            auto connection = take();
            auto result = read(*connection);
            std::scoped_lock const lock{mutex_};
            idle_.push_back(std::move(connection));
            return result;
        } catch (sqlite::Error const& error) {
            return fail(Outcome::store_failed, error.what());
        }
    }

private:
    std::unique_ptr<Connection> take()
    {
        {
            std::scoped_lock const lock{mutex_};
            if (!idle_.empty()) {
                auto connection = std::move(idle_.back());
                idle_.pop_back();
                return connection;
            }
        }
        return std::make_unique<Connection>(file_, Connection::Mode::read);
    }

    std::filesystem::path file_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<Connection>> idle_;
};

// ---- verbs ----------------------------------------------------------------------------------------------------------

SqliteEngine::SqliteEngine(std::filesystem::path const& file, Options options)
    : readers_{std::make_unique<Readers>(file)},
      writer_{std::make_unique<Writer>(file, options)}
{}

SqliteEngine::~SqliteEngine() = default;

Result<std::unique_ptr<SqliteEngine>> SqliteEngine::open(std::filesystem::path const& file, Options options)
{
    try {
        return std::unique_ptr<SqliteEngine>{new SqliteEngine{file, options}};
    } catch (sqlite::Error const& error) {
        return fail(Outcome::store_failed, file.string() + ": " + error.what());
    }
}

Flow<std::optional<Record>> SqliteEngine::get(Table table, std::string id, std::int64_t known)
{
    auto& memory = writer_->memory();
    auto remembered = memory.find(table, id, known);
    auto const is_all_of_it = table == Table::counter || table == Table::nonce; // rows without a body
    if (remembered.is_known && (!remembered.row || remembered.row->version == known || is_all_of_it))
        co_return std::move(remembered.row);
    auto const read_at = memory.now();
    auto record = co_await readers_->with([&](Connection& connection) -> std::optional<Record> {
        auto statement = connection.prepared(sql_of(table).get);
        if (!statement.bind(std::string_view{id}).step()) return std::nullopt;
        // SQLite reads a row's columns when they are asked for: a body that is not asked for costs nothing.
        if (statement.number(version_place) == known) return members_in(statement, table);
        return record_in(statement, table);
    });
    memory.remember(read_at, table, id, without_body(record));
    if (record && record->version == known) co_return head_of(*record);
    co_return record;
}

Flow<std::optional<std::string>> SqliteEngine::find(Column const& column, Bytes value)
{
    if (auto id = writer_->memory().find(column, value)) co_return id;
    co_return readers_->with([&](Connection& connection) -> std::optional<std::string> {
        auto statement = connection.prepared("SELECT id FROM " + std::string{name_of(column.table)} + " WHERE " +
                                             std::string{column.name} + " = ? ORDER BY rowid DESC LIMIT 1");
        if (!statement.bind(ByteView{value}).step()) return std::nullopt;
        return statement.text(0);
    });
}

Flow<std::vector<Record>> SqliteEngine::list(Query query)
{
    co_return readers_->with([&](Connection& connection) {
        auto sql = "SELECT " + sql_of(query.table).columns + " FROM " + std::string{name_of(query.table)} + " WHERE 1";
        if (query.owner) sql += " AND owner = ?";
        if (query.column != nullptr) sql += " AND " + std::string{query.column->name} + " = ?";
        // Who or what it is about has few records; a state may be that of everybody's ("+" keeps its index out).
        std::string const other = query.owner || query.column != nullptr ? " AND +" : " AND ";
        if (!query.states.empty()) {
            sql += other + "state IN (?";
            for (std::size_t i = 1; i < query.states.size(); ++i) sql += ", ?";
            sql += ")";
        }
        if (query.kept_after) sql += other + "kept_until > ?";
        if (query.kept_up_to) sql += other + "kept_until <= ?";
        sql += query.order == Query::Order::oldest_first ? " ORDER BY rowid LIMIT ?" : " ORDER BY rowid DESC LIMIT ?";

        auto statement = connection.prepared(sql);
        if (query.owner) statement.bind(std::string_view{*query.owner});
        if (query.column != nullptr) statement.bind(ByteView{query.value});
        for (auto const& state : query.states) statement.bind(std::string_view{state});
        if (query.kept_after) statement.bind(numeric_date(*query.kept_after));
        if (query.kept_up_to) statement.bind(numeric_date(*query.kept_up_to));
        statement.bind(bounded(query.at_most));
        std::vector<Record> records;
        while (statement.step()) records.push_back(record_in(statement, query.table));
        return records;
    });
}

Flow<Committed> SqliteEngine::commit(std::vector<Write> writes)
{
    struct Waiting {
        std::vector<Write> writes;
        Committed result;
    };
    auto const waiting = std::make_shared<Waiting>(Waiting{std::move(writes), {}});
    auto job = std::make_shared<Job>();
    job->one_statement = waiting->writes.size() == 1;
    job->work = [waiting](Connection& connection) {
        waiting->result = Batch{connection}.run(waiting->writes);
        return !waiting->result.conflict;
    };
    job->tell = [waiting](RowMemory& memory) { remember(waiting->writes, waiting->result.versions, memory); };
    co_await written(std::move(job));
    co_return std::move(waiting->result);
}

Flow<std::vector<LogEntry>> SqliteEngine::log_of(std::string owner, std::int64_t before, std::size_t at_most)
{
    co_return readers_->with([&](Connection& connection) {
        static std::string const sql =
            "SELECT " + std::string{log_columns} +
            " FROM log_entry WHERE owner = ? AND sequence < ? ORDER BY sequence DESC LIMIT ?";
        auto statement = connection.prepared(sql);
        statement.bind(std::string_view{owner}).bind(before).bind(bounded(at_most));
        std::vector<LogEntry> entries;
        while (statement.step()) entries.push_back(entry_in(statement));
        return entries;
    });
}

Flow<std::vector<LogEntry>> SqliteEngine::log_from(std::int64_t sequence, std::size_t at_most)
{
    co_return readers_->with([&](Connection& connection) {
        static std::string const sql =
            "SELECT " + std::string{log_columns} + " FROM log_entry WHERE sequence >= ? ORDER BY sequence LIMIT ?";
        auto statement = connection.prepared(sql);
        statement.bind(sequence).bind(bounded(at_most));
        std::vector<LogEntry> entries;
        while (statement.step()) entries.push_back(entry_in(statement));
        return entries;
    });
}

Flow<std::int64_t> SqliteEngine::log_size()
{
    co_return readers_->with([](Connection& connection) { return end_of_log(connection).first; });
}

Flow<std::vector<Bytes>> SqliteEngine::log_hashes(std::vector<crypto::merkle::Node> nodes)
{
    auto const hashes = readers_->with([&](Connection& connection) {
        std::vector<Bytes> found;
        found.reserve(nodes.size());
        for (auto const& node : nodes) {
            found.push_back(
                subtree_hash(node, [&connection](std::int64_t sequence) { return hashes_at(connection, sequence); }));
        }
        return found;
    });
    if (!hashes) co_return fail(Outcome::data_damaged, hashes.error().detail);
    co_return *hashes;
}

Flow<std::size_t> SqliteEngine::sweep(Instant now, std::size_t at_most)
{
    auto const gone = std::make_shared<std::size_t>(0);
    auto job = std::make_shared<Job>();
    job->work = [gone, now, at_most](Connection& connection) {
        *gone = 0;
        for (auto const table : all_tables) {
            connection.prepared(sql_of(table).sweep).bind(numeric_date(now)).bind(bounded(at_most)).step();
            *gone += static_cast<std::size_t>(connection.changes());
        }
        return true;
    };
    job->tell = [gone](RowMemory& memory) {
        if (*gone > 0) memory.clear();
    };
    co_await written(std::move(job));
    co_return *gone;
}

} // namespace symbolon::store

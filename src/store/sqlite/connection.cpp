#include "store/sqlite/connection.hpp"

#include "base/ensure.hpp"

#include <sqlite3.h>

#include <atomic>
#include <fcntl.h>
#include <unistd.h>

namespace symbolon::store::sqlite {

namespace {

constexpr int patience_ms = 10'000; // another process may write: the operator's command, a backup

} // namespace

Statement::~Statement()
{
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
}

void Statement::check(int code) const
{
    if (code != SQLITE_OK) throw Error{code, sqlite3_errmsg(sqlite3_db_handle(statement_))};
}

Statement& Statement::bind(std::int64_t number)
{
    check(sqlite3_bind_int64(statement_, next_parameter_++, number));
    return *this;
}

Statement& Statement::bind(std::string_view text)
{
    check(sqlite3_bind_text64(statement_, next_parameter_++, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8));
    return *this;
}

Statement& Statement::bind(ByteView blob)
{
    // A null pointer would bind NULL; an empty value is a value.
    static constexpr Byte nothing{};
    auto const* data = blob.empty() ? &nothing : blob.data();
    check(sqlite3_bind_blob64(statement_, next_parameter_++, data, blob.size(), SQLITE_STATIC));
    return *this;
}

Statement& Statement::bind_null()
{
    check(sqlite3_bind_null(statement_, next_parameter_++));
    return *this;
}

bool Statement::step()
{
    auto const code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    throw Error{code, sqlite3_errmsg(sqlite3_db_handle(statement_))};
}

std::int64_t Statement::number(int column) const { return sqlite3_column_int64(statement_, column); }

std::string Statement::text(int column) const
{
    auto const bytes = blob(column);
    return string_of(bytes);
}

Bytes Statement::blob(int column) const
{
    auto const* data = static_cast<Byte const*>(sqlite3_column_blob(statement_, column));
    auto const size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    return data == nullptr ? Bytes{} : Bytes{data, data + size};
}

bool Statement::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

Connection::Connection(std::filesystem::path const& file, Mode mode)
{
    if (mode == Mode::write) {
        // SQLite gives its companions (-wal, -shm) the mode of the file; made here, it is the owner's alone.
        auto const descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (descriptor >= 0) ::close(descriptor);
    }
    // Each connection is used by one thread at a time.
    auto const flags = (mode == Mode::write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_NOMUTEX;
    if (auto const code = sqlite3_open_v2(file.c_str(), &database_, flags, nullptr); code != SQLITE_OK) {
        Error const error{code, file.string() + ": " + sqlite3_errstr(code)};
        sqlite3_close(database_);
        throw error;
    }
    sqlite3_extended_result_codes(database_, 1);
    sqlite3_busy_timeout(database_, patience_ms);
    try {
        if (mode == Mode::write) execute("PRAGMA journal_mode = WAL");
        // FULL: a commit is on the disk when COMMIT returns.
        // secure_delete: a data key that is deleted is overwritten, not only let go.
        execute("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF; PRAGMA "
                "cell_size_check = ON;"
                "PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY");
        if (mode == Mode::write) find_log_index();
    } catch (...) {
        sqlite3_close(database_);
        throw;
    }
}

Connection::~Connection()
{
    for (auto const& [sql, statement] : statements_) sqlite3_finalize(statement);
    sqlite3_close(database_);
}

Statement Connection::prepared(std::string const& sql)
{
    auto& statement = statements_[sql];
    if (statement == nullptr) {
        auto const code = sqlite3_prepare_v3(database_, sql.c_str(), static_cast<int>(sql.size()) + 1,
                                             SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
        if (code != SQLITE_OK) throw Error{code, sqlite3_errmsg(database_)};
    }
    return Statement{statement};
}

void Connection::execute(std::string const& sql)
{
    auto const code = sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) throw Error{code, sqlite3_errmsg(database_)};
}

int Connection::changes() const { return sqlite3_changes(database_); }

bool Connection::in_transaction() const { return sqlite3_get_autocommit(database_) == 0; }

void Connection::find_log_index()
{
    constexpr int part_bytes = 32 * 1024; // as SQLite maps it
    execute("PRAGMA user_version");       // the first read makes the index
    sqlite3_file* file = nullptr;
    if (sqlite3_file_control(database_, "main", SQLITE_FCNTL_FILE_POINTER, static_cast<void*>(&file)) != SQLITE_OK ||
        file == nullptr || file->pMethods == nullptr || file->pMethods->iVersion < 2 ||
        file->pMethods->xShmMap == nullptr)
        return;
    if (file->pMethods->xShmMap(file, 0, part_bytes, 0, &log_index_) != SQLITE_OK) log_index_ = nullptr;
}

CommitMark Connection::last_commit() const
{
    if (log_index_ == nullptr) return {};
    // The header stands there twice. Who commits writes the second copy, then the first; who reads takes the first,
    // then the second, and has it whole if they are the same.
    auto const* words = static_cast<std::uint32_t const volatile*>(log_index_);
    CommitMark::Words first{};
    CommitMark::Words second{};
    for (std::size_t i = 0; i < first.size(); ++i) first[i] = words[i];
    std::atomic_thread_fence(std::memory_order_seq_cst);
    for (std::size_t i = 0; i < second.size(); ++i) second[i] = words[first.size() + i];
    return first == second ? CommitMark{first} : CommitMark{};
}

} // namespace symbolon::store::sqlite

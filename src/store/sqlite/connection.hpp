#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>

struct sqlite3;
struct sqlite3_stmt;

/// SQLite with owners: only for the files of this folder.
namespace symbolon::store::sqlite {

/// What SQLite could not do. Caught where the engine's verbs end.
class Error : public std::runtime_error {
public:
    Error(int code, std::string const& message) : std::runtime_error{message}, code{code} {}
    int code; ///< SQLite's result code
};

/// A prepared statement in use; given back to its connection, reset, when it goes.
class Statement {
public:
    explicit Statement(sqlite3_stmt* statement) : statement_{statement} {}
    Statement(Statement const&) = delete;
    Statement& operator=(Statement const&) = delete;
    ~Statement();

    /// Parameters in their order, from the first on. What is bound must live until the statement goes.
    Statement& bind(std::int64_t number);
    Statement& bind(std::string_view text);
    Statement& bind(ByteView blob);
    Statement& bind_null();

    /// Whether there is a row (more). Throws Error.
    bool step();

    [[nodiscard]] std::int64_t number(int column) const;
    [[nodiscard]] std::string text(int column) const;
    [[nodiscard]] Bytes blob(int column) const;
    [[nodiscard]] bool is_null(int column) const;

private:
    void check(int code) const;

    sqlite3_stmt* statement_;
    int next_parameter_ = 1;
};

class Connection {
public:
    enum class Mode : std::uint8_t { read, write };

    /// Opens the file, with WAL and full synchronisation; makes it (mode 0600) in `write`. Throws Error.
    Connection(std::filesystem::path const& file, Mode mode);
    Connection(Connection const&) = delete;
    Connection& operator=(Connection const&) = delete;
    ~Connection();

    /// A statement of this connection; each SQL text is prepared once.
    Statement prepared(std::string const& sql);
    /// One or more statements without rows.
    void execute(std::string const& sql);
    /// How many rows the last statement changed.
    [[nodiscard]] int changes() const;
    [[nodiscard]] bool in_transaction() const;

private:
    sqlite3* database_ = nullptr;
    std::unordered_map<std::string, sqlite3_stmt*> statements_;
};

} // namespace symbolon::store::sqlite

#pragma once

#include "base/bytes.hpp"

#include <array>
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

/// The newest commit that the file has, whoever made it: the header of the write-ahead log's index
/// (https://www.sqlite.org/walformat.html §2.1), which every commit of every process changes.
class CommitMark {
public:
    static constexpr std::size_t word_count = 12;
    using Words = std::array<std::uint32_t, word_count>;

    CommitMark() = default; ///< none that is known
    explicit CommitMark(Words words) : words_{words} {}

    [[nodiscard]] bool is_known() const { return words_[version_place] != 0; }
    /// Whether this is the commit right after the other one.
    [[nodiscard]] bool follows(CommitMark const& other) const
    {
        return other.is_known() && words_[change_place] == other.words_[change_place] + 1;
    }
    friend bool operator==(CommitMark const&, CommitMark const&) = default;

private:
    static constexpr std::size_t version_place = 0;
    static constexpr std::size_t change_place = 2; ///< one more with each commit

    Words words_{};
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

    /// The newest commit of the file; not known while somebody writes it down. In `write` alone; from any thread.
    [[nodiscard]] CommitMark last_commit() const;

private:
    void find_log_index();

    sqlite3* database_ = nullptr;
    std::unordered_map<std::string, sqlite3_stmt*> statements_;
    void volatile* log_index_ = nullptr; ///< shared with all who have the file open; null: there is none
};

} // namespace symbolon::store::sqlite

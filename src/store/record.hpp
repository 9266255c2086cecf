#pragma once

#include "base/bytes.hpp"
#include "base/instant.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace symbolon::store {

/// The tables of records (migrations/*.sql). The log is one of its own kind: see LogEntry.
enum class Table : std::uint8_t {
    data_key,
    account,
    device,
    contract,
    enrolment,
    action,
    sign_in,
    grant,
    client,
    nonce,
    counter,
    log_head,
    push_subscription,
    number_trace,
    consent,
    evidence,
};

std::string_view name_of(Table table);

/// A column that records are looked up by: an id, or a hash, of which the store needn't know what it stands for.
struct Column {
    Table table;
    std::size_t index; ///< its place in Record::keys
    std::string_view name;
    enum class Values : std::uint8_t { unique, shared } values = Values::shared;
};

namespace columns {

inline constexpr Column account_phone_number{Table::account, 0, "phone_number", Column::Values::unique};
inline constexpr Column account_national_number{Table::account, 1, "national_number", Column::Values::unique};
inline constexpr Column enrolment_browser{Table::enrolment, 0, "browser"};
inline constexpr Column enrolment_ticket{Table::enrolment, 1, "ticket"};
inline constexpr Column enrolment_reader_session{Table::enrolment, 2, "reader_session"};
inline constexpr Column enrolment_phone_session{Table::enrolment, 3, "phone_session"};
inline constexpr Column enrolment_phone_number{Table::enrolment, 4, "phone_number"};
inline constexpr Column action_open_of{Table::action, 0, "open_of"};
inline constexpr Column sign_in_short_code{Table::sign_in, 0, "short_code", Column::Values::unique};
inline constexpr Column grant_code{Table::grant, 0, "code", Column::Values::unique};
inline constexpr Column grant_access_token{Table::grant, 1, "access_token", Column::Values::unique};

inline constexpr std::array account{account_phone_number, account_national_number};
inline constexpr std::array enrolment{enrolment_browser, enrolment_ticket, enrolment_reader_session,
                                      enrolment_phone_session, enrolment_phone_number};
inline constexpr std::array action{action_open_of};
inline constexpr std::array sign_in{sign_in_short_code};
inline constexpr std::array grant{grant_code, grant_access_token};

} // namespace columns

/// The lookup columns of a table, in the order of Record::keys.
constexpr std::span<Column const> columns_of(Table table)
{
    switch (table) {
    case Table::account: return columns::account;
    case Table::enrolment: return columns::enrolment;
    case Table::action: return columns::action;
    case Table::sign_in: return columns::sign_in;
    case Table::grant: return columns::grant;
    default: return {};
    }
}

struct Record {
    std::string id;
    std::int64_t version = 0;               ///< 1 when inserted, then one more with each change
    std::string owner;                      ///< whose data it is: names the data key of the body
    std::vector<std::optional<Bytes>> keys; ///< one for each of columns_of(table)
    std::string state;                      ///< a word that queries ask for; may be empty
    std::optional<Instant> kept_until;      ///< from then on it may be swept away
    Bytes body;
};

/// Id, version and owner alone: for whom has the rest already.
inline Record head_of(Record const& record)
{
    return {.id = record.id,
            .version = record.version,
            .owner = record.owner,
            .keys = {},
            .state = {},
            .kept_until = {},
            .body = {}};
}

/// A line of the append-only log, which is also a line of somebody's history. `sequence`, `previous` and `hash` are
/// the engine's; the rest is given.
struct LogEntry {
    std::int64_t sequence = 0; ///< 1, 2, 3 … without gaps
    Instant at;
    std::string kind;  ///< "approved", "enrolled"
    std::string id;    ///< random; names the entry to its holder
    Bytes account;     ///< HMAC of the account's id: 32 bytes
    Bytes content;     ///< SHA-256 of the salted plain body: 32 bytes
    Bytes previous;    ///< the hash before: 32 bytes, zeros for the first
    Bytes hash;        ///< RFC 9162 §2.1.1: SHA-256(0x00 ‖ entry); 32 bytes
    std::string owner; ///< not part of what is hashed, and neither is the body: both may be deleted
    Bytes body;
    /// The hashes of the perfect subtrees that end with this entry, levels 1 and up, one after the other (RFC 9162
    /// §2.1): what proofs are put together from. The engine's; empty in entries of the program before.
    Bytes subtrees;
};

// ---- writes ----------------------------------------------------------------------------------------------------

/// A new record, version 1. Condition: neither its id nor a unique key of it is there.
struct Insert {
    Table table;
    Record record;
};

/// The record of that id gets these members and the next version. Condition: it has `record.version` now, and no other
/// record has a unique key of it.
struct Update {
    Table table;
    Record record;
};

/// Condition: it has that version now.
struct Remove {
    Table table;
    std::string id;
    std::int64_t version;
};

/// Inserts the record, or adds one to its version where it is there: the version is the count. Its other members are
/// the same each time. Condition: the count is `at_most` then, or less; none without.
struct Count {
    Table table;
    Record record;
    std::optional<std::int64_t> at_most;
};

/// Removes all records of a table that belong to an owner. No condition.
struct RemoveAllOf {
    Table table;
    std::string owner;
};

/// No condition.
struct Append {
    LogEntry entry;
};

using Write = std::variant<Insert, Update, Remove, Count, RemoveAllOf, Append>;

/// Which condition did not hold.
struct Conflict {
    std::size_t write;           ///< its place in the batch
    Column const* key = nullptr; ///< the unique key that another record has; null: the id or the version
};

struct Committed {
    std::vector<std::int64_t> versions; ///< after each write; the sequence of an Append; 0 after removals
    std::optional<Conflict> conflict;   ///< if set, nothing was done
};

/// Which records to list.
struct Query {
    Table table;
    std::optional<std::string> owner;
    Column const* column = nullptr; ///< with `value`
    Bytes value;
    std::vector<std::string> states;   ///< any of these; empty: every state
    std::optional<Instant> kept_after; ///< kept_until later than this
    std::optional<Instant> kept_up_to; ///< kept_until not later than this
    enum class Order : std::uint8_t { oldest_first, newest_first } order = Order::oldest_first; ///< as inserted
    std::size_t at_most = 100;
};

} // namespace symbolon::store

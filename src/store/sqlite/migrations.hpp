#pragma once

#include "store/sqlite/connection.hpp"

#include <span>

namespace symbolon::store::sqlite {

/// One step of the schema, forward only (store/migrations/NNNN_*.sql). Number 1 is the first.
struct Migration {
    int number;
    std::string_view name;
    std::string_view sql;
};

std::span<Migration const> all_migrations();

/// Runs what has not run yet, up to a number, in one transaction that no other process writes beside. A migration that
/// has run and reads differently now is refused. A file of a newer program is left as it is: every migration leaves
/// the program before it working. Throws Error.
void migrate(Connection& connection, std::span<Migration const> migrations, int up_to);

} // namespace symbolon::store::sqlite

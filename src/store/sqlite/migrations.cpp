#include "store/sqlite/migrations.hpp"

#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "embedded/migration_0001_records.hpp"
#include "embedded/migration_0002_log_tree.hpp"
#include "embedded/migration_0003_push_subscription.hpp"
#include "embedded/migration_0004_many_requests.hpp"
#include "embedded/migration_0005_short_code.hpp"
#include "embedded/migration_0006_evidence.hpp"
#include "embedded/migration_0007_rotation.hpp"
#include "embedded/migration_0008_open_requests.hpp"

#include <sqlite3.h>

#include <array>

namespace symbolon::store::sqlite {

std::span<Migration const> all_migrations()
{
    // The array ends with a zero that is not part of the text.
    static constexpr std::array migrations{
        Migration{1, "records", {migration_0001_records, sizeof(migration_0001_records) - 1}},
        Migration{2, "log_tree", {migration_0002_log_tree, sizeof(migration_0002_log_tree) - 1}},
        Migration{
            3, "push_subscription", {migration_0003_push_subscription, sizeof(migration_0003_push_subscription) - 1}},
        Migration{4, "many_requests", {migration_0004_many_requests, sizeof(migration_0004_many_requests) - 1}},
        Migration{5, "short_code", {migration_0005_short_code, sizeof(migration_0005_short_code) - 1}},
        Migration{6, "evidence", {migration_0006_evidence, sizeof(migration_0006_evidence) - 1}},
        Migration{7, "rotation", {migration_0007_rotation, sizeof(migration_0007_rotation) - 1}},
        Migration{8, "open_requests", {migration_0008_open_requests, sizeof(migration_0008_open_requests) - 1}},
    };
    static_assert(migrations.size() == SYMBOLON_MIGRATION_FILES, "each file of store/migrations has its line here");
    return migrations;
}

void migrate(Connection& connection, std::span<Migration const> migrations, int up_to)
{
    connection.execute("BEGIN EXCLUSIVE");
    try {
        connection.execute("CREATE TABLE IF NOT EXISTS migration ("
                           "number INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, digest TEXT NOT NULL) STRICT");
        for (auto const& migration : migrations) {
            if (migration.number > up_to) break;
            auto const digest = crypto::hex(crypto::sha256(migration.sql));
            std::optional<std::string> done;
            {
                auto select = connection.prepared("SELECT digest FROM migration WHERE number = ?");
                if (select.bind(std::int64_t{migration.number}).step()) done = select.text(0);
            }
            if (done && *done != digest)
                throw Error{SQLITE_MISMATCH,
                            "migration " + std::to_string(migration.number) + " has run in another form"};
            if (done) continue;
            connection.execute(std::string{migration.sql});
            connection.prepared("INSERT INTO migration (number, name, digest) VALUES (?, ?, ?)")
                .bind(std::int64_t{migration.number})
                .bind(migration.name)
                .bind(std::string_view{digest})
                .step();
        }
        connection.execute("COMMIT");
    } catch (...) {
        connection.execute("ROLLBACK");
        throw;
    }
}

} // namespace symbolon::store::sqlite

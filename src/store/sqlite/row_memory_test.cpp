#include "store/sqlite/row_memory.hpp"
#include "store/sqlite/sqlite_engine.hpp"
#include "store/store_testing.hpp"

#include <gtest/gtest.h>

#include <random>

/// What is known of rows without asking SQLite, and when it no longer is.
namespace symbolon::store::sqlite {
namespace {

constexpr std::size_t plenty = 100;

Record grant(std::string id, std::int64_t version, Bytes code)
{
    return {.id = std::move(id), .version = version, .owner = "somebody", .keys = {std::move(code), {}}, .body = {1}};
}

class RowMemoryOfAFile : public ::testing::Test {
protected:
    RowMemoryOfAFile() { ours_.execute("CREATE TABLE note (text TEXT)"); }

    static void write(Connection& connection) { connection.execute("INSERT INTO note VALUES ('something')"); }

    /// As the engine's writer does.
    template <class Change>
    void commit(Change change)
    {
        ours_.execute("BEGIN IMMEDIATE");
        auto const before = memory_.now();
        write(ours_);
        ours_.execute("COMMIT");
        memory_.committed(before, change);
    }

    [[nodiscard]] bool knows(std::string const& id) { return memory_.find(Table::grant, id).is_known; }

    testing::TemporaryDirectory directory_;
    Connection ours_{directory_.path() / "store.db", Connection::Mode::write};
    Connection theirs_{directory_.path() / "store.db", Connection::Mode::write};
    RowMemory memory_{ours_, plenty};
};

TEST_F(RowMemoryOfAFile, gives_what_was_written_without_its_body_and_finds_it_by_its_key)
{
    commit([](RowMemory& memory) { memory.written(Table::grant, grant("a", 1, {7}), 2); });
    auto const known = memory_.find(Table::grant, "a");
    ASSERT_TRUE(known.is_known && known.row);
    EXPECT_EQ(known.row->version, 2);
    EXPECT_EQ(known.row->owner, "somebody");
    EXPECT_TRUE(known.row->body.empty());
    EXPECT_EQ(memory_.find(columns::grant_code, {7}), "a");
    EXPECT_FALSE(memory_.find(columns::grant_access_token, {7}));
    EXPECT_FALSE(memory_.find(Table::action, "a").is_known) << "of another table";

    commit([](RowMemory& memory) { memory.written(Table::grant, grant("a", 2, {8}), 3); });
    EXPECT_FALSE(memory_.find(columns::grant_code, {7})) << "a key that it has no more";
    EXPECT_EQ(memory_.find(columns::grant_code, {8}), "a");
}

TEST_F(RowMemoryOfAFile, outlives_our_own_commits_but_for_what_they_change)
{
    commit([](RowMemory& memory) { memory.written(Table::grant, grant("a", 1, {7}), 1); });
    memory_.remember(memory_.now(), Table::grant, "b", std::nullopt);
    commit([](RowMemory& memory) { memory.changed(Table::grant, "a"); });
    EXPECT_FALSE(knows("a"));
    ASSERT_TRUE(knows("b"));
    EXPECT_FALSE(memory_.find(Table::grant, "b").row) << "it is known not to be there";
    commit([](RowMemory& memory) { memory.clear(); });
    EXPECT_FALSE(knows("b"));
}

TEST_F(RowMemoryOfAFile, knows_nothing_from_the_moment_another_has_written)
{
    commit([](RowMemory& memory) { memory.written(Table::grant, grant("a", 1, {7}), 1); });
    write(theirs_);
    EXPECT_FALSE(knows("a"));
    EXPECT_FALSE(memory_.find(columns::grant_code, {7}));

    commit([](RowMemory& memory) { memory.written(Table::grant, grant("b", 1, {8}), 1); });
    EXPECT_FALSE(knows("a")) << "they may have changed it before we wrote";
    EXPECT_TRUE(knows("b"));
}

TEST_F(RowMemoryOfAFile, knows_nothing_where_another_wrote_between_our_commit_and_its_being_told)
{
    ours_.execute("BEGIN IMMEDIATE");
    auto const before = memory_.now();
    write(ours_);
    ours_.execute("COMMIT");
    write(theirs_);
    memory_.committed(before, [](RowMemory& memory) { memory.written(Table::grant, grant("a", 1, {7}), 1); });
    EXPECT_FALSE(knows("a"));
}

TEST_F(RowMemoryOfAFile, does_not_take_what_was_read_before_a_commit)
{
    commit([](RowMemory&) {});
    auto const read_at = memory_.now();
    commit([](RowMemory& memory) { memory.written(Table::grant, grant("a", 1, {7}), 2); });
    memory_.remember(read_at, Table::grant, "a", grant("a", 1, {7}));
    EXPECT_EQ(memory_.find(Table::grant, "a").row->version, 2);
    memory_.remember(read_at, Table::grant, "b", std::nullopt);
    EXPECT_FALSE(knows("b"));
}

TEST_F(RowMemoryOfAFile, survives_a_log_that_begins_anew)
{
    commit([](RowMemory& memory) { memory.written(Table::grant, grant("a", 1, {7}), 1); });
    ours_.execute("PRAGMA wal_checkpoint(TRUNCATE)");
    commit([](RowMemory& memory) { memory.written(Table::grant, grant("b", 1, {8}), 1); });
    EXPECT_TRUE(knows("b"));
    write(theirs_);
    EXPECT_FALSE(knows("b"));
}

TEST_F(RowMemoryOfAFile, has_a_bound)
{
    commit([](RowMemory& memory) {
        for (std::size_t i = 0; i < 10 * plenty; ++i) memory.written(Table::grant, grant(std::to_string(i), 1, {}), 1);
    });
    std::size_t known = 0;
    for (std::size_t i = 0; i < 10 * plenty; ++i) known += knows(std::to_string(i)) ? 1U : 0U;
    EXPECT_LE(known, plenty);
    EXPECT_GE(known, plenty / 2);
    EXPECT_TRUE(knows(std::to_string(10 * plenty - 1))) << "the newest stay";
}

// Two programs with one file do whatever the seed says, by turns: each sees at once what the other did.
TEST(RowMemory, two_programs_always_see_what_the_file_says)
{
    constexpr int seeds = 8;
    constexpr int steps = 150;
    for (unsigned seed = 0; seed < seeds; ++seed) {
        SCOPED_TRACE(seed);
        testing::TemporaryDirectory const directory;
        std::array const programs{SqliteEngine::open(directory.path() / "store.db").value(),
                                  SqliteEngine::open(directory.path() / "store.db").value()};
        std::mt19937 random{seed};
        auto const below = [&](unsigned end) { return std::uniform_int_distribution<unsigned>{0, end - 1}(random); };
        std::map<std::string, Record> file;
        for (int step = 0; step < steps; ++step) {
            auto const id = std::to_string(below(4));
            auto const there = file.contains(id);
            auto record = grant(id, there ? file[id].version : 0, {static_cast<Byte>(step)});
            Write write = Insert{Table::grant, record};
            if (there && below(4) == 0) write = Remove{Table::grant, id, record.version};
            else if (there && below(16) == 0) write = RemoveAllOf{Table::grant, record.owner};
            else if (there) write = Update{Table::grant, record};
            auto const done = run_now(programs.at(below(2))->commit({write})).value();
            ASSERT_FALSE(done.conflict);
            if (std::holds_alternative<Remove>(write)) file.erase(id);
            else if (std::holds_alternative<RemoveAllOf>(write)) file.clear();
            else {
                record.version = done.versions.front();
                file[id] = record;
            }

            for (auto const& program : programs) {
                for (auto const& each : {"0", "1", "2", "3"}) {
                    auto const known = below(2) == 0 && file.contains(each) ? file[each].version : 0;
                    auto const got = run_now(program->get(Table::grant, each, known)).value();
                    ASSERT_EQ(got.has_value(), file.contains(each));
                    if (!got) continue;
                    ASSERT_EQ(got->version, file[each].version);
                    ASSERT_EQ(got->body.empty(), known != 0);
                    auto const found = run_now(program->find(columns::grant_code, *file[each].keys[0])).value();
                    ASSERT_EQ(found, each);
                }
                ASSERT_FALSE(run_now(program->find(columns::grant_code, {255})).value());
            }
        }
    }
}

} // namespace
} // namespace symbolon::store::sqlite

#include "base/executor.hpp"
#include "crypto/encoding.hpp"
#include "store/log.hpp"
#include "store/sqlite/connection.hpp"
#include "store/sqlite/migrations.hpp"
#include "store/sqlite/sqlite_engine.hpp"
#include "store/store_testing.hpp"

#include <gtest/gtest.h>

#include <barrier>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <fstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

/// What SQLite adds to the contract: durability, threads, processes, migrations.
namespace symbolon::store {
namespace {

using testing::noon;

Record record(std::string id) { return {.id = std::move(id), .owner = "somebody", .keys = {}, .body = {1}}; }

Result<Committed> commit(Engine& engine, Write write)
{
    std::vector<Write> writes;
    writes.emplace_back(std::move(write));
    return run_now(engine.commit(std::move(writes)));
}

/// An event loop of the plainest kind: runs on the thread that made it.
class Loop final : public Executor {
public:
    Loop() { current() = this; }
    Loop(Loop const&) = delete;
    Loop& operator=(Loop const&) = delete;
    ~Loop() override { current() = nullptr; }

    void post(std::function<void()> work) override
    {
        // Whoever is woken may end this loop: not before it is let go of.
        std::scoped_lock const lock{mutex_};
        work_.push_back(std::move(work));
        wake_.notify_one();
    }

    template <class T>
    Result<T> run(Flow<T> flow)
    {
        bool done = false;
        flow.start([&] { done = true; });
        while (!done) { // NOLINT(bugprone-infinite-loop): the flow sets it
            std::function<void()> next;
            {
                std::unique_lock lock{mutex_};
                wake_.wait(lock, [this] { return !work_.empty(); });
                next = std::move(work_.front());
                work_.pop_front();
            }
            next();
        }
        return flow.take();
    }

private:
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::function<void()>> work_;
};

class SqliteStore : public ::testing::Test {
protected:
    [[nodiscard]] std::filesystem::path file() const { return directory_.path() / "store.db"; }
    [[nodiscard]] std::unique_ptr<SqliteEngine> open(SqliteEngine::Options options = {}) const
    {
        return SqliteEngine::open(file(), options).value();
    }

    testing::TemporaryDirectory directory_;
};

TEST_F(SqliteStore, what_was_acknowledged_outlives_a_kill)
{
    for (int round = 0; round < 3; ++round) {
        std::array<int, 2> pipe{};
        ASSERT_EQ(::pipe(pipe.data()), 0);
        auto const child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            // Commits until it is killed, and says so after each.
            ::close(pipe[0]);
            auto const engine = SqliteEngine::open(file());
            if (!engine) ::_exit(1);
            for (std::uint32_t i = 0;; ++i) {
                auto const name = std::to_string(round) + '/' + std::to_string(i);
                std::vector<Write> writes;
                writes.emplace_back(Insert{Table::device, record(name)});
                writes.emplace_back(Append{LogEntry{.at = noon,
                                                    .kind = "approved",
                                                    .id = name,
                                                    .account = Bytes(32, 1),
                                                    .content = Bytes(32, 1),
                                                    .owner = "somebody",
                                                    .body = {}}});
                auto const committed = run_now((*engine)->commit(std::move(writes)));
                if (!committed || committed->conflict) ::_exit(2);
                if (::write(pipe[1], &i, sizeof i) != sizeof i) ::_exit(3);
            }
        }
        ::close(pipe[1]);
        std::uint32_t acknowledged = 0;
        while (acknowledged < 30) ASSERT_EQ(::read(pipe[0], &acknowledged, sizeof acknowledged), ssize_t{4});
        ::kill(child, SIGKILL);
        while (::read(pipe[0], &acknowledged, sizeof acknowledged) == ssize_t{4}) {}
        ::close(pipe[0]);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFSIGNALED(status));

        auto const engine = open();
        for (std::uint32_t i = 0; i <= acknowledged; ++i)
            ASSERT_TRUE(run_now(engine->get(Table::device, std::to_string(round) + '/' + std::to_string(i))).value())
                << round << ' ' << i;
        EXPECT_GT(run_now(verify_log(*engine))->size, acknowledged);
    }
}

TEST_F(SqliteStore, of_two_threads_that_change_one_version_one_wins)
{
    auto const engine = open();
    constexpr int rounds = 200;
    std::array<std::vector<bool>, 2> won;
    for (int i = 0; i < rounds; ++i) ASSERT_TRUE(commit(*engine, Insert{Table::device, record(std::to_string(i))}));
    std::barrier together{2};
    auto const race = [&](std::size_t who) {
        for (int i = 0; i < rounds; ++i) {
            auto mine = run_now(engine->get(Table::device, std::to_string(i))).value().value();
            mine.state = std::to_string(who);
            together.arrive_and_wait();
            won[who].push_back(!commit(*engine, Update{Table::device, mine})->conflict);
        }
    };
    std::thread other{race, 1};
    race(0);
    other.join();
    for (std::size_t i = 0; i < rounds; ++i) {
        EXPECT_NE(won[0][i], won[1][i]) << i;
        auto const now = run_now(engine->get(Table::device, std::to_string(i))).value().value();
        EXPECT_EQ(now.state, won[0][i] ? "0" : "1");
        EXPECT_EQ(now.version, 2);
    }
}

TEST_F(SqliteStore, counts_no_try_twice_and_forgets_none)
{
    auto const engine = open();
    constexpr int each = 100;
    std::array<std::vector<std::int64_t>, 4> seen;
    std::vector<std::thread> threads;
    threads.reserve(seen.size());
    for (auto& mine : seen)
        threads.emplace_back([&] {
            for (int i = 0; i < each; ++i)
                mine.push_back(commit(*engine, Count{Table::counter, record("tries")})->versions.front());
        });
    for (auto& thread : threads) thread.join();
    std::vector<std::int64_t> all;
    for (auto const& mine : seen) all.insert(all.end(), mine.begin(), mine.end());
    std::ranges::sort(all);
    for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], static_cast<std::int64_t>(i) + 1);
}

TEST_F(SqliteStore, two_programs_may_write_one_file)
{
    auto const server = open();
    auto const command = open();
    std::thread other{[&] {
        for (int i = 0; i < 50; ++i)
            EXPECT_TRUE(commit(*command, Insert{Table::client, record("command " + std::to_string(i))}));
    }};
    for (int i = 0; i < 50; ++i)
        EXPECT_TRUE(commit(*server, Append{LogEntry{.at = noon, .kind = "x", .id = "x", .owner = "x", .body = {}}}));
    other.join();
    EXPECT_EQ(run_now(server->list({.table = Table::client})).value().size(), 50U);
    EXPECT_TRUE(commit(*command, Append{LogEntry{.at = noon, .kind = "x", .id = "x", .owner = "x", .body = {}}}));
    EXPECT_EQ(run_now(verify_log(*server))->size, 51) << "each takes the chain up where the other left it";
}

TEST_F(SqliteStore, a_flow_goes_on_where_it_began_and_after_its_commit)
{
    auto const engine = open();
    Loop loop;
    auto const here = std::this_thread::get_id();
    auto flow = [](Engine& engine, std::thread::id here) -> Flow<void> {
        for (int i = 0; i < 20; ++i) {
            std::vector<Write> writes;
            writes.emplace_back(Insert{Table::device, record(std::to_string(i))});
            auto const committed = co_await engine.commit(std::move(writes));
            EXPECT_FALSE(committed.conflict);
            EXPECT_EQ(std::this_thread::get_id(), here);
            EXPECT_TRUE(co_await engine.get(Table::device, std::to_string(i)));
        }
        co_return {};
    };
    EXPECT_TRUE(loop.run(flow(*engine, here)));
}

TEST_F(SqliteStore, flows_that_wait_together_are_committed_together_and_each_gets_its_own_answer)
{
    auto const engine = open();
    Loop loop;
    auto const one = [](Engine& engine, int i) -> Flow<bool> {
        std::vector<Write> writes;
        writes.emplace_back(Insert{Table::consent, record(std::to_string(i))});
        writes.emplace_back(Append{LogEntry{.at = noon, .kind = "x", .id = "x", .owner = "x", .body = {}}});
        writes.emplace_back(Insert{Table::device, record(std::to_string(i / 2))}); // every second one comes too late
        auto const committed = co_await engine.commit(std::move(writes));
        co_return !committed.conflict.has_value();
    };
    std::vector<Flow<bool>> flows;
    flows.reserve(100);
    std::size_t ended = 0;
    for (int i = 0; i < 100; ++i) flows.push_back(one(*engine, i));
    for (auto& flow : flows) flow.start([&] { ++ended; });
    auto wait = [](Engine& engine, std::size_t& ended) -> Flow<void> {
        while (ended < 100) co_await engine.commit({});
        co_return {};
    };
    ASSERT_TRUE(loop.run(wait(*engine, ended)));
    for (std::size_t i = 0; i < flows.size(); ++i) EXPECT_EQ(flows[i].take().value(), i % 2 == 0) << i;
    EXPECT_EQ(run_now(engine->list({.table = Table::consent})).value().size(), 50U);
    EXPECT_EQ(run_now(verify_log(*engine))->size, 50) << "nothing stays of those that came too late";
    for (int i = 0; i < 100; ++i)
        EXPECT_EQ(run_now(engine->get(Table::consent, std::to_string(i))).value().has_value(), i % 2 == 0) << i;
}

TEST_F(SqliteStore, one_write_that_fails_does_not_take_the_others_with_it)
{
    auto const engine = open();
    sqlite::Connection stranger{file(), sqlite::Connection::Mode::write};
    stranger.execute(
        "CREATE TRIGGER no BEFORE INSERT ON device WHEN NEW.id = 'no' BEGIN SELECT raise(ABORT, 'no'); END");
    Loop loop;
    auto const one = [](Engine& engine, std::string id) -> Flow<void> {
        std::vector<Write> writes;
        writes.emplace_back(Insert{Table::consent, record(id)});
        writes.emplace_back(Insert{Table::device, record(id)});
        co_await engine.commit(std::move(writes));
        co_return {};
    };
    std::vector<Flow<void>> flows;
    std::size_t ended = 0;
    for (std::string const id : {"a", "no", "b"}) flows.push_back(one(*engine, id));
    for (auto& flow : flows) flow.start([&] { ++ended; });
    auto wait = [](Engine& engine, std::size_t& ended) -> Flow<void> {
        while (ended < 3) co_await engine.commit({});
        co_return {};
    };
    ASSERT_TRUE(loop.run(wait(*engine, ended)));
    EXPECT_TRUE(flows[0].take());
    auto const failed = flows[1].take();
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().outcome, Outcome::store_failed);
    EXPECT_TRUE(flows[2].take());
    EXPECT_FALSE(run_now(engine->get(Table::consent, "no")).value());
    EXPECT_TRUE(run_now(engine->get(Table::consent, "b")).value());
}

TEST_F(SqliteStore, too_many_that_wait_are_told_at_once)
{
    auto const engine = open({.most_waiting = 2, .most_at_once = 1});
    sqlite::Connection stranger{file(), sqlite::Connection::Mode::write};
    Loop loop;
    auto const one = [](Engine& engine, std::string id) -> Flow<void> {
        std::vector<Write> writes;
        writes.emplace_back(Insert{Table::device, record(std::move(id))});
        co_await engine.commit(std::move(writes));
        co_return {};
    };
    // While another program holds the lock, one batch is under way and two wait; of ten the others are refused.
    stranger.execute("BEGIN IMMEDIATE");
    std::vector<Flow<void>> flows;
    flows.reserve(10);
    std::size_t ended = 0;
    for (int i = 0; i < 10; ++i) flows.push_back(one(*engine, std::to_string(i)));
    for (auto& flow : flows) flow.start([&] { ++ended; });
    EXPECT_GE(ended, 7U);
    stranger.execute("COMMIT");
    auto wait = [](std::size_t& ended) -> Flow<void> {
        while (ended < 10) {
            auto later = [](Finish<void> const& finish) { Executor::current()->post([finish] { finish({}); }); };
            co_await wait_for<void>(later);
        }
        co_return {};
    };
    ASSERT_TRUE(loop.run(wait(ended)));
    std::size_t refused = 0;
    for (auto& flow : flows) {
        auto const result = flow.take();
        if (result) continue;
        EXPECT_EQ(result.error().outcome, Outcome::unavailable);
        ++refused;
    }
    EXPECT_EQ(refused + run_now(engine->list({.table = Table::device})).value().size(), 10U);
}

TEST_F(SqliteStore, no_personal_data_stand_in_its_files)
{
    testing::RepeatableRandom random{1};
    {
        auto const engine = open();
        Store store{*engine, testing::keys(), random};
        auto enrolment = testing::enrolment("e", "+32470123456");
        ASSERT_TRUE(run_now(store.enrolments().add(enrolment)));
        ASSERT_TRUE(run_now(store.accounts().open(testing::account("a", "+32470123456", "85073003328"),
                                                  testing::device("d", AccountId{"a"}), to_bytes("%PDF-1.7 Janssens"),
                                                  {enrolment, 1}, testing::entry(AccountId{"a"}, "enrolled"))));
        ASSERT_TRUE(run_now(store.sign_ins().add(testing::sign_in("s"))));
        ASSERT_TRUE(run_now(
            store.actions().start(testing::action("x", AccountId{"a"}, DeviceId{"d"}), {testing::sign_in("s"), 1})));

        // While it is open: the file, the write-ahead log and its index.
        std::string all;
        for (auto const& each : std::filesystem::directory_iterator{directory_.path()}) {
            std::ifstream in{each.path(), std::ios::binary};
            all += std::string{std::istreambuf_iterator<char>{in}, {}};
            EXPECT_EQ(std::filesystem::status(each.path()).permissions() &
                          (std::filesystem::perms::group_all | std::filesystem::perms::others_all),
                      std::filesystem::perms::none)
                << each.path();
        }
        EXPECT_NE(all.find("account/a"), std::string::npos) << "ids are in clear, so the search does find";
        for (std::string_view const secret :
             {"Janssens", "Jan Pieter", "85073003328", "32470123456", "0470123456", "470123456", "Dorpsstraat",
              "1985-07-30", "janssens@", "592123456789", "PDF", "Chrome on Android", "shop.example", "Chromium"})
            EXPECT_EQ(all.find(secret), std::string::npos) << secret;
    }
}

TEST_F(SqliteStore, what_is_removed_is_overwritten)
{
    auto const content = [this] {
        std::ifstream in{file(), std::ios::binary};
        return std::string{std::istreambuf_iterator<char>{in}, {}};
    };
    std::string const marked = "a wrapped data key that is to go for good";
    {
        auto const engine = open();
        auto key = record("account/a");
        key.body = to_bytes(marked);
        ASSERT_FALSE(commit(*engine, Insert{Table::data_key, key})->conflict);
    }
    ASSERT_NE(content().find(marked), std::string::npos);
    {
        auto const engine = open();
        ASSERT_FALSE(commit(*engine, Remove{Table::data_key, "account/a", 1})->conflict);
    }
    EXPECT_EQ(content().find(marked), std::string::npos);
}

TEST_F(SqliteStore, the_log_refuses_changes_and_tells_of_those_made_behind_its_back)
{
    {
        auto const engine = open();
        for (std::string const kind : {"enrolled", "approved", "refused"})
            ASSERT_TRUE(commit(*engine, Append{LogEntry{.at = noon,
                                                        .kind = kind,
                                                        .id = kind,
                                                        .account = Bytes(32, 1),
                                                        .content = Bytes(32, 1),
                                                        .owner = "somebody",
                                                        .body = {}}}));
    }
    sqlite::Connection stranger{file(), sqlite::Connection::Mode::write};
    EXPECT_THROW(stranger.execute("DELETE FROM log_entry"), sqlite::Error);
    EXPECT_THROW(stranger.execute("UPDATE log_entry SET kind = 'approved' WHERE sequence = 3"), sqlite::Error);
    EXPECT_NO_THROW(stranger.execute("UPDATE log_entry SET owner = '', body = x'' WHERE sequence = 1"))
        << "a person is deleted, the chain stays";
    auto const head = run_now(verify_log(*open()));
    ASSERT_TRUE(head);
    EXPECT_EQ(head->size, 3);

    stranger.execute("DROP TRIGGER log_entry_is_never_changed; DROP TRIGGER log_entry_is_never_removed");
    for (std::string const change :
         {"UPDATE log_entry SET kind = 'approved' WHERE sequence = 3", "UPDATE log_entry SET at = 1 WHERE sequence = 2",
          "UPDATE log_entry SET hash = zeroblob(32) WHERE sequence = 3",
          "UPDATE log_entry SET previous = zeroblob(32) WHERE sequence = 2",
          "UPDATE log_entry SET content = zeroblob(32) WHERE sequence = 1", "DELETE FROM log_entry WHERE sequence = 1",
          "UPDATE log_entry SET subtrees = zeroblob(32) WHERE sequence = 2", "DELETE FROM log_entry WHERE sequence = 2",
          "UPDATE log_entry SET sequence = 4 WHERE sequence = 3"}) {
        SCOPED_TRACE(change);
        stranger.execute("VACUUM INTO '" + (directory_.path() / "copy.db").string() + "'");
        {
            sqlite::Connection copy{directory_.path() / "copy.db", sqlite::Connection::Mode::write};
            copy.execute(change);
        }
        auto const changed = SqliteEngine::open(directory_.path() / "copy.db").value();
        auto const verdict = run_now(verify_log(*changed));
        ASSERT_FALSE(verdict);
        EXPECT_EQ(verdict.error().outcome, Outcome::data_damaged);
        std::filesystem::remove(directory_.path() / "copy.db");
    }
}

/// A log of one holder with a signed head after each entry, and the keys to it.
class SignedLog : public SqliteStore {
protected:
    SignedLog()
    {
        auto const engine = open();
        Store store{*engine, testing::keys(1), *random_};
        enrol(store, "a", "+32470123456", "85073003328");
        enrol(store, "b", "+32470999999", "90010100101");
        for (int i = 0; i < 5; ++i) {
            EXPECT_TRUE(run_now(store.history().append(testing::entry(AccountId{"a"}, "refused"))));
            keep_head(store);
        }
    }

    static void enrol(Store& store, std::string const& id, std::string const& number,
                      std::string const& national_number)
    {
        auto const enrolment = testing::enrolment(id, number);
        EXPECT_TRUE(run_now(store.enrolments().add(enrolment)));
        EXPECT_TRUE(run_now(store.accounts().open(
            testing::account(id, number, national_number), testing::device("device of " + id, AccountId{id}), Bytes{1},
            {.value = enrolment, .version = 1}, testing::entry(AccountId{id}, "enrolled"))));
    }

    void keep_head(Store& store)
    {
        auto const size = run_now(store.ledger().size()).value();
        auto const root = run_now(store.ledger().root(size)).value();
        heads_.push_back(crypto::sign_head({.size = size, .root = root, .at = noon}, key_));
        EXPECT_TRUE(run_now(store.ledger().keep_head({.size = size, .jws = heads_.back()})));
    }

    /// What the check says after changes behind the program's back; empty: all is well.
    std::string verdict_after(std::string const& changes, std::vector<std::string> heads = {})
    {
        auto const copy = directory_.path() / "copy.db";
        std::filesystem::remove(copy);
        {
            sqlite::Connection original{file(), sqlite::Connection::Mode::write};
            original.execute("VACUUM INTO '" + copy.string() + "'");
        }
        {
            sqlite::Connection stranger{copy, sqlite::Connection::Mode::write};
            for (auto const* trigger : {"log_entry_is_never_changed", "log_entry_is_never_removed",
                                        "log_head_is_never_changed", "log_head_is_never_removed"})
                stranger.execute("DROP TRIGGER " + std::string{trigger});
            stranger.execute(changes);
        }
        return verdict(copy, std::move(heads));
    }

    std::string verdict(std::filesystem::path const& path, std::vector<std::string> heads = {})
    {
        auto const engine = SqliteEngine::open(path).value();
        Store store{*engine, testing::keys(1), *random_};
        auto const checked = run_now(store.verify_log(key_.key.public_key(), std::move(heads)));
        return checked ? std::string{} : checked.error().detail;
    }

    std::unique_ptr<crypto::Random> random_ = crypto::system_random();
    crypto::SigningKey key_{.key_id = "log",
                            .algorithm = crypto::SignatureAlgorithm::es256,
                            .key = crypto::PrivateKey::generate(crypto::KeyType::ec_p256)};
    std::vector<std::string> heads_;
};

TEST_F(SignedLog, one_changed_byte_anywhere_is_found_and_named)
{
    ASSERT_EQ(verdict(file(), heads_), "");
    struct Change {
        std::string column;
        std::string expected;
    };
    for (auto const& change :
         {Change{"account", "entry 4 was changed"}, Change{"content", "entry 4 was changed"},
          Change{"hash", "entry 4 was changed"}, Change{"previous", "entry 4 does not follow the one before"},
          Change{"subtrees", "the subtrees of entry 4 were changed"},
          Change{"body", "the body of entry 4 was changed"}}) {
        SCOPED_TRACE(change.column);
        sqlite::Connection reader{file(), sqlite::Connection::Mode::read};
        auto row = reader.prepared("SELECT " + change.column + " FROM log_entry WHERE sequence = 4");
        ASSERT_TRUE(row.step());
        auto value = row.blob(0);
        value.back() ^= 1;
        EXPECT_EQ(verdict_after("UPDATE log_entry SET " + change.column + " = x'" + crypto::hex(value) +
                                "' WHERE sequence = 4"),
                  change.expected);
    }
    EXPECT_EQ(verdict_after("UPDATE log_entry SET at = at + 1 WHERE sequence = 4"), "entry 4 was changed");
    EXPECT_EQ(verdict_after("UPDATE log_entry SET kind = 'approved' WHERE sequence = 4"), "entry 4 was changed");
    EXPECT_EQ(verdict_after("UPDATE log_entry SET id = id || 'x' WHERE sequence = 4"), "entry 4 was changed");
    EXPECT_EQ(verdict_after("UPDATE log_entry SET owner = 'account/b' WHERE sequence = 4"),
              "entry 4 was given to another account");
    EXPECT_EQ(verdict_after("UPDATE log_head SET body = CAST(replace(CAST(body AS TEXT), '.', 'A.') AS BLOB) "
                            "WHERE id = '4'"),
              "the signed head of 4 entries has no good signature");
}

TEST_F(SignedLog, what_was_removed_reordered_or_cut_off_is_found_and_named)
{
    EXPECT_EQ(verdict_after("DELETE FROM log_entry WHERE sequence = 1"), "entry 1 is missing");
    EXPECT_EQ(verdict_after("DELETE FROM log_entry WHERE sequence = 5"), "entry 5 is missing");
    EXPECT_EQ(verdict_after("UPDATE log_entry SET sequence = -sequence WHERE sequence IN (4, 5);"
                            "UPDATE log_entry SET sequence = 9 + sequence WHERE sequence < 0"),
              "entry 4 does not follow the one before");
    EXPECT_EQ(verdict_after("DELETE FROM log_entry WHERE sequence = 7"),
              "a signed head tells of 7 entries, there are 6: cut off");
    EXPECT_EQ(verdict_after("DELETE FROM log_entry WHERE sequence = 7; DELETE FROM log_head WHERE id = '7'"), "")
        << "nothing in the file tells of it any more";
    EXPECT_EQ(verdict_after("DELETE FROM log_entry WHERE sequence = 7; DELETE FROM log_head WHERE id = '7'", heads_),
              "a signed head tells of 7 entries, there are 6: cut off")
        << "a head that was kept elsewhere does";
}

TEST_F(SignedLog, a_log_that_was_written_anew_is_found_by_the_heads_that_were_signed)
{
    // The operator's own program on a copy, one entry less: whole in itself, and another one than was told of.
    auto const other = directory_.path() / "other.db";
    {
        auto const engine = SqliteEngine::open(other).value();
        Store store{*engine, testing::keys(1), *random_};
        enrol(store, "a", "+32470123456", "85073003328");
        for (int i = 0; i < 6; ++i)
            ASSERT_TRUE(run_now(store.history().append(testing::entry(AccountId{"a"}, "refused"))));
        keep_head(store);
    }
    EXPECT_EQ(verdict(other), "");
    heads_.pop_back();
    EXPECT_EQ(verdict(other, heads_), "the signed head of 3 entries is of another log: forked");
}

TEST_F(SignedLog, two_heads_of_one_size_are_a_fork)
{
    EXPECT_EQ(verdict(file(), {crypto::sign_head({.size = 4, .root = Bytes(32, 1), .at = noon}, key_)}),
              "the signed head of 4 entries is of another log: forked");
    auto const stranger = crypto::SigningKey{.key_id = "log",
                                             .algorithm = crypto::SignatureAlgorithm::es256,
                                             .key = crypto::PrivateKey::generate(crypto::KeyType::ec_p256)};
    EXPECT_EQ(verdict(file(), {crypto::sign_head({.size = 4, .root = Bytes(32, 1), .at = noon}, stranger)}),
              "a signed head kept elsewhere has no good signature");
}

TEST_F(SignedLog, entries_of_the_program_before_have_a_place_in_the_tree)
{
    EXPECT_EQ(verdict_after("UPDATE log_entry SET subtrees = x'' WHERE sequence <= 5"), "");
    auto const engine = SqliteEngine::open(directory_.path() / "copy.db").value();
    auto const whole = open();
    std::vector<crypto::merkle::Node> const nodes{{.level = 2, .index = 0}, {.level = 1, .index = 2}};
    EXPECT_EQ(run_now(engine->log_hashes(nodes)).value(), run_now(whole->log_hashes(nodes)).value());
    ASSERT_TRUE(commit(*engine, Append{LogEntry{.at = noon, .kind = "x", .id = "x", .owner = "x", .body = {}}}));
    EXPECT_EQ(run_now(verify_log(*engine))->size, 8);
}

TEST_F(SqliteStore, a_file_of_every_earlier_schema_is_brought_up_to_date)
{
    auto const migrations = sqlite::all_migrations();
    for (int from = 0; from <= migrations.back().number; ++from) {
        SCOPED_TRACE(from);
        auto const old = directory_.path() / (std::to_string(from) + ".db");
        {
            sqlite::Connection connection{old, sqlite::Connection::Mode::write};
            sqlite::migrate(connection, migrations, from);
            if (from >= 1)
                connection.execute("INSERT INTO device (id, version, owner, state, body) "
                                   "VALUES ('old', 3, 'somebody', 'bound', x'0102');"
                                   "INSERT INTO action (id, version, owner, state, body) VALUES "
                                   "('open', 2, 'a', 'shown', x'01'), ('over', 3, 'a', 'approved', x'01')");
        }
        auto const engine = SqliteEngine::open(old);
        ASSERT_TRUE(engine);
        if (from >= 1) {
            auto const kept = run_now((*engine)->get(Table::device, "old")).value();
            ASSERT_TRUE(kept);
            EXPECT_EQ(kept->version, 3);
            EXPECT_EQ(kept->body, (Bytes{1, 2}));
        }
        if (from >= 1 && from < 8) { // when requests got that column
            auto const open =
                run_now((*engine)->list(
                            {.table = Table::action, .column = &columns::action_open_of, .value = to_bytes("a")}))
                    .value();
            ASSERT_EQ(open.size(), 1U) << "a request that is open meanwhile is still asked";
            EXPECT_EQ(open.front().id, "open");
        }
        EXPECT_FALSE(commit(**engine, Insert{Table::device, record("new")})->conflict);
    }
}

TEST_F(SqliteStore, migrations_run_once_in_their_order_and_whole)
{
    using sqlite::Migration;
    sqlite::Connection connection{file(), sqlite::Connection::Mode::write};
    std::array const first{Migration{1, "one", "CREATE TABLE one (x INTEGER)"}};
    std::array const both{first[0], Migration{2, "two", "ALTER TABLE one ADD COLUMN y INTEGER; CREATE TABLE two (z)"}};
    sqlite::migrate(connection, first, 1);
    connection.execute("INSERT INTO one (x) VALUES (1)");
    sqlite::migrate(connection, both, 2);
    sqlite::migrate(connection, both, 2);
    EXPECT_NO_THROW(connection.execute("INSERT INTO one (x, y) VALUES (1, 2); INSERT INTO two VALUES (3)"));

    // The program before it still starts.
    EXPECT_NO_THROW(sqlite::migrate(connection, first, 1));

    std::array const changed{Migration{1, "one", "CREATE TABLE one (x TEXT)"}};
    EXPECT_THROW(sqlite::migrate(connection, changed, 1), sqlite::Error);

    std::array const broken{both[0], both[1], Migration{3, "three", "CREATE TABLE three (a); CREATE TABLE three (b)"}};
    EXPECT_THROW(sqlite::migrate(connection, broken, 3), sqlite::Error);
    EXPECT_NO_THROW(connection.execute("CREATE TABLE three (a)")) << "nothing of it stayed";
}

TEST_F(SqliteStore, a_file_that_is_no_database_is_refused)
{
    std::ofstream{file()} << std::string(10'000, 'x');
    auto const engine = SqliteEngine::open(file());
    ASSERT_FALSE(engine);
    EXPECT_EQ(engine.error().outcome, Outcome::store_failed);
    EXPECT_FALSE(SqliteEngine::open(directory_.path() / "no" / "such" / "directory.db"));
}

} // namespace
} // namespace symbolon::store

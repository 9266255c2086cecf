#include "base/executor.hpp"
#include "crypto/hash.hpp"
#include "store/log.hpp"
#include "store/store_testing.hpp"

#include <gtest/gtest.h>

#include <barrier>
#include <set>
#include <thread>

/// What every store must do, over each of them.
namespace symbolon::store {
namespace {

using testing::noon;

enum class Kind : std::uint8_t { memory, sqlite };

std::string name_of_kind(::testing::TestParamInfo<Kind> const& info)
{
    return info.param == Kind::memory ? "memory" : "sqlite";
}

class EngineContract : public ::testing::TestWithParam<Kind> {
protected:
    void SetUp() override { open(); }

    /// What was committed must still be there; where nothing outlives the process, this does nothing.
    void reopen()
    {
        if (GetParam() == Kind::memory) return;
        engine_.reset();
        open();
    }

    Engine& engine() { return *engine_; }

    template <class... W>
    Committed commit(W... writes)
    {
        std::vector<Write> batch;
        (batch.emplace_back(std::move(writes)), ...);
        return run_now(engine().commit(std::move(batch))).value();
    }

    std::optional<Record> get(Table table, std::string id)
    {
        return run_now(engine().get(table, std::move(id))).value();
    }

    std::vector<std::string> ids(Query query)
    {
        std::vector<std::string> found;
        auto const records = run_now(engine().list(std::move(query))).value();
        found.reserve(records.size());
        for (auto const& record : records) found.push_back(record.id);
        return found;
    }

private:
    void open()
    {
        if (GetParam() == Kind::memory) {
            engine_ = std::make_unique<MemoryEngine>();
        } else {
            engine_ = SqliteEngine::open(directory_.path() / "store.db").value();
        }
    }

    testing::TemporaryDirectory directory_;
    std::unique_ptr<Engine> engine_;
};

Record device(std::string id, std::string owner = "somebody", std::string state = {})
{
    return {.id = std::move(id), .owner = std::move(owner), .keys = {}, .state = std::move(state), .body = {1, 2, 3}};
}

Record account(std::string const& id, std::optional<Bytes> phone_number, std::optional<Bytes> national_number)
{
    return {.id = id,
            .owner = "account/" + id,
            .keys = {std::move(phone_number), std::move(national_number)},
            .state = "active",
            .body = {0, 255}};
}

LogEntry line(std::string kind, std::string owner = "account/a")
{
    return {.at = noon,
            .kind = std::move(kind),
            .id = "id",
            .account = Bytes(32, 1),
            .content = Bytes(32, 2),
            .owner = std::move(owner),
            .body = {7}};
}

TEST_P(EngineContract, keeps_a_record_as_it_was_given)
{
    auto record = account("a", Bytes{1, 0, 2}, Bytes{});
    record.kept_until = noon;
    EXPECT_EQ(commit(Insert{Table::account, record}).versions, std::vector<std::int64_t>{1});
    reopen();
    auto const found = get(Table::account, "a");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->id, "a");
    EXPECT_EQ(found->version, 1);
    EXPECT_EQ(found->owner, "account/a");
    EXPECT_EQ(found->state, "active");
    EXPECT_EQ(found->keys, record.keys);
    EXPECT_EQ(found->kept_until, noon);
    EXPECT_EQ(found->body, record.body);
    EXPECT_FALSE(get(Table::account, "b"));
    EXPECT_FALSE(get(Table::device, "a"));
}

TEST_P(EngineContract, inserts_an_id_once)
{
    EXPECT_FALSE(commit(Insert{Table::device, device("a")}).conflict);
    auto const again = commit(Insert{Table::device, device("a", "somebody else")});
    ASSERT_TRUE(again.conflict);
    EXPECT_EQ(again.conflict->write, 0U);
    EXPECT_EQ(again.conflict->key, nullptr);
    EXPECT_EQ(get(Table::device, "a")->owner, "somebody");
}

TEST_P(EngineContract, a_unique_key_has_one_record_and_absent_keys_are_no_keys)
{
    EXPECT_FALSE(commit(Insert{Table::account, account("a", Bytes{1}, Bytes{2})},
                        Insert{Table::account, account("b", std::nullopt, std::nullopt)},
                        Insert{Table::account, account("c", std::nullopt, std::nullopt)})
                     .conflict);
    auto const same_number = commit(Insert{Table::account, account("d", Bytes{1}, Bytes{3})});
    ASSERT_TRUE(same_number.conflict);
    ASSERT_NE(same_number.conflict->key, nullptr);
    EXPECT_EQ(same_number.conflict->key->name, "phone_number");

    auto taking = account("b", std::nullopt, Bytes{2});
    taking.version = 1;
    auto const by_update = commit(Update{Table::account, taking});
    ASSERT_TRUE(by_update.conflict);
    ASSERT_NE(by_update.conflict->key, nullptr);
    EXPECT_EQ(by_update.conflict->key->name, "national_number");

    // Let go, it is free.
    auto letting_go = account("a", std::nullopt, std::nullopt);
    letting_go.version = 1;
    EXPECT_FALSE(commit(Update{Table::account, letting_go}, Update{Table::account, taking}).conflict);
    EXPECT_EQ(run_now(engine().find(columns::account_national_number, Bytes{2})).value(), "b");
}

TEST_P(EngineContract, an_old_version_is_named_before_a_taken_key)
{
    commit(Insert{Table::account, account("a", Bytes{1}, Bytes{2})});
    commit(Insert{Table::account, account("b", Bytes{3}, Bytes{4})});
    auto old = account("b", Bytes{1}, Bytes{2});
    old.version = 7;
    auto const result = commit(Update{Table::account, old});
    ASSERT_TRUE(result.conflict);
    EXPECT_EQ(result.conflict->key, nullptr);
}

TEST_P(EngineContract, changes_only_the_version_that_it_was_read_at)
{
    commit(Insert{Table::device, device("a")});
    auto first = *get(Table::device, "a");
    auto second = first;
    first.state = "first";
    second.state = "second";
    EXPECT_EQ(commit(Update{Table::device, first}).versions, std::vector<std::int64_t>{2});
    auto const late = commit(Update{Table::device, second});
    ASSERT_TRUE(late.conflict);
    EXPECT_EQ(get(Table::device, "a")->state, "first");
    EXPECT_EQ(get(Table::device, "a")->version, 2);

    EXPECT_TRUE(commit(Remove{Table::device, "a", 1}).conflict);
    EXPECT_FALSE(commit(Remove{Table::device, "a", 2}).conflict);
    EXPECT_FALSE(get(Table::device, "a"));
    EXPECT_TRUE(commit(Update{Table::device, first}).conflict) << "what is gone does not come back";
}

TEST_P(EngineContract, does_all_of_a_batch_or_nothing)
{
    commit(Insert{Table::device, device("there")});
    auto changed = *get(Table::device, "there");
    changed.state = "changed";
    auto const result = commit(Insert{Table::device, device("new")}, Update{Table::device, changed},
                               Append{line("approved")}, Count{Table::counter, device("count", "", "")},
                               RemoveAllOf{Table::device, "somebody"}, Insert{Table::device, device("other", "x")},
                               Remove{Table::device, "nobody", 1}, Insert{Table::device, device("after")});
    ASSERT_TRUE(result.conflict);
    EXPECT_EQ(result.conflict->write, 6U);
    EXPECT_TRUE(result.versions.empty());
    reopen();
    EXPECT_FALSE(get(Table::device, "new"));
    EXPECT_FALSE(get(Table::device, "other"));
    EXPECT_EQ(get(Table::device, "there")->state, "");
    EXPECT_FALSE(get(Table::counter, "count"));
    EXPECT_TRUE(run_now(engine().log_from(1, 10))->empty());
}

TEST_P(EngineContract, counts_without_reading_first)
{
    for (int i = 1; i <= 5; ++i) EXPECT_EQ(commit(Count{Table::counter, device("tries")}).versions.front(), i);
    EXPECT_EQ(commit(Count{Table::counter, device("other")}).versions.front(), 1);
    reopen();
    EXPECT_EQ(commit(Count{Table::counter, device("tries")}).versions.front(), 6);
}

TEST_P(EngineContract, finds_the_newest_of_a_shared_key)
{
    auto const enrolment = [](std::string id, Bytes browser) {
        return Record{.id = std::move(id), .owner = "e", .keys = {std::move(browser), {}, {}, {}, {}}, .body = {}};
    };
    commit(Insert{Table::enrolment, enrolment("z", Bytes{1})});
    commit(Insert{Table::enrolment, enrolment("a", Bytes{1})});
    commit(Insert{Table::enrolment, enrolment("m", Bytes{2})});
    EXPECT_EQ(run_now(engine().find(columns::enrolment_browser, Bytes{1})).value(), "a");
    EXPECT_FALSE(run_now(engine().find(columns::enrolment_browser, Bytes{3})).value());
    EXPECT_FALSE(run_now(engine().find(columns::enrolment_ticket, Bytes{1})).value());
}

TEST_P(EngineContract, lists_what_is_asked_in_the_order_of_insertion)
{
    auto const with = [](std::string id, std::string owner, std::string state, Instant until) {
        auto record = device(std::move(id), std::move(owner), std::move(state));
        record.kept_until = until;
        record.keys = {std::nullopt};
        return Insert{Table::action, record};
    };
    commit(with("5", "a", "waiting", noon + 1s), with("3", "a", "shown", noon), with("4", "a", "approved", noon + 1s),
           with("1", "b", "waiting", noon + 1s), with("2", "a", "waiting", noon + 2s));
    using Ids = std::vector<std::string>;
    EXPECT_EQ(ids({.table = Table::action}), (Ids{"5", "3", "4", "1", "2"}));
    EXPECT_EQ(ids({.table = Table::action, .owner = "a"}), (Ids{"5", "3", "4", "2"}));
    EXPECT_EQ(ids({.table = Table::action, .owner = "a", .states = {"waiting", "shown"}}), (Ids{"5", "3", "2"}));
    EXPECT_EQ(ids({.table = Table::action, .states = {"waiting"}, .kept_after = noon + 1s}), (Ids{"2"}));
    EXPECT_EQ(ids({.table = Table::action, .states = {"waiting", "shown"}, .kept_up_to = noon + 1s}),
              (Ids{"5", "3", "1"}));
    EXPECT_EQ(ids({.table = Table::action, .owner = "a", .states = {"waiting"}, .kept_up_to = noon + 1s}), (Ids{"5"}));
    EXPECT_EQ(ids({.table = Table::action, .order = Query::Order::newest_first, .at_most = 2}), (Ids{"2", "1"}));
    EXPECT_EQ(ids({.table = Table::action, .owner = "nobody"}), Ids{});
}

TEST_P(EngineContract, leaves_out_what_is_known_of_a_version)
{
    commit(Insert{Table::account, account("a", Bytes{1}, std::nullopt)});
    auto const known = run_now(engine().get(Table::account, "a", 1)).value();
    ASSERT_TRUE(known);
    EXPECT_EQ(known->version, 1);
    EXPECT_EQ(known->owner, "account/a");
    for (int look = 0; look < 2; ++look) { // the second one from memory
        auto const again = run_now(engine().get(Table::account, "a", 1)).value();
        EXPECT_TRUE(again->body.empty() && again->keys.empty() && again->state.empty());
    }
    EXPECT_EQ(run_now(engine().get(Table::account, "a", 2)).value()->body, (Bytes{0, 255}));
    EXPECT_FALSE(run_now(engine().get(Table::account, "b", 1)).value());
}

TEST_P(EngineContract, sweeps_what_is_over_a_part_at_a_time)
{
    for (int i = 0; i < 5; ++i) {
        auto record = device(std::to_string(i));
        record.kept_until = noon + Seconds{i};
        auto of_sign_in = record;
        of_sign_in.keys = {std::nullopt};
        commit(Insert{Table::nonce, record}, Insert{Table::sign_in, of_sign_in});
    }
    commit(Insert{Table::nonce, device("for ever")});
    EXPECT_EQ(run_now(engine().sweep(noon - 1s, 10)).value(), 0U);
    EXPECT_EQ(run_now(engine().sweep(noon + 2s, 2)).value(), 4U);
    EXPECT_EQ(run_now(engine().sweep(noon + 2s, 2)).value(), 2U);
    EXPECT_EQ(run_now(engine().sweep(noon + 2s, 2)).value(), 0U);
    EXPECT_EQ(ids({.table = Table::nonce}), (std::vector<std::string>{"3", "4", "for ever"}));
}

TEST_P(EngineContract, chains_the_log)
{
    EXPECT_EQ(commit(Append{line("enrolled")}, Append{line("approved", "account/b")}).versions,
              (std::vector<std::int64_t>{1, 2}));
    EXPECT_EQ(commit(Append{line("refused")}).versions, std::vector<std::int64_t>{3});
    reopen();
    auto const entries = run_now(engine().log_from(1, 10)).value();
    ASSERT_EQ(entries.size(), 3U);
    EXPECT_EQ(entries[0].previous, Bytes(32, 0));
    EXPECT_EQ(entries[1].previous, entries[0].hash);
    EXPECT_EQ(entries[2].previous, entries[1].hash);
    EXPECT_EQ(entries[2].hash, leaf_hash(entries[2]));
    EXPECT_EQ(entries[2].kind, "refused");
    EXPECT_EQ(entries[2].body, Bytes{7});
    EXPECT_EQ(run_now(engine().log_from(3, 10))->size(), 1U);

    auto const of_a = run_now(engine().log_of("account/a", 100, 10)).value();
    ASSERT_EQ(of_a.size(), 2U);
    EXPECT_EQ(of_a[0].kind, "refused") << "newest first";
    EXPECT_EQ(run_now(engine().log_of("account/a", 100, 1))->size(), 1U);
    EXPECT_EQ(run_now(engine().log_of("account/a", 3, 10))->size(), 1U) << "those before";

    auto const head = run_now(verify_log(engine())).value();
    EXPECT_EQ(head.size, 3);
    EXPECT_EQ(head.hash, entries[2].hash);
}

// RFC 9162 §2.1: what the engine keeps of the tree is the tree of the entries' hashes, whatever its size.
TEST_P(EngineContract, keeps_the_hashes_of_every_subtree_of_the_log)
{
    using crypto::merkle::Node;
    crypto::merkle::Growing tree;
    std::map<Node, Bytes> expected;
    for (std::int64_t size = 1; size <= 20; ++size) {
        commit(Append{line("approved")});
        auto const entry = run_now(engine().log_from(size, 1)).value().at(0);
        expected[{.level = 0, .index = size - 1}] = entry.hash;
        auto level = 0;
        for (auto const& subtree : tree.add(entry.hash)) {
            ++level;
            expected[{.level = level, .index = (size >> level) - 1}] = subtree;
        }
        EXPECT_EQ(run_now(engine().log_size()).value(), size);
    }
    reopen();
    for (auto const& [node, hash] : expected)
        EXPECT_EQ(run_now(engine().log_hashes({node})).value().at(0), hash) << node.level << '/' << node.index;
    for (auto const beyond : {Node{.level = 0, .index = 20}, Node{.level = 3, .index = 2}})
        EXPECT_EQ(run_now(engine().log_hashes({beyond})).error().outcome, Outcome::data_damaged);
    EXPECT_EQ(run_now(verify_log(engine()))->root, tree.root());
}

TEST_P(EngineContract, a_batch_that_fails_leaves_no_trace_in_the_tree)
{
    commit(Append{line("enrolled")}, Insert{Table::device, device("taken", "", "")});
    EXPECT_TRUE(
        commit(Append{line("approved")}, Append{line("approved")}, Insert{Table::device, device("taken", "", "")})
            .conflict);
    commit(Append{line("refused")});
    EXPECT_EQ(run_now(engine().log_size()).value(), 2);
    EXPECT_TRUE(run_now(verify_log(engine())));
}

TEST_P(EngineContract, an_empty_log_is_sound)
{
    auto const head = run_now(verify_log(engine())).value();
    EXPECT_EQ(head.size, 0);
    EXPECT_TRUE(head.hash.empty());
}

INSTANTIATE_TEST_SUITE_P(Over, EngineContract, ::testing::Values(Kind::memory, Kind::sqlite), name_of_kind);

// ---- ports
// -----------------------------------------------------------------------------------------------------------

class StoreContract : public ::testing::TestWithParam<Kind> {
protected:
    StoreContract()
    {
        if (GetParam() == Kind::memory) {
            engine_ = std::make_unique<MemoryEngine>();
        } else {
            engine_ = SqliteEngine::open(directory_.path() / "store.db").value();
        }
        store_ = std::make_unique<Store>(*engine_, testing::keys(), random_);
    }

    /// The same records through other eyes.
    std::unique_ptr<Store> with_keys(Keys keys) { return std::make_unique<Store>(*engine_, std::move(keys), random_); }

    Engine& engine() { return *engine_; }
    crypto::Random& random() { return random_; }
    Store& store() { return *store_; }

    /// An account as the flow of enrolment makes it.
    Result<void> enrol(std::string const& id, std::string const& phone_number, std::string national_number)
    {
        auto enrolment = testing::enrolment("enrolment of " + id, phone_number);
        EXPECT_TRUE(run_now(store().enrolments().add(enrolment)));
        enrolment.state = enrolment::State::done;
        return run_now(store().accounts().open(testing::account(id, phone_number, std::move(national_number)),
                                               testing::device("device of " + id, AccountId{id}),
                                               to_bytes("%PDF of " + id), {enrolment, 1},
                                               testing::entry(AccountId{id}, "enrolled")));
    }

    static Outcome outcome(auto const& result) { return result ? Outcome::internal : result.error().outcome; }

private:
    testing::TemporaryDirectory directory_;
    testing::RepeatableRandom random_{1};
    std::unique_ptr<Engine> engine_;
    std::unique_ptr<Store> store_;
};

TEST_P(StoreContract, A4_an_enrolment_becomes_an_account_in_one_step)
{
    ASSERT_TRUE(enrol("a", "+32470123456", "85073003328"));

    auto const account = run_now(store().accounts().find(AccountId{"a"})).value();
    ASSERT_TRUE(account);
    EXPECT_EQ(account->value.person.full_name(), testing::account("a", "", "").person.full_name());
    EXPECT_EQ(account->version, 1);
    EXPECT_TRUE(run_now(store().accounts().find_by_phone_number(account::PhoneNumber{"+32470123456"})).value());
    EXPECT_TRUE(run_now(store().accounts().find_by_national_number("85073003328")).value());
    EXPECT_FALSE(run_now(store().accounts().find_by_phone_number(account::PhoneNumber{"+32470123457"})).value());

    EXPECT_EQ(run_now(store().devices().find(DeviceId{"device of a"})).value()->value.name, "Chrome on Android");
    EXPECT_EQ(run_now(store().contracts().find(AccountId{"a"}, ContractId{"contract of a"})).value(),
              to_bytes("%PDF of a"));
    EXPECT_FALSE(run_now(store().contracts().find(AccountId{"b"}, ContractId{"contract of a"})).value())
        << "another's contract";
    auto const enrolment = run_now(store().enrolments().find(EnrolmentId{"enrolment of a"})).value();
    EXPECT_EQ(enrolment->value.state, enrolment::State::done);
    EXPECT_EQ(enrolment->version, 2);
    EXPECT_EQ(run_now(store().history().list(AccountId{"a"}, 10))->front().event, "enrolled");
}

TEST_P(StoreContract, F4_a_person_who_is_erased_is_found_by_nothing_and_the_log_stays_whole)
{
    ASSERT_TRUE(enrol("a", "+32470123456", "85073003328"));
    ASSERT_TRUE(enrol("b", "+32470999999", "90010100101"));
    auto evidence = testing::entry(AccountId{"a"}, "approved");
    evidence.record = to_bytes("what was signed");
    ASSERT_TRUE(run_now(store().history().append(std::move(evidence))));

    ASSERT_TRUE(run_now(store().erase(AccountId{"a"}, testing::noon)));
    EXPECT_EQ(outcome(run_now(store().erase(AccountId{"a"}, testing::noon))), Outcome::not_found);
    auto const elsewhere = with_keys(testing::keys()); // a program that remembers nothing
    for (auto* const some : {&store(), elsewhere.get()}) {
        EXPECT_FALSE(run_now(some->accounts().find(AccountId{"a"})).value());
        EXPECT_FALSE(run_now(some->accounts().find_by_phone_number(account::PhoneNumber{"+32470123456"})).value());
        EXPECT_FALSE(run_now(some->accounts().find_by_national_number("85073003328")).value());
        EXPECT_FALSE(run_now(some->devices().find(DeviceId{"device of a"})).value());
        EXPECT_FALSE(run_now(some->contracts().find(AccountId{"a"}, ContractId{"contract of a"})).value());
        EXPECT_FALSE(run_now(some->enrolments().find(EnrolmentId{"enrolment of a"})).value());
        EXPECT_TRUE(run_now(some->accounts().find(AccountId{"b"})).value()) << "nobody else is touched";
    }
    EXPECT_EQ(outcome(run_now(elsewhere->history().list(AccountId{"a"}, 10))), Outcome::data_damaged)
        << "the lines are there, and nobody can read them";
    auto const head =
        run_now(elsewhere->verify_log(crypto::PrivateKey::generate(crypto::KeyType::ec_p256).public_key(), {}));
    ASSERT_TRUE(head) << head.error().detail;
    EXPECT_EQ(head->size, 4);
    EXPECT_TRUE(enrol("c", "+32470123456", "85073003328")) << "and may come again";
}

TEST_P(StoreContract, everything_opens_while_the_master_key_is_rotated_and_after_it)
{
    ASSERT_TRUE(enrol("a", "+32470123456", "85073003328"));
    auto const before = testing::keys();
    Keys const during{.master = SecretBytes{Bytes(32, 0x77)}, .lookup = before.lookup, .former_master = before.master};
    Keys const afterwards{.master = during.master, .lookup = before.lookup};
    auto const opens = [](Store& some, std::string const& id) {
        return run_now(some.accounts().find(AccountId{id})).has_value();
    };

    // A program that began before, and looks where the operator keeps the keys.
    auto kept = before;
    Store running{engine(), before, random(), [&]() -> Result<Keys> { return kept; }};
    kept = during;
    auto const operators = with_keys(during);
    EXPECT_TRUE(opens(*operators, "a"));
    EXPECT_GT(run_now(operators->rewrap_some_keys()).value(), 0);
    EXPECT_EQ(run_now(operators->rewrap_some_keys()).value(), 0);
    EXPECT_TRUE(opens(running, "a")) << "wrapped anew behind its back";
    auto const enrolment = testing::enrolment("later", "+32470999999");
    ASSERT_TRUE(run_now(running.enrolments().add(enrolment)));
    EXPECT_EQ(run_now(operators->rewrap_some_keys()).value(), 0) << "new ones are wrapped with the new master key";

    auto const next = with_keys(afterwards);
    EXPECT_TRUE(opens(*next, "a"));
    EXPECT_TRUE(run_now(next->enrolments().find(enrolment.id)).value());
    EXPECT_FALSE(opens(*with_keys(before), "a")) << "the one before opens nothing any more";
}

TEST_P(StoreContract, A8_one_person_has_one_account_and_one_number_too)
{
    ASSERT_TRUE(enrol("a", "+32470123456", "85073003328"));
    EXPECT_EQ(outcome(enrol("b", "+32470999999", "85073003328")), Outcome::already_a_holder);
    EXPECT_EQ(outcome(enrol("c", "+32470123456", "90010100101")), Outcome::phone_number_taken);
    EXPECT_EQ(outcome(enrol("d", "+32470123456", "85073003328")), Outcome::already_a_holder);

    // Nothing of it was done.
    for (std::string const id : {"b", "c", "d"}) {
        EXPECT_FALSE(run_now(store().accounts().find(AccountId{id})).value());
        EXPECT_FALSE(run_now(store().devices().find(DeviceId{"device of " + id})).value());
        EXPECT_EQ(run_now(store().enrolments().find(EnrolmentId{"enrolment of " + id})).value()->version, 1);
        EXPECT_TRUE(run_now(store().history().list(AccountId{id}, 10))->empty());
    }
}

TEST_P(StoreContract, an_enrolment_makes_one_account)
{
    ASSERT_TRUE(enrol("a", "+32470123456", "85073003328"));
    auto enrolment = testing::enrolment("enrolment of a", "+32470123456");
    EXPECT_EQ(outcome(run_now(store().accounts().open(testing::account("b", "+32470999999", "90010100101"),
                                                      testing::device("device of b", AccountId{"b"}), {},
                                                      {enrolment, 1}, testing::entry(AccountId{"b"}, "enrolled")))),
              Outcome::conflict);
}

TEST_P(StoreContract, undoing_an_enrolment_frees_person_and_number)
{
    ASSERT_TRUE(enrol("a", "+32470123456", "85073003328"));
    auto const account = *run_now(store().accounts().find(AccountId{"a"})).value();
    auto const device = *run_now(store().devices().find(DeviceId{"device of a"})).value();
    auto enrolment = *run_now(store().enrolments().find(EnrolmentId{"enrolment of a"})).value();
    enrolment.value.state = enrolment::State::undone;
    account::PushSubscription const subscription{.device = DeviceId{"device of a"},
                                                 .account = AccountId{"a"},
                                                 .endpoint = "https://push.example/p",
                                                 .since = noon};
    ASSERT_TRUE(run_now(store().push_subscriptions().put(subscription)));
    ASSERT_TRUE(
        run_now(store().accounts().undo_open(account, device, enrolment, testing::entry(AccountId{"a"}, "undone"))));

    auto const closed = run_now(store().accounts().find(AccountId{"a"})).value();
    EXPECT_EQ(closed->value.state, account::State::closed);
    EXPECT_FALSE(closed->value.device);
    EXPECT_EQ(run_now(store().devices().find(DeviceId{"device of a"})).value()->value.state,
              account::Device::State::unbound);
    EXPECT_FALSE(run_now(store().push_subscriptions().find(DeviceId{"device of a"})).value());
    EXPECT_FALSE(run_now(store().accounts().find_by_phone_number(account::PhoneNumber{"+32470123456"})).value());
    EXPECT_FALSE(run_now(store().accounts().find_by_national_number("85073003328")).value());
    EXPECT_TRUE(enrol("b", "+32470123456", "85073003328"));
    EXPECT_EQ(outcome(run_now(
                  store().accounts().undo_open(account, device, enrolment, testing::entry(AccountId{"a"}, "undone")))),
              Outcome::conflict);
}

/// A move of account `id` to the phone `device`, as it is read now.
ports::AccountMove move_of(Store& store, std::string const& id, std::string const& device, std::string const& number)
{
    auto const account = *run_now(store.accounts().find(AccountId{id})).value();
    auto next = account.value;
    next.device = DeviceId{device};
    next.contract = ContractId{"contract of " + device};
    next.phone_number = account::PhoneNumber{number};
    auto before = *run_now(store.devices().find(*account.value.device)).value();
    before.value.state = account::Device::State::unbound;
    auto enrolment = testing::enrolment("enrolment of " + device, number);
    EXPECT_TRUE(run_now(store.enrolments().add(enrolment)));
    enrolment.state = enrolment::State::done;
    return {.account = {next, account.version},
            .device = testing::device(device, AccountId{id}),
            .before = before,
            .contract_pdf = to_bytes("%PDF of " + device),
            .enrolment = {enrolment, 1},
            .entry = testing::entry(AccountId{id}, "moved"),
            .number_lost = std::nullopt,
            .credential = std::nullopt};
}

TEST_P(StoreContract, E1_an_account_moves_to_another_phone_in_one_step_and_once)
{
    ASSERT_TRUE(enrol("a", "+32470123456", "85073003328"));
    account::PushSubscription const subscription{.device = DeviceId{"device of a"},
                                                 .account = AccountId{"a"},
                                                 .endpoint = "https://push.example/p",
                                                 .since = noon};
    ASSERT_TRUE(run_now(store().push_subscriptions().put(subscription)));
    auto const first = move_of(store(), "a", "second", "+32470123456");
    auto const late = move_of(store(), "a", "third", "+32470123457");
    ASSERT_TRUE(run_now(store().accounts().move(first)));
    EXPECT_EQ(outcome(run_now(store().accounts().move(late))), Outcome::conflict);

    auto const account = run_now(store().accounts().find(AccountId{"a"})).value();
    EXPECT_EQ(account->value.device, DeviceId{"second"});
    EXPECT_EQ(run_now(store().devices().find(DeviceId{"device of a"})).value()->value.state,
              account::Device::State::unbound);
    EXPECT_TRUE(run_now(store().devices().find(DeviceId{"second"})).value());
    EXPECT_FALSE(run_now(store().devices().find(DeviceId{"third"})).value()) << "nothing of it was done";
    EXPECT_FALSE(run_now(store().accounts().find_by_phone_number(account::PhoneNumber{"+32470123457"})).value());
    EXPECT_EQ(run_now(store().enrolments().find(EnrolmentId{"enrolment of third"})).value()->version, 1);
    EXPECT_FALSE(run_now(store().push_subscriptions().find(DeviceId{"device of a"})).value());
    EXPECT_EQ(run_now(store().contracts().find(AccountId{"a"}, ContractId{"contract of second"})).value(),
              to_bytes("%PDF of second"));
    EXPECT_TRUE(run_now(store().contracts().find(AccountId{"a"}, ContractId{"contract of a"})).value())
        << "what was signed before is kept";
    auto const history = run_now(store().history().list(AccountId{"a"}, 10)).value();
    ASSERT_EQ(history.size(), 2);
    EXPECT_EQ(history.front().event, "moved");
}

TEST_P(StoreContract, E10_a_number_goes_from_one_account_to_another_in_one_step)
{
    ASSERT_TRUE(enrol("a", "+32470123456", "85073003328"));
    ASSERT_TRUE(enrol("b", "+32470999999", "90010100101"));
    EXPECT_EQ(outcome(run_now(store().accounts().move(move_of(store(), "b", "new", "+32470123456")))),
              Outcome::phone_number_taken);
    auto move = move_of(store(), "b", "newer", "+32470123456");
    auto loser = *run_now(store().accounts().find(AccountId{"a"})).value();
    loser.value.phone_number = {};
    move.number_lost = {.account = loser, .entry = testing::entry(AccountId{"a"}, "number_lost")};
    ASSERT_TRUE(run_now(store().accounts().move(move)));
    auto const reached = run_now(store().accounts().find_by_phone_number(account::PhoneNumber{"+32470123456"})).value();
    ASSERT_TRUE(reached);
    EXPECT_EQ(reached->value.id, AccountId{"b"});
    EXPECT_TRUE(run_now(store().accounts().find(AccountId{"a"})).value()->value.phone_number.empty());
    EXPECT_EQ(run_now(store().history().list(AccountId{"a"}, 1)).value().front().event, "number_lost");

    // And to a new one.
    auto enrolment = testing::enrolment("enrolment of c", "+32470123456");
    ASSERT_TRUE(run_now(store().enrolments().add(enrolment)));
    auto second = *run_now(store().accounts().find(AccountId{"b"})).value();
    second.value.phone_number = {};
    ASSERT_TRUE(run_now(store().accounts().open(
        testing::account("c", "+32470123456", "72020200222"), testing::device("device of c", AccountId{"c"}), {},
        {enrolment, 1}, testing::entry(AccountId{"c"}, "enrolled"),
        ports::NumberLost{.account = second, .entry = testing::entry(AccountId{"b"}, "number_lost")}, std::nullopt)));
    EXPECT_EQ(run_now(store().accounts().find_by_phone_number(account::PhoneNumber{"+32470123456"})).value()->value.id,
              AccountId{"c"});
}

TEST_P(StoreContract, whoever_saves_second_is_told_and_changes_nothing)
{
    ASSERT_TRUE(enrol("a", "+32470123456", "85073003328"));
    auto first = *run_now(store().accounts().find(AccountId{"a"})).value();
    auto second = first;
    first.value.state = account::State::blocked;
    second.value.email = "other@mail.example";
    EXPECT_TRUE(run_now(store().accounts().save(first, testing::entry(AccountId{"a"}, "blocked"))));
    EXPECT_EQ(outcome(run_now(store().accounts().save(second, testing::entry(AccountId{"a"}, "changed")))),
              Outcome::conflict);
    auto const now = *run_now(store().accounts().find(AccountId{"a"})).value();
    EXPECT_EQ(now.value.state, account::State::blocked);
    EXPECT_EQ(now.value.email, "jan.janssens@mail.example");
    EXPECT_EQ(run_now(store().history().list(AccountId{"a"}, 10))->size(), 2U);
}

TEST_P(StoreContract, a_phone_has_one_push_subscription_at_most)
{
    ASSERT_TRUE(enrol("a", "+32470123456", "85073003328"));
    auto& subscriptions = store().push_subscriptions();
    DeviceId const phone{"device of a"};
    account::PushSubscription const first{.device = phone,
                                          .account = AccountId{"a"},
                                          .state = account::PushSubscription::State::on,
                                          .endpoint = "https://push.example/p/1",
                                          .point = Bytes(65, 4),
                                          .auth = Bytes(16, 7),
                                          .language = Language::de,
                                          .since = noon};
    EXPECT_TRUE(run_now(subscriptions.turn_off(phone, noon))) << "none is as good as off";
    ASSERT_TRUE(run_now(subscriptions.put(first)));
    auto const kept = run_now(subscriptions.find(phone)).value().value();
    EXPECT_EQ(kept.value.endpoint, first.endpoint);
    EXPECT_EQ(kept.value.point, first.point);
    EXPECT_EQ(kept.value.auth, first.auth);
    EXPECT_EQ(kept.value.language, Language::de);
    EXPECT_EQ(kept.value.since, noon);

    auto second = first;
    second.endpoint = "https://push.example/p/2";
    ASSERT_TRUE(run_now(subscriptions.put(second)));
    EXPECT_EQ(outcome(run_now(subscriptions.save(kept))), Outcome::conflict) << "another took its place";
    EXPECT_EQ(run_now(subscriptions.find(phone)).value()->value.endpoint, second.endpoint);
    EXPECT_TRUE(run_now(subscriptions.turn_off(phone, noon + 1s)));
    auto const off = run_now(subscriptions.find(phone)).value().value();
    EXPECT_EQ(off.value.state, account::PushSubscription::State::off);
    EXPECT_EQ(off.value.endpoint, "");
    EXPECT_TRUE(off.value.point.empty() && off.value.auth.empty());
    EXPECT_EQ(off.value.since, noon + 1s);
}

TEST_P(StoreContract, A3_an_enrolment_is_found_by_each_of_its_ways_in)
{
    auto enrolment = testing::enrolment("e", "+32470123456");
    ASSERT_TRUE(run_now(store().enrolments().add(enrolment)));
    ASSERT_TRUE(run_now(store().enrolments().add(testing::enrolment("other", "+32470999999"))));
    auto& enrolments = store().enrolments();
    EXPECT_EQ(run_now(enrolments.find_by_browser(enrolment.browser_hash)).value()->value.id.text(), "e");
    EXPECT_EQ(run_now(enrolments.find_by_ticket(enrolment.ticket_hash)).value()->value.id.text(), "e");
    EXPECT_EQ(run_now(enrolments.find_by_reader_session(enrolment.reader_session_hash)).value()->value.id.text(), "e");
    EXPECT_EQ(run_now(enrolments.find_by_phone_session(enrolment.phone_session_hash)).value()->value.id.text(), "e");

    // A way that is closed leads nowhere, and nothing is found by nothing.
    auto stored = *run_now(enrolments.find(EnrolmentId{"e"})).value();
    stored.value.ticket_hash.clear();
    ASSERT_TRUE(run_now(enrolments.save(stored)));
    EXPECT_FALSE(run_now(enrolments.find_by_ticket(enrolment.ticket_hash)).value());
    EXPECT_FALSE(run_now(enrolments.find_by_ticket({})).value());
    EXPECT_EQ(outcome(run_now(enrolments.save(stored))), Outcome::conflict);
    EXPECT_EQ(outcome(run_now(enrolments.add(enrolment))), Outcome::conflict);
}

TEST_P(StoreContract, A4_a_phone_finds_the_enrolments_that_wait_for_it_newest_first)
{
    auto& enrolments = store().enrolments();
    account::PhoneNumber const number{"+32470123456"};
    for (int i = 0; i < 12; ++i) {
        auto enrolment = testing::enrolment(std::to_string(i), number.e164());
        enrolment.state = i % 4 == 0   ? enrolment::State::card
                          : i % 4 == 1 ? enrolment::State::token
                          : i % 4 == 2 ? enrolment::State::sms
                                       : enrolment::State::code;
        ASSERT_TRUE(run_now(enrolments.add(enrolment)));
    }
    ASSERT_TRUE(run_now(enrolments.add(testing::enrolment("other", "+32470999999"))));
    std::vector<std::string> found;
    for (auto const& each : run_now(enrolments.waiting_for_phone(number)).value())
        found.push_back(each.value.id.text());
    EXPECT_EQ(found, (std::vector<std::string>{"11", "10", "9", "7", "6", "5", "3", "2"}));
}

TEST_P(StoreContract, B1_who_types_a_token_never_finds_an_enrolment_that_a_phone_began_itself)
{
    auto& enrolments = store().enrolments();
    account::PhoneNumber const number{"+32470123456"};
    auto with_token = testing::enrolment("card", number.e164());
    with_token.state = enrolment::State::sms;
    ASSERT_TRUE(run_now(enrolments.add(with_token)));
    using enrolment::State;
    for (auto const state : {State::bank, State::landed, State::sms, State::code}) {
        for (int i = 0; i < 8; ++i) {
            auto it = testing::enrolment(std::to_string(static_cast<int>(state)) + std::to_string(i), number.e164());
            it.state = state;
            it.token_hash.clear();
            ASSERT_TRUE(run_now(enrolments.add(it)));
            auto const kept = run_now(enrolments.find(it.id)).value().value();
            EXPECT_EQ(kept.value.state, state);
            ASSERT_TRUE(run_now(enrolments.save(kept)));
        }
    }
    auto const found = run_now(enrolments.waiting_for_phone(number)).value();
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found.front().value.id.text(), "card");
}

TEST_P(StoreContract, B1_accounts_without_a_contract_open_and_move)
{
    auto const open = [&](std::string const& id, std::string const& number, std::string const& person) {
        auto enrolment = testing::enrolment("enrolment of " + id, number);
        EXPECT_TRUE(run_now(store().enrolments().add(enrolment)));
        auto account = testing::account(id, number, person);
        account.contract = {};
        return run_now(store().accounts().open(account, testing::device("device of " + id, AccountId{id}), {},
                                               {enrolment, 1}, testing::entry(AccountId{id}, "enrolled")));
    };
    ASSERT_TRUE(open("a", "+32470123456", "85073003328"));
    ASSERT_TRUE(open("b", "+32470123457", "90010100101"));
    EXPECT_EQ(run_now(store().accounts().find(AccountId{"a"})).value()->value.contract, ContractId{});
    for (auto const* id : {"a", "b"}) {
        auto move = move_of(store(), id, std::string{"second of "} + id, "+3247099999" + std::to_string(id[0] % 10));
        move.account.value.contract = {};
        move.contract_pdf = {};
        EXPECT_TRUE(run_now(store().accounts().move(move))) << id;
    }
    EXPECT_FALSE(run_now(store().contracts().find(AccountId{"a"}, ContractId{})).value());
}

TEST_P(StoreContract, D1_a_sign_in_asks_a_phone_and_ends_with_a_grant)
{
    ASSERT_TRUE(enrol("a", "+32470123456", "85073003328"));
    auto sign_in = testing::sign_in("s");
    ASSERT_TRUE(run_now(store().sign_ins().add(sign_in)));
    sign_in.state = grant::SignIn::State::waiting;
    auto const action = testing::action("x", AccountId{"a"}, DeviceId{"device of a"});
    ASSERT_TRUE(run_now(store().actions().start(action, {sign_in, 1})));
    EXPECT_EQ(run_now(store().sign_ins().find(SignInId{"s"})).value()->value.state, grant::SignIn::State::waiting);

    auto const open = run_now(store().actions().open_for(AccountId{"a"}, noon + 1min)).value();
    ASSERT_EQ(open.size(), 1U);
    EXPECT_TRUE(run_now(store().actions().open_for(AccountId{"a"}, noon + 3min))->empty()) << "open while now < end";
    EXPECT_TRUE(run_now(store().actions().open_for(AccountId{"b"}, noon + 1min))->empty());

    auto approved = open.front();
    approved.value.state = action::State::approved;
    approved.value.record = to_bytes("what was signed");
    auto device = *run_now(store().devices().find(DeviceId{"device of a"})).value();
    device.value.ratchet = Bytes(16, 8);
    auto entry = testing::entry(AccountId{"a"}, "approved");
    entry.record = approved.value.record;
    ASSERT_TRUE(run_now(store().actions().decide(approved, device, entry)));
    EXPECT_TRUE(run_now(store().actions().open_for(AccountId{"a"}, noon + 1min))->empty());
    auto const decided = *run_now(store().actions().find(ActionId{"x"})).value();
    EXPECT_TRUE(decided.value.record.empty()) << "the history has it";
    EXPECT_EQ(run_now(store().actions().record_of(decided.value)).value(), approved.value.record);
    EXPECT_EQ(run_now(store().devices().find(DeviceId{"device of a"})).value()->value.ratchet, Bytes(16, 8));

    auto waiting = *run_now(store().sign_ins().find(SignInId{"s"})).value();
    waiting.value.state = grant::SignIn::State::finished;
    auto grant = testing::grant("g", AccountId{"a"});
    grant.access_token_hash.clear();
    ASSERT_TRUE(run_now(store().sign_ins().finish(waiting, grant)));
    EXPECT_EQ(outcome(run_now(store().sign_ins().finish(waiting, testing::grant("h", AccountId{"a"})))),
              Outcome::conflict);
    EXPECT_TRUE(run_now(store().grants().find_by_code(grant.code_hash)).value());
    EXPECT_FALSE(run_now(store().grants().find_by_code(testing::grant("h", AccountId{"a"}).code_hash)).value());
}

TEST_P(StoreContract, D6_of_two_answers_one_counts_and_the_other_leaves_no_trace)
{
    ASSERT_TRUE(enrol("a", "+32470123456", "85073003328"));
    auto sign_in = testing::sign_in("s");
    ASSERT_TRUE(run_now(store().sign_ins().add(sign_in)));
    ASSERT_TRUE(
        run_now(store().actions().start(testing::action("x", AccountId{"a"}, DeviceId{"device of a"}), {sign_in, 1})));
    auto const action = *run_now(store().actions().find(ActionId{"x"})).value();
    auto const device = *run_now(store().devices().find(DeviceId{"device of a"})).value();
    ASSERT_TRUE(run_now(store().actions().decide(action, device, testing::entry(AccountId{"a"}, "approved"))));
    EXPECT_EQ(outcome(run_now(store().actions().decide(action, device, testing::entry(AccountId{"a"}, "refused")))),
              Outcome::conflict);
    EXPECT_EQ(run_now(store().history().list(AccountId{"a"}, 10))->front().event, "approved");
}

TEST_P(StoreContract, D7_an_action_of_nobody_is_kept_like_another)
{
    auto sign_in = testing::sign_in("s");
    ASSERT_TRUE(run_now(store().sign_ins().add(sign_in)));
    ASSERT_TRUE(run_now(store().actions().start(testing::action("x", {}, {}), {sign_in, 1})));
    auto action = *run_now(store().actions().find(ActionId{"x"})).value();
    EXPECT_FALSE(action.value.account);
    action.value.state = action::State::expired;
    EXPECT_TRUE(run_now(store().actions().save(action)));
}

TEST_P(StoreContract, a_code_is_redeemed_once)
{
    ASSERT_TRUE(enrol("a", "+32470123456", "85073003328"));
    ASSERT_TRUE(run_now(store().sign_ins().add(testing::sign_in("s"))));
    auto grant = testing::grant("g", AccountId{"a"});
    grant.access_token_hash.clear();
    ASSERT_TRUE(run_now(store().sign_ins().finish({testing::sign_in("s"), 1}, grant)));

    auto redeemed = *run_now(store().grants().find_by_code(grant.code_hash)).value();
    redeemed.value.state = grant::Grant::State::redeemed;
    redeemed.value.access_token_hash = Bytes(32, 42);
    EXPECT_TRUE(run_now(store().grants().save(redeemed)));
    EXPECT_EQ(outcome(run_now(store().grants().save(redeemed))), Outcome::conflict);
    EXPECT_EQ(run_now(store().grants().find_by_access_token(Bytes(32, 42))).value()->value.state,
              grant::Grant::State::redeemed);
    EXPECT_FALSE(run_now(store().grants().find_by_access_token({})).value());
}

TEST_P(StoreContract, clients_are_kept_by_their_id)
{
    EXPECT_TRUE(run_now(store().clients().add(testing::client("shop"))));
    EXPECT_TRUE(run_now(store().clients().add(testing::client("bank"))));
    EXPECT_EQ(outcome(run_now(store().clients().add(testing::client("shop")))), Outcome::conflict);
    EXPECT_EQ(run_now(store().clients().list())->size(), 2U);
    auto client = *run_now(store().clients().find(ClientId{"shop"})).value();
    client.value.domain = "other.example";
    EXPECT_TRUE(run_now(store().clients().save(client)));
    EXPECT_EQ(run_now(store().clients().find(ClientId{"shop"})).value()->value.domain, "other.example");
    EXPECT_FALSE(run_now(store().clients().find(ClientId{"nobody"})).value());
    EXPECT_EQ(outcome(run_now(store().clients().remove(client))), Outcome::conflict) << "it was changed since";
    EXPECT_TRUE(run_now(store().clients().remove(*run_now(store().clients().find(ClientId{"shop"})).value())));
    EXPECT_FALSE(run_now(store().clients().find(ClientId{"shop"})).value());
    EXPECT_EQ(run_now(store().clients().list())->size(), 1U);
}

TEST_P(StoreContract, a_nonce_is_used_once_within_its_kind)
{
    auto& nonces = store().nonces();
    EXPECT_EQ(run_now(nonces.use("assertion", "one", noon + 60s)).value(), true);
    EXPECT_EQ(run_now(nonces.use("assertion", "one", noon + 60s)).value(), false);
    EXPECT_EQ(run_now(nonces.use("assertion", "two", noon + 60s)).value(), true);
    EXPECT_EQ(run_now(nonces.use("person_check", "one", noon + 60s)).value(), true);
    EXPECT_EQ(run_now(nonces.use("assertion", std::string(10'000, 'x'), noon)).value(), true);
}

TEST_P(StoreContract, counts_within_windows)
{
    auto& counters = store().counters();
    auto const begins = instant_of(std::int64_t{1'790'164'800} / 1200 * 1200);
    EXPECT_EQ(run_now(counters.add("sms", Bytes{1}, 20min, begins)).value(), 1);
    EXPECT_EQ(run_now(counters.add("sms", Bytes{1}, 20min, begins + 20min - 1s)).value(), 2);
    EXPECT_EQ(run_now(counters.add("sms", Bytes{1}, 20min, begins + 20min)).value(), 1);
    EXPECT_EQ(run_now(counters.add("sms", Bytes{2}, 20min, begins)).value(), 1);
    EXPECT_EQ(run_now(counters.add("token", Bytes{1}, 20min, begins)).value(), 1);
    EXPECT_EQ(run_now(counters.add("sms", Bytes{1}, 24h, begins)).value(), 1);
}

TEST_P(StoreContract, F3_history_is_the_log_as_its_holder_reads_it)
{
    ASSERT_TRUE(enrol("a", "+32470123456", "85073003328"));
    ASSERT_TRUE(enrol("b", "+32470999999", "90010100101"));
    for (int i = 0; i < 3; ++i) {
        auto entry = testing::entry(AccountId{"a"}, "refused");
        entry.detail = std::to_string(i);
        ASSERT_TRUE(run_now(store().history().append(entry)));
    }
    auto const entries = run_now(store().history().list(AccountId{"a"}, 3)).value();
    ASSERT_EQ(entries.size(), 3U);
    EXPECT_EQ(entries[0].detail, "2");
    EXPECT_EQ(entries[2].detail, "0");
    EXPECT_EQ(entries[0].client.text(), "shop");
    EXPECT_EQ(entries[0].at, noon);
    EXPECT_EQ(run_now(verify_log(engine()))->size, 5);
}

TEST_P(StoreContract, F3_what_ended_without_an_answer_is_found_until_its_history_is_written)
{
    ASSERT_TRUE(enrol("a", "+32470123456", "85073003328"));
    ASSERT_TRUE(enrol("b", "+32470999999", "90010100101"));
    auto& actions = store().actions();
    auto const begin = [&](std::string const& id, std::optional<AccountId> account, Seconds lifetime) {
        auto it = testing::action(id, std::move(account), {});
        it.expires_at = noon + lifetime;
        auto sign_in = testing::sign_in("sign-in of " + id);
        sign_in.short_code.clear();
        ASSERT_TRUE(run_now(store().sign_ins().add(sign_in)));
        ASSERT_TRUE(run_now(actions.start(it, {sign_in, 1})));
    };
    begin("ran out", AccountId{"a"}, 1min);
    begin("open", AccountId{"a"}, 2min);
    begin("another's", AccountId{"b"}, 1min);
    begin("nobody's", {}, 1min);
    begin("cancelled", AccountId{"a"}, 3min);
    auto cancelled = *run_now(actions.find(ActionId{"cancelled"})).value();
    cancelled.value = *action::end(cancelled.value, action::Event::cancel, Outcome::cancelled, noon);
    ASSERT_TRUE(run_now(actions.save(cancelled)));

    auto const found = [&](std::optional<AccountId> account) {
        std::set<std::string> ids;
        for (auto const& id : run_now(actions.unanswered(std::move(account), noon + 1min)).value())
            ids.insert(id.text());
        return ids;
    };
    EXPECT_EQ(found({}), (std::set<std::string>{"ran out", "another's", "nobody's", "cancelled"}));
    EXPECT_EQ(found(AccountId{"a"}), (std::set<std::string>{"ran out", "cancelled"}));

    ++cancelled.version;
    ASSERT_TRUE(run_now(actions.settle(cancelled, testing::entry(AccountId{"a"}, "cancelled"))));
    EXPECT_EQ(found(AccountId{"a"}), (std::set<std::string>{"ran out"}));
    EXPECT_EQ(outcome(run_now(actions.settle(cancelled, testing::entry(AccountId{"a"}, "cancelled")))),
              Outcome::conflict);
    EXPECT_EQ(run_now(store().history().list(AccountId{"a"}, 10))->size(), 2U) << "enrolled, cancelled";
}

TEST_P(StoreContract, G5_evidence_is_kept_with_its_entry_and_is_what_was_logged)
{
    ASSERT_TRUE(enrol("a", "+32470123456", "85073003328"));
    auto entry = testing::entry(AccountId{"a"}, "approved");
    entry.record = to_bytes("what was signed");
    ASSERT_TRUE(run_now(store().history().append(entry)));
    ASSERT_TRUE(run_now(store().sweep(noon + 1000 * 24h)));

    auto const line = run_now(store().history().lines(AccountId{"a"}, 100, 1)).value().front();
    EXPECT_EQ(run_now(store().history().record(AccountId{"a"}, line.id)).value(), entry.record);
    EXPECT_FALSE(run_now(store().history().record(AccountId{"b"}, line.id)).value()) << "another's";
    EXPECT_FALSE(run_now(store().history().record(AccountId{"a"}, "no entry")).value());

    auto const verdict = [&] {
        auto const key = crypto::PrivateKey::generate(crypto::KeyType::ec_p256).public_key();
        auto const checked = run_now(store().verify_log(key, {}));
        return checked ? std::to_string(checked->evidence) : checked.error().detail;
    };
    EXPECT_EQ(verdict(), "1");
    auto const kept = *run_now(engine().get(Table::evidence, line.id)).value();
    std::vector<Write> writes;
    auto changed = kept;
    changed.body.back() ^= 1;
    writes.emplace_back(Update{Table::evidence, changed});
    ASSERT_FALSE(run_now(engine().commit(std::move(writes)))->conflict);
    EXPECT_EQ(verdict(), "the evidence of entry 2 was changed");
    std::vector<Write> removal;
    removal.emplace_back(Remove{Table::evidence, line.id, 2});
    ASSERT_FALSE(run_now(engine().commit(std::move(removal)))->conflict);
    EXPECT_EQ(verdict(), "the evidence of entry 2 is missing");
}

TEST_P(StoreContract, F3_each_history_entry_proves_that_it_is_in_the_log)
{
    namespace merkle = crypto::merkle;
    ASSERT_TRUE(enrol("a", "+32470123456", "85073003328"));
    ASSERT_TRUE(enrol("b", "+32470999999", "90010100101"));
    for (int i = 0; i < 9; ++i)
        ASSERT_TRUE(run_now(store().history().append(testing::entry(AccountId{i % 2 == 0 ? "a" : "b"}, "refused"))));

    auto& ledger = store().ledger();
    auto const size = run_now(ledger.size()).value();
    ASSERT_EQ(size, 11);
    auto const root = run_now(ledger.root(size)).value();
    EXPECT_EQ(root, run_now(verify_log(engine()))->root);
    auto const lines = run_now(store().history().lines(AccountId{"a"}, 100, 50)).value();
    ASSERT_EQ(lines.size(), 6U);
    for (auto const& line : lines) {
        auto const leaf = leaf_hash(LogEntry{.sequence = line.sequence,
                                             .at = line.at,
                                             .kind = line.kind,
                                             .id = line.id,
                                             .account = line.account,
                                             .content = line.content,
                                             .previous = line.previous,
                                             .owner = {},
                                             .body = {},
                                             .subtrees = {}});
        auto const path = run_now(ledger.inclusion(line.sequence, size)).value();
        EXPECT_TRUE(merkle::proves_inclusion(leaf, line.sequence - 1, size, path, root)) << line.sequence;
        EXPECT_EQ(crypto::sha256(line.body), line.content) << "the body is what the log's hash is of";
    }
    EXPECT_EQ(run_now(store().history().lines(AccountId{"a"}, lines[2].sequence, 2))->at(0).sequence, lines[3].sequence)
        << "the page after";
    for (std::int64_t first = 1; first <= size; ++first)
        EXPECT_TRUE(merkle::proves_consistency(first, run_now(ledger.root(first)).value(), size, root,
                                               run_now(ledger.consistency(first, size)).value()));
}

TEST_P(StoreContract, D4_consents_are_kept_apart_and_withdrawing_one_ends_its_tokens)
{
    ASSERT_TRUE(enrol("a", "+32470123456", "85073003328"));
    auto const decide = [&](std::string const& id, consent::Consent consent, std::int64_t version) {
        auto sign_in = testing::sign_in("s" + id);
        EXPECT_TRUE(run_now(store().sign_ins().add(sign_in)));
        auto action = testing::action(id, AccountId{"a"}, DeviceId{"device of a"});
        EXPECT_TRUE(run_now(store().actions().start(action, {.value = sign_in, .version = 1})));
        auto device = *run_now(store().devices().find(DeviceId{"device of a"})).value();
        return run_now(store().actions().decide({.value = action, .version = 1}, device,
                                                testing::entry(AccountId{"a"}, "approved"),
                                                ports::Stored<consent::Consent>{std::move(consent), version}));
    };
    consent::Consent consent{.account = AccountId{"a"}, .client = ClientId{"shop"}, .shared = {"name"}, .since = noon};
    EXPECT_FALSE(run_now(store().consents().find(AccountId{"a"}, ClientId{"shop"})).value());
    ASSERT_TRUE(decide("1", consent, 0));
    EXPECT_EQ(outcome(decide("2", consent, 0)), Outcome::conflict) << "there is one";
    consent.kept_back = {"email"};
    ASSERT_TRUE(decide("3", consent, 1));
    auto const kept = run_now(store().consents().find(AccountId{"a"}, ClientId{"shop"})).value();
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->value.kept_back, std::vector<std::string>{"email"});
    EXPECT_EQ(run_now(store().consents().list(AccountId{"a"}))->size(), 1U);
    EXPECT_TRUE(run_now(store().consents().list(AccountId{"b"}))->empty());

    auto const grant = testing::grant("g", AccountId{"a"});
    ASSERT_TRUE(run_now(store().sign_ins().finish({.value = testing::sign_in("s1"), .version = 2}, grant)));
    ASSERT_TRUE(run_now(store().consents().withdraw(*kept, testing::entry(AccountId{"a"}, "consent_withdrawn"))));
    auto const withdrawn = run_now(store().consents().find(AccountId{"a"}, ClientId{"shop"})).value();
    ASSERT_TRUE(withdrawn);
    EXPECT_TRUE(consent::is_withdrawn(withdrawn->value));
    EXPECT_TRUE(run_now(store().consents().list(AccountId{"a"}))->empty());
    EXPECT_EQ(run_now(store().grants().find_by_code(grant.code_hash)).value()->value.state,
              grant::Grant::State::revoked);
    EXPECT_EQ(outcome(run_now(store().consents().withdraw(*kept, testing::entry(AccountId{"a"}, "x")))),
              Outcome::conflict);
}

TEST_P(StoreContract, D5_what_is_remembered_of_a_number_decides_who_of_two_was_first)
{
    auto const number = account::PhoneNumber{"+32470123456"};
    ASSERT_TRUE(run_now(store().clients().add(testing::client("shop"))));
    auto trace = run_now(store().actions().trace_of(number)).value();
    EXPECT_EQ(trace.version, 0);
    trace.value.last_symbol = "boat";
    auto const start = [&](std::string const& id) {
        auto sign_in = testing::sign_in("s" + id);
        EXPECT_TRUE(run_now(store().sign_ins().add(sign_in)));
        return run_now(store().actions().start_by_number(
            testing::action(id, std::nullopt, std::nullopt), {.value = sign_in, .version = 1}, number, trace,
            std::nullopt, {.kind = "start", .key = Bytes{1}, .window = 1min, .at_most = {}}));
    };
    EXPECT_TRUE(start("1").value());
    EXPECT_FALSE(start("2").value()) << "with the trace of before";
    trace = run_now(store().actions().trace_of(number)).value();
    EXPECT_EQ(trace.value.last_symbol, "boat");
    EXPECT_TRUE(start("3").value());
    EXPECT_FALSE(run_now(store().actions().find(ActionId{"2"})).value());
}

TEST_P(StoreContract, a_start_by_number_is_counted_by_its_own_commit_and_none_is_one_too_many)
{
    ASSERT_TRUE(run_now(store().clients().add(testing::client("shop"))));
    auto const start = [&](std::string const& id, std::optional<int> at_most) {
        auto sign_in = testing::sign_in("s" + id);
        EXPECT_TRUE(run_now(store().sign_ins().add(sign_in)));
        account::PhoneNumber const number{"+3247012345" + id};
        auto trace = run_now(store().actions().trace_of(number)).value();
        return outcome(run_now(store().actions().start_by_number(
            testing::action(id, std::nullopt, std::nullopt), {.value = sign_in, .version = 1}, number, std::move(trace),
            std::nullopt, {.kind = "start", .key = Bytes{1}, .window = 1min, .at_most = at_most})));
    };
    auto const done = Outcome::internal;
    EXPECT_EQ(start("0", 0), Outcome::too_many_requests);
    EXPECT_EQ(start("1", 2), done);
    EXPECT_EQ(start("2", 2), done);
    EXPECT_EQ(start("3", 2), Outcome::too_many_requests);
    EXPECT_FALSE(run_now(store().actions().find(ActionId{"3"})).value());
    EXPECT_EQ(run_now(store().sign_ins().find(SignInId{"s3"})).value()->version, 1);
    EXPECT_EQ(start("4", {}), done) << "no limit";
    auto const at = testing::action("5", std::nullopt, std::nullopt).created_at;
    EXPECT_EQ(run_now(store().counters().add("start", Bytes{1}, 1min, at)).value(), 4) << "those that were done";
}

TEST_P(StoreContract, a_sign_in_is_counted_by_its_own_commit_and_none_is_one_too_many)
{
    auto const add = [&](std::string id, std::string short_code, std::optional<int> at_most) {
        auto sign_in = testing::sign_in(std::move(id));
        sign_in.short_code = std::move(short_code);
        return outcome(run_now(
            store().sign_ins().add(sign_in, {.kind = "begun", .key = Bytes{1}, .window = 1min, .at_most = at_most})));
    };
    auto const done = Outcome::internal;
    EXPECT_EQ(add("0", "AAAAAAAA", 0), Outcome::too_many_requests);
    EXPECT_EQ(add("1", "CCCCCCCC", 2), done);
    EXPECT_EQ(add("2", "CCCCCCCC", 2), Outcome::conflict) << "and not counted";
    EXPECT_EQ(add("3", "DDDDDDDD", 2), done);
    EXPECT_EQ(add("4", "EEEEEEEE", 2), Outcome::too_many_requests);
    EXPECT_FALSE(run_now(store().sign_ins().find(SignInId{"4"})).value());
    EXPECT_EQ(add("5", "FFFFFFFF", {}), done) << "no limit";
    EXPECT_EQ(run_now(store().counters().add("begun", Bytes{1}, 1min, testing::noon)).value(), 4);
}

TEST_P(StoreContract, a_redemption_and_what_it_uses_up_are_one)
{
    ASSERT_TRUE(enrol("a", "+32470123456", "85073003328"));
    ASSERT_TRUE(run_now(store().sign_ins().add(testing::sign_in("s"))));
    auto grant = testing::grant("g", AccountId{"a"});
    ASSERT_TRUE(run_now(store().sign_ins().finish({.value = testing::sign_in("s"), .version = 1}, grant)));
    auto const find = [&] { return *run_now(store().grants().find_by_code(grant.code_hash)).value(); };
    auto redeemed = find();
    redeemed.value.state = grant::Grant::State::redeemed;
    ports::Once const used{.kind = "assertion", .key = "one", .until = noon + 60s};
    ports::Once const fresh{.kind = "assertion", .key = "two", .until = noon + 60s};

    ASSERT_TRUE(run_now(store().nonces().use(used)).value());
    EXPECT_FALSE(run_now(store().grants().save(redeemed, used)).value());
    EXPECT_EQ(find().value.state, grant::Grant::State::issued);

    EXPECT_TRUE(run_now(store().grants().save(redeemed, fresh)).value());
    EXPECT_EQ(find().value.state, grant::Grant::State::redeemed);
    EXPECT_FALSE(run_now(store().nonces().use(fresh)).value());

    ports::Once const third{.kind = "assertion", .key = "three", .until = noon + 60s};
    EXPECT_FALSE(run_now(store().grants().save(redeemed, used)).value()) << "before anything is said of the grant";
    EXPECT_EQ(outcome(run_now(store().grants().save(redeemed, third))), Outcome::conflict);
    EXPECT_TRUE(run_now(store().nonces().use(third)).value()) << "nothing was done";
}

TEST_P(StoreContract, a_phone_is_saved_with_what_may_be_used_once_or_not_at_all)
{
    ASSERT_TRUE(enrol("a", "+32470123456", "85073003328"));
    auto const find = [&] { return *run_now(store().devices().find(DeviceId{"device of a"})).value(); };
    auto const entry = testing::entry(AccountId{"a"}, "passkey_on");
    ports::Once const used{.kind = "passkey", .key = "one", .until = noon + 60s};
    ports::Once const fresh{.kind = "passkey", .key = "two", .until = noon + 60s};
    ASSERT_TRUE(run_now(store().nonces().use(used)).value());
    auto const before = find();
    auto changed = before;
    changed.value.name = "Another name";

    EXPECT_FALSE(run_now(store().devices().save(changed, entry, used)).value());
    EXPECT_EQ(find().value.name, before.value.name);
    EXPECT_TRUE(run_now(store().devices().save(changed, entry, fresh)).value());
    EXPECT_EQ(find().value.name, "Another name");
    EXPECT_FALSE(run_now(store().nonces().use(fresh)).value());
    EXPECT_EQ(run_now(store().history().list(AccountId{"a"}, 9)).value().size(), 2U) << "enrolled, and the fingerprint";

    // Twice at once: who comes second reads that somebody was first, and finds with another look that it was itself.
    EXPECT_EQ(outcome(run_now(store().devices().save(changed, entry, fresh))), Outcome::conflict);
    ports::Once const third{.kind = "passkey", .key = "three", .until = noon + 60s};
    EXPECT_EQ(outcome(run_now(store().devices().save(changed, entry, third))), Outcome::conflict);
    EXPECT_TRUE(run_now(store().nonces().use(third)).value()) << "nothing was done";
}

TEST_P(StoreContract, an_account_comes_with_a_credential_that_nobody_had_or_not_at_all)
{
    ports::Once const used{.kind = "passkey", .key = "one", .until = noon + 60s};
    ports::Once const fresh{.kind = "passkey", .key = "two", .until = noon + 60s};
    ASSERT_TRUE(run_now(store().nonces().use(used)).value());
    auto enrolment = testing::enrolment("e", "+32470123456");
    ASSERT_TRUE(run_now(store().enrolments().add(enrolment)));
    auto const open = [&](ports::Once const& credential) {
        return run_now(store().accounts().open(testing::account("a", "+32470123456", "85073003328"),
                                               testing::device("device of a", AccountId{"a"}), {}, {enrolment, 1},
                                               testing::entry(AccountId{"a"}, "enrolled"), std::nullopt, credential));
    };
    EXPECT_EQ(outcome(open(used)), Outcome::passkey_refused);
    EXPECT_FALSE(run_now(store().accounts().find(AccountId{"a"})).value());
    EXPECT_TRUE(open(fresh));
    EXPECT_FALSE(run_now(store().nonces().use(fresh)).value());

    auto next = testing::enrolment("next", "+32470123456");
    ASSERT_TRUE(run_now(store().enrolments().add(next)));
    auto const move = [&](ports::Once const& credential) {
        auto account = *run_now(store().accounts().find(AccountId{"a"})).value();
        account.value.device = DeviceId{"new"};
        return run_now(store().accounts().move({.account = account,
                                                .device = testing::device("new", AccountId{"a"}),
                                                .before = std::nullopt,
                                                .contract_pdf = {},
                                                .enrolment = {next, 1},
                                                .entry = testing::entry(AccountId{"a"}, "moved"),
                                                .number_lost = std::nullopt,
                                                .credential = credential}));
    };
    ports::Once const third{.kind = "passkey", .key = "three", .until = noon + 60s};
    EXPECT_EQ(outcome(move(used)), Outcome::passkey_refused);
    EXPECT_FALSE(run_now(store().devices().find(DeviceId{"new"})).value());
    EXPECT_TRUE(move(third));
}

TEST_P(StoreContract, of_each_size_the_first_signed_head_stays)
{
    auto& ledger = store().ledger();
    EXPECT_FALSE(run_now(ledger.newest_head()).value());
    EXPECT_EQ(run_now(ledger.keep_head({.size = 9, .jws = "nine"}))->jws, "nine");
    EXPECT_EQ(run_now(ledger.keep_head({.size = 10, .jws = "ten"}))->jws, "ten");
    EXPECT_EQ(run_now(ledger.keep_head({.size = 10, .jws = "another"}))->jws, "ten");
    EXPECT_EQ(run_now(ledger.newest_head()).value()->size, 10);
}

TEST_P(StoreContract, short_lived_records_go_when_their_time_is_over)
{
    ASSERT_TRUE(enrol("a", "+32470123456", "85073003328"));
    ASSERT_TRUE(run_now(store().sign_ins().add(testing::sign_in("s"))));
    ASSERT_TRUE(run_now(store().nonces().use("assertion", "one", noon + 60s)));
    EXPECT_EQ(run_now(store().sweep(noon + 60s)).value(), 1U) << "the nonce";
    EXPECT_EQ(run_now(store().sweep(noon + 3h)).value(), 1U) << "the sign-in";
    EXPECT_EQ(run_now(store().sweep(noon + 24h * 30)).value(), 3U) << "the enrolment, its key and the day's key";
    EXPECT_TRUE(run_now(store().accounts().find(AccountId{"a"})).value());
    EXPECT_TRUE(run_now(store().contracts().find(AccountId{"a"}, ContractId{"contract of a"})).value());
}

TEST_P(StoreContract, a_body_opens_in_its_own_place_alone)
{
    ASSERT_TRUE(enrol("a", "+32470123456", "85073003328"));
    auto const record = *run_now(engine().get(Table::device, "device of a")).value();

    // The same bytes under another id.
    auto moved = record;
    moved.id = "other";
    std::vector<Write> writes;
    writes.emplace_back(Insert{Table::device, moved});
    ASSERT_FALSE(run_now(engine().commit(std::move(writes)))->conflict);
    EXPECT_EQ(outcome(run_now(store().devices().find(DeviceId{"other"}))), Outcome::data_damaged);

    // An older state put back: a ratchet that was used, a block that was lifted.
    auto device = *run_now(store().devices().find(DeviceId{"device of a"})).value();
    device.value.ratchet = Bytes(16, 1);
    ASSERT_TRUE(run_now(store().devices().save(device)));
    auto old = record;
    old.version = 2;
    std::vector<Write> put_back;
    put_back.emplace_back(Update{Table::device, old});
    ASSERT_FALSE(run_now(engine().commit(std::move(put_back)))->conflict);
    EXPECT_EQ(outcome(run_now(store().devices().find(DeviceId{"device of a"}))), Outcome::data_damaged);
}

TEST_P(StoreContract, nothing_opens_under_other_keys_or_after_the_data_key_is_gone)
{
    ASSERT_TRUE(enrol("a", "+32470123456", "85073003328"));
    auto const stranger = with_keys({.master = testing::keys(9).master, .lookup = testing::keys(1).lookup});
    EXPECT_EQ(outcome(run_now(stranger->accounts().find(AccountId{"a"}))), Outcome::data_damaged);
    auto const elsewhere = with_keys({.master = testing::keys(1).master, .lookup = testing::keys(9).lookup});
    EXPECT_FALSE(run_now(elsewhere->accounts().find_by_national_number("85073003328")).value());

    std::vector<Write> writes;
    writes.emplace_back(Remove{Table::data_key, "account/a", 1});
    ASSERT_FALSE(run_now(engine().commit(std::move(writes)))->conflict);
    auto const afterwards = with_keys(testing::keys());
    EXPECT_EQ(outcome(run_now(afterwards->accounts().find(AccountId{"a"}))), Outcome::data_damaged);
    EXPECT_EQ(outcome(run_now(afterwards->history().list(AccountId{"a"}, 1))), Outcome::data_damaged);
    EXPECT_EQ(run_now(verify_log(engine()))->size, 1) << "the chain stays whole";
}

TEST_P(StoreContract, sees_at_once_what_another_process_changed)
{
    enrol("ada", "+32470000001", "85073003328").value();
    auto const other = with_keys(testing::keys());
    auto const find = [](Store& at) { return run_now(at.accounts().find(AccountId{"ada"})).value(); };
    auto const before = find(store());
    ASSERT_TRUE(before);
    EXPECT_EQ(find(*other)->version, before->version);

    auto account = before->value;
    account.email = "ada@new.example";
    run_now(other->accounts().save(changed(*before, account), testing::entry(AccountId{"ada"}, "changed"))).value();
    EXPECT_EQ(find(store())->value.email, "ada@new.example");
    EXPECT_EQ(run_now(store().accounts().find_by_phone_number(testing::account("x", "+32470000001", "").phone_number))
                  .value()
                  ->value.email,
              "ada@new.example");
}

TEST_P(StoreContract, what_was_not_written_is_not_remembered)
{
    run_now(store().sign_ins().add(testing::sign_in("one"))).value();
    auto const before = run_now(store().sign_ins().find(SignInId{"one"})).value().value();
    auto first = before.value;
    first.symbol = "boat";
    auto second = before.value;
    second.symbol = "moon";
    run_now(store().sign_ins().save(changed(before, first))).value();
    EXPECT_EQ(outcome(run_now(store().sign_ins().save(changed(before, second)))), Outcome::conflict);
    EXPECT_EQ(run_now(store().sign_ins().find(SignInId{"one"})).value()->value.symbol, "boat");
}

TEST_P(StoreContract, a_removed_record_is_gone_though_it_was_read_a_moment_ago)
{
    run_now(store().sign_ins().add(testing::sign_in("one"))).value();
    ASSERT_TRUE(run_now(store().sign_ins().find(SignInId{"one"})).value());
    std::vector<Write> writes;
    writes.emplace_back(Remove{.table = Table::sign_in, .id = "one", .version = 1});
    run_now(engine().commit(std::move(writes))).value();
    EXPECT_FALSE(run_now(store().sign_ins().find(SignInId{"one"})).value());
}

INSTANTIATE_TEST_SUITE_P(Over, StoreContract, ::testing::Values(Kind::memory, Kind::sqlite), name_of_kind);

} // namespace
} // namespace symbolon::store

#include "store/keyring.hpp"
#include "store/memory/memory_engine.hpp"
#include "store/store_testing.hpp"

#include <gtest/gtest.h>

namespace symbolon::store {
namespace {

/// An engine in which somebody else is faster: `meanwhile` runs after the first look at a record.
class Overtaken final : public Engine {
public:
    std::function<void(Engine&)> meanwhile;

    Flow<std::optional<Record>> get(Table table, std::string id, std::int64_t known) override
    {
        auto found = co_await inner_.get(table, std::move(id), known);
        if (auto const other = std::exchange(meanwhile, nullptr)) other(inner_);
        co_return found;
    }
    Flow<std::optional<std::string>> find(Column const& column, Bytes value) override
    {
        return inner_.find(column, std::move(value));
    }
    Flow<std::vector<Record>> list(Query query) override { return inner_.list(std::move(query)); }
    Flow<Committed> commit(std::vector<Write> writes) override { return inner_.commit(std::move(writes)); }
    Flow<std::vector<LogEntry>> log_of(std::string owner, std::int64_t before, std::size_t at_most) override
    {
        return inner_.log_of(std::move(owner), before, at_most);
    }
    Flow<std::vector<LogEntry>> log_from(std::int64_t sequence, std::size_t at_most) override
    {
        return inner_.log_from(sequence, at_most);
    }
    Flow<std::int64_t> log_size() override { return inner_.log_size(); }
    Flow<std::vector<Bytes>> log_hashes(std::vector<crypto::merkle::Node> nodes) override
    {
        return inner_.log_hashes(std::move(nodes));
    }
    Flow<std::size_t> sweep(Instant now, std::size_t at_most) override { return inner_.sweep(now, at_most); }

private:
    MemoryEngine inner_;
};

// A day's first sign-ins come together: each looks for the day's key, finds none, and one is faster.
TEST(Keyring, takes_the_key_that_somebody_made_between_its_two_looks)
{
    testing::RepeatableRandom random{1};
    Overtaken engine;
    Keyring ours{engine, testing::keys(), random};
    SecretBytes theirs;
    engine.meanwhile = [&](Engine& inner) {
        Keyring other{inner, testing::keys(), random};
        theirs = run_now(other.key_made_for("day/1", {})).value();
    };
    auto const got = run_now(ours.key_made_for("day/1", {}));
    ASSERT_TRUE(got);
    EXPECT_EQ(got->reveal(), theirs.reveal());
}

// The master key may have been rotated to a file that this program can't read: what it knows may be forgotten.
TEST(Keyring, makes_no_key_under_a_master_key_that_it_can_not_read_again)
{
    testing::RepeatableRandom random{1};
    MemoryEngine engine;
    auto can_read = true;
    Keyring keyring{engine, testing::keys(), random, [&]() -> Result<Keys> {
                        if (!can_read) return fail(Outcome::configuration_invalid, "master.key: Permission denied");
                        return testing::keys();
                    }};
    auto const before = run_now(keyring.key_made_for("day/1", {}));
    ASSERT_TRUE(before);
    can_read = false;
    auto const refused = run_now(keyring.key_made_for("day/2", {}));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().detail, "master.key: Permission denied") << "what the operator is to mend";
    EXPECT_EQ(run_now(keyring.key_of("day/1"))->reveal(), before->reveal()) << "what is there stays readable";
    can_read = true;
    EXPECT_TRUE(run_now(keyring.key_made_for("day/2", {})));
}

} // namespace
} // namespace symbolon::store

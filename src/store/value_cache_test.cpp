#include "store/value_cache.hpp"

#include <gtest/gtest.h>

namespace symbolon::store {
namespace {

Record record(std::string id, std::int64_t version, std::string owner = "account/a")
{
    return {.id = std::move(id), .version = version, .owner = std::move(owner), .keys = {}, .state = {}};
}

class Remembering : public ::testing::Test {
protected:
    void remember(std::string const& id, std::int64_t version, int value, std::string owner = "account/a")
    {
        cache.remember(Table::device, id, version, std::move(owner), std::make_shared<int const>(value));
    }
    int find(Record const& record)
    {
        auto const found = cache.find<int>(Table::device, record);
        return found ? *found : 0;
    }

    ValueCache cache{2};
};

TEST_F(Remembering, gives_a_value_at_its_version_under_its_owner_alone)
{
    remember("a", 2, 7);
    EXPECT_EQ(cache.version_of(Table::device, "a"), 2);
    EXPECT_EQ(find(record("a", 2)), 7);
    EXPECT_EQ(find(record("a", 1)), 0);
    EXPECT_EQ(find(record("a", 3)), 0);
    EXPECT_EQ(find(record("a", 2, "account/b")), 0);
    EXPECT_EQ(cache.version_of(Table::action, "a"), 0);
}

TEST_F(Remembering, a_slow_reader_does_not_bring_back_what_was_replaced)
{
    remember("a", 3, 9);
    remember("a", 2, 7);
    EXPECT_EQ(find(record("a", 3)), 9);
    remember("a", 1, 5, "account/b");
    EXPECT_EQ(find(record("a", 1, "account/b")), 5) << "another's record under the id begins anew";
}

TEST_F(Remembering, makes_room_by_letting_go_of_what_was_used_longest_ago)
{
    remember("a", 1, 1);
    remember("b", 1, 2);
    EXPECT_EQ(find(record("a", 1)), 1);
    remember("c", 1, 3);
    EXPECT_EQ(find(record("b", 1)), 0);
    EXPECT_EQ(find(record("a", 1)), 1);
    EXPECT_EQ(find(record("c", 1)), 3);
}

TEST_F(Remembering, forgets)
{
    remember("a", 1, 1);
    cache.forget(Table::device, "a");
    cache.forget(Table::device, "b");
    EXPECT_EQ(find(record("a", 1)), 0);
}

} // namespace
} // namespace symbolon::store

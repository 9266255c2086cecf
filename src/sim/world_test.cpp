#include "sim/seeds.hpp"
#include "sim/world.hpp"
#include "store/store_testing.hpp"

#include <gtest/gtest.h>

#include <set>

namespace symbolon::sim {
namespace {

namespace example = store::testing;

Flow<std::string> who_is_first(World& world, std::vector<int>& order, int me)
{
    co_await world.services().nonces.use("order", std::to_string(me), World::beginning + 1h);
    order.push_back(me);
    co_return "done";
}

std::vector<int> order_of(std::uint64_t seed)
{
    World world{seed};
    std::vector<int> order;
    for (int i = 0; i < 4; ++i) world.start(who_is_first(world, order, i));
    world.run();
    return order;
}

TEST(World, tries_many_orders_and_repeats_each)
{
    std::set<std::vector<int>> orders;
    for (auto const seed : seeds(300)) {
        auto const order = order_of(seed);
        EXPECT_EQ(order.size(), 4U);
        EXPECT_EQ(order_of(seed), order);
        orders.insert(order);
    }
    EXPECT_EQ(orders.size(), 24U) << "every order of four";
}

TEST(World, loses_what_was_not_committed_and_keeps_what_was)
{
    int stops = 0;
    int lost_answers = 0;
    for (auto const seed : seeds(500)) {
        SCOPED_TRACE(seed);
        World world{seed, {.requests_lost = 50, .answers_lost = 50, .stops = 50}};
        auto& adding = world.start(world.services().clients.add(example::client("shop")));
        world.run();
        auto const result = adding.take();
        auto const found = world.now(world.services().clients.find(ClientId{"shop"}));
        ASSERT_TRUE(found);
        if (result) {
            EXPECT_TRUE(found->has_value()) << "what was acknowledged is there";
        } else if (found->has_value() && result.error().outcome == Outcome::store_failed) {
            ++lost_answers;
        }
        stops += world.stops();
    }
    EXPECT_GT(stops, 20);
    EXPECT_GT(lost_answers, 5) << "what was not acknowledged may be there all the same";
}

TEST(World, lets_time_pass_only_while_everybody_waits)
{
    World world{1};
    auto wait = [](World& world, Instant until) -> Flow<bool> {
        auto const watch = world.services().wakeups.watch("topic");
        auto const heard = co_await watch->next(until);
        co_return heard;
    };
    auto& waiting = world.start(wait(world, World::beginning + 1h));
    world.run();
    EXPECT_EQ(waiting.take().value(), false);
    EXPECT_EQ(world.scheduler().now(), World::beginning + 1h);
}

TEST(World, wakes_whoever_listens)
{
    for (auto const seed : seeds(50)) {
        World world{seed};
        auto wait = [](World& world) -> Flow<bool> {
            auto const watch = world.services().wakeups.watch("topic");
            co_await world.scheduler().turn(); // what is told meanwhile is not missed
            auto const heard = co_await watch->next(World::beginning + 1h);
            co_return heard;
        };
        auto tell = [](World& world) -> Flow<void> {
            for (int i = 0; i < 5; ++i) co_await world.scheduler().turn();
            world.services().wakeups.tell("topic");
            co_return {};
        };
        auto& waiting = world.start(wait(world));
        world.start(tell(world));
        world.run();
        EXPECT_EQ(waiting.take().value(), true) << seed;
    }
}

} // namespace
} // namespace symbolon::sim

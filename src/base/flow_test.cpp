#include "base/flow.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace symbolon {
namespace {

Flow<int> gives(int value) { co_return value; }
Flow<int> fails() { co_return fail(Outcome::not_found, "nothing here"); }
Result<int> fails_plainly() { return fail(Outcome::conflict); }

struct Tracker {
    int* destroyed;
    explicit Tracker(int& d) : destroyed{&d} {}
    Tracker(Tracker const&) = delete;
    Tracker& operator=(Tracker const&) = delete;
    ~Tracker() { ++*destroyed; }
};

Flow<int> sum_of(int left, int right) { co_return co_await gives(left) + co_await gives(right); }

Flow<int> stops_early(int& went_on, int& destroyed)
{
    Tracker const tracker{destroyed};
    co_await fails();
    ++went_on;
    co_return 1;
}

Flow<int> waits_for_one_that_stops_early(int& went_on, int& destroyed)
{
    Tracker const tracker{destroyed};
    auto const value = co_await stops_early(went_on, destroyed);
    ++went_on;
    co_return value;
}

Flow<int> stops_at_a_result()
{
    auto const value = co_await fails_plainly();
    co_return value;
}

Flow<std::string> asks_for_the_outcome()
{
    auto const result = co_await outcome_of(fails());
    if (!result) co_return std::string{name_of(result.error().outcome)};
    co_return "value";
}

Flow<int> throws()
{
    co_await gives(1);
    throw std::runtime_error{"library"};
}

Flow<void> awaits_a_throw()
{
    co_await throws();
    co_return {};
}

Flow<int> waits(std::optional<Finish<int>>& finish)
{
    auto const value = co_await wait_for<int>([&finish](Finish<int> f) { finish = std::move(f); });
    co_return value + 1;
}

TEST(Flow, gives_the_value_of_what_it_awaits) { EXPECT_EQ(run_now(sum_of(2, 3)).value(), 5); }

TEST(Flow, ends_with_the_failure_of_what_it_awaits_and_runs_nothing_after_it)
{
    int went_on = 0;
    int destroyed = 0;
    {
        auto const result = run_now(waits_for_one_that_stops_early(went_on, destroyed));
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().outcome, Outcome::not_found);
        EXPECT_EQ(result.error().detail, "nothing here");
    }
    EXPECT_EQ(went_on, 0);
    EXPECT_EQ(destroyed, 2) << "what the ended flows held is given back";
}

TEST(Flow, ends_with_the_failure_of_a_plain_result)
{
    EXPECT_EQ(run_now(stops_at_a_result()).error().outcome, Outcome::conflict);
}

TEST(Flow, can_look_at_a_failure_and_go_on) { EXPECT_EQ(run_now(asks_for_the_outcome()).value(), "not_found"); }

TEST(Flow, carries_an_exception_to_whoever_started_it)
{
    auto flow = awaits_a_throw();
    flow.start([] {});
    EXPECT_THROW((void)flow.take(), std::runtime_error);
}

TEST(Flow, goes_on_when_the_wait_is_finished)
{
    std::optional<Finish<int>> finish;
    auto flow = waits(finish);
    bool done = false;
    flow.start([&] { done = true; });
    EXPECT_FALSE(done);
    (*finish)(41);
    (*finish)(99); // the first call counts
    EXPECT_TRUE(done);
    EXPECT_EQ(flow.take().value(), 42);
}

TEST(Flow, that_is_gone_is_not_resumed)
{
    std::optional<Finish<int>> finish;
    {
        auto flow = waits(finish);
        flow.start([] {});
    }
    (*finish)(1);
}

} // namespace
} // namespace symbolon

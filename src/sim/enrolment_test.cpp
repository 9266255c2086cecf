// Enrolment in the World (docs/simulation.md): what must hold, whatever goes wrong and in whatever order.

#include "sim/enrolment_world_testing.hpp"
#include "sim/seeds.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

namespace symbolon::sim {
namespace {

// Under a sanitizer a World takes twenty times as long, and what it looks for is in each of them.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr std::size_t worlds = 400;
#else
constexpr std::size_t worlds = 2'400;
#endif
constexpr std::size_t parts = worlds / 400; // CTest runs several at once; each has enough Worlds for its counts

bool replays() { return std::getenv("SYMBOLON_SEED") != nullptr; }

std::string journal_of(std::uint64_t seed)
{
    EnrolmentWorld world{seed, EnrolmentFault::none, true};
    world.run();
    std::string text;
    for (auto const& line : world.watcher().journal) text += "    " + line + "\n";
    return text;
}

std::string replay_of(std::uint64_t seed)
{
    return "    Again: SYMBOLON_SEED=" + std::to_string(seed) +
           " build/release/bin/sim_test --gtest_filter='*EnrolmentSeeds*/0'";
}

class EnrolmentSeeds : public ::testing::TestWithParam<std::size_t> {};

TEST_P(EnrolmentSeeds, A4_A5_A8_B1_B4_E1_E3_E6_E9_E10_keep_what_must_hold_whatever_goes_wrong)
{
    constexpr int enough_failures = 3;
    std::map<std::string, int> count;
    int failures = 0;
    for (auto const seed : seeds(worlds / parts, GetParam() * (worlds / parts))) {
        EnrolmentWorld world{seed};
        world.run();
        for (auto const& [what, times] : world.watcher().count) count[what] += times;
        if (replays()) std::cout << journal_of(seed);
        auto const& violations = world.watcher().violations();
        if (violations.empty()) continue;

        std::string text;
        for (auto const& each : violations)
            text += "    " + std::string{sentence_of(each.invariant)} + ": " + each.what + "\n";
        ADD_FAILURE() << "seed " << seed << "\n"
                      << text << (replays() ? std::string{} : journal_of(seed)) << replay_of(seed);
        if (++failures == enough_failures) break;
    }
    if (std::getenv("SYMBOLON_COUNTS") != nullptr)
        for (auto const& [what, times] : count) std::cout << what << ": " << times << "\n";
    if (replays() || failures > 0) return;
}

INSTANTIATE_TEST_SUITE_P(Part, EnrolmentSeeds, ::testing::Range(std::size_t{0}, parts));

} // namespace
} // namespace symbolon::sim

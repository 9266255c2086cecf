#pragma once

#include "sim/seeds.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <initializer_list>
#include <iostream>
#include <map>
#include <set>
#include <string>
#include <vector>

/// How a kind of World with people in it (SignInWorld, EnrolmentWorld) is tested: many of them keep what must hold, the
/// same seed tells the same story, and a fault that is built in on purpose is found. docs/simulation.md
namespace symbolon::sim {

/// CTest runs several parts at once. Each has as many Worlds, enough for its counts.
inline constexpr std::size_t worlds_of_a_part = 400;

// Under a sanitizer a World takes twenty times as long, and what it looks for is in each of them.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr std::size_t parts_of(std::size_t /*worlds*/, std::size_t under_sanitizer)
{
    return under_sanitizer / worlds_of_a_part;
}
#else
constexpr std::size_t parts_of(std::size_t worlds, std::size_t /*under_sanitizer*/)
{
    return worlds / worlds_of_a_part;
}
#endif

/// Whether somebody looks at one World, by SYMBOLON_SEED.
inline bool replays() { return std::getenv("SYMBOLON_SEED") != nullptr; }

/// All that happens in the World of that seed, a line each.
template <class World>
std::string story_of(std::uint64_t seed)
{
    World world{seed, World::Fault::none, true};
    world.run();
    std::string text;
    for (auto const& line : world.watcher().journal) text += "    " + line + "\n";
    return text;
}

/// In every World of that part what must hold holds, and in some of them happens what the Watcher counts under each of
/// `what_must_happen`. `tests`: the suite, to be named to whoever looks at a failure.
template <class World>
void expect_to_hold_whatever_goes_wrong(std::size_t part, std::string_view tests,
                                        std::initializer_list<char const*> what_must_happen)
{
    constexpr int enough_failures = 3;
    std::map<std::string, int> count;
    int failures = 0;
    for (auto const seed : seeds(worlds_of_a_part, part * worlds_of_a_part)) {
        World world{seed};
        world.run();
        for (auto const& [what, times] : world.watcher().count) count[what] += times;
        if (replays()) std::cout << story_of<World>(seed);
        auto const& violations = world.watcher().violations();
        if (violations.empty()) continue;

        std::string text;
        for (auto const& each : violations)
            text += "    " + std::string{sentence_of(each.invariant)} + ": " + each.what + "\n";
        ADD_FAILURE() << "seed " << seed << "\n"
                      << text << (replays() ? std::string{} : story_of<World>(seed))
                      << "    Again: SYMBOLON_SEED=" << seed << " build/release/bin/sim_test --gtest_filter='*" << tests
                      << "*/0'";
        if (++failures == enough_failures) break;
    }
    if (replays() || failures > 0) return;
    // A World in which nothing happens proves nothing.
    for (auto const* what : what_must_happen) EXPECT_GT(count[what], 0) << what;
}

template <class World>
void expect_the_same_again_for_the_same_seed(std::size_t worlds)
{
    std::set<std::string> different;
    for (auto const seed : seeds(worlds)) {
        auto const once = story_of<World>(seed);
        EXPECT_EQ(story_of<World>(seed), once) << "seed " << seed;
        different.insert(once);
    }
    EXPECT_EQ(different.size(), replays() ? 1U : worlds);
}

/// A fault, and the invariant that must fail of it.
template <class World, class Invariant>
struct Plant {
    World::Fault fault;
    Invariant found_as;
    std::string name; ///< of its test

    void expect_to_be_found() const
    {
        constexpr std::uint64_t most_worlds = 300;
        for (std::uint64_t seed = 1; seed <= most_worlds; ++seed) {
            World world{seed, fault};
            world.run();
            if (std::ranges::count(world.watcher().violations(), found_as,
                                   [](auto const& it) { return it.invariant; }) > 0)
                return;
        }
        FAIL() << "not found in " << most_worlds << " Worlds";
    }
};

/// Each invariant up to `last` can fail.
template <class World, class Invariant>
void expect_a_plant_behind_every_invariant(std::vector<Plant<World, Invariant>> const& plants, Invariant last)
{
    std::set<Invariant> shown;
    for (auto const& plant : plants) shown.insert(plant.found_as);
    for (auto at = 0; at <= static_cast<int>(last); ++at)
        EXPECT_TRUE(shown.contains(static_cast<Invariant>(at))) << sentence_of(static_cast<Invariant>(at));
}

} // namespace symbolon::sim

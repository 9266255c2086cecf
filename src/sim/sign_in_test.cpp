// Sign-in in the World (docs/simulation.md): what must hold, whatever goes wrong and in whatever order.

#include "sim/seeds.hpp"
#include "sim/sign_in_world_testing.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

namespace symbolon::sim {
namespace {

// Under a sanitizer a World takes twenty times as long, and what it looks for is in each of them.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr std::size_t worlds = 800;
#else
constexpr std::size_t worlds = 10'000;
#endif
constexpr std::size_t parts = worlds / 400; // CTest runs several at once; each has enough Worlds for its counts

bool replays() { return std::getenv("SYMBOLON_SEED") != nullptr; }

std::string journal_of(std::uint64_t seed)
{
    SignInWorld world{seed, PlantedFault::none, true};
    world.run();
    std::string text;
    for (auto const& line : world.watcher().journal) text += "    " + line + "\n";
    return text;
}

std::string replay_of(std::uint64_t seed)
{
    return "    Again: SYMBOLON_SEED=" + std::to_string(seed) +
           " build/release/bin/sim_test --gtest_filter='*SignInSeeds*/0'";
}

class SignInSeeds : public ::testing::TestWithParam<std::size_t> {};

TEST_P(SignInSeeds, D1_D5_D6_keep_what_must_hold_whatever_goes_wrong)
{
    constexpr int enough_failures = 3;
    std::map<std::string, int> count;
    int failures = 0;
    for (auto const seed : seeds(worlds / parts, GetParam() * (worlds / parts))) {
        SignInWorld world{seed};
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
    if (replays() || failures > 0) return;
    // A World in which nothing happens proves nothing.
    for (auto const* what : {"actions approved",
                             "logins in the storm",
                             "logins in the calm",
                             "codes redeemed",
                             "stops",
                             "phones told after a stop",
                             "phones told refused",
                             "codes wrong",
                             "messages forged",
                             "other people's sign-ins tried",
                             "clock jumps back",
                             "clock jumps forward",
                             "actions cancelled",
                             "actions run out",
                             "pages claimed by scan",
                             "pages claimed by address",
                             "pages claimed by link",
                             "pages claimed by code",
                             "links brought back",
                             "links matched",
                             "notifications sent",
                             "notifications arrived",
                             "origins muted",
                             "lists of several requests",
                             "fingerprints approved",
                             "fingerprints turned on",
                             "fingerprints after three wrong codes",
                             "approvals refused: passkey_wrong"})
        EXPECT_GT(count[what], 0) << what;
}

INSTANTIATE_TEST_SUITE_P(Part, SignInSeeds, ::testing::Range(std::size_t{0}, parts));

TEST(SignInWorlds, are_the_same_again_for_the_same_seed)
{
    std::set<std::string> different;
    for (auto const seed : seeds(20)) {
        auto const once = journal_of(seed);
        EXPECT_EQ(journal_of(seed), once) << "seed " << seed;
        different.insert(once);
    }
    EXPECT_EQ(different.size(), replays() ? 1U : 20U);
}

// ---- each invariant can fail

struct Plant {
    PlantedFault fault;
    Invariant found_as;
    std::string name;
};

std::vector<Plant> const plants{
    {PlantedFault::vault_counts_after_it_looked, Invariant::three_wrong_codes, "a_vault_that_looks_before_it_counts"},
    {PlantedFault::vault_believes_every_code, Invariant::approval_is_earned, "a_vault_that_believes_every_code"},
    {PlantedFault::vault_takes_tries_for_nothing, Invariant::nobody_locks_out, "a_vault_that_takes_tries_for_nothing"},
    {PlantedFault::mutes_are_not_looked_at, Invariant::only_one_wanted_rings, "mutes_that_nobody_looks_at"},
    {PlantedFault::vault_hides_spent_tries, Invariant::fingerprint_is_earned, "a_vault_that_hides_spent_tries"},
    {PlantedFault::fingers_are_not_looked_at, Invariant::fingerprint_is_earned, "an_authenticator_for_any_finger"},
    {PlantedFault::store_loses_its_last_commit, Invariant::acknowledged_is_kept, "a_store_that_loses_its_last_commit"},
    {PlantedFault::store_loses_its_last_commit, Invariant::table_is_obeyed, "a_store_that_takes_a_step_back"},
    {PlantedFault::store_loses_its_last_commit, Invariant::holder_gets_in, "a_store_that_loses_a_ratchet"},
    {PlantedFault::store_never_says_conflict, Invariant::code_is_redeemed_once, "a_store_that_never_says_conflict"},
    {PlantedFault::store_forgets_history, Invariant::evidence_agrees, "a_store_that_forgets_history"},
    {PlantedFault::store_tells_of_an_end_twice, Invariant::evidence_agrees, "a_store_that_tells_of_an_end_twice"},
    {PlantedFault::store_forgets_revocations, Invariant::second_use_takes_back, "a_store_that_forgets_revocations"},
    {PlantedFault::chance_is_always_the_same, Invariant::symbol_is_fresh, "symbols_without_chance"},
    {PlantedFault::clock_stands_still, Invariant::late_answer_changes_nothing, "a_clock_that_stands_still"},
    {PlantedFault::browsers_share_a_cookie, Invariant::result_goes_where_it_began, "browsers_that_share_a_cookie"},
    {PlantedFault::browsers_share_a_cookie, Invariant::link_is_tied, "browsers_that_come_back_for_each_other"},
    {PlantedFault::signatures_are_for_everybody, Invariant::nobody_locks_out, "a_device_key_that_everybody_has"},
    {PlantedFault::thief_has_phone_and_code, Invariant::approval_is_earned, "a_thief_of_phone_and_code"},
};

class PlantedFaults : public ::testing::TestWithParam<Plant> {};

TEST_P(PlantedFaults, are_found)
{
    constexpr std::uint64_t most_worlds = 300;
    for (std::uint64_t seed = 1; seed <= most_worlds; ++seed) {
        SignInWorld world{seed, GetParam().fault};
        world.run();
        if (std::ranges::count(world.watcher().violations(), GetParam().found_as, &Violation::invariant) > 0) return;
    }
    FAIL() << "not found in " << most_worlds << " Worlds";
}

INSTANTIATE_TEST_SUITE_P(As, PlantedFaults, ::testing::ValuesIn(plants),
                         [](auto const& info) { return info.param.name; });

TEST(PlantedFault, stands_behind_every_invariant)
{
    std::set<Invariant> shown;
    for (auto const& plant : plants) shown.insert(plant.found_as);
    for (auto at = 0; at <= static_cast<int>(Invariant::holder_gets_in); ++at)
        EXPECT_TRUE(shown.contains(static_cast<Invariant>(at))) << sentence_of(static_cast<Invariant>(at));
}

} // namespace
} // namespace symbolon::sim

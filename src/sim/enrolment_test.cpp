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
constexpr std::size_t worlds = 2'000;
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

TEST_P(EnrolmentSeeds, A3_A4_A5_A8_B1_B4_E1_E3_E6_E9_E10_keep_what_must_hold_whatever_goes_wrong)
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
    if (replays() || failures > 0) return;
    // A World in which nothing happens proves nothing.
    for (auto const* what : {"ended with the card",
                             "ended through a bank",
                             "accounts moved",
                             "accounts unblocked",
                             "numbers lost to their new owner",
                             "old numbers told",
                             "back to the card or the bank: already_a_holder",
                             "back to the card or the bank: moved_meanwhile",
                             "pages that went back to the card",
                             "journeys that went on in the calm",
                             "stops",
                             "clock jumps back",
                             "clock jumps forward",
                             "SMS lost",
                             "SMS doubled",
                             "SMS codes mistyped",
                             "codes of other people typed",
                             "tokens mistyped",
                             "trivial codes refused",
                             "phones restarted",
                             "other browsers",
                             "hundred times in a row",
                             "undone",
                             "visits that ended in another browser",
                             "visits that came to nothing: bank_cancelled",
                             "visits that came to nothing: new_number_needs_card",
                             "visits that came to nothing: other_source_than_enrolled",
                             "failures: other_source_than_enrolled",
                             "failures: tries_used_up",
                             "failures: identification_token_wrong",
                             "failures: sms_code_wrong",
                             "failures: vault_unreachable"})
        EXPECT_GT(count[what], 0) << what;
}

INSTANTIATE_TEST_SUITE_P(Part, EnrolmentSeeds, ::testing::Range(std::size_t{0}, parts));

TEST(EnrolmentWorlds, are_the_same_again_for_the_same_seed)
{
    std::set<std::string> different;
    for (auto const seed : seeds(10)) {
        auto const once = journal_of(seed);
        EXPECT_EQ(journal_of(seed), once) << "seed " << seed;
        different.insert(once);
    }
    EXPECT_EQ(different.size(), replays() ? 1U : 10U);
}

// ---- each invariant can fail

struct Plant {
    EnrolmentFault fault;
    EnrolmentInvariant found_as;
    std::string name;
};

std::vector<Plant> const plants{
    {EnrolmentFault::store_lets_persons_repeat, EnrolmentInvariant::one_person_one_account,
     "A8_a_store_that_lets_persons_repeat"},
    {EnrolmentFault::store_lets_numbers_repeat, EnrolmentInvariant::one_number_one_account,
     "E10_a_store_that_lets_numbers_repeat"},
    {EnrolmentFault::store_ends_enrolments_alone, EnrolmentInvariant::last_end_has_the_account,
     "E1_a_store_that_ends_enrolments_without_their_account"},
    {EnrolmentFault::store_loses_its_last_commit, EnrolmentInvariant::acknowledged_end_is_kept,
     "A4_a_store_that_loses_its_last_commit"},
    {EnrolmentFault::store_loses_its_last_commit, EnrolmentInvariant::journey_goes_on,
     "E9_a_store_that_takes_a_step_back"},
    {EnrolmentFault::failures_count_double, EnrolmentInvariant::only_failures_count,
     "E9_a_store_that_counts_what_did_not_fail"},
    {EnrolmentFault::waits_are_too_long, EnrolmentInvariant::waits_are_bounded, "E9_a_wait_of_25_minutes"},
    {EnrolmentFault::vault_asks_for_no_permit, EnrolmentInvariant::winner_keeps_the_code,
     "E7_a_vault_that_asks_for_no_permit"},
    {EnrolmentFault::vault_knows_no_order, EnrolmentInvariant::winner_keeps_the_code,
     "E1_a_vault_that_knows_no_order_of_replacements"},
    {EnrolmentFault::store_forgets_to_unbind, EnrolmentInvariant::old_phone_is_out,
     "E1_a_store_that_forgets_to_unbind"},
    {EnrolmentFault::chance_is_always_the_same, EnrolmentInvariant::sms_code_is_of_its_number,
     "A5_SMS_codes_without_chance"},
    {EnrolmentFault::blocked_accounts_look_active, EnrolmentInvariant::only_its_source_unblocks,
     "E6_blocked_accounts_that_look_active"},
    {EnrolmentFault::messages_never_arrive, EnrolmentInvariant::person_ends_enrolled, "E9_messages_that_never_arrive"},
};

class PlantedEnrolmentFaults : public ::testing::TestWithParam<Plant> {};

TEST_P(PlantedEnrolmentFaults, are_found)
{
    constexpr std::uint64_t most_worlds = 300;
    for (std::uint64_t seed = 1; seed <= most_worlds; ++seed) {
        EnrolmentWorld world{seed, GetParam().fault};
        world.run();
        auto const& found = world.watcher().violations();
        if (std::ranges::count(found, GetParam().found_as, &EnrolmentWatcher::Violation::invariant) > 0) return;
    }
    FAIL() << "not found in " << most_worlds << " Worlds";
}

INSTANTIATE_TEST_SUITE_P(As, PlantedEnrolmentFaults, ::testing::ValuesIn(plants),
                         [](auto const& info) { return info.param.name; });

TEST(PlantedEnrolmentFault, stands_behind_every_invariant)
{
    std::set<EnrolmentInvariant> shown;
    for (auto const& plant : plants) shown.insert(plant.found_as);
    for (auto at = 0; at <= static_cast<int>(EnrolmentInvariant::person_ends_enrolled); ++at)
        EXPECT_TRUE(shown.contains(static_cast<EnrolmentInvariant>(at)))
            << sentence_of(static_cast<EnrolmentInvariant>(at));
}

} // namespace
} // namespace symbolon::sim

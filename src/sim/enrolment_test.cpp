// Enrolment in the World (docs/simulation.md): what must hold, whatever goes wrong and in whatever order.

#include "sim/enrolment_world_testing.hpp"
#include "sim/worlds_testing.hpp"

namespace symbolon::sim {
namespace {

constexpr auto parts = parts_of(2'000, 400);

class EnrolmentSeeds : public ::testing::TestWithParam<std::size_t> {};

TEST_P(EnrolmentSeeds, A3_A4_A5_A8_B1_B4_E1_E3_E6_E9_E10_keep_what_must_hold_whatever_goes_wrong)
{
    expect_to_hold_whatever_goes_wrong<EnrolmentWorld>(GetParam(), "EnrolmentSeeds",
                                                       {"ended with the card",
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
                                                        "failures: vault_unreachable"});
}

INSTANTIATE_TEST_SUITE_P(Part, EnrolmentSeeds, ::testing::Range(std::size_t{0}, parts));

TEST(EnrolmentWorlds, are_the_same_again_for_the_same_seed)
{
    expect_the_same_again_for_the_same_seed<EnrolmentWorld>(10);
}

// ---- each invariant can fail

using PlantedHere = Plant<EnrolmentWorld, EnrolmentInvariant>;

std::vector<PlantedHere> const plants{
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

class PlantedEnrolmentFaults : public ::testing::TestWithParam<PlantedHere> {};

TEST_P(PlantedEnrolmentFaults, are_found) { GetParam().expect_to_be_found(); }

INSTANTIATE_TEST_SUITE_P(As, PlantedEnrolmentFaults, ::testing::ValuesIn(plants),
                         [](auto const& info) { return info.param.name; });

TEST(PlantedEnrolmentFault, stands_behind_every_invariant)
{
    expect_a_plant_behind_every_invariant(plants, EnrolmentInvariant::person_ends_enrolled);
}

} // namespace
} // namespace symbolon::sim

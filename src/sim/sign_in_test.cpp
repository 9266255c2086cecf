// Sign-in in the World (docs/simulation.md): what must hold, whatever goes wrong and in whatever order.

#include "sim/sign_in_world_testing.hpp"
#include "sim/worlds_testing.hpp"

namespace symbolon::sim {
namespace {

constexpr auto parts = parts_of(10'000, 800);

class SignInSeeds : public ::testing::TestWithParam<std::size_t> {};

TEST_P(SignInSeeds, D1_D5_D6_keep_what_must_hold_whatever_goes_wrong)
{
    expect_to_hold_whatever_goes_wrong<SignInWorld>(GetParam(), "SignInSeeds",
                                                    {"actions approved",
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
                                                     "approvals refused: passkey_wrong"});
}

INSTANTIATE_TEST_SUITE_P(Part, SignInSeeds, ::testing::Range(std::size_t{0}, parts));

TEST(SignInWorlds, are_the_same_again_for_the_same_seed) { expect_the_same_again_for_the_same_seed<SignInWorld>(20); }

// ---- each invariant can fail

using PlantedHere = Plant<SignInWorld, Invariant>;

std::vector<PlantedHere> const plants{
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

class PlantedFaults : public ::testing::TestWithParam<PlantedHere> {};

TEST_P(PlantedFaults, are_found) { GetParam().expect_to_be_found(); }

INSTANTIATE_TEST_SUITE_P(As, PlantedFaults, ::testing::ValuesIn(plants),
                         [](auto const& info) { return info.param.name; });

TEST(PlantedFault, stands_behind_every_invariant)
{
    expect_a_plant_behind_every_invariant(plants, Invariant::holder_gets_in);
}

} // namespace
} // namespace symbolon::sim

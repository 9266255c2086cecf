#pragma once

#include <cstdint>

namespace symbolon::sim {

/// A fault that a test builds into a World on purpose, to see that its invariants can fail.
enum class PlantedFault : std::uint8_t {
    none,
    vault_counts_after_it_looked,
    vault_believes_every_code,
    store_loses_its_last_commit, ///< when the process stops
    store_never_says_conflict,
    store_forgets_history,
    store_tells_of_an_end_twice, ///< of a request that nobody answered
    store_forgets_revocations,
    chance_is_always_the_same, ///< where symbols are drawn
    clock_stands_still,        ///< where phones ask
    browsers_share_a_cookie,
    signatures_are_for_everybody, ///< strangers sign with the phone's own key
    thief_has_phone_and_code,     ///< and shows and approves what the holder never saw
    vault_takes_tries_for_nothing,
    mutes_are_not_looked_at,
    vault_hides_spent_tries,   ///< when it is asked how many are left
    fingers_are_not_looked_at, ///< the authenticator says that it verified whoever touched it
};

} // namespace symbolon::sim

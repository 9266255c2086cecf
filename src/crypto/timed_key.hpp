#pragma once

#include "base/instant.hpp"
#include "crypto/jws.hpp"

#include <span>
#include <vector>

namespace symbolon::crypto {

/// The instant of what has no end yet.
inline constexpr Instant no_end = Instant::max();

/// One of several keys that sign in turn, and when.
struct TimedKey {
    SigningKey key;
    Instant signs_from = {};      ///< published before, so that others know it in time
    Instant signs_until = no_end; ///< from then on another one of its algorithm signs
    Instant published_until = no_end;
};

/// Those published at `now`, of each algorithm first the one that signs.
std::vector<SigningKey> keys_at(std::span<TimedKey const> keys, Instant now);

} // namespace symbolon::crypto

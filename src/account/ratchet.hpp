#pragma once

#include "account/device.hpp"

namespace symbolon::account {

/// What the ratchet that a phone signed with says of the phone (docs/device-protocol.md §5).
enum class Ratchet : std::uint8_t {
    current,
    previous, ///< the phone never got the last answer
    unknown,  ///< another copy of this phone has gone on with the ratchet
};

/// In constant time. A ratchet that isn't there equals none.
Ratchet ratchet_of(Device const& device, ByteView given);

/// The phone after an accepted approval. `used` is not unknown; `next`: 16 bytes of chance.
Device with_next_ratchet(Device device, Ratchet used, Bytes next);

} // namespace symbolon::account

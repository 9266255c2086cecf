#include "account/ratchet.hpp"

#include "base/ensure.hpp"
#include "base/secret.hpp"

namespace symbolon::account {

Ratchet ratchet_of(Device const& device, ByteView given)
{
    if (given.empty()) return Ratchet::unknown;
    if (equal_in_constant_time(device.ratchet, given)) return Ratchet::current;
    if (equal_in_constant_time(device.previous_ratchet, given)) return Ratchet::previous;
    return Ratchet::unknown;
}

Device with_next_ratchet(Device device, Ratchet used, Bytes next)
{
    ENSURE(used != Ratchet::unknown);
    // What a phone has proved to have stays good until it proves that it has the next one: any number of answers may
    // get lost on the way.
    if (used == Ratchet::current) device.previous_ratchet = std::move(device.ratchet);
    device.ratchet = std::move(next);
    return device;
}

} // namespace symbolon::account

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
    device.previous_ratchet = used == Ratchet::current ? device.ratchet : Bytes{};
    device.ratchet = std::move(next);
    return device;
}

} // namespace symbolon::account

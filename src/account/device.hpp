#pragma once

#include "base/bytes.hpp"
#include "base/id.hpp"
#include "base/instant.hpp"

#include <string>

namespace symbolon::account {

/// A phone, bound to one account (docs/device-protocol.md).
struct Device {
    enum class State : std::uint8_t {
        bound,
        suspended, ///< a clone is suspected
        unbound,   ///< another phone took its place, or the holder undid the binding
    };

    DeviceId id; ///< RFC 7638 thumbprint of the device key
    AccountId account;
    State state = State::bound;
    Bytes public_key;       ///< the device key, SubjectPublicKeyInfo
    std::string name;       ///< "Chrome on Android": what the phone said of itself, made displayable
    Bytes ratchet;          ///< 16 bytes
    Bytes previous_ratchet; ///< accepted once, after a lost answer; empty before the first use
    int code_version = 1;
    Instant bound_at;
    Instant last_seen_at;
};

} // namespace symbolon::account

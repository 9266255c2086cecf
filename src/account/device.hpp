#pragma once

#include "base/bytes.hpp"
#include "base/id.hpp"
#include "base/instant.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace symbolon::account {

inline constexpr std::size_t most_used_counts = 16;

/// A passkey beside the device key of a phone, for the fingerprint (Web Authentication Level 3 §4 "credential record").
struct Passkey {
    Bytes id;                     ///< 1 to 1023 bytes
    Bytes public_key;             ///< SubjectPublicKeyInfo
    std::string algorithm;        ///< "ES256", "EdDSA", "RS256"
    std::int64_t sign_count = 0;  ///< 0 … 2³² - 1
    bool backup_eligible = false; ///< its maker's cloud may copy it
    bool backed_up = false;       ///< and has, when it was last used
    Bytes aaguid;                 ///< the authenticator's model, as it says; 16 bytes
    /// The counts of what was believed of it, the one that it was made with first, then in the order in which they
    /// came; the last most_used_counts of them. `sign_count` is the highest.
    std::vector<std::int64_t> used_counts;
    Bytes turned_on_by; ///< SHA-256 of the message that turned it on; empty: at enrolment
    Instant registered_at;
};

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
    Bytes previous_ratchet; ///< that the last accepted answer carried: good after a lost answer; empty before the first
                            ///< use
    int code_version = 1;
    std::optional<Passkey> passkey; ///< none: the fingerprint is off
    Bytes passkey_challenge;        ///< to turn it on; empty: none is open
    Instant passkey_challenge_until;
    Instant bound_at;
    Instant last_seen_at;

    /// A browser from which the holder has approved before: its requests come before a stranger's.
    struct KnownBrowser {
        Bytes browser; ///< SHA-256 of its cookie
        Instant at;    ///< last time
    };
    std::vector<KnownBrowser> known_browsers; ///< newest first, at most most_known_browsers

    /// "This was not me": who asked stays silent for a while.
    struct Mute {
        Bytes browser;
        Bytes network; ///< HMAC of it
        std::string partner_domain;
        Instant at;
        Instant until;
    };
    std::vector<Mute> mutes; ///< newest first, at most most_mutes
};

inline constexpr std::size_t most_known_browsers = 8;
inline constexpr std::size_t most_mutes = 16;

} // namespace symbolon::account

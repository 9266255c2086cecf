#pragma once

#include "account/device.hpp"
#include "action/action.hpp"
#include "base/limits.hpp"

#include <span>
#include <vector>

/// Many requests to one phone (D5): which one rings, which come first, and what a stranger's flood can't do. A request
/// that somebody else started never cancels, hides or delays the holder's own.
namespace symbolon::action {

// ---- at the start
// ----------------------------------------------------------------------------------------------------

/// What is remembered of a phone number that was typed, whoever has it, and if nobody has it just the same (D7).
struct NumberTrace {
    struct Start {
        Instant at;
        Bytes network;
        ClientId client;
    };
    std::string last_symbol;      ///< the right one of the last request: not the next one's
    std::vector<Start> recent;    ///< newest last
    std::vector<ActionId> unseen; ///< the last requests of strangers, newest last
};

inline constexpr std::size_t most_recent_starts = 16;
inline constexpr std::size_t most_unseen = 100;

/// The trace with one start more; those that are over are forgotten, and the oldest where there are too many.
NumberTrace with_start(NumberTrace trace, NumberTrace::Start start, ActionId action, std::string symbol,
                       Limits const& limits);

/// Takes the oldest request out where there are more than most_unseen: it is to make room, unless somebody saw it.
std::optional<ActionId> take_oldest(NumberTrace& trace);

/// Whether a stranger's request is one too many to ring: by the number, by the network that it comes from, or by the
/// partner, within the last limits.rings_window. `trace`: as it was before.
bool is_one_too_many(NumberTrace const& trace, Origin const& origin, ClientId const& client, Instant now,
                     Limits const& limits);

/// Whether the holder has approved from that browser before.
bool is_known(account::Device const& device, Origin const& origin);

/// Whether the holder said of that origin that it was not them. A known browser is not muted with its network.
bool is_muted(account::Device const& device, Origin const& origin, Instant now);

/// Whether a request is silent because of what the holder said of its origin. One that was seen by QR or link is so
/// with its browser alone: whoever is near its page may be in a network that somebody else misused.
bool is_silenced(account::Device const& device, Action const& action, Instant now);

// ---- on the phone
// ----------------------------------------------------------------------------------------------------

/// A request in the phone's list.
struct Place {
    std::size_t index = 0; ///< in what was given
    bool rings = false;    ///< of one at most
    bool muted = false;
};

/// The order of a phone's open requests, first at the top: seen by QR or link; from a browser that is known; others, in
/// the order in which they came; those too many, the newest of each network before the next of any; muted ones.
/// The first rings, unless it is of the last two kinds.
std::vector<Place> queue(std::span<Action const> open, account::Device const& device, Instant now);

// ---- after the answer
// ------------------------------------------------------------------------------------------------

/// The phone after an approval: the browser that asked is known.
account::Device with_known_browser(account::Device device, Origin const& origin, Instant now);

/// The phone after "this was not me": the browser and network that asked are muted until then.
account::Device with_mute(account::Device device, Action const& action, Instant now, Instant until);

} // namespace symbolon::action

#pragma once

#include "base/bytes.hpp"
#include "base/id.hpp"
#include "base/instant.hpp"
#include "base/language.hpp"
#include "base/result.hpp"

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace symbolon::action {

enum class State : std::uint8_t { waiting, shown, approved, refused, expired, failed };
enum class Event : std::uint8_t { show, approve, refuse, expire, wrong_symbol, block, cancel };

struct Move {
    State from;
    Event event;
    State to;
};

// clang-format off
inline constexpr std::array moves{
    //   from            event                to
    Move{State::waiting, Event::show,         State::shown},
    Move{State::waiting, Event::expire,       State::expired},
    Move{State::waiting, Event::cancel,       State::expired},
    Move{State::waiting, Event::block,        State::failed},
    Move{State::shown,   Event::show,         State::shown},
    Move{State::shown,   Event::approve,      State::approved},
    Move{State::shown,   Event::refuse,       State::refused},
    Move{State::shown,   Event::wrong_symbol, State::failed},
    Move{State::shown,   Event::block,        State::failed},
    Move{State::shown,   Event::expire,       State::expired},
    Move{State::shown,   Event::cancel,       State::expired},
};
// clang-format on

constexpr std::optional<State> next(State from, Event event)
{
    for (auto const& move : moves)
        if (move.from == from && move.event == event) return move.to;
    return std::nullopt;
}

static_assert(!next(State::waiting, Event::approve), "nobody approves what they were not shown");
static_assert(!next(State::waiting, Event::refuse), "nobody refuses what they were not shown");
static_assert(!next(State::expired, Event::approve), "a late answer changes nothing");
static_assert(!next(State::failed, Event::approve), "a wrong symbol ends the action");
static_assert(!next(State::refused, Event::approve), "a refusal stands");

/// How the question reached the phone (D3).
enum class Entry : std::uint8_t { number, qr, link, ciba };

/// Something of the person that the partner asks for.
struct RequestedClaim {
    std::string name;       ///< OpenID Connect Core 1.0 §5.1, or ours (docs/partners.md)
    bool essential = false; ///< can't be refused without ending the login
    /// What the holder said of it on an earlier visit (D4).
    enum class Before : std::uint8_t { nothing, shared, kept_back } before = Before::nothing;
};

/// Who started a request, as far as it can be told (D5).
struct Origin {
    Bytes browser; ///< SHA-256 of its cookie; empty without a browser
    Bytes network; ///< HMAC of the household's or office's network; empty where it is not known
};

/// One question to one person on one phone, and the answer.
struct Action {
    ActionId id;
    std::optional<AccountId> account; ///< none: nobody has that number, and nobody must notice (D7)
    std::optional<DeviceId> device;   ///< the phone that is asked
    SignInId sign_in;
    ClientId client;
    std::map<Language, std::string> partner_names;
    std::string partner_domain;
    Entry entry = Entry::number;
    Origin origin;
    bool quiet = false; ///< one of many: never rings (action/queue.hpp)
    bool first = false; ///< kept in sight however many others there are
    std::vector<RequestedClaim> claims;
    std::string browser;              ///< "Chromium on Linux": what asked, in a few words
    std::string acr;                  ///< what the partner asked for; may be empty
    bool needs_passkey = false;       ///< the partner takes no level of assurance that the code alone gives
    std::string symbol;               ///< the right one
    std::vector<std::string> symbols; ///< six, in the order in which the phone shows them
    State state = State::waiting;
    std::optional<Outcome> outcome; ///< why it ended, unless approved
    Instant created_at;
    Instant expires_at; ///< open while now < expires_at
    std::optional<Instant> shown_at;
    std::optional<Instant> decided_at;

    Bytes shown;  ///< the bytes that the phone showed (docs/device-protocol.md "tx"); made when first shown
    Bytes record; ///< the approval record: what the phone signed, and how it was judged
    std::vector<std::string> granted_claims;
    std::string achieved_acr;
};

/// Whether the action still waits for an answer.
inline bool is_open(Action const& action, Instant now)
{
    return (action.state == State::waiting || action.state == State::shown) && now < action.expires_at;
}

/// The action after it was shown on the phone that it is for. `shown` are the bytes that the phone draws from and
/// signs. Showing it again (the app was reopened) changes nothing but the state's time. Fails, first match wins:
/// action_of_other_device, action_expired, action_closed.
Result<Action> show(Action action, DeviceId const& device, Bytes shown, Instant now);

/// An answer whose signatures and code were judged by device::judge_answer.
struct VerifiedAnswer {
    enum class Decision : std::uint8_t { approve, refuse };
    DeviceId device;
    Decision decision = Decision::refuse;
    std::string symbol;
    std::vector<std::string> granted_claims;
    std::string acr;
    Bytes record;
};

/// The person answered. A wrong symbol is another state, not a failure: see `wrong_symbol`.
/// Fails, first match wins: action_of_other_device, action_expired, action_not_shown, action_closed, symbol_wrong,
/// claims_not_allowed (an essential claim is missing, or one that was not asked is granted).
Result<Action> answer(Action action, VerifiedAnswer const& verified, Instant now);

/// The action after another event: expire, wrong_symbol, block, cancel. Fails: action_closed.
Result<Action> end(Action action, Event event, Outcome why, Instant now);

} // namespace symbolon::action

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

enum class State : std::uint8_t {
    waiting,
    shown,
    returning, ///< approved on the phone; the page that began has yet to be tied to it
    approved,
    refused,
    expired,
    failed,
};
enum class Event : std::uint8_t { show, approve, approve_untied, tie, refuse, expire, wrong_symbol, block, cancel };

struct Move {
    State from;
    Event event;
    State to;
};

// clang-format off
inline constexpr std::array moves{
    //   from              event                  to
    Move{State::waiting,   Event::show,           State::shown},
    Move{State::waiting,   Event::expire,         State::expired},
    Move{State::waiting,   Event::cancel,         State::expired},
    Move{State::waiting,   Event::block,          State::failed},
    Move{State::shown,     Event::show,           State::shown},
    Move{State::shown,     Event::approve,        State::approved},
    Move{State::shown,     Event::approve_untied, State::returning},
    Move{State::shown,     Event::refuse,         State::refused},
    Move{State::shown,     Event::wrong_symbol,   State::failed},
    Move{State::shown,     Event::block,          State::failed},
    Move{State::shown,     Event::expire,         State::expired},
    Move{State::shown,     Event::cancel,         State::expired},
    Move{State::returning, Event::show,           State::returning},
    Move{State::returning, Event::tie,            State::approved},
    Move{State::returning, Event::refuse,         State::refused},
    Move{State::returning, Event::wrong_symbol,   State::failed},
    Move{State::returning, Event::block,          State::failed},
    Move{State::returning, Event::expire,         State::expired},
    Move{State::returning, Event::cancel,         State::expired},
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
static_assert(!next(State::waiting, Event::tie), "nothing is tied that was not approved");
static_assert(!next(State::shown, Event::tie), "a return replaces no approval");
static_assert(next(State::shown, Event::approve_untied) != State::approved, "a link alone logs nobody in");

/// How the question reached the phone (D3).
enum class Entry : std::uint8_t {
    number, ///< somebody typed the phone's number
    code,   ///< the holder typed the page's short code in the app
    qr,     ///< the phone saw the page's QR code
    link,   ///< the page's link opened the app
    ciba,
};

/// "number", "code" and so on.
std::string_view name_of(Entry entry);

/// What has to show that the phone and the page are in front of the same person (design.md §6).
enum class Tie : std::uint8_t {
    symbol,  ///< the holder picks the page's symbol before the approval counts
    scan,    ///< the app's own camera saw a QR code of the last two seconds
    browser, ///< the phone's browser comes back with the cookie of the page; if another one does, the symbol
};

/// What has shown it.
enum class Tied : std::uint8_t {
    matched, ///< the symbol
    scanned, ///< the camera
    proven,  ///< the cookie
};

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
    Tie tie = Tie::symbol;
    std::optional<Tied> tied;        ///< once it was shown
    bool returned_elsewhere = false; ///< returning: another browser came back, so only the symbol is left
    std::vector<RequestedClaim> claims;
    std::string browser;              ///< "Chromium – Linux": what asked, in a few words
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
    bool owes_history = false; ///< it ended without an answer, and its holder's history does not say so yet (F3)

    Bytes shown;  ///< the bytes that the phone showed (docs/device-protocol.md "tx"); made when first shown
    Bytes record; ///< the approval record: what the phone signed, and how it was judged
    /// The line of the history that keeps the record once the action has ended; both of the above are empty then.
    std::string evidence;
    std::vector<std::string> granted_claims;
    std::string achieved_acr;
};

/// Whether nobody has ended the action: it waits for an answer or for its page, or ran out and nobody looked since.
inline bool is_undecided(Action const& action)
{
    return action.state == State::waiting || action.state == State::shown || action.state == State::returning;
}

/// Whether the action still waits: for an answer, or for the page to be tied to it.
inline bool is_open(Action const& action, Instant now) { return is_undecided(action) && now < action.expires_at; }

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
/// An approval that has no tie yet (Tie::browser) leads to `returning`, and may return until `now + return_lifetime` at
/// least. Fails, first match wins: action_of_other_device, action_expired, action_not_shown, action_closed,
/// request_malformed (a symbol where none is picked, or none where one is), symbol_wrong, claims_not_allowed (an
/// essential claim is missing, or one that was not asked is granted).
Result<Action> answer(Action action, VerifiedAnswer const& verified, Seconds return_lifetime, Instant now);

/// The browser that began came back with what the phone was given: `returning` becomes `approved`.
/// Fails, first match wins: action_expired, action_closed.
Result<Action> prove(Action action, Instant now);

/// The holder picked the symbol of the page after all. A wrong one is another state: see `end`.
/// Fails, first match wins: action_expired, action_closed, symbol_wrong.
Result<Action> match(Action action, std::string_view symbol, Instant now);

/// The action after another event: expire, wrong_symbol, block, cancel. Whoever ends it without an answer of the phone
/// leaves its line of history to entry::tell_of_unanswered. Fails: action_closed.
Result<Action> end(Action action, Event event, Outcome why, Instant now);

} // namespace symbolon::action

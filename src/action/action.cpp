#include "action/action.hpp"

#include <algorithm>

namespace symbolon::action {

std::string_view name_of(Entry entry)
{
    switch (entry) {
    case Entry::number: return "number";
    case Entry::code: return "code";
    case Entry::qr: return "qr";
    case Entry::link: return "link";
    case Entry::ciba: return "ciba";
    }
    return "number";
}

Result<Action> show(Action action, DeviceId const& device, Bytes shown, Instant now)
{
    if (action.device != device) return fail(Outcome::action_of_other_device);
    if (now >= action.expires_at || action.state == State::expired) return fail(Outcome::action_expired);
    auto const to = next(action.state, Event::show);
    if (!to) return fail(Outcome::action_closed);

    // The bytes that were shown first are the ones that count: what is signed must be what was drawn.
    if (action.shown.empty()) action.shown = std::move(shown);
    if (!action.shown_at) action.shown_at = now;
    action.state = *to;
    return action;
}

Result<Action> answer(Action action, VerifiedAnswer const& verified, Seconds return_lifetime, Instant now)
{
    using Decision = VerifiedAnswer::Decision;

    if (action.device != verified.device) return fail(Outcome::action_of_other_device);
    if (now >= action.expires_at) return fail(Outcome::action_expired);
    if (action.state == State::waiting) return fail(Outcome::action_not_shown);
    auto const approves = verified.decision == Decision::approve;
    auto const approval = action.tie == Tie::browser ? Event::approve_untied : Event::approve;
    auto const to = next(action.state, approves ? approval : Event::refuse);
    if (!to) return fail(Outcome::action_closed);

    if (approves) {
        if (action.tie != Tie::symbol && !verified.symbol.empty())
            return fail(Outcome::request_malformed, "a symbol that was not asked");
        if (action.tie == Tie::symbol && verified.symbol.empty())
            return fail(Outcome::request_malformed, "no symbol was picked");
        if (action.tie == Tie::symbol && verified.symbol != action.symbol) return fail(Outcome::symbol_wrong);
        for (auto const& claim : action.claims)
            if (claim.essential && std::ranges::count(verified.granted_claims, claim.name) == 0)
                return fail(Outcome::claims_not_allowed, "an essential claim is missing");
        for (auto const& granted : verified.granted_claims)
            if (std::ranges::count(action.claims, granted, &RequestedClaim::name) == 0)
                return fail(Outcome::claims_not_allowed, "a claim that was not asked");
        action.granted_claims = verified.granted_claims;
        action.achieved_acr = verified.acr;
        if (action.tie == Tie::symbol) action.tied = Tied::matched;
        else if (action.tie == Tie::scan) action.tied = Tied::scanned;
        else action.expires_at = std::max(action.expires_at, now + return_lifetime);
    } else {
        action.outcome = Outcome::action_refused;
    }

    action.state = *to;
    action.decided_at = now;
    action.record = verified.record;
    return action;
}

namespace {

Result<Action> tied(Action action, Tied how, Instant now)
{
    if (now >= action.expires_at) return fail(Outcome::action_expired);
    auto const to = next(action.state, Event::tie);
    if (!to) return fail(Outcome::action_closed);
    action.state = *to;
    action.tied = how;
    return action;
}

} // namespace

Result<Action> prove(Action action, Instant now) { return tied(std::move(action), Tied::proven, now); }

Result<Action> match(Action action, std::string_view symbol, Instant now)
{
    auto const right = symbol == action.symbol;
    auto matched = TRY(tied(std::move(action), Tied::matched, now));
    if (!right) return fail(Outcome::symbol_wrong);
    return matched;
}

Result<Action> end(Action action, Event event, Outcome why, Instant now)
{
    auto const to = next(action.state, event);
    if (!to) return fail(Outcome::action_closed);
    action.state = *to;
    action.outcome = why;
    action.decided_at = now;
    action.owes_history = event != Event::wrong_symbol;
    return action;
}

} // namespace symbolon::action

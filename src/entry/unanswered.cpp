#include "entry/unanswered.hpp"

#include "entry/record.hpp"

#include <algorithm>

namespace symbolon::entry {

using ports::Services;

namespace {

/// The event of an action that ended that way.
std::string event_of(Outcome why)
{
    switch (why) {
    case Outcome::action_expired: return "expired";
    case Outcome::cancelled:
    case Outcome::sign_in_cancelled: return "cancelled";
    default: return "ended";
    }
}

/// Gives whether it was closed: not where it is open after all, or somebody else was faster.
Flow<bool> tell_of(ActionId id, Services services)
{
    auto const stored = co_await services.actions.find(std::move(id));
    if (!stored) co_return false;
    auto action = stored->value;
    auto const now = services.clock.now();
    if (action::is_open(action, now)) co_return false;
    auto const ended_at = std::min(now, action.expires_at);
    if (action::is_undecided(action))
        action = co_await action::end(std::move(action), action::Event::expire, Outcome::action_expired, ended_at);
    if (!action.owes_history) co_return false;

    auto const why = action.outcome.value_or(Outcome::action_expired);
    Result<void> written;
    if (action.account) {
        json::Object detail{{"outcome", name_of(why)}};
        if (action.device) detail["device"] = action.device->text();
        auto line = history(*action.account, action, event_of(why), action.decided_at.value_or(now), std::move(detail));
        written = co_await outcome_of(services.actions.settle(changed(*stored, action), std::move(line)));
    } else {
        action.owes_history = false;
        written = co_await outcome_of(services.actions.save(changed(*stored, action)));
    }
    if (!written && written.error().outcome != Outcome::conflict) co_return std::unexpected{written.error()};
    co_return written.has_value();
}

} // namespace

Flow<std::size_t> tell_of_unanswered(std::optional<AccountId> account, Services services)
{
    auto const ids = co_await services.actions.unanswered(std::move(account), services.clock.now());
    std::size_t closed = 0;
    for (auto const& id : ids) {
        auto const told = co_await outcome_of(tell_of(id, services));
        if (told) closed += *told ? 1 : 0;
        else if (told.error().outcome == Outcome::store_failed || told.error().outcome == Outcome::unavailable)
            co_return std::unexpected{told.error()};
        else services.log.failure("action_not_closed", told.error(), {});
    }
    co_return closed;
}

} // namespace symbolon::entry

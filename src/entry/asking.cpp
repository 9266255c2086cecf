#include "entry/asking.hpp"

#include "action/assurance.hpp"
#include "action/symbols.hpp"
#include "base/json.hpp"
#include "consent/claims.hpp"

#include <algorithm>

namespace symbolon::entry {

using action::Action;
using grant::SignIn;

namespace {

/// What the phone is told of the wished level: the first that we know.
std::string wished_acr(grant::AuthorizationRequest const& request)
{
    for (auto const& value : request.acr_values)
        if (std::ranges::count(action::assurance_levels, value) > 0) return value;
    return {};
}

/// Whether no level that the client takes is reached by the code alone (OpenID Connect Core 1.0 §5.5.1.1).
bool needs_passkey(grant::AuthorizationRequest const& request)
{
    auto const required = required_acr_values(request);
    return !required.empty() && std::ranges::count(required, json::write(json::Value(action::assurance_low))) == 0;
}

} // namespace

Action new_action(SignIn const& sign_in, partner::Client const& client, Limits const& limits, Instant now,
                  crypto::Random& random)
{
    Action action;
    action.id = ActionId{crypto::time_ordered_id(now, random)};
    action.sign_in = sign_in.id;
    action.client = client.id;
    action.partner_names = client.names;
    action.partner_domain = client.domain;
    action.claims = consent::questions(sign_in.request, client);
    action.browser = sign_in.browser;
    action.origin = {.browser = sign_in.browser_hash, .network = sign_in.network};
    action.acr = wished_acr(sign_in.request);
    action.needs_passkey = needs_passkey(sign_in.request);
    action.created_at = now;
    action.expires_at = now + limits.action_lifetime;
    return action;
}

Action with_symbols(Action action, std::initializer_list<std::string_view> last_right, crypto::Random& random)
{
    auto draw = action::draw_symbols(last_right, [&](std::uint32_t bound) { return random.below(bound); });
    action.symbol = std::move(draw.right);
    action.symbols = std::move(draw.shown);
    return action;
}

SignIn waiting_for(SignIn sign_in, Action const& action, Limits const& limits)
{
    sign_in.state = SignIn::State::waiting;
    sign_in.action = action.id;
    sign_in.symbol = action.symbol;
    sign_in.typed_hint.clear();
    sign_in.outcome.reset();
    // A try that begins late still has its whole time, and the way back after it.
    auto const returns = action.tie == action::Tie::browser ? limits.return_lifetime : 0s;
    sign_in.expires_at = std::max(sign_in.expires_at, action.expires_at + returns + limits.authorization_code_lifetime);
    return sign_in;
}

} // namespace symbolon::entry

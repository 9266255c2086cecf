#include "consent/consent.hpp"

#include "base/ensure.hpp"

#include <algorithm>

namespace symbolon::consent {

using Before = action::RequestedClaim::Before;

namespace {

bool holds(std::vector<std::string> const& names, std::string const& name)
{
    return std::ranges::count(names, name) > 0;
}

} // namespace

bool is_withdrawn(Consent const& consent) { return consent.shared.empty() && consent.kept_back.empty(); }

std::vector<action::RequestedClaim> recall(std::vector<action::RequestedClaim> claims,
                                           std::optional<Consent> const& consent)
{
    for (auto& claim : claims) {
        claim.before = Before::nothing;
        if (consent && holds(consent->shared, claim.name)) claim.before = Before::shared;
        else if (consent && holds(consent->kept_back, claim.name)) claim.before = Before::kept_back;
    }
    return claims;
}

bool asks_more(std::vector<action::RequestedClaim> const& claims)
{
    return std::ranges::any_of(claims, [](auto const& claim) {
        return claim.before == Before::nothing || (claim.essential && claim.before == Before::kept_back);
    });
}

bool changes(std::vector<action::RequestedClaim> const& claims, std::vector<std::string> const& granted)
{
    return std::ranges::any_of(claims, [&](auto const& claim) {
        return claim.before != (holds(granted, claim.name) ? Before::shared : Before::kept_back);
    });
}

bool still_holds(std::vector<std::string> const& granted, std::optional<Consent> const& consent)
{
    return !consent || std::ranges::all_of(granted, [&](auto const& name) { return holds(consent->shared, name); });
}

Consent after(std::optional<Consent> before, action::Action const& approved, Instant now)
{
    ENSURE(approved.account.has_value());
    Consent consent =
        std::move(before).value_or(Consent{.account = *approved.account, .client = approved.client, .since = now});
    consent.partner_names = approved.partner_names;
    consent.partner_domain = approved.partner_domain;
    consent.at = now;
    if (is_withdrawn(consent)) consent.since = now;
    for (auto const& claim : approved.claims) {
        std::erase(consent.shared, claim.name);
        std::erase(consent.kept_back, claim.name);
        (holds(approved.granted_claims, claim.name) ? consent.shared : consent.kept_back).push_back(claim.name);
    }
    return consent;
}

} // namespace symbolon::consent

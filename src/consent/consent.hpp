#pragma once

#include "action/action.hpp"
#include "base/id.hpp"
#include "base/instant.hpp"
#include "base/language.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

/// What a holder agreed to share with a partner, kept apart from the history of logins (D4).
namespace symbolon::consent {

struct Consent {
    AccountId account;
    ClientId client;
    std::map<Language, std::string> partner_names; ///< as they were shown
    std::string partner_domain;
    std::vector<std::string> shared;    ///< names of questions (consent/claims.hpp)
    std::vector<std::string> kept_back; ///< optional ones that were refused
    Instant since;
    Instant at; ///< last change
};

/// Whether it was taken back: nothing of it holds.
bool is_withdrawn(Consent const& consent);

/// The questions with what was said of each before.
std::vector<action::RequestedClaim> recall(std::vector<action::RequestedClaim> claims,
                                           std::optional<Consent> const& consent);

/// Whether the holder is asked this time: something was never asked, or is required now and was kept back.
bool asks_more(std::vector<action::RequestedClaim> const& claims);

/// Whether an approval changes what is kept: another answer than the recalled one to any question.
bool changes(std::vector<action::RequestedClaim> const& claims, std::vector<std::string> const& granted);

/// Whether all that was granted still holds. Where nothing was ever kept, nothing was taken back.
bool still_holds(std::vector<std::string> const& granted, std::optional<Consent> const& consent);

/// What is kept after an approval. What was not asked this time stays as it was.
Consent after(std::optional<Consent> before, action::Action const& approved, Instant now);

} // namespace symbolon::consent

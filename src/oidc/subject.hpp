#pragma once

#include "base/id.hpp"
#include "oidc/provider.hpp"
#include "partner/client.hpp"

#include <string>

namespace symbolon::oidc {

/// Within which a person has one subject. OpenID Connect Core 1.0 §8.1: without a sector identifier the host of the
/// redirect URI is the sector. That there is one host alone is for registration to see to.
std::string sector_of(partner::Client const& client);

/// `sub` (OpenID Connect Core 1.0 §8.1, pairwise): 36 small letters and digits, the same for one account in one sector,
/// and telling nothing of either. HMAC-SHA-256 under the provider's pairwise secret, in base 36.
std::string subject_of(AccountId const& account, partner::Client const& client, Provider const& provider);

} // namespace symbolon::oidc

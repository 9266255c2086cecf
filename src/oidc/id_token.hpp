#pragma once

#include "account/account.hpp"
#include "grant/grant.hpp"
#include "oidc/provider.hpp"
#include "partner/client.hpp"

#include <span>
#include <string>

namespace symbolon::oidc {

/// `at_hash` (OpenID Connect Core 1.0 §3.1.3.6) for the algorithms with SHA-256, which are all we sign with.
std::string access_token_hash(std::string_view access_token);

/// A signed ID token (§2): iss, sub, aud, exp, iat, auth_time, nonce, acr, amr, at_hash, and the claims that the
/// `claims` parameter asked for here and the holder granted. Fails: configuration_invalid (no key of the client's
/// algorithm).
Result<std::string> id_token(grant::Grant const& grant, account::Account const& account, partner::Client const& client,
                             std::string_view access_token, Provider const& provider, Instant now);

/// `amr` (RFC 8176 §2) of an approval that achieved that level of assurance.
std::vector<std::string_view> authentication_methods(std::string_view achieved_acr);

/// The photo as a `data:` URL (RFC 2397): nobody but the client that got the claim can read it. Empty without one, and
/// where the claims don't name it: it is longer than everything else together.
std::string picture_among(std::span<std::string const> claims, account::Person const& person);

} // namespace symbolon::oidc

#pragma once

#include "base/id.hpp"
#include "base/instant.hpp"
#include "base/language.hpp"

#include <optional>
#include <string>
#include <vector>

namespace symbolon::grant {

/// A member of the `claims` parameter (OpenID Connect Core 1.0 §5.5.1).
struct ClaimRequest {
    std::string name;
    bool essential = false;
    std::vector<std::string> values; ///< value or values, as JSON texts; empty: any
};

/// An authorization request that was judged: its client is known, its redirect URI is the client's (RFC 6749 §4.1.1).
struct AuthorizationRequest {
    ClientId client;
    std::string redirect_uri;
    std::string response_mode; ///< "query"
    std::vector<std::string> scopes;
    std::string state;
    std::string nonce;
    std::string code_challenge; ///< S256; empty without PKCE
    std::vector<std::string> prompt;
    std::optional<Seconds> max_age;
    std::vector<Language> ui_locales;
    std::vector<std::string> acr_values;
    std::string login_hint; ///< personal data
    std::vector<ClaimRequest> id_token_claims;
    std::vector<ClaimRequest> userinfo_claims;
};

/// The `acr` of which the answer must have one (OpenID Connect Core 1.0 §5.5.1.1: an essential claim with values). As
/// JSON texts; empty: any.
inline std::vector<std::string> required_acr_values(AuthorizationRequest const& request)
{
    for (auto const& claim : request.id_token_claims)
        if (claim.name == "acr") return claim.essential ? claim.values : std::vector<std::string>{};
    return {};
}

} // namespace symbolon::grant

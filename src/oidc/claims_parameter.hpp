#pragma once

#include "base/result.hpp"
#include "grant/request.hpp"

#include <array>
#include <string_view>
#include <vector>

namespace symbolon::oidc {

/// Claims that say something of the answer and not of the person: nobody is asked for them.
inline constexpr std::array<std::string_view, 8> protocol_claims{"sub", "iss",       "aud", "exp",
                                                                 "iat", "auth_time", "acr", "amr"};

/// The `claims` parameter (OpenID Connect Core 1.0 §5.5), its two members as lists.
struct ClaimsParameter {
    std::vector<grant::ClaimRequest> id_token;
    std::vector<grant::ClaimRequest> userinfo;
};

/// Reads it. Unknown members are ignored, as §5.5 has it. Fails with claims_malformed: no JSON object, members of wrong
/// types, names that no JWT of ours could hold, more than is sane (16 KiB, 100 claims in a member, 20 values in a
/// claim).
Result<ClaimsParameter> parse_claims_parameter(std::string_view text);

} // namespace symbolon::oidc

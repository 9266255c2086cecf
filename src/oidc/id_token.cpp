#include "oidc/id_token.hpp"

#include "action/assurance.hpp"
#include "consent/claims.hpp"
#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "oidc/subject.hpp"

#include <algorithm>

namespace symbolon::oidc {

std::string access_token_hash(std::string_view access_token)
{
    // "base64url encoding of the left-most half of the hash of the octets of the ASCII representation of the
    // access_token value"
    auto digest = crypto::sha256(access_token);
    digest.resize(digest.size() / 2);
    return crypto::base64url(digest);
}

std::vector<std::string_view> authentication_methods(std::string_view achieved_acr)
{
    // "swk: Proof-of-Possession (PoP) of a software-secured key": the phone's own, which a browser keeps. Beside it the
    // code, or a passkey that asked for its holder; nobody attests what keeps a passkey, so it is no "hwk".
    if (achieved_acr == action::assurance_substantial) return {"mfa", "swk", "user"};
    return {"mfa", "swk", "pin"};
}

std::string picture_among(std::span<std::string const> claims, account::Person const& person)
{
    auto const is_asked = std::ranges::find(claims, "picture") != claims.end();
    return is_asked && !person.photo.empty() ? "data:image/jpeg;base64," + crypto::base64(person.photo) : std::string{};
}

Result<std::string> id_token(grant::Grant const& grant, account::Account const& account, partner::Client const& client,
                             std::string_view access_token, Provider const& provider, Instant now)
{
    auto const key = TRY(provider.signing_key(client.id_token_signed_response_alg, now));

    auto claims = consent::values(grant.id_token_claims, account, picture_among(grant.id_token_claims, account.person));
    claims["iss"] = provider.issuer();
    claims["sub"] = subject_of(grant.account, client, provider);
    claims["aud"] = client.id.text();
    claims["exp"] = numeric_date(now + provider.limits().id_token_lifetime);
    claims["iat"] = numeric_date(now);
    claims["auth_time"] = numeric_date(grant.auth_time);
    if (!grant.nonce.empty()) claims["nonce"] = grant.nonce;
    claims["acr"] = grant.acr;
    auto& methods = (claims["amr"] = json::Array{}).as_array();
    // The client may take a lower level than was reached: what was done is not less for it.
    auto const& achieved = grant.achieved_acr.empty() ? grant.acr : grant.achieved_acr;
    for (auto const method : authentication_methods(achieved)) methods.emplace_back(method);
    claims["at_hash"] = access_token_hash(access_token);
    return crypto::sign_jws(key, json::write(claims), "JWT");
}

} // namespace symbolon::oidc

#include "oidc/discovery.hpp"

#include "action/assurance.hpp"
#include "base/language.hpp"
#include "consent/claims.hpp"
#include "oidc/claims_parameter.hpp"

namespace symbolon::oidc {

namespace {

json::Array names(auto const& range)
{
    json::Array array;
    for (auto const& name : range) array.emplace_back(std::string_view{name});
    return array;
}

json::Array assertion_algorithm_names()
{
    json::Array array;
    for (auto const algorithm : assertion_algorithms) array.emplace_back(name_of(algorithm));
    return array;
}

json::Array language_names()
{
    json::Array array;
    for (auto const language : all_languages) array.emplace_back(name_of(language));
    return array;
}

json::Array claim_names()
{
    auto array = names(protocol_claims);
    for (auto const& row : consent::claims) array.emplace_back(row.name);
    return array;
}

} // namespace

json::Object discovery(Provider const& provider)
{
    return {
        {"issuer", provider.issuer()},
        {"authorization_endpoint", provider.url("/authorize")},
        {"token_endpoint", provider.url("/token")},
        {"userinfo_endpoint", provider.url("/userinfo")},
        {"jwks_uri", provider.url("/jwks")},
        {"scopes_supported", names(consent::scopes)},
        {"response_types_supported", {"code"}},
        {"response_modes_supported", {"query"}},
        {"grant_types_supported", {"authorization_code"}},
        {"acr_values_supported", names(action::assurance_levels_offered)},
        {"subject_types_supported", {"pairwise"}},
        {"id_token_signing_alg_values_supported", names(provider.signing_algorithms())},
        {"userinfo_signing_alg_values_supported", names(provider.signing_algorithms())},
        {"token_endpoint_auth_methods_supported",
         {"client_secret_basic", "client_secret_post", "private_key_jwt", "none"}},
        {"token_endpoint_auth_signing_alg_values_supported", assertion_algorithm_names()},
        {"display_values_supported", {"page"}},
        {"prompt_values_supported", {"none", "login", "consent", "select_account"}},
        {"claim_types_supported", {"normal"}},
        {"claims_supported", claim_names()},
        {"claims_parameter_supported", true},
        {"request_parameter_supported", false},
        {"request_uri_parameter_supported", false},
        {"require_request_uri_registration", false},
        {"ui_locales_supported", language_names()},
        {"code_challenge_methods_supported", {"S256"}},
        {"authorization_response_iss_parameter_supported", true},
    };
}

json::Object jwks(Provider const& provider, Instant now)
{
    json::Array keys;
    for (auto const& own : provider.published_keys(now)) {
        auto jwk = own.key.jwk();
        jwk["use"] = "sig";
        jwk["alg"] = name_of(*own.algorithm);
        jwk["kid"] = own.key_id;
        keys.emplace_back(std::move(jwk));
    }
    return {{"keys", std::move(keys)}};
}

} // namespace symbolon::oidc

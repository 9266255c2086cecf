#include "bank/discovery.hpp"

#include "base/json.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>

namespace symbolon::bank {

namespace {

constexpr std::size_t longest_url = 2000;

struct Endpoint {
    char const* name;
    std::string Metadata::* member;
};
constexpr std::array endpoints{
    Endpoint{"authorization_endpoint", &Metadata::authorization_endpoint},
    Endpoint{"token_endpoint", &Metadata::token_endpoint},
    Endpoint{"pushed_authorization_request_endpoint", &Metadata::pushed_authorization_request_endpoint},
    Endpoint{"jwks_uri", &Metadata::jwks_uri},
};

std::unexpected<Failure> unusable(std::string detail)
{
    return fail(Outcome::bank_unreachable, "discovery: " + std::move(detail));
}

/// What the bank lists under that name; nothing where it says nothing.
std::optional<std::vector<std::string>> list_in(json::Object const& metadata, std::string_view name)
{
    auto const* found = metadata.if_contains(name);
    if (found == nullptr) return std::nullopt;
    std::vector<std::string> texts;
    if (found->is_array())
        for (auto const& each : found->as_array())
            if (each.is_string()) texts.emplace_back(each.as_string());
    return texts;
}

bool has_any(std::vector<std::string> const& list, std::initializer_list<std::string_view> wanted)
{
    return std::ranges::any_of(list, [&](auto const& each) { return std::ranges::find(wanted, each) != wanted.end(); });
}

} // namespace

std::string metadata_url(std::string_view issuer)
{
    // §4: "If the Issuer value contains a path component, any terminating / MUST be removed".
    if (issuer.ends_with('/')) issuer.remove_suffix(1);
    return std::string{issuer} + "/.well-known/openid-configuration";
}

bool is_endpoint(std::string_view url, std::string_view issuer)
{
    if (url.size() > longest_url) return false;
    auto const parsed = http::parse_url(url);
    if (!parsed || parsed->host.empty() || parsed->has_user_info || parsed->has_fragment) return false;
    if (parsed->scheme == "https") return true;
    auto const home = http::parse_url(issuer);
    return parsed->scheme == "http" && parsed->is_loopback() && home && home->scheme == "http" && home->is_loopback();
}

bool is_json(Answer const& answer)
{
    auto const type =
        in_small_letters(trimmed(std::string_view{answer.content_type}.substr(0, answer.content_type.find(';'))));
    return type == "application/json" || (type.starts_with("application/") && type.ends_with("+json"));
}

Result<Metadata> parse_metadata(std::string_view text, std::string_view issuer)
{
    auto const object = json::parse_object(text);
    if (!object) return unusable("no JSON object");
    if (json::text(*object, "issuer").value_or("") != issuer) return unusable("another issuer");
    Metadata metadata;
    metadata.issuer = issuer;
    for (auto const& endpoint : endpoints) {
        auto const url = json::text(*object, endpoint.name);
        if (!url || !is_endpoint(*url, issuer)) return unusable(endpoint.name);
        metadata.*endpoint.member = *url;
    }
    return metadata;
}

std::vector<Finding> examine_metadata(std::string_view text, std::string_view issuer)
{
    std::vector<Finding> findings;
    auto const add = [&](std::string what, std::string wrong = {}) {
        findings.push_back({std::move(what), std::move(wrong)});
    };
    auto const object = json::parse_object(text);
    if (!object) {
        add("metadata are a JSON object", object.error().detail);
        return findings;
    }
    auto const said = json::text(*object, "issuer").value_or("");
    add("issuer",
        said == issuer ? "" : "it says \"" + said + "\", and the configuration \"" + std::string{issuer} + '"');
    for (auto const& endpoint : endpoints) {
        auto const url = json::text(*object, endpoint.name);
        add(endpoint.name, !url                        ? "is missing"
                           : is_endpoint(*url, issuer) ? ""
                                                       : "\"" + *url + "\" is no https URL that we may go to");
    }

    // What a list does not say is as OpenID Connect Discovery 1.0 §3 has it; for some that is not what we send.
    struct Wanted {
        char const* name;
        std::initializer_list<std::string_view> any_of;
        bool may_be_absent;
    };
    for (auto const& wanted : {
             Wanted{"response_types_supported", {"code"}, false},
             Wanted{"token_endpoint_auth_methods_supported", {"private_key_jwt"}, false},
             Wanted{"token_endpoint_auth_signing_alg_values_supported", {"ES256"}, true},
             Wanted{"code_challenge_methods_supported", {"S256"}, false},
             Wanted{"id_token_signing_alg_values_supported", {"ES256", "PS256", "RS256", "EdDSA"}, false},
             Wanted{"id_token_encryption_alg_values_supported", {"RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A256KW"}, true},
             Wanted{"id_token_encryption_enc_values_supported", {"A256GCM", "A128CBC-HS256"}, true},
         }) {
        auto const list = list_in(*object, wanted.name);
        if (!list && wanted.may_be_absent) continue;
        std::string expected;
        for (auto const each : wanted.any_of) expected += (expected.empty() ? "" : ", ") + std::string{each};
        add(wanted.name, list && has_any(*list, wanted.any_of) ? "" : "has none of " + expected);
    }
    auto const says = [&](std::string_view name) { return json::boolean(*object, name).value_or(false); };
    add("authorization_response_iss_parameter_supported",
        says("authorization_response_iss_parameter_supported") ? "" : "is not true; we demand iss (RFC 9207)");
    add("claims_parameter_supported", says("claims_parameter_supported")
                                          ? ""
                                          : "is not true; we ask for data by `claims` (OpenID Connect Core §5.5)");
    return findings;
}

} // namespace symbolon::bank

#include "oidc/authorization_request.hpp"

#include "action/assurance.hpp"
#include "base/text.hpp"
#include "consent/claims.hpp"
#include "crypto/encoding.hpp"
#include "oidc/claims_parameter.hpp"

#include <algorithm>
#include <charconv>
#include <functional>

namespace symbolon::oidc {

namespace {

using http::Parameters;

// What is longer is nobody's state or nonce. Partners keep whole encrypted sessions in `state`.
constexpr std::size_t longest_state = 4096;
constexpr std::size_t longest_nonce = 1024;
constexpr std::size_t longest_list = 2048;
constexpr std::size_t most_of_a_list = 50;
constexpr std::size_t longest_login_hint = 100;
constexpr std::size_t longest_subject = 64; // as JSON
constexpr std::size_t longest_client_id = 255;
constexpr std::size_t longest_redirect_uri = 4096;

/// Every parameter that means something here. RFC 6749 §3.1: the others are ignored.
constexpr std::array<std::string_view, 21> known_parameters{"response_type", "client_id",      "redirect_uri",
                                                            "scope",         "state",          "response_mode",
                                                            "nonce",         "display",        "prompt",
                                                            "max_age",       "ui_locales",     "claims_locales",
                                                            "login_hint",    "id_token_hint",  "acr_values",
                                                            "claims",        "request",        "request_uri",
                                                            "registration",  "code_challenge", "code_challenge_method"};

bool is_repeated(Parameters const& parameters, std::string_view name)
{
    return std::ranges::count(parameters.pairs(), name, &Parameters::Pair::first) > 1;
}

std::unexpected<Failure> malformed(std::string detail) { return fail(Outcome::request_malformed, std::move(detail)); }

Result<void> check_repetition(Parameters const& parameters)
{
    for (auto const name : known_parameters)
        if (is_repeated(parameters, name)) return fail(Outcome::parameter_repeated, std::string{name});
    return {};
}

/// The values of a parameter that is a list between spaces.
Result<std::vector<std::string>> list(Parameters const& parameters, std::string_view name)
{
    std::vector<std::string> values;
    auto const text = given(parameters, name);
    if (!text) return values;
    if (text->size() > longest_list) return malformed(std::string{name} + " is too long");
    for (auto const value : split(*text, ' '))
        if (!value.empty()) values.emplace_back(value);
    if (values.size() > most_of_a_list) return malformed(std::string{name} + " has too many values");
    return values;
}

/// RFC 6749 §3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
bool is_scope_token(std::string_view text)
{
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f' && c != '"' && c != '\\'; });
}

Result<std::vector<std::string>> check_scope(Parameters const& parameters)
{
    auto const asked = list(parameters, "scope");
    if (!asked) return fail(Outcome::scope_invalid, asked.error().detail);
    if (!std::ranges::all_of(*asked, is_scope_token)) return fail(Outcome::scope_invalid, "a sign that no scope has");

    // OpenID Connect Core 1.0, 3.1.2.1: "OpenID Connect requests MUST contain the openid scope value. […] Scope values
    // used that are not understood by an implementation SHOULD be ignored."
    std::vector<std::string> scopes;
    for (auto const scope : consent::scopes)
        if (std::ranges::count(*asked, scope) > 0) scopes.emplace_back(scope);
    if (std::ranges::count(scopes, "openid") == 0) return fail(Outcome::scope_invalid, "scope must contain openid");
    return scopes;
}

Result<void> check_response(Parameters const& parameters)
{
    // RFC 6749, 4.1.2.1: invalid_request: "The request is missing a required parameter".
    auto const type = given(parameters, "response_type");
    if (!type) return malformed("response_type is missing");
    if (*type != "code") return fail(Outcome::response_type_unsupported, "response_type must be code");

    // OAuth 2.0 Multiple Response Type Encoding Practices, 2.1: the default for `code` is `query`.
    if (auto const mode = given(parameters, "response_mode"); mode && *mode != "query")
        return fail(Outcome::response_mode_unsupported, "response_mode must be query");
    return {};
}

/// RFC 7636 §4.3, §4.4.1. Gives the challenge, empty without PKCE.
Result<std::string> check_challenge(Parameters const& parameters, partner::Client const& client)
{
    auto const challenge = given(parameters, "code_challenge");
    auto const method = given(parameters, "code_challenge_method");

    // RFC 9700, 2.1.1: "Public clients MUST use PKCE".
    auto const required = client.requires_pkce || client.authentication == partner::ClientAuthentication::none;
    if (!challenge && (required || method)) return fail(Outcome::challenge_missing, "code_challenge is missing");
    if (!challenge) return std::string{};

    // RFC 7636, 4.3: "defaults to "plain" if not present in the request", which shows the verifier to whoever sees the
    // request (RFC 9700, 2.1.1).
    if (method != "S256") return fail(Outcome::challenge_method_unsupported, "code_challenge_method must be S256");

    // 4.2: BASE64URL-ENCODE(SHA256(ASCII(code_verifier))): 32 bytes.
    constexpr std::size_t sha256_bytes = 32;
    auto const digest = crypto::from_base64url(*challenge);
    if (!digest || digest->size() != sha256_bytes) return malformed("code_challenge is no SHA-256 in base64url");
    return std::string{*challenge};
}

/// §3.1.2.1 prompt. Each login asks the person, so login, consent and select_account get what they ask for.
Result<std::vector<std::string>> check_prompt(Parameters const& parameters)
{
    auto const values = list(parameters, "prompt");
    if (!values) return fail(Outcome::prompt_invalid, values.error().detail);
    for (auto const& value : *values)
        if (value != "none" && value != "login" && value != "consent" && value != "select_account")
            return fail(Outcome::prompt_invalid, "prompt has a value that is not known");
    // "If this parameter contains none with any other value, an error is returned."
    if (values->size() > 1 && std::ranges::count(*values, "none") > 0)
        return fail(Outcome::prompt_invalid, "prompt has none and another value");
    return *values;
}

Result<std::optional<Seconds>> check_max_age(Parameters const& parameters)
{
    auto const text = given(parameters, "max_age");
    if (!text) return std::nullopt;
    std::int64_t value = 0;
    auto const [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (!is_digits(*text) || error != std::errc{} || end != text->data() + text->size())
        return malformed("max_age is no number of seconds");
    return Seconds{value};
}

std::vector<Language> languages(std::vector<std::string> const& tags)
{
    std::vector<Language> known;
    for (auto const& tag : tags) {
        auto const small = in_small_letters(tag);
        if (auto const language = language_named(std::string_view{small}.substr(0, small.find('-'))))
            if (std::ranges::count(known, *language) == 0) known.push_back(*language);
    }
    return known;
}

/// §3.1.2.1 id_token_hint: "ID Token previously issued by the Authorization Server". It may have expired. Gives the
/// subject as a JSON text.
Result<std::string> check_id_token_hint(std::string_view hint, partner::Client const& client, Provider const& provider)
{
    auto const keys = provider.own_verification_keys();
    std::vector<crypto::SignatureAlgorithm> algorithms;
    algorithms.reserve(keys.size());
    for (auto const& key : keys) algorithms.push_back(*key.algorithm);
    auto const jws = crypto::verify_jws(hint, keys, algorithms);
    if (!jws) return malformed("id_token_hint was not signed here");
    auto const claims = json::parse_object(jws->payload);
    if (!claims) return malformed("id_token_hint");
    // Subjects differ from client to client, so only the client's own token says something.
    auto const* audience = claims->if_contains("aud");
    auto const* issuer = claims->if_contains("iss");
    auto const* subject = claims->if_contains("sub");
    if (issuer == nullptr || *issuer != json::Value(provider.issuer()) || audience == nullptr ||
        *audience != json::Value(client.id.text()) || subject == nullptr || !subject->is_string())
        return malformed("id_token_hint is not for this client");
    return json::write(*subject);
}

/// What stands behind the host and the port of a redirect URI at a loopback address; nothing of another URI.
std::optional<std::string_view> behind_loopback_port(std::string_view uri, std::string_view address)
{
    if (!uri.starts_with(address)) return std::nullopt;
    uri.remove_prefix(address.size());
    if (!uri.starts_with(':')) return uri;
    auto const end = std::min(uri.find_first_not_of("0123456789", 1), uri.size());
    constexpr std::size_t longest_port = 5;
    if (end == 1 || end > 1 + longest_port) return std::nullopt;
    return uri.substr(end);
}

/// RFC 8252 §7.3: "The authorization server MUST allow any port to be specified at the time of the request for loopback
/// IP redirect URIs, to accommodate clients that obtain an available ephemeral port from the operating system at the
/// time of the request." The rest is compared exactly (RFC 9700 §2.1).
bool differs_in_loopback_port_alone(std::string_view asked, std::string_view registered)
{
    return std::ranges::any_of(std::array<std::string_view, 2>{"http://127.0.0.1", "http://[::1]"},
                               [&](std::string_view address) {
                                   auto const one = behind_loopback_port(asked, address);
                                   return one && one == behind_loopback_port(registered, address);
                               });
}

bool is_registered(std::string_view uri, partner::Client const& client)
{
    if (std::ranges::count(client.redirect_uris, uri) > 0) return true;
    // Apps on a person's own machine; what can keep a secret has a port of its own too.
    if (client.authentication != partner::ClientAuthentication::none) return false;
    return std::ranges::any_of(client.redirect_uris, [&](std::string const& registered) {
        return differs_in_loopback_port_alone(uri, registered);
    });
}

grant::ClaimRequest const* find(std::vector<grant::ClaimRequest> const& requests, std::string_view name)
{
    auto const found = std::ranges::find(requests, name, &grant::ClaimRequest::name);
    return found == requests.end() ? nullptr : &*found;
}

/// What is kept of a member of `claims`. §5.5: "Any members used that are not understood MUST be ignored."
std::vector<grant::ClaimRequest> those_that_mean_something(std::vector<grant::ClaimRequest> asked)
{
    std::erase_if(asked, [](grant::ClaimRequest const& claim) {
        return std::ranges::count(protocol_claims, claim.name) == 0 &&
               std::ranges::count(consent::claims, claim.name, &consent::ClaimRow::name) == 0;
    });
    for (auto& claim : asked) {
        if (claim.name == "sub") {
            // What is no subject of ours is nobody's, however long it is. It must stay a value: none means any.
            for (auto& value : claim.values)
                if (value.size() > longest_subject) value = "null";
        } else if (claim.name != "acr" || !claim.essential) {
            claim.values.clear(); // it counts that it was asked for
        }
    }
    return asked;
}

} // namespace

std::optional<std::string_view> given(Parameters const& parameters, std::string_view name)
{
    auto const value = parameters.find(name);
    return value && !value->empty() ? value : std::nullopt;
}

Result<ClientId> client_named(Parameters const& parameters)
{
    if (is_repeated(parameters, "client_id")) return fail(Outcome::parameter_repeated, "client_id");
    auto const id = given(parameters, "client_id");
    if (!id || id->size() > longest_client_id) return fail(Outcome::client_unknown);
    return ClientId{std::string{*id}};
}

Result<std::string> trusted_redirect_uri(Parameters const& parameters, partner::Client const& client)
{
    if (is_repeated(parameters, "redirect_uri")) return fail(Outcome::parameter_repeated, "redirect_uri");
    auto const uri = given(parameters, "redirect_uri");
    // OpenID Connect Core 1.0, 3.1.2.1: "REQUIRED. […] This URI MUST exactly match one of the Redirection URI values
    // for the Client pre-registered at the OpenID Provider".
    if (!uri) return fail(Outcome::redirect_uri_missing);
    if (uri->size() > longest_redirect_uri || !is_registered(*uri, client)) return fail(Outcome::redirect_uri_mismatch);
    // RFC 6749, 3.1.2: "The endpoint URI MUST NOT include a fragment component." Registration sees to it; if it did
    // not, nothing may be put behind it.
    if (uri->contains('#')) return fail(Outcome::redirect_uri_mismatch, "registered with a fragment");
    return std::string{*uri};
}

Result<grant::AuthorizationRequest> check_request(Parameters const& parameters, partner::Client const& client,
                                                  std::string redirect_uri, Provider const& provider)
{
    // RFC 6749, 3.1: "Request and response parameters MUST NOT be included more than once."
    TRY(check_repetition(parameters));

    // OpenID Connect Core 1.0, 3.1.2.6. First, because a request object would change what follows.
    if (given(parameters, "request")) return fail(Outcome::request_object_unsupported);
    if (given(parameters, "request_uri")) return fail(Outcome::request_uri_unsupported);
    if (given(parameters, "registration")) return fail(Outcome::registration_unsupported);

    TRY(check_response(parameters));

    grant::AuthorizationRequest request;
    request.client = client.id;
    request.redirect_uri = std::move(redirect_uri);
    request.response_mode = "query";
    request.scopes = TRY(check_scope(parameters));

    request.state = given(parameters, "state").value_or("");
    if (request.state.size() > longest_state) return malformed("state is too long");
    request.nonce = given(parameters, "nonce").value_or("");
    if (request.nonce.size() > longest_nonce) return malformed("nonce is too long");

    request.code_challenge = TRY(check_challenge(parameters, client));
    request.prompt = TRY(check_prompt(parameters));
    // Whoever signs in approves it there and then, so no approval is ever older than max_age.
    request.max_age = TRY(check_max_age(parameters));

    // Wishes: what is not known is passed over.
    request.ui_locales = languages(TRY(list(parameters, "ui_locales")));
    request.acr_values = TRY(list(parameters, "acr_values"));
    if (auto const hint = given(parameters, "login_hint"); hint && hint->size() <= longest_login_hint)
        request.login_hint = *hint;

    if (auto const claims = given(parameters, "claims")) {
        auto parsed = TRY(parse_claims_parameter(*claims));
        request.id_token_claims = those_that_mean_something(std::move(parsed.id_token));
        request.userinfo_claims = those_that_mean_something(std::move(parsed.userinfo));
    }
    if (auto const hint = given(parameters, "id_token_hint")) {
        auto subject = TRY(check_id_token_hint(*hint, client, provider));
        std::erase_if(request.id_token_claims, [](auto const& claim) { return claim.name == "sub"; });
        request.id_token_claims.push_back({.name = "sub", .essential = true, .values = {std::move(subject)}});
    }

    // 5.5.1.1: "the Authorization Server MUST return an acr Claim Value that matches one of the requested values", else
    // "treat that outcome as a failed authentication attempt": better told before anybody takes the phone out.
    auto const is_offered = [](std::string const& level) {
        return std::ranges::any_of(action::assurance_levels_offered, [&](std::string_view offered) {
            return json::write(json::Value(offered)) == level;
        });
    };
    auto const required = required_acr_values(request);
    if (!required.empty() && std::ranges::none_of(required, is_offered)) return fail(Outcome::acr_unmet);
    // Nothing else is compared with what was reached.
    for (auto* const claims : {&request.id_token_claims, &request.userinfo_claims})
        for (auto& claim : *claims)
            if (claim.name == "acr") std::erase_if(claim.values, std::not_fn(is_offered));

    // 3.1.2.1: "none: The Authorization Server MUST NOT display any authentication or consent user interface pages."
    // Here nobody is ever logged in already.
    if (std::ranges::count(request.prompt, "none") > 0) return fail(Outcome::login_required);

    return request;
}

std::vector<std::string> requested_subjects(grant::AuthorizationRequest const& request)
{
    for (auto const* claims : {&request.id_token_claims, &request.userinfo_claims})
        if (auto const* subject = find(*claims, "sub"); subject != nullptr && !subject->values.empty())
            return subject->values;
    return {};
}

} // namespace symbolon::oidc

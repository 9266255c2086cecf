#include "oidc/userinfo.hpp"

#include "base/text.hpp"
#include "consent/claims.hpp"
#include "crypto/hash.hpp"
#include "oidc/authorization_request.hpp"
#include "oidc/authorization_response.hpp"
#include "oidc/id_token.hpp"
#include "oidc/redemption.hpp"
#include "oidc/subject.hpp"

#include <algorithm>

namespace symbolon::oidc {

namespace {

using http::Request;
using http::Response;

constexpr std::size_t longest_token = 512;

/// RFC 6750 §2.1: b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
bool is_b64token(std::string_view text)
{
    auto const last = text.find_last_not_of('=');
    return last != std::string_view::npos && std::ranges::all_of(text.substr(0, last + 1), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      std::string_view{"-._~+/"}.contains(c);
           });
}

Result<std::optional<std::string>> token_of_header(Request const& request)
{
    if (request.header_count("authorization") == 0) return std::nullopt;
    if (request.header_count("authorization") > 1) return fail(Outcome::access_token_repeated);
    constexpr std::string_view scheme = "bearer ";
    auto const header = request.header("authorization");
    // Another scheme is no bearer token, so there is none.
    if (!equal_ignoring_case(header.substr(0, scheme.size()), scheme)) return std::nullopt;
    auto const token = trimmed(header.substr(scheme.size()));
    if (!is_b64token(token)) return fail(Outcome::request_malformed, "the Authorization header");
    return std::string{token};
}

/// §2.2: "The HTTP request entity-header includes the "Content-Type" header field set to
/// "application/x-www-form-urlencoded"". A body of another type holds no token.
Result<std::optional<std::string>> token_of_form(Request const& request)
{
    if (request.method != "POST") return std::nullopt;
    auto const form = request.form();
    if (!form && form.error().outcome == Outcome::content_type_unsupported) return std::nullopt;
    if (!form) return std::unexpected{form.error()};
    if (std::ranges::count(form->pairs(), "access_token", &http::Parameters::Pair::first) > 1)
        return fail(Outcome::access_token_repeated);
    if (auto const token = given(*form, "access_token")) return std::string{*token};
    return std::nullopt;
}

/// §3. "If the request lacks any authentication information […], the resource server SHOULD NOT include an error code
/// or other error information."
Response refusal(Failure const& failure)
{
    auto const& row = row_of(failure.outcome);
    std::string challenge = R"(Bearer realm="userinfo")";
    json::Object body;
    if (failure.outcome != Outcome::access_token_missing) {
        auto const error = std::string{oauth_error(failure.outcome)};
        challenge += R"(, error=")" + error + R"(", error_description=")" + error_description(failure) + '"';
        body = {{"error", error}, {"error_description", error_description(failure)}};
    }
    auto response = http::json(row.http_status, json::write(body));
    constexpr int server_errors = 500;
    if (row.http_status < server_errors) response.with("WWW-Authenticate", challenge);
    return response;
}

Flow<Response> claims_of_token(Request request, Provider const& provider, ports::Services services)
{
    auto const token = co_await bearer_token(request);
    auto const stored = co_await services.grants.find_by_access_token(crypto::sha256(token.reveal()));
    if (!stored || stored->value.state != grant::Grant::State::redeemed ||
        services.clock.now() >= stored->value.access_token_expires_at)
        co_return fail(Outcome::access_token_invalid);
    auto const& grant = stored->value;
    auto const account = co_await services.accounts.find(grant.account);
    auto const client = co_await services.clients.find(grant.client);
    if (!account || !client || account->value.state != account::State::active)
        co_return fail(Outcome::access_token_invalid);
    if (!co_await is_consented(grant, services)) co_return fail(Outcome::access_token_invalid);

    auto claims = consent::values(grant.userinfo_claims, account->value,
                                  picture_among(grant.userinfo_claims, account->value.person));
    claims["sub"] = subject_of(grant.account, client->value, provider);
    auto const& algorithm = client->value.userinfo_signed_response_alg;
    if (algorithm.empty()) co_return http::json(200, json::write(claims));

    // OpenID Connect Core 1.0, 5.3.2: "If signed, the UserInfo Response MUST contain the Claims iss […] and aud […]",
    // and "the content-type of the HTTP response MUST be application/jwt".
    auto const now = services.clock.now();
    auto const key = co_await provider.signing_key(algorithm, now);
    claims["iss"] = provider.issuer();
    claims["aud"] = client->value.id.text();
    claims["iat"] = numeric_date(now);
    Response response{
        .status = 200, .headers = {}, .body = crypto::sign_jws(key, json::write(claims), "JWT"), .events = {}};
    response.with("Content-Type", "application/jwt").with("Cache-Control", "no-store");
    co_return response;
}

} // namespace

Result<SecretText> bearer_token(Request const& request)
{
    auto const in_header = TRY(token_of_header(request));
    auto const in_form = TRY(token_of_form(request));
    auto const in_query = request.query.find("access_token");
    // RFC 6750, 2: "Clients MUST NOT use more than one method to transmit the token in each request."
    if (int{in_header.has_value()} + int{in_form.has_value()} + int{in_query.has_value()} > 1)
        return fail(Outcome::access_token_repeated);
    auto const& token = in_header ? in_header : in_form;
    if (!token) return fail(Outcome::access_token_missing);
    if (token->size() > longest_token) return fail(Outcome::access_token_invalid);
    return SecretText{*token};
}

Flow<Response> userinfo(Request request, Provider const& provider, ports::Services services)
{
    auto answered = co_await outcome_of(claims_of_token(std::move(request), provider, services));
    if (answered) co_return *std::move(answered);
    services.log.failure("userinfo_request_refused", answered.error(), {});
    co_return refusal(answered.error());
}

} // namespace symbolon::oidc

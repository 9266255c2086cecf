#include "oidc/token.hpp"

#include "base/json.hpp"
#include "oidc/authorization_request.hpp"
#include "oidc/authorization_response.hpp"
#include "oidc/client_authentication.hpp"
#include "oidc/id_token.hpp"
#include "oidc/redemption.hpp"

namespace symbolon::oidc {

namespace {

using http::Parameters;
using http::Request;
using http::Response;

constexpr std::size_t longest_code = 200;
constexpr std::size_t longest_redirect_uri = 4096;

/// RFC 6749 §5.1: "The authorization server MUST include the HTTP "Cache-Control" response header field with a value of
/// "no-store" in any response containing tokens, credentials, or other sensitive information […], as well as the
/// "Pragma" response header field with a value of "no-cache"."
Response answer(int status, json::Object const& body)
{
    Response response{.status = status, .headers = {}, .body = json::write(body), .events = {}};
    response.with("Content-Type", "application/json;charset=UTF-8")
        .with("Cache-Control", "no-store")
        .with("Pragma", "no-cache");
    return response;
}

Result<Parameters> check_parameters(Request const& request)
{
    auto parameters = TRY(request.form());
    // RFC 6749, 3.2: "Request and response parameters MUST NOT be included more than once." The ones that are not known
    // are ignored.
    for (auto const name : {"grant_type", "code", "redirect_uri", "code_verifier", "client_id", "client_secret",
                            "client_assertion", "client_assertion_type"}) {
        std::string_view const wanted{name};
        if (std::ranges::count(parameters.pairs(), wanted, &Parameters::Pair::first) > 1)
            return fail(Outcome::parameter_repeated, name);
    }
    return parameters;
}

/// RFC 6749 §4.1.3. Fails: grant_type_missing, grant_type_unsupported, request_malformed, redirect_uri_missing.
Result<CodeRedemption> code_redemption(Parameters const& parameters)
{
    auto const type = given(parameters, "grant_type");
    if (!type) return fail(Outcome::grant_type_missing);
    if (*type != "authorization_code") return fail(Outcome::grant_type_unsupported);
    auto const code = given(parameters, "code");
    if (!code) return fail(Outcome::request_malformed, "code is missing");
    auto const redirect_uri = given(parameters, "redirect_uri");
    // "REQUIRED, if the "redirect_uri" parameter was included in the authorization request", which it always was.
    if (!redirect_uri) return fail(Outcome::redirect_uri_missing);
    // Nothing that we gave out is so long.
    if (code->size() > longest_code) return fail(Outcome::code_unknown);
    if (redirect_uri->size() > longest_redirect_uri) return fail(Outcome::code_redirect_uri_mismatch);
    return CodeRedemption{.code = SecretText{std::string{*code}},
                          .redirect_uri = std::string{*redirect_uri},
                          .code_verifier = std::string{given(parameters, "code_verifier").value_or("")}};
}

std::string joined(std::vector<std::string> const& words)
{
    std::string text;
    for (auto const& word : words) text += (text.empty() ? "" : " ") + word;
    return text;
}

/// OpenID Connect Core 1.0 §3.1.3.3.
Flow<Response> tokens_for_code(Request request, Provider const& provider, ports::Services services)
{
    auto const parameters = co_await check_parameters(request);
    auto const credentials = co_await client_credentials(request, parameters);
    auto const client = co_await authenticate_client(credentials, provider, services);
    auto const redemption = code_redemption(parameters);
    if (!redemption) co_await use_assertion(client, services);
    auto const redeemed = co_await redeem_code(co_await redemption, client, provider, services);

    auto const& access_token = redeemed.access_token.reveal();
    auto const signed_token =
        co_await id_token(redeemed.grant, redeemed.account, client.get(), access_token, provider, services.clock.now());
    services.log.event("tokens_given", {{"client", client.get().id.text()}});
    co_return answer(200, {{"access_token", access_token},
                           {"token_type", "Bearer"},
                           {"expires_in", provider.limits().access_token_lifetime.count()},
                           {"id_token", signed_token},
                           // RFC 6749, 5.1: REQUIRED where it is not what was asked: unknown values were left out.
                           {"scope", joined(redeemed.grant.scopes)}});
}

} // namespace

Response token_error(Failure const& failure)
{
    auto const& row = row_of(failure.outcome);
    // "The authorization server responds with an HTTP 400 (Bad Request) status code (unless specified otherwise)";
    // invalid_client has 401, and what went wrong on our side its own status.
    constexpr int unauthorized = 401;
    constexpr int server_errors = 500;
    auto const status = row.http_status == unauthorized || row.http_status >= server_errors ? row.http_status : 400;
    auto response =
        answer(status, {{"error", oauth_error(failure.outcome)}, {"error_description", error_description(failure)}});
    // "If the client attempted to authenticate via the "Authorization" request header field, the authorization server
    // MUST […] include the "WWW-Authenticate" response header field", which RFC 9110, 11.6.1 wants with each 401.
    if (status == unauthorized) response.with("WWW-Authenticate", R"(Basic realm="token", charset="UTF-8")");
    return response;
}

Flow<Response> token(Request request, Provider const& provider, ports::Services services)
{
    auto answered = co_await outcome_of(tokens_for_code(std::move(request), provider, services));
    if (answered) co_return *std::move(answered);
    services.log.failure("token_request_refused", answered.error(), {});
    co_return token_error(answered.error());
}

} // namespace symbolon::oidc

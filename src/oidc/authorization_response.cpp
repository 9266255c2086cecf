#include "oidc/authorization_response.hpp"

#include "base/http.hpp"

#include <algorithm>

namespace symbolon::oidc {

namespace {

void add_state_and_issuer(http::Parameters& parameters, std::string const& state, Provider const& provider)
{
    // RFC 6749, 4.1.2: "REQUIRED if the "state" parameter was present […]. The exact value received from the client."
    if (!state.empty()) parameters.add("state", state);
    // RFC 9207, 2: "MUST indicate its identity by including the iss parameter in the authorization response", errors
    // too.
    parameters.add("iss", provider.issuer());
}

} // namespace

std::string code_location(grant::AuthorizationRequest const& request, std::string const& code, Provider const& provider)
{
    http::Parameters parameters;
    parameters.add("code", code);
    add_state_and_issuer(parameters, request.state, provider);
    return http::with_parameters(request.redirect_uri, parameters);
}

std::string error_location(std::string const& redirect_uri, std::string const& state, Failure const& failure,
                           Provider const& provider)
{
    http::Parameters parameters;
    parameters.add("error", std::string{oauth_error(failure.outcome)});
    parameters.add("error_description", error_description(failure));
    add_state_and_issuer(parameters, state, provider);
    return http::with_parameters(redirect_uri, parameters);
}

std::string_view oauth_error(Outcome outcome)
{
    auto const error = row_of(outcome).oauth_error;
    return error.empty() ? "server_error" : error;
}

std::string error_description(Failure const& failure)
{
    auto const& row = row_of(failure.outcome);
    std::string text{row.name};
    // What went wrong inside is for our log alone.
    constexpr int server_errors = 500;
    if (row.http_status < server_errors && !failure.detail.empty()) text += ": " + failure.detail;
    std::ranges::replace_if(text, [](char c) { return c < ' ' || c > '~' || c == '"' || c == '\\'; }, '\'');
    return text;
}

} // namespace symbolon::oidc

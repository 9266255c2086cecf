#include "oidc/authorize.hpp"

#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "entry/browser_name.hpp"
#include "entry/offer.hpp"
#include "oidc/authorization_request.hpp"
#include "oidc/authorization_response.hpp"
#include "oidc/sign_in.hpp"

#include <algorithm>

namespace symbolon::oidc {

namespace {

using http::Parameters;
using http::Request;
using http::Response;

/// §3.1.2.1: "Authorization Servers MUST support the use of the HTTP GET and POST methods […]. If using the HTTP POST
/// method, the request parameters are serialized using Form Serialization".
Result<Parameters> parameters_of(Request const& request)
{
    if (request.method == "POST") return request.form();
    return request.query;
}

/// The state that an error gives back, where one can be told from the request.
std::string state_of(Parameters const& parameters)
{
    constexpr std::size_t longest = 4096;
    auto const state = given(parameters, "state").value_or("");
    auto const times = std::ranges::count(parameters.pairs(), "state", &Parameters::Pair::first);
    return times == 1 && state.size() <= longest ? std::string{state} : std::string{};
}

/// The browser's secret, if it has one of ours.
std::optional<std::string> known_browser(Request const& request)
{
    constexpr std::size_t token_bytes = 32;
    auto value = request.cookie(browser_cookie);
    if (!value) return std::nullopt;
    auto const decoded = crypto::from_base64url(*value);
    return decoded && decoded->size() == token_bytes ? value : std::nullopt;
}

/// The address to come again by, where a browser may have our cookie and didn't send it, since a page of another site
/// posted the request (SameSite=Lax). A new one would take the place of the old one, and with it the sign-ins that wait
/// in other tabs; a navigation by GET brings it along. Not with what shouldn't stand in an address, or wouldn't fit.
std::optional<std::string> address_to_get(Request const& request, Parameters const& parameters)
{
    constexpr std::size_t longest_query = 8UZ * 1024;
    auto const is_without_cookie =
        request.method == "POST" && !known_browser(request) && request.header("sec-fetch-site") == "cross-site";
    if (!is_without_cookie || given(parameters, "login_hint")) return std::nullopt;
    auto const query = http::write_parameters(parameters);
    if (query.size() > longest_query) return std::nullopt;
    return "/authorize?" + query;
}

/// The language of the page: the client's wish, then the browser's.
Language language_for(grant::AuthorizationRequest const& asked, Request const& request)
{
    return asked.ui_locales.empty() ? accepted_language(request.header("accept-language")) : asked.ui_locales.front();
}

/// One more of the requests from that network, since each is kept for a while. Who has our cookie is not counted with
/// those that have none: a flood without cookies is no matter to them. What the cookie holds can be made up, so they
/// have the same limit.
ports::OneMore one_request(Bytes network, bool has_cookie, Limits const& limits)
{
    return {.kind = has_cookie ? "authorize_with_cookie" : "authorize",
            .key = std::move(network),
            .window = 1min,
            .at_most = limits.authorization_requests_a_minute_per_address};
}

/// A new sign-in with something to offer. Two pages never offer the same short code.
Flow<void> add(grant::SignIn sign_in, ports::OneMore counted, ports::Services services)
{
    for (int tries_left = 2;; --tries_left) {
        entry::make_offer(sign_in, sign_in.created_at, services.random);
        auto const added = co_await outcome_of(services.sign_ins.add(sign_in, counted));
        if (added) co_return {};
        if (added.error().outcome == Outcome::too_many_requests)
            co_return fail_until(Outcome::too_many_requests, sign_in.created_at + counted.window);
        if (added.error().outcome != Outcome::conflict || tries_left == 0) co_return std::unexpected{added.error()};
    }
}

Flow<Response> begin_sign_in(Request request, Parameters parameters, partner::Client client, std::string redirect_uri,
                             Provider const& provider, ports::Services services)
{
    auto asked = co_await check_request(parameters, client, std::move(redirect_uri), provider);

    auto const now = services.clock.now();
    auto browser = known_browser(request);
    auto const is_new = !browser.has_value();
    if (is_new) browser = services.random.token().reveal();

    grant::SignIn sign_in;
    sign_in.id = SignInId{crypto::time_ordered_id(now, services.random)};
    sign_in.browser_hash = crypto::sha256(*browser);
    sign_in.language = language_for(asked, request);
    sign_in.request = std::move(asked);
    sign_in.created_at = now;
    sign_in.expires_at = now + provider.limits().sign_in_lifetime;
    sign_in.browser = entry::browser_name(request.header("user-agent"));
    sign_in.network = network_of(request.remote_address, provider);
    co_await add(sign_in, one_request(sign_in.network, !is_new, provider.limits()), services);
    services.log.event("sign_in_begun", {{"client", client.id.text()}});

    auto response = http::see_other("/sign-in/" + sign_in.id.text());
    if (is_new) response.with("Set-Cookie", http::cookie(browser_cookie, *browser, browser_cookie_lifetime));
    co_return response;
}

} // namespace

Flow<Response> authorize(Request request, Provider const& provider, ports::Services services)
{
    auto const parameters = co_await parameters_of(request);

    // RFC 6749, 4.1.2.1: "If the request fails due to a missing, invalid, or mismatching redirection URI, or if the
    // client identifier is missing or invalid, the authorization server SHOULD inform the resource owner of the error
    // and MUST NOT automatically redirect the user-agent to the invalid redirection URI."
    auto const id = co_await client_named(parameters);
    auto const client = co_await services.clients.find(id);
    if (!client) co_return fail(Outcome::client_unknown);
    auto const redirect_uri = co_await trusted_redirect_uri(parameters, client->value);
    if (auto const address = address_to_get(request, parameters)) co_return http::see_other(*address);

    // "If the resource owner denies the access request or if the request fails for reasons other than a missing or
    // invalid redirection URI, the authorization server informs the client by adding […] parameters to the query
    // component of the redirection URI".
    auto begun = co_await outcome_of(
        begin_sign_in(std::move(request), parameters, client->value, redirect_uri, provider, services));
    if (begun) co_return *std::move(begun);
    // Nothing that the client could mend, and no reason to let a flood run on to its door.
    if (begun.error().outcome == Outcome::too_many_requests) co_return std::unexpected{begun.error()};
    services.log.failure("authorization_request_refused", begun.error(), {{"client", id.text()}});
    // RFC 9700, 4.12: 303, so that a posted request is not posted on.
    co_return http::see_other(error_location(redirect_uri, state_of(parameters), begun.error(), provider));
}

} // namespace symbolon::oidc

#include "oidc/routes.hpp"

#include "base/json.hpp"
#include "oidc/discovery.hpp"
#include "oidc/token.hpp"
#include "oidc/userinfo.hpp"

namespace symbolon::oidc {

namespace {

using http::Handler;
using http::Request;
using http::Response;

Response open_to_all_origins(Response response)
{
    response.with("Access-Control-Allow-Origin", "*").with("Access-Control-Expose-Headers", "WWW-Authenticate");
    return response;
}

/// WHATWG Fetch §3.3.3: the answer to the question that a browser asks before a request with such headers.
Flow<Response> preflight(std::string methods)
{
    Response response{.status = 204, .headers = {}, .body = {}, .events = {}};
    response.with("Access-Control-Allow-Origin", "*")
        .with("Access-Control-Allow-Methods", std::move(methods))
        .with("Access-Control-Allow-Headers", "Authorization, Content-Type")
        .with("Access-Control-Max-Age", "86400");
    co_return response;
}

Flow<Response> document(std::string body)
{
    Response response{.status = 200, .headers = {}, .body = std::move(body), .events = {}};
    response.with("Content-Type", "application/json").with("Cache-Control", "public, max-age=3600");
    co_return open_to_all_origins(std::move(response));
}

Flow<Response> answer_token(Request request, Provider const& provider, ports::Services services)
{
    co_return open_to_all_origins(co_await token(std::move(request), provider, services));
}

Flow<Response> answer_userinfo(Request request, Provider const& provider, ports::Services services)
{
    co_return open_to_all_origins(co_await userinfo(std::move(request), provider, services));
}

} // namespace

http::Routes routes(Provider const& provider, ports::Services services)
{
    auto const configuration = std::make_shared<std::string const>(json::write(discovery(provider)));
    Handler const give_configuration = [configuration](Request const&) { return document(*configuration); };
    // As they are now: keys come and go while the program runs.
    Handler const give_keys = [&provider, services](Request const&) {
        return document(json::write(jwks(provider, services.clock.now())));
    };
    Handler const give_tokens = [&provider, services](Request request) {
        return answer_token(std::move(request), provider, services);
    };
    Handler const give_claims = [&provider, services](Request request) {
        return answer_userinfo(std::move(request), provider, services);
    };
    auto const asked_before = [](std::string const& methods) -> Handler {
        return [methods](Request const&) { return preflight(methods); };
    };
    return {
        {.method = "GET", .pattern = "/.well-known/openid-configuration", .handler = give_configuration},
        {.method = "OPTIONS", .pattern = "/.well-known/openid-configuration", .handler = asked_before("GET")},
        // RFC 8414, 3: the same under the name that OAuth clients ask for.
        {.method = "GET", .pattern = "/.well-known/oauth-authorization-server", .handler = give_configuration},
        {.method = "OPTIONS", .pattern = "/.well-known/oauth-authorization-server", .handler = asked_before("GET")},
        {.method = "GET", .pattern = "/jwks", .handler = give_keys},
        {.method = "OPTIONS", .pattern = "/jwks", .handler = asked_before("GET")},
        {.method = "POST", .pattern = "/token", .handler = give_tokens},
        {.method = "OPTIONS", .pattern = "/token", .handler = asked_before("POST")},
        {.method = "GET", .pattern = "/userinfo", .handler = give_claims},
        {.method = "POST", .pattern = "/userinfo", .handler = give_claims},
        {.method = "OPTIONS", .pattern = "/userinfo", .handler = asked_before("GET, POST")},
    };
}

} // namespace symbolon::oidc

#include "oidc/client_authentication.hpp"

#include "base/text.hpp"
#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "oidc/authorization_request.hpp"

#include <algorithm>
#include <cmath>

namespace symbolon::oidc {

namespace {

using http::Parameters;
using http::Request;
using partner::ClientAuthentication;

constexpr std::string_view jwt_bearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
constexpr std::size_t longest_client_id = 255;
constexpr std::size_t longest_secret = 512;
constexpr std::size_t longest_assertion = 8UZ * 1024;
constexpr std::size_t longest_assertion_id = 255;
constexpr Seconds longest_assertion_lifetime = 1h;

std::unexpected<Failure> failed(std::string detail)
{
    return fail(Outcome::client_authentication_failed, std::move(detail));
}

std::unexpected<Failure> invalid(std::string detail)
{
    return fail(Outcome::client_assertion_invalid, std::move(detail));
}

/// RFC 6749 §2.3.1: id and password were "encoded using the "application/x-www-form-urlencoded" encoding algorithm".
Result<std::string> form_decoded(std::string_view text)
{
    // As the one value of a form, in which neither '&' nor '=' may stand for themselves.
    if (text.contains('&') || text.contains('=')) return failed("a sign that the form encoding replaces");
    auto const decoded = http::parse_parameters("v=" + std::string{text});
    if (!decoded) return failed("form encoding");
    return std::string{decoded->value("v")};
}

/// RFC 7617 §2.
Result<ClientCredentials> basic_credentials(std::string_view header)
{
    constexpr std::string_view scheme = "basic ";
    if (header.size() < scheme.size() || !equal_ignoring_case(header.substr(0, scheme.size()), scheme))
        return failed("the Authorization header is not of the scheme Basic");
    auto const decoded = crypto::from_base64(trimmed(header.substr(scheme.size())));
    if (!decoded) return failed("base64 in the Authorization header");
    auto const pair = text_of(*decoded);
    auto const colon = pair.find(':');
    if (colon == std::string_view::npos) return failed("no colon in the Authorization header");
    return ClientCredentials{.method = ClientAuthentication::client_secret_basic,
                             .client = ClientId{TRY(form_decoded(pair.substr(0, colon)))},
                             .secret = SecretText{TRY(form_decoded(pair.substr(colon + 1)))},
                             .assertion = {}};
}

/// The client that an assertion claims to be from.
Result<ClientId> claimed_client(std::string_view assertion)
{
    if (assertion.size() > longest_assertion) return invalid("too long");
    auto const jws = crypto::peek_jws(assertion);
    if (!jws) return invalid("no JWS");
    auto const claims = json::parse_object(jws->payload);
    if (!claims) return invalid("the payload is no JSON object");
    auto const subject = json::text(*claims, "sub");
    if (!subject) return invalid("sub");
    return ClientId{*subject};
}

/// RFC 7519 §2 NumericDate: "non-integer values can be represented".
Result<std::optional<Instant>> numeric_date(json::Object const& claims, std::string_view name)
{
    auto const* value = claims.if_contains(name);
    if (value == nullptr) return std::nullopt;
    constexpr std::int64_t last = 253'402'300'799; // the year 9999
    if (value->is_int64() && value->as_int64() >= 0 && value->as_int64() <= last) return instant_of(value->as_int64());
    if (value->is_double() && value->as_double() >= 0 && value->as_double() <= static_cast<double>(last))
        return instant_of(static_cast<std::int64_t>(std::floor(value->as_double())));
    return invalid(std::string{name} + " is no date");
}

/// "The aud value […] SHOULD be the URL of the Authorization Server's Token Endpoint" (OpenID Connect Core 1.0 §9); the
/// issuer is what newer clients send, and openid-client 5 sends both. An audience that is not us could use the
/// assertion against us, so there is none.
bool is_for(json::Value const* audience, Provider const& provider)
{
    if (audience == nullptr) return false;
    auto const is_ours = [&](json::Value const& each) {
        return each.is_string() &&
               (each.as_string() == provider.issuer() || each.as_string() == provider.url("/token"));
    };
    if (!audience->is_array()) return is_ours(*audience);
    return !audience->as_array().empty() && std::ranges::all_of(audience->as_array(), is_ours);
}

/// What the signature covers, once one of the client's keys made it.
Result<json::Object> verified_claims(std::string_view assertion, partner::Client const& client,
                                     Provider const& provider)
{
    auto const keys = provider.keys_of(client);
    if (!keys) return invalid("the client's registered keys cannot be read");
    auto const jws = crypto::verify_jws(assertion, **keys, assertion_algorithms);
    if (!jws) return invalid(std::string{name_of(jws.error().outcome)});

    // A JWT that was made for something else (a DPoP proof, a request object) says so in `typ` (RFC 8725 §3.11).
    if (auto const* type = jws->header.if_contains("typ")) {
        auto const is_plain =
            type->is_string() && (equal_ignoring_case(type->as_string(), "JWT") ||
                                  equal_ignoring_case(type->as_string(), "client-authentication+jwt"));
        if (!is_plain) return invalid("typ");
    }
    auto claims = json::parse_object(jws->payload);
    if (!claims) return invalid("the payload is no JSON object");
    return *std::move(claims);
}

} // namespace

Result<ClientCredentials> client_credentials(Request const& request, Parameters const& parameters)
{
    auto const header = request.header("authorization");
    auto const has_header = request.header_count("authorization") > 0;
    auto const secret = given(parameters, "client_secret");
    auto const assertion = given(parameters, "client_assertion");
    auto const assertion_type = given(parameters, "client_assertion_type");
    auto const named = given(parameters, "client_id");

    auto const has_assertion = assertion || assertion_type;
    if (int{has_header} + int{secret.has_value()} + int{has_assertion} > 1 || request.header_count("authorization") > 1)
        return fail(Outcome::client_authentication_repeated);
    if (named && named->size() > longest_client_id) return failed("client_id is too long");

    ClientCredentials credentials;
    if (has_header) credentials = TRY(basic_credentials(header));
    else if (secret) {
        credentials.method = ClientAuthentication::client_secret_post;
        credentials.secret = SecretText{std::string{*secret}};
    } else if (has_assertion) {
        if (assertion_type != jwt_bearer) return invalid("client_assertion_type");
        if (!assertion) return invalid("client_assertion is missing");
        credentials.method = ClientAuthentication::private_key_jwt;
        credentials.assertion = *assertion;
        credentials.client = TRY(claimed_client(*assertion));
    }
    if (credentials.client.empty()) {
        if (!named) return fail(Outcome::client_authentication_missing, "client_id");
        credentials.client = ClientId{std::string{*named}};
    }
    // RFC 7521, 4.2: client_id "is unnecessary", but if it stands there it "MUST identify the same client".
    if (named && *named != credentials.client.text()) return failed("client_id names another client");
    if (credentials.client.text().size() > longest_client_id) return failed("client id is too long");
    if (credentials.secret.reveal().size() > longest_secret) return failed("client secret is too long");
    return credentials;
}

Result<Assertion> check_assertion(json::Object const& claims, ClientId const& client, Provider const& provider,
                                  Instant now)
{
    auto const skew = provider.limits().clock_skew;
    if (json::text(claims, "iss") != client.text()) return invalid("iss");
    if (json::text(claims, "sub") != client.text()) return invalid("sub");
    if (!is_for(claims.if_contains("aud"), provider)) return invalid("aud");

    auto const expires_at = TRY(numeric_date(claims, "exp"));
    auto const not_before = TRY(numeric_date(claims, "nbf"));
    auto const issued_at = TRY(numeric_date(claims, "iat"));
    if (!expires_at) return invalid("exp is missing");
    if (now >= *expires_at + skew) return fail(Outcome::client_assertion_expired);
    if (*expires_at > now + longest_assertion_lifetime + skew) return invalid("exp lies more than an hour ahead");
    if (not_before && *not_before > now + skew) return invalid("nbf lies ahead");
    if (issued_at && *issued_at > now + skew) return invalid("iat lies ahead");

    auto const id = json::text(claims, "jti");
    if (!id || id->empty() || id->size() > longest_assertion_id) return invalid("jti");
    return Assertion{.id = *id, .expires_at = *expires_at};
}

Flow<AuthenticatedClient> authenticate_client(ClientCredentials credentials, Provider const& provider,
                                              ports::Services services)
{
    auto const found = co_await services.clients.find(credentials.client);
    if (!found) co_return failed("no such client");
    auto const& client = found->value;

    // OpenID Connect Core 1.0, 9: the method is the one "registered", whatever others would do as well.
    if (credentials.method != client.authentication) co_return failed("another method is registered");

    std::optional<ports::Once> once;
    switch (client.authentication) {
    case ClientAuthentication::none: break;
    case ClientAuthentication::client_secret_basic:
    case ClientAuthentication::client_secret_post:
        // A secret has 256 random bits, so its hash needs no stretching.
        if (client.secret_hash.empty() ||
            !equal_in_constant_time(crypto::sha256(credentials.secret.reveal()), client.secret_hash))
            co_return failed("the secret");
        break;
    case ClientAuthentication::private_key_jwt: {
        auto const claims = co_await verified_claims(credentials.assertion, client, provider);
        auto const assertion = co_await check_assertion(claims, client.id, provider, services.clock.now());
        // RFC 7523, 3: the server "MAY ensure that JWTs are not replayed by maintaining the set of used "jti" values".
        // The id is hashed so that whatever a client put into it is a key of one form.
        once = ports::Once{.kind = "client_assertion",
                           .key = client.id.text() + ' ' + crypto::base64url(crypto::sha256(assertion.id)),
                           .until = assertion.expires_at + provider.limits().clock_skew};
        break;
    }
    }
    co_return AuthenticatedClient{client, std::move(once)};
}

Flow<void> use_assertion(AuthenticatedClient client, ports::Services services)
{
    if (!client.once()) co_return {};
    auto const first = co_await services.nonces.use(*client.once());
    if (!first) co_return fail(Outcome::client_assertion_replayed);
    co_return {};
}

} // namespace symbolon::oidc

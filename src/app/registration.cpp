#include "app/registration.hpp"

#include "base/http.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "consent/claims.hpp"
#include "crypto/hash.hpp"
#include "crypto/jws.hpp"
#include "oidc/provider.hpp"
#include "oidc/subject.hpp"

#include <algorithm>
#include <set>

namespace symbolon::app {

namespace {

constexpr std::size_t longest_name = 60;
constexpr std::size_t longest_uri_bytes = 2000;
constexpr std::size_t most_redirect_uris = 50;

std::unexpected<Failure> wrong(std::string detail) { return fail(Outcome::request_malformed, std::move(detail)); }

Result<http::Url> judged_redirect_uri(std::string const& uri)
{
    auto const url = http::parse_url(uri);
    if (!url || uri.size() > longest_uri_bytes) return wrong("redirect URI '" + uri + "' is no absolute URL");
    // RFC 6749 §3.1.2: "The endpoint URI MUST NOT include a fragment component."
    if (url->has_fragment) return wrong("redirect URI '" + uri + "' has a fragment");
    if (url->has_user_info) return wrong("redirect URI '" + uri + "' names a user");
    if (url->host.empty() || url->host.find('*') != std::string::npos)
        return wrong("redirect URI '" + uri + "' has no host");
    if (url->scheme != "https" && !(url->scheme == "http" && url->is_loopback()))
        return wrong("redirect URI '" + uri + "' must be https (http only on loopback)");
    return *url;
}

bool is_host(std::string const& text)
{
    auto const url = http::parse_url("https://" + text);
    return url && url->host == text && url->port.empty();
}

Result<void> check_algorithm(std::string const& algorithm, std::string_view member)
{
    if (algorithm == "ES256" || algorithm == "RS256") return {};
    return wrong(std::string{member} + ": ES256 or RS256");
}

/// Whether a key of the set shows its private half, or is a shared secret (RFC 7518 §6).
bool tells_a_secret(std::string const& jwks)
{
    auto const set = json::parse_object(jwks);
    if (!set) return false;
    auto const keys = json::array(*set, "keys");
    return keys && std::ranges::any_of(*keys, [](json::Value const& key) {
               auto const* members = key.if_object();
               return members != nullptr && (members->contains("d") || members->contains("k"));
           });
}

/// Whether a client assertion of such a key is taken. A set may well have others besides.
bool verifies_assertions(crypto::VerificationKey const& key)
{
    return std::ranges::any_of(oidc::assertion_algorithms, [&](crypto::SignatureAlgorithm algorithm) {
        return crypto::fits(algorithm, key.key.type()) && key.algorithm.value_or(algorithm) == algorithm;
    });
}

std::string assertion_algorithms()
{
    std::string names;
    for (auto const algorithm : oidc::assertion_algorithms)
        names += (names.empty() ? "" : ", ") + std::string{crypto::name_of(algorithm)};
    return names;
}

/// Fails as register_client.
Result<void> check_jwks(std::string const& jwks, partner::ClientAuthentication method)
{
    // Not even kept, and whoever sent it should know that others have read it.
    if (tells_a_secret(jwks))
        return wrong("the JWK Set has a private key: make a new one, and register its public half alone");
    auto const keys = crypto::parse_jwk_set(jwks);
    if (!keys) return wrong("the JWK Set can't be read: " + keys.error().detail);
    if (keys->empty()) return wrong("the JWK Set has no public key that could verify a signature");
    if (method == partner::ClientAuthentication::private_key_jwt && !std::ranges::any_of(*keys, verifies_assertions))
        return wrong("the JWK Set has no key for one of the algorithms of assertions: " + assertion_algorithms());
    return {};
}

/// Fails as register_client.
Result<std::vector<http::Url>> judged_redirect_uris(std::vector<std::string> const& uris)
{
    if (uris.empty()) return wrong("a redirect URI is needed");
    if (uris.size() > most_redirect_uris) return wrong("too many redirect URIs");
    std::vector<http::Url> urls;
    urls.reserve(uris.size());
    for (auto const& uri : uris) urls.push_back(TRY(judged_redirect_uri(uri)));
    return urls;
}

bool has_secret(partner::Client const& client)
{
    return client.authentication == partner::ClientAuthentication::client_secret_basic ||
           client.authentication == partner::ClientAuthentication::client_secret_post;
}

SecretText give_secret(partner::Client& client, crypto::Random& random)
{
    auto secret = random.token();
    client.secret_hash = crypto::sha256(secret.reveal());
    return secret;
}

} // namespace

Result<Registered> register_client(Registration const& registration, crypto::Random& random, Instant now)
{
    partner::Client client;
    client.id = ClientId{crypto::time_ordered_id(now, random)};
    client.partner = PartnerId{client.id.text()}; // one client a partner, until partners have a console
    client.created_at = now;

    if (registration.names.empty()) return wrong("a name is needed: it is what the holder reads");
    for (auto const& [language, name] : registration.names) {
        auto judged = displayable(trimmed(name), longest_name);
        if (!judged || judged->empty())
            return wrong("the name must be 1 to " + std::to_string(longest_name) + " readable characters");
        client.names[language] = *std::move(judged);
    }

    std::set<std::string> hosts;
    for (auto const& url : TRY(judged_redirect_uris(registration.redirect_uris))) {
        // Any app may listen on loopback, so it says nothing of whose the client is.
        if (!url.is_loopback()) hosts.insert(url.host);
        if (client.domain.empty()) client.domain = url.host;
    }
    client.redirect_uris = registration.redirect_uris;
    if (!registration.domain.empty()) {
        if (!is_host(registration.domain)) return wrong("the domain must be a host name");
        client.domain = registration.domain;
    }

    // OpenID Connect Core 1.0 §8.1: "If there are multiple hostnames in the registered redirect_uris, the Client MUST
    // register a sector_identifier_uri." Here the operator vouches for the host itself.
    if (!registration.sector_identifier.empty()) {
        if (!is_host(registration.sector_identifier)) return wrong("the sector identifier must be a host name");
        client.sector_identifier = registration.sector_identifier;
    } else if (hosts.empty()) {
        client.sector_identifier = client.id.text();
    } else if (hosts.size() == 1) {
        client.sector_identifier = *hosts.begin();
    } else {
        return wrong("redirect URIs of several hosts need a sector identifier");
    }

    auto const method = partner::client_authentication_named(registration.token_endpoint_auth_method);
    if (!method) return wrong("authentication: none, client_secret_basic, client_secret_post or private_key_jwt");
    client.authentication = *method;
    if (!registration.jwks.empty()) {
        TRY(check_jwks(registration.jwks, *method));
        client.jwks = registration.jwks;
    }
    if (*method == partner::ClientAuthentication::private_key_jwt && client.jwks.empty())
        return wrong("private_key_jwt needs a JWK Set");

    TRY(check_algorithm(registration.id_token_signed_response_alg, "id_token_signed_response_alg"));
    client.id_token_signed_response_alg = registration.id_token_signed_response_alg;
    if (!registration.userinfo_signed_response_alg.empty())
        TRY(check_algorithm(registration.userinfo_signed_response_alg, "userinfo_signed_response_alg"));
    client.userinfo_signed_response_alg = registration.userinfo_signed_response_alg;

    for (auto const& claim : registration.claims) {
        auto const row = std::ranges::find(consent::claims, claim, &consent::ClaimRow::name);
        if (row == consent::claims.end()) return wrong("claim '" + claim + "' is not known");
        client.allowed_claims.push_back(claim);
    }
    client.requires_pkce = registration.requires_pkce;

    std::optional<SecretText> secret;
    if (has_secret(client)) secret = give_secret(client, random);
    return Registered{.client = std::move(client), .secret = std::move(secret)};
}

Result<Registered> change_client(partner::Client client, RegistrationChange const& change, crypto::Random& random)
{
    if (change.redirect_uris.empty() && change.jwks.empty() && !change.new_secret)
        return wrong("nothing to change: redirect URIs, a JWK Set or a new secret");
    // Pairwise subjects depend on the sector: other ones would make strangers of everybody.
    if (client.sector_identifier.empty()) client.sector_identifier = oidc::sector_of(client);
    if (!change.redirect_uris.empty()) {
        TRY(judged_redirect_uris(change.redirect_uris));
        client.redirect_uris = change.redirect_uris;
    }
    if (!change.jwks.empty()) {
        TRY(check_jwks(change.jwks, client.authentication));
        client.jwks = change.jwks;
    }
    std::optional<SecretText> secret;
    if (change.new_secret) {
        if (!has_secret(client)) return wrong("this client has no secret: it has keys, or is public");
        secret = give_secret(client, random);
    }
    return Registered{.client = std::move(client), .secret = std::move(secret)};
}

} // namespace symbolon::app

#pragma once

#include "base/http.hpp"
#include "oidc/provider.hpp"
#include "ports/services.hpp"

/// Who calls the token endpoint (RFC 6749 §2.3, OpenID Connect Core 1.0 §9, RFC 7523 §2.2).
namespace symbolon::oidc {

/// How a request says who it is from, before anything of it is believed.
struct ClientCredentials {
    partner::ClientAuthentication method = partner::ClientAuthentication::none;
    ClientId client;
    SecretText secret;     ///< client_secret_basic, client_secret_post
    std::string assertion; ///< private_key_jwt: the JWT
};

/// Finds the one method of a request. `parameters` is its body.
///
/// Fails, first match wins: client_authentication_repeated (RFC 6749 §2.3: "The client MUST NOT use more than one
/// authentication method in each request"), client_authentication_missing, client_authentication_failed (a header or
/// parameters that cannot be read or contradict each other), client_assertion_invalid.
Result<ClientCredentials> client_credentials(http::Request const& request, http::Parameters const& parameters);

/// The claims of a client assertion, as far as they say when it may be used and how often.
struct Assertion {
    std::string id; ///< jti
    Instant expires_at;
};

/// Whether the payload of an assertion, its signature checked, is the client's for this provider now (RFC 7523 §3,
/// OpenID Connect Core 1.0 §9):
///
/// - iss and sub are the client's id;
/// - aud is the issuer or the URL of the token endpoint: a string, or an array of nothing else;
/// - exp lies after now and at most an hour ahead; nbf and iat, where they stand there, not ahead of now
///   (each with `limits.clock_skew`);
/// - jti stands there, 1 to 255 bytes.
///
/// Fails: client_assertion_invalid, client_assertion_expired.
Result<Assertion> check_assertion(json::Object const& claims, ClientId const& client, Provider const& provider,
                                  Instant now);

/// A client whose authentication was checked. Only `authenticate_client` makes one.
class AuthenticatedClient {
public:
    [[nodiscard]] partner::Client const& get() const { return client_; }
    /// What proved it and counts once (private_key_jwt). Whoever acts for the client uses it up by the very commit, or
    /// before (use_assertion), and else says client_assertion_replayed and nothing more.
    [[nodiscard]] std::optional<ports::Once> const& once() const { return once_; }

private:
    friend Flow<AuthenticatedClient> authenticate_client(ClientCredentials credentials, Provider const& provider,
                                                         ports::Services services);
    AuthenticatedClient(partner::Client client, std::optional<ports::Once> once)
        : client_{std::move(client)},
          once_{std::move(once)}
    {}
    partner::Client client_;
    std::optional<ports::Once> once_;
};

/// Checks the credentials by the one method that the client registered. A public client (`none`) only says its name:
/// what ties it to its code is PKCE.
///
/// Fails: client_authentication_failed, client_assertion_invalid, client_assertion_expired.
Flow<AuthenticatedClient> authenticate_client(ClientCredentials credentials, Provider const& provider,
                                              ports::Services services);

/// Uses up what proved the client, where nothing else of its request is written (AuthenticatedClient::once). Fails:
/// client_assertion_replayed.
Flow<void> use_assertion(AuthenticatedClient client, ports::Services services);

} // namespace symbolon::oidc

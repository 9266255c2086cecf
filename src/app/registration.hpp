#pragma once

#include "base/secret.hpp"
#include "crypto/random.hpp"
#include "partner/client.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace symbolon::app {

/// What an operator says of a new client (docs/partners.md "Registration"; the names are those of RFC 7591 §2).
struct Registration {
    std::map<Language, std::string> names; ///< what the holder reads
    std::string domain;                    ///< empty: the host of the first redirect URI
    std::vector<std::string> redirect_uris;
    std::string token_endpoint_auth_method = "client_secret_basic";
    std::string jwks; ///< JWK Set text; for private_key_jwt
    std::string id_token_signed_response_alg = "ES256";
    std::string userinfo_signed_response_alg; ///< empty: plain JSON
    std::string sector_identifier;   ///< empty: the one host of the redirect URIs, else (loopback alone) the client id
    std::vector<std::string> claims; ///< those of the sensitive ones that it may ask for
    bool requires_pkce = true;
};

struct Registered {
    partner::Client client;
    std::optional<SecretText> secret; ///< told once; the store keeps its hash
};

/// Judges a registration and makes the client.
///
/// Fails with request_malformed; the detail says what is wrong with which member. Redirect URIs are https, or http on
/// loopback, without fragment and user (RFC 6749 §3.1.2, RFC 8252 §7.3). Redirect URIs of several hosts, loopback not
/// counted, need a sector identifier (OpenID Connect Core 1.0 §8.1). `private_key_jwt` needs a key that signs with one
/// of oidc::assertion_algorithms.
Result<Registered> register_client(Registration const& registration, crypto::Random& random, Instant now);

/// What an operator changes of a client that is registered. What isn't given stays.
struct RegistrationChange {
    std::vector<std::string> redirect_uris; ///< all of them; their hosts say nothing of the sector, which stays
    std::string jwks;
    bool new_secret = false; ///< the one before is over at once
};

/// The client after a change. Fails as register_client, and where there is nothing to change: no member is given, or a
/// new secret for a client that has none.
Result<Registered> change_client(partner::Client client, RegistrationChange const& change, crypto::Random& random);

} // namespace symbolon::app

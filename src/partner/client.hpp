#pragma once

#include "base/bytes.hpp"
#include "base/id.hpp"
#include "base/instant.hpp"
#include "base/language.hpp"
#include "base/result.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace symbolon::partner {

/// How a client proves who it is at the token endpoint (OpenID Connect Core 1.0 §9).
enum class ClientAuthentication : std::uint8_t { none, client_secret_basic, client_secret_post, private_key_jwt };

std::string_view name_of(ClientAuthentication method); ///< "private_key_jwt"
std::optional<ClientAuthentication> client_authentication_named(std::string_view name);

/// What a client may expect (design.md §7). `fapi2` and `compat` come later.
enum class Profile : std::uint8_t { plain };

/// A partner's registered program (RFC 7591 §2 names the members).
struct Client {
    ClientId id;
    PartnerId partner;
    Profile profile = Profile::plain;
    std::map<Language, std::string> names;  ///< what the holder reads; at least one
    std::string domain;                     ///< what the holder reads beside the name: "shop.example"
    std::vector<std::string> redirect_uris; ///< compared exactly (RFC 9700 §4.1.3)
    ClientAuthentication authentication = ClientAuthentication::client_secret_basic;
    Bytes secret_hash;                                  ///< SHA-256 of the secret (256 random bits); empty without one
    std::string jwks;                                   ///< JWK Set text; empty without keys
    std::string id_token_signed_response_alg = "ES256"; ///< ES256 or RS256
    std::string userinfo_signed_response_alg;           ///< empty: plain JSON
    std::string sector_identifier; ///< host that pairwise subjects are made for (OpenID Connect Core 1.0 §8.1)
    std::vector<std::string>
        allowed_claims; ///< beyond what every client may ask: national_number, card_number, picture …
    bool requires_pkce = true;
    Instant created_at;

    /// The name in a language, else in English, else any.
    [[nodiscard]] std::string const& name_in(Language language) const;
};

} // namespace symbolon::partner

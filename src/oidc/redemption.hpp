#pragma once

#include "base/secret.hpp"
#include "grant/grant.hpp"
#include "oidc/client_authentication.hpp"
#include "oidc/provider.hpp"
#include "ports/services.hpp"

namespace symbolon::oidc {

/// A token request for a code (RFC 6749 §4.1.3, RFC 7636 §4.5).
struct CodeRedemption {
    SecretText code;
    std::string redirect_uri;
    std::string code_verifier; ///< empty: none was sent
};

/// Whether `code_verifier` answers the challenge of the authorization request (RFC 7636 §4.6). Without a challenge
/// there must be no verifier (RFC 9700 §2.1.1: a request whose challenge was stripped).
bool answers_challenge(std::string_view code_verifier, std::string_view code_challenge);

/// OpenID Connect Core 1.0 §3.1.3.2. Fails, first match wins: code_of_other_client, code_expired,
/// code_redirect_uri_mismatch, verifier_mismatch.
Result<grant::Grant> check_redemption(grant::Grant grant, CodeRedemption const& request, partner::Client const& client,
                                      Instant now);

/// Whether the holder did not take back what the grant gives (D4). Withdrawal revokes the grants that it sees; this
/// holds for one that came at the same moment.
Flow<bool> is_consented(grant::Grant grant, ports::Services services);

/// What a redeemed code gave.
struct Redeemed {
    grant::Grant grant;
    account::Account account;
    SecretText access_token;
};

/// Redeems a code: once, whoever comes first. A second use takes back what the first one got (RFC 6749 §4.1.2).
/// The client's assertion is used up, however this ends. Fails: client_assertion_replayed, code_unknown, code_used,
/// those of check_redemption.
Flow<Redeemed> redeem_code(CodeRedemption request, AuthenticatedClient client, Provider const& provider,
                           ports::Services services);

} // namespace symbolon::oidc

#pragma once

#include "base/http.hpp"
#include "base/result.hpp"
#include "grant/request.hpp"
#include "oidc/provider.hpp"
#include "partner/client.hpp"

/// What the authorization endpoint is asked, judged by plain functions (OpenID Connect Core 1.0 §3.1.2.1, RFC 6749
/// §4.1.1). docs/partners.md "Authorization request" tells partners the same.
namespace symbolon::oidc {

/// The value of a parameter. RFC 6749 §3.1: "Parameters sent without a value MUST be treated as if they were omitted."
std::optional<std::string_view> given(http::Parameters const& parameters, std::string_view name);

/// Whose request it says it is. Fails: parameter_repeated, client_unknown.
Result<ClientId> client_named(http::Parameters const& parameters);

/// The redirect URI, one of the client's sign by sign (an app's at a loopback IP: by any port). Now errors go there.
/// Fails, first match wins: parameter_repeated, redirect_uri_missing, redirect_uri_mismatch.
Result<std::string> trusted_redirect_uri(http::Parameters const& parameters, partner::Client const& client);

/// The rest of the request. Every failure is told to the client.
///
/// Fails, first match wins: parameter_repeated, request_object_unsupported, request_uri_unsupported,
/// registration_unsupported, request_malformed or response_type_unsupported, response_mode_unsupported, scope_invalid,
/// request_malformed (state, nonce), challenge_missing, challenge_method_unsupported, request_malformed
/// (code_challenge), prompt_invalid, request_malformed (max_age, id_token_hint), claims_malformed, acr_unmet,
/// login_required.
Result<grant::AuthorizationRequest> check_request(http::Parameters const& parameters, partner::Client const& client,
                                                  std::string redirect_uri, Provider const& provider);

/// The `sub` that the answer must have: asked for by the `claims` parameter (§5.5.1) or named by `id_token_hint`.
/// As JSON texts; empty: any.
std::vector<std::string> requested_subjects(grant::AuthorizationRequest const& request);

} // namespace symbolon::oidc

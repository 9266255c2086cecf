#pragma once

#include "base/http.hpp"
#include "oidc/provider.hpp"
#include "ports/services.hpp"

namespace symbolon::oidc {

/// The access token of a request to a protected resource: in the Authorization header (RFC 6750 §2.1) or the form of a
/// POST (§2.2), never in the query (RFC 9700 §4.3.2). Fails: access_token_repeated, access_token_missing,
/// access_token_invalid, request_malformed.
Result<SecretText> bearer_token(http::Request const& request);

/// GET and POST /userinfo (OpenID Connect Core 1.0 §5.3): `sub` and the claims that the holder granted, as JSON or as a
/// signed JWT. Every failure is an answer of RFC 6750 §3; nothing escapes.
Flow<http::Response> userinfo(http::Request request, Provider const& provider, ports::Services services);

} // namespace symbolon::oidc

#pragma once

#include "base/http.hpp"
#include "oidc/provider.hpp"
#include "ports/services.hpp"

namespace symbolon::oidc {

/// POST /token (OpenID Connect Core 1.0 §3.1.3, RFC 6749 §4.1.3): a code for an ID token and an access token. Every
/// failure is an answer of RFC 6749 §5.2; nothing escapes.
Flow<http::Response> token(http::Request request, Provider const& provider, ports::Services services);

/// An error of the token endpoint (RFC 6749 §5.2).
http::Response token_error(Failure const& failure);

} // namespace symbolon::oidc

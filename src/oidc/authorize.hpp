#pragma once

#include "base/http.hpp"
#include "oidc/provider.hpp"
#include "ports/services.hpp"

namespace symbolon::oidc {

/// The cookie that a sign-in is bound to: 256 random bits, base64url. The store keeps its SHA-256.
inline constexpr std::string_view browser_cookie = "__Host-symbolon-browser";
/// It outlives the browser, so that the phone tells a browser that its holder has used from a stranger's (D5).
inline constexpr Seconds browser_cookie_lifetime = 180 * 24h;

/// GET and POST /authorize (OpenID Connect Core 1.0 §3.1.2.1): makes a sign-in and sends the browser to its page with
/// 303.
///
/// Fails before the client and its redirect URI are known to be good, and with too_many_requests: a page of ours shows
/// it. Other failures are the client's to hear, and the answer is a redirect.
Flow<http::Response> authorize(http::Request request, Provider const& provider, ports::Services services);

} // namespace symbolon::oidc

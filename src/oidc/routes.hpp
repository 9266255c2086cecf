#pragma once

#include "base/http.hpp"
#include "oidc/provider.hpp"
#include "ports/services.hpp"

namespace symbolon::oidc {

/// What partners' programs ask: discovery, keys, tokens, userinfo. Open to scripts of any origin (CORS): none of them
/// reads a cookie. What people's browsers ask (/authorize and the sign-in pages) stands in page::sign_in_routes.
/// `provider` and what `services` names outlive the routes.
http::Routes routes(Provider const& provider, ports::Services services);

} // namespace symbolon::oidc

#pragma once

#include "base/json.hpp"
#include "oidc/provider.hpp"

namespace symbolon::oidc {

/// OpenID Connect Discovery 1.0 §3 and RFC 8414 §2: what this provider does, no more and no less.
json::Object discovery(Provider const& provider);

/// RFC 7517 §5: the public keys, those that no longer sign too.
json::Object jwks(Provider const& provider, Instant now);

} // namespace symbolon::oidc

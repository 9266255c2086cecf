#pragma once

#include "base/result.hpp"
#include "grant/request.hpp"
#include "oidc/provider.hpp"

#include <string>

/// The way back to the client (RFC 6749 §4.1.2, RFC 9207 §2): URLs for a Location header.
namespace symbolon::oidc {

/// redirect_uri?code=…&state=…&iss=…
std::string code_location(grant::AuthorizationRequest const& request, std::string const& code,
                          Provider const& provider);

/// redirect_uri?error=…&error_description=…&state=…&iss=… (RFC 6749 §4.1.2.1). The description is the outcome's name,
/// and what was wrong with the request where the client can mend it; it says nothing of the person.
std::string error_location(std::string const& redirect_uri, std::string const& state, Failure const& failure,
                           Provider const& provider);

/// The OAuth error of an outcome; `server_error` where the table has none.
std::string_view oauth_error(Outcome outcome);

/// `error_description` of a failure (RFC 6749 §5.2: printable ASCII without '"' and '\').
std::string error_description(Failure const& failure);

} // namespace symbolon::oidc

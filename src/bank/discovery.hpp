#pragma once

#include "bank/fetcher.hpp"
#include "base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace symbolon::bank {

/// What a bank publishes of itself (OpenID Connect Discovery 1.0 §3, RFC 8414 §2), as far as a visit needs it.
struct Metadata {
    std::string issuer;
    std::string authorization_endpoint;
    std::string token_endpoint;
    std::string pushed_authorization_request_endpoint; ///< RFC 9126 §5
    std::string jwks_uri;
};

/// One thing about a connection, for an operator: what it is, and what is wrong with it.
struct Finding {
    std::string what;
    std::string wrong; ///< empty: it is right
};

/// Where the metadata of an issuer lie (OpenID Connect Discovery 1.0 §4).
std::string metadata_url(std::string_view issuer);

/// Whether we may go to that URL for a bank: https, or http on this machine where the issuer itself is.
bool is_endpoint(std::string_view url, std::string_view issuer);

/// Whether an answer is JSON that it says it is: its own type, or one that ends in "+json".
bool is_json(Answer const& answer);

/// Fails with bank_unreachable: no JSON object, another issuer (OpenID Connect Discovery 1.0 §4.3: "MUST exactly
/// match"), an endpoint that is missing or that we may not go to.
Result<Metadata> parse_metadata(std::string_view text, std::string_view issuer);

/// The same, line by line, with what a bank should say besides: that it takes what we send.
std::vector<Finding> examine_metadata(std::string_view text, std::string_view issuer);

} // namespace symbolon::bank

#pragma once

#include "base/bytes.hpp"
#include "base/outcome.hpp"
#include "grant/request.hpp"

namespace symbolon::grant {

/// One visit of one browser to the sign-in page, from the authorization request to the way back.
struct SignIn {
    enum class State : std::uint8_t {
        started,  ///< the number is asked
        waiting,  ///< an action waits for its answer
        finished, ///< the browser was sent back to the partner
    };

    SignInId id;
    State state = State::started;
    Bytes browser_hash; ///< SHA-256 of the cookie of the browser that began it: the result goes there alone
    AuthorizationRequest request;
    Language language = Language::fr;
    std::optional<ActionId> action; ///< the last one; another one follows when the first expired
    std::string symbol;             ///< what the page shows while it waits
    std::string typed_hint;         ///< the last two digits that were typed
    std::optional<Outcome> outcome; ///< what the form says of the last try
    std::string browser;            ///< "Firefox – Linux": what began it
    Bytes network;                  ///< HMAC of the network that it began from (action::Origin)

    // What the page offers phones while it is `started` (src/entry): the QR code, the link and the short code.
    Bytes entry_secret; ///< 32 bytes, never sent; empty: nothing is offered
    Instant offered_at; ///< when the steps of the QR code began
    std::string short_code;
    Instant created_at;
    Instant expires_at;
};

} // namespace symbolon::grant

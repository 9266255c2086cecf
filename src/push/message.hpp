#pragma once

#include "account/push_subscription.hpp"
#include "base/texts.hpp"
#include "crypto/jws.hpp"
#include "crypto/random.hpp"
#include "push/endpoint.hpp"

#include <string>
#include <utility>
#include <vector>

namespace symbolon::push {

/// What main() gives besides. Lives as long as the program.
struct Settings {
    crypto::SigningKey key;         ///< VAPID (RFC 8292): ES256, without a key id
    std::string contact;            ///< whom a push service may ask: "mailto:…" or https; may be empty
    std::vector<std::string> hosts; ///< push services that may be asked
    std::string phone_url;          ///< where the app lives: "https://phone.example"
    Texts texts;
};

/// Of what a phone is told: that an action waits, and until when. No partner, no person, nothing that was asked.
struct Notice {
    ActionId action;
    Instant expires_at;
};

/// What is encrypted for the phone: JSON with `action`, `expires_at` (seconds since 1970), and under `notification` the
/// sentences and the address that a browser shows by itself when it knows declarative push (`web_push` 8030).
std::string payload_of(Notice const& notice, Language language, Settings const& settings);

/// All payloads are filled up to this before they are encrypted: their size tells nothing, not even the language.
inline constexpr std::size_t padded_payload_bytes = 1024;

/// One POST to a push service (RFC 8030 §5).
struct PushRequest {
    std::string url;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
};

/// The request that carries a notice to a subscription, at `now`:
///
///     TTL            the seconds that are left: what comes later is of no use
///     Urgency        high: somebody waits (RFC 8030 §5.3)
///     Topic          the same for all: of many that a phone did not get, one is kept (RFC 8030 §5.4)
///     Authorization  vapid t=…, k=… (RFC 8292 §3), good for an hour
///
/// Fails: push_endpoint_refused (the host is no longer on the list), jwk_malformed (the subscription's key is none).
Result<PushRequest> request_for(account::PushSubscription const& subscription, Notice const& notice,
                                Settings const& settings, crypto::Random& random, Instant now);

} // namespace symbolon::push

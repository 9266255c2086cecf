#include "push/message.hpp"

#include "base/ensure.hpp"
#include "base/json.hpp"
#include "crypto/encoding.hpp"
#include "crypto/push_encryption.hpp"

namespace symbolon::push {

namespace {

constexpr Seconds token_lifetime = 1h; // RFC 8292 §2: no more than 24 hours

std::string vapid(Endpoint const& endpoint, Settings const& settings, Instant now)
{
    json::Object claims{{"aud", endpoint.origin}, {"exp", numeric_date(now + token_lifetime)}};
    if (!settings.contact.empty()) claims["sub"] = settings.contact;
    auto const token = crypto::sign_jws(settings.key, json::write(claims), "JWT");
    return "vapid t=" + token + ", k=" + crypto::base64url(crypto::push_point(settings.key.key.public_key()));
}

} // namespace

std::string payload_of(Notice const& notice, Language language, Settings const& settings)
{
    auto const& texts = settings.texts;
    json::Object const notification{
        {"title", texts.text(language, "push.title")},
        {"body", texts.text(language, "push.body")},
        {"lang", name_of(language)},
        {"tag", "action"},
        {"navigate", settings.phone_url + "/app/#action=" + notice.action.text()},
    };
    return json::write(json::Object{{"web_push", 8030},
                                    {"notification", notification},
                                    {"action", notice.action.text()},
                                    {"expires_at", numeric_date(notice.expires_at)}});
}

Result<PushRequest> request_for(account::PushSubscription const& subscription, Notice const& notice,
                                Settings const& settings, crypto::Random& random, Instant now)
{
    auto const endpoint = TRY(check_endpoint(subscription.endpoint, settings.hosts));
    auto const payload = payload_of(notice, subscription.language, settings);
    auto const body = TRY(crypto::encrypt_push({.point = subscription.point, .auth = SecretBytes{subscription.auth}},
                                               bytes_of(payload), padded_payload_bytes, random));
    auto const left = std::max(Seconds{0}, notice.expires_at - now);
    return PushRequest{.url = subscription.endpoint,
                       .headers = {{"Content-Type", "application/octet-stream"},
                                   {"Content-Encoding", "aes128gcm"},
                                   {"TTL", std::to_string(left.count())},
                                   {"Urgency", "high"},
                                   {"Topic", "action"},
                                   {"Authorization", vapid(endpoint, settings, now)}},
                       .body = string_of(body)};
}

} // namespace symbolon::push

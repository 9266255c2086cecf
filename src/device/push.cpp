#include "device/push.hpp"

#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "device/authentication.hpp"
#include "device/messages.hpp"
#include "push/endpoint.hpp"

namespace symbolon::device {

namespace {

using account::PushSubscription;
using crypto::base64url;
using ports::Services;

constexpr int most_rounds = 5;

/// What the app compares with what its browser has. The endpoint itself is the browser's to know.
http::Response state_answer(PushSubscription const* subscription, Services const& services, Settings const& settings)
{
    auto const* state = "off";
    std::string endpoint_hash;
    if (subscription != nullptr && subscription->state == PushSubscription::State::ended) state = "ended";
    if (subscription != nullptr && subscription->state == PushSubscription::State::on) {
        state = "on";
        endpoint_hash = base64url(crypto::sha256(subscription->endpoint));
    }
    return signed_answer({{"state", state},
                          {"endpoint_hash", endpoint_hash},
                          {"language", subscription != nullptr ? name_of(subscription->language) : ""},
                          {"public_key", base64url(settings.push_key)}},
                         services, settings);
}

/// Two windows of the app, or a delivery that ends the subscription: whoever comes second does it again.
template <class Write>
Flow<void> until_first(Write write)
{
    for (int round = 1;; ++round) {
        auto const written = co_await outcome_of(write());
        if (written) co_return {};
        if (written.error().outcome != Outcome::conflict || round == most_rounds)
            co_return std::unexpected{written.error()};
    }
}

} // namespace

Flow<http::Response> push_state(http::Request request, Services services, SharedSettings settings)
{
    auto const who = co_await authenticate(std::move(request), services, settings);
    auto const found = co_await services.push_subscriptions.find(who.device.value.id);
    co_return state_answer(found ? &found->value : nullptr, services, *settings);
}

Flow<http::Response> turn_push_on(http::Request request, Services services, SharedSettings settings)
{
    auto const body = request.body;
    auto const who = co_await authenticate(std::move(request), services, settings);
    auto subscribed = co_await parse_push_subscription(body);
    co_await push::check_endpoint(subscribed.endpoint, settings->push_hosts);

    auto const now = services.clock.now();
    PushSubscription const subscription{.device = who.device.value.id,
                                        .account = who.account.value.id,
                                        .state = PushSubscription::State::on,
                                        .endpoint = std::move(subscribed.endpoint),
                                        .point = std::move(subscribed.point),
                                        .auth = std::move(subscribed.auth),
                                        .language = subscribed.language,
                                        .since = now};
    auto& subscriptions = services.push_subscriptions;
    co_await until_first([&] { return subscriptions.put(subscription); });
    services.log.event("push_on", {});
    co_return state_answer(&subscription, services, *settings);
}

Flow<http::Response> turn_push_off(http::Request request, Services services, SharedSettings settings)
{
    auto const body = request.body;
    auto const who = co_await authenticate(std::move(request), services, settings);
    if (auto const empty = co_await json::parse_object(body); !empty.empty())
        co_return fail(Outcome::request_malformed, "an unknown member");
    auto& subscriptions = services.push_subscriptions;
    co_await until_first([&] { return subscriptions.turn_off(who.device.value.id, services.clock.now()); });
    services.log.event("push_off", {});
    co_return state_answer(nullptr, services, *settings);
}

} // namespace symbolon::device

#include "push/delivery.hpp"

#include "action/queue.hpp"
#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "crypto/push_encryption.hpp"

#include <algorithm>

namespace symbolon::push {

namespace {

using account::PushSubscription;
using ports::Stored;
using What = Verdict::What;

constexpr std::size_t most_closed = 10'000;

/// Who went to a page with the phone in hand need not be told of it.
bool is_wanted(action::Action const& action, Instant now)
{
    return action.entry == action::Entry::number && action.state == action::State::waiting && !action.quiet &&
           now < action.expires_at;
}

/// The subscription of the phone that an action asks, where its holder wants to hear of it. As many reads where there
/// is no phone.
Flow<std::optional<Stored<PushSubscription>>> subscription_of(action::Action action, Means means)
{
    auto const nobodys = DeviceId{crypto::base64url(crypto::sha256("no device " + action.id.text()))};
    auto const id = action.device.value_or(nobodys);
    auto const device = co_await means.devices.find(id);
    auto found = co_await means.subscriptions.find(id);
    if (found && found->value.state != PushSubscription::State::on) found.reset();
    // It may have been said of another of their requests, a moment ago or before the server stopped.
    if (device && action::is_silenced(device->value, action, means.clock.now())) found.reset();
    co_return found;
}

/// The push service knows it no more. Whatever took its place meanwhile is left as it is.
Flow<void> end(Stored<PushSubscription> stored, Means means)
{
    auto ended = stored.value;
    ended.state = PushSubscription::State::ended;
    ended.endpoint.clear();
    ended.point.clear();
    ended.auth.clear();
    ended.since = means.clock.now();
    auto const saved = co_await outcome_of(means.subscriptions.save(changed(stored, std::move(ended))));
    if (!saved && saved.error().outcome != Outcome::conflict) co_return std::unexpected{saved.error()};
    co_return {};
}

} // namespace

Verdict judge(std::optional<PushAnswer> const& answer, int tries)
{
    constexpr int most_doublings = 6;
    auto const by_tries = Seconds{1LL << std::clamp(tries - 1, 0, most_doublings)};
    auto const bounded = [](Seconds pause) { return std::clamp(pause, Seconds{1}, longest_pause); };
    if (!answer) return {.what = What::again, .pause = bounded(by_tries)};

    auto const status = answer->status;
    auto const asked = answer->retry_after > 0s;
    if (status >= 200 && status < 300) return {.what = What::delivered};
    if (status == 404 || status == 410) return {.what = What::ended};
    if (status == 429) return {.what = What::again, .pause = bounded(asked ? answer->retry_after : by_tries)};
    if (status == 503 && asked) return {.what = What::again, .pause = bounded(answer->retry_after), .is_of_host = true};
    if (status >= 500) return {.what = What::again, .pause = bounded(asked ? answer->retry_after : by_tries)};
    return {.what = What::refused};
}

Seconds Closed::left(std::string const& key, Instant now) const
{
    auto const found = until_.find(key);
    return found == until_.end() ? 0s : std::max(Seconds{0}, found->second - now);
}

void Closed::until(std::string const& key, Instant time, Instant now)
{
    if (until_.size() >= most_closed) std::erase_if(until_, [&](auto const& row) { return row.second <= now; });
    // Where all of so many are still closed, one more that is asked too early does no harm.
    if (until_.size() >= most_closed) return;
    auto& kept = until_[key];
    kept = std::max(kept, time);
}

PushSubscription nobodys_subscription(Settings const& settings, crypto::Random& random)
{
    PushSubscription nobody;
    if (!settings.hosts.empty()) {
        auto const& host = settings.hosts.front();
        nobody.endpoint = "https://" + (host.starts_with('*') ? "nobody" + host.substr(1) : host) + "/nobody";
    }
    nobody.point = crypto::push_point(crypto::PrivateKey::generate(crypto::KeyType::ec_p256).public_key());
    nobody.auth = random.bytes(crypto::push_auth_bytes);
    return nobody;
}

Flow<void> deliver(ActionId id, Means means)
{
    for (int tries = 1; tries <= most_tries; ++tries) {
        auto const found = co_await means.actions.find(id);
        auto const now = means.clock.now();
        if (!found || !is_wanted(found->value, now)) co_return {};
        auto const stored = co_await subscription_of(found->value, means);

        Notice const notice{.action = id, .expires_at = found->value.expires_at};
        auto request = request_for(stored ? stored->value : means.nobody, notice, means.settings, means.random, now);
        if (!stored) co_return {};
        auto const sent = co_await std::move(request);

        auto const host = "host " + check_endpoint(sent.url, means.settings.hosts)->host;
        auto const device = "device " + stored->value.device.text();
        auto const closed = std::max(means.closed.left(host, now), means.closed.left(device, now));
        if (closed > 0s) {
            if (now + closed >= notice.expires_at) co_return {};
            co_await means.carrier.pause(closed);
            continue;
        }

        auto const answered = co_await outcome_of(means.carrier.post(sent));
        auto const verdict = judge(answered ? std::optional{*answered} : std::nullopt, tries);
        auto const status =
            answered ? std::to_string(answered->status) : std::string{name_of(answered.error().outcome)};
        switch (verdict.what) {
        case What::delivered: means.log.event("push_accepted", {{"tries", std::to_string(tries)}}); co_return {};
        case What::ended:
            co_await end(*stored, means);
            means.log.event("push_subscription_ended", {{"status", status}});
            co_return {};
        case What::refused: co_return fail(Outcome::unavailable, "the push service answered " + status);
        case What::again: break;
        }
        auto const until = means.clock.now() + verdict.pause;
        if (verdict.is_of_host || (answered && answered->status == 429))
            means.closed.until(verdict.is_of_host ? host : device, until, now);
        if (until >= notice.expires_at) co_return fail(Outcome::unavailable, "the push service answered " + status);
        co_await means.carrier.pause(verdict.pause);
    }
    co_return fail(Outcome::unavailable, "no push service took it in time");
}

} // namespace symbolon::push

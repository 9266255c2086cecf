#include "action/queue.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace symbolon::action {

namespace {

enum class Kind : std::uint8_t { near, known, stranger, too_many, muted };

bool is_browser_muted(account::Device const& device, Origin const& origin, Instant now)
{
    return !origin.browser.empty() && std::ranges::any_of(device.mutes, [&](account::Device::Mute const& mute) {
        return now < mute.until && mute.browser == origin.browser;
    });
}

Kind kind_of(Action const& action, account::Device const& device, Instant now)
{
    // Who was near enough to see the page is not muted with its network; a browser that was denied is.
    auto const near = action.entry == Entry::qr || action.entry == Entry::link || action.entry == Entry::code;
    if (near) return is_browser_muted(device, action.origin, now) ? Kind::muted : Kind::near;
    if (is_muted(device, action.origin, now)) return Kind::muted;
    if (is_known(device, action.origin)) return Kind::known;
    return action.quiet ? Kind::too_many : Kind::stranger;
}

bool is_recent(NumberTrace::Start const& start, Instant now, Limits const& limits)
{
    return start.at + limits.rings_window > now;
}

} // namespace

NumberTrace with_start(NumberTrace trace, NumberTrace::Start start, ActionId action, std::string symbol,
                       Limits const& limits)
{
    std::erase_if(trace.recent, [&](auto const& each) { return !is_recent(each, start.at, limits); });
    trace.recent.push_back(std::move(start));
    if (trace.recent.size() > most_recent_starts) trace.recent.erase(trace.recent.begin());
    trace.last_symbol = std::move(symbol);
    trace.unseen.push_back(std::move(action));
    return trace;
}

std::optional<ActionId> take_oldest(NumberTrace& trace)
{
    if (trace.unseen.size() <= most_unseen) return std::nullopt;
    auto oldest = std::move(trace.unseen.front());
    trace.unseen.erase(trace.unseen.begin());
    return oldest;
}

bool is_one_too_many(NumberTrace const& trace, Origin const& origin, ClientId const& client, Instant now,
                     Limits const& limits)
{
    auto const count = [&](auto const& fits) {
        return std::ranges::count_if(trace.recent,
                                     [&](auto const& start) { return is_recent(start, now, limits) && fits(start); });
    };
    return count([](auto const&) { return true; }) >= limits.rings_per_number ||
           count([&](auto const& start) { return start.network == origin.network; }) >= limits.rings_per_network ||
           count([&](auto const& start) { return start.client == client; }) >= limits.rings_per_partner;
}

bool is_known(account::Device const& device, Origin const& origin)
{
    return !origin.browser.empty() &&
           std::ranges::count(device.known_browsers, origin.browser, &account::Device::KnownBrowser::browser) > 0;
}

bool is_muted(account::Device const& device, Origin const& origin, Instant now)
{
    if (is_browser_muted(device, origin, now)) return true;
    if (origin.network.empty() || is_known(device, origin)) return false;
    return std::ranges::any_of(device.mutes, [&](account::Device::Mute const& mute) {
        return now < mute.until && mute.network == origin.network;
    });
}

bool is_silenced(account::Device const& device, Action const& action, Instant now)
{
    return kind_of(action, device, now) == Kind::muted;
}

std::vector<Place> queue(std::span<Action const> open, account::Device const& device, Instant now)
{
    struct Ranked {
        Kind kind;
        std::int64_t round; ///< how many of its network are newer; 0 but for those too many
        std::int64_t order; ///< within both
        std::size_t index;
    };
    // Those of one second have an order too, if only by chance: the list must not jump.
    std::vector<std::size_t> newest_first(open.size());
    for (std::size_t i = 0; i < open.size(); ++i) newest_first[i] = i;
    std::ranges::sort(newest_first, [&](std::size_t left, std::size_t right) {
        auto const key = [&](std::size_t i) { return std::tie(open[i].created_at, open[i].id); };
        return key(right) < key(left);
    });

    std::map<Bytes, std::int64_t> of_network;
    std::vector<Ranked> ranked;
    for (std::size_t age = 0; age < newest_first.size(); ++age) {
        auto const index = newest_first[age];
        auto const& action = open[index];
        auto const kind = kind_of(action, device, now);
        auto const order = static_cast<std::int64_t>(age);
        ranked.push_back({.kind = kind,
                          .round = kind == Kind::too_many ? of_network[action.origin.network]++ : 0,
                          // Who waits longest rings on; a request that the holder makes now is at the top.
                          .order = kind == Kind::stranger ? -order : order,
                          .index = index});
    }
    std::ranges::sort(ranked, [](Ranked const& left, Ranked const& right) {
        return std::tie(left.kind, left.round, left.order) < std::tie(right.kind, right.round, right.order);
    });

    std::vector<Place> places;
    places.reserve(ranked.size());
    for (auto const& each : ranked)
        places.push_back({.index = each.index,
                          .rings = places.empty() && each.kind != Kind::too_many && each.kind != Kind::muted,
                          .muted = each.kind == Kind::muted});
    return places;
}

account::Device with_known_browser(account::Device device, Origin const& origin, Instant now)
{
    if (origin.browser.empty()) return device;
    auto& known = device.known_browsers;
    std::erase_if(known, [&](auto const& each) { return each.browser == origin.browser; });
    known.insert(known.begin(), {.browser = origin.browser, .at = now});
    if (known.size() > account::most_known_browsers) known.resize(account::most_known_browsers);
    return device;
}

account::Device with_mute(account::Device device, Action const& action, Instant now, Instant until)
{
    std::erase_if(device.mutes, [&](auto const& mute) { return now >= mute.until; });
    std::erase_if(device.known_browsers, [&](auto const& each) { return each.browser == action.origin.browser; });
    device.mutes.insert(device.mutes.begin(), {.browser = action.origin.browser,
                                               .network = action.origin.network,
                                               .partner_domain = action.partner_domain,
                                               .at = now,
                                               .until = until});
    if (device.mutes.size() > account::most_mutes) device.mutes.resize(account::most_mutes);
    return device;
}

} // namespace symbolon::action

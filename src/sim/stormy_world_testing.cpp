#include "sim/stormy_world_testing.hpp"

#include "base/text.hpp"
#include "sim/beginning_testing.hpp"

#include <algorithm>
#include <array>

namespace symbolon::sim {

void SameChance::fill(std::span<Byte> bytes)
{
    constexpr std::size_t little = 8;
    if (bytes.size() <= little) std::ranges::fill(bytes, Byte{});
    else chance_.fill(bytes);
}

StormyWorld::StormyWorld(std::uint64_t seed, store::MemoryEngine records, Commits commits)
    : engine_{std::move(records)},
      world_{std::make_unique<World>(seed, Faults::none(), engine_, beginning().keys)},
      commits_{commits}
{}

StormyWorld::~StormyWorld() = default;

void StormyWorld::start_server(Watcher& watcher)
{
    watching_ = &watcher;
    network_ =
        std::make_unique<Network>(*world_, [this](http::Origin origin) { return routes(origin); }, beginning().texts);
    network_->on_request = [this](std::string const& what) { ++watching_->count[what]; };
    world_->commit_double = [this](std::vector<store::Write> writes) { return commit_and_remember(std::move(writes)); };
    world_->on_commit = [this](auto const& changes) { watching_->committed(changes); };
    world_->on_restart = [this] {
        if (before_) engine_ = *std::exchange(before_, std::nullopt);
        watching_->restarted();
        network_->server_restarted();
        restarted();
    };
}

Flow<store::Committed> StormyWorld::commit_and_remember(std::vector<store::Write> writes)
{
    if (commits_ == Commits::may_be_lost) before_ = engine_;
    co_return co_await commit(std::move(writes));
}

int StormyWorld::strength()
{
    constexpr std::array<int, 4> strengths{0, 1, 4, 12};
    return strengths.at(below(strengths.size()));
}

void StormyWorld::begin_storm()
{
    world_->faults() = {
        .requests_lost = strength(), .answers_lost = strength(), .stops = strength() / 2, .delays = strength()};
    network_->faults = {.requests_lost = 8 * strength(),
                        .answers_lost = 8 * strength(),
                        .doubled = 10 * strength(),
                        .late = 10 * strength()};
    // Where a planted fault lies in wait for something rare, it happens often.
    if (commits_ == Commits::may_be_lost) world_->faults().stops = 8;
}

void StormyWorld::end_storm()
{
    world_->faults() = Faults::none();
    network_->faults = {};
    is_calm_ = true;
    watching_->note("the storm is over");
}

Flow<void> StormyWorld::set_clocks(std::uint32_t patience)
{
    constexpr std::uint32_t most = 3;
    auto const times = below(most);
    for (std::uint32_t i = 0; i < times; ++i) {
        co_await sleep(5, patience);
        // Forward as far as one likes; back by as much as a wrong second source of time may take it.
        auto const back = happens(400);
        auto const far = happens(150);
        auto const by = back ? -Seconds{1 + below(60)} : Seconds{1 + below(far ? 3600 : 90)};
        watching_->clock_jumps(by);
        world_->clock_jumps(by);
    }
    co_return {};
}

http::Request StormyWorld::request_of(device::Transport::Call const& call, std::string address)
{
    http::Request request;
    request.origin = http::Origin::phone;
    request.method = call.method;
    request.path = call.path;
    request.body = call.body;
    request.remote_address = std::move(address);
    for (auto const& [name, value] : call.headers) request.headers.emplace_back(in_small_letters(name), value);
    if (call.method == "POST") request.headers.emplace_back("content-type", "application/json");
    return request;
}

} // namespace symbolon::sim

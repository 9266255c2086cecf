#include "sim/network_testing.hpp"

#include "edge/failure_response.hpp"

namespace symbolon::sim {

namespace {

constexpr auto outside = Whose::outside;

} // namespace

/// A request that the process has begun to answer.
struct Network::Call {
    std::optional<Finish<http::Response>> finish; ///< none: a copy, whose answer nobody reads
    Task<http::Response>* task = nullptr;
};

/// Somebody who reads a stream of events.
class Network::Listener final : public http::EventSink {
public:
    Listener(Scheduler& scheduler, std::function<bool(std::string const&)> is_wanted, Finish<std::string> finish)
        : scheduler_{scheduler},
          is_wanted_{std::move(is_wanted)},
          finish_{std::move(finish)}
    {}

    Flow<void> send(std::string /*event*/, std::string data) override
    {
        co_await scheduler_.turn();
        if (is_wanted_(data)) tell(std::move(data));
        co_return {};
    }
    void tell(std::string data)
    {
        scheduler_.later([finish = finish_, data = std::move(data)] { finish(data); }, outside);
    }

    Task<void>* task = nullptr;

private:
    Scheduler& scheduler_;
    std::function<bool(std::string const&)> is_wanted_;
    Finish<std::string> finish_;
};

Network::Network(World& world, std::function<http::Routes(http::Origin)> routes, Texts const& texts)
    : world_{world},
      give_routes_{std::move(routes)},
      texts_{texts}
{
    learn_routes();
}

void Network::learn_routes()
{
    for (auto const origin : {http::Origin::id, http::Origin::phone}) routes_[origin] = give_routes_(origin);
}

void Network::server_restarted()
{
    constexpr std::uint32_t longest_restart = 4;
    auto& scheduler = world_.scheduler();
    learn_routes();
    ++restarts_;
    up_again_ = scheduler.now() + Seconds{scheduler.below(longest_restart)};
    for (auto const& call : open_) {
        if (!call->finish) continue;
        scheduler.later([call] { (*call->finish)(fail(Outcome::upstream_unreachable, "the server stopped")); },
                        outside);
    }
    open_.clear();
    for (auto const& listener : listeners_) listener->tell({});
    listeners_.clear();
}

Flow<http::Response> Network::answered(http::Route const& route, http::Request request)
{
    auto const reader = edge::reader_of(request);
    auto result = co_await outcome_of(route.handler(std::move(request)));
    if (result) co_return *std::move(result);
    co_return edge::failure_response(result.error(), reader, texts_, world_.clock_now(), false);
}

void Network::deliver(http::Request request, Finish<http::Response> const* finish)
{
    auto& scheduler = world_.scheduler();
    if (scheduler.now() < up_again_) {
        if (finish != nullptr) (*finish)(fail(Outcome::upstream_unreachable, "the server is down"));
        return;
    }
    for (auto const& route : routes_[request.origin]) {
        auto parameters = http::match_path(route.pattern, request.path);
        if (!parameters || route.method != request.method) continue;
        request.path_parameters = *std::move(parameters);
        if (on_request) on_request(route.method + ' ' + route.pattern);
        auto call = std::make_shared<Call>();
        if (finish != nullptr) call->finish = *finish;
        open_.push_back(call);
        auto done = [this, call] {
            // What has left the process arrives, though it may stop now.
            std::erase(open_, call);
            if (!call->finish) return;
            world_.scheduler().later([call] { (*call->finish)(call->task->take()); }, outside);
        };
        call->task = &world_.start(answered(route, std::move(request)), Whose::process, std::move(done));
        return;
    }
    ENSURE(false);
}

Flow<http::Response> Network::unreachable()
{
    constexpr Seconds patience = 5s;
    co_await world_.scheduler().sleep(patience, outside);
    co_return fail(Outcome::upstream_unreachable, "simulated: lost");
}

Flow<http::Response> Network::send(http::Request request)
{
    auto& scheduler = world_.scheduler();
    co_await scheduler.turn(outside);
    if (scheduler.happens(faults.requests_lost)) co_return co_await unreachable();
    if (scheduler.happens(faults.doubled)) {
        auto copy = [this, request] { deliver(request, nullptr); };
        auto const after = Seconds{scheduler.below(static_cast<std::uint32_t>(latest_copy.count()) + 1)};
        if (after == 0s) scheduler.later(std::move(copy), outside);
        else scheduler.at(scheduler.now() + after, std::move(copy), outside);
    }
    constexpr std::uint32_t latest = 5;
    if (scheduler.happens(faults.late)) co_await scheduler.sleep(Seconds{1 + scheduler.below(latest)}, outside);

    auto begin = [this, &request](Finish<http::Response> const& finish) { deliver(std::move(request), &finish); };
    auto answer = co_await outcome_of(wait_for<http::Response>(std::move(begin)));
    co_await scheduler.turn(outside);
    if (scheduler.happens(faults.answers_lost)) co_return co_await unreachable();
    co_return std::move(answer);
}

Flow<std::string> Network::first_event(http::Request request, std::function<bool(std::string const&)> is_wanted,
                                       Seconds patience)
{
    auto const restarts = restarts_;
    auto const response = co_await send(std::move(request));
    if (!response.events || restarts != restarts_) co_return std::string{};

    auto& scheduler = world_.scheduler();
    std::shared_ptr<Listener> listener;
    auto begin = [&](Finish<std::string> const& finish) {
        listener = std::make_shared<Listener>(scheduler, std::move(is_wanted), finish);
        listeners_.push_back(listener);
        listener->task =
            &world_.start(response.events(*listener), Whose::process, [listener] { listener->tell(std::string{}); });
        scheduler.at(scheduler.now() + patience, [finish] { finish(std::string{}); }, outside);
    };
    auto data = co_await wait_for<std::string>(std::move(begin));
    // The reader goes; where the stream waits, it ends.
    world_.end(*listener->task);
    std::erase(listeners_, listener);
    co_return data;
}

} // namespace symbolon::sim

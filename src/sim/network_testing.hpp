#pragma once

#include "base/http.hpp"
#include "base/texts.hpp"
#include "sim/world.hpp"

#include <map>
#include <memory>
#include <vector>

namespace symbolon::sim {

/// How often what goes wrong between people and the server, in a thousand requests.
struct NetworkFaults {
    int requests_lost = 0; ///< never arrived
    int answers_lost = 0;  ///< the server did its work, and nobody hears of it
    int doubled = 0;       ///< a copy arrives too: at the same time, or some seconds later
    int late = 0;          ///< takes some seconds, so that others overtake it
};

/// What lies between the server's process and everybody else. Requests are under way while the process stops; those
/// that it had begun to answer end as a broken connection does.
class Network {
public:
    /// The longest that a copy lies about. A phone can't be approved twice in this time: the server takes an answer
    /// from before its last two approvals for one of a copied phone (docs/device-protocol.md §5, check 9).
    static constexpr Seconds latest_copy = 6s;

    /// `routes` gives what the process answers; it is asked again after each restart.
    Network(World& world, std::function<http::Routes(http::Origin)> routes, Texts const& texts);

    /// Sends a request from outside. Fails with upstream_unreachable.
    Flow<http::Response> send(http::Request request);

    /// Listens to a stream of events until one is wanted, the stream ends, or `patience` is over. Gives its data; empty
    /// without one. Fails with upstream_unreachable.
    Flow<std::string> first_event(http::Request request, std::function<bool(std::string const&)> is_wanted,
                                  Seconds patience);

    /// The process has stopped and is there again after some seconds.
    void server_restarted();

    NetworkFaults faults;
    /// Called with what the server is asked for.
    std::function<void(std::string const&)> on_request;

private:
    struct Call;
    class Listener;

    void deliver(http::Request request, Finish<http::Response> const* finish);
    Flow<http::Response> answered(http::Route const& route, http::Request request);
    Flow<http::Response> unreachable();
    void learn_routes();

    World& world_;
    std::function<http::Routes(http::Origin)> give_routes_;
    Texts const& texts_;
    std::map<http::Origin, http::Routes> routes_;
    std::vector<std::shared_ptr<Call>> open_;
    std::vector<std::shared_ptr<Listener>> listeners_;
    Instant up_again_;
    int restarts_ = 0;
};

} // namespace symbolon::sim

#pragma once

#include "base/http.hpp"
#include "base/limits.hpp"
#include "base/texts.hpp"
#include "crypto/random.hpp"
#include "edge/client_address.hpp"
#include "edge/loops.hpp"
#include "edge/router.hpp"
#include "ports/log.hpp"
#include "ports/services.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace symbolon::edge {

/// What a server needs. What is given by reference outlives it.
struct ServerParts {
    Loops& loops;
    Limits const& limits;
    Texts const& texts;
    ports::Log& log;
    ports::Clock& clock;
    crypto::Random& random;
    Stopwatch stopwatch;
    TrustedProxies proxies;
    bool is_test_system = false; ///< pages say so
    bool logs_requests = true;   ///< a line for every request; failures have theirs in any case
};

/// An address that is listened on, and what answers there.
struct Listener {
    /// "127.0.0.1:8400", "[::1]:8400" (port 0: the system chooses), or "unix:/run/symbolon/id.sock".
    std::string address;
    http::Origin origin = http::Origin::id;
    std::string base_url; ///< "https://id.example": https brings Strict-Transport-Security
    Router const& router;
};

/// HTTP/1.1 (RFC 9112) on several event loops. Every loop accepts for itself (SO_REUSEPORT); a connection and its
/// flows stay on one loop.
///
/// Bounds: `Limits`, section HTTP. A request that begins is answered; a handler's flow runs to its end even if the
/// client has gone, since half of a flow is nobody's wish. A stream of events ends when its reader goes.
class Server {
public:
    explicit Server(ServerParts parts);
    /// stop(0s)
    ~Server();
    Server(Server const&) = delete;
    Server& operator=(Server const&) = delete;

    /// Begins to accept. Gives the port (0 for a Unix socket). Before it returns, connections are queued.
    /// Fails with configuration_invalid; the detail is a sentence for the operator.
    Result<std::uint16_t> listen(Listener listener);

    /// Accepts no more, ends idle connections and streams, lets requests in flight finish for at most `grace`, then
    /// ends them too. Call it from outside of the loops, while they run.
    void stop(std::chrono::milliseconds grace);

    [[nodiscard]] std::size_t open_connections() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace symbolon::edge

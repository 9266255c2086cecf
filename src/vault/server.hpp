#pragma once

#include "base/instant.hpp"
#include "base/result.hpp"
#include "vault/judge.hpp"
#include "vault/socket.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <list>
#include <utility>
#include <vector>

namespace symbolon::vault {

/// The vault's side of its Unix socket: one thread that reads what has come, judges it as one batch, and answers.
/// Whoever waits while a batch is written to disk is in the next one, and where requests had company lately, a batch
/// waits a little for more: each is two commits.
class Server {
public:
    struct Options {
        std::filesystem::path socket;           ///< made with mode 0600; one that a dead vault left is replaced
        std::function<Instant()> now;           ///< the clock
        std::chrono::milliseconds gathering{3}; ///< how long a batch waits for company where there was some lately
        std::size_t lonely = 16;      ///< batches of one request in a row, after which nobody waits for company
        std::size_t connections = 64; ///< the most at once; another one is closed at once
        std::size_t waiting_bytes = 1024UZ * 1024; ///< unread replies of one connection; beyond: closed
    };

    /// Fails with configuration_invalid: the socket can't be made, or another vault answers on it.
    static Result<Server> listen(Judge judge, Options options);

    /// Serves until `stop` (a file descriptor) can be read. Whole requests that have come are answered first.
    void run(int stop);

private:
    struct Connection {
        Descriptor socket;
        Bytes unread; ///< of requests that are not whole yet
        Bytes unsent; ///< of replies
        bool closed = false;
    };
    /// Requests of one turn, and whose they are.
    struct Turn {
        std::vector<Request> requests;
        std::vector<std::pair<Connection*, std::uint64_t>> askers;
    };

    Server(Judge judge, Options options, Descriptor listener)
        : judge_{std::move(judge)},
          options_{std::move(options)},
          listener_{std::move(listener)}
    {}

    void accept_all();
    void read_from(Connection& connection, Turn& turn) const;
    void answer(Turn const& turn);
    void write_to(Connection& connection) const;

    Judge judge_;
    Options options_;
    Descriptor listener_;
    std::list<Connection> connections_;
    std::size_t lonely_before_ = options_.lonely; ///< batches of one request, in a row
};

} // namespace symbolon::vault

#include "vault/server.hpp"

#include <algorithm>
#include <cerrno>
#include <poll.h>
#include <ranges>
#include <sys/socket.h>
#include <unistd.h>

namespace symbolon::vault {

Result<Server> Server::listen(Judge judge, Options options)
{
    auto listener = TRY(listen_on(options.socket));
    return Server{std::move(judge), std::move(options), std::move(listener)};
}

void Server::run(int stop)
{
    for (;;) {
        std::vector<pollfd> watched{{.fd = stop, .events = POLLIN, .revents = 0},
                                    {.fd = listener_.get(), .events = POLLIN, .revents = 0}};
        for (auto const& connection : connections_) {
            auto const writes = connection.unsent.empty() ? 0 : POLLOUT;
            watched.push_back(
                {.fd = connection.socket.get(), .events = static_cast<short>(POLLIN | writes), .revents = 0});
        }
        if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) return;

        auto const is_asked = std::ranges::any_of(watched | std::views::drop(2),
                                                  [](pollfd const& one) { return (one.revents & POLLIN) != 0; });
        if (is_asked && lonely_before_ < options_.lonely)
            ::poll(watched.data(), 1, static_cast<int>(options_.gathering.count())); // `stop` alone ends it early

        Turn turn;
        auto at = watched.begin() + 2;
        for (auto& connection : connections_) {
            auto const events = (at++)->revents;
            if ((events & (POLLIN | POLLHUP | POLLERR)) != 0) read_from(connection, turn);
        }
        answer(turn);
        for (auto& connection : connections_) write_to(connection);
        std::erase_if(connections_, [](Connection const& connection) { return connection.closed; });
        if ((watched[0].revents & POLLIN) != 0) return;
        if ((watched[1].revents & POLLIN) != 0) accept_all();
    }
}

void Server::accept_all()
{
    for (;;) {
        Descriptor socket{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
        if (!socket.is_open()) return;
        // The mode of the socket's file keeps others out; this holds also where somebody changed it.
        if (connections_.size() >= options_.connections || !peer_is_same_user(socket.get())) continue;
        connections_.push_back({.socket = std::move(socket)});
    }
}

void Server::read_from(Connection& connection, Turn& turn) const
{
    std::array<Byte, 64UZ * 1024> buffer{};
    auto const size = ::recv(connection.socket.get(), buffer.data(), buffer.size(), 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0) {
        connection.closed = true;
        return;
    }
    append(connection.unread, ByteView{buffer}.first(static_cast<std::size_t>(size)));
    for (;;) {
        auto frame = take_frame(connection.unread);
        if (frame && !*frame) return;
        auto request = frame ? decode_request(**frame) : fail(frame.error().outcome);
        if (!request) {
            connection.closed = true; // nothing of ours sends this
            return;
        }
        turn.requests.push_back(std::move(request->request));
        turn.askers.emplace_back(&connection, request->number);
    }
}

void Server::answer(Turn const& turn)
{
    if (turn.requests.empty()) return;
    lonely_before_ = turn.requests.size() > 1 ? 0 : std::min(lonely_before_ + 1, options_.lonely);
    auto replies = judge_.answer(turn.requests, options_.now());
    for (std::size_t at = 0; at < replies.size(); ++at) {
        auto const [connection, number] = turn.askers[at];
        append(connection->unsent, encode(NumberedReply{number, std::move(replies[at])}));
    }
}

void Server::write_to(Connection& connection) const
{
    if (connection.closed || connection.unsent.empty()) return;
    auto const size = ::send(connection.socket.get(), connection.unsent.data(), connection.unsent.size(), MSG_NOSIGNAL);
    if (size > 0) connection.unsent.erase(connection.unsent.begin(), connection.unsent.begin() + size);
    else if (size == 0 || (errno != EAGAIN && errno != EINTR)) connection.closed = true;
    if (connection.unsent.size() > options_.waiting_bytes) connection.closed = true;
}

} // namespace symbolon::vault

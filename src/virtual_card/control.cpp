#include "virtual_card/control.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace symbolon::virtual_card {

namespace {

constexpr std::size_t longest_line_bytes = 256;
constexpr std::size_t most_clients = 16;

std::optional<std::uint16_t> port_in(std::string const& where)
{
    std::uint16_t port = 0;
    auto const [end, error] = std::from_chars(where.data(), where.data() + where.size(), port);
    if (error != std::errc{} || end != where.data() + where.size()) return std::nullopt;
    return port;
}

Result<int> listening(int family, sockaddr const* address, socklen_t size, std::string const& where)
{
    auto const socket = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int const on = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (socket < 0 || ::bind(socket, address, size) != 0 || ::listen(socket, SOMAXCONN) != 0) {
        auto failure = fail(Outcome::configuration_invalid, fmt::format("{}: {}", where, std::strerror(errno)));
        if (socket >= 0) ::close(socket);
        return failure;
    }
    return socket;
}

} // namespace

Result<Control> Control::listen(std::string const& where)
{
    if (auto const port = port_in(where)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(*port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return Control{TRY(listening(AF_INET, reinterpret_cast<sockaddr const*>(&address), sizeof address, where)), {}};
    }
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (where.empty() || where.size() >= sizeof address.sun_path)
        return fail(Outcome::configuration_invalid, where + ": expected a port, or a path of at most 107 bytes");
    std::memcpy(address.sun_path, where.c_str(), where.size() + 1);
    ::unlink(where.c_str());
    return Control{TRY(listening(AF_UNIX, reinterpret_cast<sockaddr const*>(&address), sizeof address, where)), where};
}

Control::Control(Control&& other) noexcept
    : listener_{std::exchange(other.listener_, -1)},
      path_{std::move(other.path_)},
      clients_{std::move(other.clients_)}
{}

Control::~Control()
{
    if (listener_ < 0) return;
    for (auto const& client : clients_) ::close(client.descriptor);
    ::close(listener_);
    if (!path_.empty()) ::unlink(path_.c_str());
}

std::vector<int> Control::descriptors() const
{
    std::vector<int> all{listener_};
    for (auto const& client : clients_) all.push_back(client.descriptor);
    return all;
}

std::vector<Control::Line> Control::readable(int descriptor)
{
    if (descriptor == listener_) {
        auto const client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (client < 0) return {};
        if (clients_.size() < most_clients) clients_.push_back({client, {}});
        else ::close(client);
        return {};
    }
    auto const client = std::ranges::find(clients_, descriptor, &Client::descriptor);
    if (client == clients_.end()) return {};
    std::array<char, 1024> bytes{};
    auto const size = ::recv(descriptor, bytes.data(), bytes.size(), 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return {};
    if (size <= 0) {
        drop(descriptor);
        return {};
    }
    client->buffer.append(bytes.data(), static_cast<std::size_t>(size));
    std::vector<Line> lines;
    for (auto end = client->buffer.find('\n'); end != std::string::npos; end = client->buffer.find('\n')) {
        auto line = client->buffer.substr(0, end);
        client->buffer.erase(0, end + 1);
        if (line.ends_with('\r')) line.pop_back();
        lines.push_back({descriptor, std::move(line)});
    }
    if (client->buffer.size() > longest_line_bytes) drop(descriptor);
    return lines;
}

void Control::answer(int client, std::string_view text)
{
    if (std::ranges::find(clients_, client, &Client::descriptor) == clients_.end()) return;
    auto const line = std::string{text} + "\n";
    if (::send(client, line.data(), line.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(line.size())) drop(client);
}

void Control::drop(int client)
{
    ::close(client);
    std::erase_if(clients_, [client](auto const& c) { return c.descriptor == client; });
}

} // namespace symbolon::virtual_card

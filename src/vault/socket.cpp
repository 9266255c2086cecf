#include "vault/socket.hpp"

#include <cstring>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace symbolon::vault {

namespace {

Result<sockaddr_un> address_of(std::filesystem::path const& path, Outcome otherwise)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    auto const& text = path.native();
    if (text.size() >= sizeof address.sun_path) return fail(otherwise, "the path of the socket is too long");
    std::memcpy(address.sun_path, text.data(), text.size());
    return address;
}

sockaddr const* generic(sockaddr_un const& address) { return reinterpret_cast<sockaddr const*>(&address); }

} // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept
{
    if (this != &other) {
        if (descriptor_ >= 0) ::close(descriptor_);
        descriptor_ = std::exchange(other.descriptor_, -1);
    }
    return *this;
}

Descriptor::~Descriptor()
{
    if (descriptor_ >= 0) ::close(descriptor_);
}

bool peer_is_same_user(int socket)
{
    ucred peer{};
    socklen_t size = sizeof peer;
    return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == ::getuid();
}

Result<Descriptor> listen_on(std::filesystem::path const& path)
{
    constexpr auto invalid = Outcome::configuration_invalid;
    auto const address = TRY(address_of(path, invalid));
    if (connect_to(path)) return fail(invalid, "somebody listens on " + path.string() + " already");
    std::error_code error;
    if (std::filesystem::is_socket(path, error)) std::filesystem::remove(path, error);

    Descriptor listener{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    auto const mask = ::umask(0177);
    auto const bound = listener.is_open() && ::bind(listener.get(), generic(address), sizeof address) == 0;
    ::umask(mask);
    if (!bound || ::listen(listener.get(), 64) != 0) return fail(invalid, "can't listen on " + path.string());
    return listener;
}

Result<Descriptor> connect_to(std::filesystem::path const& path)
{
    constexpr auto unreachable = Outcome::vault_unreachable;
    auto const address = TRY(address_of(path, unreachable));
    Descriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (!socket.is_open() || ::connect(socket.get(), generic(address), sizeof address) != 0)
        return fail(unreachable, "no vault listens");
    if (!peer_is_same_user(socket.get())) return fail(unreachable, "another user's program listens");
    return socket;
}

} // namespace symbolon::vault

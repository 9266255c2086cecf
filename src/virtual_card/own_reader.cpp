#include "virtual_card/own_reader.hpp"

#include "base/ensure.hpp"
#include "virtual_card/openssl.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace symbolon::virtual_card {

namespace {

/// The socket that systemd would pass (sd_listen_fds(3)).
constexpr int passed_descriptor = 3;

// pcsc-lite's reader.conf(5): slot 0 of vpcd on its usual port.
std::string reader_configuration(std::filesystem::path const& driver)
{
    return fmt::format("FRIENDLYNAME \"Virtual PCD\"\n"
                       "DEVICENAME   /dev/null:0x8C7B\n"
                       "LIBPATH      {}\n"
                       "CHANNELID    0x8C7B\n",
                       driver.string());
}

std::unexpected<Failure> unable(std::string_view what)
{
    return fail(Outcome::reader_service_missing, fmt::format("{}: {}", what, std::strerror(errno)));
}

/// A file of /proc takes its text in one write.
Result<void> write_proc(char const* file, std::string_view text)
{
    auto const descriptor = ::open(file, O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) return unable(file);
    auto const written = ::write(descriptor, text.data(), text.size());
    ::close(descriptor);
    if (written != static_cast<ssize_t>(text.size())) return unable(file);
    return {};
}

/// Enters a network namespace that has nothing but a loopback interface.
Result<void> enter_namespace()
{
    auto const user = ::geteuid();
    auto const group = ::getegid();
    if (::unshare(CLONE_NEWNET) != 0) {
        if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return unable("cannot make a network namespace");
        TRY(write_proc("/proc/self/setgroups", "deny"));
        TRY(write_proc("/proc/self/uid_map", fmt::format("0 {} 1", user)));
        TRY(write_proc("/proc/self/gid_map", fmt::format("0 {} 1", group)));
    }
    auto const any_socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq loopback{};
    std::memcpy(loopback.ifr_name, "lo", 3);
    loopback.ifr_flags = IFF_UP | IFF_RUNNING;
    auto const up = ::ioctl(any_socket, SIOCSIFFLAGS, &loopback);
    ::close(any_socket);
    if (up != 0) return unable("cannot bring the loopback interface up");
    return {};
}

Result<int> listen_at(std::filesystem::path const& path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    auto const text = path.string();
    if (text.size() >= sizeof address.sun_path)
        return fail(Outcome::reader_service_missing, text + ": too long for a Unix socket");
    std::memcpy(address.sun_path, text.c_str(), text.size() + 1);
    ::unlink(text.c_str());
    auto const socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket < 0) return unable("cannot make a socket");
    if (::bind(socket, reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0 ||
        ::listen(socket, SOMAXCONN) != 0) {
        auto failure = unable(text);
        ::close(socket);
        return failure;
    }
    return socket;
}

/// After fork: only what is safe there.
[[noreturn]] void become_pcscd(int socket, char const* configuration)
{
    // It must not outlive us, however we end.
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    if (socket == passed_descriptor) ::fcntl(socket, F_SETFD, 0);
    else ::dup2(socket, passed_descriptor); // the copy stays open across exec
    std::array<char, 32> pid{};
    fmt::format_to_n(pid.data(), pid.size() - 1, "{}", ::getpid());
    ::setenv("LISTEN_PID", pid.data(), 1);
    ::setenv("LISTEN_FDS", "1", 1);
    for (auto const* program : {"/usr/sbin/pcscd", "pcscd"})
        ::execlp(program, "pcscd", "--foreground", "--config", configuration, nullptr);
    ::_exit(127);
}

} // namespace

Result<OwnReader> OwnReader::start(std::filesystem::path const& socket_path, std::filesystem::path const& driver)
{
    // pcscd keeps its process id there and expects the folder.
    ::mkdir("/run/pcscd", 0755);
    auto const configuration = std::filesystem::path{socket_path.string() + ".conf.d"};
    std::error_code error;
    std::filesystem::create_directories(configuration, error);
    if (!write_file(configuration / "vpcd", bytes_of(reader_configuration(driver))))
        return fail(Outcome::reader_service_missing, "cannot write " + (configuration / "vpcd").string());
    auto const socket = TRY(listen_at(socket_path));
    TRY(enter_namespace());

    auto const configuration_text = configuration.string();
    auto const pid = ::fork();
    if (pid < 0) return unable("cannot start pcscd");
    if (pid == 0) become_pcscd(socket, configuration_text.c_str());
    ::close(socket);
    return OwnReader{pid, socket_path, configuration};
}

OwnReader::OwnReader(int pid, std::filesystem::path socket, std::filesystem::path configuration)
    : pid_{pid},
      socket_{std::move(socket)},
      configuration_{std::move(configuration)}
{}

OwnReader::OwnReader(OwnReader&& other) noexcept
    : pid_{std::exchange(other.pid_, 0)},
      socket_{std::move(other.socket_)},
      configuration_{std::move(other.configuration_)}
{}

OwnReader::~OwnReader()
{
    if (pid_ == 0) return;
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
    std::error_code error;
    std::filesystem::remove(socket_, error);
    std::filesystem::remove_all(configuration_, error);
}

} // namespace symbolon::virtual_card

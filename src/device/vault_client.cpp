#include "device/vault_client.hpp"

#include "base/executor.hpp"
#include "vault/socket.hpp"

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <map>
#include <mutex>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace symbolon::device {

namespace {

using Clock = std::chrono::steady_clock;
using Finished = std::function<void(Result<vault::Reply>)>;

/// A request that waits for its reply. `finished` runs on the client's own thread.
struct Waiting {
    Finished finished;
    Clock::time_point until;
};

} // namespace

/// The connection and the thread that reads from it.
struct VaultClient::Connection {
    std::filesystem::path path;
    std::chrono::milliseconds patience;

    std::mutex mutex; // of what follows
    vault::Descriptor socket;
    std::map<std::uint64_t, Waiting> waiting;
    std::uint64_t last_number = 0;
    bool ending = false;

    vault::Descriptor wake{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)}; // the thread looks again at the above
    std::thread reader;

    Connection(std::filesystem::path p, std::chrono::milliseconds how_long) : path{std::move(p)}, patience{how_long}
    {
        reader = std::thread{[this] { read(); }};
    }
    Connection(Connection const&) = delete;
    Connection& operator=(Connection const&) = delete;
    ~Connection()
    {
        {
            std::scoped_lock const lock{mutex};
            ending = true;
        }
        wake_reader();
        reader.join();
        fail_all(waiting, "the program ends");
    }

    void wake_reader() const
    {
        std::uint64_t const one = 1;
        [[maybe_unused]] auto const written = ::write(wake.get(), &one, sizeof one);
    }

    static void fail_all(std::map<std::uint64_t, Waiting> const& lost, char const* why)
    {
        for (auto const& [number, one] : lost) one.finished(fail(Outcome::vault_unreachable, why));
    }

    void send(vault::Request request, Finished finished)
    {
        std::unique_lock lock{mutex};
        if (!socket.is_open()) {
            auto connected = vault::connect_to(path);
            if (!connected) {
                lock.unlock();
                finished(std::unexpected{std::move(connected).error()});
                return;
            }
            socket = *std::move(connected);
            timeval const at_most{.tv_sec = 2, .tv_usec = 0};
            ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &at_most, sizeof at_most);
        }
        auto const number = ++last_number;
        auto const frame = vault::encode(vault::NumberedRequest{number, std::move(request)});
        auto const was_idle = waiting.empty();
        waiting.emplace(number, Waiting{std::move(finished), Clock::now() + patience});
        if (::send(socket.get(), frame.data(), frame.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(frame.size()))
            ::shutdown(socket.get(), SHUT_RDWR); // the thread sees it and tells everybody
        lock.unlock();
        if (was_idle) wake_reader();
    }

    void read()
    {
        Bytes buffer;
        for (;;) {
            int current = -1;
            bool idle = true;
            {
                std::scoped_lock const lock{mutex};
                if (ending) return;
                current = socket.get();
                idle = waiting.empty();
            }
            std::array<pollfd, 2> watched{pollfd{.fd = wake.get(), .events = POLLIN, .revents = 0},
                                          pollfd{.fd = current, .events = POLLIN, .revents = 0}};
            auto const look_again_ms = idle ? -1 : 250;
            if (::poll(watched.data(), watched.size(), look_again_ms) < 0 && errno != EINTR) return;
            if ((watched[0].revents & POLLIN) != 0) {
                std::uint64_t many = 0;
                [[maybe_unused]] auto const read_bytes = ::read(wake.get(), &many, sizeof many);
            }
            if (watched[1].revents != 0 && !receive(buffer)) {
                buffer.clear();
                std::unique_lock lock{mutex};
                socket = {};
                auto lost = std::exchange(waiting, {});
                lock.unlock();
                fail_all(lost, "the vault hung up");
            }
            give_up_late_ones();
        }
    }

    /// Reads what has come and hands out whole replies. False when the connection is no longer good.
    bool receive(Bytes& buffer)
    {
        std::array<Byte, 64UZ * 1024> part{};
        auto const size = ::recv(socket.get(), part.data(), part.size(), MSG_DONTWAIT);
        if (size < 0 && (errno == EAGAIN || errno == EINTR)) return true;
        if (size <= 0) return false;
        append(buffer, ByteView{part}.first(static_cast<std::size_t>(size)));
        for (;;) {
            auto const frame = vault::take_frame(buffer);
            if (!frame) return false;
            if (!*frame) return true;
            auto reply = vault::decode_reply(**frame);
            if (!reply) return false;
            std::unique_lock lock{mutex};
            auto asked = waiting.extract(reply->number);
            lock.unlock();
            if (asked) asked.mapped().finished(std::move(reply->reply));
        }
    }

    void give_up_late_ones()
    {
        std::map<std::uint64_t, Waiting> late;
        {
            std::scoped_lock const lock{mutex};
            auto const now = Clock::now();
            while (!waiting.empty() && waiting.begin()->second.until <= now)
                late.insert(waiting.extract(waiting.begin()));
        }
        fail_all(late, "no reply in time");
    }
};

VaultClient::VaultClient(std::filesystem::path socket, std::chrono::milliseconds patience)
    : connection_{std::make_shared<Connection>(std::move(socket), patience)}
{}

VaultClient::VaultClient(std::filesystem::path socket, crypto::PrivateKey permits, std::chrono::milliseconds patience)
    : VaultClient{std::move(socket), patience}
{
    permits_ = std::move(permits);
}

VaultClient::~VaultClient() = default;

Flow<vault::Reply> VaultClient::ask(vault::Request request)
{
    auto* const executor = Executor::current();
    auto reply = co_await wait_for<vault::Reply>([this, executor, &request](Finish<vault::Reply> const& finish) {
        if (executor != nullptr) {
            // The flow goes on where it was: on the loop of its thread.
            connection_->send(std::move(request), [finish, executor](Result<vault::Reply> result) {
                executor->post([finish, result = std::move(result)] { finish(result); });
            });
            return;
        }
        // No loop (tools, tests): this thread waits.
        std::mutex mutex;
        std::condition_variable came;
        std::optional<Result<vault::Reply>> result;
        connection_->send(std::move(request), [&](Result<vault::Reply> given) {
            std::scoped_lock const lock{mutex};
            result = std::move(given);
            came.notify_one();
        });
        std::unique_lock lock{mutex};
        came.wait(lock, [&] { return result.has_value(); });
        finish(*std::move(result));
    });
    if (reply.outcome) co_return fail(*reply.outcome, "the vault");
    co_return reply;
}

Flow<Bytes> VaultClient::grant_key()
{
    auto reply = co_await ask(vault::AskKeys{});
    co_return std::move(reply.grant_key);
}

} // namespace symbolon::device

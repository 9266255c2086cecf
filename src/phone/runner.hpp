#pragma once

#include "phone/curl_transport.hpp"

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace symbolon::phone {

/// What a phone does by itself with an action.
enum class Policy : std::uint8_t {
    wait, ///< for a command
    approve,
    refuse,
    ignore,
    wrong_code,
    wrong_symbol,
    touch, ///< approves with the fingerprint
};
std::optional<Policy> policy_named(std::string_view name); ///< "wrong-code"
std::string_view name_of(Policy policy);

/// What the phone's holder would know and see.
struct Habits {
    Policy policy = Policy::wait;
    std::string symbol; ///< that the login page shows; empty: not known
    SecretText code;    ///< the right one
    Seconds delay{0};   ///< before it answers by itself
    std::string origin; ///< of the phone API, as it calls itself: what a passkey is for; empty: the server's address
};

/// The phone's file: mode 0600, replaced as a whole and durable before anything goes on.
Result<device::PhoneState> read_state(std::filesystem::path const& file); ///< Fails: not_found, data_damaged.
Result<void> write_state(std::filesystem::path const& file, device::PhoneState const& state); ///< Fails: store_failed.

/// A phone that is on: listens to the server, acts by itself or by command. Commands come from any thread.
class Runner {
public:
    /// `file`: where its state is kept; empty: in memory only.
    Runner(ServerAddress server, device::PhoneState state, std::filesystem::path file, Habits habits);
    Runner(Runner const&) = delete;
    Runner& operator=(Runner const&) = delete;
    ~Runner();

    /// Starts listening and acting, on threads of its own.
    void start();
    void stop();
    [[nodiscard]] bool is_stopped() const { return stopping_; }

    /// Carries out one line (docs/symbolon-phone.md "Commands"); gives one JSON object. Never fails: a refusal is an
    /// object with `outcome`.
    json::Object command(std::string_view line);

private:
    using PendingActions = std::vector<device::PendingAction>;

    void listen();
    void act();
    Result<device::PendingAction> next_action(Seconds patience);
    Result<std::string> answer(Policy how, Habits const& habits, Seconds patience, std::string reason);
    json::Object turn_passkey(bool on);
    json::Object claim(device::Claim claim);
    json::Object match(std::string symbol);
    void keep();
    json::Object describe();

    ServerAddress server_;
    std::filesystem::path file_;
    std::atomic<bool> stopping_ = false;

    std::mutex phone_mutex_; // of what speaks with the server
    CurlTransport transport_;
    device::Phone phone_;

    std::mutex mutex_; // of what follows; never held while the server is waited for
    std::condition_variable changed_;
    PendingActions pending_;
    std::set<ActionId> done_;           ///< answered or ignored: not looked at again
    std::optional<ActionId> returning_; ///< approved: its page has yet to be tied to it
    std::string return_address_;        ///< of that one
    std::string ended_;                 ///< the outcome that ended the stream of events for good
    std::string last_;                  ///< what the last answer led to
    bool connected_ = false;
    Habits habits_;

    std::thread listener_;
    std::thread actor_;
};

/// A port on 127.0.0.1 that takes commands of a runner, a line each, and answers each with a line of JSON.
class ControlPort {
public:
    /// `port` 0: chosen by the system. Fails with configuration_invalid.
    static Result<std::unique_ptr<ControlPort>> open(Runner& runner, int port);
    ~ControlPort();
    [[nodiscard]] int port() const { return port_; }
    /// Takes commands until the runner is stopped.
    void run();

private:
    ControlPort(Runner& runner, int listener, int port) : runner_{runner}, listener_{listener}, port_{port} {}
    void serve(int socket);
    Runner& runner_;
    int listener_;
    int port_;
    std::vector<std::jthread> served_;
};

} // namespace symbolon::phone

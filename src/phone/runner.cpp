#include "phone/runner.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fcntl.h>
#include <fstream>
#include <netinet/in.h>
#include <poll.h>
#include <sstream>
#include <sys/socket.h>
#include <unistd.h>

namespace symbolon::phone {

namespace {

constexpr Seconds patience_with_commands = 60s;
constexpr std::array policies{
    std::pair{"wait", Policy::wait},
    std::pair{"approve", Policy::approve},
    std::pair{"refuse", Policy::refuse},
    std::pair{"ignore", Policy::ignore},
    std::pair{"wrong-code", Policy::wrong_code},
    std::pair{"wrong-symbol", Policy::wrong_symbol},
    std::pair{"touch", Policy::touch},
};

json::Object as_object(Failure const& failure)
{
    json::Object object{{"outcome", name_of(failure.outcome)}};
    if (failure.tries_left) object["tries_left"] = *failure.tries_left;
    if (failure.open_at) object["open_at"] = numeric_date(*failure.open_at);
    return object;
}

json::Object refused(std::string_view what) { return {{"outcome", "request_malformed"}, {"text", what}}; }

/// A code that is not the right one.
SecretText other_than(SecretText const& code)
{
    auto other = code.reveal().empty() ? std::string{"48213"} : code.reveal();
    other.back() = other.back() == '9' ? '0' : static_cast<char>(other.back() + 1);
    return SecretText{std::move(other)};
}

} // namespace

std::optional<Policy> policy_named(std::string_view name)
{
    auto const found = std::ranges::find(policies, name, [](auto const& row) { return std::string_view{row.first}; });
    if (found == policies.end()) return std::nullopt;
    return found->second;
}

std::string_view name_of(Policy policy)
{
    return std::ranges::find(policies, policy, [](auto const& row) { return row.second; })->first;
}

Result<device::PhoneState> read_state(std::filesystem::path const& file)
{
    std::ifstream stream{file};
    if (!stream) return fail(Outcome::not_found, "there is no phone in " + file.string());
    std::ostringstream text;
    text << stream.rdbuf();
    return device::parse_phone_state(text.view());
}

Result<void> write_state(std::filesystem::path const& file, device::PhoneState const& state)
{
    auto const text = device::write(state);
    auto const fresh = file.string() + ".new";
    auto const descriptor = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (descriptor < 0) return fail(Outcome::store_failed, "can't write " + fresh);
    auto const& bytes = text.reveal();
    auto const kept = ::write(descriptor, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) &&
                      ::fsync(descriptor) == 0;
    ::close(descriptor);
    std::error_code error;
    if (kept) std::filesystem::rename(fresh, file, error);
    if (!kept || error) return fail(Outcome::store_failed, "can't write " + file.string());
    return {};
}

Runner::Runner(ServerAddress server, device::PhoneState state, std::filesystem::path file, Habits habits)
    : server_{std::move(server)},
      file_{std::move(file)},
      transport_{server_},
      phone_{std::move(state), transport_},
      habits_{std::move(habits)}
{}

Runner::~Runner() { stop(); }

void Runner::start()
{
    listener_ = std::thread{[this] { listen(); }};
    actor_ = std::thread{[this] { act(); }};
}

void Runner::stop()
{
    {
        std::scoped_lock const lock{mutex_};
        stopping_ = true;
    }
    changed_.notify_all();
    if (listener_.joinable()) listener_.join();
    if (actor_.joinable()) actor_.join();
}

void Runner::keep()
{
    if (file_.empty()) return;
    if (auto const kept = write_state(file_, phone_.state()); !kept) {
        std::scoped_lock const lock{mutex_};
        last_ = "store_failed";
    }
}

void Runner::listen()
{
    CurlTransport transport{server_};
    auto const on_event = [this](std::string const& event, std::string const& data) {
        auto pending = device::parse_pending(data);
        std::scoped_lock const lock{mutex_};
        if (event == "pending" && pending) {
            pending_ = *std::move(pending);
            connected_ = true;
        } else if (event == "ended") {
            auto const object = json::parse_object(data);
            auto const outcome = object ? json::text(*object, "outcome") : fail(Outcome::json_malformed);
            ended_ = outcome.value_or("json_malformed");
        }
        changed_.notify_all();
    };
    constexpr Seconds longest_pause = 30s; // docs/device-protocol.md §5
    auto pause = Seconds{1};
    while (!stopping_) {
        std::unique_lock speaking{phone_mutex_};
        auto const nonce = run_now(phone_.fresh_nonce());
        auto const state = phone_.state();
        speaking.unlock();
        if (nonce) {
            auto const authorization = device::sign_request(state, "GET", "/d/events", *nonce, "");
            auto const answer = transport.stream(
                {.method = "GET", .path = "/d/events", .headers = {{"Authorization", authorization}}, .body = {}},
                on_event, [this] { return !stopping_.load(); });
            // A refusal that no other try mends: the phone does not come back by itself.
            if (answer && answer->status >= 400 && answer->status < 500) {
                auto const object = json::parse_object(answer->body);
                auto const outcome = object ? json::text(*object, "outcome") : fail(Outcome::json_malformed);
                std::scoped_lock const lock{mutex_};
                if (outcome && *outcome != "device_nonce_needed" && *outcome != "too_many_requests") ended_ = *outcome;
                changed_.notify_all();
            }
        }
        std::unique_lock lock{mutex_};
        if (!ended_.empty()) return;
        if (std::exchange(connected_, false)) pause = 1s;
        changed_.wait_for(lock, pause, [this] { return stopping_.load(); });
        pause = std::min(2 * pause, longest_pause);
    }
}

void Runner::act()
{
    for (;;) {
        Habits habits;
        {
            std::unique_lock lock{mutex_};
            changed_.wait(lock, [this] {
                auto const due =
                    std::ranges::any_of(pending_, [&](auto const& one) { return !done_.contains(one.id); });
                auto const& h = habits_;
                auto const can = h.policy != Policy::wait && h.policy != Policy::ignore &&
                                 (h.policy == Policy::refuse || !h.symbol.empty());
                return stopping_ || (due && can);
            });
            if (stopping_) return;
            if (changed_.wait_for(lock, habits_.delay, [this] { return stopping_.load(); })) return;
            habits = habits_;
        }
        // The policy may have been changed during the delay.
        if (habits.policy == Policy::wait || habits.policy == Policy::ignore) continue;
        auto const answered = answer(habits.policy, habits, 0s, {});
        std::scoped_lock const lock{mutex_};
        last_ = answered ? *answered : std::string{symbolon::name_of(answered.error().outcome)};
    }
}

/// The oldest action that was not looked at yet; waits for one.
Result<device::PendingAction> Runner::next_action(Seconds patience)
{
    std::unique_lock lock{mutex_};
    auto const found = [this] {
        return std::ranges::find_if(pending_,
                                    [&](auto const& one) { return !done_.contains(one.id) && !one.returning; });
    };
    auto const ready = [&] { return stopping_ || !ended_.empty() || found() != pending_.end(); };
    changed_.wait_for(lock, patience, ready);
    if (!ended_.empty()) return fail(outcome_named(ended_).value_or(Outcome::device_unknown));
    auto const action = found();
    if (stopping_ || action == pending_.end()) return fail(Outcome::action_unknown, "no action is there");
    return *action;
}

Result<std::string> Runner::answer(Policy how, Habits const& habits, Seconds patience, std::string reason)
{
    auto const next = TRY(next_action(patience));
    std::scoped_lock const speaking{phone_mutex_};
    auto const mark_done = [&] {
        std::scoped_lock const lock{mutex_};
        done_.insert(next.id);
    };
    auto const by_itself = patience == 0s; // and then it tries no action twice
    if (how == Policy::touch && !phone_.state().passkey) {
        if (by_itself) mark_done();
        return fail(Outcome::passkey_unknown);
    }
    auto const shown = run_now(phone_.show(next.id));
    if (!shown) {
        mark_done();
        return std::unexpected{shown.error()};
    }

    if (how == Policy::approve && shown->shown.wants_symbol() && habits.symbol.empty())
        return fail(Outcome::request_malformed, "which symbol?");
    device::Choice choice{.decision = device::Answer::Decision::approve,
                          .symbol = shown->shown.wants_symbol() ? habits.symbol : std::string{},
                          .code = habits.code,
                          .claims = std::nullopt,
                          .reason = {}};
    if (how == Policy::refuse) {
        choice.decision = device::Answer::Decision::refuse;
        choice.reason = std::move(reason);
    }
    if (how == Policy::wrong_code) choice.code = other_than(habits.code);
    if (how == Policy::touch) choice.code = {};
    if (how == Policy::wrong_symbol && shown->shown.wants_symbol()) {
        auto const& symbols = shown->shown.symbols;
        choice.symbol = *std::ranges::find_if(symbols, [&](auto const& one) { return one != habits.symbol; });
    }
    auto const answered = run_now(phone_.answer(*shown, std::move(choice)));
    keep();
    if (answered && *answered == "returning") {
        std::scoped_lock const lock{mutex_};
        returning_ = next.id;
        return_address_ = phone_.return_address();
    }
    // After a wrong code or touch the action is still open, and the holder may try again.
    constexpr std::array leave_it_open{Outcome::code_wrong,      Outcome::vault_unreachable,
                                       Outcome::passkey_wrong,   Outcome::passkey_clone_suspected,
                                       Outcome::passkey_unknown, Outcome::passkey_needed};
    auto const open = !answered && std::ranges::count(leave_it_open, answered.error().outcome) > 0;
    if (!open || how == Policy::wrong_code || (how == Policy::touch && by_itself)) mark_done();
    if (open && how == Policy::wrong_code && patience > 0s) {
        std::scoped_lock const lock{mutex_};
        done_.erase(next.id); // by command: the next command may answer it
    }
    return answered;
}

json::Object Runner::claim(device::Claim claim)
{
    std::scoped_lock const speaking{phone_mutex_};
    auto const claimed = run_now(phone_.claim(std::move(claim)));
    if (!claimed) return as_object(claimed.error());
    std::scoped_lock const lock{mutex_};
    // The stream of events tells of it too; whoever commands need not wait for that.
    if (std::ranges::count(pending_, *claimed, &device::PendingAction::id) == 0)
        pending_.insert(pending_.begin(), device::PendingAction{.id = *claimed});
    changed_.notify_all();
    return {{"action", claimed->text()}};
}

/// The symbol of the link that was approved last.
json::Object Runner::match(std::string symbol)
{
    std::optional<ActionId> returning;
    {
        std::scoped_lock const lock{mutex_};
        returning = returning_;
        for (auto const& one : pending_)
            if (!returning && one.returning) returning = one.id;
    }
    if (!returning) return as_object(Failure{.outcome = Outcome::action_unknown});
    std::scoped_lock const speaking{phone_mutex_};
    auto const shown = run_now(phone_.show(*returning));
    if (!shown) return as_object(shown.error());
    auto const matched = run_now(phone_.match(*shown, std::move(symbol)));
    if (!matched) return as_object(matched.error());
    return {{"state", *matched}};
}

json::Object Runner::describe()
{
    json::Object object;
    {
        std::scoped_lock const speaking{phone_mutex_};
        object["did"] = phone_.state().device.text();
        object["phone_number"] = phone_.state().phone_number;
        object["enrolled"] = phone_.state().enrolled;
        object["passkey"] = phone_.state().passkey.has_value();
    }
    std::scoped_lock const lock{mutex_};
    json::Array pending;
    for (auto const& action : pending_)
        if (!done_.contains(action.id))
            pending.push_back(json::Object{{"id", action.id.text()}, {"expires_at", numeric_date(action.expires_at)}});
    object["pending"] = std::move(pending);
    object["policy"] = name_of(habits_.policy);
    object["symbol"] = habits_.symbol;
    object["connected"] = connected_;
    if (!ended_.empty()) object["ended"] = ended_;
    if (!last_.empty()) object["last"] = last_;
    return object;
}

json::Object Runner::turn_passkey(bool on)
{
    Habits habits;
    {
        std::scoped_lock const lock{mutex_};
        habits = habits_;
    }
    std::scoped_lock const speaking{phone_mutex_};
    constexpr std::size_t id_bytes = 32;
    auto const turned =
        on ? run_now(phone_.turn_passkey_on(
                 {.authenticator = passkey::new_authenticator(crypto::system_random()->bytes(id_bytes)),
                  .party = passkey::relying_party_at(habits.origin.empty() ? server_.url : habits.origin)},
                 habits.code))
           : run_now(phone_.turn_passkey_off());
    keep();
    return turned ? json::Object{{"passkey", on}} : as_object(turned.error());
}

json::Object Runner::command(std::string_view line)
{
    auto const space = line.find(' ');
    auto const name = trimmed(line.substr(0, space));
    auto const argument = space == std::string_view::npos ? std::string_view{} : trimmed(line.substr(space + 1));

    if (name == "state") return describe();
    if (name == "me") {
        std::scoped_lock const speaking{phone_mutex_};
        auto const me = run_now(phone_.me());
        return me ? *me : as_object(me.error());
    }
    if (name == "wait") {
        auto const next = next_action(patience_with_commands);
        return next ? json::Object{{"id", next->id.text()}} : as_object(next.error());
    }
    if (name == "show") {
        auto const next = next_action(patience_with_commands);
        if (!next) return as_object(next.error());
        std::scoped_lock const speaking{phone_mutex_};
        auto const shown = run_now(phone_.show(next->id));
        if (!shown) return as_object(shown.error());
        return json::parse_object(text_of(shown->bytes)).value_or(json::Object{});
    }
    if (name == "scan" || name == "open") {
        auto const claimed = device::claim_of_address(argument, name == "scan");
        return claimed ? claim(*claimed) : as_object(claimed.error());
    }
    if (name == "type") return claim({.by = device::Claim::By::code, .value = std::string{argument}});
    if (name == "match") return match(std::string{argument});
    if (name == "ignore") {
        auto const next = next_action(patience_with_commands);
        if (!next) return as_object(next.error());
        std::scoped_lock const lock{mutex_};
        done_.insert(next->id);
        return {{"ignored", next->id.text()}};
    }
    if (name == "policy") {
        auto const policy = policy_named(argument);
        if (!policy) return refused("wait, approve, touch, refuse, ignore, wrong-code or wrong-symbol");
        std::scoped_lock const lock{mutex_};
        habits_.policy = *policy;
        changed_.notify_all();
        return {{"policy", name_of(*policy)}};
    }
    if (name == "symbol") {
        std::scoped_lock const lock{mutex_};
        habits_.symbol = argument;
        changed_.notify_all();
        return {{"symbol", argument}};
    }
    if (name == "code") {
        std::scoped_lock const lock{mutex_};
        habits_.code = SecretText{std::string{argument}};
        return {{"code", "set"}};
    }
    if (name == "delay") {
        int seconds = 0;
        auto const [end, error] = std::from_chars(argument.begin(), argument.end(), seconds);
        if (error != std::errc{} || end != argument.end() || seconds < 0) return refused("delay SECONDS");
        std::scoped_lock const lock{mutex_};
        habits_.delay = Seconds{seconds};
        return {{"delay", seconds}};
    }
    if (name == "passkey-on" || name == "passkey-off") return turn_passkey(name == "passkey-on");
    if (name == "quit") {
        std::scoped_lock const lock{mutex_};
        stopping_ = true;
        changed_.notify_all();
        return {{"quit", true}};
    }
    auto const how = policy_named(name);
    if (!how || *how == Policy::wait) return refused("an unknown command");

    Habits habits;
    {
        std::scoped_lock const lock{mutex_};
        habits = habits_;
    }
    if (*how != Policy::refuse && !argument.empty()) habits.symbol = argument;
    auto const answered =
        answer(*how, habits, patience_with_commands, *how == Policy::refuse ? std::string{argument} : std::string{});
    if (!answered) return as_object(answered.error());
    json::Object object{{"state", *answered}};
    std::scoped_lock const lock{mutex_};
    if (*answered == "returning") object["return"] = return_address_;
    return object;
}

// ---- control port ------------------------------------------------------------------------------------------------

Result<std::unique_ptr<ControlPort>> ControlPort::open(Runner& runner, int port)
{
    auto const listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int const yes = 1;
    ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (listener < 0 || ::bind(listener, generic, size) != 0 || ::listen(listener, 8) != 0 ||
        ::getsockname(listener, generic, &size) != 0) {
        if (listener >= 0) ::close(listener);
        return fail(Outcome::configuration_invalid, "can't listen on 127.0.0.1:" + std::to_string(port));
    }
    return std::unique_ptr<ControlPort>{new ControlPort{runner, listener, ntohs(address.sin_port)}};
}

ControlPort::~ControlPort()
{
    served_.clear();
    ::close(listener_);
}

void ControlPort::run()
{
    while (!runner_.is_stopped()) {
        pollfd watched{.fd = listener_, .events = POLLIN, .revents = 0};
        if (::poll(&watched, 1, 200) <= 0) continue;
        auto const socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (socket >= 0) served_.emplace_back([this, socket] { serve(socket); });
    }
}

void ControlPort::serve(int socket)
{
    constexpr std::size_t longest_line = 1000;
    std::string unread;
    while (!runner_.is_stopped() && unread.size() < longest_line) {
        pollfd watched{.fd = socket, .events = POLLIN, .revents = 0};
        if (::poll(&watched, 1, 200) <= 0) continue;
        std::array<char, 512> part{};
        // No lock is held: those of runner_.command() ended with it.
        auto const size =
            ::recv(socket, part.data(), part.size(), 0); // NOLINT(clang-analyzer-unix.BlockInCriticalSection)
        if (size <= 0) break;
        unread.append(part.data(), static_cast<std::size_t>(size));
        for (auto end = unread.find('\n'); end != std::string::npos; end = unread.find('\n')) {
            auto const answer = json::write(runner_.command(trimmed(unread.substr(0, end)))) + "\n";
            unread.erase(0, end + 1);
            if (::send(socket, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) break;
        }
    }
    ::close(socket);
}

} // namespace symbolon::phone

#include "device/vault_client.hpp"
#include "device/world_testing.hpp"
#include "edge/edge_testing.hpp"
#include "phone/runner.hpp"
#include "vault/server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace symbolon::phone {
namespace {

using device::testing::right_code;

/// The phone API behind a real server, with a real vault behind a real socket.
class RealServer {
public:
    RealServer()
    {
        auto judge = vault::Judge::open(directory_.path() / "vault.sqlite", vault_keys_.keys, *system_);
        auto vault = vault::Server::listen(*std::move(judge),
                                           {.socket = directory_.path() / "vault.sock", .now = [] { return noon; }});
        vault_thread_ = std::thread{
            [this, served = std::make_shared<vault::Server>(*std::move(vault))] { served->run(stop_.get()); }};
        auto const port = server_.listen(
            {.address = "127.0.0.1:0", .origin = http::Origin::phone, .base_url = "", .router = router_});
        EXPECT_TRUE(port);
        url_ = "http://127.0.0.1:" + std::to_string(port.value_or(0));
    }
    RealServer(RealServer const&) = delete;
    RealServer& operator=(RealServer const&) = delete;
    ~RealServer()
    {
        server_.stop(std::chrono::milliseconds{1000});
        loops_.stop();
        std::uint64_t const one = 1;
        EXPECT_EQ(::write(stop_.get(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
        vault_thread_.join();
    }

    [[nodiscard]] ServerAddress address() const { return {.url = url_, .ca_file = {}, .language = "en"}; }

    /// Does something on the server's thread.
    void on_loop(std::function<void(device::testing::World&)> const& what)
    {
        EXPECT_TRUE(edge::run_on<void>(loops_.at(0), [&] { return doing(what, world_); }));
    }
    void start_action(DeviceId const& device, std::string const& id)
    {
        on_loop([&](device::testing::World& world) {
            world.action_for(device, id);
            auto const stored = run_now(world.services.devices.find(device));
            wakeups_->tell(ports::Wakeups::of((*stored)->value.account));
        });
    }
    action::State state_of(std::string const& id)
    {
        action::State state{};
        on_loop([&](device::testing::World& world) { state = world.action_now(ActionId{id}).value.state; });
        return state;
    }

    device::PhoneState enrolled_phone()
    {
        on_loop([](device::testing::World& world) { world.enrolment(); });
        CurlTransport transport{address()};
        device::Phone phone{device::new_phone(*system_), transport};
        EXPECT_TRUE(run_now(phone.start_enrolment("32", "0470123456", SecretText{"Ab3+k?7Q"})));
        SecretText code;
        on_loop([&](device::testing::World& world) { code = world.messages.last_code(); });
        auto const rules = run_now(phone.give_sms_code(code));
        EXPECT_TRUE(rules);
        EXPECT_TRUE(run_now(phone.finish_enrolment(right_code, *rules, "test")));
        return phone.state();
    }

private:
    static constexpr auto noon = Instant{Seconds{1'790'164'800}};

    static Flow<void> doing(std::function<void(device::testing::World&)> what, device::testing::World& world)
    {
        what(world);
        co_return {};
    }
    ports::Services services()
    {
        auto const& s = world_.services;
        return {.accounts = s.accounts,
                .devices = s.devices,
                .push_subscriptions = s.push_subscriptions,
                .enrolments = s.enrolments,
                .contracts = s.contracts,
                .actions = s.actions,
                .sign_ins = s.sign_ins,
                .grants = s.grants,
                .clients = s.clients,
                .nonces = s.nonces,
                .counters = s.counters,
                .consents = s.consents,
                .history = s.history,
                .ledger = s.ledger,
                .vault = vault_client_,
                .messages = s.messages,
                .push = s.push,
                .wakeups = *wakeups_,
                .clock = s.clock,
                .random = s.random,
                .log = s.log};
    }

    std::unique_ptr<crypto::Random> system_ = crypto::system_random();
    vault::testing::TemporaryDirectory directory_;
    vault::testing::TestKeys vault_keys_ = vault::testing::test_keys(*system_);
    vault::Descriptor stop_{::eventfd(0, EFD_CLOEXEC)};
    std::thread vault_thread_;
    device::VaultClient vault_client_{directory_.path() / "vault.sock"};

    device::testing::World world_;
    std::unique_ptr<ports::Wakeups> wakeups_ = edge::local_wakeups(world_.clock);
    edge::testing::KeptLog log_;
    edge::Loops loops_{1};
    edge::Router router_{device::device_routes(services(), world_.settings)};
    edge::Server server_{{.loops = loops_,
                          .limits = world_.settings->limits,
                          .texts = world_.settings->texts,
                          .log = log_,
                          .clock = world_.clock,
                          .random = *system_,
                          .stopwatch = [] { return std::chrono::nanoseconds{0}; },
                          .proxies = {}}};
    std::string url_;
};

Habits habits(Policy policy = Policy::wait)
{
    return {.policy = policy, .symbol = "boat", .code = right_code, .delay = 0s};
}

std::string text(json::Object const& object, std::string_view name)
{
    return json::text(object, name).value_or("(none)");
}

TEST(SymbolonPhone, D1_approves_by_command_what_it_heard_of_while_it_was_on)
{
    RealServer server;
    Runner runner{server.address(), server.enrolled_phone(), {}, habits()};
    auto const did = DeviceId{text(runner.command("state"), "did")};
    runner.start();
    std::jthread const partner{[&] { server.start_action(did, "a1"); }};
    auto const shown = runner.command("show"); // waits until there is something
    EXPECT_EQ(text(shown, "verb"), "log_in");
    EXPECT_EQ(text(runner.command("approve boat"), "state"), "approved");
    EXPECT_EQ(server.state_of("a1"), action::State::approved);
}

TEST(SymbolonPhone, D6_types_a_wrong_code_and_then_the_right_one)
{
    RealServer server;
    auto const state = server.enrolled_phone();
    Runner runner{server.address(), state, {}, habits()};
    runner.start();
    server.start_action(state.device, "a1");
    auto const wrong = runner.command("wrong-code boat");
    EXPECT_EQ(text(wrong, "outcome"), "code_wrong");
    EXPECT_EQ(wrong.at("tries_left").as_int64(), 2);
    EXPECT_EQ(text(runner.command("approve boat"), "state"), "approved");
}

TEST(SymbolonPhone, D6_picks_a_wrong_symbol_on_demand)
{
    RealServer server;
    auto const state = server.enrolled_phone();
    Runner runner{server.address(), state, {}, habits()};
    runner.start();
    server.start_action(state.device, "a1");
    EXPECT_EQ(text(runner.command("wrong-symbol boat"), "outcome"), "symbol_wrong");
    EXPECT_EQ(server.state_of("a1"), action::State::failed);
}

TEST(SymbolonPhone, D1_turns_its_fingerprint_on_and_off_and_approves_with_it)
{
    RealServer server;
    auto with_origin = habits();
    with_origin.origin = "https://phone.example"; // as this server calls itself
    Runner runner{server.address(), server.enrolled_phone(), {}, with_origin};
    auto const did = DeviceId{text(runner.command("state"), "did")};
    runner.start();
    server.start_action(did, "a1");
    EXPECT_EQ(text(runner.command("touch"), "outcome"), "passkey_unknown");
    EXPECT_TRUE(runner.command("passkey-on").contains("passkey"));
    EXPECT_TRUE(runner.command("state").at("passkey").as_bool());
    EXPECT_EQ(text(runner.command("touch"), "state"), "approved");
    EXPECT_EQ(server.state_of("a1"), action::State::approved);
    EXPECT_FALSE(runner.command("passkey-off").at("passkey").as_bool());
    server.start_action(did, "a2");
    EXPECT_EQ(text(runner.command("approve"), "state"), "approved") << "the code still does";
}

TEST(SymbolonPhone, acts_by_itself_and_keeps_its_state_in_a_file_of_its_own)
{
    RealServer server;
    vault::testing::TemporaryDirectory const directory;
    auto const file = directory.path() / "phone.json";
    auto const state = server.enrolled_phone();
    ASSERT_TRUE(write_state(file, state));
    {
        Runner runner{server.address(), *read_state(file), file, habits(Policy::approve)};
        runner.start();
        server.start_action(state.device, "a1");
        while (server.state_of("a1") != action::State::approved) std::this_thread::yield();
        runner.stop();
    }
    auto const kept = read_state(file);
    ASSERT_TRUE(kept);
    EXPECT_NE(kept->ratchet, state.ratchet) << "the next answer carries the next ratchet";
    EXPECT_EQ(std::filesystem::status(file).permissions(), std::filesystem::perms{0600});

    Runner again{server.address(), *kept, file, habits(Policy::refuse)};
    again.start();
    server.start_action(state.device, "a2");
    while (server.state_of("a2") != action::State::refused) std::this_thread::yield();
}

TEST(SymbolonPhone, takes_commands_at_a_port_a_line_each)
{
    RealServer server;
    auto const state = server.enrolled_phone();
    Runner runner{server.address(), state, {}, habits()};
    auto control = ControlPort::open(runner, 0);
    ASSERT_TRUE(control);
    runner.start();
    std::jthread const serving{[&] { (*control)->run(); }};

    auto const socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>((*control)->port()));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    auto const say = [socket](std::string line) {
        line += '\n';
        EXPECT_EQ(::send(socket, line.data(), line.size(), 0), static_cast<ssize_t>(line.size()));
        std::string answer;
        char sign = 0;
        while (::recv(socket, &sign, 1, 0) == 1 && sign != '\n') answer += sign;
        return *json::parse_object(answer);
    };
    EXPECT_EQ(text(say("nonsense"), "outcome"), "request_malformed");
    EXPECT_EQ(text(say("policy maybe"), "outcome"), "request_malformed");
    EXPECT_EQ(text(say("policy ignore"), "policy"), "ignore");
    EXPECT_EQ(text(say("me").at("device").as_object(), "did"), state.device.text());
    server.start_action(state.device, "a1");
    EXPECT_EQ(text(say("wait"), "id"), "a1");
    EXPECT_EQ(text(say("refuse not_me"), "state"), "refused");
    EXPECT_TRUE(say("quit").contains("quit"));
    ::close(socket);
}

TEST(SymbolonPhone, speaks_in_clear_with_this_machine_alone)
{
    EXPECT_TRUE(parse_origin("https://phone.example"));
    EXPECT_TRUE(parse_origin("http://localhost:8401/"));
    EXPECT_TRUE(parse_origin("http://127.0.0.1:8401"));
    EXPECT_FALSE(parse_origin("http://phone.example"));
    EXPECT_FALSE(parse_origin("https://phone.example/path"));
    EXPECT_FALSE(parse_origin("https://user@phone.example"));
    EXPECT_FALSE(parse_origin("phone.example"));
}

TEST(SymbolonPhone, a_server_that_is_away_is_told)
{
    CurlTransport transport{{.url = "http://127.0.0.1:9", .ca_file = {}, .language = "en"}};
    auto const reply = run_now(transport.send({.method = "GET", .path = "/d/nonce", .headers = {}, .body = {}}));
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().outcome, Outcome::upstream_unreachable);
}

} // namespace
} // namespace symbolon::phone

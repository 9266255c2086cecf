#include "vault/server.hpp"
#include "vault/vault_testing.hpp"

#include <csignal>
#include <set>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace symbolon::vault {
namespace {

using testing::Phone;
using testing::TemporaryDirectory;

constexpr auto noon = Instant{Seconds{1'790'000'000}};
AccountId const anna{"anna"};

/// A vault in a process of its own, as symbolon-vault runs it.
class VaultProcess {
public:
    VaultProcess(std::filesystem::path directory, Keys const& keys, bool dies_after_counting = false)
        : directory_{std::move(directory)}
    {
        std::array<int, 2> ready{};
        EXPECT_EQ(::pipe(ready.data()), 0);
        EXPECT_EQ(::pipe(stop_.data()), 0);
        child_ = ::fork();
        if (child_ != 0) {
            ::close(ready[1]);
            char sign = 0;
            EXPECT_EQ(::read(ready[0], &sign, 1), 1) << "the vault did not start";
            ::close(ready[0]);
            return;
        }
        auto const random = crypto::system_random();
        Judge::Hooks hooks;
        if (dies_after_counting) hooks.counted = [] { ::raise(SIGKILL); };
        auto judge = Judge::open(directory_ / "vault.sqlite", keys, *random, std::move(hooks));
        if (!judge) ::_exit(3);
        auto server = Server::listen(*std::move(judge), {.socket = socket(), .now = [] { return noon; }});
        if (!server) ::_exit(4);
        if (::write(ready[1], "r", 1) != 1) ::_exit(5);
        server->run(stop_[0]);
        ::_exit(0);
    }
    VaultProcess(VaultProcess const&) = delete;
    VaultProcess& operator=(VaultProcess const&) = delete;
    ~VaultProcess()
    {
        if (child_ > 0) stop();
        ::close(stop_[0]);
        ::close(stop_[1]);
    }

    [[nodiscard]] std::filesystem::path socket() const { return directory_ / "vault.sock"; }

    /// Asks it to end; gives its exit status.
    int stop()
    {
        EXPECT_EQ(::write(stop_[1], "s", 1), 1);
        return wait();
    }
    /// Its exit status, or minus the signal that ended it.
    int wait()
    {
        int status = 0;
        EXPECT_EQ(::waitpid(child_, &status, 0), child_);
        child_ = -1;
        return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
    }

private:
    std::filesystem::path directory_;
    std::array<int, 2> stop_{};
    pid_t child_ = -1;
};

/// One reply for one request; nothing when the vault has hung up.
std::optional<Reply> ask(int socket, Request request)
{
    auto const frame = encode(NumberedRequest{1, std::move(request)});
    if (::send(socket, frame.data(), frame.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(frame.size())) return {};
    Bytes buffer;
    for (;;) {
        std::array<Byte, 4096> part{};
        auto const size = ::recv(socket, part.data(), part.size(), 0);
        if (size <= 0) return {};
        append(buffer, ByteView{part}.first(static_cast<std::size_t>(size)));
        if (auto const content = *take_frame(buffer)) return decode_reply(*content)->reply;
    }
}

std::optional<Reply> ask(VaultProcess const& vault, Request request)
{
    auto const socket = connect_to(vault.socket());
    return socket ? ask(socket->get(), std::move(request)) : std::nullopt;
}

class VaultServer : public ::testing::Test {
protected:
    std::unique_ptr<crypto::Random> random_ = crypto::system_random();
    TemporaryDirectory directory_;
    testing::TestKeys keys_ = testing::test_keys(*random_);
    Phone phone_ = Phone::random();
    crypto::PublicKey point_ = keys_.keys.seal.public_key();

    JudgeCode wrong() const { return phone_.guesses(anna, ActionId{"a"}, point_); }
    JudgeCode right(std::string const& action) const { return phone_.answers(anna, ActionId{action}, point_); }
};

TEST_F(VaultServer, answers_over_its_socket_and_ends_when_asked)
{
    VaultProcess vault{directory_.path(), keys_.keys};
    ASSERT_TRUE(ask(vault, phone_.registers(anna, point_)));
    auto const reply = ask(vault, right("a"));
    ASSERT_TRUE(reply);
    EXPECT_TRUE(reply->right);
    EXPECT_EQ(vault.stop(), 0);
}

TEST_F(VaultServer, D6_tries_outlive_a_restart)
{
    {
        VaultProcess const vault{directory_.path(), keys_.keys};
        ask(vault, phone_.registers(anna, point_));
        ask(vault, wrong());
        ask(vault, wrong());
    }
    VaultProcess const vault{directory_.path(), keys_.keys};
    EXPECT_EQ(ask(vault, wrong())->tries_left, 0);
    EXPECT_EQ(ask(vault, right("b"))->outcome, Outcome::code_blocked);
}

TEST_F(VaultServer, D6_a_vault_killed_between_counting_and_answering_gives_no_try_back)
{
    {
        VaultProcess const vault{directory_.path(), keys_.keys};
        ask(vault, phone_.registers(anna, point_));
    }
    for (int killed = 0; killed < 3; ++killed) {
        VaultProcess vault{directory_.path(), keys_.keys, true};
        EXPECT_FALSE(ask(vault, wrong())) << "it died before it answered";
        EXPECT_EQ(vault.wait(), -SIGKILL);
    }
    VaultProcess const vault{directory_.path(), keys_.keys};
    EXPECT_EQ(ask(vault, AskTries{anna})->tries_left, 0);
    EXPECT_EQ(ask(vault, right("b"))->outcome, Outcome::code_blocked);
}

TEST_F(VaultServer, D6_killed_while_it_judges_the_right_code_costs_a_try_until_the_next_right_one)
{
    {
        VaultProcess const vault{directory_.path(), keys_.keys};
        ask(vault, phone_.registers(anna, point_));
    }
    {
        VaultProcess vault{directory_.path(), keys_.keys, true};
        EXPECT_FALSE(ask(vault, right("a")));
        vault.wait();
    }
    VaultProcess const vault{directory_.path(), keys_.keys};
    EXPECT_EQ(ask(vault, AskTries{anna})->tries_left, 2);
    EXPECT_TRUE(ask(vault, right("a"))->right);
    EXPECT_EQ(ask(vault, AskTries{anna})->tries_left, 3);
}

TEST_F(VaultServer, many_that_ask_at_once_are_all_answered)
{
    VaultProcess const vault{directory_.path(), keys_.keys};
    auto const socket = connect_to(vault.socket());
    ASSERT_TRUE(socket);
    Bytes frames;
    constexpr std::uint64_t people = 40;
    for (std::uint64_t number = 0; number < people; ++number)
        append(frames, encode(NumberedRequest{number, AskTries{AccountId{std::to_string(number)}}}));
    ASSERT_EQ(::send(socket->get(), frames.data(), frames.size(), 0), static_cast<ssize_t>(frames.size()));
    std::set<std::uint64_t> answered;
    Bytes buffer;
    while (answered.size() < people) {
        std::array<Byte, 4096> part{};
        auto const size = ::recv(socket->get(), part.data(), part.size(), 0);
        ASSERT_GT(size, 0);
        append(buffer, ByteView{part}.first(static_cast<std::size_t>(size)));
        while (auto const content = *take_frame(buffer)) answered.insert(decode_reply(*content)->number);
    }
}

TEST_F(VaultServer, hangs_up_on_who_does_not_speak_its_protocol_and_serves_the_others)
{
    VaultProcess const vault{directory_.path(), keys_.keys};
    auto const stranger = connect_to(vault.socket());
    std::string_view const http = "GET / HTTP/1.1\r\n\r\n";
    ASSERT_GT(::send(stranger->get(), http.data(), http.size(), 0), 0);
    char sign = 0;
    EXPECT_LE(::recv(stranger->get(), &sign, 1, 0), 0);
    EXPECT_EQ(ask(vault, AskTries{anna})->outcome, Outcome::device_unknown);
}

TEST_F(VaultServer, its_socket_is_for_its_user_alone_and_a_second_vault_is_refused)
{
    VaultProcess const vault{directory_.path(), keys_.keys};
    struct stat status{};
    ASSERT_EQ(::stat(vault.socket().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    EXPECT_FALSE(listen_on(vault.socket()));
}

TEST_F(VaultServer, a_socket_left_by_a_killed_vault_is_replaced)
{
    {
        VaultProcess const first{directory_.path(), keys_.keys};
    }
    VaultProcess const second{directory_.path(), keys_.keys};
    EXPECT_TRUE(ask(second, AskKeys{}));
}

TEST(VaultKeys, are_made_once_and_read_back)
{
    TemporaryDirectory const directory;
    auto const random = crypto::system_random();
    ASSERT_TRUE(make_vault(directory.path() / "v", *random));
    EXPECT_FALSE(make_vault(directory.path() / "v", *random)) << "a vault is never overwritten";
    auto const keys = read_keys(directory.path() / "v");
    ASSERT_TRUE(keys);
    auto const permits = read_permit_key(directory.path() / "v");
    ASSERT_TRUE(permits);
    EXPECT_EQ(permits->public_key().der(), keys->permits.der());
}

TEST(VaultKeys, that_others_may_read_are_refused)
{
    TemporaryDirectory const directory;
    auto const random = crypto::system_random();
    ASSERT_TRUE(make_vault(directory.path() / "v", *random));
    std::filesystem::permissions(directory.path() / "v" / "vault.key", std::filesystem::perms{0640});
    EXPECT_FALSE(read_keys(directory.path() / "v"));
}

} // namespace
} // namespace symbolon::vault

#include "device/vault_client.hpp"
#include "vault/server.hpp"
#include "vault/vault_testing.hpp"

#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>

namespace symbolon::device {
namespace {

using vault::testing::Phone;
using vault::testing::TemporaryDirectory;

AccountId const anna{"anna"};

/// A vault on a thread of its own.
class RunningVault {
public:
    RunningVault(std::filesystem::path const& directory, vault::Keys const& keys, crypto::Random& random)
    {
        auto judge = vault::Judge::open(directory / "vault.sqlite", keys, random);
        EXPECT_TRUE(judge);
        auto server = vault::Server::listen(
            *std::move(judge), {.socket = directory / "vault.sock", .now = [] { return Instant{Seconds{1}}; }});
        EXPECT_TRUE(server);
        thread_ = std::thread{
            [this, served = std::make_shared<vault::Server>(*std::move(server))] { served->run(stop_.get()); }};
    }
    RunningVault(RunningVault const&) = delete;
    RunningVault& operator=(RunningVault const&) = delete;
    ~RunningVault()
    {
        std::uint64_t const one = 1;
        EXPECT_EQ(::write(stop_.get(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
        thread_.join();
    }

private:
    vault::Descriptor stop_{::eventfd(0, EFD_CLOEXEC)};
    std::thread thread_;
};

class ClientOfTheVault : public ::testing::Test {
protected:
    std::unique_ptr<crypto::Random> random_ = crypto::system_random();
    TemporaryDirectory directory_;
    vault::testing::TestKeys keys_ = vault::testing::test_keys(*random_);
    Phone phone_ = Phone::random();
    crypto::PublicKey point_ = keys_.keys.seal.public_key();
    VaultClient client_{directory_.path() / "vault.sock"};

    Result<void> enrol()
    {
        auto const request = phone_.registers(anna, point_);
        return run_now(client_.register_code(anna, phone_.device, 1, request.nonce, request.sealed_code_key));
    }
    Result<ports::CodeVerdict> judge(vault::JudgeCode const& request)
    {
        return run_now(client_.judge(request.account, request.device, request.action, request.message, request.proof));
    }
};

TEST_F(ClientOfTheVault, speaks_with_it_over_the_socket)
{
    RunningVault const vault{directory_.path(), keys_.keys, *random_};
    EXPECT_EQ(run_now(client_.public_key())->size(), 65);
    ASSERT_TRUE(enrol());
    auto const right = judge(phone_.answers(anna, ActionId{"a"}, point_));
    ASSERT_TRUE(right);
    EXPECT_TRUE(right->right);
    EXPECT_FALSE(right->grant.empty());
    auto const wrong = judge(phone_.guesses(anna, ActionId{"b"}, point_));
    ASSERT_TRUE(wrong);
    EXPECT_FALSE(wrong->right);
    EXPECT_EQ(wrong->tries_left, 2);
    ASSERT_TRUE(run_now(client_.forget(anna)));
    EXPECT_EQ(judge(phone_.answers(anna, ActionId{"c"}, point_)).error().outcome, Outcome::device_unknown);
}

TEST_F(ClientOfTheVault, without_a_vault_says_so_and_goes_on_once_it_is_there)
{
    EXPECT_EQ(run_now(client_.public_key()).error().outcome, Outcome::vault_unreachable);
    for (int restart = 0; restart < 2; ++restart) {
        {
            RunningVault const vault{directory_.path(), keys_.keys, *random_};
            EXPECT_TRUE(run_now(client_.public_key()));
        }
        // The connection of before is broken; whether this call or the next notices depends on the system.
        while (run_now(client_.public_key())) {}
    }
}

TEST_F(ClientOfTheVault, many_threads_share_one_connection)
{
    RunningVault const vault{directory_.path(), keys_.keys, *random_};
    std::atomic<int> answered = 0;
    {
        std::vector<std::jthread> threads;
        threads.reserve(8);
        for (int i = 0; i < 8; ++i)
            threads.emplace_back([&] {
                for (int times = 0; times < 20; ++times)
                    if (run_now(client_.public_key())) ++answered;
            });
    }
    EXPECT_EQ(answered, 160);
}

} // namespace
} // namespace symbolon::device

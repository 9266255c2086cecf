#include "sim/simulated_vault_testing.hpp"

namespace symbolon::sim {

namespace {

/// The vault's process is gone, with what it had not committed.
struct Death {};

} // namespace

SimulatedVault::SimulatedVault(World& world, SignInWatcher& watcher, vault::Keys keys, PlantedFault fault)
    : world_{world},
      watcher_{watcher},
      fault_{fault},
      judge_{*vault::Judge::open(":memory:", std::move(keys), random_, {.counted = [this] {
                                     if (world_.scheduler().happens(deaths)) throw Death{};
                                 }})}
{}

Result<vault::Reply> SimulatedVault::reply_to(vault::Request request)
{
    auto reply = judge_.answer(std::span{&request, 1}, world_.clock_now()).front();
    if (reply.outcome) return fail(*reply.outcome);
    return reply;
}

Flow<ports::CodeVerdict> SimulatedVault::judge(AccountId account, DeviceId device, ActionId action, Bytes message,
                                               Bytes sealed_proof)
{
    if (fault_ == PlantedFault::vault_counts_after_it_looked)
        co_return co_await judge_first_and_count_then(account, action, sealed_proof);

    vault::Reply reply;
    auto dead = false;
    auto const before = tries_now(account);
    try {
        if (fault_ == PlantedFault::vault_takes_tries_for_nothing) {
            auto const broken = reply_to(vault::JudgeCode{
                .account = account, .device = device, .action = action, .message = message, .proof = Bytes(1)});
            if (!broken) co_return std::unexpected{broken.error()};
        }
        vault::Request request = vault::JudgeCode{
            .account = account, .device = device, .action = action, .message = message, .proof = sealed_proof};
        reply = judge_.answer(std::span{&request, 1}, world_.clock_now()).front();
    } catch (Death const&) {
        dead = true;
    }
    if (dead) {
        watcher_.note("the vault dies before it looks");
        ++watcher_.count["deaths of the vault"];
        if (tries_now(account) < before) watcher_.vault_takes(account, sealed_proof);
        co_return fail(Outcome::vault_unreachable, "simulated: it died");
    }
    if (tries_now(account) < before) watcher_.vault_takes(account, sealed_proof);
    if (reply.outcome) co_return fail(*reply.outcome);
    if (fault_ == PlantedFault::vault_believes_every_code) reply.right = true;
    watcher_.note("the vault finds the code ", reply.right ? "right" : "wrong",
                  ", tries left: ", std::to_string(reply.tries_left));
    watcher_.vault_looks(account, sealed_proof, reply.right, action);
    co_return ports::CodeVerdict{.right = reply.right, .tries_left = reply.tries_left, .grant = std::move(reply.grant)};
}

Flow<ports::CodeVerdict> SimulatedVault::judge_first_and_count_then(AccountId account, ActionId action, Bytes proof)
{
    constexpr int all_tries = 3;
    auto& tries = tries_of_the_planted_fault_.try_emplace(account, all_tries).first->second;
    if (tries == 0) co_return fail(Outcome::code_blocked);
    auto const right = watcher_.is_right(proof);
    watcher_.vault_looks(account, proof, right, action);
    if (world_.scheduler().happens(deaths)) co_return fail(Outcome::vault_unreachable, "simulated: it died");
    tries = right ? all_tries : tries - 1;
    co_return ports::CodeVerdict{.right = right, .tries_left = tries, .grant = {}};
}

Flow<int> SimulatedVault::tries_left(AccountId account)
{
    watcher_.vault_is_asked(account);
    constexpr int all_tries = 3;
    if (fault_ == PlantedFault::vault_hides_spent_tries) co_return all_tries;
    if (tries_of_the_planted_fault_.contains(account)) co_return tries_now(account);
    co_return co_await VaultRequests::tries_left(std::move(account));
}

int SimulatedVault::tries_now(AccountId const& account)
{
    if (auto const planted = tries_of_the_planted_fault_.find(account); planted != tries_of_the_planted_fault_.end())
        return planted->second;
    auto const reply = reply_to(vault::AskTries{account});
    return reply ? reply->tries_left : 0;
}

} // namespace symbolon::sim

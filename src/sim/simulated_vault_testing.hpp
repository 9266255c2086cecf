#pragma once

#include "device/vault_requests.hpp"
#include "sim/planted_fault_testing.hpp"
#include "sim/sign_in_watcher_testing.hpp"
#include "vault/judge.hpp"

namespace symbolon::sim {

/// The judge of codes in a process of its own, that may die between counting and looking. Its file stays.
class SimulatedVault final : public device::VaultRequests {
public:
    SimulatedVault(World& world, SignInWatcher& watcher, vault::Keys keys, PlantedFault fault);

    Flow<ports::CodeVerdict> judge(AccountId account, DeviceId device, ActionId action, Bytes message,
                                   Bytes sealed_proof) override;
    Flow<int> tries_left(AccountId account) override;

    /// The same, for whoever stands beside the World.
    int tries_now(AccountId const& account);

    int deaths = 0; ///< how often it dies there, in a thousand judgements

private:
    Flow<vault::Reply> ask(vault::Request request) override { co_return reply_to(std::move(request)); }
    Result<vault::Reply> reply_to(vault::Request request);
    Flow<ports::CodeVerdict> judge_first_and_count_then(AccountId account, ActionId action, Bytes proof);

    World& world_;
    SignInWatcher& watcher_;
    PlantedFault fault_;
    SeededRandom random_{2};
    std::map<AccountId, int> tries_of_the_planted_fault_;
    vault::Judge judge_;
};

} // namespace symbolon::sim

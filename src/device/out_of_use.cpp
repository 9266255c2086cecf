#include "device/out_of_use.hpp"

namespace symbolon::device {

using ports::Services;
using ports::Stored;
using ports::Wakeups;

Flow<void> block_account(Stored<account::Account> account, ports::HistoryEntry entry, Services services)
{
    constexpr int most_rounds = 5;
    for (int round = 0; round < most_rounds && account.value.state == account::State::active; ++round) {
        auto blocked = co_await account::apply(account.value, account::Event::block);
        auto const saved = co_await outcome_of(services.accounts.save(changed(account, std::move(blocked)), entry));
        if (saved) break;
        if (saved.error().outcome != Outcome::conflict) co_return std::unexpected{saved.error()};
        // Somebody changed the account meanwhile; blocked it must be.
        auto again = co_await services.accounts.find(account.value.id);
        if (!again) co_return fail(Outcome::account_deactivated);
        account = *std::move(again);
    }
    services.wakeups.tell(Wakeups::of(account.value.id));
    services.log.event("account_blocked", {{"account", account.value.id.text()}});
    co_return {};
}

Flow<void> end_open_actions(account::Device device, Outcome why, Services services)
{
    auto const now = services.clock.now();
    auto const open = co_await services.actions.open_for(device.account, now);
    for (auto const& action : open) {
        if (action.value.device != device.id) continue;
        auto const ended = action::end(action.value, action::Event::block, why, now);
        if (!ended) continue;
        // Whoever was faster ended it too: this phone approves nothing any more.
        auto const saved = co_await outcome_of(services.actions.save(changed(action, *ended)));
        if (!saved && saved.error().outcome != Outcome::conflict) co_return std::unexpected{saved.error()};
        services.wakeups.tell(Wakeups::of(ended->sign_in));
    }
    services.wakeups.tell(Wakeups::of(device.account));
    auto const* const name = why == Outcome::device_unbound ? "device_unbound" : "device_suspended";
    services.log.event(name, {{"account", device.account.text()}});
    co_return {};
}

Flow<void> suspend(Stored<account::Device> device, ports::HistoryEntry entry, Services services)
{
    device.value.state = account::Device::State::suspended;
    co_await services.devices.save(device, std::move(entry));
    co_await end_open_actions(device.value, Outcome::device_clone_suspected, services);
    co_return {};
}

} // namespace symbolon::device

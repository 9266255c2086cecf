#pragma once

#include "base/flow.hpp"
#include "ports/services.hpp"

#include <string>

/// What takes an account or a phone out of use, whichever request brings it to light.
namespace symbolon::device {

/// The vault has no try left: blocks the account, whatever else changes it meanwhile. Fails: account_deactivated (it is
/// gone).
Flow<void> block_account(ports::Stored<account::Account> account, ports::HistoryEntry entry, ports::Services services);

/// Ends what waits on that phone, which approves nothing any more (`why`), and wakes it, and a copy of it.
Flow<void> end_open_actions(account::Device device, Outcome why, ports::Services services);

/// A ratchet that is neither the current nor the previous one: two copies of the phone exist, and none of them may go
/// on. `entry`: what the history says. Fails: conflict (the phone changed meanwhile: judge again).
Flow<void> suspend(ports::Stored<account::Device> device, ports::HistoryEntry entry, ports::Services services);

} // namespace symbolon::device

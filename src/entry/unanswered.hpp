#pragma once

#include "base/flow.hpp"
#include "ports/services.hpp"

#include <optional>

/// Requests that ended without an answer of the phone: their lines of history (F3).
namespace symbolon::entry {

/// Writes the history of actions that ran out, that their page cancelled, or that ended with the phone or account. Each
/// gets one line, in the commit that closes it, whoever else looks at the same time and whatever stops. It is written
/// here and not where the request ends, so that a page that cancels does the same whether or not somebody has that
/// number (D7). Those of nobody are closed without a line.
///
/// Of that account alone if one is given. Gives how many were closed. One that can't be read or changed is told to the
/// log and passed over. Fails: store_failed.
Flow<std::size_t> tell_of_unanswered(std::optional<AccountId> account, ports::Services services);

} // namespace symbolon::entry

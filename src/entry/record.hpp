#pragma once

#include "action/action.hpp"
#include "base/json.hpp"
#include "crypto/jws.hpp"
#include "ports/ports.hpp"

/// What is kept of an approval whose page was tied to it later (docs/device-protocol.md §6).
namespace symbolon::entry {

/// "matched", "scanned", "proven"; "none" for none.
std::string_view name_of(std::optional<action::Tied> tied);

/// How an approval that was `returning` went on.
struct Tying {
    std::optional<action::Tied> tied; ///< none: the wrong symbol, and the action failed
    std::string symbol;               ///< that the holder picked, if any
    Bytes signature;                  ///< by the phone, over the symbol
    Instant at;
};

/// The record of such an approval, complete. `record`: as the answer left it. Signed anew by the record key.
Bytes tied_record(ByteView record, Tying const& tying, crypto::SigningKey const& key);

/// Whether a record was completed by exactly this symbol and signature.
bool is_completed_by(ByteView record, std::string_view symbol, ByteView signature);

/// What the holder reads of an action afterwards: who asked, from where, what came of it, and the hash of the evidence.
ports::HistoryEntry history(AccountId account, action::Action const& action, std::string event, Instant at,
                            json::Object detail);

/// The line of history of an action that is approved and tied now. `more`: besides claims, method and tie.
ports::HistoryEntry approval(action::Action const& action, Instant at, json::Object more = {});

} // namespace symbolon::entry

#pragma once

#include "base/bytes.hpp"
#include "base/id.hpp"
#include "base/instant.hpp"

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

/// The byte strings that phone, server and vault sign (docs/device-protocol.md §1): fixed order, every part with its
/// length, a domain for each use.
namespace symbolon::vault {

/// S(d, x1, …, xn): L(domain) ‖ L(field) ‖ …, where L writes the length as 4 bytes, most significant first.
Bytes statement(std::string_view domain, std::initializer_list<ByteView> fields);

/// list(x1, …, xn), to stand as one field of a statement.
Bytes list_of(std::span<std::string const> items);

/// §4 "e": what a new code key signs, and what its seal is bound to. `nonce` as bytes.
Bytes code_key_statement(ByteView nonce, DeviceId const& device, int code_version);

/// §5: what the seal of a code proof is bound to.
Bytes code_proof_context(ActionId const& action, DeviceId const& device, int code_version);

/// §6: what the vault signs for a right code over the message `m`.
Bytes grant_statement(AccountId const& account, DeviceId const& device, int code_version, ActionId const& action,
                      ByteView message_hash, Instant at);

} // namespace symbolon::vault

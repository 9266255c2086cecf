#pragma once

#include "account/device.hpp"
#include "account/ratchet.hpp"
#include "base/flow.hpp"
#include "base/http.hpp"
#include "device/settings.hpp"
#include "passkey/ceremony.hpp"
#include "ports/services.hpp"

/// The fingerprint: a passkey with user verification beside the device key, never alone (docs/device-protocol.md §4,
/// §5).
namespace symbolon::device {

/// A passkey as a phone has just made it. `passkey`: passkey::write(Registration); `nonce`: what its challenge was made
/// of (passkey_challenge). Fails with passkey_refused.
Result<account::Passkey> judge_new_passkey(ByteView passkey, ByteView nonce, DeviceId const& device,
                                           Settings const& settings, Instant now);

/// "Verify that the credentialId is not yet registered for any user" (WebAuthn §7.1): the id is taken, for good, by the
/// first who comes, in the very write that keeps the passkey.
ports::Once use_of_credential(account::Passkey const& passkey, Instant now);

/// Whether an assertion with that count was made before the last one that was believed, and is only late: its phone
/// sent it before it heard of that one (the ratchet says so), and nothing with that count was believed yet. Two copies
/// of a passkey count alike, so what a copy signs has a count that is used, or will be.
bool may_be_late(account::Passkey const& passkey, std::int64_t sign_count, account::Ratchet ratchet);

struct JudgedAssertion {
    account::Passkey passkey; ///< as it is then
    bool is_late = false;     ///< the phone has gone on since: its ratchet stays as it is
};

/// An assertion over m (`message`), for the phone that has the passkey. `proof`: passkey::write(Assertion); `ratchet`:
/// the one that the message carries, not unknown.
///
/// Fails, first match wins: proof_malformed, passkey_wrong, passkey_clone_suspected (its counter stands still).
Result<JudgedAssertion> judge_assertion(account::Passkey const& passkey, ByteView proof, ByteView message,
                                        account::Ratchet ratchet, Settings const& settings);

/// POST /d/passkey/challenge. Fails: those of authenticate, account_blocked, request_malformed.
Flow<http::Response> open_passkey(http::Request request, ports::Services services, SharedSettings settings);

/// POST /d/passkey/on. Fails, in the order of docs/device-protocol.md: request_malformed, proof_malformed,
/// passkey_refused (shape), device_unknown, device_signature_invalid, device_unbound, device_suspended,
/// account_deactivated, account_blocked, passkey_expired, device_clone_suspected, passkey_refused, code_wrong,
/// code_blocked, vault_unreachable, conflict.
Flow<http::Response> turn_passkey_on(http::Request request, ports::Services services, SharedSettings settings);

/// POST /d/passkey/off. Does nothing when it is off. Fails: those of authenticate, request_malformed.
Flow<http::Response> turn_passkey_off(http::Request request, ports::Services services, SharedSettings settings);

} // namespace symbolon::device

#pragma once

#include "account/device.hpp"
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
/// first who comes. Fails with passkey_refused.
Flow<void> take_credential_id(account::Passkey passkey, ports::Services services);

/// The passkey after an assertion over m (`message`), for the phone that has it. `proof`: passkey::write(Assertion).
///
/// Fails, first match wins: proof_malformed, passkey_wrong, passkey_clone_suspected (its counter stands still).
Result<account::Passkey> judge_assertion(account::Passkey const& passkey, ByteView proof, ByteView message,
                                         Settings const& settings);

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

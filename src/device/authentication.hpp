#pragma once

#include "base/flow.hpp"
#include "base/http.hpp"
#include "base/json.hpp"
#include "crypto/key.hpp"
#include "device/settings.hpp"
#include "ports/services.hpp"

namespace symbolon::device {

/// The phone that signed a request, and its account, as they were then. The account may be blocked.
struct AuthenticatedDevice {
    ports::Stored<account::Device> device;
    ports::Stored<account::Account> account;
    crypto::PublicKey key; ///< the device key, parsed
};

/// The phone of that id, if it has signed the statement. Fails, first match wins: device_unknown,
/// device_signature_invalid, device_unbound, device_suspended, account_deactivated.
Flow<AuthenticatedDevice> signer_of(DeviceId device, Bytes statement, Bytes signature, ports::Services services);

/// Who signed this request. Fails, first match wins, in the order of docs/device-protocol.md §3:
/// device_signature_invalid (no header), device_nonce_needed, device_unknown, device_signature_invalid, device_unbound,
/// device_suspended, account_deactivated.
Flow<AuthenticatedDevice> authenticate(http::Request request, ports::Services services, SharedSettings settings);

/// The answer to a signed request, with the nonce for the next one.
http::Response signed_answer(json::Object const& object, ports::Services const& services, Settings const& settings);

/// Whether a phone may act. Fails: device_unbound, device_suspended.
Result<void> check_device(account::Device const& device);

/// The account of a phone. Fails: account_deactivated (closed ones too).
Flow<ports::Stored<account::Account>> account_of(account::Device device, ports::Services services);

} // namespace symbolon::device

#pragma once

#include "base/instant.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

#include <string>
#include <string_view>

/// Nonces of signed requests: the server's word for the time, so that no phone's clock counts (docs/device-protocol.md
/// §3). Nothing is stored.
namespace symbolon::device {

/// The nonce of this second.
std::string make_nonce(SecretBytes const& key, Instant now);

/// Fails with device_nonce_needed: not made with this key, older than `lifetime`, or from the future.
Result<void> check_nonce(SecretBytes const& key, std::string_view nonce, Instant now, Seconds lifetime);

} // namespace symbolon::device

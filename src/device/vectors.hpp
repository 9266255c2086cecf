#pragma once

#include "base/json.hpp"
#include "base/result.hpp"

namespace symbolon::device {

/// The test vectors of docs/device-protocol.md: one value of each thing that two programs must agree on, of invented
/// keys and people. New keys, nonces and signatures each time.
json::Object make_vectors();

/// Whether vectors, of this program or another, are what the document says. Fails with the outcome of the first check
/// that failed, or with request_malformed; the detail names the place.
Result<void> check_vectors(json::Object const& vectors);

} // namespace symbolon::device

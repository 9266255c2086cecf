#pragma once

#include "base/flow.hpp"
#include "base/http.hpp"
#include "device/settings.hpp"
#include "ports/services.hpp"

/// Notifications, as the phone turns them on and off (docs/device-protocol.md §5). Each flow answers one request.
namespace symbolon::device {

/// GET /d/push: the key to subscribe with, and what the server has. Fails: those of authenticate.
Flow<http::Response> push_state(http::Request request, ports::Services services, SharedSettings settings);

/// POST /d/push: this phone's subscription from now on. Fails: those of authenticate, json_malformed,
/// request_malformed, encoding_malformed, push_endpoint_refused.
Flow<http::Response> turn_push_on(http::Request request, ports::Services services, SharedSettings settings);

/// POST /d/push/off: none from now on. Fails: those of authenticate, json_malformed, request_malformed.
Flow<http::Response> turn_push_off(http::Request request, ports::Services services, SharedSettings settings);

} // namespace symbolon::device

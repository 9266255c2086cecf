#pragma once

#include "base/http.hpp"
#include "device/settings.hpp"
#include "ports/services.hpp"

namespace symbolon::device {

/// The API of the phone origin (docs/device-protocol.md).
http::Routes device_routes(ports::Services services, SharedSettings settings);

} // namespace symbolon::device

#pragma once

#include <chrono>

namespace symbolon {

using namespace std::chrono_literals;

/// UTC in whole seconds.
using Instant = std::chrono::sys_seconds;
using Seconds = std::chrono::seconds;

/// Seconds since 1970 (RFC 7519 §2 NumericDate).
inline std::int64_t numeric_date(Instant at) { return at.time_since_epoch().count(); }

inline Instant instant_of(std::int64_t numeric_date) { return Instant{Seconds{numeric_date}}; }

} // namespace symbolon

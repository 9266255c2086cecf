#pragma once

#include "base/instant.hpp"

namespace symbolon {

/// The date that a calendar in Brussels shows at an instant: UTC+1, in summer UTC+2 from the last Sunday of March to
/// the last Sunday of October, each at 01:00 UTC (Directive 2000/84/EC, articles 2 and 3).
std::chrono::year_month_day date_in_brussels(Instant at);

/// When that date begins in Brussels.
Instant start_of_day_in_brussels(std::chrono::year_month_day date);

} // namespace symbolon

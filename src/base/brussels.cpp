#include "base/brussels.hpp"

namespace symbolon {

namespace {

using namespace std::chrono;

/// When the hour changes in a year.
Instant last_sunday(year year, month month) { return sys_days{year / month / Sunday[last]} + 1h; }

Seconds offset(Instant at)
{
    auto const year = year_month_day{floor<days>(at)}.year();
    auto const summer = at >= last_sunday(year, March) && at < last_sunday(year, October);
    return summer ? 2h : 1h;
}

} // namespace

year_month_day date_in_brussels(Instant at) { return year_month_day{floor<days>(at + offset(at))}; }

Instant start_of_day_in_brussels(year_month_day date)
{
    // The hour never changes at midnight, so the offset an hour before is the one in force.
    auto const midnight = Instant{sys_days{date}};
    return midnight - offset(midnight - 2h);
}

} // namespace symbolon

#include "base/brussels.hpp"

#include <gtest/gtest.h>

namespace symbolon {
namespace {

using namespace std::chrono;

Instant at(year_month_day date, Seconds time) { return sys_days{date} + time; }

TEST(Brussels, is_an_hour_ahead_in_winter_and_two_in_summer)
{
    EXPECT_EQ(date_in_brussels(at(2026y / 1 / 15, 22h + 59min)), 2026y / 1 / 15);
    EXPECT_EQ(date_in_brussels(at(2026y / 1 / 15, 23h)), 2026y / 1 / 16);
    EXPECT_EQ(date_in_brussels(at(2026y / 7 / 15, 21h + 59min)), 2026y / 7 / 15);
    EXPECT_EQ(date_in_brussels(at(2026y / 7 / 15, 22h)), 2026y / 7 / 16);
    EXPECT_EQ(date_in_brussels(at(2025y / 12 / 31, 23h)), 2026y / 1 / 1);
}

TEST(Brussels, changes_the_hour_on_the_last_sundays_of_march_and_october)
{
    EXPECT_EQ(date_in_brussels(at(2026y / 3 / 28, 23h)), 2026y / 3 / 29) << "still winter";
    EXPECT_EQ(date_in_brussels(at(2026y / 3 / 29, 22h)), 2026y / 3 / 30) << "summer from this day on";
    EXPECT_EQ(date_in_brussels(at(2026y / 10 / 24, 22h)), 2026y / 10 / 25) << "still summer";
    EXPECT_EQ(date_in_brussels(at(2026y / 10 / 25, 22h)), 2026y / 10 / 25) << "winter from this day on";
}

TEST(Brussels, begins_each_day_at_its_own_midnight)
{
    for (auto day = sys_days{2026y / 1 / 1}; day < sys_days{2028y / 1 / 1}; day += days{1}) {
        auto const start = start_of_day_in_brussels(day);
        EXPECT_EQ(date_in_brussels(start), year_month_day{day});
        EXPECT_EQ(date_in_brussels(start - 1s), year_month_day{day - days{1}});
    }
}

} // namespace
} // namespace symbolon

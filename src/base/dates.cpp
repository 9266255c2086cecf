#include "base/dates.hpp"

#include <fmt/format.h>

namespace symbolon {

std::string iso_date(std::chrono::year_month_day date)
{
    return fmt::format("{:04}-{:02}-{:02}", int{date.year()}, unsigned{date.month()}, unsigned{date.day()});
}

std::string date_text(Texts const& texts, Language language, std::chrono::year_month_day date)
{
    return texts.text(language, "dates.form",
                      {{"day", std::to_string(unsigned{date.day()})},
                       {"month", texts.text(language, "dates.month_" + std::to_string(unsigned{date.month()}))},
                       {"year", std::to_string(int{date.year()})}});
}

} // namespace symbolon

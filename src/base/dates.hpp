#pragma once

#include "base/texts.hpp"

#include <chrono>
#include <string>

namespace symbolon {

/// "2027-03-05" (ISO 8601).
std::string iso_date(std::chrono::year_month_day date);

/// "5 March 2027", as people of that language write it.
std::string date_text(Texts const& texts, Language language, std::chrono::year_month_day date);

} // namespace symbolon

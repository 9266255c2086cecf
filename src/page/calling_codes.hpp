#pragma once

#include "base/language.hpp"

#include <cstddef>
#include <span>
#include <string>

namespace symbolon::page {

/// A country for the choice beside a phone number.
struct CallingCode {
    std::string code; ///< "32"
    std::string text; ///< "Belgium +32"
};

/// The countries whose numbers are served, in a language: the neighbours first (`near_countries` of them, Belgium
/// before all), then all in the order of their names.
std::span<CallingCode const> calling_code_choice(Language language);

inline constexpr std::size_t near_countries = 5;

} // namespace symbolon::page

#pragma once

#include "base/limits.hpp"
#include "base/texts.hpp"
#include "ports/bank_end.hpp"

#include <string>

namespace symbolon::page {

/// The page on which a visit at a bank ends in a browser that did not leave for it (design.md §4). It has no script,
/// and stands at the phone's origin with /assets/bank-end.css.
///
/// What it is known by: `<section id="landed">` with the number in `#number` and the code in `data-code` of
/// `#landing-code`, or `<section id="failed">` with the outcome in `<code id="error">`, its sentence in `#error-text`
/// and what it is about in `#fields`.
std::string bank_end_page(ports::BankEnd const& end, Limits const& limits, bool is_test_system, Texts const& texts);

} // namespace symbolon::page

#pragma once

#include "account/phone_number.hpp"
#include "base/result.hpp"

#include <span>
#include <string>
#include <string_view>

/// Mobile numbers as people type them (A1). The table is made from the same package as the browser's
/// (libphonenumber-js) by scripts/phone_numbers.mjs.
namespace symbolon::enrolment {

/// The number in E.164 for what was typed: with or without the national prefix ("0"), with spaces, dots, slashes,
/// dashes and parentheses, "(0)", or whole with "+32" or "0032", which then goes before `calling_code`. `calling_code`:
/// digits, a "+" before them is dropped.
///
/// Fails, first match wins: calling_code_unknown (no country that is served has it), phone_number_invalid,
/// phone_number_not_mobile (a number of that country, but not of a mobile phone).
Result<account::PhoneNumber> parse_phone_number(std::string_view calling_code, std::string_view typed);

/// A number as it is dialled within its country, with the national prefix where there is one: "0470123456".
std::string national_form(account::PhoneNumber const& number);

/// The calling codes that are served, without "+", in ascending order of their numbers.
std::span<std::string_view const> calling_codes();

} // namespace symbolon::enrolment

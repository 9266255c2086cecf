#pragma once

#include "base/result.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace symbolon::enrolment {

/// A number of the National Register (Royal Decree of 3 April 1984), or a BIS number (month raised by 20 or 40), whose
/// check digits are right.
class NationalNumber {
public:
    /// From 11 digits, nothing else. Fails: national_number_invalid.
    static Result<NationalNumber> parse(std::string_view digits);

    /// The 11 digits.
    [[nodiscard]] std::string const& text() const { return digits_; }

    /// Whether the check digits are those of someone born from 2000 on.
    [[nodiscard]] bool born_from_2000() const { return born_from_2000_; }

    /// Whether someone born on that day may have it. A part of the date that was not known when the number was given
    /// is 00 in it and says nothing. Where the month is 00, 20 or 40 the day is none: it counts on when the serial
    /// numbers are used up. Year 00 with such a month and a day from 01 on stands for somebody of whom nothing is
    /// known.
    [[nodiscard]] bool may_be_of(std::chrono::year_month_day birth) const;

    friend bool operator==(NationalNumber const&, NationalNumber const&) = default;

private:
    NationalNumber(std::string digits, bool born_from_2000)
        : digits_{std::move(digits)},
          born_from_2000_{born_from_2000}
    {}

    std::string digits_;
    bool born_from_2000_ = false;
};

} // namespace symbolon::enrolment

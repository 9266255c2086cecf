#include "enrolment/national_number.hpp"

#include "base/text.hpp"

#include <cstdint>

namespace symbolon::enrolment {

namespace {

constexpr std::uint64_t number(std::string_view digits)
{
    std::uint64_t value = 0;
    for (auto const digit : digits) value = value * 10 + static_cast<std::uint64_t>(digit - '0');
    return value;
}

/// 97 less the remainder, so that 97 stands for a remainder of 0.
constexpr std::uint64_t check_digits(std::uint64_t first_nine) { return 97 - first_nine % 97; }

static_assert(check_digits(number("850730001")) == 60);
static_assert(check_digits(2'000'000'000 + number("030615001")) == 71);
static_assert(check_digits(number("030615001")) == 42);

} // namespace

Result<NationalNumber> NationalNumber::parse(std::string_view digits)
{
    if (digits.size() != 11 || !is_digits(digits)) return fail(Outcome::national_number_invalid, "not 11 digits");

    // Royal Decree of 3 April 1984, article 2: YYMMDD, a serial number from 001, two check digits. A day or month that
    // isn't known is 00; BIS numbers raise the month by 20 or 40. Where the serial numbers of a date are used up, the
    // month becomes 00, 20 or 40 and the day counts on, also past 31.
    auto const month = number(digits.substr(2, 2));
    auto const day = number(digits.substr(4, 2));
    if (month % 20 > 12 || month >= 60) return fail(Outcome::national_number_invalid, "month");
    if (month % 20 != 0 && day > 31) return fail(Outcome::national_number_invalid, "day");
    if (digits.substr(6, 3) == "000") return fail(Outcome::national_number_invalid, "serial number");

    auto const first_nine = number(digits.substr(0, 9));
    auto const check = number(digits.substr(9, 2));
    if (check == check_digits(first_nine)) return NationalNumber{std::string{digits}, false};
    if (check == check_digits(2'000'000'000 + first_nine)) return NationalNumber{std::string{digits}, true};
    return fail(Outcome::national_number_invalid, "check digits");
}

bool NationalNumber::may_be_of(std::chrono::year_month_day birth) const
{
    auto const digits = std::string_view{digits_};
    auto const year = number(digits.substr(0, 2)) + (born_from_2000_ ? 2000 : 1900);
    auto const month = number(digits.substr(2, 2)) % 20;
    auto const day = number(digits.substr(4, 2));
    // 000001, 002001, 004001 and what counts on from them: of whom nothing is known, not even the year.
    if (number(digits.substr(0, 2)) == 0 && month == 0 && day != 0) return true;
    // Who was born before 1900 has digits that stand for two centuries.
    auto const born = static_cast<std::uint64_t>(static_cast<int>(birth.year()));
    if (born >= 1900 ? born != year : (born_from_2000_ || born % 100 != year % 100)) return false;
    if (month == 0) return true; // the day only counts
    if (month != static_cast<unsigned>(birth.month())) return false;
    return day == 0 || day == static_cast<unsigned>(birth.day());
}

} // namespace symbolon::enrolment

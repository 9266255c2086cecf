#include "enrolment/national_number.hpp"

#include <gtest/gtest.h>

#include <string>

namespace symbolon::enrolment {
namespace {

using namespace std::chrono;

std::string number(std::string_view digits)
{
    auto const parsed = NationalNumber::parse(digits);
    if (!parsed) return "refused";
    return std::string{parsed->born_from_2000() ? "20.." : "19.."} + (parsed->is_bis() ? " bis" : "");
}

TEST(NationalNumber, tells_the_century_by_its_check_digits)
{
    EXPECT_EQ(number("85073000160"), "19..");
    EXPECT_EQ(number("03061500171"), "20..");
    EXPECT_EQ(number("03061500142"), "19..");
    EXPECT_EQ(number("71000000135"), "19..") << "month and day not known";
    EXPECT_EQ(number("85473000149"), "19.. bis") << "the month raised by 40";
    EXPECT_EQ(number("85273000106"), "19.. bis") << "the month raised by 20";
}

TEST(NationalNumber, is_refused_when_it_cannot_be_one)
{
    for (auto const* const digits : {"", "8507300016", "850730001600", "85073000161", "85.07.30-001.60", "8507300016a",
                                     "85133000100", "99999999999", "00000000000", "00000000097"})
        EXPECT_EQ(number(digits), "refused") << digits;
}

TEST(NationalNumber, belongs_to_the_birth_date_that_it_says_as_far_as_it_says_one)
{
    auto const fits = [](std::string_view digits, year_month_day birth) {
        return NationalNumber::parse(digits).value().may_be_of(birth);
    };
    EXPECT_TRUE(fits("85073000160", 1985y / 7 / 30));
    EXPECT_FALSE(fits("85073000160", 1985y / 7 / 31));
    EXPECT_FALSE(fits("85073000160", 1985y / 8 / 30));
    EXPECT_FALSE(fits("85073000160", 1986y / 7 / 30));
    EXPECT_TRUE(fits("03061500171", 2003y / 6 / 15));
    EXPECT_FALSE(fits("03061500171", 1903y / 6 / 15)) << "its check digits say 20..";
    EXPECT_FALSE(fits("03061500142", 2003y / 6 / 15)) << "its check digits say 19..";
    EXPECT_TRUE(fits("71000000135", 1971y / 5 / 3)) << "month and day not known";
    EXPECT_FALSE(fits("71000000135", 1972y / 5 / 3));
    EXPECT_TRUE(fits("85473000149", 1985y / 7 / 30)) << "the month raised by 40";
    EXPECT_TRUE(fits("85273000106", 1985y / 7 / 30)) << "the month raised by 20";
}

} // namespace
} // namespace symbolon::enrolment

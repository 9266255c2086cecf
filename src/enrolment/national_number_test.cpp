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
    return parsed->born_from_2000() ? "20.." : "19..";
}

TEST(NationalNumber, tells_the_century_by_its_check_digits)
{
    EXPECT_EQ(number("85073000160"), "19..");
    EXPECT_EQ(number("03061500171"), "20..");
    EXPECT_EQ(number("03061500142"), "19..");
    EXPECT_EQ(number("71000000135"), "19..") << "month and day not known";
    EXPECT_EQ(number("85473000149"), "19..") << "the month raised by 40";
    EXPECT_EQ(number("85273000106"), "19..") << "the month raised by 20";
}

TEST(NationalNumber, counts_on_in_its_day_where_the_serial_numbers_are_used_up)
{
    for (auto const* const digits : {"10000100182", "10200100128", "10400100171", "00003241778", "24203200171"})
        EXPECT_NE(number(digits), "refused") << digits;
}

TEST(NationalNumber, is_refused_when_it_cannot_be_one)
{
    for (auto const* const digits :
         {"", "8507300016", "850730001600", "85073000161", "85.07.30-001.60", "8507300016a", "85133000100",
          "99999999999", "85073200197", "85273200143", "85473200118", "00000000000", "00000000097"})
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
    EXPECT_TRUE(fits("71000200172", 1971y / 5 / 3)) << "the day counts on, and says nothing";
    EXPECT_FALSE(fits("71000200172", 1972y / 5 / 3));
    EXPECT_TRUE(fits("24203200171", 1924y / 2 / 29));
    EXPECT_FALSE(fits("24203200171", 2024y / 2 / 29)) << "its check digits say 19..";
    EXPECT_TRUE(fits("85473000149", 1985y / 7 / 30)) << "the month raised by 40";
    EXPECT_TRUE(fits("85273000106", 1985y / 7 / 30)) << "the month raised by 20";
}

TEST(NationalNumber, of_whom_nothing_is_known_says_nothing_of_the_year_either)
{
    auto const fits = [](std::string_view digits, year_month_day birth) {
        return NationalNumber::parse(digits).value().may_be_of(birth);
    };
    for (auto const* const digits : {"00000100166", "00200100112", "00400100155", "00003200109", "00003241778"}) {
        EXPECT_TRUE(fits(digits, 1971y / 5 / 3)) << digits;
        EXPECT_TRUE(fits(digits, 2003y / 6 / 15)) << digits;
    }
    EXPECT_TRUE(fits("00000000128", 2000y / 5 / 3)) << "born in 2000, month and day not known";
    EXPECT_FALSE(fits("00000000128", 1971y / 5 / 3));
    EXPECT_TRUE(fits("00070000177", 2000y / 7 / 1)) << "a month is known, and the year with it";
    EXPECT_FALSE(fits("00070000177", 2001y / 7 / 1));
    EXPECT_FALSE(fits("00070000177", 2000y / 8 / 1));
    EXPECT_FALSE(fits("00071200108", 2001y / 7 / 12));
}

} // namespace
} // namespace symbolon::enrolment

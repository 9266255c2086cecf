#include "base/brussels.hpp"
#include "enrolment/age.hpp"

#include <gtest/gtest.h>

#include <string>

namespace symbolon::enrolment {
namespace {

using namespace std::chrono;
using enum SignatureCertificateState;

constexpr year_month_day today = 2026y / 11 / 22;

Birth born(year_month_day day) { return {day, day}; }

std::string verdict(Birth birth, SignatureCertificateState signature)
{
    auto const result = may_enrol_by_card(birth, signature, today, Limits{});
    return result ? "accepted" : std::string{name_of(result.error().outcome)};
}

TEST(Age, C1_under_16_is_refused_whatever_the_certificates_are)
{
    EXPECT_EQ(verdict(born(2010y / 11 / 23), missing), "too_young") << "16 tomorrow";
    EXPECT_EQ(verdict(born(2010y / 11 / 23), active), "too_young");
    EXPECT_EQ(verdict(born(2026y / 11 / 22), missing), "too_young");
}

TEST(Age, C1_tells_from_when_it_is_possible)
{
    auto const opens = [](year_month_day day) {
        return may_enrol_by_card(born(day), missing, today, Limits{}).error().open_at;
    };
    EXPECT_EQ(opens(2010y / 11 / 23), start_of_day_in_brussels(2026y / 11 / 23));
    EXPECT_EQ(opens(2012y / 2 / 29), start_of_day_in_brussels(2028y / 2 / 29));
    EXPECT_EQ(reaches(2012y / 2 / 29, years{18}), 2030y / 3 / 1);
}

TEST(Age, C2_with_16_and_17_the_card_points_to_the_bank)
{
    EXPECT_EQ(verdict(born(2010y / 11 / 22), missing), "minor_needs_bank") << "16 today";
    EXPECT_EQ(verdict(born(2008y / 11 / 23), missing), "minor_needs_bank") << "18 tomorrow";
    EXPECT_EQ(verdict(born(2008y / 11 / 23), active), "minor_needs_bank");
}

TEST(Age, C3_from_18_the_signature_certificate_must_be_active)
{
    EXPECT_EQ(verdict(born(2008y / 11 / 22), active), "accepted") << "18 today";
    EXPECT_EQ(verdict(born(2008y / 11 / 22), missing), "signature_certificate_missing");
    EXPECT_EQ(verdict(born(2008y / 11 / 22), on_hold), "certificate_suspended");
    EXPECT_EQ(verdict(born(1931y / 1 / 1), active), "accepted");
}

TEST(Age, is_not_guessed_where_the_unknown_part_of_the_birth_date_decides)
{
    EXPECT_EQ(verdict({1971y / 1 / 1, 1971y / 12 / 31}, active), "accepted");
    EXPECT_EQ(verdict({2008y / 1 / 1, 2008y / 12 / 31}, active), "birth_date_unknown");
    EXPECT_EQ(verdict({2010y / 1 / 1, 2010y / 12 / 31}, active), "birth_date_unknown");
    EXPECT_EQ(verdict({2009y / 1 / 1, 2009y / 12 / 31}, active), "minor_needs_bank");
    EXPECT_EQ(verdict({2011y / 1 / 1, 2011y / 12 / 31}, active), "too_young");
}

} // namespace
} // namespace symbolon::enrolment

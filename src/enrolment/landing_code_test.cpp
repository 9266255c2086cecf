#include "enrolment/landing_code.hpp"

#include <gtest/gtest.h>

namespace symbolon::enrolment {
namespace {

constexpr Instant noon{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} + 12h};
Limits const limits;
Bytes const right(32, 1);
Bytes const wrong(32, 2);

Enrolment landed()
{
    Enrolment enrolment;
    enrolment.state = State::landed;
    enrolment.expires_at = noon + limits.enrolment_lifetime;
    enrolment.ticket_expires_at = noon + limits.bank_visit_lifetime;
    enrolment.landing_code_hash = right;
    enrolment.person.emplace();
    enrolment.moves = AccountId{"a"};
    return enrolment;
}

TEST(LandingCode, leads_to_the_sms_code)
{
    auto const judged = judge_landing_code(landed(), right, noon + 10min - 1s, limits);
    EXPECT_FALSE(judged.failure);
    EXPECT_EQ(judged.enrolment.state, State::sms);
    EXPECT_FALSE(judge_landing_code(judged.enrolment, right, noon + 1min, limits).failure) << "the answer was lost";
    EXPECT_EQ(judge_landing_code(judged.enrolment, wrong, noon, limits).failure->outcome,
              Outcome::enrolment_step_wrong);
}

TEST(LandingCode, guessed_three_times_makes_the_visit_one_for_nothing)
{
    auto enrolment = landed();
    for (int const left : {2, 1}) {
        auto const judged = judge_landing_code(enrolment, wrong, noon, limits);
        EXPECT_EQ(judged.failure->outcome, Outcome::landing_code_wrong);
        EXPECT_EQ(judged.failure->tries_left, left);
        enrolment = judged.enrolment;
    }
    auto const last = judge_landing_code(enrolment, wrong, noon, limits);
    EXPECT_EQ(last.failure->outcome, Outcome::tries_used_up);
    EXPECT_EQ(last.enrolment.state, State::bank);
    EXPECT_EQ(last.enrolment.outcome, Outcome::tries_used_up);
    EXPECT_FALSE(last.enrolment.person || last.enrolment.moves);
    EXPECT_EQ(judge_landing_code(last.enrolment, right, noon, limits).failure->outcome, Outcome::enrolment_step_wrong);
}

TEST(LandingCode, comes_too_late_after_ten_minutes)
{
    auto const late = judge_landing_code(landed(), right, noon + 10min, limits);
    EXPECT_EQ(late.failure->outcome, Outcome::bank_visit_expired);
    EXPECT_EQ(late.enrolment.state, State::bank);
    EXPECT_FALSE(late.enrolment.person);
}

TEST(LandingCode, counts_for_nothing_where_nothing_landed)
{
    for (auto const state : {State::bank, State::token, State::code, State::done}) {
        auto enrolment = landed();
        enrolment.state = state;
        EXPECT_EQ(judge_landing_code(enrolment, right, noon, limits).failure->outcome, Outcome::enrolment_step_wrong);
        enrolment.landing_code_hash.clear();
        EXPECT_EQ(judge_landing_code(enrolment, {}, noon, limits).failure->outcome, Outcome::enrolment_step_wrong);
    }
    auto enrolment = landed();
    enrolment.landing_code_hash.clear();
    EXPECT_EQ(judge_landing_code(enrolment, {}, noon, limits).failure->outcome, Outcome::landing_code_wrong);
    EXPECT_EQ(judge_landing_code(landed(), right, noon + 24h, limits).failure->outcome, Outcome::enrolment_expired);
}

TEST(LandingCode, is_six_digits_however_they_are_spaced)
{
    EXPECT_EQ(landing_code(42), "000042");
    EXPECT_EQ(parse_landing_code(" 000 042 ").value(), "000042");
    for (auto const* typed : {"", "00042", "0000042", "00004x", "000-042"})
        EXPECT_EQ(parse_landing_code(typed).error().outcome, Outcome::landing_code_wrong) << typed;
    EXPECT_FALSE(parse_landing_code("00004x").error().tries_left) << "what can't be a code is no try";
}

} // namespace
} // namespace symbolon::enrolment

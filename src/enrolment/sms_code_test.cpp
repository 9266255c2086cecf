#include "enrolment/sms_code.hpp"
#include "enrolment/steps.hpp"

#include <gtest/gtest.h>

namespace symbolon::enrolment {
namespace {

constexpr Instant noon{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} + 12h};
Limits const limits;
Bytes const right(32, 1);
Bytes const wrong(32, 2);

Enrolment at_sms()
{
    Enrolment enrolment;
    enrolment.state = State::sms;
    enrolment.created_at = noon;
    enrolment.expires_at = noon + limits.enrolment_lifetime;
    return enrolment;
}

Enrolment sent(Instant at = noon) { return send_sms_code(at_sms(), right, at, limits).value(); }

TEST(SmsCode, has_six_digits)
{
    EXPECT_EQ(sms_code(0), "000000");
    EXPECT_EQ(sms_code(42), "000042");
    EXPECT_EQ(sms_code(999'999), "999999");
}

TEST(SmsCode, is_read_with_spaces_and_nothing_else)
{
    EXPECT_EQ(parse_sms_code("123 456").value(), "123456");
    for (std::string const typed : {"", "12345", "1234567", "12345a", "１２３４５６", "-12345", "1234 5 6 7"})
        EXPECT_FALSE(parse_sms_code(typed)) << typed;
    EXPECT_FALSE(parse_sms_code(std::string(100'000, '1')));
}

TEST(SmsCode, A4_opens_the_step_of_the_code)
{
    auto const judged = judge_sms_code(sent(), right, noon + 1s, limits);
    EXPECT_FALSE(judged.failure);
    EXPECT_EQ(judged.enrolment.state, State::code);
    // The answer may be lost: the same again succeeds, another does not.
    EXPECT_FALSE(judge_sms_code(judged.enrolment, right, noon + 2s, limits).failure);
    EXPECT_EQ(judge_sms_code(judged.enrolment, wrong, noon + 2s, limits).failure->outcome,
              Outcome::enrolment_step_wrong);
}

TEST(SmsCode, A5_wrong_says_how_many_tries_are_left_and_then_when_the_next_is_possible)
{
    auto first = judge_sms_code(sent(), wrong, noon + 1s, limits);
    EXPECT_EQ(first.failure->outcome, Outcome::sms_code_wrong);
    EXPECT_EQ(first.failure->tries_left, 2);
    auto second = judge_sms_code(first.enrolment, wrong, noon + 2s, limits);
    EXPECT_EQ(second.failure->tries_left, 1);
    auto third = judge_sms_code(second.enrolment, wrong, noon + 3s, limits);
    EXPECT_EQ(third.failure->outcome, Outcome::tries_used_up);
    EXPECT_EQ(third.failure->open_at, noon + 30s);

    EXPECT_EQ(judge_sms_code(third.enrolment, right, noon + 4s, limits).failure->outcome, Outcome::tries_used_up);
    auto const resent = send_sms_code(third.enrolment, right, noon + 30s, limits);
    ASSERT_TRUE(resent);
    EXPECT_FALSE(judge_sms_code(*resent, right, noon + 31s, limits).failure);
}

TEST(SmsCode, A5_is_sent_again_after_a_countdown_and_three_times_in_20_minutes)
{
    auto enrolment = sent();
    EXPECT_EQ(sms_again_at(enrolment, limits), noon + 30s);
    auto const soon = send_sms_code(enrolment, right, noon + 29s, limits);
    EXPECT_EQ(soon.error().outcome, Outcome::sms_too_soon);
    EXPECT_EQ(soon.error().open_at, noon + 30s);

    enrolment = send_sms_code(enrolment, right, noon + 30s, limits).value();
    enrolment = send_sms_code(enrolment, right, noon + 60s, limits).value();
    EXPECT_EQ(sms_again_at(enrolment, limits), noon + 20min);
    auto const fourth = send_sms_code(enrolment, right, noon + 90s, limits);
    EXPECT_EQ(fourth.error().outcome, Outcome::tries_used_up);
    EXPECT_EQ(fourth.error().open_at, noon + 20min);
    EXPECT_TRUE(send_sms_code(enrolment, right, noon + 20min, limits));
}

TEST(SmsCode, is_no_longer_good_once_another_was_sent)
{
    Bytes const other(32, 3);
    auto const enrolment = send_sms_code(sent(), other, noon + 1min, limits).value();
    EXPECT_EQ(judge_sms_code(enrolment, right, noon + 1min, limits).failure->outcome, Outcome::sms_code_wrong);
    EXPECT_FALSE(judge_sms_code(enrolment, other, noon + 1min, limits).failure);
}

TEST(SmsCode, ends_after_ten_minutes)
{
    EXPECT_FALSE(judge_sms_code(sent(), right, noon + 10min - 1s, limits).failure);
    EXPECT_EQ(judge_sms_code(sent(), right, noon + 10min, limits).failure->outcome, Outcome::sms_code_expired);
}

TEST(SmsCode, that_was_never_sent_fits_nothing)
{
    EXPECT_TRUE(judge_sms_code(at_sms(), {}, noon, limits).failure);
    auto enrolment = sent();
    enrolment.state = State::token;
    EXPECT_EQ(judge_sms_code(enrolment, right, noon, limits).failure->outcome, Outcome::enrolment_step_wrong);
    EXPECT_EQ(send_sms_code(enrolment, right, noon, limits).error().outcome, Outcome::enrolment_step_wrong);
}

} // namespace
} // namespace symbolon::enrolment

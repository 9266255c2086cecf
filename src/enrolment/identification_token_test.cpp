#include "enrolment/identification_token.hpp"
#include "enrolment/steps.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace symbolon::enrolment {
namespace {

constexpr Instant noon{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} + 12h};
Limits const limits;
Bytes const right(32, 1);
Bytes const wrong(32, 2);

std::string token_of_seed(unsigned seed)
{
    std::mt19937 engine{seed};
    return identification_token([&](std::uint32_t) {
        Bytes bytes(32);
        for (auto& byte : bytes) byte = static_cast<Byte>(engine() >> 24U);
        return bytes;
    });
}

Enrolment waiting()
{
    Enrolment enrolment;
    enrolment.state = State::token;
    enrolment.created_at = noon;
    enrolment.expires_at = noon + limits.enrolment_lifetime;
    return give_token(enrolment, right, noon, limits).value();
}

TEST(IdentificationToken, has_eight_signs_and_every_kind_and_no_look_alikes)
{
    for (unsigned seed = 0; seed < 500; ++seed) {
        auto const token = token_of_seed(seed);
        ASSERT_EQ(token.size(), 8U);
        EXPECT_EQ(token.find_first_of("0Oo1lIi"), std::string::npos) << token;
        EXPECT_EQ(token.find_first_not_of(token_signs), std::string::npos) << token;
        EXPECT_NE(token.find_first_of("ABCDEFGHJKLMNPQRSTUVWXYZ"), std::string::npos) << token;
        EXPECT_NE(token.find_first_of("abdefghjkmnpqrtwy"), std::string::npos) << token;
        EXPECT_NE(token.find_first_of("+-*?=#"), std::string::npos) << token;
    }
}

TEST(IdentificationToken, is_one_of_more_than_2_to_the_45)
{
    auto const words = [](int without) { return std::pow(static_cast<double>(token_signs.size()) - without, 8); };
    // All words, without those that lack a kind (inclusion and exclusion): 24 capitals, 17 small letters, 6 others.
    auto const count = words(0) - words(24) - words(17) - words(6) + words(41) + words(30) + words(23) - words(47);
    EXPECT_GT(std::log2(count), 45.0);
}

TEST(IdentificationToken, is_the_same_for_the_same_stream)
{
    EXPECT_EQ(token_of_seed(7), token_of_seed(7));
    EXPECT_NE(token_of_seed(7), token_of_seed(8));
}

TEST(IdentificationToken, uses_every_sign_about_equally)
{
    std::map<char, int> seen;
    for (unsigned seed = 0; seed < 4000; ++seed)
        for (auto const c : token_of_seed(seed)) ++seen[c];
    EXPECT_EQ(seen.size(), token_signs.size());
    for (auto const letter : std::string_view{"ABCDEFGHJKLMNPQRSTUVWXYZ"}) {
        EXPECT_GT(seen[letter], 400) << letter;
        EXPECT_LT(seen[letter], 720) << letter;
    }
}

TEST(IdentificationToken, A4_opens_the_step_of_the_sms_code)
{
    auto const judged = judge_token(waiting(), right, noon + 1s, limits);
    EXPECT_FALSE(judged.failure);
    EXPECT_EQ(judged.enrolment.state, State::sms);
}

TEST(IdentificationToken, A5_wrong_says_how_many_tries_are_left_and_then_when_it_opens_again)
{
    auto enrolment = waiting();
    for (auto const left : {4, 3, 2, 1}) {
        auto const judged = judge_token(enrolment, wrong, noon, limits);
        ASSERT_TRUE(judged.failure);
        EXPECT_EQ(judged.failure->outcome, Outcome::identification_token_wrong);
        EXPECT_EQ(judged.failure->tries_left, left);
        EXPECT_EQ(judged.enrolment.state, State::token);
        enrolment = judged.enrolment;
    }
    auto const last = judge_token(enrolment, wrong, noon, limits);
    EXPECT_EQ(last.failure->outcome, Outcome::tries_used_up);
    EXPECT_EQ(last.failure->open_at, noon + 20min);

    // The right one waits too, and trying makes nothing worse.
    auto const early = judge_token(last.enrolment, right, noon + 19min, limits);
    EXPECT_EQ(early.failure->outcome, Outcome::tries_used_up);
    EXPECT_EQ(early.failure->open_at, noon + 20min);
    EXPECT_FALSE(judge_token(early.enrolment, right, noon + 20min, limits).failure);
}

TEST(IdentificationToken, gives_five_new_tries_after_the_wait)
{
    auto enrolment = waiting();
    for (int i = 0; i < 5; ++i) enrolment = judge_token(enrolment, wrong, noon, limits).enrolment;
    auto const again = judge_token(enrolment, wrong, noon + 20min, limits);
    EXPECT_EQ(again.failure->tries_left, 4);
}

TEST(IdentificationToken, fresh_one_is_no_way_around_the_wait)
{
    auto enrolment = waiting();
    for (int i = 0; i < 4; ++i) enrolment = judge_token(enrolment, wrong, noon, limits).enrolment;
    enrolment = give_token(enrolment, right, noon, limits).value();
    enrolment = judge_token(enrolment, wrong, noon, limits).enrolment;
    EXPECT_EQ(give_token(enrolment, right, noon, limits).error().outcome, Outcome::tries_used_up);
    EXPECT_EQ(give_token(enrolment, right, noon + 20min, limits)->token_generation, 3);
}

TEST(IdentificationToken, ends_after_30_minutes_and_then_only_the_right_one_learns_it)
{
    EXPECT_EQ(judge_token(waiting(), right, noon + 30min, limits).failure->outcome,
              Outcome::identification_token_expired);
    EXPECT_EQ(judge_token(waiting(), wrong, noon + 30min, limits).failure->outcome,
              Outcome::identification_token_wrong);
    EXPECT_FALSE(judge_token(waiting(), right, noon + 30min - 1s, limits).failure);
}

TEST(IdentificationToken, never_fits_an_enrolment_that_has_none)
{
    auto enrolment = waiting();
    enrolment.token_hash.clear();
    EXPECT_EQ(judge_token(enrolment, {}, noon + 1h, limits).failure->outcome, Outcome::identification_token_expired);
    for (auto const state : {State::card, State::review, State::sign, State::done}) {
        enrolment.state = state;
        EXPECT_EQ(judge_token(enrolment, right, noon, limits).failure->outcome, Outcome::enrolment_step_wrong);
        EXPECT_EQ(give_token(enrolment, right, noon, limits).error().outcome, Outcome::enrolment_step_wrong);
    }
}

} // namespace
} // namespace symbolon::enrolment

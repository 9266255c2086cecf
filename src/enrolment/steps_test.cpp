#include "enrolment/steps.hpp"

#include <gtest/gtest.h>

namespace symbolon::enrolment {
namespace {

constexpr Instant noon{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} + 12h};
Limits const limits;
Bytes const ticket(32, 1);
Bytes const session(32, 2);

Enrolment in(State state)
{
    Enrolment enrolment;
    enrolment.state = state;
    enrolment.created_at = noon;
    enrolment.expires_at = noon + limits.enrolment_lifetime;
    enrolment.bound_at = noon;
    return enrolment;
}

TEST(Enrolment, lives_for_24_hours)
{
    EXPECT_TRUE(check_open(in(State::card), noon + 24h - 1s));
    EXPECT_EQ(check_open(in(State::card), noon + 24h).error().outcome, Outcome::enrolment_expired);
    EXPECT_EQ(cancel(in(State::card), Outcome::cancelled, noon + 24h).error().outcome, Outcome::enrolment_expired);
}

TEST(Enrolment, that_ended_says_why)
{
    auto const ended = cancel(in(State::review), Outcome::cancelled, noon).value();
    EXPECT_EQ(ended.state, State::ended);
    EXPECT_EQ(check_open(ended, noon).error().outcome, Outcome::cancelled);
    EXPECT_EQ(cancel(in(State::done), Outcome::cancelled, noon).error().outcome, Outcome::enrolment_step_wrong);
}

TEST(ReaderLink, opens_once_and_within_ten_minutes)
{
    auto const linked = give_link(in(State::card), ticket, noon, limits).value();
    auto const opened = open_link(linked, session, Bytes(48), noon + 10min - 1s, limits).value();
    EXPECT_EQ(opened.challenge_expires_at, noon + 10min - 1s + 5min);
    EXPECT_EQ(open_link(opened, session, {}, noon + 1min, limits).error().outcome, Outcome::ticket_used);
    EXPECT_EQ(open_link(linked, session, {}, noon + 10min, limits).error().outcome, Outcome::ticket_expired);
    EXPECT_EQ(check_reader_session(opened, noon + 10min).error().outcome, Outcome::ticket_expired);
}

TEST(ReaderLink, takes_the_place_of_the_one_before)
{
    auto const first = give_link(in(State::card), ticket, noon, limits).value();
    auto const opened = open_link(first, session, Bytes(48), noon, limits).value();
    auto const second = give_link(opened, Bytes(32, 9), noon + 1min, limits).value();
    EXPECT_TRUE(second.reader_session_hash.empty());
    EXPECT_TRUE(second.challenge.empty());
    for (auto const state : {State::review, State::token, State::sms, State::code, State::done})
        EXPECT_EQ(give_link(in(state), ticket, noon, limits).error().outcome, Outcome::enrolment_step_wrong);
}

TEST(ReaderLink, failure_leaves_the_step_as_it_was)
{
    auto linked = give_link(in(State::card), ticket, noon, limits).value();
    linked.email = "a@b.be";
    auto const failed = reader_failed(linked, Failure{Outcome::certificate_revoked, {}, {}, {}, {}});
    EXPECT_EQ(failed.state, State::card);
    EXPECT_EQ(failed.email, "a@b.be");
    EXPECT_EQ(failed.outcome, Outcome::certificate_revoked);
    EXPECT_TRUE(failed.ticket_hash.empty());
}

TEST(Undo, is_possible_for_30_minutes_and_once)
{
    EXPECT_TRUE(can_undo(in(State::done), noon + 30min - 1s, limits));
    EXPECT_FALSE(can_undo(in(State::done), noon + 30min, limits));
    EXPECT_FALSE(can_undo(in(State::code), noon, limits));
    auto const undone = undo(in(State::done), noon + 1min, limits).value();
    EXPECT_EQ(undone.state, State::undone);
    EXPECT_EQ(undo(undone, noon + 1min, limits).error().outcome, Outcome::enrolment_undone);
    EXPECT_EQ(check_open(undone, noon).error().outcome, Outcome::enrolment_undone);
}

TEST(Phone, is_bound_only_after_the_sms_code)
{
    for (auto const state : {State::card, State::review, State::sign, State::token, State::sms, State::done})
        EXPECT_EQ(bind_phone(in(state), AccountId{"a"}, DeviceId{"d"}, "phone", noon).error().outcome,
                  Outcome::enrolment_step_wrong);
    auto const bound = bind_phone(in(State::code), AccountId{"a"}, DeviceId{"d"}, "phone", noon).value();
    EXPECT_EQ(bound.state, State::done);
    EXPECT_EQ(bound.device, DeviceId{"d"});
}

TEST(Moves, are_the_only_ways)
{
    for (auto const from : {State::done, State::ended, State::undone})
        for (auto const event : {Event::card_read, Event::contract_fixed, Event::contract_signed, Event::token_given,
                                 Event::sms_given, Event::phone_bound, Event::end, Event::read_again})
            EXPECT_FALSE(next(from, event));
}

} // namespace
} // namespace symbolon::enrolment

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

// ---- through a bank
// --------------------------------------------------------------------------------------------------

Bytes const visit_state(32, 3);
Bytes const landing_hash(32, 4);

BankDoor door() { return {"kbc", visit_state, Bytes(32, 5), "nonce", "verifier"}; }

Enrolment visiting() { return open_bank_visit(in(State::bank), door(), noon, limits).value(); }

BankFindings findings()
{
    BankFindings it;
    it.person.family_name = "Janssens";
    it.person.national_number = "85073003328";
    it.source.kind = account::Source::Kind::bank;
    it.source.bank = "kbc";
    return it;
}

account::Account known()
{
    account::Account it;
    it.id = AccountId{"a"};
    it.device = DeviceId{"d"};
    it.phone_number = account::PhoneNumber{"+32470123456"};
    return it;
}

Enrolment landed()
{
    auto const taken = take_bank_visit(visiting(), visit_state, noon).value();
    return bank_accepted(taken, findings(), known(), landing_hash, noon, limits).value();
}

TEST(BankVisit, comes_back_once_and_names_the_visit_that_it_was)
{
    auto const taken = take_bank_visit(visiting(), visit_state, noon + 1min).value();
    EXPECT_TRUE(taken.ticket_hash.empty() && taken.bank_nonce.empty() && taken.bank_verifier.empty());
    EXPECT_EQ(taken.bank, "kbc");
    EXPECT_EQ(take_bank_visit(taken, visit_state, noon).error().outcome, Outcome::bank_visit_unknown);
    EXPECT_EQ(take_bank_visit(taken, {}, noon).error().outcome, Outcome::bank_visit_unknown) << "nor does nothing";
    EXPECT_EQ(take_bank_visit(visiting(), Bytes(32, 9), noon).error().outcome, Outcome::bank_visit_unknown);
    EXPECT_TRUE(check_bank_visit(taken, taken.ticket_generation, noon));
}

TEST(BankVisit, takes_the_place_of_the_one_before_and_of_an_answer_that_is_on_its_way)
{
    auto const taken = take_bank_visit(visiting(), visit_state, noon).value();
    auto const next = open_bank_visit(taken, door(), noon, limits).value();
    EXPECT_EQ(check_bank_visit(next, taken.ticket_generation, noon).error().outcome, Outcome::bank_visit_unknown);
    auto const left = close_bank_visit(taken, noon).value();
    EXPECT_EQ(check_bank_visit(left, taken.ticket_generation, noon).error().outcome, Outcome::bank_visit_unknown);
    EXPECT_EQ(check_bank_visit(taken, taken.ticket_generation, noon + 24h).error().outcome, Outcome::enrolment_expired);
}

TEST(BankVisit, begins_in_the_choice_of_bank_alone)
{
    for (auto const state :
         {State::card, State::review, State::sign, State::token, State::sms, State::code, State::done, State::landed}) {
        EXPECT_EQ(open_bank_visit(in(state), door(), noon, limits).error().outcome, Outcome::enrolment_step_wrong);
        EXPECT_EQ(close_bank_visit(in(state), noon).error().outcome, Outcome::enrolment_step_wrong);
    }
}

TEST(BankVisit, card_ticket_is_no_state_of_a_visit)
{
    auto const linked = give_link(in(State::card), ticket, noon, limits).value();
    EXPECT_EQ(take_bank_visit(linked, ticket, noon).error().outcome, Outcome::bank_visit_unknown);
    EXPECT_EQ(open_link(visiting(), session, Bytes(48), noon, limits).error().outcome, Outcome::enrolment_step_wrong)
        << "nor the other way round";
}

TEST(BankVisit, that_failed_says_why_until_the_next_one_begins)
{
    auto const failed =
        bank_failed(visiting(), fail_about(Outcome::bank_data_outdated, {"address", "document_number"}).error());
    EXPECT_EQ(failed.state, State::bank);
    EXPECT_EQ(failed.outcome, Outcome::bank_data_outdated);
    EXPECT_EQ(failed.outcome_fields, (std::vector<std::string>{"address", "document_number"}));
    EXPECT_EQ(close_bank_visit(failed, noon).value().outcome, Outcome::bank_data_outdated);
    auto const next = open_bank_visit(failed, door(), noon, limits).value();
    EXPECT_FALSE(next.outcome);
    EXPECT_TRUE(next.outcome_fields.empty());
}

TEST(BankVisit, that_failed_in_another_browser_tells_the_app_nothing_of_the_person)
{
    for (auto const of_the_person : {Outcome::too_young, Outcome::bank_data_outdated, Outcome::bank_not_for_minors,
                                     Outcome::bank_phone_number_differs, Outcome::new_number_needs_card,
                                     Outcome::other_source_than_enrolled, Outcome::national_number_invalid}) {
        auto const told = told_elsewhere(Failure{of_the_person, {}, {}, {}, noon, {"address"}});
        EXPECT_EQ(told.outcome, Outcome::bank_ended_elsewhere) << name_of(of_the_person);
        EXPECT_FALSE(told.open_at);
        EXPECT_TRUE(told.fields.empty());
    }
    EXPECT_EQ(told_elsewhere(fail(Outcome::bank_cancelled).error()).outcome, Outcome::bank_cancelled);
}

TEST(BankAnswer, waits_for_the_landing_code_only_where_another_browser_came_back)
{
    auto const here = bank_accepted(visiting(), findings(), std::nullopt, {}, noon, limits).value();
    EXPECT_EQ(here.state, State::sms);
    EXPECT_TRUE(goes_through_bank(here));
    EXPECT_FALSE(here.moves);
    auto const elsewhere = landed();
    EXPECT_EQ(elsewhere.state, State::landed);
    EXPECT_EQ(elsewhere.moves, AccountId{"a"});
    EXPECT_EQ(elsewhere.moves_from, DeviceId{"d"});
    EXPECT_EQ(bank_accepted(here, findings(), std::nullopt, {}, noon, limits).error().outcome,
              Outcome::enrolment_step_wrong);
}

TEST(BankAnswer, given_up_leaves_nothing_of_the_person)
{
    auto it = landed();
    it.sms_code_hash = Bytes(32, 8);
    for (auto const state : {State::landed, State::sms, State::code}) {
        it.state = state;
        auto const again = identify_again(it, fail(Outcome::moved_meanwhile).error(), noon).value();
        EXPECT_EQ(again.state, State::bank);
        EXPECT_FALSE(again.person || again.moves || again.moves_from);
        EXPECT_TRUE(again.landing_code_hash.empty() && again.number_before.empty());
        EXPECT_EQ(again.outcome, Outcome::moved_meanwhile);
        EXPECT_EQ(again.sms_code_hash, Bytes(32, 8)) << "the number is the same";
    }
    EXPECT_FALSE(identify_again(it, std::nullopt, noon).value().outcome);
    for (auto const state : {State::card, State::token, State::sms, State::code, State::done})
        EXPECT_EQ(identify_again(in(state), std::nullopt, noon).error().outcome, Outcome::enrolment_step_wrong);
}

TEST(BankAnswer, E3_counts_no_longer_when_the_account_got_another_number_meanwhile)
{
    auto it = landed();
    it.phone_number = known().phone_number;
    auto now = known();
    EXPECT_TRUE(check_moves(it, now));
    now.phone_number = account::PhoneNumber{"+32470999999"};
    EXPECT_EQ(check_moves(it, now).error().outcome, Outcome::new_number_needs_card);
    now.device = DeviceId{"other"};
    EXPECT_EQ(check_moves(it, now).error().outcome, Outcome::moved_meanwhile);
    it.source.kind = account::Source::Kind::card;
    it.state = State::code;
    now.device = DeviceId{"d"};
    EXPECT_TRUE(check_moves(it, now)) << "the card brings a number along";
}

TEST(BankAnswer, keeps_what_a_bank_does_not_ask_for)
{
    auto before = known();
    before.email = "jan@mail.example";
    before.location_consent = true;
    before.contract = ContractId{"c"};
    auto it = landed();
    auto const after = account::moved(before, account_of(it, before.id, DeviceId{"e"}, noon)).value();
    EXPECT_EQ(after.email, "jan@mail.example");
    EXPECT_TRUE(after.location_consent);
    EXPECT_EQ(after.contract, ContractId{"c"});
    EXPECT_EQ(after.source.bank, "kbc");
    it.source = {};
    it.email = "new@mail.example";
    EXPECT_EQ(account::moved(before, account_of(it, before.id, DeviceId{"e"}, noon))->email, "new@mail.example");
}

TEST(Number, E10_of_another_account_is_told_once_its_code_was_typed_and_not_before)
{
    account::Account other;
    other.id = AccountId{"other"};
    account::Account own;
    own.id = AccountId{"own"};
    auto it = in(State::code);
    EXPECT_TRUE(takes_number(it, &other));
    EXPECT_FALSE(takes_number(it, nullptr)) << "a number that nobody has";
    it.moves = own.id;
    EXPECT_TRUE(takes_number(it, &other));
    EXPECT_FALSE(takes_number(it, &own)) << "one's own, that moves with the account";
    for (auto const state : {State::card, State::review, State::sign, State::token, State::sms, State::bank,
                             State::landed, State::done, State::ended, State::undone})
        EXPECT_FALSE(takes_number(in(state), &other)) << static_cast<int>(state);
}

// ---- the card through Web eID

account::Account known_account()
{
    account::Account known;
    known.id = AccountId{"a"};
    known.device = DeviceId{"phone"};
    known.contract = ContractId{"contract"};
    known.person.national_number = "85073000160";
    known.person.family_name = "Janssens";
    known.person.birth_date = "1985-07-30";
    known.source.kind = account::Source::Kind::card;
    known.source.evidence = "{}";
    return known;
}

TEST(WebEid, nonce_is_good_once_and_for_five_minutes)
{
    auto const asked = give_web_eid_nonce(in(State::card), "nonce", noon, limits).value();
    auto const taken = take_web_eid_nonce(asked, noon + 5min - 1s).value();
    EXPECT_EQ(taken.nonce, "nonce");
    EXPECT_FALSE(taken.failure);
    EXPECT_EQ(take_web_eid_nonce(taken.enrolment, noon).error().outcome, Outcome::web_eid_nonce_unknown) << "used up";

    auto const late = take_web_eid_nonce(asked, noon + 5min).value();
    ASSERT_TRUE(late.failure);
    EXPECT_EQ(late.failure->outcome, Outcome::web_eid_nonce_expired);
    EXPECT_EQ(take_web_eid_nonce(late.enrolment, noon).error().outcome, Outcome::web_eid_nonce_unknown)
        << "used up, whatever became of it";

    auto const again = give_web_eid_nonce(asked, "another", noon + 1min, limits).value();
    EXPECT_EQ(take_web_eid_nonce(again, noon + 1min)->nonce, "another") << "the one before is no longer good";
}

TEST(WebEid, speaks_in_the_step_of_the_card_alone)
{
    auto const known = known_account();
    for (auto const state : {State::review, State::sign, State::token, State::sms, State::code, State::done,
                             State::ended, State::undone, State::bank, State::landed}) {
        EXPECT_FALSE(give_web_eid_nonce(in(state), "nonce", noon, limits)) << static_cast<int>(state);
        EXPECT_FALSE(web_eid_accepted(in(state), known, "{}", noon, limits)) << static_cast<int>(state);
        auto open = in(state);
        open.web_eid_nonce = "nonce";
        open.web_eid_nonce_expires_at = noon + 5min;
        EXPECT_FALSE(take_web_eid_nonce(open, noon)) << static_cast<int>(state);
    }
    EXPECT_EQ(web_eid_accepted(in(State::card), known, "{}", noon + 24h, limits).error().outcome,
              Outcome::enrolment_expired);
}

TEST(WebEid, moves_the_account_that_is_there_and_leaves_it_as_it_was)
{
    auto open = give_link(in(State::card), ticket, noon, limits).value();
    open = open_link(open, session, Bytes(48, 3), noon, limits).value();
    open = give_web_eid_nonce(open, "nonce", noon, limits).value();
    open.outcome = Outcome::cancelled;
    auto const accepted = web_eid_accepted(open, known_account(), R"({"judged":"now"})", noon, limits).value();
    EXPECT_EQ(accepted.state, State::token) << "no contract is signed anew";
    EXPECT_TRUE(accepted.by_web_eid);
    EXPECT_EQ(accepted.moves, AccountId{"a"});
    EXPECT_EQ(accepted.moves_from, DeviceId{"phone"});
    EXPECT_EQ(accepted.contract_id, ContractId{"contract"});
    EXPECT_EQ(accepted.person->family_name, "Janssens");
    EXPECT_EQ(accepted.source.evidence, R"({"judged":"now"})");
    EXPECT_FALSE(accepted.outcome);
    EXPECT_TRUE(accepted.web_eid_nonce.empty());
    EXPECT_TRUE(accepted.reader_session_hash.empty()) << "a reader program that was open is not heard any more";
    EXPECT_TRUE(accepted.challenge.empty());
}

TEST(Move, keeps_when_the_person_was_read_last_and_through_web_eid_nobody_is_read)
{
    auto before = known_account();
    before.created_at = noon - 48h;
    before.person_at = noon - 24h;
    auto it = in(State::code);
    it.person = before.person;
    EXPECT_EQ(account_of(it, AccountId{"a"}, DeviceId{"e"}, noon).person_at, noon);
    auto const moved = account_moved(it, before, DeviceId{"e"}, noon).value();
    EXPECT_EQ(moved.person_at, noon);
    EXPECT_EQ(moved.created_at, before.created_at);
    it.by_web_eid = true;
    EXPECT_EQ(account_moved(it, before, DeviceId{"e"}, noon)->person_at, before.person_at);
}

TEST(WebEid, C2_needs_somebody_of_age_and_says_when)
{
    auto known = known_account();
    known.person.birth_date = "2008-11-23"; // eighteen tomorrow
    EXPECT_EQ(web_eid_accepted(in(State::card), known, "{}", noon, limits).error().outcome, Outcome::minor_needs_bank);
    known.person.birth_date = "2008-11-22";
    EXPECT_TRUE(web_eid_accepted(in(State::card), known, "{}", noon, limits));
    known.person.birth_date = "";
    EXPECT_FALSE(web_eid_accepted(in(State::card), known, "{}", noon, limits)) << "nobody knows";
}

TEST(WebEid, E6_counts_as_the_card_and_unblocks_no_account_of_a_bank_alone)
{
    auto known = known_account();
    known.state = account::State::blocked;
    EXPECT_TRUE(web_eid_accepted(in(State::card), known, "{}", noon, limits)) << "the card enrolled it";

    known.source.kind = account::Source::Kind::bank;
    known.source.bank = "kbc";
    EXPECT_EQ(web_eid_accepted(in(State::card), known, "{}", noon, limits).error().outcome,
              Outcome::other_source_than_enrolled);
    auto const after_the_bank = account::with_word_of_bank(known, noon);
    EXPECT_TRUE(web_eid_accepted(in(State::card), after_the_bank, "{}", noon + 24h - 1s, limits));
    known.state = account::State::active;
    auto const active = web_eid_accepted(in(State::card), known, "{}", noon, limits).value();
    EXPECT_EQ(active.source.kind, account::Source::Kind::card) << "who spoke now";
    EXPECT_TRUE(active.source.bank.empty());
}

TEST(Moves, are_the_only_ways)
{
    for (auto const from : {State::done, State::ended, State::undone})
        for (auto const event :
             {Event::card_read, Event::contract_fixed, Event::contract_signed, Event::token_given, Event::sms_given,
              Event::phone_bound, Event::end, Event::read_again, Event::bank_answered, Event::bank_landed,
              Event::landing_code_given, Event::identify_again})
            EXPECT_FALSE(next(from, event));
}

} // namespace
} // namespace symbolon::enrolment

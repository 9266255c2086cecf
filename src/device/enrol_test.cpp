#include "crypto/encoding.hpp"
#include "device/world_testing.hpp"
#include "message/sms.hpp"

namespace symbolon::device {
namespace {

using testing::right_code;
using testing::World;
using EnrolmentState = enrolment::State;

SecretText const token{"Ab3+k?7Q"};
std::string const number = "0470 12 34 56";

template <class T>
std::string outcome(Result<T> const& result)
{
    return result ? "" : std::string{name_of(result.error().outcome)};
}

class PhoneEnrolment : public ::testing::Test {
protected:
    World world_;
    Phone phone_{new_phone(world_.random), world_.transport};

    Result<void> start(std::string typed = number, SecretText with = token)
    {
        return run_now(phone_.start_enrolment("32", std::move(typed), std::move(with)));
    }
    Result<CodeRules> sms(SecretText code) { return run_now(phone_.give_sms_code(std::move(code))); }
    Result<void> finish(SecretText code, CodeRules rules = {})
    {
        return run_now(phone_.finish_enrolment(std::move(code), std::move(rules), "Chrome on Android"));
    }
    json::Object state()
    {
        auto const reply =
            world_.transport.answer({.method = "GET",
                                     .path = "/d/enrol/state",
                                     .headers = {{"Symbolon-Enrolment", phone_.state().session.reveal()}},
                                     .body = {}});
        return *json::parse_object(reply.body);
    }
};

TEST_F(PhoneEnrolment, A4_number_token_sms_and_code_make_an_active_account)
{
    auto const id = world_.enrolment();
    ASSERT_EQ(outcome(start()), "");
    ASSERT_EQ(world_.messages.sent.size(), 1);
    EXPECT_EQ(world_.messages.sent.front().first, "+32470123456");
    auto const rules = sms(world_.messages.last_code());
    ASSERT_EQ(outcome(rules), "");
    ASSERT_EQ(outcome(finish(right_code, *rules)), "");

    EXPECT_TRUE(phone_.state().enrolled);
    EXPECT_EQ(phone_.state().phone_number, "+32470123456");
    auto const account = world_.account_now(phone_).value;
    EXPECT_EQ(account.state, account::State::active);
    EXPECT_EQ(account.device, phone_.state().device);
    EXPECT_EQ(world_.vault.tries_of(account.id), 3);
    auto const enrolment = world_.enrolment_now(id).value;
    EXPECT_EQ(enrolment.state, EnrolmentState::done);
    EXPECT_EQ(enrolment.device_name, "Chrome on Android");
    EXPECT_EQ(world_.wakeups.told.back(), ports::Wakeups::of(id)) << "the computer's page goes on by itself";
    EXPECT_EQ(world_.history_of(phone_), std::vector<std::string>{"enrolled"});
    EXPECT_TRUE(run_now(phone_.me()));
}

TEST_F(PhoneEnrolment, A5_a_wrong_token_says_how_many_tries_are_left_and_loses_nothing)
{
    auto const id = world_.enrolment();
    for (int const left : {4, 3, 2, 1}) {
        auto const wrong = start(number, SecretText{"ab3+k?7Q"});
        ASSERT_EQ(outcome(wrong), "identification_token_wrong") << "a wrong capital is wrong";
        EXPECT_EQ(wrong.error().tries_left, left);
    }
    auto const last = start(number, SecretText{"ab3+k?7Q"});
    EXPECT_EQ(outcome(last), "tries_used_up");
    EXPECT_EQ(last.error().open_at, world_.clock.now() + 20min);
    EXPECT_EQ(outcome(start()), "tries_used_up") << "the right one too, until then";

    world_.clock.at += 20min;
    EXPECT_EQ(outcome(start()), "");
    EXPECT_EQ(world_.enrolment_now(id).value.state, EnrolmentState::sms);
}

TEST_F(PhoneEnrolment, D7_a_number_that_nobody_is_enrolling_answers_as_a_wrong_token)
{
    world_.enrolment();
    auto const tries = [this](std::string const& typed) {
        std::vector<std::string> answers;
        for (int i = 0; i < 7; ++i) {
            auto const reply = world_.transport.answer(
                {.method = "POST",
                 .path = "/d/enrol/start",
                 .headers = {},
                 .body = write(EnrolStart{.calling_code = "32", .number = typed, .token = SecretText{"WRONG+12"}})});
            answers.push_back(std::to_string(reply.status) + reply.body);
        }
        return answers;
    };
    EXPECT_EQ(tries("0470123456"), tries("0478999999"));
}

TEST_F(PhoneEnrolment, D7_no_sms_leaves_for_a_wrong_token)
{
    world_.enrolment();
    EXPECT_EQ(outcome(start(number, SecretText{"WRONG+12"})), "identification_token_wrong");
    EXPECT_EQ(outcome(start("0478999999", SecretText{"WRONG+12"})), "identification_token_wrong");
    EXPECT_TRUE(world_.messages.sent.empty());
}

TEST_F(PhoneEnrolment, a_stranger_cannot_go_through_many_numbers)
{
    for (int i = 0; i < world_.settings->limits.lookups_a_minute_per_address; ++i)
        EXPECT_NE(outcome(start("04789999" + std::to_string(10 + i % 80))), "too_many_requests") << i;
    auto const next = start();
    EXPECT_EQ(outcome(next), "too_many_requests");
    EXPECT_TRUE(next.error().open_at);
}

TEST_F(PhoneEnrolment, A5_a_wrong_sms_code_says_how_many_tries_are_left)
{
    world_.enrolment();
    ASSERT_TRUE(start());
    SecretText const wrong{world_.messages.last_code().reveal() == "000000" ? "000001" : "000000"};
    for (int const left : {2, 1}) {
        auto const judged = sms(wrong);
        ASSERT_EQ(outcome(judged), "sms_code_wrong");
        EXPECT_EQ(judged.error().tries_left, left);
    }
    auto const last = sms(wrong);
    EXPECT_EQ(outcome(last), "tries_used_up");
    EXPECT_TRUE(last.error().open_at);
    EXPECT_EQ(outcome(sms(world_.messages.last_code())), "tries_used_up");

    world_.clock.at = *last.error().open_at;
    ASSERT_EQ(outcome(run_now(phone_.send_sms_again())), "");
    EXPECT_EQ(outcome(sms(world_.messages.last_code())), "");
}

TEST_F(PhoneEnrolment, A5_the_sms_can_be_asked_again_not_before_the_countdown)
{
    world_.enrolment();
    ASSERT_TRUE(start());
    auto const early = run_now(phone_.send_sms_again());
    ASSERT_EQ(outcome(early), "sms_too_soon");
    world_.clock.at = *early.error().open_at;
    auto const first = world_.messages.last_code();
    ASSERT_EQ(outcome(run_now(phone_.send_sms_again())), "");
    EXPECT_EQ(world_.messages.sent.size(), 2);
    if (!first.equals(world_.messages.last_code())) {
        EXPECT_EQ(outcome(sms(first)), "sms_code_wrong") << "the code before is no longer good";
    }
    EXPECT_EQ(outcome(sms(world_.messages.last_code())), "");
}

TEST_F(PhoneEnrolment, opening_the_app_again_keeps_the_code_that_was_sent)
{
    world_.enrolment();
    ASSERT_TRUE(start());
    ASSERT_TRUE(start()) << "the app was cleared and begins again";
    EXPECT_EQ(world_.messages.sent.size(), 1);
    EXPECT_EQ(outcome(sms(world_.messages.last_code())), "");
}

TEST_F(PhoneEnrolment, a_gateway_that_fails_loses_nothing)
{
    world_.enrolment();
    world_.messages.gateway_works = false;
    auto const reply =
        world_.transport.answer({.method = "POST",
                                 .path = "/d/enrol/start",
                                 .headers = {},
                                 .body = write(EnrolStart{.calling_code = "32", .number = number, .token = token})});
    EXPECT_EQ(reply.status, 200);
    EXPECT_FALSE(json::parse_object(reply.body)->at("sms_sent").as_bool());

    world_.messages.gateway_works = true;
    world_.clock.at += 30s;
    ASSERT_EQ(outcome(start()), "");
    EXPECT_EQ(outcome(sms(world_.messages.last_code())), "");
}

TEST_F(PhoneEnrolment, no_more_sms_go_to_one_number_on_one_day_than_the_limit)
{
    world_.limit([](Limits& limits) { limits.sms_sends_a_day_to_one_number = 2; });
    world_.enrolment();
    ASSERT_EQ(outcome(start()), "");
    world_.clock.at += 1h;
    ASSERT_EQ(outcome(run_now(phone_.send_sms_again())), "");
    ASSERT_EQ(world_.messages.sent.size(), 2);
    auto const good = world_.messages.last_code();

    // From then on one in twenty minutes.
    world_.clock.at = store::testing::noon + 2h;
    ASSERT_EQ(outcome(run_now(phone_.send_sms_again())), "");
    ASSERT_EQ(world_.messages.sent.size(), 3);
    world_.clock.at += 1min;
    auto const refused = run_now(phone_.send_sms_again());
    ASSERT_EQ(outcome(refused), "sms_limit_of_number");
    EXPECT_EQ(refused.error().open_at, store::testing::noon + 2h + 20min) << "nobody is told to wait longer (E9)";
    EXPECT_EQ(world_.messages.sent.size(), 3);

    // Opening the app again is no way around it, and says nothing else than that no SMS left.
    Phone other{new_phone(world_.random), world_.transport};
    world_.enrolment("e2", "+32470123456", "Zz9+k?7Q", "80010100157");
    ASSERT_EQ(outcome(run_now(other.start_enrolment("32", number, SecretText{"Zz9+k?7Q"}))), "");
    EXPECT_EQ(world_.messages.sent.size(), 3);
    // Another number is none of its business.
    Phone stranger{new_phone(world_.random), world_.transport};
    world_.enrolment("e3", "+32470999999", "Yy9+k?7Q", "80010100256");
    ASSERT_EQ(outcome(run_now(stranger.start_enrolment("32", "0470 99 99 99", SecretText{"Yy9+k?7Q"}))), "");
    EXPECT_EQ(world_.messages.sent.size(), 4);

    world_.clock.at = *refused.error().open_at;
    EXPECT_EQ(outcome(run_now(phone_.send_sms_again())), "") << "who waits as told is not told to wait again";
    EXPECT_FALSE(good.equals(world_.messages.last_code()));
}

TEST_F(PhoneEnrolment, no_more_sms_leave_in_one_hour_than_the_operator_pays_for)
{
    world_.limit([](Limits& limits) { limits.sms_sends_an_hour_in_all = 1; });
    world_.clock.at += 45min;
    world_.enrolment();
    ASSERT_EQ(outcome(start()), "");
    auto const code = world_.messages.last_code();
    world_.clock.at += 1min;
    auto const refused = run_now(phone_.send_sms_again());
    ASSERT_EQ(outcome(refused), "sms_limit_in_all");
    EXPECT_EQ(refused.error().open_at, store::testing::noon + 1h);
    EXPECT_EQ(world_.messages.sent.size(), 1);
    EXPECT_EQ(outcome(sms(code)), "") << "what was sent stays good";
}

TEST_F(PhoneEnrolment, no_more_sms_go_to_one_block_of_numbers_in_one_hour_than_the_limit_and_the_operator_is_told_once)
{
    world_.limit([](Limits& limits) { limits.sms_sends_an_hour_to_one_prefix = 2; });
    auto ask = [&, n = 0](std::string const& last_digits) mutable {
        auto const e164 = "+3247012" + last_digits;
        auto const typed = std::string{"Zz9+k?7"} + static_cast<char>('A' + n);
        world_.enrolment("p" + std::to_string(n++), e164, typed, "85073003328");
        Phone phone{new_phone(world_.random), world_.transport};
        EXPECT_EQ(outcome(run_now(phone.start_enrolment("32", "0" + e164.substr(3), SecretText{typed}))), "");
        return world_.messages.sent.size();
    };
    world_.clock.at += 40min;
    EXPECT_EQ(ask("3456"), 1);
    EXPECT_EQ(ask("9999"), 2);
    EXPECT_EQ(std::ranges::count(world_.log.events, "sms_limit_reached"), 0);
    EXPECT_EQ(ask("0000"), 2);
    EXPECT_EQ(ask("1111"), 2);
    EXPECT_EQ(std::ranges::count(world_.log.events, "sms_limit_reached"), 1);
    world_.clock.at = store::testing::noon + 1h;
    EXPECT_EQ(ask("2222"), 3);
}

TEST_F(PhoneEnrolment, E9_an_sms_that_the_gateway_refuses_does_not_count)
{
    world_.enrolment();
    world_.messages.gateway_works = false;
    ASSERT_EQ(outcome(start()), "");
    for (int again = 0; again < 5; ++again)
        ASSERT_EQ(outcome(run_now(phone_.send_sms_again())), "sms_not_sent") << "at once, and never too_soon";
    world_.messages.gateway_works = true;
    ASSERT_EQ(outcome(run_now(phone_.send_sms_again())), "");
    EXPECT_EQ(outcome(sms(world_.messages.last_code())), "");
}

class SmsReports : public PhoneEnrolment {
protected:
    /// The gateway reports the last SMS that it was handed.
    std::string report(std::string const& status) { return report(status, world_.messages.last_reference); }
    std::string report(std::string const& status, std::string const& reference)
    {
        http::Request request;
        request.method = "GET";
        request.path = "/sms/report";
        request.query.add("reference", reference);
        request.query.add("status", status);
        return outcome(run_now(message::take_report(request, world_.settings->sms_key, world_.services)));
    }
    std::string said()
    {
        auto const now = state();
        auto const* const failure = now.if_contains("sms_failure");
        return failure ? std::string{failure->at("outcome").as_string()} : std::string{};
    }
};

TEST_F(SmsReports, A5_an_sms_that_did_not_arrive_is_told_to_phone_and_page_and_the_next_one_need_not_wait)
{
    auto const id = world_.enrolment();
    ASSERT_EQ(outcome(start()), "");
    EXPECT_EQ(report("8"), "");
    EXPECT_EQ(said(), "");
    for (auto const* status : {"16", "2", "2"}) {
        EXPECT_EQ(report(status), "");
        EXPECT_EQ(said(), "sms_not_delivered");
        EXPECT_EQ(world_.enrolment_now(id).value.outcome, Outcome::sms_not_delivered);
    }
    ASSERT_EQ(outcome(run_now(phone_.send_sms_again())), "") << "no countdown";
    EXPECT_EQ(said(), "");
    EXPECT_EQ(world_.enrolment_now(id).value.outcome, std::nullopt);
    EXPECT_EQ(outcome(run_now(phone_.send_sms_again())), "sms_too_soon");
    EXPECT_EQ(outcome(sms(world_.messages.last_code())), "");
}

TEST_F(SmsReports, say_nothing_of_an_sms_that_is_no_longer_waited_for)
{
    auto const id = world_.enrolment();
    ASSERT_EQ(outcome(start()), "");
    auto const first = world_.messages.last_reference;
    world_.clock.at += 30s;
    ASSERT_EQ(outcome(run_now(phone_.send_sms_again())), "");
    EXPECT_EQ(report("2", first), "");
    EXPECT_EQ(said(), "") << "another one is under way";
    EXPECT_EQ(report("2"), "");
    EXPECT_EQ(said(), "sms_not_delivered");
    EXPECT_EQ(report("1"), "");
    EXPECT_EQ(said(), "") << "it arrived after all";

    ASSERT_EQ(outcome(sms(world_.messages.last_code())), "");
    EXPECT_EQ(report("2"), "");
    EXPECT_EQ(world_.enrolment_now(id).value.outcome, std::nullopt);
}

TEST_F(SmsReports, are_believed_only_with_a_reference_of_ours)
{
    world_.enrolment();
    ASSERT_EQ(outcome(start()), "");
    auto damaged = world_.messages.last_reference;
    damaged.at(20) = damaged.at(20) == 'A' ? 'B' : 'A';
    for (auto const& reference : {std::string{}, std::string{"e"}, damaged, std::string(100'000, 'A')})
        EXPECT_EQ(report("2", reference), "request_malformed");
    for (auto const* status : {"", "3", "-2", "2x", "%d", "99999999999999999999"})
        EXPECT_EQ(report(status), "request_malformed") << status;
    EXPECT_EQ(said(), "");
    EXPECT_EQ(world_.messages.last_reference.find("e1"), std::string::npos);
}

TEST_F(PhoneEnrolment, an_hour_without_sms_costs_nobody_of_what_his_number_may_have)
{
    world_.limit([](Limits& limits) {
        limits.sms_sends_an_hour_in_all = 1;
        limits.sms_sends_a_day_to_one_number = 2;
    });
    world_.enrolment();
    ASSERT_EQ(outcome(start()), "");
    for (int again = 0; again < 5; ++again) {
        world_.clock.at += 1min;
        ASSERT_EQ(outcome(run_now(phone_.send_sms_again())), "sms_limit_in_all");
    }
    world_.clock.at = store::testing::noon + 1h;
    EXPECT_EQ(outcome(run_now(phone_.send_sms_again())), "");
}

TEST_F(PhoneEnrolment, a_number_that_is_at_its_limit_uses_up_little_of_what_all_may_have)
{
    world_.limit([](Limits& limits) {
        limits.sms_sends_a_day_to_one_number = 1;
        limits.sms_sends_an_hour_in_all = 8;
    });
    world_.enrolment();
    ASSERT_EQ(outcome(start()), "");
    for (int again = 0; again < 100; ++again) {
        world_.clock.at += 1s;
        (void)run_now(phone_.send_sms_again());
    }
    EXPECT_EQ(world_.messages.sent.size(), 2) << "the one that a number still gets in twenty minutes";
    world_.enrolment("e2", "+32470999999", "Yy9+k?7Q", "80010100256");
    Phone other{new_phone(world_.random), world_.transport};
    ASSERT_EQ(outcome(run_now(other.start_enrolment("32", "0470 99 99 99", SecretText{"Yy9+k?7Q"}))), "");
    EXPECT_EQ(world_.messages.sent.size(), 3) << "others are sent theirs";
}

TEST_F(PhoneEnrolment, E9_a_hundred_tries_in_a_row_end_as_patient_ones_do)
{
    auto const id = world_.enrolment();
    std::optional<Instant> opens;
    auto const impatient = [&](auto const& attempt, std::vector<std::string> const& expected) {
        for (int again = 0; again < 100; ++again) {
            auto const result = attempt();
            auto const said = outcome(result);
            EXPECT_NE(std::ranges::find(expected, said), expected.end()) << said;
            if (result || !result.error().open_at) continue;
            EXPECT_LE(*result.error().open_at, world_.clock.now() + world_.settings->limits.longest_wait) << said;
            opens = std::max(opens.value_or(*result.error().open_at), *result.error().open_at);
        }
    };
    impatient([&] { return start(number, SecretText{"ab3+k?7Q"}); },
              {"identification_token_wrong", "tries_used_up", "too_many_requests"});
    ASSERT_TRUE(opens);
    world_.clock.at = *opens; // the longest wait that was told, and not a second more
    ASSERT_EQ(outcome(start()), "");

    opens.reset();
    SecretText const wrong{world_.messages.last_code().reveal() == "000000" ? "000001" : "000000"};
    impatient([&] { return sms(wrong); }, {"sms_code_wrong", "tries_used_up"});
    ASSERT_TRUE(opens);
    impatient([&] { return run_now(phone_.send_sms_again()); }, {"sms_too_soon", "tries_used_up"});
    world_.clock.at = *opens;
    ASSERT_EQ(outcome(run_now(phone_.send_sms_again())), "");
    auto const rules = sms(world_.messages.last_code());
    ASSERT_EQ(outcome(rules), "");
    ASSERT_EQ(outcome(finish(right_code, *rules)), "");
    EXPECT_EQ(world_.enrolment_now(id).value.state, EnrolmentState::done);
    EXPECT_EQ(world_.messages.sent.size(), 2);
    EXPECT_EQ(world_.history_of(phone_), std::vector<std::string>{"enrolled"});
}

TEST_F(PhoneEnrolment, D7_wrong_tokens_count_no_sms)
{
    world_.limit([](Limits& limits) { limits.sms_sends_an_hour_in_all = 1; });
    world_.enrolment();
    for (int tries = 0; tries < 3; ++tries)
        ASSERT_EQ(outcome(start(number, SecretText{"xxxxxxxx"})), "identification_token_wrong");
    ASSERT_EQ(outcome(start()), "");
    EXPECT_EQ(world_.messages.sent.size(), 1);
}

TEST_F(PhoneEnrolment, A6_trivial_codes_are_refused_on_the_phone_with_the_reason)
{
    world_.enrolment();
    ASSERT_TRUE(start());
    auto const rules = sms(world_.messages.last_code());
    ASSERT_TRUE(rules);
    auto const sent = world_.transport.sent.size();
    auto const reason = [&](char const* code) {
        auto const judged = finish(SecretText{code}, *rules);
        return outcome(judged) + " " + (judged ? "" : judged.error().detail);
    };
    EXPECT_EQ(reason("12345"), "code_trivial run");
    EXPECT_EQ(reason("54321"), "code_trivial run");
    EXPECT_EQ(reason("11111"), "code_trivial repeat");
    EXPECT_EQ(reason("30785"), "code_trivial birth_date");
    EXPECT_EQ(reason("24701"), "code_trivial number");
    EXPECT_EQ(reason("25800"), "code_trivial common");
    EXPECT_EQ(reason("1234"), "code_malformed ");
    EXPECT_EQ(world_.transport.sent.size(), sent) << "the code does not leave the phone";
    EXPECT_EQ(outcome(finish(right_code, *rules)), "");
}

TEST_F(PhoneEnrolment, no_phone_is_bound_before_the_sms_code)
{
    world_.enrolment();
    ASSERT_TRUE(start());
    EXPECT_EQ(outcome(finish(right_code)), "enrolment_step_wrong");
}

TEST_F(PhoneEnrolment, a_lost_answer_of_the_last_step_is_asked_again_and_binds_once)
{
    world_.enrolment();
    ASSERT_TRUE(start());
    auto const rules = sms(world_.messages.last_code());
    world_.transport.replies_lost = 3;
    EXPECT_EQ(outcome(finish(right_code, *rules)), "upstream_unreachable") << "after three times it is told";
    EXPECT_EQ(state().at("step").as_string(), "done");
    ASSERT_EQ(outcome(finish(right_code, *rules)), "");
    EXPECT_EQ(world_.device_now(phone_).value.ratchet, phone_.state().ratchet);
}

TEST_F(PhoneEnrolment, one_enrolment_binds_one_phone)
{
    world_.enrolment();
    ASSERT_TRUE(start());
    auto const rules = sms(world_.messages.last_code());
    auto second = new_phone(world_.random);
    second.session = phone_.state().session;
    second.enrol_nonce = phone_.state().enrol_nonce;
    second.vault_key = phone_.state().vault_key;
    ASSERT_TRUE(finish(right_code, *rules));
    Phone late{second, world_.transport};
    EXPECT_EQ(outcome(run_now(late.finish_enrolment(right_code, *rules, "Another"))), "enrolment_step_wrong");
}

TEST_F(PhoneEnrolment, the_binding_is_signed_by_the_new_key_over_everything_that_it_binds)
{
    world_.enrolment();
    ASSERT_TRUE(start());
    ASSERT_TRUE(sms(world_.messages.last_code()));
    auto const post = [this](EnrolFinish const& what) {
        auto const reply =
            world_.transport.answer({.method = "POST", .path = "/d/enrol/finish", .headers = {}, .body = write(what)});
        return std::string{json::parse_object(reply.body)->at("outcome").as_string()};
    };
    auto const good = make_finish(phone_.state(), right_code, "Chrome on Android");
    auto renamed = good;
    renamed.name = "My phone";
    EXPECT_EQ(post(renamed), "device_signature_invalid");
    auto other_code = good;
    other_code.code_key = make_finish(phone_.state(), testing::wrong_code, "Chrome on Android").code_key;
    EXPECT_EQ(post(other_code), "device_signature_invalid");

    // Another code key under this phone's signature: the vault sees that the seal is for another phone.
    auto thief = phone_.state();
    thief.device_key = new_phone(world_.random).device_key;
    thief.device = DeviceId{thief.device_key.public_key().thumbprint()};
    auto moved = good;
    moved.code_key = make_finish(thief, right_code, "Chrome on Android").code_key;
    moved.signature = phone_.state().device_key.sign(
        crypto::SignatureAlgorithm::es256,
        enrol_statement(phone_.state().enrol_nonce, phone_.state().device, 1, moved.code_key, moved.name));
    EXPECT_EQ(post(moved), "seal_invalid");
}

TEST_F(PhoneEnrolment, A8_the_same_person_never_has_two_accounts)
{
    auto const first = world_.enrolled_phone("e1", "+32470123456", "85073003328");
    auto const id = world_.enrolment("e2", "+32478111111", "Xy7=m#4R", "85073003328");
    ASSERT_EQ(outcome(start("0478111111", SecretText{"Xy7=m#4R"})), "");
    auto const rules = sms(world_.messages.last_code());
    EXPECT_EQ(outcome(finish(right_code, *rules)), "already_a_holder");
    auto const enrolment = world_.enrolment_now(id).value;
    EXPECT_EQ(enrolment.state, EnrolmentState::card) << "the card is read again: then the account moves";
    EXPECT_EQ(enrolment.outcome, Outcome::already_a_holder);
    EXPECT_FALSE(enrolment.person) << "what was read is forgotten";
    EXPECT_EQ(world_.account_now(first).value.state, account::State::active);
    EXPECT_EQ(outcome(finish(right_code, *rules)), "enrolment_unknown");
}

// ---- the same person again (E1, E3, E6, E7, E10)
// ------------------------------------------------------------------------

class PhoneMove : public PhoneEnrolment {
protected:
    Phone old_ = world_.enrolled_phone("e1", number_of_old, "85073003328");

    static constexpr auto number_of_old = "+32470123456";
    static constexpr auto other_number = "+32478111111";

    /// An enrolment whose card was read while the account was on that phone.
    EnrolmentId enrolment_from(Phone const& phone, std::string const& id, std::string const& typed,
                               std::string const& with)
    {
        auto const made = world_.enrolment(id, typed, with, "85073003328");
        auto stored = world_.enrolment_now(made);
        auto const account = world_.account_now(phone).value;
        stored.value.moves = account.id;
        stored.value.moves_from = account.device;
        stored.value.email = "new@example.be";
        stored.value.contract_id = ContractId{"contract of " + id};
        EXPECT_TRUE(run_now(world_.services.enrolments.save(stored)));
        return made;
    }

    /// The steps up to the code.
    CodeRules ready(Phone& phone, std::string const& typed, std::string const& with)
    {
        EXPECT_EQ(outcome(run_now(phone.start_enrolment("32", typed, SecretText{with}))), "");
        return run_now(phone.give_sms_code(world_.messages.last_code())).value();
    }
    static Result<void> bind(Phone& phone, CodeRules const& rules, SecretText code = SecretText{"61937"})
    {
        return run_now(phone.finish_enrolment(std::move(code), rules, "Firefox on Android"));
    }
    Result<void> move_to(Phone& phone, std::string const& typed = number_of_old, std::string const& id = "e2")
    {
        enrolment_from(old_, id, typed, "Xy7=m#4R");
        return bind(phone, ready(phone, typed, "Xy7=m#4R"));
    }
    void block()
    {
        auto stored = world_.account_now(old_);
        stored.value.state = account::State::blocked;
        ASSERT_TRUE(run_now(world_.services.accounts.save(stored, store::testing::entry(stored.value.id, "blocked"))));
    }
};

TEST_F(PhoneMove, E1_a_new_phone_with_the_same_card_takes_the_place_of_the_old_one_at_once)
{
    auto const before = world_.account_now(old_).value;
    ASSERT_EQ(outcome(move_to(phone_)), "");

    auto const after = world_.account_now(phone_).value;
    EXPECT_EQ(after.id, before.id) << "partners know the holder by the same name";
    EXPECT_EQ(after.device, phone_.state().device);
    EXPECT_EQ(after.state, account::State::active);
    EXPECT_EQ(after.email, "new@example.be");
    EXPECT_EQ(after.created_at, before.created_at);
    EXPECT_EQ(world_.device_now(old_).value.state, account::Device::State::unbound);
    EXPECT_EQ(outcome(run_now(old_.me())), "device_unbound");
    EXPECT_EQ(world_.history_of(phone_), (std::vector<std::string>{"moved", "enrolled"}));
    EXPECT_TRUE(run_now(phone_.me()));
    EXPECT_TRUE(run_now(world_.services.contracts.find(after.id, ContractId{"contract of e2"})).value());
    for (auto const& [to, text] : world_.messages.sent)
        EXPECT_NE(text.find_first_of("0123456789"), std::string::npos)
            << "the number is the same: codes alone were sent";
}

TEST_F(PhoneMove, E1_the_old_phone_is_told_while_its_stream_is_open)
{
    auto const watch = world_.wakeups.watch(ports::Wakeups::of(world_.account_now(old_).value.id));
    ASSERT_EQ(outcome(move_to(phone_)), "");
    EXPECT_TRUE(run_now(watch->next(world_.clock.now())).value());
}

TEST_F(PhoneMove, E7_the_new_code_counts_and_the_old_one_does_not)
{
    ASSERT_EQ(outcome(move_to(phone_)), "");
    EXPECT_EQ(world_.approve(phone_, "a1", right_code), "code_wrong") << "the code of the old phone";
    EXPECT_EQ(world_.approve(phone_, "a2", SecretText{"61937"}), "approved");
}

TEST_F(PhoneMove, E1_what_waited_on_the_old_phone_ends)
{
    auto const waiting = world_.action(old_, "a1");
    ASSERT_EQ(outcome(move_to(phone_)), "");
    EXPECT_EQ(world_.action_now(waiting).value.state, action::State::failed);
    EXPECT_EQ(world_.action_now(waiting).value.outcome, Outcome::device_unbound);
    EXPECT_EQ(outcome(run_now(old_.show(waiting))), "device_unbound");
    EXPECT_EQ(outcome(run_now(phone_.show(waiting))), "action_of_other_device") << "it was asked of another phone";
}

TEST_F(PhoneMove, E3_a_new_number_comes_with_the_card_and_the_old_number_is_told)
{
    ASSERT_EQ(outcome(move_to(phone_, other_number)), "");
    auto const after = world_.account_now(phone_).value;
    EXPECT_EQ(after.phone_number.e164(), other_number);
    auto const by_number = [&](char const* e164) {
        return run_now(world_.services.accounts.find_by_phone_number(account::PhoneNumber{e164})).value();
    };
    EXPECT_TRUE(by_number(other_number));
    EXPECT_FALSE(by_number(number_of_old)) << "logins with it find nobody from now on";
    ASSERT_EQ(world_.messages.sent.back().first, number_of_old);
    auto const& text = world_.messages.sent.back().second;
    EXPECT_EQ(text.find("http"), std::string::npos);
    EXPECT_EQ(text.find_first_of("0123456789"), std::string::npos) << "no code, no number";
}

TEST_F(PhoneMove, E3_a_gateway_that_fails_to_tell_the_old_number_undoes_nothing)
{
    enrolment_from(old_, "e2", other_number, "Xy7=m#4R");
    auto const rules = ready(phone_, other_number, "Xy7=m#4R");
    world_.messages.gateway_works = false;
    EXPECT_EQ(outcome(bind(phone_, rules)), "");
    EXPECT_TRUE(run_now(phone_.me()));
}

TEST_F(PhoneMove, E3_the_old_number_is_told_though_the_vault_is_away)
{
    enrolment_from(old_, "e2", other_number, "Xy7=m#4R");
    auto const rules = ready(phone_, other_number, "Xy7=m#4R");
    world_.vault.replacements_lost = 1;
    EXPECT_EQ(outcome(bind(phone_, rules)), "vault_unreachable");
    EXPECT_EQ(world_.messages.sent.back().first, number_of_old);
    auto const sent = world_.messages.sent.size();
    EXPECT_EQ(outcome(bind(phone_, rules)), "");
    EXPECT_EQ(world_.messages.sent.size(), sent) << "once";
}

TEST_F(PhoneMove, E6_a_blocked_account_is_unblocked_with_the_card_and_three_new_tries)
{
    for (int tries = 0; tries < 3; ++tries) world_.approve(old_, "w" + std::to_string(tries), testing::wrong_code);
    ASSERT_EQ(world_.account_now(old_).value.state, account::State::blocked);
    ASSERT_EQ(outcome(move_to(phone_)), "");
    auto const after = world_.account_now(phone_).value;
    EXPECT_EQ(after.state, account::State::active);
    EXPECT_EQ(world_.vault.tries_of(after.id), 3);
    EXPECT_EQ(world_.approve(phone_, "a2", SecretText{"61937"}), "approved");
}

TEST_F(PhoneMove, E6_a_blocked_account_of_a_bank_is_not_unblocked_with_the_card)
{
    auto stored = world_.account_now(old_);
    stored.value.source.kind = account::Source::Kind::bank;
    ASSERT_TRUE(run_now(world_.services.accounts.save(stored, store::testing::entry(stored.value.id, "seen"))));
    block();
    EXPECT_EQ(outcome(move_to(phone_)), "other_source_than_enrolled");
    EXPECT_EQ(world_.account_now(old_).value.state, account::State::blocked);
    EXPECT_EQ(world_.account_now(old_).value.device, old_.state().device);
}

TEST_F(PhoneMove, E4_a_deactivated_account_comes_back_with_the_card)
{
    auto stored = world_.account_now(old_);
    stored.value.state = account::State::deactivated;
    ASSERT_TRUE(run_now(world_.services.accounts.save(stored, store::testing::entry(stored.value.id, "deactivated"))));
    ASSERT_EQ(outcome(move_to(phone_)), "");
    EXPECT_EQ(world_.account_now(phone_).value.state, account::State::active);
}

TEST_F(PhoneMove, T7_a_suspended_clone_is_out_for_good_and_its_holder_comes_back_with_the_card)
{
    auto device = world_.device_now(old_);
    device.value.state = account::Device::State::suspended;
    ASSERT_TRUE(run_now(world_.services.devices.save(device)));
    ASSERT_EQ(outcome(move_to(phone_)), "");
    EXPECT_EQ(outcome(run_now(old_.me())), "device_unbound");
    EXPECT_EQ(world_.approve(phone_, "a1", SecretText{"61937"}), "approved");
}

TEST_F(PhoneMove, A8_of_two_phones_that_move_one_account_at_once_one_wins_and_the_other_can_go_on)
{
    auto const first = enrolment_from(old_, "e2", number_of_old, "Xy7=m#4R");
    auto const second = enrolment_from(old_, "e3", other_number, "Zz9+k?7Q");
    Phone other{new_phone(world_.random), world_.transport};
    auto const rules = ready(phone_, number_of_old, "Xy7=m#4R");
    auto const other_rules = ready(other, other_number, "Zz9+k?7Q");
    ASSERT_EQ(outcome(bind(phone_, rules)), "");
    EXPECT_EQ(outcome(bind(other, other_rules)), "moved_meanwhile");

    EXPECT_EQ(world_.account_now(phone_).value.device, phone_.state().device);
    EXPECT_EQ(world_.approve(phone_, "a1", SecretText{"61937"}), "approved")
        << "the loser has not touched the winner's code";
    EXPECT_EQ(world_.enrolment_now(first).value.state, EnrolmentState::done);
    auto const lost = world_.enrolment_now(second).value;
    EXPECT_EQ(lost.state, EnrolmentState::card) << "who wants it here reads the card again";
    EXPECT_EQ(lost.outcome, Outcome::moved_meanwhile);
    EXPECT_FALSE(lost.moves);

    // Read again, it moves.
    enrolment_from(phone_, "e4", other_number, "Yy9+k?7Q");
    Phone again{new_phone(world_.random), world_.transport};
    EXPECT_EQ(outcome(bind(again, ready(again, other_number, "Yy9+k?7Q"))), "");
    EXPECT_EQ(outcome(run_now(phone_.me())), "device_unbound");
}

TEST_F(PhoneMove, a_vault_that_was_away_is_asked_again_and_the_code_counts_once)
{
    enrolment_from(old_, "e2", number_of_old, "Xy7=m#4R");
    auto const rules = ready(phone_, number_of_old, "Xy7=m#4R");
    world_.vault.replacements_lost = 1;
    EXPECT_EQ(outcome(bind(phone_, rules)), "vault_unreachable");
    EXPECT_EQ(outcome(run_now(old_.me())), "device_unbound") << "the account is on its way: nobody else approves";
    ASSERT_EQ(outcome(bind(phone_, rules)), "") << "the phone sends the same again";
    EXPECT_EQ(world_.approve(phone_, "a1", SecretText{"61937"}), "approved");
}

TEST_F(PhoneMove, the_last_step_again_gives_neither_tries_nor_another_code)
{
    enrolment_from(old_, "e2", number_of_old, "Xy7=m#4R");
    auto const rules = ready(phone_, number_of_old, "Xy7=m#4R");
    auto const session = phone_.state();
    auto const post = [&](SecretText const& code) {
        auto const body = write(make_finish(session, code, "Firefox on Android"));
        return world_.transport.answer({.method = "POST", .path = "/d/enrol/finish", .headers = {}, .body = body})
            .status;
    };
    ASSERT_EQ(outcome(bind(phone_, rules)), "");
    EXPECT_EQ(world_.approve(phone_, "a1", testing::wrong_code), "code_wrong");
    auto const account = world_.account_now(phone_).value.id;
    ASSERT_EQ(world_.vault.tries_of(account), 2);
    EXPECT_EQ(post(SecretText{"72841"}), 200) << "whoever has the phone's storage can say that the answer got lost";
    EXPECT_EQ(world_.vault.tries_of(account), 2);
    EXPECT_EQ(world_.approve(phone_, "a2", SecretText{"61937"}), "approved");
    EXPECT_NE(post(SecretText{"72841"}), 200) << "once the ratchet has moved it is told nothing either";
}

TEST_F(PhoneMove, a_seal_that_the_vault_can_not_open_moves_nothing)
{
    enrolment_from(old_, "e2", number_of_old, "Xy7=m#4R");
    ready(phone_, number_of_old, "Xy7=m#4R");
    auto state = phone_.state();
    auto thief = state;
    thief.device_key = new_phone(world_.random).device_key;
    thief.device = DeviceId{thief.device_key.public_key().thumbprint()};
    auto finish = make_finish(state, right_code, "Chrome on Android");
    finish.code_key = make_finish(thief, right_code, "Chrome on Android").code_key;
    finish.signature =
        state.device_key.sign(crypto::SignatureAlgorithm::es256,
                              enrol_statement(state.enrol_nonce, state.device, 1, finish.code_key, finish.name));
    auto const reply =
        world_.transport.answer({.method = "POST", .path = "/d/enrol/finish", .headers = {}, .body = write(finish)});
    EXPECT_EQ(json::parse_object(reply.body)->at("outcome").as_string(), "seal_invalid");
    EXPECT_TRUE(run_now(old_.me()));
}

TEST_F(PhoneMove, E10_the_new_owner_of_a_number_enrols_with_it_and_the_old_holder_is_not_reached_by_it)
{
    world_.enrolment("e2", number_of_old, "Xy7=m#4R", "90010100101");
    ASSERT_EQ(outcome(bind(phone_, ready(phone_, number_of_old, "Xy7=m#4R"))), "");
    auto const reached =
        run_now(world_.services.accounts.find_by_phone_number(account::PhoneNumber{number_of_old})).value();
    ASSERT_TRUE(reached);
    EXPECT_EQ(reached->value.device, phone_.state().device);

    auto const left = world_.account_now(old_).value;
    EXPECT_TRUE(left.phone_number.empty());
    EXPECT_EQ(left.state, account::State::active);
    EXPECT_EQ(world_.history_of(old_).front(), "number_lost");
    EXPECT_EQ(world_.approve(old_, "a1", right_code), "approved") << "by QR code and link it goes on";

    // With the card and a number of its own the account is reached again.
    Phone next{new_phone(world_.random), world_.transport};
    enrolment_from(old_, "e3", other_number, "Zz9+k?7Q");
    auto const sent = world_.messages.sent.size();
    ASSERT_EQ(outcome(bind(next, ready(next, other_number, "Zz9+k?7Q"))), "");
    EXPECT_EQ(world_.messages.sent.size(), sent + 1) << "the code alone: no message to a number that is another's";
    EXPECT_TRUE(run_now(world_.services.accounts.find_by_phone_number(account::PhoneNumber{other_number})).value());
}

TEST_F(PhoneMove, E10_that_the_number_is_anothers_is_said_once_its_code_was_typed_and_not_before)
{
    auto const told = [this](Phone& phone) {
        auto const reply = world_.transport.answer({.method = "GET",
                                                    .path = "/d/enrol/state",
                                                    .headers = {{"Symbolon-Enrolment", phone.state().session.reveal()}},
                                                    .body = {}});
        return *json::parse_object(reply.body);
    };
    auto const typed = [&](Phone& phone) {
        json::Object const body{{"session", phone.state().session.reveal()},
                                {"code", std::string{world_.messages.last_code().reveal()}}};
        auto const reply = world_.transport.answer(
            {.method = "POST", .path = "/d/enrol/sms", .headers = {}, .body = json::write(body)});
        return *json::parse_object(reply.body);
    };
    world_.enrolment("e2", number_of_old, "Xy7=m#4R", "90010100101");
    ASSERT_TRUE(run_now(phone_.start_enrolment("32", number_of_old, SecretText{"Xy7=m#4R"})));
    EXPECT_FALSE(told(phone_).contains("takes_number")) << "before the code strangers learn nothing";
    EXPECT_TRUE(typed(phone_).contains("takes_number"));
    EXPECT_EQ(told(phone_).at("takes_number"), true);

    Phone own{new_phone(world_.random), world_.transport};
    enrolment_from(old_, "e3", number_of_old, "Zz9+k?7Q");
    ASSERT_TRUE(run_now(own.start_enrolment("32", number_of_old, SecretText{"Zz9+k?7Q"})));
    EXPECT_FALSE(typed(own).contains("takes_number")) << "one's own number, that moves with the account";
    EXPECT_FALSE(told(own).contains("takes_number"));

    Phone free{new_phone(world_.random), world_.transport};
    world_.enrolment("e4", other_number, "Ww2=p#5T", "85010100101");
    ASSERT_TRUE(run_now(free.start_enrolment("32", other_number, SecretText{"Ww2=p#5T"})));
    EXPECT_FALSE(typed(free).contains("takes_number")) << "a number that nobody has";
}

TEST_F(PhoneMove, E10_a_number_of_another_comes_with_a_move_too)
{
    Phone other{new_phone(world_.random), world_.transport};
    world_.enrolment("e5", other_number, "Zz9+k?7Q", "90010100101");
    ASSERT_EQ(outcome(bind(other, ready(other, other_number, "Zz9+k?7Q"))), "");
    ASSERT_EQ(outcome(move_to(phone_, other_number)), "");
    EXPECT_EQ(world_.account_now(phone_).value.phone_number.e164(), other_number);
    EXPECT_TRUE(world_.account_now(other).value.phone_number.empty());
}

TEST_F(PhoneEnrolment, the_page_that_asks_where_it_is_is_told)
{
    world_.enrolment();
    ASSERT_TRUE(start());
    EXPECT_EQ(state().at("step").as_string(), "sms");
    EXPECT_FALSE(state().contains("code_rules"));
    ASSERT_TRUE(sms(world_.messages.last_code()));
    EXPECT_EQ(state().at("step").as_string(), "code");
    EXPECT_TRUE(state().contains("code_rules"));
    world_.clock.at += 25h;
    EXPECT_EQ(state().at("outcome").as_string(), "enrolment_expired");
}

TEST_F(PhoneEnrolment, sessions_that_are_not_ours_are_unknown)
{
    for (auto const* session : {"", "short", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}) {
        auto const reply = world_.transport.answer(
            {.method = "GET", .path = "/d/enrol/state", .headers = {{"Symbolon-Enrolment", session}}, .body = {}});
        EXPECT_EQ(json::parse_object(reply.body)->at("outcome").as_string(), "enrolment_unknown") << session;
    }
}

TEST_F(PhoneEnrolment, bodies_with_members_missing_unknown_or_too_long_are_refused)
{
    auto const post = [this](std::string body) {
        auto const reply = world_.transport.answer(
            {.method = "POST", .path = "/d/enrol/start", .headers = {}, .body = std::move(body)});
        return std::string{json::parse_object(reply.body)->at("outcome").as_string()};
    };
    EXPECT_EQ(post("{"), "json_malformed");
    EXPECT_EQ(post("[]"), "json_malformed");
    EXPECT_EQ(post(R"({"calling_code":"32","number":"0470123456"})"), "request_malformed");
    EXPECT_EQ(post(R"({"calling_code":"32","number":"0470123456","token":"x","admin":true})"), "request_malformed");
    EXPECT_EQ(post(R"({"calling_code":32,"number":"0470123456","token":"x"})"), "json_malformed");
    EXPECT_EQ(post(R"({"calling_code":"32","number":")" + std::string(200, '4') + R"(","token":"x"})"),
              "request_malformed");
    EXPECT_EQ(post(R"({"calling_code":"32","number":"02 511 15 11","token":"x"})"), "phone_number_not_mobile");
}

TEST_F(PhoneEnrolment, pages_of_other_origins_are_refused)
{
    world_.enrolment();
    world_.transport.origin = "https://evil.example";
    EXPECT_EQ(outcome(start()), "origin_refused");
    world_.transport.origin = "https://phone.example";
    EXPECT_EQ(outcome(start()), "");
}

} // namespace
} // namespace symbolon::device

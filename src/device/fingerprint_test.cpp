#include "action/assurance.hpp"
#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "device/fingerprint.hpp"
#include "device/world_testing.hpp"

namespace symbolon::device {
namespace {

using testing::right_code;
using testing::World;
using testing::wrong_code;
using ActionState = action::State;
using Decision = Answer::Decision;

template <class T>
std::string outcome(Result<T> const& result)
{
    return result ? "" : std::string{name_of(result.error().outcome)};
}

Choice with_code(SecretText code = right_code, std::string symbol = "boat")
{
    return {.decision = Decision::approve,
            .symbol = std::move(symbol),
            .code = std::move(code),
            .claims = std::nullopt,
            .reason = {}};
}
Choice with_fingerprint(std::string symbol = "boat") { return with_code({}, std::move(symbol)); }

class Fingerprints : public ::testing::Test {
protected:
    World world_;
    Phone phone_ = world_.enrolled_phone();
    passkey::RelyingParty party_ = passkey::relying_party_at("https://phone.example");
    int made_ = 0;

    PhonePasskey new_passkey()
    {
        auto id = world_.random.bytes(16);
        return {.authenticator = passkey::new_authenticator(std::move(id)), .party = party_};
    }
    void turn_on() { ASSERT_EQ(outcome(run_now(phone_.turn_passkey_on(new_passkey(), right_code))), ""); }

    ActionId next_action(bool needs_passkey = false)
    {
        auto const id = world_.action(phone_, "a" + std::to_string(++made_));
        if (!needs_passkey) return id;
        auto stored = world_.action_now(id);
        stored.value.needs_passkey = true;
        EXPECT_TRUE(run_now(world_.services.actions.save(stored)));
        return id;
    }
    static Phone::ShownAction shown(Phone& phone, ActionId const& id)
    {
        auto action = run_now(phone.show(id));
        EXPECT_EQ(outcome(action), "");
        return action.value_or(Phone::ShownAction{});
    }
    Result<std::string> answer(Phone& phone, ActionId const& id, Choice choice)
    {
        return run_now(phone.answer(shown(phone, id), std::move(choice)));
    }
    std::string post(std::string path, std::string body)
    {
        auto const reply = world_.transport.answer(
            {.method = "POST", .path = std::move(path), .headers = {}, .body = std::move(body)});
        auto const object = json::parse_object(reply.body);
        return object->contains("outcome") ? std::string{object->at("outcome").as_string()} : "";
    }
    Bytes open_challenge()
    {
        auto const reply = run_now(phone_.send_signed("POST", "/d/passkey/challenge", "{}"));
        return crypto::from_base64url(*json::text(*json::parse_object(reply->body), "challenge")).value();
    }
    account::Device device() { return world_.device_now(phone_).value; }
    int tries() { return world_.vault.tries_of(device().account); }
    std::string acr_of(ActionId const& id) { return world_.action_now(id).value.achieved_acr; }
};

// ---- on and off
// ------------------------------------------------------------------------------------------------------

TEST_F(Fingerprints, D1_approve_at_substantial_and_the_code_at_low)
{
    turn_on();
    auto const first = next_action();
    EXPECT_EQ(answer(phone_, first, with_fingerprint()).value_or("?"), "approved");
    EXPECT_EQ(acr_of(first), action::assurance_substantial);
    EXPECT_EQ(world_.vault.judged, 1) << "only the code that turned it on";
    EXPECT_EQ(device().ratchet, phone_.state().ratchet) << "the ratchet turns as with the code";
    EXPECT_EQ(device().passkey->sign_count, 1);

    auto const second = next_action();
    EXPECT_EQ(answer(phone_, second, with_code()).value_or("?"), "approved");
    EXPECT_EQ(acr_of(second), action::assurance_low);
}

TEST_F(Fingerprints, A4_are_turned_on_with_the_enrolment)
{
    world_.enrolment("e2", "+32470999888", "Cd4+m?8R", "90010100101");
    Phone phone{new_phone(world_.random), world_.transport};
    ASSERT_TRUE(run_now(phone.start_enrolment("32", "+32470999888", SecretText{"Cd4+m?8R"})));
    auto const rules = run_now(phone.give_sms_code(world_.messages.last_code()));
    auto const passkey = new_passkey();
    phone.take_passkey(passkey);
    world_.transport.replies_lost = 1;
    ASSERT_EQ(outcome(run_now(phone.finish_enrolment(right_code, *rules, "Phone"))), "") << "a lost answer included";
    EXPECT_EQ(world_.device_now(phone).value.passkey->id, passkey.authenticator.credential_id);
    auto const id = world_.action(phone, "b1");
    EXPECT_EQ(answer(phone, id, with_fingerprint()).value_or("?"), "approved");
}

TEST_F(Fingerprints, A4_an_enrolment_goes_on_without_one_that_is_refused)
{
    world_.enrolment("e2", "+32470999888", "Cd4+m?8R", "90010100101");
    Phone phone{new_phone(world_.random), world_.transport};
    ASSERT_TRUE(run_now(phone.start_enrolment("32", "+32470999888", SecretText{"Cd4+m?8R"})));
    auto const rules = run_now(phone.give_sms_code(world_.messages.last_code()));
    auto unverified = new_passkey();
    unverified.authenticator.user_verified = false;
    phone.take_passkey(unverified);
    EXPECT_EQ(outcome(run_now(phone.finish_enrolment(right_code, *rules, "Phone"))), "passkey_refused");
    auto state = phone.state();
    state.passkey.reset();
    Phone without{state, world_.transport};
    EXPECT_EQ(outcome(run_now(without.finish_enrolment(right_code, *rules, "Phone"))), "");
    EXPECT_FALSE(world_.device_now(without).value.passkey);
}

TEST_F(Fingerprints, are_bound_to_the_enrolment_by_the_signature_of_the_phone)
{
    world_.enrolment("e2", "+32470999888", "Cd4+m?8R", "90010100101");
    Phone phone{new_phone(world_.random), world_.transport};
    ASSERT_TRUE(run_now(phone.start_enrolment("32", "+32470999888", SecretText{"Cd4+m?8R"})));
    ASSERT_TRUE(run_now(phone.give_sms_code(world_.messages.last_code())));
    auto finish = make_finish(phone.state(), right_code, "Phone");
    auto thief = new_passkey();
    finish.passkey = passkey::write(
        register_with(thief.authenticator, passkey_challenge(phone.state().enrol_nonce, phone.state().device), party_));
    EXPECT_EQ(post("/d/enrol/finish", write(finish)), "device_signature_invalid");
}

TEST_F(Fingerprints, need_the_code_to_be_turned_on_and_nothing_more_to_be_turned_off)
{
    auto const refused = run_now(phone_.turn_passkey_on(new_passkey(), wrong_code));
    EXPECT_EQ(outcome(refused), "code_wrong");
    EXPECT_EQ(refused.error().tries_left, 2);
    EXPECT_FALSE(device().passkey);
    turn_on();
    EXPECT_EQ(tries(), 3) << "a right code gives the tries back";
    EXPECT_TRUE(run_now(phone_.me())->at("device").as_object().at("passkey").as_bool());

    ASSERT_EQ(outcome(run_now(phone_.turn_passkey_off())), "");
    EXPECT_FALSE(run_now(phone_.me())->at("device").as_object().at("passkey").as_bool());
    ASSERT_EQ(outcome(run_now(phone_.turn_passkey_off())), "") << "off twice is off";
    auto const events = world_.history_of(phone_);
    EXPECT_EQ(std::ranges::count(events, "passkey_on"), 1);
    EXPECT_EQ(std::ranges::count(events, "passkey_off"), 1);
}

TEST_F(Fingerprints, that_are_off_approve_nothing)
{
    turn_on();
    Phone before{phone_.state(), world_.transport};
    ASSERT_TRUE(run_now(phone_.turn_passkey_off()));
    auto const id = next_action();
    EXPECT_EQ(outcome(answer(before, id, with_fingerprint())), "passkey_unknown");
    EXPECT_EQ(answer(phone_, id, with_code()).value_or("?"), "approved") << "the action stayed open";
}

TEST_F(Fingerprints, are_turned_on_once_for_each_challenge_and_within_five_minutes)
{
    auto const challenge = open_challenge();
    auto const late = make_passkey_on(phone_.state(), new_passkey(), challenge, right_code);
    world_.clock.at += 5min;
    EXPECT_EQ(post("/d/passkey/on", write(late)), "passkey_expired");

    auto const fresh = open_challenge();
    auto const passkey = new_passkey();
    auto const on = make_passkey_on(phone_.state(), passkey, fresh, right_code);
    auto const other = make_passkey_on(phone_.state(), new_passkey(), challenge, right_code);
    EXPECT_EQ(post("/d/passkey/on", write(other)), "passkey_expired") << "a challenge of before";
    EXPECT_EQ(post("/d/passkey/on", write(on)), "");
    EXPECT_EQ(post("/d/passkey/on", write(on)), "") << "its answer was lost";
    EXPECT_EQ(post("/d/passkey/on", write(make_passkey_on(phone_.state(), passkey, fresh, right_code))),
              "passkey_expired")
        << "who repeats it without being who sent it";

    // Taken off a log later, it neither turns anything on nor suspends anybody.
    auto const reply = run_now(phone_.send_signed("POST", "/d/passkey/off", "{}"));
    EXPECT_EQ(reply->status, 200);
    EXPECT_EQ(post("/d/passkey/on", write(on)), "passkey_expired");
    EXPECT_EQ(device().state, account::Device::State::bound);
}

TEST_F(Fingerprints, are_turned_on_by_the_phone_alone_for_itself_alone)
{
    auto const challenge = open_challenge();
    auto const good = make_passkey_on(phone_.state(), new_passkey(), challenge, right_code);
    auto moved = good;
    moved.passkey = make_passkey_on(phone_.state(), new_passkey(), challenge, right_code).passkey;
    EXPECT_EQ(post("/d/passkey/on", write(moved)), "device_signature_invalid");

    // Another phone's credential and challenge, under this phone's signature.
    auto other = phone_.state();
    other.device = DeviceId{"another"};
    auto foreign = new_passkey();
    auto on = good;
    on.passkey =
        passkey::write(register_with(foreign.authenticator, passkey_challenge(challenge, other.device), party_));
    on.signature = phone_.state().device_key.sign(crypto::SignatureAlgorithm::es256,
                                                  passkey_on_statement(message_of(on), on.proof));
    EXPECT_EQ(post("/d/passkey/on", write(on)), "passkey_refused");
    EXPECT_EQ(world_.vault.judged, 0) << "no try of the code for what can't succeed";
    EXPECT_EQ(tries(), 3);
}

TEST_F(Fingerprints, of_one_credential_belong_to_one_account)
{
    auto const passkey = new_passkey();
    ASSERT_TRUE(run_now(phone_.turn_passkey_on(passkey, right_code)));
    Phone other = world_.enrolled_phone("e2", "+32470999888", "90010100101");
    EXPECT_EQ(outcome(run_now(other.turn_passkey_on(passkey, right_code))), "passkey_refused");
    EXPECT_EQ(outcome(run_now(phone_.turn_passkey_on(passkey, right_code))), "passkey_refused") << "nor twice to one";
}

TEST_F(Fingerprints, are_known_again_after_the_phone_was_switched_off)
{
    turn_on();
    Phone again{*parse_phone_state(write(phone_.state()).reveal()), world_.transport};
    EXPECT_EQ(answer(again, next_action(), with_fingerprint()).value_or("?"), "approved");
    Phone once_more{*parse_phone_state(write(again.state()).reveal()), world_.transport};
    EXPECT_EQ(answer(once_more, next_action(), with_fingerprint()).value_or("?"), "approved") << "its count too";
}

// ---- what a fingerprint approves
// ---------------------------------------------------------------------------------------

TEST_F(Fingerprints, are_over_what_was_shown_and_answered)
{
    turn_on();
    auto const id = next_action();
    auto const action = shown(phone_, id);
    auto const good = make_answer(phone_.state(), action.shown, action.bytes, with_fingerprint());

    // The assertion of another answer, under a signature of this phone.
    auto moved = good;
    moved.claims = {"given_name"};
    moved.signature = phone_.state().device_key.sign(crypto::SignatureAlgorithm::es256,
                                                     answer_statement(message_of(moved), moved.proof));
    auto const path = "/d/actions/" + id.text() + "/answer";
    EXPECT_EQ(post(path, write(moved)), "passkey_wrong");
    EXPECT_EQ(world_.action_now(id).value.state, ActionState::shown) << "the holder may try again";

    auto const not_bound = make_answer(phone_.state(), action.shown, action.bytes, with_fingerprint());
    auto swapped = good;
    swapped.proof = not_bound.proof;
    EXPECT_EQ(post(path, write(swapped)), "device_signature_invalid") << "H(p) is signed by the device key";
    auto code_proof = good;
    code_proof.method = "code";
    EXPECT_EQ(post(path, write(code_proof)), "proof_malformed");
    EXPECT_EQ(post(path, write(good)), "");
    EXPECT_EQ(post(path, write(good)), "") << "its answer was lost";
    EXPECT_EQ(tries(), 3) << "no fingerprint costs a try";
}

TEST_F(Fingerprints, never_stand_alone)
{
    turn_on();
    auto const id = next_action();
    auto const action = shown(phone_, id);
    auto answer = make_answer(phone_.state(), action.shown, action.bytes, with_fingerprint());
    answer.signature =
        new_phone(world_.random)
            .device_key.sign(crypto::SignatureAlgorithm::es256, answer_statement(message_of(answer), answer.proof));
    EXPECT_EQ(post("/d/actions/" + id.text() + "/answer", write(answer)), "device_signature_invalid");
}

TEST_F(Fingerprints, D6_do_not_save_from_a_wrong_symbol)
{
    turn_on();
    auto const id = next_action();
    EXPECT_EQ(outcome(answer(phone_, id, with_fingerprint("cow"))), "symbol_wrong");
    EXPECT_EQ(world_.action_now(id).value.state, ActionState::failed);
}

TEST_F(Fingerprints, D6_do_not_unblock_after_three_wrong_codes)
{
    turn_on();
    auto const id = next_action();
    auto const action = shown(phone_, id);
    for (auto const* expected : {"code_wrong", "code_wrong", "code_blocked"})
        EXPECT_EQ(outcome(run_now(phone_.answer(action, with_code(wrong_code)))), expected);
    auto const second = next_action();
    EXPECT_EQ(outcome(run_now(phone_.show(second))), "account_blocked");
    auto made = make_answer(phone_.state(), action.shown, action.bytes, with_fingerprint());
    EXPECT_EQ(post("/d/actions/" + second.text() + "/answer", write(made)), "account_blocked");
    EXPECT_EQ(tries(), 0);
    EXPECT_EQ(outcome(run_now(phone_.turn_passkey_on(new_passkey(), right_code))), "account_blocked");
}

TEST_F(Fingerprints, D6_do_not_pass_where_only_the_vault_knows_yet_that_the_code_is_blocked)
{
    turn_on();
    auto const id = next_action();
    auto const action = shown(phone_, id);
    // The server stopped before it could write down what the vault said.
    auto const account = device().account;
    for (int n = 0; n < 3; ++n)
        ASSERT_TRUE(run_now(world_.vault.judge(account, phone_.state().device, id, Bytes(8, Byte(n)), Bytes(145, 4))));
    EXPECT_EQ(world_.account_now(phone_).value.state, account::State::active);
    EXPECT_EQ(outcome(run_now(phone_.answer(action, with_fingerprint()))), "code_blocked");
    EXPECT_EQ(world_.account_now(phone_).value.state, account::State::blocked);
    EXPECT_EQ(world_.action_now(id).value.state, ActionState::failed);
}

TEST_F(Fingerprints, wait_for_the_vault_which_alone_knows_whether_the_code_is_blocked)
{
    turn_on();
    auto const id = next_action();
    auto const action = shown(phone_, id);
    world_.vault.is_reachable = false;
    EXPECT_EQ(outcome(run_now(phone_.answer(action, with_fingerprint()))), "vault_unreachable");
    world_.vault.is_reachable = true;
    EXPECT_EQ(run_now(phone_.answer(action, with_fingerprint())).value_or("?"), "approved");
}

TEST_F(Fingerprints, give_no_tries_of_the_code_back)
{
    turn_on();
    auto const id = next_action();
    EXPECT_EQ(outcome(answer(phone_, id, with_code(wrong_code))), "code_wrong");
    EXPECT_EQ(answer(phone_, id, with_fingerprint()).value_or("?"), "approved");
    EXPECT_EQ(tries(), 2);
}

TEST_F(Fingerprints, are_needed_where_the_partner_takes_no_less)
{
    auto const first = next_action(true);
    EXPECT_TRUE(shown(phone_, first).shown.needs_passkey);
    EXPECT_EQ(outcome(answer(phone_, first, with_code())), "passkey_needed");
    EXPECT_EQ(world_.vault.judged, 0);
    turn_on();
    EXPECT_EQ(answer(phone_, first, with_fingerprint()).value_or("?"), "approved");
}

TEST_F(Fingerprints, whose_counter_stands_still_are_turned_off_and_the_code_goes_on)
{
    turn_on();
    Phone copy{phone_.state(), world_.transport};
    ASSERT_TRUE(answer(phone_, next_action(), with_fingerprint()));
    auto const id = next_action();
    EXPECT_EQ(outcome(answer(copy, id, with_fingerprint())), "passkey_clone_suspected");
    EXPECT_FALSE(device().passkey);
    EXPECT_EQ(world_.history_of(phone_).front(), "passkey_clone_suspected");
    EXPECT_EQ(answer(phone_, id, with_code()).value_or("?"), "approved");
}

TEST_F(Fingerprints, that_arrive_after_a_later_one_are_no_copys)
{
    turn_on();
    auto const first = next_action();
    auto const second = next_action();
    auto const first_shown = shown(phone_, first);
    auto const second_shown = shown(phone_, second);
    // Both under the same ratchet: the phone heard of neither when it made them.
    auto state = phone_.state();
    auto const earlier = make_answer(state, first_shown.shown, first_shown.bytes, with_fingerprint());
    ++state.passkey->authenticator.sign_count;
    auto const later = make_answer(state, second_shown.shown, second_shown.bytes, with_fingerprint());
    auto const path = [](ActionId const& id) { return "/d/actions/" + id.text() + "/answer"; };

    // Judged, and not told so: the vault was away. The holder goes on with the other request.
    world_.vault.is_reachable = false;
    EXPECT_EQ(post(path(first), write(earlier)), "vault_unreachable");
    world_.vault.is_reachable = true;
    EXPECT_EQ(post(path(second), write(later)), "");
    auto const after_the_later = device();
    EXPECT_EQ(post(path(first), write(earlier)), "") << "sent again";
    EXPECT_EQ(post(path(first), write(earlier)), "") << "and once more";
    EXPECT_EQ(world_.action_now(first).value.state, ActionState::approved);
    ASSERT_TRUE(device().passkey) << "the fingerprint is on";
    EXPECT_EQ(device().passkey->sign_count, after_the_later.passkey->sign_count);
    EXPECT_EQ(device().ratchet, after_the_later.ratchet) << "what the phone got for the later one stays good";

    state.ratchet = after_the_later.ratchet;
    ++state.passkey->authenticator.sign_count;
    Phone goes_on{state, world_.transport};
    EXPECT_EQ(answer(goes_on, next_action(), with_fingerprint()).value_or("?"), "approved");
    EXPECT_EQ(answer(goes_on, next_action(), with_fingerprint()).value_or("?"), "approved");
}

TEST_F(Fingerprints, of_a_copy_are_found_by_a_count_that_was_used_however_far_the_other_went_on)
{
    turn_on();
    Phone copy{phone_.state(), world_.transport};
    // Three approvals whose answers the phone never got: the ratchet of the copy is still good.
    auto state = phone_.state();
    auto const ratchet = state.ratchet;
    for (int n = 0; n < 3; ++n) {
        Phone deaf{state, world_.transport};
        ASSERT_EQ(answer(deaf, next_action(), with_fingerprint()).value_or("?"), "approved");
        state = deaf.state();
        state.ratchet = ratchet;
    }
    EXPECT_EQ(outcome(answer(copy, next_action(), with_fingerprint())), "passkey_clone_suspected");
    EXPECT_FALSE(device().passkey);
}

TEST_F(Fingerprints, of_a_copy_gain_one_gap_of_the_count_at_most)
{
    turn_on();
    auto lagging = phone_.state();
    auto state = phone_.state();
    ++state.passkey->authenticator.sign_count; // spent on a touch that the server never heard of
    Phone phone{std::move(state), world_.transport};
    ASSERT_EQ(answer(phone, next_action(), with_fingerprint()).value_or("?"), "approved");
    Phone copy{std::move(lagging), world_.transport};
    ASSERT_EQ(answer(copy, next_action(), with_fingerprint()).value_or("?"), "approved");
    EXPECT_EQ(outcome(answer(copy, next_action(), with_fingerprint())), "passkey_clone_suspected");
    EXPECT_FALSE(device().passkey);
}

TEST(FingerprintCounts, are_late_only_where_they_may_be)
{
    using account::Ratchet;
    account::Passkey passkey;
    passkey.sign_count = 9;
    passkey.used_counts = {4, 6, 9};
    //                              count  ratchet
    EXPECT_TRUE(may_be_late(passkey, 5, Ratchet::previous));
    EXPECT_TRUE(may_be_late(passkey, 8, Ratchet::previous));
    EXPECT_FALSE(may_be_late(passkey, 8, Ratchet::current)) << "signed by who knew of the ninth";
    EXPECT_FALSE(may_be_late(passkey, 6, Ratchet::previous)) << "used";
    EXPECT_FALSE(may_be_late(passkey, 9, Ratchet::previous)) << "used";
    EXPECT_FALSE(may_be_late(passkey, 3, Ratchet::previous)) << "before all that is remembered";
    EXPECT_FALSE(may_be_late(passkey, 0, Ratchet::previous)) << "who counted once can't stop";
    EXPECT_FALSE(may_be_late(passkey, 10, Ratchet::previous)) << "not late at all";
    passkey.used_counts.clear();
    EXPECT_FALSE(may_be_late(passkey, 5, Ratchet::previous)) << "kept by a program that remembered none";
}

TEST_F(Fingerprints, without_a_counter_are_believed)
{
    auto passkey = new_passkey();
    passkey.authenticator.counts = false;
    passkey.authenticator.backup_eligible = true;
    ASSERT_TRUE(run_now(phone_.turn_passkey_on(passkey, right_code)));
    for (int n = 0; n < 3; ++n) EXPECT_EQ(answer(phone_, next_action(), with_fingerprint()).value_or("?"), "approved");
    EXPECT_TRUE(device().passkey->backup_eligible);
    EXPECT_FALSE(device().passkey->backed_up);
}

TEST_F(Fingerprints, G5_leave_a_record_that_is_checked_offline)
{
    turn_on();
    auto const id = next_action();
    ASSERT_TRUE(answer(phone_, id, with_fingerprint()));
    auto const jws = crypto::peek_jws(text_of(world_.action_now(id).value.record));
    auto const payload = *json::parse_object(jws->payload);
    auto const bytes = [&](char const* name) { return *crypto::from_base64url(*json::text(payload, name)); };
    auto const proof = bytes("assertion");
    EXPECT_EQ(crypto::sha256(proof), bytes("proof_hash"));
    EXPECT_TRUE(bytes("grant").empty()) << "the vault had no part in it";
    auto const assertion = passkey::parse_assertion(proof).value();
    passkey::Credential const credential{
        .id = assertion.credential_id,
        .key = {*crypto::PublicKey::from_der(bytes("passkey_key")),
                *crypto::signature_algorithm_named(*json::text(payload, "passkey_algorithm"))}};
    EXPECT_TRUE(passkey::verify(assertion, credential, crypto::sha256(bytes("m")), party_));
}

// ---- copies of a phone
// ---------------------------------------------------------------------------------------------------

TEST_F(Fingerprints, T7_two_copies_of_a_phone_are_found_with_the_fingerprint_too)
{
    auto passkey = new_passkey();
    passkey.authenticator.counts = false; // a synced passkey, which its counter does not betray
    ASSERT_TRUE(run_now(phone_.turn_passkey_on(passkey, right_code)));
    Phone copy{phone_.state(), world_.transport};
    ASSERT_TRUE(answer(phone_, next_action(), with_fingerprint()));
    ASSERT_TRUE(answer(phone_, next_action(), with_fingerprint()));
    auto const waiting = next_action();
    EXPECT_EQ(outcome(answer(copy, next_action(), with_fingerprint())), "device_clone_suspected");
    EXPECT_EQ(device().state, account::Device::State::suspended);
    EXPECT_EQ(world_.action_now(waiting).value.state, ActionState::failed) << "what else was open ends too";
    EXPECT_EQ(world_.action_now(waiting).value.outcome, Outcome::device_clone_suspected);
    EXPECT_EQ(outcome(run_now(phone_.pending())), "device_suspended");
    EXPECT_EQ(outcome(run_now(copy.turn_passkey_off())), "device_suspended");
    EXPECT_EQ(std::ranges::count(world_.log.events, "device_suspended"), 1);
}

TEST_F(Fingerprints, T7_a_copy_is_found_when_it_turns_the_fingerprint_on)
{
    Phone copy{phone_.state(), world_.transport};
    ASSERT_TRUE(answer(phone_, next_action(), with_code()));
    ASSERT_TRUE(answer(phone_, next_action(), with_code()));
    EXPECT_EQ(outcome(run_now(copy.turn_passkey_on(new_passkey(), right_code))), "device_clone_suspected");
    EXPECT_EQ(world_.vault.judged, 2) << "the copy's code was not looked at";
    EXPECT_EQ(world_.history_of(phone_).front(), "clone_suspected");
    EXPECT_EQ(outcome(run_now(phone_.me())), "device_suspended");
}

TEST_F(Fingerprints, T7_a_phone_that_stopped_before_it_kept_the_new_ratchet_is_not_suspended)
{
    auto const passkey = new_passkey();
    auto const before = phone_.state();
    ASSERT_TRUE(run_now(phone_.turn_passkey_on(passkey, right_code)));
    auto kept = before; // its storage has the passkey, not yet the ratchet
    kept.passkey = passkey;
    Phone crashed{kept, world_.transport};
    EXPECT_EQ(answer(crashed, next_action(), with_fingerprint()).value_or("?"), "approved");
    EXPECT_EQ(answer(crashed, next_action(), with_fingerprint()).value_or("?"), "approved");
}

} // namespace
} // namespace symbolon::device

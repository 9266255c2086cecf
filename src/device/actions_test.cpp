#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "device/nonce.hpp"
#include "device/world_testing.hpp"
#include "vault/statement.hpp"

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

Choice approve(std::string symbol = "boat", SecretText code = right_code)
{
    return {.decision = Decision::approve,
            .symbol = std::move(symbol),
            .code = std::move(code),
            .claims = std::nullopt,
            .reason = {}};
}
Choice refuse(std::string reason = {})
{
    return {
        .decision = Decision::refuse, .symbol = {}, .code = {}, .claims = std::nullopt, .reason = std::move(reason)};
}

class PhoneActions : public ::testing::Test {
protected:
    World world_;
    Phone phone_ = world_.enrolled_phone();

    Phone::ShownAction shown(ActionId const& id)
    {
        auto action = run_now(phone_.show(id));
        EXPECT_EQ(outcome(action), "");
        return action.value_or(Phone::ShownAction{});
    }
    Result<std::string> answer(Phone::ShownAction action, Choice choice)
    {
        return run_now(phone_.answer(std::move(action), std::move(choice)));
    }
    /// What the server says to an answer that a phone would not make.
    std::string post(ActionId const& id, Answer const& answer) { return post(id, write(answer)); }
    std::string post(ActionId const& id, std::string body)
    {
        auto const reply = world_.transport.answer(
            {.method = "POST", .path = "/d/actions/" + id.text() + "/answer", .headers = {}, .body = std::move(body)});
        auto const object = json::parse_object(reply.body);
        return std::string{object->contains("outcome") ? object->at("outcome").as_string()
                                                       : object->at("state").as_string()};
    }
    Answer made(Phone::ShownAction const& action, Choice const& choice)
    {
        return make_answer(phone_.state(), action.shown, action.bytes, choice);
    }
    ActionState state_of(ActionId const& id) { return world_.action_now(id).value.state; }
    int tries() { return world_.vault.tries_of(world_.device_now(phone_).value.account); }
};

// ---- the main way --------------------------------------------------------------------------------------------------

TEST_F(PhoneActions, D1_the_phone_shows_who_asks_and_the_holder_approves_with_symbol_and_code)
{
    auto const id = world_.action(phone_);
    auto const pending = run_now(phone_.pending());
    ASSERT_TRUE(pending);
    ASSERT_EQ(pending->size(), 1);
    EXPECT_EQ(pending->front().id, id);

    auto const action = shown(id);
    EXPECT_EQ(action.shown.partner_domain, "shop.example");
    EXPECT_EQ(action.shown.browser, "Chromium on Linux");
    EXPECT_EQ(action.shown.symbols.size(), 6);
    EXPECT_EQ(state_of(id), ActionState::shown);
    EXPECT_EQ(answer(action, approve()).value_or("?"), "approved");

    auto const approved = world_.action_now(id).value;
    EXPECT_EQ(approved.state, ActionState::approved);
    EXPECT_EQ(approved.granted_claims, (std::vector<std::string>{"given_name", "email"}));
    EXPECT_EQ(approved.achieved_acr, "http://eidas.europa.eu/LoA/low");
    EXPECT_TRUE(std::ranges::count(world_.wakeups.told, ports::Wakeups::of(approved.sign_in)) > 0);
    EXPECT_EQ(world_.history_of(phone_).front(), "approved");
    EXPECT_TRUE(run_now(phone_.pending())->empty());
}

TEST_F(PhoneActions, D4_the_holder_is_asked_on_the_first_visit_and_again_only_for_more)
{
    auto const before = [&](Phone::ShownAction const& action) {
        std::vector<std::string> said;
        said.reserve(action.shown.claims.size());
        for (auto const& claim : action.shown.claims) said.push_back(claim.name + ":" + claim.before);
        return said;
    };
    auto const first = shown(world_.action(phone_, "a1"));
    EXPECT_EQ(before(first), (std::vector<std::string>{"given_name:", "email:"}));
    auto choice = approve();
    choice.claims = std::vector<std::string>{"given_name"};
    EXPECT_EQ(answer(first, choice).value_or("?"), "approved");

    auto const second = shown(world_.action(phone_, "a2"));
    EXPECT_EQ(before(second), (std::vector<std::string>{"given_name:shared", "email:kept_back"}));
    EXPECT_EQ(answer(second, choice).value_or("?"), "approved");
    auto const consent =
        run_now(world_.services.consents.find(world_.device_now(phone_).value.account,
                                              ClientId{world_.action_now(ActionId{"a1"}).value.client}))
            .value();
    ASSERT_TRUE(consent);
    EXPECT_EQ(consent->version, 1) << "nothing was written where nothing changed";
    EXPECT_EQ(consent->value.shared, std::vector<std::string>{"given_name"});
    EXPECT_EQ(consent->value.kept_back, std::vector<std::string>{"email"});
}

TEST_F(PhoneActions, D4_a_consent_is_listed_withdrawn_and_asked_again)
{
    EXPECT_EQ(answer(shown(world_.action(phone_, "a1")), approve()).value_or("?"), "approved");
    auto const list = [&] {
        auto const reply = run_now(phone_.send_signed("GET", "/d/consents", {}));
        return json::parse_object(reply->body)->at("consents").as_array();
    };
    auto const consents = list();
    ASSERT_EQ(consents.size(), 1U);
    EXPECT_EQ(consents[0].at("partner").at("domain").as_string(), "shop.example");
    EXPECT_EQ(consents[0].at("shared").as_array(), (json::Array{"given_name", "email"}));

    auto const withdraw = [&](std::string const& body) {
        return run_now(phone_.send_signed("POST", "/d/consents/withdraw", body))->status;
    };
    auto const body = json::write(json::Object{{"client", consents[0].at("client")}});
    EXPECT_EQ(withdraw("{}"), 400);
    EXPECT_EQ(withdraw(body), 200);
    EXPECT_EQ(withdraw(body), 200) << "the answer may have been lost";
    EXPECT_TRUE(list().empty());
    EXPECT_EQ(world_.history_of(phone_).front(), "consent_withdrawn");
    EXPECT_EQ(shown(world_.action(phone_, "a2")).shown.claims.front().before, "");
}

TEST_F(PhoneActions, D4_an_approval_counts_after_a_withdrawal_that_came_while_the_question_was_shown)
{
    EXPECT_EQ(answer(shown(world_.action(phone_, "a1")), approve()).value_or("?"), "approved");
    auto const second = shown(world_.action(phone_, "a2"));
    EXPECT_EQ(second.shown.claims.front().before, "shared");
    ClientId const client{world_.action_now(ActionId{"a1"}).value.client};
    auto const body = json::write(json::Object{{"client", client.text()}});
    ASSERT_EQ(run_now(phone_.send_signed("POST", "/d/consents/withdraw", body))->status, 200);

    EXPECT_EQ(answer(second, approve()).value_or("?"), "approved");
    auto const consent =
        run_now(world_.services.consents.find(world_.device_now(phone_).value.account, client)).value();
    ASSERT_TRUE(consent);
    EXPECT_EQ(consent->value.shared, (std::vector<std::string>{"given_name", "email"}));
}

TEST_F(PhoneActions, D5_this_was_not_me_ends_the_action_mutes_who_asked_and_warns_the_account)
{
    auto const from = [&](std::string const& id, Byte browser, Byte network) {
        auto stored = world_.action_now(world_.action(phone_, id));
        stored.value.origin = {.browser = Bytes(32, browser), .network = Bytes(32, network)};
        EXPECT_TRUE(run_now(world_.services.actions.save(stored)));
        return stored.value.id;
    };
    auto const bad = shown(from("a1", 1, 1));
    auto const body = write(made(bad, refuse("not_me")));
    auto const path = "/d/actions/a1/answer";
    auto const reply = world_.transport.answer({.method = "POST", .path = path, .headers = {}, .body = body});
    auto const until = world_.clock.at + world_.settings->limits.mute_lifetime;
    EXPECT_EQ(json::parse_object(reply.body)->at("muted_until").as_int64(), numeric_date(until));
    EXPECT_EQ(world_.transport.answer({.method = "POST", .path = path, .headers = {}, .body = body}).body, reply.body)
        << "the same again";
    EXPECT_EQ(state_of(bad.shown.action), ActionState::refused);

    (void)from("a2", 1, 2);
    (void)from("a3", 2, 1);
    auto const other = from("a4", 3, 3);
    auto pending = run_now(phone_.pending()).value();
    ASSERT_EQ(pending.size(), 3U);
    EXPECT_EQ(pending[0].id, other);
    EXPECT_TRUE(pending[0].rings);
    EXPECT_TRUE(pending[1].muted && pending[2].muted) << "in the list, silently";
    EXPECT_FALSE(pending[1].rings || pending[2].rings);

    auto const mutes = run_now(phone_.me())->at("mutes").as_array();
    ASSERT_EQ(mutes.size(), 1U);
    EXPECT_EQ(mutes[0].at("domain").as_string(), "shop.example");
    EXPECT_EQ(mutes[0].at("until").as_int64(), numeric_date(until));
    world_.clock.at = until;
    EXPECT_TRUE(run_now(phone_.me())->at("mutes").as_array().empty());
}

TEST_F(PhoneActions, D5_another_refusal_mutes_nobody)
{
    auto const reply =
        world_.transport.answer({.method = "POST",
                                 .path = "/d/actions/a1/answer",
                                 .headers = {},
                                 .body = write(made(shown(world_.action(phone_, "a1")), refuse("changed_mind")))});
    EXPECT_EQ(reply.body, R"({"state":"refused"})");
    EXPECT_TRUE(world_.device_now(phone_).value.mutes.empty());
}

TEST_F(PhoneActions, D5_a_browser_from_which_the_holder_approved_is_known)
{
    auto stored = world_.action_now(world_.action(phone_, "a1"));
    stored.value.origin = {.browser = Bytes(32, 7), .network = Bytes(32, 7)};
    ASSERT_TRUE(run_now(world_.services.actions.save(stored)));
    EXPECT_EQ(answer(shown(stored.value.id), approve()).value_or("?"), "approved");
    ASSERT_EQ(world_.device_now(phone_).value.known_browsers.size(), 1U);
    EXPECT_EQ(world_.device_now(phone_).value.known_browsers[0].browser, Bytes(32, 7));
}

TEST_F(PhoneActions, the_shown_bytes_do_not_tell_the_right_symbol)
{
    auto const first = shown(world_.action(phone_, "a1"));
    auto text = string_of(first.bytes);
    auto const at = text.find("\"symbols\"");
    EXPECT_EQ(text.substr(0, at).find("boat"), std::string::npos);
    EXPECT_EQ(text.find("boat", at), text.rfind("boat"));
}

TEST_F(PhoneActions, the_same_bytes_are_shown_again)
{
    auto const id = world_.action(phone_);
    EXPECT_EQ(shown(id).bytes, shown(id).bytes);
}

TEST_F(PhoneActions, optional_claims_can_be_left_out_and_required_ones_cannot)
{
    auto const id = world_.action(phone_);
    auto const action = shown(id);
    auto with = [](std::vector<std::string> claims) {
        auto choice = approve();
        choice.claims = std::move(claims);
        return choice;
    };
    EXPECT_EQ(outcome(answer(action, with({}))), "claims_not_allowed");
    EXPECT_EQ(outcome(answer(action, with({"email"}))), "claims_not_allowed");
    EXPECT_EQ(outcome(answer(action, with({"given_name", "address"}))), "claims_not_allowed");
    EXPECT_EQ(outcome(answer(action, with({"given_name", "given_name"}))), "claims_not_allowed");
    EXPECT_EQ(outcome(answer(action, with({"email", "given_name"}))), "claims_not_allowed");
    EXPECT_EQ(world_.vault.judged, 0);
    ASSERT_EQ(outcome(answer(action, with({"given_name"}))), "");
    EXPECT_EQ(world_.action_now(id).value.granted_claims, std::vector<std::string>{"given_name"});
}

TEST_F(PhoneActions, D5_a_refusal_ends_the_action_without_a_code)
{
    auto const id = world_.action(phone_);
    EXPECT_EQ(answer(shown(id), refuse("not_me")).value_or("?"), "refused");
    EXPECT_EQ(state_of(id), ActionState::refused);
    EXPECT_EQ(world_.vault.judged, 0);
    EXPECT_EQ(world_.history_of(phone_).front(), "refused");
}

// ---- wrong answers
// ---------------------------------------------------------------------------------------------------

TEST_F(PhoneActions, D6_a_wrong_symbol_ends_the_action_and_takes_no_try_of_the_code)
{
    auto const id = world_.action(phone_);
    auto const action = shown(id);
    EXPECT_EQ(outcome(answer(action, approve("cow"))), "symbol_wrong");
    EXPECT_EQ(state_of(id), ActionState::failed);
    EXPECT_EQ(world_.action_now(id).value.outcome, Outcome::symbol_wrong);
    EXPECT_EQ(world_.vault.judged, 0);
    EXPECT_EQ(outcome(answer(action, approve("boat"))), "action_closed") << "there is no second look";
}

TEST_F(PhoneActions, D6_a_wrong_code_says_how_many_tries_are_left_and_the_action_stays_open)
{
    auto const id = world_.action(phone_);
    auto const action = shown(id);
    for (int const left : {2, 1}) {
        auto const wrong = answer(action, approve("boat", wrong_code));
        ASSERT_EQ(outcome(wrong), "code_wrong");
        EXPECT_EQ(wrong.error().tries_left, left);
    }
    EXPECT_EQ(state_of(id), ActionState::shown);
    EXPECT_EQ(answer(action, approve()).value_or("?"), "approved");
    EXPECT_EQ(tries(), 3);
}

TEST_F(PhoneActions, D6_three_wrong_codes_block_the_account_whatever_action_lies_between)
{
    for (auto const* id : {"a1", "a2"}) {
        auto const wrong = answer(shown(world_.action(phone_, id)), approve("boat", wrong_code));
        EXPECT_EQ(outcome(wrong), "code_wrong");
    }
    auto const last = world_.action(phone_, "a3");
    EXPECT_EQ(outcome(answer(shown(last), approve("boat", wrong_code))), "code_blocked");
    EXPECT_EQ(world_.account_now(phone_).value.state, account::State::blocked);
    EXPECT_EQ(state_of(last), ActionState::failed);
    EXPECT_EQ(world_.history_of(phone_).front(), "blocked");

    auto const next = world_.action(phone_, "a4");
    EXPECT_TRUE(run_now(phone_.pending())->empty());
    EXPECT_EQ(outcome(run_now(phone_.show(next))), "account_blocked");
    EXPECT_EQ(run_now(phone_.me())->at("account").as_object().at("state").as_string(), "blocked");
}

TEST_F(PhoneActions, a_vault_that_is_away_costs_nothing)
{
    auto const id = world_.action(phone_);
    auto const action = shown(id);
    world_.vault.is_reachable = false;
    EXPECT_EQ(outcome(answer(action, approve())), "vault_unreachable");
    EXPECT_EQ(state_of(id), ActionState::shown);
    world_.vault.is_reachable = true;
    EXPECT_EQ(answer(action, approve()).value_or("?"), "approved");
}

// ---- who may answer
// --------------------------------------------------------------------------------------------------

TEST_F(PhoneActions, nothing_is_counted_without_the_phones_signature)
{
    auto const id = world_.action(phone_);
    auto forged = made(shown(id), approve("boat", wrong_code));
    forged.signature.front() ^= 1;
    for (int i = 0; i < 5; ++i) EXPECT_EQ(post(id, forged), "device_signature_invalid");
    auto changed = made(shown(id), approve());
    changed.symbol = "cow";
    EXPECT_EQ(post(id, changed), "device_signature_invalid");
    auto swapped = made(shown(id), approve());
    swapped.proof = made(shown(id), approve("boat", wrong_code)).proof;
    EXPECT_EQ(post(id, swapped), "device_signature_invalid");
    EXPECT_EQ(world_.vault.judged, 0);
    EXPECT_EQ(state_of(id), ActionState::shown);
}

TEST_F(PhoneActions, an_unknown_phone_is_told_so)
{
    auto const id = world_.action(phone_);
    Phone stranger{new_phone(world_.random), world_.transport};
    EXPECT_EQ(outcome(run_now(stranger.pending())), "device_unknown");
    EXPECT_EQ(outcome(run_now(stranger.show(id))), "device_unknown");
    auto other = made(shown(id), refuse());
    other.device = stranger.state().device;
    EXPECT_EQ(post(id, other), "device_unknown");
}

TEST_F(PhoneActions, another_accounts_action_is_as_unknown_as_none)
{
    auto const mine = world_.action(phone_);
    auto const action = shown(mine);
    auto other = world_.enrolled_phone("e2", "+32478111111", "90010100144");
    EXPECT_EQ(outcome(run_now(other.show(mine))), "action_unknown");
    EXPECT_EQ(outcome(run_now(other.show(ActionId{"nothing"}))), "action_unknown");
    EXPECT_EQ(outcome(run_now(other.answer(action, refuse()))), "action_unknown");
    EXPECT_TRUE(run_now(other.pending())->empty());
    EXPECT_EQ(state_of(mine), ActionState::shown);
}

TEST_F(PhoneActions, an_action_for_the_accounts_other_phone_is_not_for_this_one)
{
    auto const id = world_.action(phone_);
    auto const action = shown(id);
    auto stored = world_.action_now(id);
    auto moved = stored.value;
    moved.device = DeviceId{"another phone"};
    ASSERT_TRUE(run_now(world_.services.actions.save(ports::changed(stored, moved))));
    EXPECT_EQ(outcome(run_now(phone_.show(id))), "action_of_other_device");
    EXPECT_EQ(outcome(answer(action, refuse())), "action_of_other_device");
    EXPECT_TRUE(run_now(phone_.pending())->empty());
}

TEST_F(PhoneActions, an_unbound_or_suspended_phone_is_told_which)
{
    using enum account::Device::State;
    auto const id = world_.action(phone_);
    auto const action = shown(id);
    for (auto const& [state, name] : {std::pair{unbound, "device_unbound"}, std::pair{suspended, "device_suspended"}}) {
        auto const stored = world_.device_now(phone_);
        auto changed = stored.value;
        changed.state = state;
        ASSERT_TRUE(run_now(world_.services.devices.save(ports::changed(stored, changed))));
        EXPECT_EQ(outcome(run_now(phone_.pending())), name);
        EXPECT_EQ(outcome(answer(action, approve())), name);
    }
}

TEST_F(PhoneActions, a_deactivated_account_answers_nothing)
{
    auto const action = shown(world_.action(phone_));
    auto const stored = world_.account_now(phone_);
    auto const deactivated = *account::apply(stored.value, account::Event::deactivate);
    ASSERT_TRUE(run_now(world_.services.accounts.save(ports::changed(stored, deactivated),
                                                      store::testing::entry(deactivated.id, "deactivated"))));
    EXPECT_EQ(outcome(run_now(phone_.pending())), "account_deactivated");
    EXPECT_EQ(outcome(answer(action, approve())), "account_deactivated");
}

// ---- time and order
// --------------------------------------------------------------------------------------------------

TEST_F(PhoneActions, nobody_answers_what_was_not_shown)
{
    auto const id = world_.action(phone_);
    auto const other = shown(world_.action(phone_, "a2"));
    EXPECT_EQ(post(id, made(other, approve())), "action_not_shown");
    shown(id);
    EXPECT_EQ(post(id, made(other, approve())), "action_not_shown") << "signed over another action's bytes";
    EXPECT_EQ(world_.vault.judged, 0);
}

TEST_F(PhoneActions, D5_after_three_minutes_it_is_too_late)
{
    auto const id = world_.action(phone_);
    auto const action = shown(id);
    world_.clock.at += 3min;
    EXPECT_EQ(outcome(answer(action, approve())), "action_expired");
    EXPECT_EQ(outcome(run_now(phone_.show(id))), "action_expired");
    EXPECT_TRUE(run_now(phone_.pending())->empty());
    EXPECT_EQ(world_.vault.judged, 0);
}

TEST_F(PhoneActions, an_answered_action_takes_no_other_answer)
{
    auto const id = world_.action(phone_);
    auto const action = shown(id);
    ASSERT_TRUE(answer(action, refuse()));
    EXPECT_EQ(outcome(answer(action, approve())), "action_closed");
    EXPECT_EQ(outcome(run_now(phone_.show(id))), "action_closed");
}

TEST_F(PhoneActions, an_answer_whose_reply_was_lost_is_sent_again_and_counts_once)
{
    auto const id = world_.action(phone_);
    auto const action = shown(id);
    world_.transport.replies_lost = 1;
    EXPECT_EQ(answer(action, approve()).value_or("?"), "approved");
    EXPECT_EQ(phone_.state().ratchet, world_.device_now(phone_).value.ratchet);
    EXPECT_EQ(world_.vault.judged, 1);

    auto const second = world_.action(phone_, "a2");
    auto const refused = shown(second);
    world_.transport.replies_lost = 1;
    EXPECT_EQ(answer(refused, refuse()).value_or("?"), "refused");
}

// ---- copies of a phone
// -------------------------------------------------------------------------------------------------

TEST_F(PhoneActions, a_phone_that_never_got_the_last_answer_goes_on)
{
    auto const before = phone_.state();
    ASSERT_TRUE(answer(shown(world_.action(phone_, "a1")), approve()));

    Phone crashed{before, world_.transport}; // its storage still has the ratchet of before
    auto const second = run_now(crashed.show(world_.action(phone_, "a2")));
    EXPECT_EQ(run_now(crashed.answer(*second, approve())).value_or("?"), "approved");
    auto const third = run_now(crashed.show(world_.action(phone_, "a3")));
    EXPECT_EQ(run_now(crashed.answer(*third, approve())).value_or("?"), "approved");
}

// Seed 240 of the simulation: the phone was suspended as a copy of itself.
TEST_F(PhoneActions, D1_a_phone_whose_answers_are_lost_twice_and_more_often_is_no_copy)
{
    auto const before = phone_.state();
    for (auto const* id : {"a1", "a2", "a3"}) {
        Phone again{before, world_.transport}; // never got a ratchet
        auto const action = run_now(again.show(world_.action(phone_, id)));
        world_.transport.replies_lost = 1;
        EXPECT_EQ(run_now(again.answer(*action, approve())).value_or("?"), "approved") << id;
        EXPECT_EQ(again.state().ratchet, world_.device_now(phone_).value.ratchet) << id;
    }
}

TEST_F(PhoneActions, two_copies_of_a_phone_suspend_each_other)
{
    Phone copy{phone_.state(), world_.transport};
    ASSERT_TRUE(answer(shown(world_.action(phone_, "a1")), approve()));
    ASSERT_TRUE(answer(shown(world_.action(phone_, "a2")), approve()));

    auto const id = world_.action(phone_, "a3");
    auto const action = run_now(copy.show(id));
    ASSERT_TRUE(action);
    EXPECT_EQ(outcome(run_now(copy.answer(*action, approve()))), "device_clone_suspected");
    EXPECT_EQ(state_of(id), ActionState::failed);
    EXPECT_EQ(world_.vault.judged, 2) << "the copy's code was not looked at";
    EXPECT_EQ(outcome(run_now(phone_.pending())), "device_suspended");
    EXPECT_EQ(outcome(run_now(copy.pending())), "device_suspended");
    EXPECT_EQ(world_.history_of(phone_).front(), "clone_suspected");
}

TEST_F(PhoneActions, after_the_previous_ratchet_was_used_the_one_it_replaced_is_an_alarm)
{
    Phone copy{phone_.state(), world_.transport};
    ASSERT_TRUE(answer(shown(world_.action(phone_, "a1")), approve())); // phone_ now has r1
    auto const second = run_now(copy.show(world_.action(phone_, "a2")));
    ASSERT_TRUE(run_now(copy.answer(*second, approve()))); // r0, the previous one
    EXPECT_EQ(outcome(answer(shown(world_.action(phone_, "a3")), approve())), "device_clone_suspected");
}

TEST_F(PhoneActions, a_copy_cannot_fetch_the_next_ratchet_by_repeating_an_answer_it_did_not_send)
{
    Phone const copy{phone_.state(), world_.transport};
    auto const id = world_.action(phone_);
    auto const action = shown(id);
    ASSERT_TRUE(answer(action, approve()));
    auto const same_message = make_answer(copy.state(), action.shown, action.bytes, approve());
    EXPECT_EQ(post(id, same_message), "action_closed") << "its proof is another one";
}

// ---- the record
// ------------------------------------------------------------------------------------------------------

TEST_F(PhoneActions, G5_the_record_proves_offline_what_was_shown_and_who_answered)
{
    auto const id = world_.action(phone_);
    auto const action = shown(id);
    ASSERT_TRUE(answer(action, approve()));
    auto const record = world_.action_now(id).value.record;

    std::vector<crypto::VerificationKey> const server{
        {.key_id = "records-1", .algorithm = {}, .key = world_.settings->record_key.key.public_key()}};
    std::array const allowed{crypto::SignatureAlgorithm::es256};
    auto const jws = crypto::verify_jws(text_of(record), server, allowed);
    ASSERT_TRUE(jws);
    auto const payload = *json::parse_object(jws->payload);
    auto const bytes = [&](char const* name) { return *crypto::from_base64url(*json::text(payload, name)); };

    EXPECT_EQ(bytes("tx"), action.bytes);
    auto const m = bytes("m");
    auto const proof_hash = bytes("proof_hash");
    auto const device_key = *crypto::PublicKey::from_jwk(payload.at("device_key").as_object());
    EXPECT_EQ(device_key.thumbprint(), *json::text(payload, "did"));
    EXPECT_TRUE(device_key.verifies(crypto::SignatureAlgorithm::es256,
                                    vault::statement("symbolon-answer-signature-v1", {m, proof_hash}),
                                    bytes("signature")));
    auto const grant = bytes("grant");
    auto const granted = vault::grant_statement(world_.device_now(phone_).value.account, phone_.state().device, 1, id,
                                                crypto::sha256(m), world_.clock.now());
    ASSERT_EQ(grant.size(), granted.size() + 64);
    EXPECT_TRUE(world_.vault.keys.keys.grants.public_key().verifies(crypto::SignatureAlgorithm::eddsa, granted,
                                                                    ByteView{grant}.last(64)));
    EXPECT_EQ(*json::text(payload, "state"), "approved");
    EXPECT_EQ(*json::text(payload, "symbol"), "right");
}

TEST_F(PhoneActions, G5_refusals_and_wrong_symbols_leave_a_record_too)
{
    auto const first = world_.action(phone_, "a1");
    EXPECT_EQ(answer(shown(first), refuse()).value_or("?"), "refused");
    auto const second = world_.action(phone_, "a2");
    EXPECT_EQ(outcome(answer(shown(second), approve("cow"))), "symbol_wrong");
    auto const symbol = [this](ActionId const& id) {
        auto const jws = crypto::peek_jws(text_of(world_.action_now(id).value.record));
        return *json::text(*json::parse_object(jws->payload), "symbol");
    };
    EXPECT_EQ(symbol(first), "none");
    EXPECT_EQ(symbol(second), "wrong");
}

// ---- signed requests
// -------------------------------------------------------------------------------------------------

TEST_F(PhoneActions, a_request_is_signed_for_its_method_path_and_body)
{
    auto const id = world_.action(phone_);
    auto const nonce = make_nonce(world_.settings->nonce_key, world_.clock.now());
    auto const ask = [&](std::string method, std::string path, std::string body, std::string authorization) {
        auto const reply = world_.transport.answer({.method = std::move(method),
                                                    .path = std::move(path),
                                                    .headers = {{"Authorization", std::move(authorization)}},
                                                    .body = std::move(body)});
        auto const object = json::parse_object(reply.body);
        return std::string{object->contains("outcome") ? object->at("outcome").as_string() : ""};
    };
    auto const path = "/d/actions/" + id.text() + "/show";
    auto const right = sign_request(phone_.state(), "POST", path, nonce, "{}");
    EXPECT_EQ(ask("POST", path, "{}", right), "");
    EXPECT_EQ(ask("POST", path, "{ }", right), "device_signature_invalid");
    EXPECT_EQ(ask("GET", "/d/pending", "", right), "device_signature_invalid");
    EXPECT_EQ(ask("GET", "/d/pending", "", ""), "device_signature_invalid");
    EXPECT_EQ(ask("GET", "/d/pending", "", "Bearer abc"), "device_signature_invalid");
    EXPECT_EQ(ask("POST", path, "{}", right + " "), "device_signature_invalid");
}

TEST_F(PhoneActions, nonces_are_the_servers_and_last_five_minutes)
{
    auto const at = [this](Instant made) { return make_nonce(world_.settings->nonce_key, made); };
    auto const now = world_.clock.now();
    auto const judge = [this, now](std::string const& nonce) {
        return outcome(check_nonce(world_.settings->nonce_key, nonce, now, 5min));
    };
    EXPECT_EQ(judge(at(now)), "");
    EXPECT_EQ(judge(at(now - 299s)), "");
    EXPECT_EQ(judge(at(now - 300s)), "device_nonce_needed");
    EXPECT_EQ(judge(at(now + 301s)), "device_nonce_needed");
    EXPECT_EQ(judge(make_nonce(SecretBytes{Bytes(32, 1)}, now)), "device_nonce_needed");
    EXPECT_EQ(judge(""), "device_nonce_needed");
    EXPECT_EQ(judge("!"), "device_nonce_needed");
}

TEST_F(PhoneActions, an_old_nonce_is_replaced_without_a_word)
{
    ASSERT_TRUE(run_now(phone_.pending()));
    world_.clock.at += 10min;
    EXPECT_EQ(outcome(run_now(phone_.pending())), "");
}

TEST_F(PhoneActions, answers_out_of_shape_are_refused)
{
    auto const id = world_.action(phone_);
    auto const good = *json::parse_object(write(made(shown(id), approve())));
    auto const with = [&](char const* member, json::Value value) {
        auto changed = good;
        changed[member] = std::move(value);
        return post(id, json::write(changed));
    };
    EXPECT_EQ(with("answer", "maybe"), "request_malformed");
    EXPECT_EQ(with("method", "passkey"), "proof_malformed");
    EXPECT_EQ(with("reason", "not_me"), "request_malformed");
    EXPECT_EQ(with("ratchet", "AA"), "request_malformed");
    EXPECT_EQ(with("shown", "%"), "encoding_malformed");
    EXPECT_EQ(with("proof", "AA"), "proof_malformed");
    EXPECT_EQ(with("proof", ""), "proof_malformed");
    EXPECT_EQ(with("claims", "given_name"), "json_malformed");
    EXPECT_EQ(with("claims", json::Array(50, "x")), "request_malformed");
    EXPECT_EQ(with("did", 7), "json_malformed");
    EXPECT_EQ(with("more", 1), "request_malformed");
    EXPECT_EQ(with("answer", "refuse"), "request_malformed") << "a refusal has no code";
    auto less = good;
    less.erase("reason");
    EXPECT_EQ(post(id, json::write(less)), "request_malformed");
    EXPECT_EQ(post(id, std::string(9000, ' ')), "request_too_large");
    EXPECT_EQ(world_.vault.judged, 0);
}

// ---- the stream of events
// ----------------------------------------------------------------------------------------------

class KeptEvents final : public http::EventSink {
public:
    Flow<void> send(std::string event, std::string data) override
    {
        events.emplace_back(std::move(event), std::move(data));
        co_return {};
    }
    std::vector<std::pair<std::string, std::string>> events;
};

TEST_F(PhoneActions, D1_an_open_app_hears_of_an_action_at_once_and_of_its_end)
{
    auto const nonce = make_nonce(world_.settings->nonce_key, world_.clock.now());
    auto const response = world_.transport.response(
        {.method = "GET",
         .path = "/d/events",
         .headers = {{"Authorization", sign_request(phone_.state(), "GET", "/d/events", nonce, "")}},
         .body = {}});
    ASSERT_TRUE(response.events);
    KeptEvents kept;
    auto stream = response.events(kept);
    stream.start([] {});
    ASSERT_EQ(kept.events.size(), 1);
    EXPECT_TRUE(parse_pending(kept.events.back().second)->empty());

    auto const id = world_.action(phone_);
    ASSERT_EQ(kept.events.size(), 2);
    EXPECT_EQ(parse_pending(kept.events.back().second)->front().id, id);

    world_.clock.at += 3min;
    world_.wakeups.time_is(world_.clock.now());
    EXPECT_TRUE(parse_pending(kept.events.back().second)->empty()) << "it ran out, and nobody told";

    auto const stored = world_.device_now(phone_);
    auto unbound = stored.value;
    unbound.state = account::Device::State::unbound;
    ASSERT_TRUE(run_now(world_.services.devices.save(ports::changed(stored, unbound))));
    world_.wakeups.tell(ports::Wakeups::of(stored.value.account));
    EXPECT_EQ(kept.events.back().first, "ended");
    EXPECT_TRUE(stream.ended());
}

TEST_F(PhoneActions, a_stream_ends_by_itself_after_its_time)
{
    auto const nonce = make_nonce(world_.settings->nonce_key, world_.clock.now());
    auto const response = world_.transport.response(
        {.method = "GET",
         .path = "/d/events",
         .headers = {{"Authorization", sign_request(phone_.state(), "GET", "/d/events", nonce, "")}},
         .body = {}});
    KeptEvents kept;
    auto stream = response.events(kept);
    stream.start([] {});
    world_.clock.at += world_.settings->limits.event_stream_lifetime;
    world_.wakeups.time_is(world_.clock.now());
    EXPECT_TRUE(stream.ended());
}

// ---- what a phone keeps
// ----------------------------------------------------------------------------------------------

TEST_F(PhoneActions, a_phone_goes_on_after_it_was_switched_off)
{
    auto const kept = parse_phone_state(write(phone_.state()).reveal());
    ASSERT_TRUE(kept);
    Phone again{*kept, world_.transport};
    auto const action = run_now(again.show(world_.action(phone_)));
    EXPECT_EQ(run_now(again.answer(*action, approve())).value_or("?"), "approved");
    EXPECT_EQ(outcome(parse_phone_state("{}")), "data_damaged");
}

} // namespace
} // namespace symbolon::device

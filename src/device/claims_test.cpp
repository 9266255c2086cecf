#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "crypto/jws.hpp"
#include "device/world_testing.hpp"
#include "entry/offer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

/// D3: phones that go to a page.
namespace symbolon::device {
namespace {

using testing::right_code;
using testing::World;
using By = Claim::By;
using ActionState = action::State;

template <class T>
std::string outcome(Result<T> const& result)
{
    return result ? "" : std::string{name_of(result.error().outcome)};
}

class Claims : public ::testing::Test {
protected:
    World world_;
    Phone phone_ = world_.enrolled_phone();

    void SetUp() override { ASSERT_TRUE(run_now(world_.services.clients.add(store::testing::client("shop")))); }

    Phone other_phone() { return world_.enrolled_phone("e2", "+32470999999", "90010100101"); }

    Bytes const network = Bytes(32, 4);

    /// A browser is at the sign-in page.
    SignInId page(std::string id = "page")
    {
        auto it = store::testing::sign_in(std::move(id));
        it.action.reset();
        it.outcome.reset();
        it.request.id_token_claims.clear(); // no level is required
        it.network = network;
        it.created_at = world_.clock.now();
        it.expires_at = world_.clock.now() + 15min;
        entry::make_offer(it, world_.clock.now(), world_.random);
        EXPECT_TRUE(run_now(world_.services.sign_ins.add(it)));
        return it.id;
    }
    ports::Stored<grant::SignIn> sign_in(SignInId const& id)
    {
        return run_now(world_.services.sign_ins.find(id)).value().value();
    }
    Claim scanned(SignInId const& id, By by = By::scan)
    {
        return {.by = by, .value = entry::qr_value(sign_in(id).value, world_.clock.now())};
    }
    Claim linked(SignInId const& id) { return {.by = By::link, .value = entry::link_value(sign_in(id).value)}; }
    Claim typed(SignInId const& id) { return {.by = By::code, .value = sign_in(id).value.short_code}; }

    static Choice approval(Phone::ShownAction const& action, std::string symbol)
    {
        return {.decision = Answer::Decision::approve,
                .symbol = action.shown.wants_symbol() ? std::move(symbol) : std::string{},
                .code = right_code,
                .claims = std::nullopt,
                .reason = {}};
    }
    std::string approve(Phone& phone, ActionId const& id)
    {
        auto const action = run_now(phone.show(id));
        if (!action) return outcome(action);
        auto const symbol = world_.action_now(id).value.symbol;
        auto const state = run_now(phone.answer(*action, approval(*action, symbol)));
        return state ? *state : outcome(state);
    }
    std::string wrong_symbol(ActionId const& id)
    {
        auto const& action = world_.action_now(id).value;
        return *std::ranges::find_if(action.symbols, [&](auto const& one) { return one != action.symbol; });
    }
    json::Object record_of(ActionId const& id)
    {
        auto const& record = world_.action_now(id).value.record;
        auto const jws = crypto::peek_jws(text_of(record)).value();
        return json::parse_object(jws.payload).value();
    }
};

TEST_F(Claims, D3_a_qr_code_that_the_camera_saw_needs_no_symbol)
{
    auto const at = page();
    auto const id = run_now(phone_.claim(scanned(at)));
    ASSERT_EQ(outcome(id), "");
    EXPECT_EQ(sign_in(at).value.action, *id);
    auto const action = run_now(phone_.show(*id)).value();
    EXPECT_EQ(action.shown.entry, "qr");
    EXPECT_TRUE(action.shown.symbols.empty());
    EXPECT_EQ(approve(phone_, *id), "approved");
    EXPECT_EQ(world_.action_now(*id).value.tied, action::Tied::scanned);
    EXPECT_EQ(record_of(*id).at("tied"), "scanned");
}

TEST_F(Claims, D3_a_qr_code_that_came_as_an_address_needs_the_symbol)
{
    auto const at = page();
    auto const id = run_now(phone_.claim(scanned(at, By::address))).value();
    auto const action = run_now(phone_.show(id)).value();
    ASSERT_EQ(action.shown.symbols.size(), 6U) << "somebody may have sent the address on this very second";
    EXPECT_EQ(outcome(run_now(phone_.answer(action, approval(action, wrong_symbol(id))))), "symbol_wrong");
    EXPECT_EQ(world_.action_now(id).value.state, ActionState::failed);
}

TEST_F(Claims, D3_a_short_code_needs_the_symbol)
{
    auto const id = run_now(phone_.claim(typed(page()))).value();
    EXPECT_EQ(run_now(phone_.show(id))->shown.entry, "code");
    EXPECT_EQ(approve(phone_, id), "approved");
    EXPECT_EQ(record_of(id).at("tied"), "matched");
}

TEST_F(Claims, take_a_symbol_exactly_where_one_is_asked)
{
    auto const typed_one = run_now(phone_.claim(typed(page("typed")))).value();
    auto const seen_one = run_now(phone_.claim(scanned(page("seen")))).value();
    for (auto const& [id, symbol] : {std::pair{typed_one, ""}, std::pair{seen_one, "boat"}}) {
        auto const action = run_now(phone_.show(id)).value();
        auto choice = approval(action, symbol);
        choice.symbol = symbol;
        EXPECT_EQ(outcome(run_now(phone_.answer(action, choice))), "request_malformed");
        EXPECT_EQ(approve(phone_, id), "approved") << "nothing was used up";
    }
}

TEST_F(Claims, D3_an_old_qr_code_is_refused_as_such_and_changes_nothing)
{
    auto const at = page();
    auto const seen = scanned(at);
    world_.clock.at += 2s;
    EXPECT_EQ(outcome(run_now(phone_.claim(seen))), "qr_too_old");
    EXPECT_FALSE(sign_in(at).value.action);
    EXPECT_EQ(outcome(run_now(phone_.claim(scanned(at)))), "") << "the one that is shown now is good";
}

TEST_F(Claims, D3_of_two_phones_the_first_has_the_page)
{
    auto other = other_phone();
    for (std::string const way : {"typed", "linked"}) {
        auto const at = page(way);
        auto const claim = way == "typed" ? typed(at) : linked(at);
        auto const seen = scanned(at);
        auto const mine = run_now(phone_.claim(seen)).value();
        EXPECT_EQ(outcome(run_now(other.claim(seen))), "entry_taken");
        // The page shows the short code no longer.
        EXPECT_EQ(outcome(run_now(other.claim(claim))), claim.by == By::code ? "entry_unknown" : "entry_taken");
        EXPECT_EQ(outcome(run_now(other.show(mine))), "action_unknown");
        EXPECT_EQ(sign_in(at).value.action, mine);
    }
}

TEST_F(Claims, D3_a_claim_whose_answer_was_lost_gives_the_same_action_again)
{
    auto const at = page();
    auto const claim = linked(at);
    world_.transport.replies_lost = 1;
    EXPECT_EQ(outcome(run_now(phone_.claim(claim))), "upstream_unreachable");
    auto const id = run_now(phone_.claim(claim)).value();
    EXPECT_EQ(run_now(phone_.claim(claim)).value(), id);
    EXPECT_EQ(run_now(phone_.pending())->size(), 1U);
}

TEST_F(Claims, of_pages_that_have_gone_on_are_refused)
{
    auto const over = page("over");
    auto const claim = linked(over);
    world_.clock.at += 15min;
    EXPECT_EQ(outcome(run_now(phone_.claim(claim))), "entry_closed");

    auto const answered = page("answered");
    auto const again = linked(answered);
    auto const id = run_now(phone_.claim(scanned(answered))).value();
    ASSERT_EQ(approve(phone_, id), "approved");
    EXPECT_EQ(outcome(run_now(phone_.claim(again))), "entry_closed");

    auto const cancelled = page("cancelled");
    auto changed = sign_in(cancelled);
    changed.value.outcome = Outcome::sign_in_cancelled;
    ASSERT_TRUE(run_now(world_.services.sign_ins.save(changed)));
    EXPECT_EQ(outcome(run_now(phone_.claim(linked(cancelled)))), "entry_closed");
}

TEST_F(Claims, of_what_no_page_offers_are_all_refused_alike)
{
    auto const at = page();
    auto const value = entry::link_value(sign_in(at).value);
    for (auto const& claim : {Claim{By::link, "nothing.AAAAAAAAAAAAAAAAAAAAAA"}, Claim{By::link, value + "A"},
                              Claim{By::scan, value}, Claim{By::address, "page.0.AAAAAAAAAAAAAAAAAAAAAA"},
                              Claim{By::code, "ACDE-FHJK"}, Claim{By::code, "hello"}, Claim{By::code, ""}})
        EXPECT_EQ(outcome(run_now(phone_.claim(claim))), "entry_unknown") << claim.value;
    EXPECT_FALSE(sign_in(at).value.action);
}

TEST_F(Claims, by_short_code_are_counted_for_each_account)
{
    auto other = other_phone();
    auto const at = page();
    auto const right = typed(at);
    auto const most = world_.settings->limits.short_codes_per_account;
    for (int i = 0; i < most; ++i) EXPECT_EQ(outcome(run_now(phone_.claim({By::code, "ACDEFHJK"}))), "entry_unknown");
    auto const refused = run_now(phone_.claim(right));
    ASSERT_EQ(outcome(refused), "too_many_requests") << "at the limit nobody learns which code is right";
    auto const open_at = refused.error().open_at.value();
    EXPECT_LE(open_at - world_.clock.now(), world_.settings->limits.longest_wait);
    EXPECT_EQ(outcome(run_now(phone_.claim(linked(at)))), "") << "the other ways stay open";

    auto const next = page("next");
    EXPECT_EQ(outcome(run_now(other.claim(typed(next)))), "") << "nobody else is stopped";
    world_.clock.at = open_at;
    EXPECT_EQ(outcome(run_now(phone_.claim(typed(page("after"))))), "");
}

TEST_F(Claims, need_an_account_that_may_log_in)
{
    auto account = world_.account_now(phone_);
    account.value.state = account::State::blocked;
    ASSERT_TRUE(run_now(world_.services.accounts.save(account, store::testing::entry(account.value.id, "blocked"))));
    auto const at = page();
    EXPECT_EQ(outcome(run_now(phone_.claim(linked(at)))), "account_blocked");
    EXPECT_FALSE(sign_in(at).value.action);
}

TEST_F(Claims, D5_of_the_phone_itself_come_before_whatever_others_began)
{
    for (int i = 0; i < 60; ++i) world_.action(phone_, "foreign" + std::to_string(i));
    auto const mine = run_now(phone_.claim(scanned(page()))).value();
    auto const pending = run_now(phone_.pending()).value();
    ASSERT_FALSE(pending.empty());
    EXPECT_EQ(pending.front().id, mine);
}

// ---- links ---------------------------------------------------------------------------------------------------------

TEST_F(Claims, D2_a_link_is_approved_but_logs_nobody_in_before_its_page_is_tied)
{
    auto const at = page();
    auto const id = run_now(phone_.claim(linked(at))).value();
    EXPECT_EQ(approve(phone_, id), "returning");
    auto const& action = world_.action_now(id).value;
    EXPECT_EQ(action.state, ActionState::returning);
    EXPECT_FALSE(action.tied);
    EXPECT_EQ(record_of(id).at("state"), "returning");
    EXPECT_EQ(phone_.return_address(),
              world_.settings->id_origin + "/sign-in/page/return#" + entry::return_value(sign_in(at).value, id));
    EXPECT_THAT(world_.history_of(phone_), ::testing::Not(::testing::Contains("approved")));
    auto const pending = run_now(phone_.pending()).value();
    ASSERT_EQ(pending.size(), 1U) << "the app finds it again after a restart";
    EXPECT_TRUE(pending.front().returning);
    EXPECT_EQ(run_now(phone_.show(id))->return_address, phone_.return_address());
}

TEST_F(Claims, D2_the_symbol_ties_a_link_whose_browser_did_not_come_back)
{
    auto const id = run_now(phone_.claim(linked(page()))).value();
    ASSERT_EQ(approve(phone_, id), "returning");
    auto const action = run_now(phone_.show(id)).value();
    auto const symbol = world_.action_now(id).value.symbol;
    world_.transport.replies_lost = 1;
    EXPECT_EQ(run_now(phone_.match(action, symbol)).value_or("?"), "approved") << "the same bytes again";
    EXPECT_EQ(world_.action_now(id).value.state, ActionState::approved);
    EXPECT_EQ(world_.action_now(id).value.tied, action::Tied::matched);
    auto const record = record_of(id);
    EXPECT_EQ(record.at("tied"), "matched");
    EXPECT_EQ(record.at("state"), "approved");
    Match const match{.device = phone_.state().device, .shown = crypto::sha256(action.bytes), .symbol = symbol};
    auto const signature =
        crypto::from_base64url(json::text(json::object(record, "match").value(), "signature").value()).value();
    EXPECT_TRUE(phone_.state().device_key.public_key().verifies(crypto::SignatureAlgorithm::es256,
                                                                match_statement(match), signature));
    EXPECT_EQ(world_.history_of(phone_).front(), "approved");
}

TEST_F(Claims, D6_a_wrong_symbol_ends_a_link_for_good)
{
    auto const id = run_now(phone_.claim(linked(page()))).value();
    ASSERT_EQ(approve(phone_, id), "returning");
    auto const action = run_now(phone_.show(id)).value();
    EXPECT_EQ(outcome(run_now(phone_.match(action, wrong_symbol(id)))), "symbol_wrong");
    EXPECT_EQ(world_.action_now(id).value.state, ActionState::failed);
    EXPECT_EQ(record_of(id).at("symbol"), "wrong");
    auto const symbol = world_.action_now(id).value.symbol;
    EXPECT_EQ(outcome(run_now(phone_.match(action, symbol))), "action_closed");
}

// Who passed a link on may also tell which symbol to pick: then one login is lost, but their browser is not the
// holder's.
TEST_F(Claims, D2_the_browser_of_a_link_is_not_known_for_its_symbol)
{
    auto const id = run_now(phone_.claim(linked(page()))).value();
    ASSERT_EQ(approve(phone_, id), "returning");
    auto const action = run_now(phone_.show(id)).value();
    EXPECT_EQ(run_now(phone_.match(action, world_.action_now(id).value.symbol)).value_or("?"), "approved");
    EXPECT_TRUE(world_.device_now(phone_).value.known_browsers.empty());
    auto const seen = run_now(phone_.claim(scanned(page("another")))).value();
    ASSERT_EQ(approve(phone_, seen), "approved");
    EXPECT_EQ(world_.device_now(phone_).value.known_browsers.size(), 1U) << "that of a QR code is";
}

TEST_F(Claims, D5_not_me_of_a_page_that_was_scanned_mutes_its_browser_and_network)
{
    auto const first = run_now(phone_.claim(linked(page("first")))).value();
    auto const second = run_now(phone_.claim(linked(page("second")))).value();
    auto const by_number = world_.action(phone_, "by number");
    auto same_network = world_.action_now(by_number);
    same_network.value.origin = {.browser = {7}, .network = network};
    ASSERT_TRUE(run_now(world_.services.actions.save(same_network)));

    auto const action = run_now(phone_.show(first)).value();
    Choice const no{.decision = Answer::Decision::refuse, .symbol = {}, .code = {}, .claims = {}, .reason = "not_me"};
    ASSERT_EQ(run_now(phone_.answer(action, no)).value_or("?"), "refused");
    auto const mutes = world_.device_now(phone_).value.mutes;
    ASSERT_EQ(mutes.size(), 1U);
    EXPECT_EQ(mutes.front().network, network);
    EXPECT_EQ(mutes.front().browser, world_.action_now(first).value.origin.browser);
    auto const left = run_now(phone_.pending()).value();
    ASSERT_EQ(left.size(), 2U);
    for (auto const& each : left) {
        EXPECT_TRUE(each.muted) << each.id.text();
        EXPECT_FALSE(each.rings) << each.id.text();
    }
    EXPECT_EQ(approve(phone_, second), "returning") << "silent, and still there";
}

TEST_F(Claims, D5_a_link_may_still_be_refused_after_its_approval)
{
    auto const id = run_now(phone_.claim(linked(page()))).value();
    ASSERT_EQ(approve(phone_, id), "returning");
    auto const action = run_now(phone_.show(id)).value();
    Choice const no{.decision = Answer::Decision::refuse, .symbol = {}, .code = {}, .claims = {}, .reason = "not_me"};
    EXPECT_EQ(run_now(phone_.answer(action, no)).value_or("?"), "refused");
    EXPECT_EQ(world_.action_now(id).value.state, ActionState::refused);
}

TEST_F(Claims, of_a_link_give_the_return_its_own_time)
{
    auto const id = run_now(phone_.claim(linked(page()))).value();
    world_.clock.at += 2min + 59s;
    ASSERT_EQ(approve(phone_, id), "returning");
    auto const action = run_now(phone_.show(id)).value();
    auto const symbol = world_.action_now(id).value.symbol;
    world_.clock.at += 2min;
    EXPECT_EQ(outcome(run_now(phone_.match(action, symbol))), "action_expired");
}

TEST_F(Claims, are_matched_by_their_own_phone_alone)
{
    auto other = other_phone();
    auto const id = run_now(phone_.claim(linked(page()))).value();
    ASSERT_EQ(approve(phone_, id), "returning");
    auto const action = run_now(phone_.show(id)).value();
    auto const symbol = world_.action_now(id).value.symbol;
    EXPECT_EQ(outcome(run_now(other.match(action, symbol))), "action_unknown");

    Match forged{.device = phone_.state().device,
                 .shown = crypto::sha256(action.bytes),
                 .symbol = wrong_symbol(id),
                 .signature = Bytes(signature_bytes, 1)};
    auto const reply = world_.transport.answer(
        {.method = "POST", .path = "/d/actions/" + id.text() + "/match", .headers = {}, .body = write(forged)});
    EXPECT_EQ(json::text(json::parse_object(reply.body).value(), "outcome").value(), "device_signature_invalid");
    EXPECT_EQ(world_.action_now(id).value.state, ActionState::returning);
}

TEST(ClaimOfAddress, reads_what_a_page_offers)
{
    auto const read = [](std::string_view address, bool scanned) {
        auto const claim = claim_of_address(address, scanned);
        return claim ? std::string{name_of(claim->by)} + ' ' + claim->value : outcome(claim);
    };
    EXPECT_EQ(read("https://phone.example/app/#qr=s.7.mac", true), "scan s.7.mac");
    EXPECT_EQ(read("https://phone.example/app/#qr=s.7.mac", false), "address s.7.mac");
    EXPECT_EQ(read("https://phone.example/app/#link=s.mac", true), "link s.mac") << "a picture of a link is a link";
    EXPECT_EQ(read("s.7.mac", true), "scan s.7.mac");
    EXPECT_EQ(read("s.mac", true), "link s.mac");
    EXPECT_EQ(read("https://phone.example/app/#token=abc", true), "entry_unknown");
    EXPECT_EQ(read("", true), "entry_unknown");
}

} // namespace
} // namespace symbolon::device

#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "crypto/merkle_tree.hpp"
#include "device/history_messages.hpp"
#include "device/world_testing.hpp"
#include "entry/unanswered.hpp"
#include "store/log.hpp"

namespace symbolon::device {
namespace {

using testing::right_code;
using testing::World;

std::string outcome(auto const& result) { return result ? "" : std::string{name_of(result.error().outcome)}; }

class PhoneHistory : public ::testing::Test {
protected:
    World world_;
    Phone phone_ = world_.enrolled_phone();

    void refuse(Phone& phone, std::string const& id, std::string reason = "not_me")
    {
        auto const action = run_now(phone.show(world_.action(phone, id))).value();
        EXPECT_EQ(run_now(phone.answer(action, {.decision = Answer::Decision::refuse, .reason = std::move(reason)}))
                      .value_or("?"),
                  "refused");
    }
    void approve(Phone& phone, std::string const& id)
    {
        auto const action = run_now(phone.show(world_.action(phone, id))).value();
        EXPECT_EQ(run_now(phone.answer(action, {.symbol = "boat", .code = right_code})).value_or("?"), "approved");
    }
    /// The server's answer, as it can be tampered with.
    HistoryAnswer fetched(std::int64_t known = 0)
    {
        auto const reply =
            run_now(phone_.send_signed("POST", "/d/history", write(HistoryRequest{.before = 0, .known = known})));
        return parse_history(json::parse_object(reply->body).value()).value();
    }
};

TEST_F(PhoneHistory, F3_lists_every_action_with_partner_data_time_and_place_each_proven)
{
    refuse(phone_, "a1");
    world_.clock.at += 60s;
    approve(phone_, "a2");
    auto const page = run_now(phone_.history());
    ASSERT_EQ(outcome(page), "");
    ASSERT_EQ(page->entries.size(), 3U);
    EXPECT_EQ(page->log_size, 3);
    EXPECT_FALSE(page->more);

    auto const& newest = page->entries[0];
    EXPECT_EQ(newest.event, "approved");
    EXPECT_EQ(newest.at, world_.clock.at);
    EXPECT_EQ(newest.detail.at("partner").at("domain").as_string(), "shop.example");
    EXPECT_EQ(newest.detail.at("browser").as_string(), "Chromium on Linux");
    EXPECT_EQ(newest.detail.at("claims").as_array(), (json::Array{"given_name", "email"}));
    auto const record = world_.action_now(ActionId{"a2"}).value.record;
    EXPECT_EQ(newest.detail.at("record").as_string(), crypto::base64url(crypto::sha256(record)))
        << "the log holds on to the evidence";
    EXPECT_EQ(page->entries[1].event, "refused");
    EXPECT_EQ(page->entries[1].detail.at("reason").as_string(), "not_me");
    EXPECT_EQ(page->entries[2].event, "enrolled");
}

TEST_F(PhoneHistory, F3_a_request_that_nobody_answered_comes_into_the_history_once)
{
    auto const silent = world_.action(phone_, "a1");
    auto const seen = world_.action(phone_, "a2");
    ASSERT_EQ(outcome(run_now(phone_.show(seen))), "");
    auto const ended = world_.action_now(silent).value.expires_at;
    world_.clock.at = ended - 1s;
    EXPECT_EQ(world_.history_of(phone_), (std::vector<std::string>{"enrolled"}));
    EXPECT_EQ(run_now(phone_.history())->entries.size(), 1U) << "they can still be answered";

    world_.clock.at = ended + 30s;
    auto const page = run_now(phone_.history());
    ASSERT_EQ(outcome(page), "");
    ASSERT_EQ(page->entries.size(), 3U);
    for (auto const& entry : {page->entries[0], page->entries[1]}) {
        EXPECT_EQ(entry.event, "expired");
        EXPECT_EQ(entry.at, ended) << "when it ended, not when somebody looked";
        EXPECT_EQ(entry.detail.at("partner").at("domain").as_string(), "shop.example");
        EXPECT_EQ(entry.detail.at("browser").as_string(), "Chromium on Linux");
        EXPECT_FALSE(entry.detail.contains("record"));
    }
    EXPECT_EQ(run_now(phone_.history())->entries.size(), 3U);
    EXPECT_EQ(run_now(entry::tell_of_unanswered({}, world_.services)).value_or(9), 0U) << "nothing is left to tell";
    EXPECT_EQ(outcome(run_now(phone_.show(silent))), "action_expired");
}

TEST_F(PhoneHistory, F3_the_sweep_tells_of_each_end_and_of_those_of_nobody_nothing)
{
    auto const ran_out = world_.action(phone_, "a1");
    auto const cancelled = world_.action_now(world_.action(phone_, "a2"));
    auto nobodys = world_.action_now(world_.action(phone_, "a3"));
    auto const ended = action::end(cancelled.value, action::Event::cancel, Outcome::sign_in_cancelled, world_.clock.at);
    ASSERT_TRUE(run_now(world_.services.actions.save(changed(cancelled, *ended))));
    nobodys.value.account.reset();
    nobodys.value.device.reset();
    nobodys.value.id = ActionId{"nobody's"};
    auto const sign_in = run_now(world_.services.sign_ins.find(nobodys.value.sign_in)).value().value();
    ASSERT_TRUE(run_now(world_.services.actions.start(nobodys.value, sign_in)));

    EXPECT_EQ(run_now(entry::tell_of_unanswered({}, world_.services)).value_or(9), 1U);
    EXPECT_EQ(world_.history_of(phone_), (std::vector<std::string>{"cancelled", "enrolled"}));
    world_.clock.at += 4min;
    EXPECT_EQ(run_now(entry::tell_of_unanswered({}, world_.services)).value_or(9), 3U) << "a1, a3, nobody's";
    EXPECT_EQ(world_.history_of(phone_), (std::vector<std::string>{"expired", "expired", "cancelled", "enrolled"}));
    EXPECT_EQ(world_.action_now(ran_out).value.state, action::State::expired);
    EXPECT_EQ(run_now(entry::tell_of_unanswered({}, world_.services)).value_or(9), 0U);
    EXPECT_EQ(run_now(world_.services.ledger.size()).value_or(0), 4);
}

TEST_F(PhoneHistory, F3_what_a_blocked_account_or_a_copied_phone_ended_is_in_it_too)
{
    for (auto const* id : {"a1", "a2", "a3"}) {
        auto const action = run_now(phone_.show(world_.action(phone_, id))).value();
        (void)run_now(phone_.answer(action, {.symbol = "boat", .code = testing::wrong_code}));
    }
    (void)run_now(phone_.history());
    EXPECT_EQ(world_.history_of(phone_),
              (std::vector<std::string>{"ended", "blocked", "code_wrong", "code_wrong", "enrolled"}));
    world_.clock.at += 4min;
    (void)run_now(phone_.history());
    EXPECT_EQ(world_.history_of(phone_).size(), 7U) << "a1 and a2 ran out";
}

TEST_F(PhoneHistory, G5_the_evidence_of_an_answer_stays_with_its_entry)
{
    approve(phone_, "a1");
    auto const record = world_.action_now(ActionId{"a1"}).value.record;
    world_.clock.at += 30 * 24h;
    ASSERT_TRUE(run_now(world_.store.sweep(world_.clock.at)));
    ASSERT_FALSE(run_now(world_.services.actions.find(ActionId{"a1"})).value()) << "the action is long swept away";

    auto const page = run_now(phone_.history()).value();
    EXPECT_EQ(run_now(phone_.record_of(page.entries.at(0))).value_or(""), text_of(record));
    EXPECT_EQ(outcome(run_now(phone_.record_of(page.entries.at(1)))), "record_unknown") << "of the enrolment";
    auto other = world_.enrolled_phone("e2", "+32470999999", "90010100101");
    EXPECT_EQ(outcome(run_now(other.record_of(page.entries.at(0)))), "record_unknown") << "another's";
    for (std::string const body : {"{}", R"({"entry":1})", R"({"entry":"a","more":1})"})
        EXPECT_EQ(run_now(phone_.send_signed("POST", "/d/history/record", body))->status, 400) << body;
}

TEST_F(PhoneHistory, F3_shows_nothing_of_another_account)
{
    auto other = world_.enrolled_phone("e2", "+32470999999", "90010100101");
    refuse(other, "b1");
    refuse(phone_, "a1");
    auto const page = run_now(phone_.history()).value();
    ASSERT_EQ(page.entries.size(), 2U);
    EXPECT_EQ(page.entries[0].detail.at("action").as_string(), "a1");
    EXPECT_EQ(page.log_size, 4);
}

TEST_F(PhoneHistory, F3_long_histories_come_in_pages)
{
    for (int i = 0; i < 24; ++i) refuse(phone_, "a" + std::to_string(i));
    auto const first = run_now(phone_.history()).value();
    ASSERT_EQ(first.entries.size(), 20U);
    EXPECT_TRUE(first.more);
    auto const second = run_now(phone_.history(first.entries.back().sequence)).value();
    EXPECT_EQ(second.entries.size(), 5U);
    EXPECT_FALSE(second.more);
    EXPECT_EQ(second.entries.back().event, "enrolled");
}

TEST_F(PhoneHistory, F3_what_was_tampered_with_is_not_believed)
{
    refuse(phone_, "a1");
    refuse(phone_, "a2");
    auto const answer = fetched();
    auto const& key = answer.key;
    ASSERT_EQ(outcome(check_history(answer, key, {})), "");

    auto const spoiled = [&](auto change) {
        auto other = answer;
        change(other);
        return outcome(check_history(other, key, {}));
    };
    EXPECT_EQ(spoiled([](auto& it) { it.entries[0].line.at += 1s; }), "data_damaged");
    EXPECT_EQ(spoiled([](auto& it) { it.entries[0].line.kind = "approved"; }), "data_damaged");
    EXPECT_EQ(spoiled([](auto& it) { it.entries[0].line.body.back() ^= 1; }), "data_damaged");
    EXPECT_EQ(spoiled([](auto& it) { it.entries[0].line.sequence -= 1; }), "data_damaged");
    EXPECT_EQ(spoiled([](auto& it) { it.entries[0].path.pop_back(); }), "data_damaged");
    EXPECT_EQ(spoiled([](auto& it) { std::swap(it.entries[0].path, it.entries[1].path); }), "data_damaged");
    EXPECT_EQ(spoiled([](auto& it) { it.head.back() = it.head.back() == 'A' ? 'B' : 'A'; }), "data_damaged");
    auto const stranger = crypto::PrivateKey::generate(crypto::KeyType::ec_p256).public_key();
    EXPECT_EQ(outcome(check_history(answer, stranger, {})), "data_damaged") << "another key than the pinned one";
}

TEST_F(PhoneHistory, F3_a_log_that_was_written_anew_is_noticed_by_who_saw_the_other_one)
{
    refuse(phone_, "a1");
    ASSERT_EQ(outcome(run_now(phone_.history())), "");
    auto const& key = world_.settings->record_key;
    auto const seen = phone_.state().log_head;
    refuse(phone_, "a2");
    ASSERT_EQ(outcome(run_now(phone_.history())), "") << "the same log, with more";

    // The phone remembers a head of this key that was of other entries.
    auto const other = crypto::sign_head({.size = 2, .root = Bytes(32, 1), .at = world_.clock.at}, key);
    EXPECT_EQ(outcome(check_history(fetched(2), key.key.public_key(), seen)), "");
    EXPECT_EQ(outcome(check_history(fetched(2), key.key.public_key(), other)), "data_damaged");
    auto const longer = crypto::sign_head({.size = 9, .root = Bytes(32, 1), .at = world_.clock.at}, key);
    EXPECT_EQ(outcome(check_history(fetched(9), key.key.public_key(), longer)), "data_damaged") << "cut off";
}

TEST_F(PhoneHistory, F3_a_head_is_signed_once_for_each_size)
{
    refuse(phone_, "a1");
    auto const head = fetched().head;
    world_.clock.at += 10s;
    EXPECT_EQ(fetched().head, head);
    refuse(phone_, "a2");
    EXPECT_NE(fetched().head, head);
}

TEST_F(PhoneHistory, the_phone_hashes_entries_as_the_store_does)
{
    refuse(phone_, "a1");
    auto const answer = fetched();
    auto const entries = run_now(world_.engine.log_from(1, 10)).value();
    for (auto const& [line, path] : answer.entries)
        EXPECT_EQ(leaf_hash(line), store::leaf_hash(entries.at(static_cast<std::size_t>(line.sequence - 1))));
}

TEST_F(PhoneHistory, malformed_requests_are_refused)
{
    for (std::string const body : {"", "{}", "[]", R"({"before":0})", R"({"before":-1,"known":0})",
                                   R"({"before":0,"known":"1"})", R"({"before":0,"known":0,"more":1})"}) {
        auto const reply = run_now(phone_.send_signed("POST", "/d/history", body));
        EXPECT_EQ(reply->status, 400) << body;
    }
}

} // namespace
} // namespace symbolon::device

#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "crypto/merkle_tree.hpp"
#include "device/history_messages.hpp"
#include "device/world_testing.hpp"
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

    void refuse(Phone& phone, std::string id, std::string reason = "not_me")
    {
        auto const action = run_now(phone.show(world_.action(phone, std::move(id)))).value();
        EXPECT_EQ(run_now(phone.answer(action, {.decision = Answer::Decision::refuse, .reason = std::move(reason)}))
                      .value_or("?"),
                  "refused");
    }
    void approve(Phone& phone, std::string id)
    {
        auto const action = run_now(phone.show(world_.action(phone, std::move(id)))).value();
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

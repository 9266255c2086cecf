#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "crypto/seal.hpp"
#include "vault/judge.hpp"
#include "vault/statement.hpp"
#include "vault/vault_testing.hpp"

#include <sqlite3.h>

namespace symbolon::vault {
namespace {

using testing::Phone;

constexpr auto noon = Instant{Seconds{1'790'000'000}};
AccountId const anna{"anna"};
AccountId const bert{"bert"};

class JudgeOfCodes : public ::testing::Test {
protected:
    Reply ask(Request request, Instant now = noon) { return judge_->answer(std::span{&request, 1}, now).front(); }
    std::vector<Reply> ask_at_once(std::vector<Request> const& requests) { return judge_->answer(requests, noon); }
    int tries_of(AccountId const& account) { return ask(AskTries{account}).tries_left; }
    crypto::PublicKey point() const { return keys_.keys.seal.public_key(); }
    JudgeCode right(std::string const& action, std::string const& message = "message") const
    {
        return phone_.answers(anna, ActionId{action}, point(), message);
    }
    JudgeCode wrong(std::string const& action) const { return phone_.guesses(anna, ActionId{action}, point()); }

    std::unique_ptr<crypto::Random> random_ = crypto::system_random();
    testing::TestKeys keys_ = testing::test_keys(*random_);
    Result<Judge> judge_ = Judge::open(":memory:", keys_.keys, *random_);
    Phone phone_ = Phone::random();

    void SetUp() override
    {
        ASSERT_TRUE(judge_);
        ASSERT_FALSE(ask(phone_.registers(anna, point())).outcome);
    }
};

TEST_F(JudgeOfCodes, a_right_code_gets_a_signed_grant_for_this_action_and_message)
{
    auto const reply = ask(right("a1"));
    ASSERT_TRUE(reply.right);
    auto const payload =
        grant_statement(anna, phone_.device, 1, ActionId{"a1"}, crypto::sha256(std::string_view{"message"}), noon);
    ASSERT_EQ(reply.grant.size(), payload.size() + 64);
    EXPECT_EQ(text_of(ByteView{reply.grant}.first(payload.size())), text_of(payload));
    EXPECT_TRUE(keys_.keys.grants.public_key().verifies(crypto::SignatureAlgorithm::eddsa, payload,
                                                        ByteView{reply.grant}.last(64)));
}

TEST_F(JudgeOfCodes, D6_wrong_codes_count_down_and_the_third_is_the_last)
{
    for (int const left : {2, 1, 0}) {
        auto const reply = ask(wrong("a"));
        EXPECT_FALSE(reply.right);
        EXPECT_EQ(reply.tries_left, left);
        EXPECT_TRUE(reply.grant.empty());
    }
    EXPECT_EQ(ask(wrong("a")).outcome, Outcome::code_blocked);
}

TEST_F(JudgeOfCodes, D6_after_the_last_try_the_right_code_is_no_longer_looked_at)
{
    for (int i = 0; i < 3; ++i) ask(wrong("a"));
    EXPECT_EQ(ask(right("b")).outcome, Outcome::code_blocked);
    EXPECT_EQ(tries_of(anna), 0);
}

// Seed 25 of the simulation: one slip and two lost answers blocked the account.
TEST_F(JudgeOfCodes, D6_the_same_wrong_answer_again_takes_no_other_try)
{
    auto const first = wrong("a");
    auto const second = wrong("a");
    EXPECT_EQ(ask(first).tries_left, 2);
    EXPECT_EQ(ask(first).tries_left, 2);
    EXPECT_EQ(ask(second).tries_left, 1);
    auto const late = ask(first, noon + 30min);
    EXPECT_FALSE(late.right);
    EXPECT_FALSE(late.outcome);
    EXPECT_EQ(late.tries_left, 1) << "a copy that comes after the next one";
    EXPECT_EQ(tries_of(anna), 1);

    EXPECT_TRUE(ask(right("b"), noon + 30min).right);
    EXPECT_EQ(ask(first, noon + 30min).tries_left, 3);
    auto moved = second;
    moved.action = ActionId{"c"};
    EXPECT_EQ(ask(moved, noon + 30min).tries_left, 2) << "the same proof for something else is another answer";
    EXPECT_EQ(ask(first, noon + 2h).tries_left, 1) << "nothing is remembered for ever";
}

TEST_F(JudgeOfCodes, a_right_code_gives_all_tries_back)
{
    ask(wrong("a"));
    ask(wrong("a"));
    EXPECT_EQ(tries_of(anna), 1);
    EXPECT_TRUE(ask(right("a")).right);
    EXPECT_EQ(tries_of(anna), 3);
}

TEST_F(JudgeOfCodes, guesses_sent_at_once_get_no_more_tries_than_one_by_one)
{
    auto const replies = ask_at_once({wrong("a"), wrong("b"), wrong("c"), wrong("d"), right("e")});
    EXPECT_EQ(replies[0].tries_left, 2);
    EXPECT_EQ(replies[1].tries_left, 1);
    EXPECT_EQ(replies[2].tries_left, 0);
    EXPECT_EQ(replies[3].outcome, Outcome::code_blocked);
    EXPECT_EQ(replies[4].outcome, Outcome::code_blocked);
}

TEST_F(JudgeOfCodes, tries_of_one_account_are_not_those_of_another)
{
    auto const other = Phone::random();
    ASSERT_FALSE(ask(other.registers(bert, point())).outcome);
    for (int i = 0; i < 3; ++i) ask(wrong("a"));
    auto const replies = ask_at_once({right("b"), other.answers(bert, ActionId{"c"}, point())});
    EXPECT_EQ(replies[0].outcome, Outcome::code_blocked);
    EXPECT_TRUE(replies[1].right);
}

TEST_F(JudgeOfCodes, a_proof_for_another_action_is_a_wrong_code)
{
    auto moved = right("a1");
    moved.action = ActionId{"a2"};
    auto const reply = ask(moved);
    EXPECT_FALSE(reply.right);
    EXPECT_EQ(reply.tries_left, 2);
}

TEST_F(JudgeOfCodes, a_proof_over_another_message_is_a_wrong_code)
{
    auto changed = right("a1");
    changed.message.push_back('!');
    EXPECT_FALSE(ask(changed).right);
}

TEST_F(JudgeOfCodes, what_is_no_seal_costs_a_try_like_any_wrong_code)
{
    auto broken = right("a1");
    broken.proof.back() ^= 1;
    EXPECT_EQ(ask(broken).tries_left, 2);
    broken.proof.clear();
    EXPECT_EQ(ask(broken).tries_left, 1);
}

TEST_F(JudgeOfCodes, another_phone_takes_no_try)
{
    auto foreign = right("a1");
    foreign.device = DeviceId{"another"};
    EXPECT_EQ(ask(foreign).outcome, Outcome::device_unknown);
    EXPECT_EQ(tries_of(anna), 3);
}

TEST_F(JudgeOfCodes, one_action_is_granted_for_one_message_only)
{
    auto const first = ask(right("a1"));
    ASSERT_TRUE(first.right);
    EXPECT_EQ(ask(right("a1", "another message")).outcome, Outcome::action_closed);
    auto const again = ask(right("a1"), noon + 5s);
    EXPECT_TRUE(again.right) << "the answer may have been lost";
    EXPECT_EQ(again.grant, first.grant);
}

TEST_F(JudgeOfCodes, a_repeated_message_with_a_wrong_code_is_not_granted)
{
    ASSERT_TRUE(ask(right("a1")).right);
    EXPECT_FALSE(ask(wrong("a1")).right);
    EXPECT_EQ(tries_of(anna), 2);
}

TEST_F(JudgeOfCodes, a_code_key_is_not_replaced_without_a_permit)
{
    ask(wrong("a"));
    EXPECT_EQ(ask(Phone::random().registers(anna, point())).outcome, Outcome::conflict);
    EXPECT_EQ(tries_of(anna), 2);
    EXPECT_TRUE(ask(right("b")).right);
}

TEST_F(JudgeOfCodes, a_permit_of_the_server_replaces_the_code_key_and_gives_three_tries)
{
    for (int i = 0; i < 3; ++i) ask(wrong("a"));
    auto const next = Phone::random();
    auto request = next.registers(anna, point());
    request.reason = "card";
    request.permit = keys_.permits.sign(crypto::SignatureAlgorithm::eddsa,
                                        permit_statement(anna, next.device, 1, "card", request.nonce));
    auto altered = request;
    altered.reason = "bank";
    EXPECT_EQ(ask(altered).outcome, Outcome::conflict) << "a permit is for what it says";
    EXPECT_FALSE(ask(request).outcome);
    EXPECT_EQ(tries_of(anna), 3);
    EXPECT_TRUE(ask(next.answers(anna, ActionId{"b"}, point())).right);
    EXPECT_EQ(ask(right("c")).outcome, Outcome::device_unknown);
}

TEST_F(JudgeOfCodes, a_permit_counts_once_and_for_one_key)
{
    auto const next = Phone::random();
    auto const request = permitted(
        [&] {
            auto one = next.registers(anna, point());
            one.reason = "card";
            return one;
        }(),
        keys_.permits);
    ASSERT_FALSE(ask(request).outcome);
    auto const slip = next.answers(anna, ActionId{"a"}, point());
    ask(JudgeCode{slip.account, slip.device, slip.action, slip.message, Bytes(100)});
    ASSERT_EQ(tries_of(anna), 2);
    EXPECT_FALSE(ask(request).outcome) << "the answer got lost: said again";
    EXPECT_EQ(tries_of(anna), 2);
}

TEST_F(JudgeOfCodes, a_replacement_that_comes_after_a_later_one_changes_nothing)
{
    auto const replacement = [&](Phone const& phone, std::int64_t move) {
        auto request = phone.registers(anna, point());
        request.reason = "card";
        request.move = move;
        return permitted(std::move(request), keys_.permits);
    };
    auto const lain_about = Phone::random();
    auto const now = Phone::random();
    auto const first = replacement(lain_about, 1);
    auto const second = replacement(now, 2);
    ASSERT_FALSE(ask(second).outcome);
    ask(now.guesses(anna, ActionId{"a"}, point()));
    ASSERT_EQ(tries_of(anna), 2);

    EXPECT_EQ(ask(first).outcome, Outcome::moved_meanwhile);
    EXPECT_EQ(ask(first).outcome, Outcome::moved_meanwhile) << "nor when it is repeated";
    EXPECT_EQ(ask(replacement(lain_about, 2)).outcome, Outcome::moved_meanwhile) << "nor with the number of another";
    EXPECT_EQ(ask(replacement(lain_about, 0)).outcome, Outcome::moved_meanwhile) << "nor without any";
    EXPECT_FALSE(ask(second).outcome) << "the one that was carried out, again";
    EXPECT_EQ(tries_of(anna), 2) << "and none of them gave tries";
    EXPECT_TRUE(ask(now.answers(anna, ActionId{"b"}, point())).right);

    auto altered = first;
    altered.move = 3;
    EXPECT_EQ(ask(altered).outcome, Outcome::conflict) << "a permit is for its number";
    EXPECT_FALSE(ask(replacement(lain_about, 3)).outcome);
    EXPECT_TRUE(ask(lain_about.answers(anna, ActionId{"c"}, point())).right);
}

TEST_F(JudgeOfCodes, a_replacement_that_was_carried_out_stays_done_after_a_later_one)
{
    auto const phones = std::array{Phone::random(), Phone::random()};
    std::vector<RegisterCode> requests;
    for (std::size_t at = 0; at < phones.size(); ++at) {
        auto request = phones[at].registers(anna, point());
        request.reason = "bank";
        request.move = static_cast<std::int64_t>(at) + 1;
        requests.push_back(permitted(std::move(request), keys_.permits));
        ASSERT_FALSE(ask(requests.back()).outcome);
    }
    EXPECT_FALSE(ask(requests.front()).outcome) << "its answer was lost long ago";
    EXPECT_TRUE(ask(phones.back().answers(anna, ActionId{"a"}, point())).right) << "and nothing was changed by it";
}

TEST_F(JudgeOfCodes, a_file_from_before_replacements_had_an_order_opens_and_keeps_what_was_used)
{
    auto const path = std::filesystem::path{::testing::TempDir()} /
                      ("vault-of-before-" + crypto::base64url(random_->bytes(9)) + ".sqlite");
    auto const next = Phone::random();
    auto request = next.registers(anna, point());
    request.reason = "card";
    request = permitted(std::move(request), keys_.permits);
    auto const ask_file = [&](Judge& judge, Request const& one) {
        return judge.answer(std::span{&one, 1}, noon).front();
    };
    {
        auto judge = Judge::open(path, keys_.keys, *random_);
        ASSERT_TRUE(judge);
        ASSERT_FALSE(ask_file(*judge, phone_.registers(anna, point())).outcome);
        ASSERT_FALSE(ask_file(*judge, request).outcome);
    }
    {
        sqlite3* raw = nullptr;
        ASSERT_EQ(sqlite3_open(path.c_str(), &raw), SQLITE_OK);
        EXPECT_EQ(sqlite3_exec(raw, "alter table replaced drop column move", nullptr, nullptr, nullptr), SQLITE_OK);
        sqlite3_close(raw);
    }
    for (int times = 0; times < 2; ++times) {
        auto judge = Judge::open(path, keys_.keys, *random_);
        ASSERT_TRUE(judge);
        EXPECT_FALSE(ask_file(*judge, request).outcome) << "the permit was used";
        EXPECT_TRUE(ask_file(*judge, next.answers(anna, ActionId{"a" + std::to_string(times)}, point())).right);
    }
    auto judge = Judge::open(path, keys_.keys, *random_);
    ASSERT_TRUE(judge);
    auto const later = Phone::random();
    auto numbered = later.registers(anna, point());
    numbered.reason = "card";
    numbered.move = 1;
    EXPECT_FALSE(ask_file(*judge, permitted(std::move(numbered), keys_.permits)).outcome);
    EXPECT_TRUE(ask_file(*judge, later.answers(anna, ActionId{"b"}, point())).right);
    std::filesystem::remove(path);
}

TEST_F(JudgeOfCodes, forgetting_a_code_is_no_way_to_new_tries)
{
    for (int i = 0; i < 3; ++i) ask(wrong("a"));
    EXPECT_FALSE(ask(ForgetCode{anna}).outcome);
    EXPECT_EQ(ask(phone_.registers(anna, point())).outcome, Outcome::conflict);
    EXPECT_EQ(ask(right("b")).outcome, Outcome::device_unknown);
}

TEST_F(JudgeOfCodes, a_code_key_that_cannot_sign_is_not_registered)
{
    auto const other = Phone::random();
    auto request = other.registers(bert, point());
    request.nonce.back() ^= 1;
    EXPECT_EQ(ask(request).outcome, Outcome::seal_invalid) << "the seal is for another nonce";

    auto const e = code_key_statement(request.nonce, other.device, 1);
    request.sealed_code_key = crypto::seal_to(point(), Bytes(96, 1), e);
    EXPECT_EQ(ask(request).outcome, Outcome::proof_malformed);
    request.sealed_code_key = crypto::seal_to(point(), Bytes(95, 1), e);
    EXPECT_EQ(ask(request).outcome, Outcome::proof_malformed);
}

} // namespace
} // namespace symbolon::vault

#include "base/json.hpp"
#include "store/codec.hpp"
#include "store/store_testing.hpp"

#include <boost/pfr/tuple_size.hpp>
#include <gtest/gtest.h>

namespace symbolon::store {
namespace {

json::Object written(auto const& value) { return json::parse_object(text_of(encode(value))).value(); }

/// A value whose members all differ from their defaults.
template <class T>
void expect_kept_whole(T const& full)
{
    auto const object = written(full);
    EXPECT_EQ(object.size(), boost::pfr::tuple_size_v<T>) << "a member is not written";
    auto const read = decode<T>(encode(full));
    ASSERT_TRUE(read) << read.error().detail;
    EXPECT_EQ(json::write(written(*read)), json::write(object));

    // Every member is there for a reason: without it the value reads differently, or as an older program's.
    for (auto const& member : object) {
        auto fewer = object;
        fewer.erase(member.key());
        auto const older = decode<T>(to_bytes(json::write(fewer)));
        ASSERT_TRUE(older) << member.key();
        EXPECT_NE(json::write(written(*older)), json::write(object)) << member.key();
    }

    // What reads differently is told, not guessed.
    for (auto const& member : object) {
        auto damaged = object;
        damaged[member.key()] = json::Array{json::Array{nullptr}};
        auto const refused = decode<T>(to_bytes(json::write(damaged)));
        ASSERT_FALSE(refused) << member.key();
        EXPECT_EQ(refused.error().outcome, Outcome::data_damaged);
    }

    auto newer = object;
    newer["member_of_a_newer_program"] = 1;
    EXPECT_TRUE(decode<T>(to_bytes(json::write(newer))));

    T const empty{};
    EXPECT_EQ(json::write(written(decode<T>(encode(empty)).value())), json::write(written(empty)));
}

TEST(Codec, keeps_every_member_of_every_value)
{
    auto account = testing::account("a", "+32470123456", "85073003328");
    account.state = account::State::blocked;
    account.source.kind = account::Source::Kind::bank;
    account.source.bank = "kbc";
    account.move_number = 2;
    account.card_may_unblock_until = testing::noon;
    expect_kept_whole(account);
    auto device = testing::device("d", AccountId{"a"});
    device.state = account::Device::State::suspended;
    device.passkey = account::Passkey{.id = Bytes(20, 1),
                                      .public_key = Bytes(91, 2),
                                      .algorithm = "ES256",
                                      .sign_count = 3,
                                      .backup_eligible = true,
                                      .backed_up = true,
                                      .aaguid = Bytes(16, 4),
                                      .used_counts = {0, 3, 2},
                                      .turned_on_by = Bytes(32, 5),
                                      .registered_at = testing::noon};
    device.passkey_challenge = Bytes(32, 6);
    device.passkey_challenge_until = testing::noon;
    device.known_browsers = {{.browser = Bytes(32, 7), .at = testing::noon}};
    device.mutes = {{.browser = Bytes(32, 8),
                     .network = Bytes(32, 9),
                     .partner_domain = "shop.example",
                     .at = testing::noon,
                     .until = testing::noon + 1h}};
    expect_kept_whole(device);
    auto enrolment = testing::enrolment("e", "+32470123456");
    enrolment.moves = AccountId{"a"};
    enrolment.moves_from = DeviceId{"d"};
    enrolment.move_number = 2;
    enrolment.number_before = account::PhoneNumber{"+32478111111"};
    enrolment.email_before = "before@mail.example";
    enrolment.outcome_fields = {"address"};
    enrolment.bank = "kbc";
    enrolment.bank_nonce = "nonce";
    enrolment.bank_verifier = "verifier";
    enrolment.landing_code_hash = Bytes(32, 4);
    enrolment.web_eid_nonce = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    enrolment.web_eid_nonce_expires_at = testing::noon;
    enrolment.by_web_eid = true;
    enrolment.landing_tries = {.failed = 1, .open_at = testing::noon};
    enrolment.source.bank = "kbc";
    expect_kept_whole(enrolment);
    auto action = testing::action("x", AccountId{"a"}, DeviceId{"d"});
    action.state = action::State::shown;
    action.origin = {.browser = Bytes(32, 1), .network = Bytes(32, 2)};
    action.quiet = true;
    action.owes_history = true;
    action.first = true;
    action.needs_passkey = true;
    action.tie = action::Tie::browser;
    action.tied = action::Tied::proven;
    action.returned_elsewhere = true;
    expect_kept_whole(action);
    auto sign_in = testing::sign_in("s");
    sign_in.state = grant::SignIn::State::waiting;
    sign_in.browser = "Firefox on Linux";
    sign_in.entry_secret = Bytes(32, 6);
    sign_in.network = Bytes(32, 7);
    sign_in.offered_at = testing::noon;
    sign_in.short_code = "ACDEFHJK";
    expect_kept_whole(sign_in);
    auto grant = testing::grant("g", AccountId{"a"});
    grant.state = grant::Grant::State::redeemed;
    expect_kept_whole(grant);
    expect_kept_whole(HistoryBody{
        .event = "approved", .client = ClientId{"c"}, .detail = "{}", .record = Bytes(32, 2), .salt = Bytes(16, 1)});
}

TEST(Codec, keeps_every_member_of_a_client)
{
    auto const client = testing::client("shop");
    EXPECT_EQ(written(client).size(), boost::pfr::tuple_size_v<partner::Client>);
    EXPECT_EQ(json::write(written(decode<partner::Client>(encode(client)).value())), json::write(written(client)));
}

TEST(Codec, keeps_every_member_inside_a_member)
{
    auto const enrolment = written(testing::enrolment("e", "+32470123456"));
    EXPECT_EQ(json::object(enrolment, "person")->size(), boost::pfr::tuple_size_v<account::Person>);
    EXPECT_EQ(json::object(enrolment, "source")->size(), boost::pfr::tuple_size_v<account::Source>);
    EXPECT_EQ(json::object(enrolment, "progress")->size(), boost::pfr::tuple_size_v<enrolment::Progress>);
    EXPECT_EQ(json::object(enrolment, "token_tries")->size(), boost::pfr::tuple_size_v<enrolment::Tries>);
    EXPECT_EQ(json::object(json::object(enrolment, "person").value(), "address")->size(),
              boost::pfr::tuple_size_v<account::Address>);
    auto const sign_in = written(testing::sign_in("s"));
    EXPECT_EQ(json::object(sign_in, "request")->size(), boost::pfr::tuple_size_v<grant::AuthorizationRequest>);
    EXPECT_EQ(json::object(sign_in, "request")->at("id_token_claims").as_array().at(0).as_object().size(),
              boost::pfr::tuple_size_v<grant::ClaimRequest>);
    auto const action = written(testing::action("x", AccountId{"a"}, DeviceId{"d"}));
    EXPECT_EQ(action.at("claims").as_array().at(0).as_object().size(),
              boost::pfr::tuple_size_v<action::RequestedClaim>);
}

TEST(Codec, reads_an_account_of_before_its_person_had_a_time_of_its_own)
{
    auto older = written(testing::account("a", "+32470123456", "85073003328"));
    older.erase("person_at");
    EXPECT_EQ(decode<account::Account>(to_bytes(json::write(older)))->person_at, testing::noon);
}

TEST(Codec, refuses_what_is_no_body)
{
    for (std::string_view const wrong : {"", "[]", "{", R"({"id":"a","id":"b"})", R"({"state":"unheard of"})"}) {
        auto const read = decode<account::Account>(bytes_of(wrong));
        ASSERT_FALSE(read) << wrong;
        EXPECT_EQ(read.error().outcome, Outcome::data_damaged);
    }
}

} // namespace
} // namespace symbolon::store

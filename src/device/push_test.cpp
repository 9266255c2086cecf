#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "crypto/push_encryption.hpp"
#include "device/world_testing.hpp"

namespace symbolon::device {
namespace {

using testing::World;
using State = account::PushSubscription::State;

class PhonePush : public ::testing::Test {
protected:
    World world_;
    Phone phone_{world_.enrolled_phone()};

    static PushSubscribed subscribed(std::string endpoint = "https://push.example/p/1")
    {
        auto const key = crypto::PrivateKey::generate(crypto::KeyType::ec_p256);
        return {.endpoint = std::move(endpoint),
                .point = crypto::push_point(key.public_key()),
                .auth = Bytes(16, 7),
                .language = Language::nl};
    }

    std::pair<int, json::Object> send(std::string method, std::string path, std::string body)
    {
        auto const reply = run_now(phone_.send_signed(std::move(method), std::move(path), std::move(body))).value();
        return {reply.status, json::parse_object(reply.body).value()};
    }
    std::string turn_on(std::string body)
    {
        auto const [status, answer] = send("POST", "/d/push", std::move(body));
        return status == 200 ? "" : std::string{answer.at("outcome").as_string()};
    }
    std::optional<account::PushSubscription> kept()
    {
        auto const found = run_now(world_.services.push_subscriptions.find(phone_.state().device)).value();
        return found && found->value.state != State::off ? std::optional{found->value} : std::nullopt;
    }
};

TEST_F(PhonePush, D1_a_phone_turns_notifications_on_and_off_and_sees_which)
{
    auto const [first_status, first] = send("GET", "/d/push", "");
    EXPECT_EQ(first_status, 200);
    EXPECT_EQ(first.at("state"), "off");
    EXPECT_EQ(first.at("endpoint_hash"), "");
    EXPECT_EQ(first.at("public_key").as_string(), crypto::base64url(world_.settings->push_key));

    auto const it = subscribed();
    auto const [status, on] = send("POST", "/d/push", write(it));
    EXPECT_EQ(status, 200);
    EXPECT_EQ(on.at("state"), "on");
    EXPECT_EQ(on.at("endpoint_hash").as_string(), crypto::base64url(crypto::sha256(it.endpoint)));
    EXPECT_EQ(on.at("language"), "nl");
    EXPECT_EQ(send("GET", "/d/push", "").second, on);
    ASSERT_TRUE(kept());
    EXPECT_EQ(kept()->endpoint, it.endpoint);
    EXPECT_EQ(kept()->point, it.point);
    EXPECT_EQ(kept()->auth, it.auth);
    EXPECT_EQ(kept()->account, world_.account_now(phone_).value.id);

    EXPECT_EQ(send("POST", "/d/push/off", "{}").second.at("state"), "off");
    EXPECT_FALSE(kept());
    EXPECT_EQ(send("POST", "/d/push/off", "{}").first, 200) << "twice is as good as once";
}

TEST_F(PhonePush, a_subscription_that_changed_takes_the_place_of_the_one_before)
{
    ASSERT_EQ(turn_on(write(subscribed())), "");
    ASSERT_EQ(turn_on(write(subscribed("https://eu.push.example/p/2"))), "");
    EXPECT_EQ(kept()->endpoint, "https://eu.push.example/p/2");
}

TEST_F(PhonePush, one_that_has_ended_is_told_apart_from_none_and_can_be_replaced)
{
    ASSERT_EQ(turn_on(write(subscribed())), "");
    auto stored = run_now(world_.services.push_subscriptions.find(phone_.state().device)).value().value();
    stored.value.state = State::ended;
    ASSERT_TRUE(run_now(world_.services.push_subscriptions.save(stored)));
    EXPECT_EQ(send("GET", "/d/push", "").second.at("state"), "ended");
    EXPECT_EQ(send("GET", "/d/push", "").second.at("endpoint_hash"), "");
    ASSERT_EQ(turn_on(write(subscribed())), "");
    EXPECT_EQ(kept()->state, State::on);
}

TEST_F(PhonePush, endpoints_that_are_not_a_push_services_are_refused)
{
    for (auto const* endpoint : {"https://other.example/p/1", "http://push.example/p/1", "https://push.example:8443/p",
                                 "https://127.0.0.1/p", "https://push.example.other.example/p", "push.example", ""})
        EXPECT_EQ(turn_on(write(subscribed(endpoint))), "push_endpoint_refused") << endpoint;
    EXPECT_FALSE(kept());
}

TEST_F(PhonePush, bodies_out_of_shape_are_refused)
{
    auto const with = [](std::string_view name, json::Value value) {
        auto object = json::parse_object(write(subscribed())).value();
        object[name] = std::move(value);
        return json::write(object);
    };
    auto off_the_curve = subscribed().point;
    off_the_curve.back() ^= 1;
    EXPECT_EQ(turn_on(with("p256dh", crypto::base64url(off_the_curve).c_str())), "request_malformed");
    EXPECT_EQ(turn_on(with("p256dh", "AAAA")), "request_malformed");
    EXPECT_EQ(turn_on(with("auth", "AAAA")), "request_malformed");
    EXPECT_EQ(turn_on(with("auth", "not base64")), "encoding_malformed");
    EXPECT_EQ(turn_on(with("language", "es")), "request_malformed");
    EXPECT_EQ(turn_on(with("expirationTime", nullptr)), "request_malformed");
    EXPECT_EQ(turn_on(with("endpoint", 1)), "json_malformed");
    EXPECT_EQ(turn_on("{}"), "request_malformed");
    EXPECT_EQ(send("POST", "/d/push/off", R"({"now":true})").second.at("outcome"), "request_malformed");
    EXPECT_FALSE(kept());
}

TEST_F(PhonePush, nobody_turns_another_phones_notifications_on_or_off)
{
    ASSERT_EQ(turn_on(write(subscribed())), "");
    for (auto const& [path, body] :
         {std::pair{"/d/push", write(subscribed())}, std::pair{"/d/push/off", std::string{"{}"}}}) {
        auto const unsigned_reply =
            world_.transport.answer({.method = "POST", .path = path, .headers = {}, .body = body});
        EXPECT_EQ(unsigned_reply.status, 401);
    }
    auto other = world_.enrolled_phone("e2", "+32470999999", "80010100157");
    ASSERT_EQ(run_now(other.send_signed("POST", "/d/push/off", "{}"))->status, 200);
    EXPECT_TRUE(kept());
}

} // namespace
} // namespace symbolon::device

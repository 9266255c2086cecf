// What must happen once, or at most so often, in every order and with everything that can go wrong on the way.

#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "device/actions.hpp"
#include "device/enrol.hpp"
#include "device/fingerprint.hpp"
#include "device/world_testing.hpp"
#include "oidc/client_authentication.hpp"
#include "oidc/redemption.hpp"
#include "sim/seeds.hpp"
#include "sim/world.hpp"
#include "store/store_testing.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <set>

namespace symbolon::sim {
namespace {

namespace example = store::testing;

template <class T>
Outcome outcome(Result<T> const& result)
{
    return result ? Outcome::internal : result.error().outcome;
}

// ---- a code is redeemed once (RFC 6749 §4.1.2)
// -----------------------------------------------------------------------

constexpr std::string_view verifier = "a-verifier-that-has-at-least-forty-three-signs-0";

oidc::Provider const& provider()
{
    static oidc::Provider const one{{
        .issuer = "https://id.example",
        .keys = {{.key = {.key_id = "1",
                          .algorithm = crypto::SignatureAlgorithm::es256,
                          .key = crypto::PrivateKey::generate(crypto::KeyType::ec_p256)}}},
        .pairwise_secret = SecretBytes{Bytes(32, 1)},
        .limits = {},
    }};
    return one;
}

class Redemption {
public:
    Redemption(std::uint64_t seed, Faults faults) : world{seed, faults}
    {
        auto client = example::client("shop");
        client.authentication = partner::ClientAuthentication::none;
        auto enrolment = example::enrolment("e", "+32470123456");
        AccountId const holder{"a"};
        auto sign_in = example::sign_in("s");
        auto grant = example::grant("g", holder);
        grant.code_hash = crypto::sha256("code");
        grant.code_challenge = crypto::base64url(crypto::sha256(verifier));
        grant.access_token_hash.clear();

        EXPECT_TRUE(world.now(world.services().clients.add(client)));
        EXPECT_TRUE(world.now(world.services().enrolments.add(enrolment)));
        EXPECT_TRUE(world.now(world.services().accounts.open(example::account("a", "+32470123456", "85073003328"),
                                                             example::device("d", holder), {}, {enrolment, 1},
                                                             example::entry(holder, "enrolled"))));
        EXPECT_TRUE(world.now(world.services().sign_ins.add(sign_in)));
        EXPECT_TRUE(world.now(world.services().sign_ins.finish({sign_in, 1}, grant)));
    }

    Task<oidc::Redeemed>& redeem() { return world.start(redeemed(world.services())); }

    grant::Grant grant()
    {
        return world.now(world.services().grants.find_by_code(crypto::sha256("code"))).value()->value;
    }

    World world;

private:
    static Flow<oidc::Redeemed> redeemed(ports::Services services)
    {
        oidc::ClientCredentials credentials{.method = partner::ClientAuthentication::none, .client = ClientId{"shop"}};
        auto client = co_await oidc::authenticate_client(std::move(credentials), provider(), services);
        oidc::CodeRedemption request{.code = SecretText{"code"},
                                     .redirect_uri = "https://shop.example/cb",
                                     .code_verifier = std::string{verifier}};
        co_return co_await oidc::redeem_code(std::move(request), std::move(client), provider(), services);
    }
};

// Two requests with one code, in every order the seeds give: one wins, the other is told why, and takes back what the
// first one got.
TEST(CodeRedemption, happens_once)
{
    std::set<bool> first_won;
    for (auto const seed : seeds(200)) {
        SCOPED_TRACE(seed);
        Redemption redemption{seed, Faults::none()};
        auto& first = redemption.redeem();
        auto& second = redemption.redeem();
        redemption.world.run();

        auto const results = std::array{first.take(), second.take()};
        ASSERT_EQ(std::ranges::count_if(results, [](auto const& r) { return r.has_value(); }), 1);
        for (auto const& r : results) EXPECT_TRUE(r || r.error().outcome == Outcome::code_used);
        EXPECT_EQ(redemption.grant().state, grant::Grant::State::revoked);
        first_won.insert(results[0].has_value());
    }
    EXPECT_EQ(first_won.size(), 2U) << "either may be the one";
}

TEST(CodeRedemption, happens_at_most_once_whatever_is_lost_or_stops)
{
    int none = 0;
    for (auto const seed : seeds(200)) {
        SCOPED_TRACE(seed);
        Redemption redemption{seed, Faults::some()};
        std::vector<Task<oidc::Redeemed>*> tries{&redemption.redeem(), &redemption.redeem()};
        redemption.world.run();
        tries.push_back(&redemption.redeem()); // the partner tries again, perhaps after a restart
        redemption.world.run();

        std::vector<Bytes> tokens;
        for (auto* each : tries)
            if (auto const result = each->take()) tokens.push_back(crypto::sha256(result->access_token.reveal()));
        ASSERT_LE(tokens.size(), 1U);
        if (tokens.empty()) ++none;
        auto const grant = redemption.grant();
        if (!tokens.empty()) {
            EXPECT_NE(grant.state, grant::Grant::State::issued);
            EXPECT_EQ(grant.access_token_hash, tokens.front()) << "no second token took its place";
        }
    }
    EXPECT_GT(none, 0) << "some seeds lose the one answer";
}

// ---- the phone
// -----------------------------------------------------------------------------------------------------------

http::Request post(std::string path, std::string body, int address = 1)
{
    http::Request request;
    request.origin = http::Origin::phone;
    request.method = "POST";
    request.path = std::move(path);
    request.headers = {{"content-type", "application/json"}};
    request.body = std::move(body);
    request.remote_address = "192.0.2." + std::to_string(address);
    return request;
}

/// A server over the records of another world, where everything was made ready without haste.
class Phones {
public:
    device::testing::World ready;
    std::unique_ptr<World> world;

    void begin(std::uint64_t seed, Faults faults)
    {
        world = std::make_unique<World>(seed, faults, ready.engine, example::keys());
        world->set_vault(&ready.vault);
    }

    Task<http::Response>& type_token(std::string const& token, int address) const
    {
        auto const body =
            device::write(device::EnrolStart{.calling_code = "32", .number = "0470123456", .token = SecretText{token}});
        return world->start(
            device::start_enrolment(post("/d/enrol/start", body, address), world->services(), ready.settings));
    }

    Task<http::Response>& answer(ActionId const& action, device::Answer const& answer) const
    {
        auto request = post("/d/actions/" + action.text() + "/answer", device::write(answer));
        request.path_parameters.add("id", action.text());
        return world->start(device::answer_action(std::move(request), world->services(), ready.settings));
    }

    /// What the holder says to an action that was shown.
    device::Answer says(device::Phone& phone, ActionId const& action, device::Answer::Decision decision,
                        SecretText const& code = device::testing::right_code)
    {
        auto const shown = run_now(phone.show(action)).value();
        auto const approves = decision == device::Answer::Decision::approve;
        return device::make_answer(phone.state(), shown.shown, shown.bytes,
                                   {.decision = decision,
                                    .symbol = approves ? "boat" : "",
                                    .code = approves ? code : SecretText{},
                                    .claims = std::nullopt,
                                    .reason = {}});
    }
};

// Many guesses at once: five are judged, however they meet, and then the right one is not.
TEST(IdentificationToken, A5_tries_are_counted_in_every_order)
{
    for (auto const& faults : {Faults::none(), Faults::some()}) {
        for (auto const seed : seeds(25)) {
            SCOPED_TRACE(seed);
            Phones phones;
            phones.ready.enrolment();
            phones.begin(seed, faults);
            std::vector<Task<http::Response>*> guesses;
            guesses.reserve(16);
            for (int i = 0; i < 10; ++i) guesses.push_back(&phones.type_token("Wrong+" + std::to_string(i), i));
            phones.world->run();
            // Whoever met others may have been sent away unjudged: one after another, the rest is judged.
            for (int i = 10; i < 16; ++i) {
                guesses.push_back(&phones.type_token("Wrong+" + std::to_string(i), i));
                phones.world->run();
            }

            std::set<int> tries_left;
            for (auto* guess : guesses) {
                auto const result = guess->take();
                ASSERT_FALSE(result);
                if (result.error().outcome == Outcome::identification_token_wrong)
                    EXPECT_TRUE(tries_left.insert(result.error().tries_left.value()).second) << "one try, told twice";
            }
            EXPECT_LE(tries_left.size(), 4U) << "the fifth closes the step";
            if (faults.stops > 0) continue;
            EXPECT_EQ(tries_left, (std::set{1, 2, 3, 4})) << "no try is lost either";
            auto& right = phones.type_token("Ab3+k?7Q", 20);
            phones.world->run();
            EXPECT_EQ(outcome(right.take()), Outcome::tries_used_up) << "the right one comes too late";
        }
    }
}

TEST(Answer, D5_of_yes_and_no_one_counts)
{
    std::set<action::State> seen;
    for (auto const seed : seeds(25)) {
        SCOPED_TRACE(seed);
        Phones phones;
        auto phone = phones.ready.enrolled_phone();
        auto const action = phones.ready.action(phone);
        auto const yes = phones.says(phone, action, device::Answer::Decision::approve);
        auto const no = phones.says(phone, action, device::Answer::Decision::refuse);
        phones.begin(seed, Faults::none());
        auto& approving = phones.answer(action, yes);
        auto& refusing = phones.answer(action, no);
        phones.world->run();

        auto const approved = approving.take();
        auto const refused = refusing.take();
        EXPECT_NE(approved.has_value(), refused.has_value());
        auto const now = phones.ready.action_now(action).value.state;
        EXPECT_EQ(now, approved ? action::State::approved : action::State::refused);
        auto const history = phones.ready.history_of(phone);
        EXPECT_EQ(std::ranges::count(history, "approved") + std::ranges::count(history, "refused"), 1);
        seen.insert(now);
    }
    EXPECT_EQ(seen.size(), 2U) << "either may be first";
}

TEST(Answer, D1_an_approval_is_kept_once_and_whole_whatever_is_lost_or_stops)
{
    int approved_after_trouble = 0;
    for (auto const seed : seeds(40)) {
        SCOPED_TRACE(seed);
        Phones phones;
        auto phone = phones.ready.enrolled_phone();
        auto const action = phones.ready.action(phone);
        auto const yes = phones.says(phone, action, device::Answer::Decision::approve);
        phones.begin(seed, {.requests_lost = 30, .answers_lost = 30, .stops = 20});

        // As a phone does: the same answer again until there is one to it.
        Result<http::Response> result = fail(Outcome::unavailable);
        int tries = 0;
        while (!result && ++tries < 20) {
            auto& answering = phones.answer(action, yes);
            phones.world->run();
            result = answering.take();
        }
        ASSERT_TRUE(result) << name_of(result.error().outcome);
        auto const stored = phones.ready.action_now(action).value;
        EXPECT_EQ(stored.state, action::State::approved);
        EXPECT_FALSE(stored.record.empty());
        EXPECT_EQ(std::ranges::count(phones.ready.history_of(phone), "approved"), 1);
        EXPECT_NE(phones.ready.device_now(phone).value.ratchet, phone.state().ratchet);
        if (tries > 1) ++approved_after_trouble;
    }
    EXPECT_GT(approved_after_trouble, 0);
}

// Of seed 373 of the Worlds of enrolment: the store had done its part when its answer was lost.
TEST(EnrolmentEnd, A4_an_account_that_is_there_though_the_store_seemed_to_fail_has_its_code)
{
    Phones phones;
    auto const enrolment = phones.ready.enrolment();
    device::Phone phone{device::new_phone(phones.ready.random), phones.ready.transport};
    ASSERT_TRUE(run_now(phone.start_enrolment("32", "0470123456", SecretText{"Ab3+k?7Q"})));
    ASSERT_TRUE(run_now(phone.give_sms_code(phones.ready.messages.last_code())));

    phones.begin(1, Faults::none());
    auto answers_lost = 1;
    phones.world->commit_double = [&](std::vector<store::Write> writes) -> Flow<store::Committed> {
        auto committed = co_await phones.ready.engine.commit(std::move(writes));
        if (answers_lost-- > 0) co_return fail(Outcome::store_failed, "the answer was lost");
        co_return committed;
    };
    auto const finish = [&] {
        auto const body = device::write(device::make_finish(phone.state(), device::testing::right_code, "Phone"));
        return phones.world->now(
            device::finish_enrolment(post("/d/enrol/finish", body), phones.world->services(), phones.ready.settings));
    };
    EXPECT_EQ(outcome(finish()), Outcome::store_failed);
    ASSERT_EQ(phones.ready.enrolment_now(enrolment).value.state, enrolment::State::done);
    EXPECT_TRUE(finish()) << "the same again is told that it is done";
    EXPECT_EQ(phones.ready.vault.tries_of(phones.ready.enrolment_now(enrolment).value.account.value()), 3)
        << "the vault knows the code";
}

// ---- the fingerprint is turned on by one message, however often it has to be sent

device::PhonePasskey new_passkey(Bytes id)
{
    return {.authenticator = passkey::new_authenticator(std::move(id)),
            .party = passkey::relying_party_at("https://phone.example")};
}

/// The same message until there is an answer to it, as a phone does.
Result<http::Response> until_answered(Phones& phones, std::function<Flow<http::Response>()> const& send)
{
    constexpr int most = 200;
    for (int tries = 1;; ++tries) {
        auto& sending = phones.world->start(send());
        phones.world->run();
        auto result = sending.take();
        auto const is_lost =
            !result &&
            (result.error().outcome == Outcome::unavailable || result.error().outcome == Outcome::store_failed ||
             result.error().outcome == Outcome::vault_unreachable || result.error().outcome == Outcome::conflict);
        if (!is_lost || tries == most) return result;
    }
}

/// What a phone says to turn its fingerprint on.
std::string passkey_on(device::Phone& phone)
{
    auto const opened = run_now(phone.send_signed("POST", "/d/passkey/challenge", "{}"));
    auto const challenge = crypto::from_base64url(*json::text(*json::parse_object(opened->body), "challenge")).value();
    return device::write(
        device::make_passkey_on(phone.state(), new_passkey(Bytes(20, 1)), challenge, device::testing::right_code));
}

TEST(FingerprintOn, D1_succeeds_when_it_is_repeated_whatever_is_lost_or_stops)
{
    for (auto const seed : seeds(60)) {
        SCOPED_TRACE(seed);
        Phones phones;
        auto phone = phones.ready.enrolled_phone();
        auto const on = passkey_on(phone);
        phones.begin(seed, {.requests_lost = 30, .answers_lost = 30, .stops = 20});

        auto const result = until_answered(phones, [&] {
            return device::turn_passkey_on(post("/d/passkey/on", on), phones.world->services(), phones.ready.settings);
        });
        ASSERT_TRUE(result) << name_of(result.error().outcome);
        auto const kept = phones.ready.device_now(phone).value;
        EXPECT_TRUE(kept.passkey);
        EXPECT_EQ(kept.previous_ratchet, phone.state().ratchet) << "turned on once";
        EXPECT_EQ(std::ranges::count(phones.ready.history_of(phone), "passkey_on"), 1);
    }
}

TEST(FingerprintOn, that_comes_twice_at_once_is_on)
{
    for (auto const seed : seeds(25)) {
        SCOPED_TRACE(seed);
        Phones phones;
        auto phone = phones.ready.enrolled_phone();
        auto const on = passkey_on(phone);
        phones.begin(seed, Faults::none());
        auto const send = [&] {
            return device::turn_passkey_on(post("/d/passkey/on", on), phones.world->services(), phones.ready.settings);
        };
        auto& first = phones.world->start(send());
        auto& second = phones.world->start(send());
        phones.world->run();
        for (auto* each : {&first, &second}) {
            auto const result = each->take();
            EXPECT_TRUE(result || result.error().outcome == Outcome::conflict) << name_of(result.error().outcome);
        }
        EXPECT_TRUE(until_answered(phones, send));
        EXPECT_TRUE(phones.ready.device_now(phone).value.passkey);
    }
}

TEST(EnrolmentEnd, A4_with_a_fingerprint_is_reached_by_the_same_message_again_whatever_is_lost_or_stops)
{
    for (auto const seed : seeds(40)) {
        SCOPED_TRACE(seed);
        Phones phones;
        auto const enrolment = phones.ready.enrolment();
        device::Phone phone{device::new_phone(phones.ready.random), phones.ready.transport};
        ASSERT_TRUE(run_now(phone.start_enrolment("32", "0470123456", SecretText{"Ab3+k?7Q"})));
        ASSERT_TRUE(run_now(phone.give_sms_code(phones.ready.messages.last_code())));
        phone.take_passkey(new_passkey(Bytes(20, 2)));
        auto const body = device::write(device::make_finish(phone.state(), device::testing::right_code, "Phone"));
        phones.begin(seed, {.requests_lost = 30, .answers_lost = 30, .stops = 20});

        auto const result = until_answered(phones, [&] {
            return device::finish_enrolment(post("/d/enrol/finish", body), phones.world->services(),
                                            phones.ready.settings);
        });
        ASSERT_TRUE(result) << name_of(result.error().outcome);
        EXPECT_EQ(phones.ready.enrolment_now(enrolment).value.state, enrolment::State::done);
        EXPECT_TRUE(phones.ready.device_now(phone).value.passkey);
    }
}

TEST(Code, D6_three_wrong_codes_block_in_every_order_and_through_restarts)
{
    for (auto const& faults : {Faults::none(), Faults::some()}) {
        for (auto const seed : seeds(15)) {
            SCOPED_TRACE(seed);
            Phones phones;
            auto phone = phones.ready.enrolled_phone();
            std::vector<std::pair<ActionId, device::Answer>> wrong;
            for (int i = 0; i < 6; ++i) {
                auto const action = phones.ready.action(phone, "a" + std::to_string(i));
                wrong.emplace_back(
                    action, phones.says(phone, action, device::Answer::Decision::approve, device::testing::wrong_code));
            }
            auto const last = phones.ready.action(phone, "last");
            auto const right = phones.says(phone, last, device::Answer::Decision::approve);

            phones.begin(seed, faults);
            std::vector<Task<http::Response>*> answers;
            answers.reserve(wrong.size());
            for (auto const& [action, answer] : wrong) answers.push_back(&phones.answer(action, answer));
            phones.world->run();

            int told_wrong = 0;
            for (auto* each : answers) {
                auto const result = each->take();
                ASSERT_FALSE(result);
                if (result.error().outcome == Outcome::code_wrong) ++told_wrong;
            }
            EXPECT_LE(told_wrong, 2) << "the third one blocks";
            if (faults.stops > 0) continue;
            EXPECT_EQ(told_wrong, 2);
            auto& trying = phones.answer(last, right);
            phones.world->run();
            EXPECT_FALSE(trying.take()) << "the right code comes too late";
            EXPECT_NE(phones.ready.action_now(last).value.state, action::State::approved);
        }
    }
}

} // namespace
} // namespace symbolon::sim

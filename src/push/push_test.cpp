#include "crypto/encoding.hpp"
#include "crypto/push_encryption.hpp"
#include "push/delivery.hpp"
#include "store/store_testing.hpp"

#include <gtest/gtest.h>

namespace symbolon::push {
namespace {

using account::PushSubscription;
using store::testing::noon;
using What = Verdict::What;

// ---- endpoints -----------------------------------------------------------------------------------------------------

TEST(PushEndpoint, is_of_a_listed_host_over_https)
{
    std::vector<std::string> const hosts{"push.example", "*.push.other.example", "localhost:8407"};
    struct Row {
        std::string url;
        std::string origin; ///< empty: refused
    };
    for (auto const& [url, origin] : {
             Row{"https://push.example/p/1?x=y", "https://push.example"},
             Row{"https://PUSH.example/p/1", "https://push.example"},
             Row{"https://push.example:443/p/1", "https://push.example"},
             Row{"https://eu.push.other.example/p", "https://eu.push.other.example"},
             Row{"https://a.b.push.other.example/p", "https://a.b.push.other.example"},
             Row{"http://localhost:8407/p", "http://localhost:8407"},
             Row{"http://push.example/p", ""},
             Row{"https://push.example:8443/p", ""},
             Row{"https://push.other.example/p", ""},
             Row{"https://evilpush.other.example/p", ""},
             Row{"https://push.example.evil.example/p", ""},
             Row{"https://push.example@evil.example/p", ""},
             Row{"https://user@push.example/p", ""},
             Row{"https://push.example/p#fragment", ""},
             Row{"https://push.example./p", ""},
             Row{"https://127.0.0.1/p", ""},
             Row{"https://[::1]/p", ""},
             Row{"http://localhost:8408/p", ""},
             Row{"http://localhost/p", ""},
             Row{"ftp://push.example/p", ""},
             Row{"file:///etc/passwd", ""},
             Row{"/p/1", ""},
             Row{"", ""},
             Row{"https://push.example/" + std::string(2048, 'x'), ""},
         }) {
        auto const judged = check_endpoint(url, hosts);
        EXPECT_EQ(judged ? judged->origin : "", origin) << url;
        if (!judged) {
            EXPECT_EQ(judged.error().outcome, Outcome::push_endpoint_refused);
        }
    }
    EXPECT_FALSE(check_endpoint("https://push.example/p", {})) << "an empty list lets nobody in";
}

TEST(PushEndpoint, entries_of_the_list_are_hosts)
{
    for (auto const& host : default_hosts()) EXPECT_TRUE(is_host_pattern(host)) << host;
    for (auto const* host : {"push.example", "*.push.example", "localhost:8407", "127.0.0.1:8407"})
        EXPECT_TRUE(is_host_pattern(host)) << host;
    for (auto const* host :
         {"", "*", "*.", "*.com", "com", "https://push.example", "push.example/p", "push.example:443", "localhost",
          "*.localhost:80", "Push.example", "a.*.example", "push.example."})
        EXPECT_FALSE(is_host_pattern(host)) << host;
}

// ---- messages ------------------------------------------------------------------------------------------------------

Settings settings()
{
    return {.key = {.key_id = {},
                    .algorithm = crypto::SignatureAlgorithm::es256,
                    .key = crypto::PrivateKey::generate(crypto::KeyType::ec_p256)},
            .contact = "mailto:operator@symbolon.example",
            .hosts = {"push.example"},
            .phone_url = "https://phone.example",
            .texts = {}};
}

PushSubscription subscription(std::string endpoint = "https://push.example/p/1")
{
    return {.device = DeviceId{"phone"},
            .account = AccountId{"holder"},
            .state = PushSubscription::State::on,
            .endpoint = std::move(endpoint),
            .point = crypto::push_point(crypto::PrivateKey::generate(crypto::KeyType::ec_p256).public_key()),
            .auth = Bytes(16, 7),
            .language = Language::nl,
            .since = noon};
}

std::string header(PushRequest const& request, std::string_view name)
{
    for (auto const& [key, value] : request.headers)
        if (key == name) return value;
    return {};
}

TEST(PushMessage, says_that_something_waits_and_nothing_of_what_or_whose)
{
    auto const it = settings();
    Notice const notice{.action = ActionId{"AZj2ax4yTkGJ0Q3v1pXk9A"}, .expires_at = noon + 3min};
    for (auto const language : all_languages) {
        auto const payload = payload_of(notice, language, it);
        EXPECT_LE(payload.size(), padded_payload_bytes);
        auto const object = json::parse_object(payload).value();
        std::vector<std::string> members;
        for (auto const& member : object) members.emplace_back(member.key());
        EXPECT_EQ(members, (std::vector<std::string>{"web_push", "notification", "action", "expires_at"}));
        EXPECT_EQ(object.at("web_push"), 8030);
        EXPECT_EQ(object.at("expires_at"), numeric_date(noon + 3min));
        auto const& notification = object.at("notification").as_object();
        EXPECT_EQ(notification.at("lang").as_string(), name_of(language));
        EXPECT_EQ(notification.at("title"), "Symbolon");
        EXPECT_EQ(notification.at("navigate"), "https://phone.example/app/#action=AZj2ax4yTkGJ0Q3v1pXk9A");
    }
}

TEST(PushMessage, carries_what_RFC_8030_and_RFC_8292_ask_for)
{
    auto const it = settings();
    auto const random = crypto::system_random();
    auto const request =
        request_for(subscription(), {.action = ActionId{"a"}, .expires_at = noon + 90s}, it, *random, noon).value();
    EXPECT_EQ(request.url, "https://push.example/p/1");
    EXPECT_EQ(header(request, "TTL"), "90");
    EXPECT_EQ(header(request, "Urgency"), "high");
    EXPECT_EQ(header(request, "Content-Encoding"), "aes128gcm");
    EXPECT_LE(header(request, "Topic").size(), 32U);
    EXPECT_EQ(request.body.size(), 16 + 4 + 1 + 65 + padded_payload_bytes + 1 + 16);

    auto const authorization = header(request, "Authorization");
    ASSERT_TRUE(authorization.starts_with("vapid t="));
    auto const comma = authorization.find(", k=");
    ASSERT_NE(comma, std::string::npos);
    EXPECT_EQ(authorization.substr(comma + 4), crypto::base64url(crypto::push_point(it.key.key.public_key())));
    std::array const keys{crypto::VerificationKey{.key_id = {}, .algorithm = {}, .key = it.key.key.public_key()}};
    std::array const allowed{crypto::SignatureAlgorithm::es256};
    auto const token = crypto::verify_jws(authorization.substr(8, comma - 8), keys, allowed).value();
    EXPECT_EQ(token.header.at("typ"), "JWT");
    auto const claims = json::parse_object(token.payload).value();
    EXPECT_EQ(claims.at("aud"), "https://push.example");
    EXPECT_EQ(claims.at("sub"), "mailto:operator@symbolon.example");
    EXPECT_GT(claims.at("exp").as_int64(), numeric_date(noon));
    EXPECT_LE(claims.at("exp").as_int64(), numeric_date(noon + 24h));
}

TEST(PushMessage, goes_to_no_host_that_was_taken_off_the_list)
{
    auto const random = crypto::system_random();
    auto const refused = request_for(subscription("https://old.example/p"),
                                     {.action = ActionId{"a"}, .expires_at = noon}, settings(), *random, noon);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().outcome, Outcome::push_endpoint_refused);
}

// ---- answers -------------------------------------------------------------------------------------------------------

TEST(PushVerdict, follows_from_the_status_and_Retry_After)
{
    struct Row {
        std::optional<PushAnswer> answer;
        int tries;
        What what;
        Seconds pause;
        bool is_of_host;
    };
    for (auto const& row : {
             Row{PushAnswer{201}, 1, What::delivered, 0s, false},
             Row{PushAnswer{200}, 1, What::delivered, 0s, false},
             Row{PushAnswer{202}, 1, What::delivered, 0s, false},
             Row{PushAnswer{404}, 1, What::ended, 0s, false},
             Row{PushAnswer{410}, 1, What::ended, 0s, false},
             Row{PushAnswer{410, 60s}, 1, What::ended, 0s, false},
             Row{PushAnswer{429, 7s}, 1, What::again, 7s, false},
             Row{PushAnswer{429}, 3, What::again, 4s, false},
             Row{PushAnswer{429, 24h}, 1, What::again, longest_pause, false},
             Row{PushAnswer{503, 9s}, 1, What::again, 9s, true},
             Row{PushAnswer{503}, 1, What::again, 1s, false},
             Row{PushAnswer{500}, 2, What::again, 2s, false},
             Row{PushAnswer{502, 3s}, 2, What::again, 3s, false},
             Row{std::nullopt, 1, What::again, 1s, false},
             Row{std::nullopt, 100, What::again, 64s, false},
             Row{PushAnswer{301}, 1, What::refused, 0s, false},
             Row{PushAnswer{400}, 1, What::refused, 0s, false},
             Row{PushAnswer{403}, 1, What::refused, 0s, false},
             Row{PushAnswer{413}, 1, What::refused, 0s, false},
         }) {
        auto const verdict = judge(row.answer, row.tries);
        auto const name = row.answer ? row.answer->status : 0;
        EXPECT_EQ(verdict.what, row.what) << name;
        EXPECT_EQ(verdict.pause, row.pause) << name;
        EXPECT_EQ(verdict.is_of_host, row.is_of_host) << name;
    }
}

// ---- delivery ------------------------------------------------------------------------------------------------------

class PushDelivery : public ::testing::Test {
protected:
    struct Clock final : ports::Clock {
        [[nodiscard]] Instant now() const override { return at; }
        Instant at = noon;
    };
    struct Log final : ports::Log {
        void event(std::string_view name, Fields) override { names.emplace_back(name); }
        void failure(std::string_view name, Failure const&, Fields) override { names.emplace_back(name); }
        std::vector<std::string> names;
    };
    /// Answers as it is told, and lets the time go by instead of waiting.
    struct Scripted final : Carrier {
        Flow<PushAnswer> post(PushRequest request) override
        {
            urls.push_back(request.url);
            ttls.push_back(header(request, "TTL"));
            if (on_post) on_post();
            if (answers.empty()) co_return PushAnswer{201};
            auto const answer = answers.front();
            answers.erase(answers.begin());
            if (answer.status == 0) co_return fail(Outcome::upstream_unreachable, "nobody there");
            co_return answer;
        }
        Flow<void> pause(Seconds duration) override
        {
            clock.at += duration;
            pauses.push_back(duration);
            co_return {};
        }
        explicit Scripted(Clock& c) : clock{c} {}
        Clock& clock;
        std::vector<PushAnswer> answers;
        std::vector<std::string> urls;
        std::vector<std::string> ttls;
        std::vector<Seconds> pauses;
        std::function<void()> on_post;
    };
    /// Counts how often the store is read.
    struct Reads final : ports::PushSubscriptions {
        explicit Reads(ports::PushSubscriptions& i) : inner{i} {}
        Flow<std::optional<ports::Stored<PushSubscription>>> find(DeviceId device) override
        {
            ++reads;
            return inner.find(std::move(device));
        }
        Flow<void> put(PushSubscription subscription) override { return inner.put(std::move(subscription)); }
        Flow<void> save(ports::Stored<PushSubscription> stored) override { return inner.save(std::move(stored)); }
        Flow<void> turn_off(DeviceId device, Instant now) override { return inner.turn_off(std::move(device), now); }
        ports::PushSubscriptions& inner;
        int reads = 0;
    };
    struct DeviceReads final : ports::Devices {
        DeviceReads(ports::Devices& i, int& r) : inner{i}, reads{r} {}
        Flow<std::optional<ports::Stored<account::Device>>> find(DeviceId id) override
        {
            ++reads;
            return inner.find(std::move(id));
        }
        Flow<void> save(ports::Stored<account::Device> device) override { return inner.save(std::move(device)); }
        Flow<void> save(ports::Stored<account::Device> device, ports::HistoryEntry entry) override
        {
            return inner.save(std::move(device), std::move(entry));
        }
        Flow<bool> save(ports::Stored<account::Device> device, ports::HistoryEntry entry, ports::Once once) override
        {
            return inner.save(std::move(device), std::move(entry), std::move(once));
        }
        ports::Devices& inner;
        int& reads;
    };
    struct CountedRandom final : crypto::Random {
        void fill(std::span<Byte> bytes) override
        {
            ++draws;
            inner.fill(bytes);
        }
        store::testing::RepeatableRandom inner{3};
        int draws = 0;
    };

    Clock clock;
    Log log;
    CountedRandom random;
    store::testing::RepeatableRandom store_random{1};
    store::MemoryEngine engine;
    store::Store store{engine, store::testing::keys(), store_random};
    Settings settings_ = settings();
    PushSubscription nobody = nobodys_subscription(settings_, store_random);
    Scripted carrier{clock};
    Reads reads{store.push_subscriptions()};
    DeviceReads device_reads{store.devices(), reads.reads};
    Closed closed;

    PushDelivery()
    {
        auto const enrolment = store::testing::enrolment("e", "+32470123456");
        EXPECT_TRUE(run_now(store.enrolments().add(enrolment)));
        EXPECT_TRUE(run_now(store.accounts().open(store::testing::account("holder", "+32470123456", "85073003328"),
                                                  store::testing::device("phone", AccountId{"holder"}), {1},
                                                  run_now(store.enrolments().find(enrolment.id)).value().value(),
                                                  store::testing::entry(AccountId{"holder"}, "enrolled"))));
    }

    ActionId action(std::string const& id = "a", bool of_somebody = true, action::Entry entry = action::Entry::number)
    {
        auto const sign_in = store::testing::sign_in("sign-in of " + id);
        EXPECT_TRUE(run_now(store.sign_ins().add(sign_in)));
        auto it = of_somebody ? store::testing::action(id, AccountId{"holder"}, DeviceId{"phone"})
                              : store::testing::action(id, std::nullopt, std::nullopt);
        it.state = action::State::waiting;
        it.entry = entry;
        it.created_at = clock.at;
        it.expires_at = clock.at + 3min;
        EXPECT_TRUE(run_now(store.actions().start(it, {sign_in, 1})));
        return it.id;
    }
    void subscribe() { EXPECT_TRUE(run_now(store.push_subscriptions().put(subscription()))); }
    std::optional<PushSubscription> kept()
    {
        auto const found = run_now(store.push_subscriptions().find(DeviceId{"phone"})).value();
        return found ? std::optional{found->value} : std::nullopt;
    }
    bool deliver(ActionId const& id)
    {
        return run_now(push::deliver(id, {.actions = store.actions(),
                                          .devices = device_reads,
                                          .subscriptions = reads,
                                          .clock = clock,
                                          .random = random,
                                          .log = log,
                                          .carrier = carrier,
                                          .settings = settings_,
                                          .closed = closed,
                                          .nobody = nobody}))
            .has_value();
    }
};

TEST_F(PushDelivery, D1_the_phone_of_an_action_is_notified_once)
{
    subscribe();
    EXPECT_TRUE(deliver(action()));
    EXPECT_EQ(carrier.urls, std::vector<std::string>{"https://push.example/p/1"});
    EXPECT_EQ(carrier.ttls, std::vector<std::string>{"180"});
    EXPECT_TRUE(carrier.pauses.empty());
}

TEST_F(PushDelivery, D3_what_the_holder_goes_to_with_the_phone_in_hand_is_not_notified)
{
    subscribe();
    for (auto const entry : {action::Entry::qr, action::Entry::link, action::Entry::code})
        EXPECT_TRUE(deliver(action("by " + std::string{name_of(entry)}, true, entry)));
    EXPECT_TRUE(carrier.urls.empty());
}

TEST_F(PushDelivery, D7_nobodys_action_costs_as_many_reads_and_as_much_encryption)
{
    EXPECT_TRUE(deliver(action("nobodys", false)));
    auto const reads_of_nobody = reads.reads;
    auto const draws_of_nobody = random.draws;
    EXPECT_TRUE(deliver(action("silent")));
    EXPECT_EQ(reads.reads, 2 * reads_of_nobody) << "a phone without notifications";
    EXPECT_EQ(random.draws, 2 * draws_of_nobody);
    EXPECT_TRUE(carrier.urls.empty());
    subscribe();
    EXPECT_TRUE(deliver(action("notified")));
    EXPECT_EQ(reads.reads, 3 * reads_of_nobody);
    EXPECT_EQ(random.draws, 3 * draws_of_nobody);
    EXPECT_EQ(carrier.urls.size(), 1U);
    EXPECT_GT(draws_of_nobody, 0);
}

TEST_F(PushDelivery, what_is_shown_ended_or_over_rings_no_more)
{
    subscribe();
    auto const shown = action("shown");
    auto stored = run_now(store.actions().find(shown)).value().value();
    stored.value.state = action::State::shown;
    ASSERT_TRUE(run_now(store.actions().save(stored)));
    EXPECT_TRUE(deliver(shown));
    auto const quiet = action("quiet");
    auto one_of_many = run_now(store.actions().find(quiet)).value().value();
    one_of_many.value.quiet = true;
    ASSERT_TRUE(run_now(store.actions().save(one_of_many)));
    EXPECT_TRUE(deliver(quiet));
    auto const late = action("late");
    clock.at += 3min;
    EXPECT_TRUE(deliver(late));
    EXPECT_TRUE(deliver(ActionId{"unknown"}));
    EXPECT_TRUE(carrier.urls.empty());
}

TEST_F(PushDelivery, D5_what_the_holder_said_was_not_them_rings_no_more_after_a_start_either)
{
    subscribe();
    auto const muted = action("muted");
    auto const another = action("another");
    auto stored = run_now(store.actions().find(muted)).value().value();
    stored.value.origin = {.browser = {1}, .network = {2}};
    ASSERT_TRUE(run_now(store.actions().save(stored)));
    auto phone = run_now(store.devices().find(DeviceId{"phone"})).value().value();
    phone.value = action::with_mute(phone.value, stored.value, clock.at, clock.at + 1h);
    ASSERT_TRUE(run_now(store.devices().save(phone)));

    for (auto const& waiting : run_now(store.actions().waiting(clock.at)).value()) EXPECT_TRUE(deliver(waiting));
    EXPECT_EQ(carrier.urls.size(), 1U) << "of the other one alone";
    EXPECT_TRUE(deliver(another));
    EXPECT_EQ(carrier.urls.size(), 2U);
}

TEST_F(PushDelivery, a_subscription_that_is_gone_is_ended_and_its_endpoint_forgotten)
{
    for (auto const status : {404, 410}) {
        subscribe();
        carrier.answers = {{status}};
        auto const id = action(std::to_string(status));
        EXPECT_TRUE(deliver(id));
        ASSERT_TRUE(kept());
        EXPECT_EQ(kept()->state, PushSubscription::State::ended);
        EXPECT_EQ(kept()->endpoint, "");
        EXPECT_TRUE(kept()->auth.empty());
        auto const sent = carrier.urls.size();
        EXPECT_TRUE(deliver(action("after " + std::to_string(status))));
        EXPECT_EQ(carrier.urls.size(), sent) << "nothing is sent to it any more";
    }
}

TEST_F(PushDelivery, a_subscription_that_took_its_place_meanwhile_stays)
{
    subscribe();
    carrier.answers = {{410}};
    carrier.on_post = [&] {
        ASSERT_TRUE(run_now(store.push_subscriptions().put(subscription("https://push.example/p/2"))));
    };
    EXPECT_TRUE(deliver(action()));
    EXPECT_EQ(kept()->endpoint, "https://push.example/p/2");
    EXPECT_EQ(kept()->state, PushSubscription::State::on);
}

TEST_F(PushDelivery, a_service_that_is_too_busy_is_asked_again_when_it_said)
{
    subscribe();
    carrier.answers = {{429, 5s}, {503, 8s}, {500}, {0}, {201}};
    EXPECT_TRUE(deliver(action()));
    EXPECT_EQ(carrier.pauses, (std::vector<Seconds>{5s, 8s, 4s, 8s}));
    EXPECT_EQ(carrier.ttls, (std::vector<std::string>{"180", "175", "167", "163", "155"}));
}

TEST_F(PushDelivery, nothing_is_sent_after_the_actions_time)
{
    subscribe();
    carrier.answers = {{429, 179s}, {201}};
    EXPECT_TRUE(deliver(action("a")));
    EXPECT_EQ(carrier.pauses, std::vector<Seconds>{longest_pause});
    EXPECT_EQ(carrier.ttls.back(), "60");

    carrier.answers = {{0}, {0}, {0}, {0}, {0}, {0}, {0}, {0}};
    EXPECT_FALSE(deliver(action("b")));
    EXPECT_LE(carrier.urls.size(), 2U + most_tries);
}

TEST_F(PushDelivery, a_phone_that_is_rung_too_often_delays_no_other_phone)
{
    subscribe();
    auto other = subscription("https://push.example/p/other");
    other.device = DeviceId{"other phone"};
    ASSERT_TRUE(run_now(store.push_subscriptions().put(other)));
    carrier.answers = {{429, 60s}, {201}};
    EXPECT_TRUE(deliver(action("a")));
    EXPECT_EQ(closed.left("device phone", noon + 10s), 50s);
    EXPECT_EQ(closed.left("device other phone", noon + 10s), 0s);
    EXPECT_EQ(closed.left("host push.example", noon + 10s), 0s);
}

TEST_F(PushDelivery, a_host_that_wants_a_rest_gets_it_from_every_delivery)
{
    subscribe();
    closed.until("host push.example", noon + 20s, noon);
    EXPECT_TRUE(deliver(action("a")));
    EXPECT_EQ(carrier.pauses, std::vector<Seconds>{20s});
    EXPECT_EQ(carrier.urls.size(), 1U);
}

TEST_F(PushDelivery, what_the_service_will_not_take_is_not_sent_again)
{
    subscribe();
    carrier.answers = {{403}};
    EXPECT_FALSE(deliver(action()));
    EXPECT_EQ(carrier.urls.size(), 1U);
    EXPECT_EQ(kept()->state, PushSubscription::State::on);
}

TEST_F(PushDelivery, what_waits_in_the_store_is_found_again_after_a_start)
{
    auto const first = action("first");
    clock.at += 1min;
    auto const second = action("second");
    auto const nobodys = action("nobodys", false);
    auto const shown = action("shown");
    auto stored = run_now(store.actions().find(shown)).value().value();
    stored.value.state = action::State::shown;
    ASSERT_TRUE(run_now(store.actions().save(stored)));
    EXPECT_EQ(run_now(store.actions().waiting(clock.at)).value(), (std::vector<ActionId>{first, second, nobodys}));
    EXPECT_EQ(run_now(store.actions().waiting(noon + 3min)).value(), (std::vector<ActionId>{second, nobodys}));
}

} // namespace
} // namespace symbolon::push

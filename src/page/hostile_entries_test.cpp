// D3, D5: strangers at every entry at once, with pages, addresses and an account of their own. The server's routes of
// both origins, real phones.

#include "action/queue.hpp"
#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "device/world_testing.hpp"
#include "entry/offer.hpp"
#include "oidc/authorize.hpp"
#include "page/sign_in.hpp"

#include <gtest/gtest.h>

namespace symbolon::page {
namespace {

using device::Claim;
using device::Phone;
using By = Claim::By;

class HostileEntries : public ::testing::Test {
protected:
    struct Browser {
        std::string address;
        std::string cookie;
    };

    device::testing::World world;
    Texts texts;
    oidc::Provider provider{{.issuer = "https://id.example",
                             .keys = {{.key = world.settings->record_key}},
                             .pairwise_secret = SecretBytes{Bytes(32, 7)},
                             .limits = {}}};
    SignInPages pages{.provider = provider,
                      .texts = texts,
                      .app_url = "https://phone.example/app/",
                      .record_key = world.settings->record_key,
                      .is_test_system = false};
    http::Routes routes = sign_in_routes(pages, world.services);
    Phone holder = world.enrolled_phone();
    Phone hostile = world.enrolled_phone("e2", "+32470999999", "90010100101");
    Browser own{.address = "192.0.2.1", .cookie = {}};
    std::string const verifier = std::string(43, 'v');

    void SetUp() override
    {
        auto client = store::testing::client("shop");
        client.redirect_uris = {"https://shop.example/cb"};
        ASSERT_TRUE(run_now(world.services.clients.add(client)));
    }

    http::Response ask(Browser& browser, std::string method, std::string const& path, http::Parameters parameters = {})
    {
        http::Request request;
        request.method = std::move(method);
        request.path = path;
        request.remote_address = browser.address;
        request.headers = {{"origin", "https://id.example"},
                           {"content-type", "application/x-www-form-urlencoded"},
                           {"user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"}};
        if (!browser.cookie.empty()) request.headers.emplace_back("cookie", browser.cookie);
        if (request.method == "POST") request.body = http::write_parameters(parameters);
        else request.query = std::move(parameters);
        for (auto const& route : routes) {
            auto found = http::match_path(route.pattern, path);
            if (!found || route.method != request.method) continue;
            request.path_parameters = *std::move(found);
            auto answer = run_now(route.handler(request)).value();
            for (auto const& [name, value] : answer.headers)
                if (name == "Set-Cookie" && value.starts_with(oidc::browser_cookie))
                    browser.cookie = value.substr(0, value.find(';'));
            return answer;
        }
        ADD_FAILURE() << "no route for " << path;
        return {};
    }
    static std::string location(http::Response const& answer)
    {
        for (auto const& [name, value] : answer.headers)
            if (name == "Location") return value;
        return {};
    }
    std::string begin(Browser& browser)
    {
        auto const answer = ask(browser, "GET", "/authorize",
                                http::Parameters{{{"response_type", "code"},
                                                  {"client_id", "shop"},
                                                  {"redirect_uri", "https://shop.example/cb"},
                                                  {"scope", "openid"},
                                                  {"state", "s"},
                                                  {"nonce", "n"},
                                                  {"code_challenge", crypto::base64url(crypto::sha256(verifier))},
                                                  {"code_challenge_method", "S256"}}});
        EXPECT_TRUE(location(answer).starts_with("/sign-in/")) << location(answer);
        return location(answer);
    }
    int type_number(Browser& browser, std::string const& path)
    {
        return ask(browser, "POST", path,
                   http::Parameters{{{"calling_code", "32"}, {"identifier", "0470123456"}, {"continue", "1"}}})
            .status;
    }
    grant::SignIn sign_in(std::string const& path)
    {
        return run_now(world.services.sign_ins.find(SignInId{path.substr(std::string{"/sign-in/"}.size())}))
            .value()
            .value()
            .value;
    }
    static std::string why(auto const& result) { return result ? "" : std::string{name_of(result.error().outcome)}; }
    static std::string address_of(int number)
    {
        return "198.51." + std::to_string(number / 250) + '.' + std::to_string(number % 250 + 1);
    }

    /// What one stranger does, of several kinds in turn, while the holder's page stands at `page`.
    void attack(int number, std::string const& page)
    {
        Browser browser{.address = address_of(number), .cookie = {}};
        auto const path = begin(browser);
        auto const held = sign_in(page);
        auto const guess = crypto::base64url(crypto::sha256(std::to_string(number)));
        switch (number % 5) {
        case 0: EXPECT_EQ(type_number(browser, path), 303); return;
        case 1: {
            // The page's name is known, its secret is not.
            auto const seen = held.id.text() + '.' + std::to_string(number % 3) + '.' + guess;
            EXPECT_FALSE(run_now(hostile.claim({.by = By::scan, .value = seen})));
            return;
        }
        case 2: EXPECT_FALSE(run_now(hostile.claim({.by = By::link, .value = held.id.text() + '.' + guess}))); return;
        case 3: EXPECT_FALSE(run_now(hostile.claim({.by = By::code, .value = "BCDFGHJK"}))); return;
        default: {
            // A page and a phone of their own: what they claim is theirs.
            auto const own_page = sign_in(path);
            auto const mine = number % 2 == 0
                                  ? Claim{.by = By::scan, .value = entry::qr_value(own_page, world.clock.at)}
                                  : Claim{.by = By::link, .value = entry::link_value(own_page)};
            EXPECT_EQ(why(run_now(hostile.claim(mine))), "");
            return;
        }
        }
    }

    /// The holder's phone approves the first in its list, which alone rings; the page goes on with a code.
    void goes_in(std::string const& path)
    {
        auto const mine = sign_in(path).action;
        auto const list = run_now(holder.pending()).value();
        ASSERT_TRUE(mine);
        ASSERT_FALSE(list.empty());
        EXPECT_EQ(list.front().id, *mine);
        EXPECT_TRUE(list.front().rings);
        EXPECT_EQ(std::ranges::count(list, true, &device::PendingAction::rings), 1);
        auto const action = run_now(holder.show(*mine)).value();
        auto const symbol = action.shown.wants_symbol() ? sign_in(path).symbol : std::string{};
        auto const told = run_now(holder.answer(action, {.decision = device::Answer::Decision::approve,
                                                         .symbol = symbol,
                                                         .code = device::testing::right_code,
                                                         .claims = std::nullopt,
                                                         .reason = {}}));
        ASSERT_EQ(why(told), "");
        if (*told == "returning") {
            auto const proof = holder.return_address().substr(holder.return_address().find('#') + 1);
            ask(own, "POST", path + "/return", http::Parameters{{{"proof", proof}}});
        }
        EXPECT_NE(location(ask(own, "GET", path + "/continue")).find("code="), std::string::npos);
    }
};

TEST_F(HostileEntries, D5_a_thousand_at_every_entry_stop_no_login_by_QR_number_link_or_short_code)
{
    constexpr int rounds = 5;
    constexpr int of_a_round = 200;
    int hostile_number = 0;
    auto const attacked = [&](std::string const& page) {
        for (int i = 0; i < of_a_round / 4; ++i) attack(hostile_number++, page);
    };
    for (int round = 0; round < rounds; ++round) {
        auto const by_qr = begin(own);
        attacked(by_qr);
        auto const seen = entry::qr_value(sign_in(by_qr), world.clock.at);
        ASSERT_EQ(why(run_now(holder.claim({.by = By::scan, .value = seen}))), "") << round;
        goes_in(by_qr);

        // From the same browser, which the holder has approved from by now.
        auto const by_number = begin(own);
        ASSERT_EQ(type_number(own, by_number), 303);
        attacked(by_number);
        goes_in(by_number);

        auto const by_link = begin(own);
        attacked(by_link);
        ASSERT_EQ(why(run_now(holder.claim({.by = By::link, .value = entry::link_value(sign_in(by_link))}))), "");
        goes_in(by_link);

        auto const by_code = begin(own);
        attacked(by_code);
        ASSERT_EQ(why(run_now(holder.claim({.by = By::code, .value = sign_in(by_code).short_code}))), "");
        goes_in(by_code);
        world.clock.at += 20s;
    }
    EXPECT_EQ(hostile_number, 1000);
    EXPECT_EQ(world.history_of(holder).front(), "approved");
    auto const list = run_now(hostile.pending()).value();
    EXPECT_FALSE(list.empty()) << "what strangers claim rings with themselves";
}

} // namespace
} // namespace symbolon::page

#include "action/queue.hpp"
#include "action/symbols.hpp"
#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "entry/asking.hpp"
#include "entry/browser_name.hpp"
#include "entry/offer.hpp"
#include "entry/unanswered.hpp"
#include "oidc/authorize.hpp"
#include "oidc/oidc_testing.hpp"
#include "oidc/sign_in.hpp"
#include "oidc/subject.hpp"
#include "page/html.hpp"
#include "page/sign_in.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

namespace symbolon::page {
namespace {

using oidc::testing::header;
using oidc::testing::parameters_of_location;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using Site = oidc::testing::Site;

/// A person at a browser that keeps its cookie, and the site.
class SignIns : public ::testing::Test {
protected:
    Site site;
    Texts texts;
    crypto::SigningKey record_key{.key_id = "record",
                                  .algorithm = crypto::SignatureAlgorithm::es256,
                                  .key = crypto::PrivateKey::generate(crypto::KeyType::ec_p256)};
    SignInPages pages{.provider = site.provider,
                      .texts = texts,
                      .app_url = "https://phone.example/app/",
                      .record_key = record_key,
                      .is_test_system = false};
    std::string cookie;      ///< of the sign-in
    std::string way_cookie_; ///< of the last way

    void SetUp() override { site.add(sign_in_routes(pages, site.services())); }

    [[nodiscard]] http::Parameters headers() const
    {
        http::Parameters headers;
        headers.add("accept-language", "en");
        headers.add("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0");
        auto const both = cookie.empty() || way_cookie_.empty() ? cookie + way_cookie_ : cookie + "; " + way_cookie_;
        if (!both.empty()) headers.add("cookie", both);
        return headers;
    }
    http::Response get(std::string const& path)
    {
        auto response = site.get(path, headers()).value();
        keep_cookie(response);
        return response;
    }
    http::Response post(std::string const& path, std::vector<http::Parameters::Pair> form,
                        std::string const& origin = std::string{Site::issuer})
    {
        auto with_origin = headers();
        with_origin.add("origin", origin);
        auto response = site.post(path, http::Parameters{std::move(form)}, with_origin).value();
        keep_cookie(response);
        return response;
    }
    void keep_cookie(http::Response const& response)
    {
        auto const set = header(response, "Set-Cookie");
        auto& kept = set.starts_with("__Host-symbolon-way=") ? way_cookie_ : cookie;
        if (!set.empty()) kept = set.substr(0, set.find(';'));
    }

    static std::vector<http::Parameters::Pair> request(std::vector<http::Parameters::Pair> const& changes = {})
    {
        std::vector<http::Parameters::Pair> pairs{{"response_type", "code"},
                                                  {"client_id", "shop"},
                                                  {"redirect_uri", "https://shop.example/cb"},
                                                  {"scope", "openid profile email"},
                                                  {"state", "s-1"},
                                                  {"nonce", "n-1"},
                                                  {"code_challenge", challenge()},
                                                  {"code_challenge_method", "S256"}};
        for (auto const& [name, value] : changes) {
            std::erase_if(pairs, [&](auto const& pair) { return pair.first == name; });
            if (!value.empty()) pairs.emplace_back(name, value);
        }
        return pairs;
    }
    static std::string challenge() { return crypto::base64url(crypto::sha256(Site::verifier)); }

    http::Response authorize(std::vector<http::Parameters::Pair> const& changes = {})
    {
        return get("/authorize?" + http::write_parameters(http::Parameters{request(changes)}));
    }
    /// The path of a sign-in's page.
    std::string begin(std::vector<http::Parameters::Pair> const& changes = {})
    {
        auto const answer = authorize(changes);
        EXPECT_EQ(answer.status, 303);
        auto path = header(answer, "Location");
        EXPECT_THAT(path, StartsWith("/sign-in/"));
        return path;
    }
    http::Response type_number(std::string const& path, std::string const& number = "0470 12 34 56")
    {
        return post(path, {{"calling_code", "32"}, {"identifier", number}, {"continue", "1"}});
    }
    std::string waiting(std::vector<http::Parameters::Pair> const& changes = {})
    {
        auto const path = begin(changes);
        EXPECT_EQ(header(type_number(path), "Location"), path);
        return path;
    }
    static std::string error_of(http::Response const& page)
    {
        std::smatch match;
        return std::regex_search(page.body, match, std::regex{R"(<code id="error">([a-z_]+)</code>)"}) ? match[1].str()
                                                                                                       : "";
    }
    static std::string attribute(http::Response const& page, std::string const& name)
    {
        std::smatch match;
        return std::regex_search(page.body, match, std::regex{name + "=\"([^\"]*)\""}) ? match[1].str() : "";
    }
    account::Device phone() { return run_now(site.store.devices().find(site.phone)).value().value().value; }
    grant::SignIn stored(std::string const& path)
    {
        auto const id = SignInId{path.substr(std::string{"/sign-in/"}.size())};
        return run_now(site.store.sign_ins().find(id)).value().value().value;
    }
};

// ---- the whole way

TEST_F(SignIns, D1_a_number_a_symbol_and_an_approval_bring_the_person_to_the_partner)
{
    auto const path = begin();
    auto const form = get(path);
    EXPECT_EQ(form.status, 200);
    EXPECT_THAT(form.body, HasSubstr("name=\"identifier\""));
    EXPECT_THAT(form.body, HasSubstr("Shop &lt;&amp;&gt; Co"));

    EXPECT_EQ(header(type_number(path), "Location"), path);
    auto const waiting_page = get(path);
    auto const symbol = attribute(waiting_page, "data-symbol");
    EXPECT_EQ(symbol, stored(path).symbol);
    EXPECT_THAT(waiting_page.body, HasSubstr(action::symbol_name(symbol, Language::en)));

    site.phone_shows();
    EXPECT_THAT(get(path).body, HasSubstr("Your phone shows the request"));
    site.phone_answers(Site::Answer::approve);
    EXPECT_THAT(get(path).body, HasSubstr("id=\"leaving\""));

    auto const back = get(path + "/continue");
    EXPECT_EQ(back.status, 303);
    EXPECT_THAT(header(back, "Location"), StartsWith("https://shop.example/cb?code="));
    auto const answer = parameters_of_location(back);
    EXPECT_EQ(answer.value("state"), "s-1");
    EXPECT_EQ(answer.value("iss"), "https://id.example");

    auto const tokens =
        json::parse_object(site.send(site.token_request(std::string{answer.value("code")}))->body).value();
    auto const id_token = oidc::testing::verified_payload(site.provider, json::text(tokens, "id_token").value());
    EXPECT_EQ(json::text(id_token, "nonce"), "n-1");
    EXPECT_EQ(id_token.at("auth_time"), numeric_date(site.clock.at));

    http::Parameters bearer;
    bearer.add("authorization", "Bearer " + json::text(tokens, "access_token").value());
    auto const claims = json::parse_object(site.get("/userinfo", bearer)->body).value();
    EXPECT_EQ(json::text(claims, "sub").value(), json::text(id_token, "sub").value());
    EXPECT_EQ(json::text(claims, "name"), "Jan Pieter Janssens");
    EXPECT_EQ(json::text(claims, "email"), "jan.janssens@mail.example");
    EXPECT_FALSE(claims.contains("locale")) << "D4: the holder did not grant it";
}

TEST_F(SignIns, tell_the_phone_who_asks_for_what)
{
    waiting({{"scope", "openid profile eid"}, {"claims", R"({"userinfo":{"birthdate":{"essential":true}}})"}});
    auto const action = run_now(site.store.actions().open_for(site.holder, site.clock.at))->back().value;
    EXPECT_EQ(action.partner_names.at(Language::fr), "Boutique");
    EXPECT_EQ(action.partner_domain, "shop.example");
    EXPECT_EQ(action.browser, "Firefox – Linux");
    EXPECT_EQ(action.expires_at, site.clock.at + 3min);
    ASSERT_EQ(action.claims.size(), 4U) << "no national number: the client is not entitled";
    EXPECT_EQ(action.claims.at(2).name, "birthdate");
    EXPECT_TRUE(action.claims.at(2).essential);
    EXPECT_FALSE(action.claims.at(0).essential);
    EXPECT_EQ(std::ranges::count(action.symbols, action.symbol), 1);
    EXPECT_THAT(site.wakeups.told, ::testing::Contains("account/holder"));
}

TEST_F(SignIns, are_seen_by_the_browser_that_began_alone)
{
    auto const path = waiting();
    auto const mine = cookie;
    for (std::string const other :
         {"", "__Host-symbolon-browser=wrong", "__Host-symbolon-browser=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}) {
        cookie = other;
        auto const page = get(path);
        EXPECT_EQ(page.status, 403);
        EXPECT_EQ(error_of(page), "sign_in_of_other_browser");
        EXPECT_THAT(page.body, Not(HasSubstr("data-symbol")));
        site.phone_shows();
        EXPECT_EQ(get(path + "/continue").status, 403);
        EXPECT_EQ(error_of(post(path, {{"cancel", "1"}})), "sign_in_of_other_browser");
        cookie = mine;
    }
    EXPECT_EQ(get(path).status, 200);
}

TEST_F(SignIns, of_one_browser_share_its_cookie)
{
    auto const first = begin();
    auto const before = cookie;
    EXPECT_THAT(before, StartsWith("__Host-symbolon-browser="));
    auto const second = authorize();
    EXPECT_EQ(header(second, "Set-Cookie"), "");
    EXPECT_EQ(get(first).status, 200);
    EXPECT_EQ(get(header(second, "Location")).status, 200);
}

TEST_F(SignIns, are_not_used_up_by_looking)
{
    auto const path = waiting();
    auto const before = run_now(site.store.sign_ins().find(stored(path).id))->value().version;
    for (int i = 0; i < 3; ++i) EXPECT_EQ(get(path).status, 200);
    EXPECT_EQ(header(get(path + "/continue"), "Location"), path) << "nothing is decided yet";
    site.phone_shows();
    site.phone_answers(Site::Answer::approve);
    auto ahead = headers();
    ahead.add("sec-purpose", "prefetch;prerender");
    EXPECT_EQ(site.get(path + "/continue", ahead)->status, 503) << "a browser that fetches ahead";
    EXPECT_EQ(run_now(site.store.sign_ins().find(stored(path).id))->value().version, before);
}

TEST_F(SignIns, lead_back_once)
{
    auto const path = waiting();
    site.phone_shows();
    site.phone_answers(Site::Answer::approve);
    EXPECT_FALSE(parameters_of_location(get(path + "/continue")).value("code").empty());
    EXPECT_EQ(error_of(get(path + "/continue")), "sign_in_finished");
    EXPECT_EQ(error_of(get(path)), "sign_in_finished");
    EXPECT_EQ(error_of(type_number(path)), "sign_in_finished");
    EXPECT_EQ(error_of(post(path, {{"cancel", "1"}})), "sign_in_finished");
}

// ---- other ends

TEST_F(SignIns, D4_give_nothing_that_was_taken_back_before_the_browser_came)
{
    auto const path = waiting();
    site.phone_shows();
    site.phone_answers(Site::Answer::approve);
    site.withdraw_consent("shop");
    EXPECT_EQ(parameters_of_location(get(path + "/continue")).value("error"), "access_denied");
}

TEST_F(SignIns, D4_give_nothing_that_was_taken_back_at_the_moment_of_a_code_or_a_token)
{
    auto const path = waiting();
    site.phone_shows();
    site.phone_answers(Site::Answer::approve);
    std::string const code{parameters_of_location(get(path + "/continue")).value("code")};
    auto const grant = [&] { return run_now(site.store.grants().find_by_code(crypto::sha256(code))).value().value(); };
    // As if withdrawal had not seen it.
    auto const withdraw_around_it = [&] {
        auto const before = grant();
        site.withdraw_consent("shop");
        auto unseen = grant();
        EXPECT_EQ(unseen.value.state, grant::Grant::State::revoked);
        unseen.value.state = before.value.state;
        EXPECT_TRUE(run_now(site.store.grants().save(unseen)));
    };
    auto const restore = [&] {
        waiting();
        site.phone_shows();
        site.phone_answers(Site::Answer::approve);
    };

    withdraw_around_it();
    EXPECT_EQ(json::parse_object(site.send(site.token_request(code))->body)->at("error"), "invalid_grant");
    restore();
    auto const tokens = json::parse_object(site.send(site.token_request(code))->body).value();
    http::Parameters bearer;
    bearer.add("authorization", "Bearer " + json::text(tokens, "access_token").value());
    EXPECT_EQ(site.get("/userinfo", bearer)->status, 200);
    withdraw_around_it();
    EXPECT_EQ(site.get("/userinfo", bearer)->status, 401);
}

TEST_F(SignIns, D5_show_a_refusal_and_lead_back_with_access_denied)
{
    auto const path = waiting();
    site.phone_shows();
    site.phone_answers(Site::Answer::refuse);
    EXPECT_EQ(error_of(get(path)), "action_refused");
    auto const back = parameters_of_location(get(path + "/continue"));
    EXPECT_EQ(back.value("error"), "access_denied");
    EXPECT_EQ(back.value("error_description"), "action_refused");
    EXPECT_EQ(back.value("state"), "s-1");
    EXPECT_EQ(back.value("iss"), "https://id.example");
    EXPECT_EQ(error_of(get(path)), "sign_in_finished");
}

TEST_F(SignIns, D5_offer_a_new_try_when_nobody_answered)
{
    auto const path = waiting();
    auto const first_symbol = stored(path).symbol;
    site.clock.at += 3min;
    EXPECT_EQ(error_of(get(path)), "action_expired");
    EXPECT_EQ(header(post(path, {{"restart", "1"}}), "Location"), path);
    EXPECT_THAT(get(path).body, HasSubstr("name=\"identifier\""));
    type_number(path);
    EXPECT_NE(stored(path).symbol, first_symbol);
    site.phone_shows();
    site.phone_answers(Site::Answer::approve);
    EXPECT_FALSE(parameters_of_location(get(path + "/continue")).value("code").empty());
}

TEST_F(SignIns, D6_say_on_both_screens_that_the_symbol_was_wrong)
{
    auto const path = waiting();
    site.phone_shows();
    site.phone_answers(Site::Answer::wrong_symbol);
    EXPECT_EQ(error_of(get(path)), "symbol_wrong");
    EXPECT_EQ(parameters_of_location(get(path + "/continue")).value("error"), "access_denied");
}

TEST_F(SignIns, that_are_cancelled_lead_back_even_when_the_phone_approved_meanwhile)
{
    auto const path = waiting();
    site.phone_shows();
    EXPECT_EQ(header(post(path, {{"cancel", "1"}}), "Location"), path);
    EXPECT_TRUE(run_now(site.store.actions().open_for(site.holder, site.clock.at))->empty()) << "the phone is told too";
    EXPECT_THAT(get(path).body, HasSubstr("http-equiv=\"refresh\""));
    auto const back = parameters_of_location(get(path + "/continue"));
    EXPECT_EQ(back.value("error"), "access_denied");
    EXPECT_EQ(back.value("error_description"), "sign_in_cancelled");

    auto const approved = waiting();
    site.phone_shows();
    site.phone_answers(Site::Answer::approve);
    post(approved, {{"cancel", "1"}});
    EXPECT_EQ(parameters_of_location(get(approved + "/continue")).value("error"), "access_denied");
}

TEST_F(SignIns, F3_that_their_page_cancels_are_in_the_holders_history_and_nobody_elses)
{
    auto const events = [&] {
        std::vector<std::string> events;
        for (auto const& entry : run_now(site.store.history().list(site.holder, 10)).value())
            events.push_back(entry.event);
        return events;
    };
    auto const before = events();
    auto const of_holder = waiting();
    auto const restarted = waiting();
    auto const of_nobody = begin();
    type_number(of_nobody, "0470999999");
    post(of_holder, {{"cancel", "1"}});
    post(restarted, {{"restart", "1"}});
    post(of_nobody, {{"cancel", "1"}});
    EXPECT_EQ(events(), before) << "whoever cancels waits for no log";
    EXPECT_EQ(run_now(entry::tell_of_unanswered({}, site.services())).value_or(0), 3U);
    auto after = before;
    after.insert(after.begin(), 2, "cancelled");
    EXPECT_EQ(events(), after);
    EXPECT_EQ(run_now(site.store.ledger().size()).value_or(0), static_cast<std::int64_t>(after.size()));
}

TEST_F(SignIns, end_after_their_time)
{
    auto const path = begin();
    site.clock.at += site.provider.limits().sign_in_lifetime;
    EXPECT_EQ(error_of(get(path)), "sign_in_expired");
    EXPECT_EQ(error_of(type_number(path)), "sign_in_expired");
    EXPECT_EQ(parameters_of_location(get(path + "/continue")).value("error"), "access_denied");
}

TEST_F(SignIns, that_are_unknown_are_a_page_that_says_so)
{
    begin();
    for (auto const& id : std::vector<std::string>{"nothing", "a%2fb", std::string(500, 'x'), "\xf0\x9f\x8d\x95"}) {
        auto const page = get("/sign-in/" + id);
        EXPECT_EQ(page.status, 404);
        EXPECT_EQ(error_of(page), "sign_in_unknown");
    }
}

// ---- D7

TEST_F(SignIns, D1_after_8_seconds_the_page_says_what_to_do_without_a_script_too)
{
    auto const hint_is_hidden = [&](std::string const& path) {
        return get(path).body.find(R"(id="hint" class="hint" hidden)") != std::string::npos;
    };
    auto const known = waiting();
    auto const unknown = begin();
    type_number(unknown, "0471 99 88 56");
    site.clock.at += 7s;
    EXPECT_TRUE(hint_is_hidden(known));
    EXPECT_TRUE(hint_is_hidden(unknown));
    site.clock.at += 1s;
    EXPECT_FALSE(hint_is_hidden(known));
    EXPECT_FALSE(hint_is_hidden(unknown));
    EXPECT_NE(get(known).body.find(R"(id="hint")"), std::string::npos);
    site.phone_shows();
    EXPECT_TRUE(hint_is_hidden(known)) << "the phone shows the request by now";
}

TEST_F(SignIns, D7_of_an_unknown_a_blocked_a_deactivated_and_a_silent_number_are_the_same_bytes)
{
    auto const normalised = [&](std::string const& path) {
        auto body = get(path).body;
        auto const& sign_in = stored(path);
        auto const replace = [&](std::string const& what) {
            for (std::size_t at = 0; (at = body.find(what, at)) != std::string::npos;)
                body.replace(at, what.size(), "X");
        };
        replace(sign_in.id.text());
        replace(sign_in.symbol);
        replace(action::symbol_name(sign_in.symbol, Language::en));
        return body;
    };
    auto const silent = waiting();
    auto const as_silent = normalised(silent);

    auto const unknown = begin();
    auto const answer = type_number(unknown, "0471 99 88 56");
    EXPECT_EQ(answer.status, 303);
    EXPECT_EQ(normalised(unknown), as_silent);

    std::vector<std::string> paths{silent, unknown};
    for (auto const state : {account::State::blocked, account::State::deactivated}) {
        site.set_account_state(state);
        paths.push_back(waiting());
        EXPECT_EQ(normalised(paths.back()), as_silent);
    }
    EXPECT_EQ(run_now(site.store.actions().open_for(site.holder, site.clock.at))->size(), 1U)
        << "only the first one reached the phone";

    for (auto const& path : paths) {
        auto const before = site.clock.at;
        site.clock.at += 3min;
        EXPECT_EQ(error_of(get(path)), "action_expired");
        site.clock.at = before;
    }
}

TEST_F(SignIns, D7_whose_phone_blocks_the_account_go_on_waiting_like_the_others)
{
    auto const path = waiting();
    site.phone_shows();
    site.phone_answers(Site::Answer::blocked);
    EXPECT_THAT(get(path).body, HasSubstr("id=\"waiting\""));
    site.clock.at += 3min;
    EXPECT_EQ(error_of(get(path)), "action_expired");
}

// ---- what is typed

TEST_F(SignIns, say_what_is_wrong_with_a_number_and_keep_what_was_typed)
{
    auto const path = begin();
    struct Case {
        std::string code, typed, outcome;
    };
    for (auto const& [code, typed, outcome] : std::vector<Case>{
             {"32", "", "phone_number_invalid"},
             {"32", "0470", "phone_number_invalid"},
             {"32", "02 512 34 56", "phone_number_not_mobile"},
             {"999", "0470 12 34 56", "calling_code_unknown"},
             {"32", "<script>\"'&", "phone_number_invalid"},
             {"32", std::string(5000, '1'), "phone_number_invalid"},
         }) {
        auto const page = post(path, {{"calling_code", code}, {"identifier", typed}, {"continue", "1"}});
        EXPECT_EQ(page.status, 422) << typed;
        EXPECT_EQ(error_of(page), outcome) << typed;
        EXPECT_THAT(page.body, Not(HasSubstr("<script>")));
    }
    EXPECT_THAT(post(path, {{"calling_code", "32"}, {"identifier", "0470"}}).body, HasSubstr("value=\"0470\""));
    EXPECT_THAT(post(path, {{"calling_code", "33"}, {"identifier", "x"}}).body,
                ::testing::ContainsRegex("value=\"33\" selected"));
}

TEST_F(SignIns, take_a_number_in_any_usual_form)
{
    for (auto const* const typed : {"470123456", "0470/12.34.56", "+32 470 12 34 56", "0032470123456"}) {
        auto const path = begin();
        EXPECT_EQ(type_number(path, typed).status, 303) << typed;
        EXPECT_EQ(stored(path).typed_hint, "56");
        site.clock.at += 1min;
    }
}

/// Many who start sign-ins for the holder's number, and the phone that is to ring for the holder alone (D5).
class ManySignIns : public SignIns {
protected:
    /// A start from another browser and network. Gives the status of the answer.
    int start_elsewhere(std::string const& address, std::string const& number = "0470123456",
                        std::string const& client = "shop")
    {
        auto const own = std::exchange(cookie, "");
        auto const path = begin_anywhere(client);
        http::Request elsewhere;
        elsewhere.method = "POST";
        elsewhere.path = path;
        elsewhere.remote_address = address;
        elsewhere.headers = headers().pairs();
        elsewhere.headers.emplace_back("origin", Site::issuer);
        elsewhere.headers.emplace_back("content-type", "application/x-www-form-urlencoded");
        elsewhere.body = "calling_code=32&identifier=" + number + "&continue=1";
        cookie = own;
        return site.ask(elsewhere)->status;
    }
    /// A sign-in that began in a network of its own: how many begin in one has another limit.
    std::string begin_anywhere(std::string const& client)
    {
        http::Request page;
        page.method = "GET";
        page.path = "/authorize";
        page.query = http::Parameters{request({{"client_id", client}})};
        page.remote_address = address_of(begun_++);
        page.headers = headers().pairs();
        auto const answer = site.ask(page).value();
        keep_cookie(answer);
        return header(answer, "Location");
    }
    static std::string address_of(int number)
    {
        return "198.51." + std::to_string(number / 250) + '.' + std::to_string(number % 250 + 1);
    }
    std::vector<action::Action> open()
    {
        std::vector<action::Action> actions;
        for (auto const& [action, version] : run_now(site.store.actions().open_for(site.holder, site.clock.at)).value())
            actions.push_back(action);
        return actions;
    }
    /// The phone's list: the actions in their order, and how many ring.
    std::vector<ActionId> list(int* rings = nullptr)
    {
        auto const actions = open();
        std::vector<ActionId> ids;
        for (auto const& place : action::queue(actions, phone(), site.clock.at)) {
            ids.push_back(actions.at(place.index).id);
            if (rings != nullptr && place.rings) ++*rings;
        }
        return ids;
    }
    void know(std::string const& path)
    {
        auto device = run_now(site.store.devices().find(site.phone)).value().value();
        device.value = action::with_known_browser(device.value, {.browser = stored(path).browser_hash, .network = {}},
                                                  site.clock.at);
        ASSERT_TRUE(run_now(site.store.devices().save(device)));
    }

private:
    int begun_ = 0;
};

TEST_F(ManySignIns, D5_a_hurried_person_is_never_told_to_wait)
{
    for (int i = 0; i < 40; ++i) {
        auto const path = begin();
        EXPECT_EQ(type_number(path).status, 303) << i;
        EXPECT_EQ(post(path, {{"restart", "1"}}).status, 303);
        EXPECT_EQ(type_number(path).status, 303);
        EXPECT_EQ(post(path, {{"cancel", "1"}}).status, 303);
    }
}

TEST_F(ManySignIns, are_limited_for_each_network_and_never_for_the_holders_own_browser)
{
    auto const limit = site.provider.limits().sign_ins_a_minute_per_address;
    // One home has 2^64 addresses of IPv6.
    for (int i = 0; i < limit; ++i)
        ASSERT_EQ(start_elsewhere("2001:db8:1:2::" + std::to_string(i % 9), "04709999" + std::to_string(10 + i % 90)),
                  303);
    EXPECT_EQ(start_elsewhere("2001:db8:1:2:ffff::7"), 429);
    EXPECT_EQ(start_elsewhere("2001:db8:1:3::1"), 303);

    // The same network, the browser that the holder uses.
    auto const path = begin();
    know(path);
    http::Request own;
    own.method = "POST";
    own.path = path;
    own.remote_address = "2001:db8:1:2::1";
    own.headers = headers().pairs();
    own.headers.emplace_back("origin", Site::issuer);
    own.headers.emplace_back("content-type", "application/x-www-form-urlencoded");
    own.body = "calling_code=32&identifier=0470123456&continue=1";
    EXPECT_EQ(site.ask(own)->status, 303);
    site.clock.at += 1min;
    EXPECT_EQ(start_elsewhere("2001:db8:1:2::7"), 303);
}

TEST_F(ManySignIns, D5_a_thousand_hostile_starts_ring_seldom_and_never_hide_cancel_or_delay_the_holders_own)
{
    auto const first = begin();
    know(first);
    ASSERT_EQ(type_number(first).status, 303);
    auto const own = stored(first).action.value();
    for (int i = 0; i < 1000; ++i) {
        ASSERT_EQ(start_elsewhere(address_of(i)), 303) << i;
        if (i % 100 != 99) continue;
        int rings = 0;
        auto const queue = list(&rings);
        EXPECT_LE(rings, 1);
        ASSERT_FALSE(queue.empty());
        EXPECT_EQ(queue.front(), own) << "first, and it rings";
    }

    // By number, begun in the middle of it all.
    site.clock.at += 1s;
    auto const second = begin();
    ASSERT_EQ(type_number(second).status, 303);
    for (int i = 0; i < 60; ++i) ASSERT_EQ(start_elsewhere(address_of(1000 + i)), 303);
    auto queue = list();
    ASSERT_GE(queue.size(), 2U);
    EXPECT_EQ(queue[0], stored(second).action.value());
    EXPECT_EQ(queue[1], own);

    // What was begun by QR comes before all.
    auto near = run_now(site.store.actions().find(own)).value().value().value;
    near.id = ActionId{"seen by qr"};
    near.entry = action::Entry::qr;
    auto sign_in = run_now(site.store.sign_ins().find(SignInId{first.substr(9)})).value().value();
    ASSERT_TRUE(run_now(site.store.actions().start(near, sign_in)));
    for (int i = 0; i < 60; ++i) ASSERT_EQ(start_elsewhere(address_of(1060 + i)), 303);
    queue = list();
    EXPECT_EQ(queue[0], near.id);
    EXPECT_EQ(std::ranges::count(queue, own), 1) << "still there";
}

TEST_F(ManySignIns, D5_of_strangers_a_few_ring_one_at_a_time_and_the_others_wait_silently)
{
    auto const& limits = site.provider.limits();
    for (int i = 0; i < 30; ++i) ASSERT_EQ(start_elsewhere(address_of(i)), 303);
    auto const actions = open();
    EXPECT_EQ(std::ranges::count(actions, false, &action::Action::quiet), limits.rings_per_partner);
    int rings = 0;
    (void)list(&rings);
    EXPECT_EQ(rings, 1);
}

TEST_F(ManySignIns, D5_what_one_network_starts_is_quiet_sooner)
{
    for (int i = 0; i < 5; ++i) ASSERT_EQ(start_elsewhere("192.0.2.9"), 303);
    EXPECT_EQ(std::ranges::count(open(), false, &action::Action::quiet), site.provider.limits().rings_per_network);
}

TEST_F(ManySignIns, D5_what_an_account_keeps_is_bounded_and_what_was_shown_stays)
{
    ASSERT_EQ(start_elsewhere(address_of(0)), 303);
    site.phone_shows();
    auto const shown = open().front().id;
    for (int i = 1; i < 400; ++i) ASSERT_EQ(start_elsewhere(address_of(i)), 303);
    auto const rows =
        run_now(site.engine.list(
                    {.table = store::Table::action, .owner = "account/" + site.holder.text(), .at_most = 1000}))
            .value();
    EXPECT_LE(rows.size(), action::most_unseen + 1);
    EXPECT_EQ(std::ranges::count(open(), shown, &action::Action::id), 1);
}

TEST_F(ManySignIns, D5_whose_room_was_taken_see_a_phone_that_does_not_answer)
{
    auto const path = begin();
    ASSERT_EQ(type_number(path).status, 303);
    auto const before = get(path).body;
    for (int i = 0; i < 400; ++i) ASSERT_EQ(start_elsewhere(address_of(i)), 303);
    EXPECT_EQ(get(path).body, before);
    site.clock.at += site.provider.limits().action_lifetime;
    EXPECT_EQ(error_of(get(path)), "action_expired");
}

TEST_F(ManySignIns, D1_the_last_right_symbol_of_a_number_is_not_repeated_by_whomever_it_is_asked)
{
    for (std::string const number : {"0470123456", "0470 99 99 99"}) {
        std::string last;
        for (int i = 0; i < 60; ++i) {
            if (i % 3 == 0) cookie.clear();
            auto const path = begin();
            ASSERT_EQ(type_number(path, number).status, 303);
            auto const symbol = stored(path).symbol;
            EXPECT_NE(symbol, last) << number;
            auto const action = run_now(site.store.actions().find(stored(path).action.value())).value().value().value;
            EXPECT_EQ(std::ranges::count(action.symbols, last), 0) << "nor offered";
            last = symbol;
        }
    }
}

TEST_F(SignIns, are_asked_by_pages_of_ours_alone)
{
    auto const path = begin();
    for (std::string const origin :
         {"https://evil.example", "null", "https://id.example.evil.example", "http://id.example"}) {
        auto const page = post(path, {{"calling_code", "32"}, {"identifier", "0470123456"}}, origin);
        EXPECT_EQ(page.status, 403) << origin;
        EXPECT_EQ(error_of(page), "origin_refused") << origin;
    }
    EXPECT_THAT(get(path).body, HasSubstr("name=\"identifier\""));
    EXPECT_EQ(header(get(path), "Referrer-Policy"), "same-origin") << "else forms have no Origin";
}

TEST_F(SignIns, fill_in_the_number_that_the_partner_knows)
{
    EXPECT_THAT(get(begin({{"login_hint", "+32470123456"}})).body, HasSubstr("value=\"+32470123456\""));
    EXPECT_THAT(get(begin({{"login_hint", "an@example.be"}})).body, HasSubstr("name=\"identifier\""));
    EXPECT_THAT(get(begin({{"login_hint", "an@example.be"}})).body, Not(HasSubstr("an@example.be")));
}

// ---- languages and looks

TEST_F(SignIns, speak_the_language_that_the_partner_wishes_or_the_person_chooses)
{
    auto const path = begin({{"ui_locales", "nl-BE fr"}});
    EXPECT_THAT(get(path).body, HasSubstr("<html lang=\"nl\">"));
    EXPECT_THAT(get(path + "?lang=de").body, HasSubstr("<html lang=\"de\">"));
    auto const to = header(post(path + "?lang=de", {}), "Location");
    EXPECT_EQ(to, "") << "an error of the form";
    http::Request chosen;
    chosen.method = "POST";
    chosen.path = path;
    chosen.query.add("lang", "fr");
    chosen.headers = headers().pairs();
    chosen.headers.emplace_back("origin", Site::issuer);
    chosen.headers.emplace_back("content-type", "application/x-www-form-urlencoded");
    chosen.body = "calling_code=32&identifier=0470123456&continue=1";
    EXPECT_EQ(header(*site.ask(chosen), "Location"), path + "?lang=fr");
    auto const page = get(path + "?lang=fr");
    EXPECT_THAT(page.body, HasSubstr("Regardez votre téléphone"));
    EXPECT_THAT(page.body, HasSubstr(action::symbol_name(stored(path).symbol, Language::fr)));
    EXPECT_THAT(page.body, HasSubstr("/events?lang=fr"));
}

TEST_F(SignIns, work_without_a_script_and_hold_none)
{
    auto const path = waiting();
    auto const page = get(path).body;
    EXPECT_THAT(page, HasSubstr("<noscript><meta http-equiv=\"refresh\""));
    for (auto const& body : {page, get(begin()).body}) {
        EXPECT_THAT(body, Not(::testing::ContainsRegex("<script[^>]*>[^<]")));
        EXPECT_THAT(body, Not(::testing::ContainsRegex(" on[a-z]+=")));
        EXPECT_THAT(body, Not(HasSubstr("style=")));
    }
}

TEST_F(SignIns, say_when_virtual_cards_are_accepted)
{
    EXPECT_THAT(get(begin()).body, Not(HasSubstr("Test system")));
    pages.is_test_system = true;
    EXPECT_THAT(get(begin()).body, HasSubstr("Test system"));
    EXPECT_THAT(get("/sign-in/unknown").body, HasSubstr("Test system"));
}

// ---- events

class Ears final : public http::EventSink {
public:
    Flow<void> send(std::string event, std::string data) override
    {
        heard.push_back(event + ' ' + data);
        co_return {};
    }
    std::vector<std::string> heard;
};

TEST_F(SignIns, tell_a_waiting_page_each_change_once)
{
    auto const path = waiting();
    auto const answer = get(path + "/events");
    ASSERT_TRUE(answer.events);
    Ears ears;
    auto stream = answer.events(ears);
    stream.start([] {});
    EXPECT_THAT(ears.heard, ::testing::ElementsAre(R"(state {"at":"waiting"})"));
    site.clock.at += 15s;
    site.wakeups.pass(site.clock.at);
    EXPECT_EQ(ears.heard.size(), 1U) << "nothing has changed";
    site.phone_shows();
    site.phone_answers(Site::Answer::approve);
    EXPECT_THAT(ears.heard, ::testing::ElementsAre(R"(state {"at":"waiting"})", R"(state {"at":"shown"})",
                                                   R"(state {"at":"approved"})"));
    EXPECT_TRUE(stream.ended());
}

TEST_F(SignIns, tell_a_waiting_page_that_the_time_is_over)
{
    auto const path = waiting();
    Ears ears;
    auto stream = get(path + "/events").events(ears);
    stream.start([] {});
    site.clock.at += 3min;
    site.wakeups.pass(site.clock.at);
    EXPECT_EQ(ears.heard.back(), R"(state {"at":"ended","outcome":"action_expired"})");
    EXPECT_TRUE(stream.ended());
}

TEST_F(SignIns, tell_another_browser_nothing)
{
    auto const path = waiting();
    cookie.clear();
    auto const answer = site.get(path + "/events", headers());
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().outcome, Outcome::sign_in_of_other_browser);
}

// ---- the authorization endpoint

TEST_F(SignIns, begin_by_POST_too)
{
    auto const answer = site.post("/authorize", http::Parameters{request()}, headers()).value();
    EXPECT_EQ(answer.status, 303);
    EXPECT_THAT(header(answer, "Location"), StartsWith("/sign-in/"));
    auto const cookie_header = header(answer, "Set-Cookie");
    EXPECT_THAT(cookie_header, HasSubstr("; Path=/; Secure; HttpOnly; SameSite=Lax"));
}

// A browser doesn't send the cookie with it, and would forget the one of the sign-in that waits in another tab.
TEST_F(SignIns, SameSite_posted_by_a_page_of_another_site_begin_by_GET_with_the_browsers_cookie)
{
    auto const waiting = begin();
    auto const posted = [&](std::vector<http::Parameters::Pair> const& changes, std::string const& site_of_page) {
        http::Parameters without_cookie;
        without_cookie.add("sec-fetch-site", site_of_page);
        return site.post("/authorize", http::Parameters{request(changes)}, without_cookie).value();
    };
    auto const answer = posted({}, "cross-site");
    EXPECT_EQ(answer.status, 303);
    EXPECT_EQ(header(answer, "Set-Cookie"), "");
    ASSERT_THAT(header(answer, "Location"), StartsWith("/authorize?"));
    auto const again = get(header(answer, "Location"));
    EXPECT_THAT(header(again, "Location"), StartsWith("/sign-in/"));
    EXPECT_EQ(header(again, "Set-Cookie"), "");
    EXPECT_EQ(get(waiting).status, 200);

    EXPECT_THAT(header(posted({}, "none"), "Location"), StartsWith("/sign-in/"));
    EXPECT_THAT(header(posted({{"login_hint", "+32470123456"}}, "cross-site"), "Location"), StartsWith("/sign-in/"))
        << "no number into an address";
    EXPECT_THAT(header(posted({{"state", std::string(4096, ' ')}}, "cross-site"), "Location"), StartsWith("/sign-in/"))
        << "too long for a query";
    EXPECT_EQ(posted({{"redirect_uri", "https://evil.example/cb"}}, "cross-site").status, 400);
}

TEST_F(SignIns, of_a_bad_client_or_redirect_URI_go_nowhere)
{
    struct Case {
        std::string name, value, outcome;
    };
    for (auto const& [name, value, outcome] : std::vector<Case>{
             {"client_id", "", "client_unknown"},
             {"client_id", "nobody", "client_unknown"},
             {"client_id", "<script>alert(1)</script>", "client_unknown"},
             {"redirect_uri", "", "redirect_uri_missing"},
             {"redirect_uri", "https://evil.example/", "redirect_uri_mismatch"},
         }) {
        auto const page = authorize({{name, value}});
        EXPECT_EQ(page.status, 400);
        EXPECT_EQ(error_of(page), outcome);
        EXPECT_EQ(header(page, "Location"), "");
        EXPECT_THAT(page.body, Not(HasSubstr("evil.example")));
    }
}

TEST_F(SignIns, of_another_bad_request_lead_back_with_state_and_issuer)
{
    auto const back = authorize({{"scope", "profile"}});
    EXPECT_EQ(back.status, 303);
    EXPECT_THAT(header(back, "Location"), StartsWith("https://shop.example/cb?error=invalid_scope&"));
    EXPECT_EQ(parameters_of_location(back).value("state"), "s-1");
    EXPECT_EQ(parameters_of_location(back).value("iss"), "https://id.example");

    auto const with_query =
        authorize({{"redirect_uri", "https://shop.example/cb?tenant=1"}, {"prompt", "none"}, {"state", ""}});
    EXPECT_THAT(header(with_query, "Location"), StartsWith("https://shop.example/cb?tenant=1&error=login_required&"));
    EXPECT_FALSE(parameters_of_location(with_query).find("state"));
}

TEST_F(SignIns, for_another_person_than_the_partner_expects_lead_back_with_login_required)
{
    auto const client = site.client("shop");
    auto const holder = oidc::subject_of(site.holder, client, site.provider);
    for (auto const& [subject, error] : {std::pair{holder, ""}, std::pair{std::string(36, 'a'), "login_required"}}) {
        auto const path = waiting({{"claims", R"({"id_token":{"sub":{"value":")" + subject + R"("}}})"}});
        site.phone_shows();
        site.phone_answers(Site::Answer::approve);
        EXPECT_EQ(parameters_of_location(get(path + "/continue")).value("error"), error);
    }
}

TEST_F(SignIns, that_need_a_level_which_the_code_does_not_give_ask_the_phone_for_the_fingerprint)
{
    auto const asking_for = [](std::string const& levels) {
        return std::vector<http::Parameters::Pair>{
            {"claims", R"({"id_token":{"acr":{"essential":true,"values":[)" + levels + "]}}}"}};
    };
    std::string const low = R"("http://eidas.europa.eu/LoA/low")";
    std::string const substantial = R"("http://eidas.europa.eu/LoA/substantial")";
    auto const asked = [&](std::string const& levels) {
        waiting(asking_for(levels));
        return run_now(site.store.actions().open_for(site.holder, site.clock.at))->front().value.needs_passkey;
    };
    EXPECT_FALSE(asked(low));
    EXPECT_FALSE(asked(substantial + ',' + low));
    EXPECT_TRUE(asked(substantial));

    // And what was approved with less is not handed over as more.
    auto const path = waiting(asking_for(substantial));
    site.phone_shows();
    site.phone_answers(Site::Answer::approve);
    EXPECT_EQ(parameters_of_location(get(path + "/continue")).value("error"), "unmet_authentication_requirements");
}

TEST_F(SignIns, by_fingerprint_meet_every_level_below_and_say_how_it_was)
{
    std::string const low = R"("http://eidas.europa.eu/LoA/low")";
    std::string const substantial = R"("http://eidas.europa.eu/LoA/substantial")";
    std::string const high = R"("http://eidas.europa.eu/LoA/high")";
    auto const either = [](std::string first, std::string_view second) {
        first += ',';
        return first += second;
    };
    struct Case {
        std::string levels;
        Site::Answer answer;
        std::string acr, amr;
    };
    using enum Site::Answer;
    for (auto const& [levels, answer, acr, amr] : std::vector<Case>{
             {low, approve, low, R"(["mfa","swk","pin"])"},
             {low, approve_by_passkey, low, R"(["mfa","swk","user"])"},
             {either(high, low), approve_by_passkey, low, R"(["mfa","swk","user"])"},
             {either(low, substantial), approve_by_passkey, substantial, R"(["mfa","swk","user"])"},
             {"", approve_by_passkey, substantial, R"(["mfa","swk","user"])"},
         }) {
        SCOPED_TRACE(levels);
        auto const path = waiting({{"claims", R"({"id_token":{"acr":{"essential":true,"values":[)" + levels + "]}}}"}});
        site.phone_shows();
        site.phone_answers(answer);
        auto const back = parameters_of_location(get(path + "/continue"));
        EXPECT_EQ(back.value("error"), "");
        auto const tokens =
            json::parse_object(site.send(site.token_request(std::string{back.value("code")}))->body).value();
        auto const id_token = oidc::testing::verified_payload(site.provider, json::text(tokens, "id_token").value());
        EXPECT_EQ(json::write(id_token.at("acr")), acr);
        EXPECT_EQ(json::write(id_token.at("amr")), amr);
    }
}

// ---- hostile input

TEST_F(SignIns, begin_so_often_a_minute_from_one_network_and_then_a_page_of_ours_says_so)
{
    auto const limit = site.provider.limits().authorization_requests_a_minute_per_address;
    auto const ask = [&](std::string const& address, std::string const& cookies = {}) {
        http::Request request;
        request.method = "GET";
        request.path = "/authorize";
        request.query = http::Parameters{SignIns::request()};
        request.remote_address = address;
        if (!cookies.empty()) request.headers.emplace_back("cookie", cookies);
        return site.ask(request);
    };
    auto const begun = ask("198.51.100.1");
    auto const set = header(*begun, "Set-Cookie");
    auto const own = set.substr(0, set.find(';'));
    for (int i = 1; i < limit; ++i) ASSERT_EQ(ask("198.51.100.1")->status, 303) << i;
    auto const refused = ask("198.51.100.1");
    EXPECT_EQ(refused->status, 429);
    EXPECT_EQ(header(*refused, "Location"), "") << "it leads nowhere, to the client neither";
    EXPECT_EQ(ask("198.51.100.2")->status, 303);

    // Who came before doesn't suffer from those who make themselves new each time; nor is a made-up cookie a way out.
    for (int i = 0; i < limit; ++i) ASSERT_EQ(ask("198.51.100.1", own)->status, 303) << i;
    auto const made_up = crypto::base64url(Bytes(32, 7));
    EXPECT_EQ(ask("198.51.100.1", std::string{oidc::browser_cookie} + '=' + made_up)->status, 429);
    site.clock.at += 1min;
    EXPECT_EQ(ask("198.51.100.1")->status, 303);
}

TEST_F(SignIns, answer_whatever_is_sent_and_never_with_a_fault_of_ours)
{
    std::vector<std::string> const hostile{
        "",
        " ",
        std::string(1, '\x7f'),
        "\r\nSet-Cookie: a=b",
        "<script>alert(1)</script>",
        "\"'><img src=x>",
        "'; drop table client; --",
        "../../../../etc/passwd",
        "%00",
        "%s%n%d",
        "{{7*7}}",
        "\xc3\xa9\xf0\x9f\x8d\x95",
        "\xe2\x80\xae",
        "-1",
        "99999999999999999999999999",
        "null",
        "{}",
        "[]",
        R"({"id_token":{"sub":{"values":[{}]}}})",
        "eyJhbGciOiJub25lIn0.e30.",
        std::string(10'000, 'a'),
        std::string(3000, '{'),
    };
    for (auto const& value : hostile) {
        for (auto const& [name, good] : request()) {
            auto const answer = authorize({{name, value}});
            EXPECT_LT(answer.status, 500) << name << '=' << value.substr(0, 40);
            EXPECT_EQ(header(answer, "Location").find_first_of("\r\n"), std::string::npos);
            EXPECT_THAT(answer.body, Not(HasSubstr("<script>alert")));
        }
        for (auto const* const name :
             {"prompt", "max_age", "ui_locales", "claims", "acr_values", "login_hint", "display", "id_token_hint",
              "request", "request_uri", "registration", "response_mode"}) {
            auto const answer = authorize({{name, value}});
            EXPECT_LT(answer.status, 500) << name << '=' << value.substr(0, 40);
            if (header(answer, "Location").starts_with("/sign-in/"))
                EXPECT_EQ(get(header(answer, "Location")).status, 200) << name << '=' << value.substr(0, 40);
        }
        auto const path = begin();
        for (auto const* const name : {"calling_code", "identifier", "lang"})
            EXPECT_LT(post(path, {{name, value}}).status, 500) << name << '=' << value.substr(0, 40);
        for (auto const* const name : {"grant_type", "code", "redirect_uri", "code_verifier", "client_id",
                                       "client_secret", "client_assertion"}) {
            auto request = site.token_request("code");
            auto pairs = request.form.pairs();
            std::erase_if(pairs, [&](auto const& pair) { return pair.first == name; });
            pairs.emplace_back(name, value);
            request.form = http::Parameters{pairs};
            EXPECT_LT(site.send(request)->status, 500) << name << '=' << value.substr(0, 40);
            http::Parameters authorization;
            authorization.add("authorization", value);
            EXPECT_LT(site.get("/userinfo", authorization)->status, 500);
        }
        site.clock.at += 1min;
    }
    for (auto const& line : site.log.lines) EXPECT_EQ(line.find('\n'), std::string::npos) << line;
}

// ---- parts

TEST(Html, escapes_texts_and_attributes)
{
    EXPECT_EQ(text("a<b & \"c\"").markup(), "a&lt;b &amp; &quot;c&quot;");
    EXPECT_EQ(element("p", {{"title", "\"><script>"}}, {text("<i>")}).markup(),
              "<p title=\"&quot;&gt;&lt;script&gt;\">&lt;i&gt;</p>");
    EXPECT_EQ(element("input", {{"name", "a"}, flag("required", true), flag("disabled", false)}).markup(),
              "<input name=\"a\" required=\"\">");
}

TEST(BrowserNames, are_few_words_of_ours)
{
    EXPECT_EQ(entry::browser_name("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
                                  "Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0"),
              "Edge – Windows");
    EXPECT_EQ(
        entry::browser_name("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
                            "Gecko) Version/18.0 Mobile/15E148 Safari/604.1"),
        "Safari – iPhone");
    EXPECT_EQ(entry::browser_name("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
                                  "Chrome/130.0.0.0 Mobile Safari/537.36"),
              "Chrome – Android");
    EXPECT_EQ(entry::browser_name("curl/8.0"), "");
    EXPECT_EQ(entry::browser_name("Your bank, call 0800 12345"), "");
}

// ---- ways to a phone
// -------------------------------------------------------------------------------------------------

/// The holder's phone went to the page of a sign-in.
class Entries : public SignIns {
protected:
    using Entry = action::Entry;
    using Tie = action::Tie;

    ActionId claim(std::string const& path, Entry entry, Tie tie)
    {
        auto const id = SignInId{path.substr(std::string{"/sign-in/"}.size())};
        auto const found = run_now(site.store.sign_ins().find(id)).value().value();
        auto action = entry::with_symbols(
            entry::new_action(found.value, site.client("shop"), {}, site.clock.at, site.random), {}, site.random);
        action.account = site.holder;
        action.device = site.phone;
        action.entry = entry;
        action.tie = tie;
        EXPECT_TRUE(run_now(
            site.store.actions().start(action, ports::changed(found, entry::waiting_for(found.value, action, {})))));
        site.wakeups.tell(ports::Wakeups::of(id));
        return action.id;
    }
    /// A link was claimed and approved. Gives what the phone was given to bring back.
    std::string approved_link(std::string const& path)
    {
        auto const id = claim(path, Entry::link, Tie::browser);
        site.phone_shows();
        site.phone_answers(Site::Answer::approve);
        // The record of an approval is a JWS; the phone's side of these tests is simpler than that.
        auto action = action_of(id);
        action.value.record = to_bytes(crypto::sign_jws(record_key, R"({"state":"returning","tied":"none"})"));
        EXPECT_TRUE(run_now(site.store.actions().save(action)));
        return entry::return_value(stored(path), id);
    }
    ports::Stored<action::Action> action_of(ActionId const& id)
    {
        return run_now(site.store.actions().find(id)).value().value();
    }
    ports::Stored<action::Action> action_at(std::string const& path) { return action_of(stored(path).action.value()); }
};

TEST_F(Entries, D3_a_page_offers_the_number_a_short_code_and_a_link_and_keeps_the_secret)
{
    auto const path = begin();
    auto const page = get(path);
    EXPECT_EQ(attribute(page, "data-first"), "qr") << "on a computer";
    auto const sign_in = stored(path);
    EXPECT_EQ(attribute(page, "data-code"), entry::grouped_short_code(sign_in.short_code));
    EXPECT_THAT(page.body, HasSubstr("https://phone.example/app/#link=" + entry::link_value(sign_in)));
    EXPECT_THAT(page.body, HasSubstr("name=\"identifier\""));
    EXPECT_THAT(page.body, Not(HasSubstr(crypto::base64url(sign_in.entry_secret))));
    EXPECT_THAT(page.body, Not(HasSubstr("#qr="))) << "the picture comes by the stream, each for a second";
    EXPECT_EQ(get(path).body, page.body) << "looking changes nothing";
}

TEST_F(Entries, D3_a_page_puts_first_what_was_used_last)
{
    for (auto const& [entry, tie, way] :
         {std::tuple{Entry::link, Tie::browser, "link"}, std::tuple{Entry::code, Tie::symbol, "qr"},
          std::tuple{Entry::qr, Tie::scan, "qr"}}) {
        auto const path = begin();
        claim(path, entry, tie);
        get(path);
        EXPECT_EQ(way_cookie_, std::string{"__Host-symbolon-way="} + way);
        EXPECT_EQ(attribute(get(begin()), "data-first"), way);
    }
    get(waiting());
    EXPECT_EQ(attribute(get(begin()), "data-first"), "number");
    way_cookie_ = "__Host-symbolon-way=anything";
    EXPECT_EQ(attribute(get(begin()), "data-first"), "qr");
}

TEST_F(Entries, D3_a_claimed_page_shows_a_symbol_only_where_one_is_to_be_picked)
{
    for (auto const& [entry, tie, symbol] :
         {std::tuple{Entry::qr, Tie::scan, false}, std::tuple{Entry::qr, Tie::symbol, true},
          std::tuple{Entry::code, Tie::symbol, true}, std::tuple{Entry::link, Tie::browser, false}}) {
        auto const path = begin();
        claim(path, entry, tie);
        auto const page = get(path);
        EXPECT_THAT(page.body, HasSubstr("id=\"waiting\""));
        EXPECT_EQ(attribute(page, "data-symbol").empty(), !symbol);
        EXPECT_THAT(page.body, Not(HasSubstr("short-code"))) << "nothing is left to claim";
    }
}

TEST_F(Entries, D3_of_a_new_try_are_new)
{
    auto const path = begin();
    auto const before = stored(path);
    claim(path, Entry::qr, Tie::scan);
    post(path, {{"restart", "1"}});
    auto const after = stored(path);
    EXPECT_NE(after.entry_secret, before.entry_secret);
    EXPECT_NE(after.short_code, before.short_code);
    EXPECT_TRUE(run_now(site.store.sign_ins().find_by_short_code(after.short_code)).value());
    EXPECT_FALSE(run_now(site.store.sign_ins().find_by_short_code(before.short_code)).value());
    post(path, {{"restart", "1"}});
    EXPECT_EQ(stored(path).short_code, after.short_code) << "a second click takes nothing back";
}

TEST_F(Entries, D3_the_stream_gives_a_qr_code_each_second_until_a_phone_has_the_page)
{
    auto const path = begin();
    Ears ears;
    auto stream = get(path + "/events").events(ears);
    stream.start([] {});
    auto const qr = [&](std::size_t n) { return ears.heard.at(n).substr(std::string{"qr "}.size()); };
    auto const address = [&] {
        return "https://phone.example/app/#qr=" + entry::qr_value(stored(path), site.clock.at);
    };
    ASSERT_EQ(ears.heard.size(), 2U);
    EXPECT_EQ(ears.heard.at(0), R"(state {"at":"form"})");
    EXPECT_EQ(qr(1), address());
    site.wakeups.pass(site.clock.at += 1s);
    ASSERT_EQ(ears.heard.size(), 3U);
    EXPECT_EQ(qr(2), address());
    EXPECT_NE(qr(2), qr(1));
    claim(path, Entry::qr, Tie::scan);
    EXPECT_EQ(ears.heard.back(), R"(state {"at":"waiting"})");
    site.wakeups.pass(site.clock.at += 1s);
    EXPECT_EQ(ears.heard.size(), 4U) << "hidden once it was scanned";
}

TEST_F(Entries, D2_a_link_that_comes_back_to_its_browser_is_proven)
{
    auto const path = begin();
    auto const proof = approved_link(path);
    EXPECT_EQ(header(get(path + "/continue"), "Location"), path) << "approved, but not tied to this page";
    auto const page = get(path);
    EXPECT_THAT(page.body, HasSubstr("data-at=\"returning\""));
    EXPECT_EQ(attribute(page, "data-symbol"), stored(path).symbol) << "for those who come back another way";
    EXPECT_THAT(page.body, Not(HasSubstr(proof)));

    auto const landing = get(path + "/return");
    EXPECT_THAT(landing.body, HasSubstr("data-here"));
    EXPECT_EQ(action_at(path).value.state, action::State::returning) << "looking at it changes nothing";
    auto const returned = post(path + "/return", {{"proof", proof}});
    EXPECT_EQ(header(returned, "Location"), path + "?returned=1");
    EXPECT_EQ(action_at(path).value.tied, action::Tied::proven);
    EXPECT_THAT(get(path + "?returned=1").body, HasSubstr("2; url=" + path + "/continue"));
    EXPECT_THAT(header(get(path + "/continue"), "Location"), HasSubstr("code="));

    auto const kept = run_now(site.store.actions().record_of(action_at(path).value)).value();
    auto const jws = crypto::peek_jws(text_of(kept)).value();
    auto const record = json::parse_object(jws.payload).value();
    EXPECT_EQ(record.at("tied"), "proven");
    EXPECT_EQ(record.at("state"), "approved");
    EXPECT_EQ(run_now(site.store.history().list(site.holder, 1))->front().event, "approved");
    EXPECT_TRUE(action::is_known(phone(), action_at(path).value.origin)) << "it is the holder's own";
}

TEST_F(Entries, D2_a_link_that_comes_back_elsewhere_logs_nobody_in_there_and_says_so_to_both_sides)
{
    auto const path = begin();
    auto const proof = approved_link(path);
    auto const mine = cookie;
    for (auto const has_its_own_sign_in : {false, true}) {
        cookie.clear();
        if (has_its_own_sign_in) authorize();
        auto const landing = get(path + "/return");
        EXPECT_EQ(landing.status, 200);
        EXPECT_THAT(landing.body, HasSubstr("data-elsewhere"));
        EXPECT_THAT(landing.body, Not(HasSubstr("Shop"))) << "it learns nothing";
        auto const told = post(path + "/return", {{"proof", proof}});
        EXPECT_EQ(told.status, 200);
        EXPECT_THAT(told.body, HasSubstr("data-elsewhere"));
        EXPECT_EQ(get(path).status, 403);
        EXPECT_EQ(get(path + "/continue").status, 403);
    }
    auto const action = action_at(path).value;
    EXPECT_EQ(action.state, action::State::returning);
    EXPECT_TRUE(action.returned_elsewhere);
    EXPECT_THAT(site.wakeups.told, ::testing::Contains("account/holder")) << "the app asks for the symbol now";
    cookie = mine;
    EXPECT_EQ(header(get(path + "/continue"), "Location"), path);
    post(path + "/return", {{"proof", proof}});
    EXPECT_EQ(action_at(path).value.tied, action::Tied::proven) << "the right browser may still come";
}

// The sender of a link sits at the page and waits; who got the link approves it on a phone of their own.
TEST_F(Entries, D2_a_forwarded_link_never_logs_its_sender_in)
{
    auto const senders_page = begin();
    auto const link = entry::link_value(stored(senders_page));
    auto const proof = approved_link(senders_page);
    // All that the sender has: the cookie, the page, the link.
    for (std::string const& guess : std::vector{link, link.substr(link.find('.') + 1), stored(senders_page).id.text(),
                                                std::string{}, std::string(43, 'A'), proof.substr(1)}) {
        post(senders_page + "/return", {{"proof", guess}});
        EXPECT_EQ(action_at(senders_page).value.state, action::State::returning) << guess;
    }
    EXPECT_EQ(header(get(senders_page + "/continue"), "Location"), senders_page);
    EXPECT_FALSE(get(senders_page).body.contains(proof));
    EXPECT_FALSE(action::is_known(phone(), action_at(senders_page).value.origin));
    site.wakeups.pass(site.clock.at += 10min);
    EXPECT_EQ(error_of(get(senders_page)), "action_expired");
    EXPECT_THAT(header(get(senders_page + "/continue"), "Location"), HasSubstr("error=access_denied"));
}

TEST_F(Entries, of_another_action_prove_nothing)
{
    auto const first = begin();
    auto const proof = approved_link(first);
    post(first, {{"restart", "1"}});
    auto const again = approved_link(first);
    EXPECT_NE(again, proof);
    post(first + "/return", {{"proof", proof}});
    EXPECT_EQ(action_at(first).value.state, action::State::returning);
    EXPECT_EQ(error_of(post(first + "/return", {{"proof", again}}, "https://evil.example")), "origin_refused");
    EXPECT_EQ(action_at(first).value.state, action::State::returning);
    EXPECT_EQ(get("/sign-in/nothing/return").status, 404);
}

TEST_F(Entries, D2_work_without_a_script_up_to_the_result)
{
    auto const path = begin();
    auto const code = get(path + "?by=code");
    EXPECT_EQ(attribute(code, "data-code"), entry::grouped_short_code(stored(path).short_code));
    EXPECT_THAT(code.body, HasSubstr("http-equiv=\"refresh\"")) << "it looks for the answer by itself";
    EXPECT_THAT(get(path).body, Not(HasSubstr("http-equiv=\"refresh\""))) << "nothing typed is lost";
    approved_link(path);
    EXPECT_THAT(get(path + "/return").body, HasSubstr("0; url=" + path)) << "and asks for the symbol there";
    EXPECT_THAT(get(path).body, HasSubstr("http-equiv=\"refresh\""));
}

} // namespace
} // namespace symbolon::page

#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "device/banks_testing.hpp"
#include "device/world_testing.hpp"
#include "enrolment/steps.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace symbolon::device {
namespace {

using testing::FakeBanks;
using testing::good_answer;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::right_code;
using testing::World;
using EnrolmentState = enrolment::State;

constexpr auto number = "+32470123456";
constexpr auto other_number = "+32478111111";
constexpr auto person = "85073003328";
constexpr auto other_person = "90010100123";

template <class T>
std::string outcome(Result<T> const& result)
{
    return result ? "" : std::string{name_of(result.error().outcome)};
}

/// One answer of the server.
struct Said {
    http::Response response;
    json::Object body; ///< of an answer in JSON

    [[nodiscard]] std::string text(std::string_view name) const
    {
        auto const* const value = body.if_contains(name);
        return value != nullptr && value->is_string() ? std::string{value->get_string()} : std::string{};
    }
    [[nodiscard]] std::string outcome() const { return text("outcome"); }
    [[nodiscard]] std::string header(std::string_view name) const
    {
        auto const found = std::ranges::find(response.headers, name, [](auto const& each) { return each.first; });
        return found != response.headers.end() ? found->second : std::string{};
    }
};

/// One phone on its way through a bank, as far as the server lets it.
struct Way {
    std::string session;
    std::string cookie; ///< of the browser that left
    std::string state;  ///< of the visit
};

class BankEnrolment : public ::testing::Test {
protected:
    BankEnrolment()
    {
        world_.settings->banks = &banks_;
        world_.settings->bank_end_page = [](ports::BankEnd const& end) {
            return "page for " + end.number.e164() + ": " + end.code +
                   (end.failure ? std::string{name_of(end.failure->outcome)} : "");
        };
    }

    World world_;
    FakeBanks banks_;
    std::optional<std::string> origin_;

    Said ask(http::Request request)
    {
        if (request.method == "POST") request.headers.emplace_back("content-type", "application/json");
        if (origin_) request.headers.emplace_back("origin", *origin_);
        request.remote_address = "192.0.2.7";
        for (auto const& route : device_routes(world_.services, world_.settings)) {
            if (route.method != request.method && !(route.method == "GET" && request.method == "HEAD")) continue;
            if (!http::match_path(route.pattern, request.path)) continue;
            auto result = run_now(route.handler(std::move(request)));
            if (!result) {
                auto const& failure = result.error();
                json::Object body{{"outcome", name_of(failure.outcome)}};
                if (failure.tries_left) body["tries_left"] = *failure.tries_left;
                if (failure.open_at) body["open_at"] = numeric_date(*failure.open_at);
                return {.response = {.status = row_of(failure.outcome).http_status, .headers = {}, .body = {}},
                        .body = std::move(body)};
            }
            Said said{.response = *std::move(result), .body = {}};
            if (auto object = json::parse_object(said.response.body)) said.body = *std::move(object);
            return said;
        }
        ADD_FAILURE() << "no such route: " << request.path;
        return {};
    }
    Said post(std::string path, json::Object const& body)
    {
        http::Request request;
        request.method = "POST";
        request.path = std::move(path);
        request.body = json::write(body);
        return ask(std::move(request));
    }
    Said get(std::string path, std::vector<std::pair<std::string, std::string>> headers = {})
    {
        http::Request request;
        request.method = "GET";
        request.path = std::move(path);
        request.headers = std::move(headers);
        return ask(std::move(request));
    }

    Said start(std::string typed = "0470 12 34 56")
    {
        return post("/d/enrol/bank", {{"calling_code", "32"}, {"number", std::move(typed)}, {"language", "nl"}});
    }
    Said visit(std::string const& session, std::string const& bank = "kbc")
    {
        return post("/d/enrol/bank/visit", {{"session", session}, {"bank", bank}});
    }
    /// A phone that has left for a bank.
    Way leave(std::string const& typed = "0470 12 34 56", std::string const& bank = "kbc")
    {
        return leave_again({.session = start(typed).text("session"), .cookie = {}, .state = {}}, bank);
    }
    Way leave_again(Way way, std::string const& bank = "kbc")
    {
        auto const said = visit(way.session, bank);
        EXPECT_EQ(said.outcome(), "");
        auto const cookie = said.header("Set-Cookie");
        auto const begin = cookie.find('=') + 1;
        way.cookie = cookie.substr(begin, cookie.find(';') - begin);
        way.state = banks_.begun.back().state;
        return way;
    }
    /// The bank sends a browser back; `cookie` of that browser, if it has one.
    Said come_back(std::string const& state, std::optional<std::string> const& cookie, std::string const& error = {})
    {
        http::Request request;
        request.method = "GET";
        request.path = "/bank/return";
        request.query.add("state", state);
        if (error.empty()) request.query.add("code", "code-of-the-bank");
        else request.query.add("error", error);
        request.query.add("iss", "https://login.kbc.example");
        request.headers = {{"sec-fetch-site", "cross-site"}, {"sec-fetch-mode", "navigate"}};
        if (cookie) request.headers.emplace_back("cookie", "__Host-symbolon-bank=" + *cookie);
        return ask(std::move(request));
    }
    Said home(Way const& way, std::string const& error = {}) { return come_back(way.state, way.cookie, error); }
    Said elsewhere(Way const& way) { return come_back(way.state, std::nullopt); }

    Said state(std::string const& session) { return get("/d/enrol/state", {{"symbolon-enrolment", session}}); }
    std::string step(Way const& way) { return state(way.session).text("step"); }
    /// Of the last visit: its name, "" where all went well.
    std::string outcome_shown(Way const& way)
    {
        auto const said = state(way.session);
        auto const* const shown = said.body.if_contains("outcome");
        if (shown == nullptr) return "";
        return shown->is_object() ? std::string{shown->at("outcome").as_string()} : said.outcome();
    }
    Said land(Way const& way, std::string const& code)
    {
        return post("/d/enrol/bank/landing", {{"session", way.session}, {"code", code}});
    }
    /// The six digits of a page.
    static std::string code_on(Said const& page)
    {
        auto const& body = page.response.body;
        return body.size() < 6 ? "" : body.substr(body.size() - 6);
    }
    Said again(Way const& way) { return post("/d/enrol/bank/again", {{"session", way.session}}); }

    /// The phone of that session, in the step sms.
    Phone phone_of(Way const& way)
    {
        auto const said = state(way.session);
        auto it = new_phone(world_.random);
        it.session = SecretText{way.session};
        it.enrol_nonce = crypto::from_base64url(said.text("nonce")).value_or(Bytes{});
        auto key = crypto::PublicKey::from_jwk(said.body.at("vault_key").as_object());
        EXPECT_TRUE(key);
        it.vault_key = *std::move(key);
        return Phone{std::move(it), world_.transport};
    }
    /// The steps after the bank.
    Result<void> finish(Phone& phone, SecretText code = SecretText{"61937"}) const
    {
        auto const rules = run_now(phone.give_sms_code(world_.messages.last_code()));
        EXPECT_EQ(outcome(rules), "");
        return run_now(phone.finish_enrolment(std::move(code), rules.value_or(CodeRules{}), "Firefox on Android"));
    }
    /// A person with an account that a bank opened.
    Phone enrolled(std::string const& typed = "0470123456", std::string const& national_number = person,
                   std::string const& bank = "kbc")
    {
        banks_.answer = good_answer(national_number);
        if (national_number == other_person) banks_.answer->birth_date = "1990-01-01";
        auto const way = leave(typed, bank);
        home(way);
        auto phone = phone_of(way);
        EXPECT_EQ(outcome(finish(phone, right_code)), "");
        return phone;
    }
    void set_state(Phone const& phone, account::State to)
    {
        auto stored = world_.account_now(phone);
        stored.value.state = to;
        ASSERT_TRUE(run_now(world_.services.accounts.save(stored, store::testing::entry(stored.value.id, "seen"))));
    }
    enrolment::Enrolment enrolment_of(Way const& way)
    {
        auto const found =
            run_now(world_.services.enrolments.find_by_phone_session(crypto::sha256(way.session))).value();
        return found->value;
    }
};

// ---- the way there and back
// ------------------------------------------------------------------------------------------

TEST_F(BankEnrolment, B1_number_bank_sms_and_code_make_an_active_account)
{
    auto const way = leave();
    EXPECT_EQ(step(way), "bank");
    EXPECT_TRUE(world_.messages.sent.empty()) << "not before a bank said who it is";

    auto const back = home(way);
    EXPECT_EQ(back.response.status, 303);
    EXPECT_EQ(back.header("Location"), "/app/");
    EXPECT_EQ(step(way), "sms");
    ASSERT_EQ(world_.messages.sent.size(), 1U);
    EXPECT_EQ(world_.messages.sent.front().first, number);

    auto phone = phone_of(way);
    ASSERT_EQ(outcome(finish(phone)), "");
    auto const account = world_.account_now(phone).value;
    EXPECT_EQ(account.state, account::State::active);
    EXPECT_EQ(account.phone_number.e164(), number);
    EXPECT_EQ(account.language, Language::nl);
    EXPECT_EQ(account.source.kind, account::Source::Kind::bank);
    EXPECT_EQ(account.source.bank, "kbc");
    EXPECT_EQ(account.person.family_name, "Janssens");
    EXPECT_EQ(account.contract, ContractId{}) << "nothing was signed";
    EXPECT_EQ(account.email, "");
    EXPECT_EQ(world_.vault.tries_of(account.id), 3);
    EXPECT_EQ(world_.history_of(phone), std::vector<std::string>{"enrolled"});
    auto const history = run_now(world_.services.history.list(account.id, 1)).value();
    EXPECT_THAT(history.front().detail, HasSubstr(R"("by":"bank")"));
    EXPECT_EQ(world_.approve(phone, "a1", SecretText{"61937"}), "approved");
}

TEST_F(BankEnrolment, B1_a_second_person_enrols_through_a_bank_too)
{
    enrolled();
    auto const other = enrolled("0478111111", other_person, "ing");
    EXPECT_EQ(world_.account_now(other).value.source.bank, "ing");
}

TEST_F(BankEnrolment, B1_the_visit_carries_what_was_kept_of_it)
{
    auto const way = leave();
    auto const begun = banks_.begun.back();
    home(way);
    ASSERT_EQ(banks_.redeemed.size(), 1U);
    auto const& redeemed = banks_.redeemed.back();
    EXPECT_EQ(redeemed.bank, "kbc");
    EXPECT_EQ(redeemed.state, begun.state);
    EXPECT_EQ(redeemed.nonce, begun.nonce);
    EXPECT_EQ(redeemed.verifier, begun.verifier);
    EXPECT_EQ(banks_.brought.back().code, "code-of-the-bank");
    EXPECT_EQ(banks_.brought.back().issuer, "https://login.kbc.example");
}

TEST_F(BankEnrolment, B1_neither_state_nor_cookie_stand_in_the_store)
{
    auto const way = leave();
    auto const kept = enrolment_of(way);
    EXPECT_EQ(kept.ticket_hash, crypto::sha256(way.state));
    EXPECT_NE(kept.browser_hash, to_bytes(way.cookie));
    EXPECT_EQ(kept.browser_hash.size(), 32U);
    auto const as_page = run_now(world_.services.enrolments.find_by_browser(crypto::sha256(way.cookie))).value();
    EXPECT_FALSE(as_page) << "as the cookie of an enrolment page it opens nothing";
}

TEST_F(BankEnrolment, B1_the_cookie_is_for_this_host_this_visit_and_no_script)
{
    auto const way = leave();
    auto const cookie = visit(way.session).header("Set-Cookie");
    EXPECT_THAT(cookie, ::testing::StartsWith("__Host-symbolon-bank="));
    for (auto const* part : {"; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax", "; Max-Age=600"})
        EXPECT_THAT(cookie, HasSubstr(part));
    EXPECT_THAT(cookie, Not(HasSubstr("Domain")));
}

TEST_F(BankEnrolment, B2_B4_the_choice_tells_what_each_bank_needs_and_which_one_is_down)
{
    banks_.standing.back().down_until = world_.clock.now() + 30s;
    auto const banks = get("/d/banks").body.at("banks").as_array();
    ASSERT_EQ(banks.size(), 2U);
    EXPECT_EQ(json::write(banks.at(0).as_object()),
              R"({"id":"kbc","name":"KBC","app_first":true,"minors":true,"app_url":"https://app.kbc.example/"})");
    EXPECT_EQ(banks.at(1).as_object().at("down_until").as_int64(), numeric_date(world_.clock.now() + 30s));
    EXPECT_FALSE(banks.at(1).as_object().contains("app_url"));
    world_.settings->banks = nullptr;
    EXPECT_TRUE(get("/d/banks").body.at("banks").as_array().empty());
}

TEST_F(BankEnrolment, B4_a_bank_that_does_not_answer_leaves_the_choice_open)
{
    auto const session = start().text("session");
    banks_.down = Failure{Outcome::bank_unreachable, {}, {}, {}, world_.clock.now() + 20s};
    auto const refused = visit(session);
    EXPECT_EQ(refused.outcome(), "bank_unreachable");
    EXPECT_EQ(refused.body.at("open_at").as_int64(), numeric_date(world_.clock.now() + 20s));
    banks_.down.reset();
    EXPECT_EQ(visit(session, "ing").outcome(), "");
    EXPECT_EQ(visit(session, "nobank").outcome(), "bank_unknown");
}

TEST_F(BankEnrolment, B4_a_cancelled_visit_returns_to_the_choice_with_what_happened)
{
    auto const way = leave();
    EXPECT_EQ(home(way, "access_denied").response.status, 303);
    auto const said = state(way.session);
    EXPECT_EQ(said.text("step"), "bank");
    EXPECT_EQ(said.text("phone_number"), number);
    EXPECT_EQ(said.body.at("bank").as_object().at("name").as_string(), "KBC");
    auto const& shown = said.body.at("outcome").as_object();
    EXPECT_EQ(shown.at("outcome").as_string(), "bank_cancelled");
    EXPECT_EQ(shown.at("way_out").as_string(), "try_again");
    EXPECT_EQ(std::string{shown.at("text").as_string()},
              world_.settings->texts.text(Language::nl, Outcome::bank_cancelled));

    auto const next = leave_again(way, "ing");
    EXPECT_EQ(outcome_shown(next), "") << "a new visit begins without it";
    EXPECT_EQ(home(next).response.status, 303);
    EXPECT_EQ(step(next), "sms");
}

TEST_F(BankEnrolment, B3_data_that_are_out_of_date_are_named)
{
    auto const way = leave();
    banks_.answer = fail_about(Outcome::bank_data_outdated, {"document_valid_until", "address"});
    home(way);
    auto const shown = state(way.session).body.at("outcome").as_object();
    EXPECT_EQ(shown.at("outcome").as_string(), "bank_data_outdated");
    EXPECT_EQ(json::write(json::Object{{"fields", shown.at("fields")}}),
              R"({"fields":["document_valid_until","address"]})");
    EXPECT_TRUE(world_.messages.sent.empty());
}

TEST_F(BankEnrolment, C1_who_is_too_young_learns_from_when)
{
    auto const way = leave();
    auto const birthday = world_.clock.now() + std::chrono::days{400};
    banks_.answer = fail_until(Outcome::too_young, birthday);
    home(way);
    auto const shown = state(way.session).body.at("outcome").as_object();
    EXPECT_EQ(shown.at("outcome").as_string(), "too_young");
    EXPECT_EQ(shown.at("open_at").as_int64(), numeric_date(birthday));
}

TEST_F(BankEnrolment, F5_what_happened_at_the_bank_is_told_in_the_language_that_the_app_has_by_now)
{
    auto const way = leave();
    home(way, "access_denied");
    for (auto const language : all_languages) {
        auto const said = get("/d/enrol/state", {{"symbolon-enrolment", way.session},
                                                 {"accept-language", std::string{name_of(language)}}});
        EXPECT_EQ(std::string{said.body.at("outcome").as_object().at("text").as_string()},
                  world_.settings->texts.text(language, Outcome::bank_cancelled));
    }
}

TEST_F(BankEnrolment, B4_a_visit_lasts_ten_minutes)
{
    auto const way = leave();
    world_.clock.at += 10min;
    EXPECT_EQ(home(way).response.status, 303);
    EXPECT_EQ(outcome_shown(way), "bank_visit_expired");
    EXPECT_TRUE(banks_.redeemed.empty()) << "the bank is not asked";
}

TEST_F(BankEnrolment, B4_who_comes_back_without_having_finished_chooses_anew)
{
    auto const way = leave();
    EXPECT_EQ(again(way).outcome(), "");
    EXPECT_EQ(again(way).outcome(), "") << "as often as it likes";
    EXPECT_THAT(home(way).response.body, HasSubstr("bank_visit_unknown"));
    EXPECT_TRUE(banks_.redeemed.empty());
    EXPECT_EQ(home(leave_again(way)).response.status, 303);
    EXPECT_EQ(step(way), "sms");
}

TEST_F(BankEnrolment, B4_a_second_bank_after_the_first_one_identifies_anew)
{
    auto const way = leave();
    home(way);
    ASSERT_EQ(step(way), "sms");
    EXPECT_EQ(again(way).outcome(), "");
    EXPECT_EQ(step(way), "bank");
    EXPECT_FALSE(enrolment_of(way).person);
    auto const code = world_.messages.last_code();
    home(leave_again(way, "ing"));
    ASSERT_EQ(step(way), "sms");
    EXPECT_EQ(world_.messages.sent.size(), 1U) << "within the countdown the first SMS stays good";
    auto phone = phone_of(way);
    EXPECT_EQ(outcome(run_now(phone.give_sms_code(code))), "");
    EXPECT_EQ(again(way).outcome(), "") << "from the last step too";
    EXPECT_EQ(step(way), "bank");
}

TEST_F(BankEnrolment, B1_an_sms_that_can_not_leave_is_asked_for_in_the_app)
{
    auto const way = leave();
    world_.messages.gateway_works = false;
    home(way);
    ASSERT_EQ(step(way), "sms");
    EXPECT_TRUE(state(way.session).body.contains("sms_failure"));
    world_.messages.gateway_works = true;
    EXPECT_EQ(post("/d/enrol/sms-again", {{"session", way.session}}).outcome(), "");
    auto phone = phone_of(way);
    EXPECT_EQ(outcome(finish(phone)), "");
}

TEST_F(BankEnrolment, what_is_typed_is_judged)
{
    EXPECT_EQ(start("02 511 15 11").outcome(), "phone_number_not_mobile");
    EXPECT_EQ(start("12").outcome(), "phone_number_invalid");
    auto const body = [](char const* code, char const* language) {
        return json::Object{{"calling_code", code}, {"number", "0470123456"}, {"language", language}};
    };
    EXPECT_EQ(post("/d/enrol/bank", body("999", "nl")).outcome(), "calling_code_unknown");
    EXPECT_EQ(post("/d/enrol/bank", body("32", "it")).outcome(), "language_unknown");
    EXPECT_EQ(post("/d/enrol/bank", {{"calling_code", "32"}}).outcome(), "request_malformed");
    EXPECT_EQ(post("/d/enrol/bank/visit", {{"session", "x"}}).outcome(), "request_malformed");
}

// ---- another browser
// -------------------------------------------------------------------------------------------------

TEST_F(BankEnrolment, B1_a_visit_that_lands_in_another_browser_goes_on_with_what_that_page_shows)
{
    auto const way = leave();
    auto const page = elsewhere(way);
    EXPECT_EQ(page.response.status, 200);
    EXPECT_THAT(page.response.body, HasSubstr(number)) << "the number that is being enrolled, whole";
    EXPECT_EQ(page.header("Cache-Control"), "no-store");
    EXPECT_EQ(page.header("Referrer-Policy"), "no-referrer");
    EXPECT_THAT(page.header("Content-Security-Policy"), HasSubstr("default-src 'none'"));
    EXPECT_EQ(step(way), "landed");
    EXPECT_TRUE(world_.messages.sent.empty());

    auto const landed = land(way, code_on(page));
    EXPECT_EQ(landed.outcome(), "");
    EXPECT_TRUE(landed.body.at("sms_sent").as_bool());
    EXPECT_GT(landed.body.at("sms_again_at").as_int64(), numeric_date(world_.clock.now()));
    EXPECT_EQ(step(way), "sms");
    EXPECT_EQ(land(way, code_on(page)).outcome(), "") << "the answer was lost";
    EXPECT_EQ(world_.messages.sent.size(), 1U);
    auto phone = phone_of(way);
    EXPECT_EQ(outcome(finish(phone)), "");
}

TEST_F(BankEnrolment, the_forwarded_address_of_a_bank_gives_the_thief_nothing_without_the_victims_code)
{
    // The victim has an account; the thief begins with a number of his own and sends her the bank's address.
    auto victim = enrolled(other_number);
    banks_.answer = good_answer();
    auto const thief = leave();
    auto const page = elsewhere(thief);
    EXPECT_THAT(page.response.body, HasSubstr("new_number_needs_card")) << "she reads in her browser what it was";

    auto const said = state(thief.session);
    EXPECT_EQ(said.text("step"), "bank");
    EXPECT_EQ(outcome_shown(thief), "bank_ended_elsewhere") << "his phone does not learn that she is a holder";
    EXPECT_FALSE(said.body.contains("moves"));

    // A victim without an account: her page shows the code, and his phone knows nothing of her.
    banks_.answer = good_answer(other_person);
    banks_.answer->birth_date = "1990-01-01";
    auto const next = leave_again(thief);
    auto const code = code_on(elsewhere(next));
    auto const landed = state(thief.session);
    EXPECT_EQ(landed.text("step"), "landed");
    for (auto const* secret : {"person", "moves", "code_rules", "outcome", "nonce"})
        EXPECT_FALSE(landed.body.contains(secret)) << secret;
    EXPECT_EQ(post("/d/enrol/sms", {{"session", thief.session}, {"code", "123456"}}).outcome(), "enrolment_step_wrong");
    EXPECT_EQ(post("/d/enrol/sms-again", {{"session", thief.session}}).outcome(), "enrolment_step_wrong");
    EXPECT_EQ(land(thief, code == "000000" ? "000001" : "000000").outcome(), "landing_code_wrong");
    EXPECT_TRUE(run_now(victim.me()));
}

TEST_F(BankEnrolment, data_of_the_person_at_the_bank_are_for_that_browser_alone)
{
    auto const way = leave();
    banks_.answer = fail_until(Outcome::too_young, world_.clock.now() + std::chrono::days{400});
    EXPECT_THAT(elsewhere(way).response.body, HasSubstr("too_young"));
    EXPECT_EQ(outcome_shown(way), "bank_ended_elsewhere");
    EXPECT_THAT(state(way.session).response.body, Not(HasSubstr("open_at"))) << "no birthday";
    auto const next = leave_again(way);
    come_back(next.state, std::nullopt, "access_denied");
    EXPECT_EQ(outcome_shown(way), "bank_cancelled");
}

TEST_F(BankEnrolment, the_cookie_of_another_visit_is_another_browser)
{
    auto const victim = leave("0478 11 11 11");
    auto const thief = leave();
    auto const page = come_back(thief.state, victim.cookie);
    EXPECT_EQ(page.response.status, 200);
    EXPECT_EQ(step(thief), "landed");
    EXPECT_EQ(step(victim), "bank") << "hers is as it was";
    EXPECT_EQ(come_back(victim.state, victim.cookie).response.status, 303);

    auto const older = leave();
    auto const newer = leave_again(older);
    EXPECT_EQ(come_back(newer.state, older.cookie).response.status, 200) << "nor does that of an earlier visit count";
    EXPECT_EQ(step(newer), "landed");
}

TEST_F(BankEnrolment, a_state_counts_once)
{
    auto const way = leave();
    home(way);
    for (auto const& second : {home(way), elsewhere(way)}) {
        EXPECT_EQ(second.response.status, 404);
        EXPECT_THAT(second.response.body, HasSubstr("bank_visit_unknown"));
        EXPECT_THAT(second.response.body, Not(HasSubstr(number)));
    }
    EXPECT_EQ(banks_.redeemed.size(), 1U);
    EXPECT_EQ(step(way), "sms") << "and harms nothing";
    EXPECT_EQ(outcome_shown(way), "");

    auto const first = leave();
    auto const second = leave_again(first);
    EXPECT_THAT(come_back(first.state, first.cookie).response.body, HasSubstr("bank_visit_unknown"))
        << "a later visit takes its place";
    EXPECT_EQ(home(second).response.status, 303);
}

TEST_F(BankEnrolment, of_two_arrivals_at_once_one_wins_before_the_bank_is_asked)
{
    auto const way = leave();
    std::string other;
    banks_.while_asked = [&] { other = elsewhere(way).response.body; };
    EXPECT_EQ(home(way).response.status, 303);
    EXPECT_THAT(other, HasSubstr("bank_visit_unknown"));
    EXPECT_EQ(banks_.redeemed.size(), 1U);
    EXPECT_EQ(step(way), "sms");
}

TEST_F(BankEnrolment, an_answer_that_comes_after_the_holder_went_on_counts_for_nothing)
{
    auto const way = leave();
    banks_.while_asked = [&] { again(way); };
    home(way);
    EXPECT_EQ(step(way), "bank");
    EXPECT_FALSE(enrolment_of(way).person);

    Way next;
    banks_.while_asked = [&] {
        if (next.state.empty()) next = leave_again(way, "ing");
    };
    home(leave_again(way));
    EXPECT_EQ(step(way), "bank");
    EXPECT_EQ(home(next).response.status, 303) << "the visit that is open is the one that counts";
    EXPECT_EQ(enrolment_of(way).source.bank, "ing");
}

TEST_F(BankEnrolment, the_landing_code_guessed_three_times_makes_the_visit_one_for_nothing)
{
    auto const way = leave();
    auto const code = code_on(elsewhere(way));
    std::string const wrong = code == "000000" ? "000001" : "000000";
    EXPECT_EQ(land(way, "12345").outcome(), "landing_code_wrong");
    EXPECT_FALSE(land(way, "abcdef").body.contains("tries_left")) << "what can't be a code is no try";
    EXPECT_EQ(land(way, wrong).body.at("tries_left").as_int64(), 2);
    EXPECT_EQ(land(way, wrong).body.at("tries_left").as_int64(), 1);
    EXPECT_EQ(land(way, wrong).outcome(), "tries_used_up");
    EXPECT_EQ(step(way), "bank");
    EXPECT_EQ(outcome_shown(way), "tries_used_up");
    EXPECT_FALSE(enrolment_of(way).person);
    EXPECT_EQ(land(way, code).outcome(), "enrolment_step_wrong") << "the right one comes too late";
    EXPECT_TRUE(world_.messages.sent.empty());
}

TEST_F(BankEnrolment, the_session_of_somebody_else_takes_no_landing_code)
{
    auto const way = leave();
    auto const code = code_on(elsewhere(way));
    auto const other = leave("0478 11 11 11");
    EXPECT_EQ(land(other, code).outcome(), "enrolment_step_wrong");
    EXPECT_EQ(land({.session = std::string(43, 'A'), .cookie = {}, .state = {}}, code).outcome(), "enrolment_unknown");
    EXPECT_EQ(visit(std::string(43, 'A')).outcome(), "enrolment_unknown");
    EXPECT_EQ(again({.session = "short", .cookie = {}, .state = {}}).outcome(), "enrolment_unknown");
    EXPECT_EQ(step(way), "landed");
}

TEST_F(BankEnrolment, queries_that_are_no_return_reach_nobody)
{
    auto const way = leave();
    auto const with = [&](std::vector<http::Parameters::Pair> pairs) {
        http::Request request;
        request.method = "GET";
        request.path = "/bank/return";
        request.query = http::Parameters{std::move(pairs)};
        request.headers = {{"cookie", "__Host-symbolon-bank=" + way.cookie}};
        return ask(std::move(request)).response.body;
    };
    EXPECT_THAT(with({}), HasSubstr("bank_visit_unknown"));
    EXPECT_THAT(with({{"state", ""}, {"code", "x"}}), HasSubstr("bank_visit_unknown"));
    EXPECT_THAT(with({{"state", std::string(43, 'A')}, {"code", "x"}}), HasSubstr("bank_visit_unknown"));
    EXPECT_THAT(with({{"state", way.state}, {"code", "x"}, {"code", "y"}}), HasSubstr("bank_visit_unknown"));
    EXPECT_THAT(with({{"state", way.state}, {"state", way.state}}), HasSubstr("bank_visit_unknown"));
    EXPECT_TRUE(banks_.redeemed.empty());
    EXPECT_EQ(home(way).response.status, 303) << "the visit is still open";
}

TEST_F(BankEnrolment, looking_with_head_uses_nothing_up)
{
    auto const way = leave();
    http::Request request;
    request.method = "HEAD";
    request.path = "/bank/return";
    request.query.add("state", way.state);
    ask(std::move(request));
    EXPECT_EQ(home(way).response.status, 303);
}

TEST_F(BankEnrolment, pages_of_other_origins_begin_nothing)
{
    auto const way = leave();
    auto const begun = banks_.begun.size();
    origin_ = "https://evil.example";
    EXPECT_EQ(start().outcome(), "origin_refused");
    EXPECT_EQ(visit(way.session).outcome(), "origin_refused");
    EXPECT_EQ(again(way).outcome(), "origin_refused");
    EXPECT_EQ(land(way, "123456").outcome(), "origin_refused");
    EXPECT_EQ(get("/d/banks").outcome(), "origin_refused");
    EXPECT_EQ(banks_.begun.size(), begun);
}

TEST_F(BankEnrolment, nothing_of_code_state_or_person_is_logged)
{
    auto way = leave();
    std::vector<std::string> secrets{way.state, way.cookie, way.session, "code-of-the-bank", person, number};
    home(way);
    home(way);
    again(way);
    way = leave_again(way);
    banks_.answer->phone_number = other_number;
    home(way);
    way = leave_again(way);
    banks_.answer = good_answer();
    elsewhere(way);
    secrets.insert(secrets.end(), {way.state, way.cookie, other_number});
    ASSERT_GE(world_.log.lines.size(), 4U);
    EXPECT_THAT(world_.log.lines, ::testing::Contains(HasSubstr("bank=kbc")));
    for (auto const& line : world_.log.lines)
        for (auto const& secret : secrets) EXPECT_THAT(line, Not(HasSubstr(secret)));
}

// ---- who only knows a number (D7)
// ------------------------------------------------------------------------------------

TEST_F(BankEnrolment, D7_a_number_of_a_holder_answers_like_any_other)
{
    enrolled();
    auto const shape = [&](std::string typed) {
        auto const started = start(std::move(typed));
        auto const left = visit(started.text("session"));
        auto shown = state(started.text("session")).body;
        shown.erase("phone_number");
        return std::to_string(started.response.status) + std::to_string(started.body.size()) +
               std::to_string(left.response.status) + json::write(shown);
    };
    EXPECT_EQ(shape("0470123456"), shape("0478999999"));
}

TEST_F(BankEnrolment, D7_who_types_tokens_for_the_number_touches_nothing)
{
    auto const way = leave();
    home(way);
    auto const before = enrolment_of(way);
    for (int i = 0; i < 6; ++i)
        post("/d/enrol/start", {{"calling_code", "32"}, {"number", "0470123456"}, {"token", "WRONG+12"}});
    auto const after = enrolment_of(way);
    EXPECT_EQ(after.token_tries.failed, before.token_tries.failed);
    EXPECT_EQ(after.phone_session_hash, before.phone_session_hash);
    auto phone = phone_of(way);
    EXPECT_EQ(outcome(finish(phone)), "");
}

TEST_F(BankEnrolment, D7_strangers_can_not_go_through_many_numbers_nor_visits)
{
    auto const way = leave();
    for (int i = 0; i < world_.settings->limits.lookups_a_minute_per_address; ++i) start("0478999999");
    EXPECT_EQ(start().outcome(), "too_many_requests");
    for (int i = 0; i < world_.settings->limits.lookups_a_minute_per_address; ++i) visit(way.session);
    EXPECT_EQ(visit(way.session).outcome(), "too_many_requests");
}

TEST_F(BankEnrolment, the_card_journey_has_no_way_to_the_bank)
{
    auto const id = world_.enrolment();
    Phone phone{new_phone(world_.random), world_.transport};
    ASSERT_EQ(outcome(run_now(phone.start_enrolment("32", "0470123456", SecretText{"Ab3+k?7Q"}))), "");
    Way const way{.session = phone.state().session.reveal(), .cookie = {}, .state = {}};
    EXPECT_EQ(again(way).outcome(), "enrolment_step_wrong");
    EXPECT_EQ(visit(way.session).outcome(), "enrolment_step_wrong");
    EXPECT_EQ(land(way, "123456").outcome(), "enrolment_step_wrong");
    EXPECT_EQ(world_.enrolment_now(id).value.state, EnrolmentState::sms);
}

// ---- the same person again
// -------------------------------------------------------------------------------------------

TEST_F(BankEnrolment, E1_a_new_phone_takes_the_place_of_the_old_one_and_the_old_one_is_told)
{
    auto old = world_.enrolled_phone("e1", number, person);
    auto const before = world_.account_now(old).value;
    ASSERT_EQ(before.source.kind, account::Source::Kind::card);
    auto const watch = world_.wakeups.watch(ports::Wakeups::of(before.id));

    auto const way = leave();
    home(way);
    EXPECT_TRUE(state(way.session).body.at("moves").as_bool());
    auto phone = phone_of(way);
    ASSERT_EQ(outcome(finish(phone)), "");

    auto const after = world_.account_now(phone).value;
    EXPECT_EQ(after.id, before.id) << "partners know the holder by the same name";
    EXPECT_EQ(after.state, account::State::active);
    EXPECT_EQ(after.source.bank, "kbc");
    EXPECT_EQ(after.email, before.email) << "a bank asks for none";
    EXPECT_EQ(after.location_consent, before.location_consent);
    EXPECT_EQ(after.contract, before.contract);
    EXPECT_EQ(outcome(run_now(old.me())), "device_unbound");
    EXPECT_TRUE(run_now(watch->next(world_.clock.now())).value()) << "at once";
    EXPECT_EQ(world_.history_of(phone), (std::vector<std::string>{"moved", "enrolled"}));
    auto const history = run_now(world_.services.history.list(after.id, 1)).value();
    EXPECT_THAT(history.front().detail, HasSubstr(R"("by":"bank")"));
    EXPECT_EQ(world_.approve(phone, "a1", SecretText{"61937"}), "approved");
}

TEST_F(BankEnrolment, E7_a_forgotten_code_is_replaced_and_the_old_one_counts_no_more)
{
    enrolled();
    auto const way = leave();
    home(way);
    auto phone = phone_of(way);
    ASSERT_EQ(outcome(finish(phone)), "");
    EXPECT_EQ(world_.approve(phone, "a1", right_code), "code_wrong");
    EXPECT_EQ(world_.approve(phone, "a2", SecretText{"61937"}), "approved");
}

TEST_F(BankEnrolment, E5_a_deactivated_account_comes_back_through_the_bank)
{
    auto const old = enrolled();
    set_state(old, account::State::deactivated);
    auto const way = leave();
    home(way);
    auto phone = phone_of(way);
    ASSERT_EQ(outcome(finish(phone)), "");
    EXPECT_EQ(world_.account_now(phone).value.state, account::State::active);
}

TEST_F(BankEnrolment, E6_a_blocked_account_is_unblocked_by_the_bank_that_enrolled_it)
{
    auto old = enrolled();
    for (int tries = 0; tries < 3; ++tries) world_.approve(old, "w" + std::to_string(tries), testing::wrong_code);
    ASSERT_EQ(world_.account_now(old).value.state, account::State::blocked);
    auto const way = leave();
    home(way);
    auto phone = phone_of(way);
    ASSERT_EQ(outcome(finish(phone)), "");
    auto const after = world_.account_now(phone).value;
    EXPECT_EQ(after.state, account::State::active);
    EXPECT_EQ(world_.vault.tries_of(after.id), 3);
}

TEST_F(BankEnrolment, E6_another_bank_does_not_unblock)
{
    auto const old = enrolled();
    set_state(old, account::State::blocked);
    auto const way = leave("0470123456", "ing");
    home(way);
    EXPECT_EQ(outcome_shown(way), "other_source_than_enrolled");
    EXPECT_EQ(step(way), "bank");
    EXPECT_EQ(world_.account_now(old).value.state, account::State::blocked);
}

TEST_F(BankEnrolment, E6_a_block_between_the_banks_answer_and_the_code_counts)
{
    auto const old = world_.enrolled_phone("e1", number, person);
    auto const way = leave();
    home(way);
    auto phone = phone_of(way);
    set_state(old, account::State::blocked);
    EXPECT_EQ(outcome(finish(phone)), "other_source_than_enrolled") << "it was enrolled with the card";
    EXPECT_EQ(step(way), "bank");
    EXPECT_EQ(outcome_shown(way), "other_source_than_enrolled");
    EXPECT_EQ(world_.account_now(old).value.state, account::State::blocked);
}

TEST_F(BankEnrolment, E3_a_new_number_and_a_new_phone_need_the_card)
{
    auto old = enrolled();
    auto const way = leave("0478111111");
    home(way);
    EXPECT_EQ(outcome_shown(way), "new_number_needs_card");
    EXPECT_EQ(step(way), "bank");
    EXPECT_TRUE(run_now(old.me()));
    EXPECT_EQ(world_.account_now(old).value.phone_number.e164(), number);
}

TEST_F(BankEnrolment, E6_a_blocked_account_whose_number_changed_is_unblocked_by_its_bank_and_the_card_together)
{
    auto const old = enrolled();
    set_state(old, account::State::blocked);
    auto const known = [&] { return world_.account_now(old).value; };
    account::Source const card{.kind = account::Source::Kind::card};
    auto const may_by_card = [&] { return outcome(account::check_move(known(), card, world_.clock.at)); };
    EXPECT_EQ(may_by_card(), "other_source_than_enrolled") << "the card alone doesn't";

    auto const elsewhere = leave("0478111111", "ing");
    home(elsewhere);
    EXPECT_EQ(may_by_card(), "other_source_than_enrolled") << "nor another bank";

    auto const way = leave("0478111111");
    home(way);
    EXPECT_EQ(outcome_shown(way), "new_number_needs_card") << "the way that the app tells of";
    EXPECT_EQ(known().state, account::State::blocked) << "until the card was read";
    EXPECT_EQ(world_.history_of(old).front(), "bank_spoke");
    EXPECT_EQ(may_by_card(), "");
    auto other_bank = card;
    other_bank.kind = account::Source::Kind::bank;
    other_bank.bank = "ing";
    EXPECT_EQ(outcome(account::check_move(known(), other_bank, world_.clock.at)), "other_source_than_enrolled");

    // The card brings the new number along.
    auto const id = world_.enrolment("e9", "+32478111111", "Xy7=m#4R", person);
    auto stored = world_.enrolment_now(id);
    stored.value.moves = known().id;
    stored.value.moves_from = known().device;
    ASSERT_TRUE(run_now(world_.services.enrolments.save(stored)));
    Phone phone{new_phone(world_.random), world_.transport};
    ASSERT_TRUE(run_now(phone.start_enrolment("32", "+32478111111", SecretText{"Xy7=m#4R"})));
    auto const rules = run_now(phone.give_sms_code(world_.messages.last_code()));
    ASSERT_TRUE(rules);
    ASSERT_EQ(outcome(run_now(phone.finish_enrolment(right_code, *rules, "Phone"))), "");
    auto const after = world_.account_now(phone).value;
    EXPECT_EQ(after.state, account::State::active);
    EXPECT_EQ(after.phone_number.e164(), "+32478111111");
    EXPECT_EQ(world_.vault.tries_of(after.id), 3);

    // It was for that one block.
    set_state(phone, account::State::blocked);
    other_bank.bank = "kbc";
    EXPECT_EQ(outcome(account::check_move(world_.account_now(phone).value, other_bank, world_.clock.at)),
              "other_source_than_enrolled");
}

TEST_F(BankEnrolment, E6_the_word_of_the_bank_is_good_for_a_day)
{
    auto const old = enrolled();
    set_state(old, account::State::blocked);
    home(leave("0478111111"));
    account::Source const card{.kind = account::Source::Kind::card};
    auto const known = world_.account_now(old).value;
    auto const now = world_.clock.at;
    EXPECT_TRUE(account::check_move(known, card, now + 24h - 1s));
    EXPECT_EQ(outcome(account::check_move(known, card, now + 24h)), "other_source_than_enrolled");
}

TEST_F(BankEnrolment, E3_a_number_that_changed_meanwhile_needs_the_card)
{
    auto const old = enrolled();
    auto const way = leave();
    home(way);
    auto phone = phone_of(way);
    auto stored = world_.account_now(old);
    stored.value.phone_number = account::PhoneNumber{other_number};
    ASSERT_TRUE(run_now(world_.services.accounts.save(stored, store::testing::entry(stored.value.id, "seen"))));
    EXPECT_EQ(outcome(finish(phone)), "new_number_needs_card");
    EXPECT_EQ(outcome_shown(way), "new_number_needs_card");
    EXPECT_EQ(world_.account_now(old).value.phone_number.e164(), other_number);
}

TEST_F(BankEnrolment, B1_the_number_that_the_bank_knows_must_be_the_one)
{
    banks_.answer->phone_number = other_number;
    auto const way = leave();
    home(way);
    EXPECT_EQ(outcome_shown(way), "bank_phone_number_differs");
}

TEST_F(BankEnrolment, E10_the_new_owner_of_a_number_enrols_with_it_and_the_old_holder_is_not_reached_by_it)
{
    auto old = enrolled();
    auto const phone = enrolled("0470123456", other_person);
    auto const reached = run_now(world_.services.accounts.find_by_phone_number(account::PhoneNumber{number})).value();
    ASSERT_TRUE(reached);
    EXPECT_EQ(reached->value.device, phone.state().device);
    auto const left = world_.account_now(old).value;
    EXPECT_TRUE(left.phone_number.empty());
    EXPECT_EQ(left.state, account::State::active);
    EXPECT_EQ(world_.history_of(old).front(), "number_lost");
    EXPECT_EQ(world_.approve(old, "a1", right_code), "approved") << "by QR code and link it goes on";
}

TEST_F(BankEnrolment, A8_of_two_phones_that_move_one_account_at_once_one_wins_and_the_other_goes_back_to_the_bank)
{
    enrolled();
    auto const first = leave();
    auto const second = leave();
    home(first);
    auto phone = phone_of(first);
    auto const rules = run_now(phone.give_sms_code(world_.messages.last_code()));
    home(second);
    auto other = phone_of(second);
    auto const other_rules = run_now(other.give_sms_code(world_.messages.last_code()));
    ASSERT_TRUE(rules && other_rules);
    EXPECT_EQ(outcome(run_now(phone.finish_enrolment(SecretText{"61937"}, *rules, "a"))), "");
    EXPECT_EQ(outcome(run_now(other.finish_enrolment(SecretText{"72841"}, *other_rules, "b"))), "moved_meanwhile");
    EXPECT_EQ(step(second), "bank");
    EXPECT_EQ(outcome_shown(second), "moved_meanwhile");
    EXPECT_EQ(world_.approve(phone, "a1", SecretText{"61937"}), "approved")
        << "the loser has not touched the winner's code";

    home(leave_again(second));
    auto again_there = phone_of(second);
    world_.clock.at += 2min;
    EXPECT_EQ(post("/d/enrol/sms-again", {{"session", second.session}}).outcome(), "");
    EXPECT_EQ(outcome(finish(again_there)), "");
}

TEST_F(BankEnrolment, A8_the_same_person_never_has_two_accounts)
{
    auto const first = leave();
    auto const second = leave("0478111111");
    home(first);
    auto phone = phone_of(first);
    auto const rules = run_now(phone.give_sms_code(world_.messages.last_code()));
    home(second);
    auto other = phone_of(second);
    ASSERT_EQ(outcome(run_now(phone.finish_enrolment(SecretText{"61937"}, *rules, "a"))), "");
    EXPECT_EQ(outcome(finish(other)), "already_a_holder");
    EXPECT_EQ(step(second), "bank");
    EXPECT_EQ(outcome_shown(second), "already_a_holder");
}

TEST_F(BankEnrolment, a_vault_that_was_away_is_asked_again_as_for_a_bank)
{
    enrolled();
    auto const way = leave();
    home(way);
    auto phone = phone_of(way);
    auto const rules = run_now(phone.give_sms_code(world_.messages.last_code()));
    world_.vault.replacements_lost = 1;
    EXPECT_EQ(outcome(run_now(phone.finish_enrolment(SecretText{"61937"}, *rules, "a"))), "vault_unreachable");
    EXPECT_EQ(outcome(run_now(phone.finish_enrolment(SecretText{"61937"}, *rules, "a"))), "");
    EXPECT_EQ(world_.approve(phone, "a1", SecretText{"61937"}), "approved");
}

TEST_F(BankEnrolment, an_enrolment_ends_after_24_hours)
{
    auto const way = leave();
    world_.clock.at += 24h;
    EXPECT_EQ(state(way.session).outcome(), "enrolment_expired");
    EXPECT_EQ(visit(way.session).outcome(), "enrolment_expired");
    EXPECT_EQ(again(way).outcome(), "enrolment_expired");
    EXPECT_EQ(home(way).response.status, 303) << "the app says so";
    EXPECT_THAT(elsewhere(way).response.body, HasSubstr("enrolment_expired"));
    EXPECT_TRUE(banks_.redeemed.empty());
}

} // namespace
} // namespace symbolon::device

#include "base/text.hpp"
#include "card/reading_testing.hpp"
#include "crypto/encoding.hpp"
#include "device/world_testing.hpp"
#include "enrolment/identification_token.hpp"
#include "enrolment/phone_number.hpp"
#include "page/enrolment.hpp"
#include "page/reader.hpp"
#include "page/web_eid.hpp"
#include "virtual_card/persona.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace symbolon::page {
namespace {

namespace vc = virtual_card;
using testing::HasSubstr;

std::string const source_dir = SYMBOLON_SOURCE_DIR;
constexpr auto id_url = "https://id.example";
constexpr auto phone_url = "https://phone.example";
Instant const noon = store::testing::noon;

/// What an origin answered.
struct Reply {
    int status = 0;
    json::Object body;
    std::string text;
    std::vector<std::pair<std::string, std::string>> headers;

    [[nodiscard]] std::string operator[](std::string_view name) const
    {
        auto const* value = body.if_contains(name);
        if (value == nullptr || value->is_null()) return "";
        return value->is_string() ? std::string{value->as_string()} : json::write(*value);
    }
    [[nodiscard]] std::string outcome() const
    {
        auto const* value = body.if_contains("outcome");
        if (value == nullptr) return "";
        if (value->is_object()) return std::string{value->as_object().at("outcome").as_string()};
        return std::string{value->as_string()};
    }
    [[nodiscard]] std::string header(std::string_view name) const
    {
        for (auto const& [key, value] : headers)
            if (equal_ignoring_case(key, name)) return value;
        return "";
    }
};

/// The virtual PKI's answers, with something that happens while one waits for them.
class Fetcher final : public card::RevocationFetcher {
public:
    explicit Fetcher(vc::Pki const& pki) : virtual_{pki, noon} {}
    Flow<Bytes> post_ocsp(std::string url, Bytes request) override
    {
        if (meanwhile) std::exchange(meanwhile, nullptr)();
        if (!is_reachable) co_return fail(Outcome::revocation_unreachable);
        co_return co_await virtual_.post_ocsp(std::move(url), std::move(request));
    }
    Flow<Bytes> get_crl(std::string url) override
    {
        if (!is_reachable) co_return fail(Outcome::revocation_unreachable);
        co_return co_await virtual_.get_crl(std::move(url));
    }
    Flow<Bytes> get_certificate(std::string url) override
    {
        if (!is_reachable) co_return fail(Outcome::revocation_unreachable);
        co_return co_await virtual_.get_certificate(std::move(url));
    }

    std::function<void()> meanwhile;
    bool is_reachable = true;

private:
    card::VirtualFetcher virtual_;
};

vc::Pki& pki()
{
    static auto made =
        vc::make_pki({.base_url = "http://127.0.0.1:8406", .now = noon, .rsa_keys = source_dir + "/data/virtual_pki"});
    return made;
}

vc::Card const& card_of(std::string const& persona)
{
    static auto const personas = vc::load_personas(source_dir + "/data/personas.toml").value();
    static std::map<std::string, vc::Card> issued;
    if (!issued.contains(persona))
        issued.emplace(
            persona,
            vc::issue(vc::persona_named(personas, persona).value(), pki(), source_dir + "/data/photos", noon).value());
    return issued.at(persona);
}

/// The whole id origin as far as enrolment goes, and the phone origin beside it.
class Site {
public:
    Site()
    {
        for (auto& route : enrolment_routes(means, world.services)) routes_.push_back(std::move(route));
        for (auto& route : reader_routes(means, world.services)) routes_.push_back(std::move(route));
        for (auto& route : web_eid_routes(means, world.services)) routes_.push_back(std::move(route));
        // The phone origin proves nothing by where a request came from; ours asks for the header.
    }

    Reply ask(std::string const& method, std::string const& path, std::string body,
              std::vector<std::pair<std::string, std::string>> headers)
    {
        for (auto const& route : routes_) {
            if (route.method != method || route.pattern != path) continue;
            http::Request request;
            request.method = method;
            request.path = path;
            request.headers = std::move(headers);
            request.body = std::move(body);
            request.remote_address = "192.0.2.9";
            auto const most = route.body_bytes == 0 ? means.limits.request_body_bytes : route.body_bytes;
            EXPECT_LE(request.body.size(), most);
            return as_reply(run_now(route.handler(std::move(request))));
        }
        ADD_FAILURE() << "no route " << method << ' ' << path;
        return {};
    }

    /// What the program beside the reader posts.
    Reply eid(std::string const& what, json::Object const& body)
    {
        return ask("POST", "/eid/" + what, json::write(body), {{"content-type", "application/json"}});
    }

    static Reply as_reply(Result<http::Response> const& result)
    {
        Reply reply;
        if (!result) {
            reply.status = row_of(result.error().outcome).http_status;
            reply.body["outcome"] = name_of(result.error().outcome);
            if (result.error().tries_left) reply.body["tries_left"] = *result.error().tries_left;
            if (result.error().open_at) reply.body["open_at"] = numeric_date(*result.error().open_at);
            return reply;
        }
        reply.status = result->status;
        reply.text = result->body;
        reply.headers = result->headers;
        if (auto object = json::parse_object(result->body)) reply.body = *std::move(object);
        return reply;
    }

    /// The answer of a patient browser to the check that a person is there.
    json::Object solved()
    {
        auto const challenge = ask("GET", "/enrolment/person-check", "", {}).body;
        return solve(challenge);
    }

    static json::Object solve(json::Object const& challenge)
    {
        auto const& parameters = challenge.at("parameters").as_object();
        auto const prefix = std::string{parameters.at("keyPrefix").as_string()};
        auto const nonce = crypto::from_hex(parameters.at("nonce").as_string()).value();
        auto const salt = crypto::from_hex(parameters.at("salt").as_string()).value();
        for (std::uint32_t counter = 0;; ++counter) {
            auto password = nonce;
            for (auto const shift : {24U, 16U, 8U, 0U}) password.push_back(static_cast<Byte>(counter >> shift));
            auto const key =
                crypto::hex(crypto::pbkdf2_sha256(password, salt, static_cast<int>(parameters.at("cost").as_int64()),
                                                  static_cast<std::size_t>(parameters.at("keyLength").as_int64())));
            if (key.starts_with(prefix))
                return {{"challenge", challenge},
                        {"solution", json::Object{{"counter", counter}, {"derivedKey", key}}}};
        }
    }

    device::testing::World world;
    Texts texts;
    card::Anchors anchors = card::anchors_of(pki());
    Fetcher fetcher{pki()};
    card::CrlCache lists;
    EnrolmentMeans means{
        .id_url = id_url,
        .phone_url = phone_url,
        .reader_page = "http://localhost:8406/",
        .operator_name = "Symbolon Demo",
        .is_test_system = true,
        .key = SecretBytes{Bytes(32, 1)},
        .counter_key = SecretBytes{Bytes(32, 2)},
        .person_check = {.key = SecretBytes{Bytes(32, 3)}, .cost = 1, .prefix = "0"},
        .fonts = {},
        .cards = {anchors, fetcher, lists},
        .limits = {},
        .texts = texts,
    };

private:
    http::Routes routes_;
};

/// One browser with its cookies.
struct Browser {
    Site& site;
    std::string cookie;

    std::vector<std::pair<std::string, std::string>> headers() const
    {
        std::vector<std::pair<std::string, std::string>> all{
            {"content-type", "application/json"}, {"origin", id_url}, {"accept-language", "en"}};
        if (!cookie.empty()) all.emplace_back("cookie", std::string{enrolment_cookie} + '=' + cookie);
        return all;
    }
    Reply post(std::string const& path, json::Object const& body = {}) const
    {
        return site.ask("POST", path, json::write(body), headers());
    }
    Reply get(std::string const& path) const { return site.ask("GET", path, "", headers()); }
    Reply state() const { return get("/enrolment"); }

    json::Object form(std::string number = "0470 12 34 56") const
    {
        return {{"calling_code", "32"}, {"number", std::move(number)}, {"email", "lotte@example.be"},
                {"language", "nl"},     {"location_consent", false},   {"person_check", site.solved()}};
    }

    Reply begin(json::Object const& body)
    {
        auto reply = post("/enrolment", body);
        auto const set = reply.header("set-cookie");
        auto const from = set.find('=');
        if (from != std::string::npos) cookie = set.substr(from + 1, set.find(';') - from - 1);
        return reply;
    }
    Reply begin(std::string number = "0470 12 34 56") { return begin(form(std::move(number))); }
};

std::string ticket_in(std::string const& link) { return link.substr(link.rfind('/') + 1); }

/// symbolon-eid with a card.
struct Reader {
    Site& site;
    vc::Card const& card;
    std::string session;
    Reply opened;

    Reply open(std::string const& link)
    {
        opened = site.eid("open", {{"ticket", ticket_in(link)}, {"version", "0.1.0"}});
        session = opened["session"];
        return opened;
    }

    json::Object reading(std::string const& symbol) const
    {
        card::Challenge challenge{.bytes = {}, .origin = opened["origin"]};
        std::ranges::copy(crypto::from_base64url(opened["challenge"]).value(), challenge.bytes.begin());
        auto const read = card::read_virtual_card(card, challenge);
        auto const text = [](Bytes const& bytes) { return json::Value(crypto::base64url(bytes)); };
        json::Object files{{"identity", text(read.identity)},
                           {"identity_signature", text(read.identity_signature)},
                           {"address", text(read.address)},
                           {"address_signature", text(read.address_signature)},
                           {"photo", text(read.photo)},
                           {"card_data", text(read.card_data)},
                           {"authentication_certificate", text(read.authentication_certificate)},
                           {"signature_certificate", text(read.signature_certificate)},
                           {"ca_certificate", text(read.ca_certificate)},
                           {"root_certificate", text(read.root_certificate)},
                           {"register_certificate", text(read.register_certificate)}};
        if (!read.card_key.empty()) files["card_key"] = text(read.card_key);
        json::Object body{{"session", session}, {"symbol", symbol}, {"files", std::move(files)}};
        if (!read.internal_authenticate.empty()) body["internal_authenticate"] = text(read.internal_authenticate);
        if (!read.authentication_signature.empty())
            body["authentication_signature"] = text(read.authentication_signature);
        return body;
    }
    Reply read(std::string const& symbol) const { return site.eid("read", reading(symbol)); }

    json::Object signature(vc::Key const& key) const
    {
        auto const digest = crypto::from_base64url(opened["digest"]).value();
        return {{"session", session},
                {"signature", crypto::base64url(card::sign_digest_as_card(key, digest))},
                {"chip_number", crypto::base64url(card.chip_serial())}};
    }
    Reply sign() const { return site.eid("sign", signature(card.signature_key)); }
};

/// A browser that has come to a step with somebody's card.
Browser at_review(Site& site, std::string const& persona = "lotte", std::string number = "0470 12 34 56")
{
    Browser browser{site, {}};
    auto const begun = browser.begin(std::move(number));
    Reader reader{site, card_of(persona), {}, {}};
    reader.open(begun["link"]);
    EXPECT_EQ(reader.read(begun["symbol"]).outcome(), "");
    return browser;
}

Browser at_phone(Site& site, std::string const& persona = "lotte", std::string number = "0470 12 34 56")
{
    auto browser = at_review(site, persona, std::move(number));
    Reader reader{site, card_of(persona), {}, {}};
    reader.open(browser.post("/enrolment/sign")["link"]);
    EXPECT_EQ(reader.sign().outcome(), "");
    return browser;
}

device::Phone finish_on_phone(Site& site, std::string const& token, std::string const& number = "0470 12 34 56",
                              std::string* outcome = nullptr)
{
    device::Phone phone{device::new_phone(site.world.random), site.world.transport};
    auto const fails = [&](auto const& result) {
        if (!result && outcome != nullptr) *outcome = name_of(result.error().outcome);
        return !result;
    };
    if (fails(run_now(phone.start_enrolment("32", number, SecretText{token})))) return phone;
    auto const rules = run_now(phone.give_sms_code(site.world.messages.last_code()));
    if (fails(rules)) return phone;
    fails(run_now(phone.finish_enrolment(device::testing::right_code, *rules, "Chrome on Android")));
    return phone;
}

// ---- the journey ---------------------------------------------------------------------------------------------------

TEST(EnrolmentPage, A1_begins_with_a_number_an_address_and_a_person)
{
    Site site;
    Browser browser{site, {}};
    auto const begun = browser.begin();
    EXPECT_EQ(begun.status, 201);
    EXPECT_EQ(begun["step"], "card");
    EXPECT_EQ(begun["phone_number"], "+32470123456");
    EXPECT_EQ(begun["language"], "nl");
    EXPECT_THAT(begun["link"], testing::StartsWith("symbolon-eid://id.example/"));
    EXPECT_EQ(begun["command"], "symbolon-eid " + begun["link"]);
    EXPECT_EQ(begun["link_expires_at"], std::to_string(numeric_date(noon + 10min)));
    EXPECT_THAT(begun["reader_page"], testing::StartsWith("http://localhost:8406/?link=symbolon-eid%3A%2F%2F"));
    EXPECT_FALSE(begun["symbol"].empty());
    EXPECT_EQ(begun["test_pki"], "true");
    EXPECT_THAT(begun.header("set-cookie"), testing::StartsWith("__Host-symbolon-enrolment="));
    EXPECT_THAT(begun.header("set-cookie"), HasSubstr("HttpOnly"));
    EXPECT_EQ(begun.header("cache-control"), "no-store");
}

TEST(EnrolmentPage, A1_an_error_names_its_field)
{
    Site site;
    Browser browser{site, {}};
    auto const wrong = [&](std::string const& name, json::Value value) {
        auto form = browser.form();
        form[name] = std::move(value);
        auto const reply = browser.begin(form);
        EXPECT_EQ(reply.status, 422);
        EXPECT_FALSE(reply["text"].empty());
        return reply["field"] + ' ' + reply.outcome();
    };
    EXPECT_EQ(wrong("number", "0470"), "number phone_number_invalid");
    EXPECT_EQ(wrong("number", "02 555 12 34"), "number phone_number_not_mobile");
    EXPECT_EQ(wrong("number", json::Value(std::string(5000, '4'))), "number phone_number_invalid");
    EXPECT_EQ(wrong("calling_code", "999"), "calling_code calling_code_unknown");
    EXPECT_EQ(wrong("email", "nobody"), "email email_invalid");
    EXPECT_EQ(wrong("email", json::Value(std::string(5000, 'a') + "@b.be")), "email email_invalid");
    EXPECT_EQ(wrong("language", "it"), "language language_unknown");
    EXPECT_TRUE(browser.cookie.empty());
}

TEST(EnrolmentPage, A1_needs_a_person_once_for_each_enrolment)
{
    Site site;
    Browser browser{site, {}};
    auto const outcome = [&](json::Value check) {
        auto form = browser.form();
        form["person_check"] = std::move(check);
        return browser.begin(form).outcome();
    };
    auto const solved = site.solved();
    EXPECT_EQ(outcome(solved), "");
    EXPECT_EQ(outcome(solved), "person_check_failed");
    EXPECT_EQ(outcome(json::Object{}), "person_check_failed");

    auto cheaper = site.ask("GET", "/enrolment/person-check", "", {}).body;
    cheaper["parameters"].as_object()["keyPrefix"] = "";
    EXPECT_EQ(outcome(Site::solve(cheaper)), "person_check_failed");

    auto unsolved = site.solved();
    unsolved["solution"].as_object()["counter"] = 4'000'000'000;
    EXPECT_EQ(outcome(unsolved), "person_check_failed");
    unsolved["solution"].as_object()["counter"] = -1;
    EXPECT_EQ(outcome(unsolved), "person_check_failed");
    unsolved["solution"].as_object()["counter"] = "0";
    EXPECT_EQ(outcome(unsolved), "person_check_failed");

    auto forged = site.solved();
    forged["challenge"].as_object()["signature"] = std::string(64, '0');
    EXPECT_EQ(outcome(forged), "person_check_failed");

    auto const late = site.solved();
    site.world.clock.at += 20min;
    EXPECT_EQ(outcome(late), "person_check_failed");
}

TEST(EnrolmentPage, A2_shows_the_person_and_gives_a_contract_that_the_card_signs)
{
    for (auto const* persona : {"lotte", "bruno", "nadia", "amelie"}) {
        Site site;
        auto const browser = at_review(site, persona);
        auto const review = browser.state();
        ASSERT_EQ(review["step"], "review") << persona << json::write(review.body);
        auto const& person = review.body.at("person").as_object();
        EXPECT_FALSE(person.at("name").as_string().empty());
        EXPECT_THAT(std::string{person.at("national_number_last").as_string()}, testing::StartsWith("…"));
        EXPECT_EQ(person.at("national_number_last").as_string().size(), std::string{"…"}.size() + 2);

        auto const draft = browser.get("/enrolment/contract.pdf");
        EXPECT_EQ(draft.header("content-type"), "application/pdf");
        EXPECT_THAT(draft.header("content-disposition"), testing::StartsWith("inline"));
        EXPECT_THAT(draft.text, testing::StartsWith("%PDF-"));
        EXPECT_EQ(draft.text.find("/ByteRange"), std::string::npos);

        auto const signing = browser.post("/enrolment/sign");
        EXPECT_EQ(signing["step"], "sign");
        Reader reader{site, card_of(persona), {}, {}};
        auto const opened = reader.open(signing["link"]);
        EXPECT_EQ(opened["purpose"], "sign");
        EXPECT_EQ(opened["digest_algorithm"],
                  std::string{persona} == "lotte" || std::string{persona} == "amelie" ? "sha384" : "sha256");
        EXPECT_EQ(opened["contract_title"], "Contract voor uw digitale identiteit");
        EXPECT_EQ(opened["phone_number"], "+32470123456");
        EXPECT_EQ(reader.sign().status, 200);

        auto const signed_pdf = browser.get("/enrolment/contract.pdf").text;
        EXPECT_NE(signed_pdf.find("/SubFilter /ETSI.CAdES.detached"), std::string::npos);
        EXPECT_EQ(browser.state()["step"], "phone");
    }
}

TEST(EnrolmentPage, A3_shows_a_token_that_a_reload_shows_again)
{
    Site site;
    auto const browser = at_phone(site);
    auto const first = browser.state();
    EXPECT_EQ(first["token"].size(), 8U);
    EXPECT_EQ(first["token"].find_first_not_of(enrolment::token_signs), std::string::npos);
    EXPECT_EQ(first["token_tries_left"], "5");
    EXPECT_EQ(first["token_expires_at"], std::to_string(numeric_date(noon + 30min)));
    EXPECT_THAT(first["token_qr"], testing::StartsWith("https://phone.example/app/#token="));
    site.world.clock.at += 5min;
    EXPECT_EQ(browser.state()["token"], first["token"]);

    auto const fresh = browser.post("/enrolment/token");
    EXPECT_EQ(fresh.status, 200);
    EXPECT_NE(fresh["token"], first["token"]);
    site.world.clock.at += 30min;
    EXPECT_EQ(browser.state()["token"], "");
    EXPECT_FALSE(browser.post("/enrolment/token")["token"].empty());
}

TEST(EnrolmentPage, A3_comes_back_to_its_step_for_24_hours)
{
    Site site;
    auto const browser = at_review(site);
    site.world.clock.at += 24h - 1s;
    EXPECT_EQ(browser.state()["step"], "review");
    site.world.clock.at += 1s;
    EXPECT_EQ(browser.state().outcome(), "enrolment_expired");
    EXPECT_EQ(browser.post("/enrolment/sign").outcome(), "enrolment_expired");
}

TEST(EnrolmentPage, A4_is_done_when_the_phone_is_bound)
{
    Site site;
    auto const browser = at_phone(site);
    auto const phone = finish_on_phone(site, browser.state()["token"]);
    EXPECT_TRUE(phone.state().enrolled);
    auto const done = browser.state();
    EXPECT_EQ(done["step"], "done");
    EXPECT_EQ(done.body.at("phone").as_object().at("name").as_string(), "Chrome on Android");
    EXPECT_EQ(done["can_undo"], "true");
    EXPECT_EQ(done["token"], "");
    EXPECT_NE(browser.get("/enrolment/contract.pdf").text.find("/ETSI.CAdES.detached"), std::string::npos);

    auto const account = site.world.account_now(phone).value;
    EXPECT_EQ(account.phone_number.e164(), "+32470123456");
    EXPECT_EQ(account.email, "lotte@example.be");
    EXPECT_EQ(account.state, account::State::active);
    EXPECT_FALSE(account.person.photo.empty());
    EXPECT_EQ(account.person.national_number.size(), 11U);
    EXPECT_EQ(account.source.document_type, 1);
}

class KeptEvents final : public http::EventSink {
public:
    Flow<void> send(std::string event, std::string data) override
    {
        EXPECT_EQ(event, "state");
        steps.push_back(std::string{json::parse_object(data).value().at("step").as_string()});
        co_return {};
    }
    std::vector<std::string> steps;
};

TEST(EnrolmentPage, A4_says_by_itself_where_the_journey_is)
{
    Site site;
    auto const browser = at_review(site);
    http::Request request;
    request.method = "GET";
    request.headers = browser.headers();
    auto routes = enrolment_routes(site.means, site.world.services);
    auto const route = std::ranges::find(routes, "/enrolment/events", &http::Route::pattern);
    auto const response = run_now(route->handler(request)).value();
    KeptEvents events;
    auto flow = response.events(events);
    flow.start([] {});
    EXPECT_THAT(events.steps, testing::ElementsAre("review"));

    Reader reader{site, card_of("lotte"), {}, {}};
    reader.open(browser.post("/enrolment/sign")["link"]);
    reader.sign();
    finish_on_phone(site, browser.state()["token"]);
    EXPECT_THAT(events.steps, testing::Contains("sign"));
    EXPECT_THAT(events.steps, testing::Contains("phone"));
    EXPECT_EQ(events.steps.back(), "done");

    browser.post("/enrolment/undo");
    EXPECT_EQ(events.steps.back(), "ended");
    EXPECT_TRUE(flow.ended());
}

TEST(EnrolmentPage, A5_shows_the_tries_that_are_left_and_when_the_next_is_possible)
{
    Site site;
    auto const browser = at_phone(site);
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(browser.state()["token_tries_left"], std::to_string(5 - i));
        finish_on_phone(site, "Wrong+1x");
    }
    auto const used_up = browser.state();
    EXPECT_EQ(used_up["token_tries_left"], "0");
    EXPECT_EQ(used_up["token"], "");
    EXPECT_EQ(used_up.outcome(), "tries_used_up");
    EXPECT_EQ(used_up.body.at("outcome").as_object().at("open_at").as_int64(), numeric_date(noon + 20min));
    EXPECT_EQ(browser.post("/enrolment/token").outcome(), "tries_used_up");

    site.world.clock.at += 20min;
    EXPECT_EQ(browser.state()["token_tries_left"], "5");
    auto const token = browser.post("/enrolment/token")["token"];
    EXPECT_TRUE(finish_on_phone(site, token).state().enrolled);
}

TEST(EnrolmentPage, A5_a_wrong_capital_is_wrong)
{
    Site site;
    auto const browser = at_phone(site);
    auto token = browser.state()["token"];
    auto const letter = token.find_first_of("abdefghjkmnpqrtwy");
    token[letter] = static_cast<char>(token[letter] - 'a' + 'A');
    std::string outcome;
    finish_on_phone(site, token, "0470 12 34 56", &outcome);
    EXPECT_EQ(outcome, "identification_token_wrong");
}

// ---- undo, cancel, other browsers ----------------------------------------------------------------------------------

TEST(EnrolmentPage, takes_the_phone_back_while_it_is_open)
{
    Site site;
    auto const browser = at_phone(site);
    auto phone = finish_on_phone(site, browser.state()["token"]);
    site.world.clock.at += 29min;
    auto const undone = browser.post("/enrolment/undo");
    EXPECT_EQ(undone["step"], "ended");
    EXPECT_EQ(undone.outcome(), "enrolment_undone");
    EXPECT_EQ(site.world.device_now(phone).value.state, account::Device::State::unbound);
    EXPECT_EQ(browser.post("/enrolment/undo").outcome(), "enrolment_undone");

    // The same person with the same number begins again.
    auto const again = at_phone(site);
    EXPECT_TRUE(finish_on_phone(site, again.state()["token"]).state().enrolled);
    site.world.clock.at += 30min;
    EXPECT_EQ(again.state()["can_undo"], "false");
    EXPECT_EQ(again.post("/enrolment/undo").outcome(), "enrolment_step_wrong");
}

TEST(EnrolmentPage, ends_when_the_holder_stops_and_keeps_nothing_that_was_read)
{
    Site site;
    auto const browser = at_phone(site);
    auto const token = browser.state()["token"];
    auto const ended = browser.post("/enrolment/cancel");
    EXPECT_EQ(ended["step"], "ended");
    EXPECT_EQ(ended.outcome(), "cancelled");
    EXPECT_EQ(ended["person"], "");
    EXPECT_EQ(browser.get("/enrolment/contract.pdf").outcome(), "enrolment_step_wrong");
    std::string outcome;
    finish_on_phone(site, token, "0470 12 34 56", &outcome);
    EXPECT_EQ(outcome, "identification_token_wrong");
}

TEST(EnrolmentPage, of_another_browser_is_unknown)
{
    Site site;
    at_phone(site);
    for (auto const& cookie : {std::string{}, std::string{"x"}, std::string(43, 'A'), std::string(4000, 'A')}) {
        Browser const stranger{site, cookie};
        EXPECT_EQ(stranger.state().outcome(), "enrolment_unknown");
        EXPECT_EQ(stranger.get("/enrolment/contract.pdf").outcome(), "enrolment_unknown");
        EXPECT_EQ(stranger.get("/enrolment/events").outcome(), "enrolment_unknown");
        for (auto const* verb : {"link", "sign", "token", "undo", "cancel"})
            EXPECT_EQ(stranger.post(std::string{"/enrolment/"} + verb).outcome(), "enrolment_unknown");
    }
}

TEST(EnrolmentPage, does_nothing_for_a_page_of_another_site)
{
    Site site;
    auto const browser = at_phone(site);
    for (auto const* verb : {"", "/link", "/sign", "/token", "/undo", "/cancel"}) {
        auto headers = browser.headers();
        for (auto& [name, value] : headers)
            if (name == "origin") value = "https://evil.example";
        auto const path = std::string{"/enrolment"} + verb;
        EXPECT_EQ(site.ask("POST", path, "{}", headers).outcome(), "origin_refused") << path;
    }
    EXPECT_EQ(browser.state()["step"], "phone");
}

TEST(EnrolmentPage, begun_anew_in_the_same_browser_leaves_no_token_behind)
{
    Site site;
    auto browser = at_phone(site);
    auto const old_token = browser.state()["token"];
    EXPECT_EQ(browser.begin()["step"], "card");
    std::string outcome;
    finish_on_phone(site, old_token, "0470 12 34 56", &outcome);
    EXPECT_EQ(outcome, "identification_token_wrong");
}

TEST(EnrolmentPage, refuses_every_step_that_is_not_its_turn)
{
    Site site;
    Browser browser{site, {}};
    browser.begin();
    for (auto const* verb : {"sign", "token", "undo"})
        EXPECT_EQ(browser.post(std::string{"/enrolment/"} + verb).outcome(), "enrolment_step_wrong") << verb;
    EXPECT_EQ(browser.get("/enrolment/contract.pdf").outcome(), "enrolment_step_wrong");

    auto const signed_browser = at_phone(site, "lotte", "0470 99 88 77");
    for (auto const* verb : {"link", "sign", "undo"})
        EXPECT_EQ(signed_browser.post(std::string{"/enrolment/"} + verb).outcome(), "enrolment_step_wrong") << verb;
}

TEST(EnrolmentPage, limits_how_many_one_address_begins)
{
    Site site;
    Browser browser{site, {}};
    std::string last;
    for (int i = 0; i <= site.means.limits.lookups_a_minute_per_address; ++i)
        last = browser.post("/enrolment").outcome();
    EXPECT_EQ(last, "too_many_requests");
    site.world.clock.at += 1min;
    EXPECT_EQ(browser.begin().status, 201);
}

TEST(EnrolmentPage, refuses_bodies_that_are_not_of_the_protocol)
{
    Site site;
    Browser const browser{site, {}};
    auto const outcome = [&](std::string const& body) {
        return site.ask("POST", "/enrolment", body, browser.headers()).outcome();
    };
    for (auto const* body : {"", "null", "[]", "{", R"({"number":1})", R"({"number":{},"number":1})"})
        EXPECT_THAT(outcome(body), testing::AnyOf("json_malformed", "request_malformed")) << body;
    auto form = browser.form();
    form["extra"] = 1;
    EXPECT_EQ(outcome(json::write(form)), "request_malformed");
    for (auto const* member : {"calling_code", "number", "email", "language", "location_consent", "person_check"}) {
        for (auto const& value : {json::Value(nullptr), json::Value(1), json::Value(json::Array{}), json::Value(1.5)}) {
            form = browser.form();
            form[member] = value;
            EXPECT_EQ(outcome(json::write(form)), "json_malformed") << member;
        }
        form = browser.form();
        form.erase(member);
        EXPECT_EQ(outcome(json::write(form)), "json_malformed") << member;
    }
    EXPECT_EQ(site.ask("POST", "/enrolment", json::write(browser.form()), {{"content-type", "text/plain"}}).outcome(),
              "content_type_unsupported");
}

// ---- the same person, the same number (A8, E10)
// ----------------------------------------------------------------------

/// What an account has at a number.
std::optional<account::Account> reached_by(Site& site, std::string number)
{
    auto const found =
        run_now(site.world.services.accounts.find_by_phone_number(account::PhoneNumber{std::move(number)})).value();
    return found ? std::optional{found->value} : std::nullopt;
}

TEST(EnrolmentPage, A8_a_holder_who_enrols_again_is_told_that_the_account_moves)
{
    Site site;
    auto const first = at_phone(site);
    EXPECT_EQ(first.state()["moves"], "");
    finish_on_phone(site, first.state()["token"]);

    auto const second = at_review(site, "lotte", "0470 99 88 77");
    EXPECT_EQ(second.state()["step"], "review");
    EXPECT_EQ(second.state()["moves"], "true");
    EXPECT_EQ(second.state().outcome(), "");
}

TEST(EnrolmentPage, E1_the_same_card_again_moves_the_account_to_the_new_phone)
{
    Site site;
    auto const first = at_phone(site);
    auto old = finish_on_phone(site, first.state()["token"]);
    auto const before = reached_by(site, "+32470123456").value();

    auto const second = at_phone(site);
    auto phone = finish_on_phone(site, second.state()["token"]);
    EXPECT_TRUE(phone.state().enrolled);
    EXPECT_EQ(second.state()["step"], "done");
    EXPECT_EQ(second.state()["moves"], "true");
    EXPECT_EQ(reached_by(site, "+32470123456")->id, before.id);
    EXPECT_EQ(reached_by(site, "+32470123456")->device, phone.state().device);
    auto const refused = run_now(old.me());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().outcome, Outcome::device_unbound);
    EXPECT_EQ(first.state()["step"], "done");
    EXPECT_EQ(first.post("/enrolment/undo").outcome(), "moved_meanwhile") << "the first page undoes nothing any more";
    EXPECT_TRUE(run_now(phone.me()));
}

TEST(EnrolmentPage, E3_the_next_card_of_the_same_person_carries_a_new_number_into_the_account)
{
    Site site;
    auto const first = at_phone(site, "lotte", "0470 12 34 56");
    finish_on_phone(site, first.state()["token"]);
    auto const id = reached_by(site, "+32470123456")->id;
    auto const second = at_phone(site, "renewed", "0470 99 88 77");
    finish_on_phone(site, second.state()["token"], "0470 99 88 77");
    EXPECT_FALSE(reached_by(site, "+32470123456"));
    ASSERT_TRUE(reached_by(site, "+32470998877"));
    EXPECT_EQ(reached_by(site, "+32470998877")->id, id);
    EXPECT_EQ(site.world.messages.sent.back().first, "+32470123456") << "who has the old number is told";
}

TEST(EnrolmentPage, E3_undoing_a_move_gives_the_number_back_and_leaves_the_account_without_a_phone)
{
    Site site;
    auto const first = at_phone(site, "lotte", "0470 12 34 56");
    finish_on_phone(site, first.state()["token"]);
    auto const second = at_phone(site, "lotte", "0470 99 88 77");
    auto thiefs = finish_on_phone(site, second.state()["token"], "0470 99 88 77");
    EXPECT_EQ(second.post("/enrolment/undo").outcome(), "enrolment_undone");
    auto const account = reached_by(site, "+32470123456");
    ASSERT_TRUE(account);
    EXPECT_EQ(account->state, account::State::active);
    EXPECT_FALSE(account->device);
    EXPECT_FALSE(reached_by(site, "+32470998877"));
    EXPECT_EQ(run_now(thiefs.me()).error().outcome, Outcome::device_unbound);

    // The way back is the same card again.
    auto const third = at_phone(site, "lotte", "0470 12 34 56");
    auto own = finish_on_phone(site, third.state()["token"]);
    EXPECT_TRUE(run_now(own.me()));
    EXPECT_EQ(reached_by(site, "+32470123456")->id, account->id);
}

TEST(EnrolmentPage, A8_two_computers_and_two_phones_at_once_give_one_account_and_the_second_can_go_on)
{
    Site site;
    auto const first = at_phone(site, "lotte", "0470 12 34 56");
    auto const second = at_phone(site, "renewed", "0470 99 88 77"); // the same person's next card
    EXPECT_TRUE(finish_on_phone(site, first.state()["token"]).state().enrolled);
    std::string outcome;
    finish_on_phone(site, second.state()["token"], "0470 99 88 77", &outcome);
    EXPECT_EQ(outcome, "already_a_holder");
    EXPECT_EQ(second.state()["step"], "card") << "what was typed is kept; the card says the rest anew";
    EXPECT_EQ(second.state().outcome(), "already_a_holder");
    auto const id = reached_by(site, "+32470123456")->id;

    // Who wants the account on the second phone reads the card again.
    auto const linked = second.post("/enrolment/link");
    Reader reader{site, card_of("renewed"), {}, {}};
    reader.open(linked["link"]);
    ASSERT_EQ(reader.read(linked["symbol"]).outcome(), "");
    EXPECT_EQ(second.state()["moves"], "true");
    reader.open(second.post("/enrolment/sign")["link"]);
    ASSERT_EQ(reader.sign().outcome(), "");
    site.world.clock.at += 1min; // the countdown of the SMS
    auto phone = finish_on_phone(site, second.state()["token"], "0470 99 88 77");
    EXPECT_TRUE(run_now(phone.me()));
    EXPECT_EQ(reached_by(site, "+32470998877")->id, id);
}

TEST(EnrolmentPage, E10_a_number_that_changed_hands_goes_to_its_new_owner)
{
    Site site;
    auto const first = at_phone(site, "lotte");
    auto old = finish_on_phone(site, first.state()["token"]);
    auto const second = at_phone(site, "bruno"); // nothing on the page tells that the number is known
    EXPECT_EQ(second.state()["moves"], "");
    auto phone = finish_on_phone(site, second.state()["token"]);
    EXPECT_EQ(reached_by(site, "+32470123456")->device, phone.state().device);
    EXPECT_TRUE(run_now(old.me())) << "the account of before has person, phone and code still";
}

TEST(EnrolmentPage, E10_says_that_the_number_is_anothers_once_the_phone_has_typed_its_code)
{
    Site site;
    auto const first = at_phone(site, "lotte");
    finish_on_phone(site, first.state()["token"]);
    auto const second = at_phone(site, "bruno");
    device::Phone phone{device::new_phone(site.world.random), site.world.transport};
    ASSERT_TRUE(run_now(phone.start_enrolment("32", "0470 12 34 56", SecretText{second.state()["token"]})));
    EXPECT_EQ(second.state()["takes_number"], "");
    ASSERT_TRUE(run_now(phone.give_sms_code(site.world.messages.last_code())));
    EXPECT_EQ(second.state()["takes_number"], "true");
}

// ---- the reader program
// ----------------------------------------------------------------------------------------------

TEST(ReaderLink, tells_the_program_what_the_account_will_have)
{
    Site site;
    Browser browser{site, {}};
    auto const begun = browser.begin();
    Reader reader{site, card_of("lotte"), {}, {}};
    auto const opened = reader.open(begun["link"]);
    EXPECT_EQ(opened["purpose"], "read");
    EXPECT_EQ(opened["origin"], "https://id.example");
    EXPECT_EQ(opened["phone_number"], "+32470123456");
    EXPECT_EQ(opened["email"], "lotte@example.be");
    EXPECT_EQ(opened["language"], "nl");
    EXPECT_EQ(opened.body.at("symbols").as_array().size(), 6U);
    EXPECT_EQ(crypto::from_base64url(opened["challenge"])->size(), 48U);
    EXPECT_EQ(browser.state()["link"], "") << "the link is used up";
    EXPECT_EQ(browser.state().body.at("progress").as_object().at("at").as_string(), "reader");
}

TEST(ReaderLink, opens_once)
{
    Site site;
    Browser browser{site, {}};
    auto const link = browser.begin()["link"];
    Reader reader{site, card_of("lotte"), {}, {}};
    EXPECT_EQ(reader.open(link).status, 200);
    EXPECT_EQ(reader.open(link).outcome(), "ticket_used");
    EXPECT_EQ(reader.open("symbolon-eid://id.example/" + std::string(43, 'A')).outcome(), "ticket_unknown");
    EXPECT_EQ(reader.open("symbolon-eid://id.example/").outcome(), "ticket_unknown");
    EXPECT_EQ(reader.open("x/" + std::string(60'000, 'A')).outcome(), "ticket_unknown");

    auto const other = browser.post("/enrolment/link")["link"];
    EXPECT_NE(other, link);
    EXPECT_EQ(reader.open(link).outcome(), "ticket_unknown");
    site.world.clock.at += 10min;
    EXPECT_EQ(reader.open(other).outcome(), "ticket_expired");
}

TEST(ReaderLink, ends_with_a_wrong_symbol_and_the_page_says_so)
{
    Site site;
    Browser browser{site, {}};
    auto const begun = browser.begin();
    Reader reader{site, card_of("lotte"), {}, {}};
    auto const opened = reader.open(begun["link"]);
    std::string wrong;
    for (auto const& symbol : opened.body.at("symbols").as_array())
        if (symbol.as_string() != begun["symbol"]) wrong = std::string{symbol.as_string()};
    EXPECT_EQ(reader.read(wrong).outcome(), "page_symbol_wrong");
    EXPECT_EQ(browser.state().outcome(), "page_symbol_wrong");
    EXPECT_EQ(reader.read(begun["symbol"]).outcome(), "ticket_unknown");
    EXPECT_EQ(browser.state()["step"], "card");
    auto const next = browser.post("/enrolment/link");
    EXPECT_NE(next["symbol"], begun["symbol"]);
    EXPECT_EQ(next.outcome(), "");
}

TEST(ReaderLink, takes_a_challenge_once_and_within_five_minutes)
{
    Site site;
    Browser browser{site, {}};
    auto const begun = browser.begin();
    Reader reader{site, card_of("lotte"), {}, {}};
    reader.open(begun["link"]);
    auto const reading = reader.reading(begun["symbol"]);
    Reply second;
    site.fetcher.meanwhile = [&] { second = site.eid("read", reading); };
    EXPECT_EQ(site.eid("read", reading).status, 200);
    EXPECT_EQ(second.outcome(), "challenge_unknown") << "the same reading while the first is judged";
    EXPECT_EQ(site.eid("read", reading).outcome(), "ticket_unknown") << "and after it";

    Browser slow{site, {}};
    auto const other = slow.begin("0470 99 88 77");
    reader.open(other["link"]);
    site.world.clock.at += 5min;
    EXPECT_EQ(reader.read(other["symbol"]).outcome(), "challenge_unknown");
}

TEST(ReaderLink, takes_no_reading_made_for_another_session)
{
    Site site;
    Browser one{site, {}};
    Browser other{site, {}};
    auto const begun = one.begin();
    auto const begun_other = other.begin("0470 99 88 77");
    Reader reader{site, card_of("lotte"), {}, {}};
    Reader reader_other{site, card_of("lotte"), {}, {}};
    reader.open(begun["link"]);
    reader_other.open(begun_other["link"]);
    auto replayed = reader.reading(begun["symbol"]);
    replayed["session"] = reader_other.session;
    replayed["symbol"] = begun_other["symbol"];
    EXPECT_EQ(site.eid("read", replayed).outcome(), "card_not_genuine");
}

TEST(ReaderLink, that_was_replaced_while_the_card_is_judged_counts_for_nothing)
{
    Site site;
    Browser browser{site, {}};
    auto const begun = browser.begin();
    Reader reader{site, card_of("lotte"), {}, {}};
    reader.open(begun["link"]);
    site.fetcher.meanwhile = [&] { browser.post("/enrolment/link"); };
    EXPECT_EQ(reader.read(begun["symbol"]).outcome(), "ticket_unknown");
    EXPECT_EQ(browser.state()["step"], "card");
    EXPECT_FALSE(browser.state()["link"].empty());
}

TEST(ReaderLink, A7_shows_on_the_page_what_went_wrong_at_the_reader)
{
    Site site;
    Browser browser{site, {}};
    Reader reader{site, card_of("lotte"), {}, {}};
    reader.open(browser.begin()["link"]);
    auto const tell = [&](json::Object body) {
        body["session"] = reader.session;
        return site.eid("progress", body);
    };
    EXPECT_EQ(tell({{"at", "pin"}, {"outcome", "pin_wrong"}, {"tries_left", 2}}).status, 204);
    auto const progress = browser.state().body.at("progress").as_object();
    EXPECT_EQ(progress.at("at").as_string(), "pin");
    EXPECT_EQ(progress.at("outcome").as_string(), "pin_wrong");
    EXPECT_EQ(progress.at("tries_left").as_int64(), 2);
    EXPECT_FALSE(progress.at("text").as_string().empty());

    EXPECT_EQ(tell({{"at", "elsewhere"}}).outcome(), "request_malformed");
    EXPECT_EQ(tell({{"at", "pin"}, {"outcome", "enrolment_undone"}}).outcome(), "request_malformed");
    EXPECT_EQ(tell({{"at", "pin"}, {"outcome", "<b>"}}).outcome(), "request_malformed");
    EXPECT_EQ(tell({{"at", "pin"}, {"tries_left", 1'000'000}}).outcome(), "request_malformed");
    EXPECT_EQ(tell({{"at", 7}}).outcome(), "json_malformed");
    reader.session = std::string(43, 'x');
    EXPECT_EQ(tell({{"at", "pin"}}).outcome(), "ticket_unknown");
}

TEST(ReaderLink, A7_refuses_a_card_with_its_reason_and_keeps_what_was_typed)
{
    Site site;
    Browser browser{site, {}};
    browser.begin();
    for (auto const& [persona, outcome] : std::initializer_list<std::pair<std::string, std::string>>{
             {"revoked", "certificate_revoked"},
             {"suspended", "certificate_suspended"},
             {"expired", "card_expired"},
             {"cloned", "card_not_genuine"},
             {"wrong-identity-signature", "identity_signature_invalid"},
             {"swapped-address", "address_signature_invalid"},
             {"minor-15", "too_young"},
             {"minor-17", "minor_needs_bank"},
             {"no-signature-certificate", "signature_certificate_missing"},
             {"signature-never-activated", "certificate_suspended"},
         }) {
        auto const state = browser.post("/enrolment/link");
        Reader reader{site, card_of(persona), {}, {}};
        reader.open(state["link"]);
        EXPECT_EQ(reader.read(state["symbol"]).outcome(), outcome) << persona;
        EXPECT_EQ(browser.state().outcome(), outcome) << persona;
        EXPECT_EQ(browser.state()["step"], "card");
        EXPECT_EQ(browser.state()["phone_number"], "+32470123456");
    }
}

TEST(ReaderLink, A7_a_revocation_service_that_is_away_loses_nothing)
{
    Site site;
    Browser browser{site, {}};
    auto const begun = browser.begin();
    Reader reader{site, card_of("lotte"), {}, {}};
    reader.open(begun["link"]);
    site.fetcher.is_reachable = false;
    EXPECT_EQ(reader.read(begun["symbol"]).outcome(), "revocation_unreachable");
    EXPECT_EQ(browser.state().outcome(), "revocation_unreachable");
    site.fetcher.is_reachable = true;
    auto const again = browser.post("/enrolment/link");
    reader.open(again["link"]);
    EXPECT_EQ(reader.read(again["symbol"]).status, 200);

    // Signing asks once more.
    site.fetcher.is_reachable = false;
    EXPECT_EQ(browser.post("/enrolment/sign").outcome(), "revocation_unreachable");
    EXPECT_EQ(browser.state()["step"], "review");
}

TEST(ReaderLink, takes_files_of_any_bytes_without_falling)
{
    Site site;
    Browser browser{site, {}};
    auto const names = {"identity",
                        "identity_signature",
                        "address",
                        "address_signature",
                        "photo",
                        "card_data",
                        "card_key",
                        "authentication_certificate",
                        "signature_certificate",
                        "ca_certificate",
                        "root_certificate",
                        "register_certificate"};
    auto state = browser.begin();
    for (auto const* name : names) {
        for (auto const& bytes : {Bytes{}, Bytes{0}, Bytes(30'000, 0xFF), Bytes(20'000, 0), Bytes(900, 0x30)}) {
            Reader reader{site, card_of("lotte"), {}, {}};
            reader.open(state["link"]);
            auto body = reader.reading(state["symbol"]);
            body["files"].as_object()[name] = crypto::base64url(bytes);
            auto const reply = site.eid("read", body);
            EXPECT_TRUE(reply.status == 200 || (reply.status >= 400 && reply.status < 500))
                << name << ' ' << reply.outcome();
            if (reply.status == 200) { // the root is evidence alone
                EXPECT_STREQ(name, "root_certificate");
                browser.begin();
            }
            state = browser.post("/enrolment/link");
        }
        Reader reader{site, card_of("lotte"), {}, {}};
        reader.open(state["link"]);
        auto body = reader.reading(state["symbol"]);
        body["files"].as_object()[name] = "not/base64url=";
        EXPECT_EQ(site.eid("read", body).outcome(), "encoding_malformed");
        body["files"].as_object()[name] = 5;
        EXPECT_EQ(site.eid("read", body).outcome(), "json_malformed");
        state = browser.post("/enrolment/link");
    }
    Reader reader{site, card_of("lotte"), {}, {}};
    reader.open(state["link"]);
    auto body = reader.reading(state["symbol"]);
    body["files"].as_object()["pin"] = "1234";
    EXPECT_EQ(site.eid("read", body).outcome(), "request_malformed");
}

TEST(ReaderLink, swaps_no_file_between_two_cards)
{
    Site site;
    Browser browser{site, {}};
    auto state = browser.begin();
    for (auto const* name : {"identity", "identity_signature", "address", "address_signature", "card_data", "card_key",
                             "authentication_certificate", "signature_certificate"}) {
        Reader lotte{site, card_of("lotte"), {}, {}};
        lotte.open(state["link"]);
        auto body = lotte.reading(state["symbol"]);
        Reader const amelie{site, card_of("amelie"), lotte.session, lotte.opened};
        auto const other = amelie.reading(state["symbol"]);
        body["files"].as_object()[name] = other.at("files").as_object().at(name);
        EXPECT_NE(site.eid("read", body).status, 200) << name;
        EXPECT_EQ(browser.state()["step"], "card") << name;
        state = browser.post("/enrolment/link");
    }
}

// ---- signing
// -----------------------------------------------------------------------------------------------------------

TEST(Signing, by_another_card_key_or_session_is_refused)
{
    Site site;
    auto const browser = at_review(site);
    auto const& card = card_of("lotte");
    auto const attempt = [&](auto change) {
        Reader reader{site, card, {}, {}};
        reader.open((browser.state()["step"] == "review" ? browser.post("/enrolment/sign")
                                                         : browser.post("/enrolment/link"))["link"]);
        auto body = reader.signature(card.signature_key);
        change(body, reader);
        auto outcome = site.eid("sign", body).outcome();
        EXPECT_EQ(browser.state()["step"], "sign");
        return outcome;
    };
    EXPECT_EQ(attempt([&](auto& body, Reader const& reader) { body = reader.signature(card.authentication_key); }),
              "contract_not_signed_by_signature_key");
    EXPECT_EQ(attempt([](auto& body, Reader const&) { body["chip_number"] = crypto::base64url(Bytes(16)); }),
              "other_card_than_read");
    EXPECT_EQ(attempt([](auto& body, Reader const&) { body["signature"] = crypto::base64url(Bytes(96, 7)); }),
              "contract_signature_invalid");
    EXPECT_EQ(attempt([](auto& body, Reader const&) { body["signature"] = crypto::base64url(Bytes(40'000, 7)); }),
              "contract_signature_invalid");
    EXPECT_EQ(attempt([](auto& body, Reader const&) { body["session"] = std::string(43, 'A'); }), "ticket_unknown");
    EXPECT_EQ(attempt([](auto& body, Reader const&) { body["chip_number"] = "AAAA"; }), "request_malformed");
    EXPECT_EQ(attempt([](auto& body, Reader const&) { body["pin"] = "1234"; }), "request_malformed");
    EXPECT_EQ(attempt([](auto& body, Reader const&) { body.erase("signature"); }), "json_malformed");
}

TEST(Signing, of_an_earlier_contract_does_not_fit_a_new_one)
{
    Site site;
    auto const browser = at_review(site);
    Reader earlier{site, card_of("lotte"), {}, {}};
    earlier.open(browser.post("/enrolment/sign")["link"]);
    auto const old = earlier.signature(card_of("lotte").signature_key);
    site.world.clock.at += 1h;
    Reader later{site, card_of("lotte"), {}, {}};
    later.open(browser.post("/enrolment/link")["link"]);
    auto body = old;
    body["session"] = later.session;
    EXPECT_EQ(site.eid("sign", body).outcome(), "contract_signature_invalid");
}

TEST(Signing, reads_no_card_in_the_step_sign_and_signs_nothing_in_the_step_card)
{
    Site site;
    auto const browser = at_review(site);
    Reader reader{site, card_of("lotte"), {}, {}};
    reader.open(browser.post("/enrolment/sign")["link"]);
    reader.opened.body["challenge"] = crypto::base64url(Bytes(48));
    EXPECT_EQ(reader.read("boat").outcome(), "enrolment_step_wrong");

    Browser other{site, {}};
    Reader reading{site, card_of("lotte"), {}, {}};
    reading.open(other.begin("0470 99 88 77")["link"]);
    reading.opened.body["digest"] = crypto::base64url(Bytes(48));
    EXPECT_EQ(reading.sign().outcome(), "enrolment_step_wrong");
}

// ---- Web eID --------------------------------------------------------------------------------------------------------

/// What the browser's extension gives for a card, for that page.
std::string token_of(std::string const& persona, std::string const& nonce, std::string const& origin = id_url)
{
    return card::web_eid_token(card_of(persona), {.origin = origin, .nonce = nonce});
}

/// One try with Web eID, as the page makes it.
Reply by_web_eid(Browser const& browser, std::string const& persona = "lotte")
{
    auto const nonce = browser.post("/enrolment/web-eid/nonce")["nonce"];
    return browser.post("/enrolment/web-eid", {{"token", token_of(persona, nonce)}});
}

/// Somebody has an account by the reader program.
void with_account(Site& site, std::string const& persona = "lotte", std::string const& number = "0470 12 34 56")
{
    finish_on_phone(site, at_phone(site, persona, number).state()["token"], number);
}

/// The account of a number, changed by somebody else.
void change_account(Site& site, std::string number, std::function<void(account::Account&)> const& change)
{
    auto stored =
        run_now(site.world.services.accounts.find_by_phone_number(account::PhoneNumber{std::move(number)})).value();
    change(stored->value);
    ports::HistoryEntry const entry{
        .account = stored->value.id, .at = noon, .event = "changed", .client = {}, .detail = "{}"};
    ASSERT_TRUE(run_now(site.world.services.accounts.save(*stored, entry)));
}

TEST(WebEidPage, E1_the_card_through_the_extension_moves_the_account_to_the_new_phone)
{
    for (auto const* persona : {"lotte", "bruno"}) {
        Site site;
        with_account(site, persona);
        auto const before = reached_by(site, "+32470123456").value();

        Browser browser{site, {}};
        browser.begin();
        auto const accepted = by_web_eid(browser, persona);
        EXPECT_EQ(accepted.status, 200) << accepted.outcome();
        EXPECT_EQ(accepted["step"], "phone");
        EXPECT_EQ(accepted["moves"], "true");
        EXPECT_EQ(accepted["web_eid"], "true");
        auto phone = finish_on_phone(site, accepted["token"]);
        EXPECT_TRUE(phone.state().enrolled);
        EXPECT_EQ(browser.state()["step"], "done");

        auto const after = reached_by(site, "+32470123456").value();
        EXPECT_EQ(after.id, before.id);
        EXPECT_EQ(after.device, phone.state().device);
        EXPECT_EQ(after.person.birth_place, before.person.birth_place) << "the token has no identity file";
        EXPECT_EQ(after.person.photo, before.person.photo);
        EXPECT_EQ(after.source.document_number, before.source.document_number);
        EXPECT_EQ(after.contract, before.contract);
        EXPECT_EQ(browser.get("/enrolment/contract.pdf").status, 200) << "the one that was signed then";
        EXPECT_THAT(after.source.evidence, HasSubstr("web_eid"));
        EXPECT_THAT(after.source.evidence, HasSubstr("identity_signature"));
    }
}

TEST(WebEidPage, E3_a_new_number_comes_with_it_and_the_old_one_is_told)
{
    Site site;
    with_account(site);
    auto const id = reached_by(site, "+32470123456")->id;
    Browser browser{site, {}};
    browser.begin("0470 99 88 77");
    finish_on_phone(site, by_web_eid(browser)["token"], "0470 99 88 77");
    EXPECT_FALSE(reached_by(site, "+32470123456"));
    ASSERT_TRUE(reached_by(site, "+32470998877"));
    EXPECT_EQ(reached_by(site, "+32470998877")->id, id);
    EXPECT_EQ(site.world.messages.sent.back().first, "+32470123456");
    EXPECT_EQ(browser.post("/enrolment/undo")["step"], "ended");
    EXPECT_EQ(reached_by(site, "+32470123456")->id, id) << "undone as any move";
}

TEST(WebEidPage, E4_E6_E7_brings_back_a_blocked_or_deactivated_account)
{
    for (auto const state : {account::State::blocked, account::State::deactivated}) {
        Site site;
        with_account(site);
        change_account(site, "+32470123456", [&](account::Account& account) { account.state = state; });
        Browser browser{site, {}};
        browser.begin();
        finish_on_phone(site, by_web_eid(browser)["token"]);
        EXPECT_EQ(reached_by(site, "+32470123456")->state, account::State::active);
    }
}

TEST(WebEidPage, E6_a_blocked_account_that_a_bank_opened_is_refused_and_an_active_one_stays_the_banks)
{
    Site site;
    with_account(site);
    auto const at_bank = [](account::Account& account) {
        account.source.kind = account::Source::Kind::bank;
        account.source.bank = "kbc";
    };
    change_account(site, "+32470123456", at_bank);
    Browser browser{site, {}};
    browser.begin();
    finish_on_phone(site, by_web_eid(browser)["token"]);
    EXPECT_EQ(reached_by(site, "+32470123456")->source.bank, "kbc");

    change_account(site, "+32470123456", [](account::Account& account) { account.state = account::State::blocked; });
    browser.begin();
    EXPECT_EQ(by_web_eid(browser).outcome(), "other_source_than_enrolled");
    EXPECT_EQ(browser.state()["step"], "card") << "what was typed is kept";
}

TEST(WebEidPage, C2_a_holder_of_16_needs_the_bank)
{
    Site site;
    with_account(site);
    change_account(site, "+32470123456", [](account::Account& account) { account.person.birth_date = "2009-06-01"; });
    Browser browser{site, {}};
    browser.begin();
    EXPECT_EQ(by_web_eid(browser).outcome(), "minor_needs_bank");
}

TEST(WebEidPage, says_that_there_is_no_account_and_the_reader_program_goes_on)
{
    Site site;
    Browser browser{site, {}};
    auto const begun = browser.begin();
    auto const refused = by_web_eid(browser);
    EXPECT_EQ(refused.outcome(), "web_eid_no_account");
    EXPECT_FALSE(refused.body.contains("person"));
    Reader reader{site, card_of("lotte"), {}, {}};
    reader.open(begun["link"]);
    EXPECT_EQ(reader.read(begun["symbol"]).outcome(), "") << "the link that was shown is still good";
}

TEST(WebEidPage, takes_a_nonce_once_and_within_five_minutes)
{
    Site site;
    with_account(site);
    Browser browser{site, {}};
    browser.begin();
    EXPECT_EQ(browser.post("/enrolment/web-eid", {{"token", token_of("lotte", "x")}}).outcome(),
              "web_eid_nonce_unknown");

    auto const given = browser.post("/enrolment/web-eid/nonce");
    EXPECT_EQ(given["nonce"].size(), 44U);
    EXPECT_EQ(given["expires_at"], std::to_string(numeric_date(noon + 5min)));
    auto const wrong = token_of("lotte", given["nonce"], "https://elsewhere.example");
    EXPECT_EQ(browser.post("/enrolment/web-eid", {{"token", wrong}}).outcome(), "web_eid_signature_invalid");
    EXPECT_EQ(browser.post("/enrolment/web-eid", {{"token", token_of("lotte", given["nonce"])}}).outcome(),
              "web_eid_nonce_unknown")
        << "a failed try used it up";

    auto const old = browser.post("/enrolment/web-eid/nonce")["nonce"];
    auto const newer = browser.post("/enrolment/web-eid/nonce")["nonce"];
    EXPECT_NE(old, newer);
    EXPECT_EQ(browser.post("/enrolment/web-eid", {{"token", token_of("lotte", old)}}).outcome(),
              "web_eid_signature_invalid");

    auto const late = browser.post("/enrolment/web-eid/nonce")["nonce"];
    site.world.clock.at += 5min;
    EXPECT_EQ(browser.post("/enrolment/web-eid", {{"token", token_of("lotte", late)}}).outcome(),
              "web_eid_nonce_expired");
    EXPECT_EQ(browser.post("/enrolment/web-eid", {{"token", token_of("lotte", late)}}).outcome(),
              "web_eid_nonce_unknown");
}

TEST(WebEidPage, takes_no_token_of_another_page_or_a_second_time)
{
    Site site;
    with_account(site);
    Browser mine{site, {}};
    mine.begin();
    Browser thiefs{site, {}};
    thiefs.begin("0470 99 88 77");
    auto const nonce = mine.post("/enrolment/web-eid/nonce")["nonce"];
    thiefs.post("/enrolment/web-eid/nonce");
    auto const token = token_of("lotte", nonce);
    EXPECT_EQ(thiefs.post("/enrolment/web-eid", {{"token", token}}).outcome(), "web_eid_signature_invalid");
    EXPECT_EQ(mine.post("/enrolment/web-eid", {{"token", token}})["step"], "phone");
    EXPECT_EQ(mine.post("/enrolment/web-eid", {{"token", token}}).outcome(), "enrolment_step_wrong");
    EXPECT_EQ(mine.post("/enrolment/web-eid/nonce").outcome(), "enrolment_step_wrong");
}

TEST(WebEidPage, answers_its_own_origin_with_its_cookie_only)
{
    Site site;
    Browser browser{site, {}};
    browser.begin();
    for (auto const* path : {"/enrolment/web-eid/nonce", "/enrolment/web-eid"}) {
        json::Object const body =
            std::string_view{path}.ends_with("nonce") ? json::Object{} : json::Object{{"token", "x"}};
        auto headers = browser.headers();
        headers[1].second = "https://elsewhere.example";
        EXPECT_EQ(site.ask("POST", path, json::write(body), headers).outcome(), "origin_refused");
        EXPECT_EQ((Browser{site, {}}.post(path, body).outcome()), "enrolment_unknown");
    }
}

TEST(WebEidPage, A7_a_certificate_that_is_not_good_is_refused_and_a_service_that_is_away_loses_nothing)
{
    Site site;
    with_account(site);
    Browser browser{site, {}};
    browser.begin();
    EXPECT_EQ(by_web_eid(browser, "revoked").outcome(), "certificate_revoked");
    EXPECT_EQ(by_web_eid(browser, "suspended").outcome(), "certificate_suspended");
    EXPECT_EQ(by_web_eid(browser, "expired-certificates").outcome(), "certificate_expired");
    site.fetcher.is_reachable = false;
    EXPECT_EQ(by_web_eid(browser).outcome(), "revocation_unreachable");
    site.fetcher.is_reachable = true;
    EXPECT_EQ(by_web_eid(browser)["step"], "phone");
}

TEST(WebEidPage, of_two_ways_at_once_the_first_counts)
{
    Site site;
    with_account(site);
    Browser browser{site, {}};
    auto const begun = browser.begin();
    Reader reader{site, card_of("lotte"), {}, {}};
    reader.open(begun["link"]);
    auto const nonce = browser.post("/enrolment/web-eid/nonce")["nonce"];
    site.fetcher.meanwhile = [&] { EXPECT_EQ(reader.read(begun["symbol"]).outcome(), ""); };
    EXPECT_EQ(browser.post("/enrolment/web-eid", {{"token", token_of("lotte", nonce)}}).outcome(),
              "enrolment_step_wrong");
    EXPECT_EQ(browser.state()["step"], "review");
}

TEST(WebEidPage, an_account_that_moved_meanwhile_sends_the_page_back_to_the_card)
{
    Site site;
    with_account(site);
    Browser slow{site, {}};
    slow.begin();
    auto const token = by_web_eid(slow)["token"];
    Browser quick{site, {}};
    quick.begin();
    // The quick one takes its place, by the reader program.
    auto const reader_way = at_phone(site);
    std::string outcome;
    finish_on_phone(site, reader_way.state()["token"], "0470 12 34 56", &outcome);
    EXPECT_EQ(outcome, "");
    finish_on_phone(site, token, "0470 12 34 56", &outcome);
    EXPECT_EQ(outcome, "moved_meanwhile");
    EXPECT_EQ(slow.state()["step"], "card");
    EXPECT_EQ(slow.state()["web_eid"], "");
    EXPECT_EQ(by_web_eid(slow)["step"], "phone");
}

TEST(Enrolment, leaves_no_personal_data_in_the_log)
{
    Site site;
    auto browser = at_phone(site);
    finish_on_phone(site, browser.state()["token"]);
    browser.begin();
    finish_on_phone(site, by_web_eid(browser)["token"]);
    for (auto const& line : site.world.log.events)
        for (auto const* secret : {"470123456", "lotte", "Peeters"})
            EXPECT_EQ(line.find(secret), std::string::npos) << line;
}

} // namespace
} // namespace symbolon::page

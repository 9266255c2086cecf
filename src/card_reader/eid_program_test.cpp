#include "card_reader/eid_program.hpp"
#include "crypto/encoding.hpp"
#include "virtual_card/card_core.hpp"
#include "virtual_card/persona.hpp"

#include <gtest/gtest.h>

#include <deque>

namespace symbolon::card_reader {
namespace {

namespace vc = virtual_card;

constexpr auto noon = Instant{Seconds{1'772'366'400}}; // 2026-03-01 12:00 UTC
std::string const source_dir = SYMBOLON_SOURCE_DIR;
std::string const origin = "https://id.example";

vc::Card virtual_card_of(std::string_view persona)
{
    static auto pki = vc::make_pki({.now = noon, .rsa_keys = source_dir + "/data/virtual_pki"});
    static auto const personas = vc::load_personas(source_dir + "/data/personas.toml").value();
    return vc::issue(vc::persona_named(personas, persona).value(), pki, source_dir + "/data/photos", noon).value();
}

/// Borrows a card for one run.
class Inserted final : public Transceiver {
public:
    Inserted(vc::CardCore& core, bool has_keys, int& silent) : core_{core}, has_keys_{has_keys}, silent_{silent} {}
    Result<Bytes> transmit(ByteView command) override { return core_.transmit(command); }
    [[nodiscard]] bool has_pin_pad() const override { return has_keys_; }
    Result<Bytes> verify_on_pin_pad(ByteView verify_template) override
    {
        EXPECT_EQ(crypto::hex(verify_template), "002000010820ffffffffffffff");
        if (silent_ > 0) {
            --silent_;
            return Bytes{0x64, 0x00};
        }
        return core_.transmit(verify(SecretText{"1234"}).reveal());
    }

private:
    vc::CardCore& core_;
    bool has_keys_;
    int& silent_;
};

json::Object to_read()
{
    return {{"session", "S"},
            {"purpose", "read"},
            {"origin", origin},
            {"phone_number", "+32470123456"},
            {"language", "nl"},
            {"symbols", json::Array{"boat", "dog"}},
            {"challenge", crypto::base64url(Bytes(48, 7))}};
}

json::Object to_sign(vc::Card const& card, std::string algorithm)
{
    auto const size = algorithm == "sha384" ? 48UZ : 32UZ;
    return {{"session", "S"},
            {"purpose", "sign"},
            {"origin", origin},
            {"phone_number", "+32470123456"},
            {"digest", crypto::base64url(Bytes(size, 9))},
            {"digest_algorithm", std::move(algorithm)},
            {"chip_number", crypto::base64url(card.chip_serial())},
            {"contract_title", "Contract"}};
}

/// One run with everything played.
struct Desk final : Server, Holder {
    explicit Desk(vc::Card card) : core{std::move(card)} {}

    // ---- the server
    ServerResult<json::Object> post(std::string_view path, json::Object const& body) override
    {
        if (path == "/eid/progress") {
            auto text = std::string{body.at("at").as_string()};
            if (body.contains("outcome")) text += "/" + std::string{body.at("outcome").as_string()};
            progress.push_back(std::move(text));
            return std::unexpected{ServerFailure{}}; // that nobody hears it changes nothing
        }
        if (path == "/eid/open") return opened;
        sent[std::string{path}] = body;
        if (refusal) return std::unexpected{*refusal};
        return json::Object{};
    }
    void speak(Language language) override { spoken = language; } // of the holder, too

    // ---- the holder
    void say(std::string_view text) override { said += std::string{text} + "\n"; }
    void complain(std::string_view text) override { say(text); }
    bool agrees(Request const& request) override
    {
        for (auto const* text : {&request.asks, &request.phone_number, &request.email, &request.warning}) say(*text);
        return consent;
    }
    bool risks_last_try(std::string_view) override { return last_try; }
    [[nodiscard]] bool is_there() const override { return stays; }
    std::optional<std::string> choose_symbol(std::string_view, std::vector<std::string> const&) override
    {
        return symbol;
    }
    Result<SecretText> type_pin(std::string_view question) override
    {
        questions += std::string{question} + "\n";
        if (pins.empty()) return fail(Outcome::cancelled);
        auto pin = pins.front();
        pins.pop_front();
        if (!is_pin(pin)) return fail(Outcome::pin_malformed);
        return SecretText{pin};
    }
    [[nodiscard]] bool can_try_again() const override { return patient; }

    Ending run()
    {
        static Texts const texts;
        auto const find_card = [this](auto const& waiting) -> Result<std::unique_ptr<Transceiver>> {
            if (waits_for_card) waiting(Waiting::for_card);
            if (!has_card) return fail(Outcome::card_missing);
            return std::make_unique<Inserted>(core, has_keys, silent);
        };
        return run_program({origin, "id.example", "dGhpcy1pcy1hLXRpY2tldA"},
                           {.server = *this, .holder = *this, .find_card = find_card, .texts = texts});
    }

    vc::CardCore core;
    json::Object opened = to_read();
    std::optional<ServerFailure> refusal;
    std::map<std::string, json::Object> sent;
    std::vector<std::string> progress;
    std::string said, questions;
    std::optional<Language> spoken;
    bool consent = true, last_try = false, patient = true, has_card = true, has_keys = false, waits_for_card = false,
         stays = true;
    std::optional<std::string> symbol = "boat";
    std::deque<std::string> pins;
    int silent = 0; ///< so many of the next questions of the reader with keys nobody answers
};

using Progress = std::vector<std::string>;

TEST(EidProgram, A7_sends_nothing_of_the_card_when_the_holder_has_gone_away)
{
    Desk desk{virtual_card_of("lotte")};
    desk.stays = false;
    auto const ending = desk.run();
    EXPECT_EQ(ending.exit, Exit::not_agreed) << ending.text;
    EXPECT_EQ(ending.outcome, "cancelled");
    EXPECT_TRUE(desk.sent.empty());
    EXPECT_EQ(desk.progress, (Progress{"reading", "reading/cancelled"}));
}

TEST(EidProgram, A2_reads_a_1_8_card_without_its_PIN)
{
    Desk desk{virtual_card_of("lotte")};
    desk.waits_for_card = true;
    auto const ending = desk.run();
    EXPECT_EQ(ending.exit, Exit::done) << ending.text;
    EXPECT_EQ(desk.questions, "");
    EXPECT_EQ(desk.progress, (Progress{"card", "reading", "sending"}));
    EXPECT_EQ(desk.spoken, Language::nl);
    auto const& read = desk.sent.at("/eid/read");
    EXPECT_EQ(read.at("symbol"), "boat");
    EXPECT_TRUE(read.contains("internal_authenticate"));
    EXPECT_FALSE(read.contains("authentication_signature"));
    EXPECT_TRUE(read.at("files").as_object().contains("card_key"));
}

TEST(EidProgram, A7_asks_again_after_a_wrong_PIN_and_tells_the_tries)
{
    auto const card = virtual_card_of("bruno");
    Desk desk{card};
    desk.pins = {"12", "9999", "1234"};
    auto const ending = desk.run();
    EXPECT_EQ(ending.exit, Exit::done) << ending.text;
    EXPECT_EQ(desk.progress, (Progress{"reading", "pin", "pin/pin_wrong", "pin", "sending"}));
    EXPECT_NE(desk.said.find('2'), std::string::npos);
    EXPECT_EQ(desk.core.pin_tries(), 3);
}

TEST(EidProgram, A7_asks_before_the_last_try)
{
    auto const card = virtual_card_of("bruno");
    Desk careful{card};
    careful.pins = {"9999", "9999", "1234"};
    auto ending = careful.run();
    EXPECT_EQ(ending.exit, Exit::pin);
    EXPECT_EQ(ending.outcome, "pin_last_try");
    EXPECT_EQ(careful.pins.size(), 1U) << "the third PIN was not even asked for";
    EXPECT_EQ(careful.core.pin_tries(), 1);

    Desk bold{card};
    bold.last_try = true;
    bold.pins = {"9999", "9999", "9999", "1234"};
    ending = bold.run();
    EXPECT_EQ(ending.exit, Exit::pin);
    EXPECT_EQ(ending.outcome, "pin_blocked");
    EXPECT_EQ(bold.pins.size(), 1U) << "a blocked card is left alone";
    EXPECT_EQ(bold.progress.back(), "pin/pin_blocked");
}

TEST(EidProgram, A2_signs_with_the_PIN_typed_on_the_reader)
{
    auto const card = virtual_card_of("lotte");
    Desk desk{card};
    desk.opened = to_sign(card, "sha384");
    desk.has_keys = true;
    auto const ending = desk.run();
    EXPECT_EQ(ending.exit, Exit::done) << ending.text;
    EXPECT_EQ(desk.questions, "") << "no PIN passes through this computer";
    EXPECT_EQ(crypto::from_base64url(desk.sent.at("/eid/sign").at("signature").as_string())->size(), 96U);
    EXPECT_NE(desk.said.find("Contract"), std::string::npos);
}

TEST(EidProgram, signs_nothing_of_another_generation_or_with_another_card)
{
    auto const card = virtual_card_of("lotte");
    Desk other_digest{card};
    other_digest.opened = to_sign(card, "sha256");
    other_digest.pins = {"1234"};
    EXPECT_EQ(other_digest.run().outcome, "other_card_than_read");

    Desk other_card{virtual_card_of("jurgen")};
    other_card.opened = to_sign(card, "sha384");
    other_card.pins = {"1234"};
    EXPECT_EQ(other_card.run().outcome, "other_card_than_read");
    EXPECT_TRUE(other_card.sent.empty());
    EXPECT_EQ(other_card.questions, "");
}

TEST(EidProgram, C3_a_card_without_a_signature_certificate_signs_nothing)
{
    auto const card = virtual_card_of("no-signature-certificate");
    Desk desk{card};
    desk.opened = to_sign(card, "sha384");
    desk.pins = {"1234"};
    auto const ending = desk.run();
    EXPECT_EQ(ending.outcome, "signature_certificate_missing");
    EXPECT_EQ(desk.questions, "") << "no PIN is asked for in vain";
}

TEST(EidProgram, does_nothing_without_consent)
{
    Desk desk{virtual_card_of("lotte")};
    desk.consent = false;
    auto const ending = desk.run();
    EXPECT_EQ(ending.exit, Exit::not_agreed);
    EXPECT_EQ(ending.outcome, "cancelled");
    EXPECT_TRUE(desk.sent.empty());
    EXPECT_TRUE(desk.progress.empty());
}

TEST(EidProgram, sends_nothing_with_a_symbol_that_was_not_offered)
{
    Desk desk{virtual_card_of("lotte")};
    desk.symbol = "hammer";
    EXPECT_EQ(desk.run().outcome, "page_symbol_wrong");
    desk.symbol = std::nullopt;
    EXPECT_EQ(desk.run().outcome, "cancelled");
    EXPECT_TRUE(desk.sent.empty());
}

TEST(EidProgram, reads_the_card_of_a_child_that_has_no_key_to_answer_with)
{
    Desk desk{virtual_card_of("kid")};
    auto const ending = desk.run();
    EXPECT_EQ(ending.exit, Exit::done) << ending.text;
    EXPECT_TRUE(desk.sent.contains("/eid/read")) << "the server tells from when it is possible";
}

TEST(EidProgram, ends_with_what_the_server_says)
{
    Desk desk{virtual_card_of("lotte")};
    desk.refusal =
        ServerFailure{.kind = ServerFailure::Kind::refused, .outcome = "certificate_revoked", .text = "Ingetrokken."};
    auto ending = desk.run();
    EXPECT_EQ(ending.exit, Exit::refused);
    EXPECT_EQ(ending.outcome, "certificate_revoked");
    EXPECT_EQ(ending.text, "Ingetrokken.");

    desk.refusal = ServerFailure{.kind = ServerFailure::Kind::unreachable, .detail = "timeout"};
    EXPECT_EQ(desk.run().exit, Exit::unreachable);
}

TEST(EidProgram, A7_tells_that_there_is_no_card)
{
    Desk desk{virtual_card_of("lotte")};
    desk.waits_for_card = true;
    desk.has_card = false;
    auto const ending = desk.run();
    EXPECT_EQ(ending.exit, Exit::card);
    EXPECT_EQ(ending.outcome, "card_missing");
    EXPECT_EQ(desk.progress, (Progress{"card", "card/card_missing"}));
}

TEST(ServerAnswer, is_judged_whatever_it_is)
{
    EXPECT_TRUE(judge_answer(200, R"({"session":"S"})"));
    EXPECT_TRUE(judge_answer(204, ""));
    auto const kind = [](long status, std::string_view body) { return judge_answer(status, body).error().kind; };
    using enum ServerFailure::Kind;
    EXPECT_EQ(kind(200, ""), no_protocol);
    EXPECT_EQ(kind(200, "[]"), no_protocol);
    EXPECT_EQ(kind(301, "{}"), no_protocol);
    EXPECT_EQ(kind(404, "Not found"), no_protocol);
    EXPECT_EQ(kind(422, "{}"), no_protocol);
    EXPECT_EQ(kind(422, R"({"outcome":"card_expired","text":"x"})"), refused);
    EXPECT_EQ(judge_answer(422, R"({"outcome":"card_expired","text":"\u001b[2Jx"})").error().text, "")
        << "it would paint the terminal";
    EXPECT_EQ(judge_answer(403, R"({"outcome":"pin_wrong","tries_left":2})").error().tries_left, 2);
}

TEST(PinPad, A7_that_nobody_typed_on_in_time_asks_again_and_uses_no_try)
{
    Desk desk{virtual_card_of("bruno")};
    desk.has_keys = true;
    desk.silent = 2;
    auto const ending = desk.run();
    EXPECT_EQ(ending.exit, Exit::done) << ending.text;
    EXPECT_NE(desk.said.find("niets op tijd"), std::string::npos) << desk.said;
    EXPECT_EQ(std::ranges::count(desk.progress, "pin/cancelled"), 0) << "the page goes on waiting";
    EXPECT_EQ(std::ranges::count(desk.progress, "pin"), 3);
    EXPECT_EQ(desk.core.pin_tries(), 3);
}

TEST(PinPad, A7_that_nobody_sits_at_ends_and_says_so)
{
    for (auto const patient : {true, false}) {
        Desk desk{virtual_card_of("bruno")};
        desk.has_keys = true;
        desk.patient = patient;
        desk.silent = 9;
        auto const ending = desk.run();
        EXPECT_EQ(ending.outcome, "cancelled");
        EXPECT_NE(ending.text.find("niets op tijd"), std::string::npos) << ending.text;
        EXPECT_EQ(desk.silent, patient ? 6 : 8);
        EXPECT_FALSE(desk.sent.contains("/eid/read"));
        EXPECT_EQ(desk.core.pin_tries(), 3);
    }
}

TEST(PcscErrors, each_have_their_outcome)
{
    EXPECT_EQ(outcome_of_pcsc(0x8010001D), Outcome::reader_service_missing); // SCARD_E_NO_SERVICE
    EXPECT_EQ(outcome_of_pcsc(0x8010002E), Outcome::reader_missing);         // SCARD_E_NO_READERS_AVAILABLE
    EXPECT_EQ(outcome_of_pcsc(0x8010000C), Outcome::card_missing);           // SCARD_E_NO_SMARTCARD
    EXPECT_EQ(outcome_of_pcsc(0x80100069), Outcome::card_removed);           // SCARD_W_REMOVED_CARD
    EXPECT_EQ(outcome_of_pcsc(0x8010000B), Outcome::card_in_use);            // SCARD_E_SHARING_VIOLATION
    EXPECT_EQ(outcome_of_pcsc(0x80100066), Outcome::card_unresponsive);      // SCARD_W_UNRESPONSIVE_CARD
}

TEST(PinPad, is_told_where_the_PIN_goes)
{
    EXPECT_EQ(crypto::hex(pin_verify_structure(verify_template())),
              "1e1e894704"   // timeouts, format, block, length
              "0c0402010904" // 4 to 12 digits, OK key, one message, language
              "00000000"     // message, T=1 prologue
              "0d000000"     // 13 bytes
              "002000010820ffffffffffffff");
}

} // namespace
} // namespace symbolon::card_reader

#include "bank/banks.hpp"
#include "bank/check.hpp"
#include "bank/fake_bank_testing.hpp"
#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace symbolon::bank {
namespace {

using crypto::KeyType;
using crypto::SignatureAlgorithm;
using testing::FakeBank;
using ::testing::HasSubstr;
using ::testing::Not;

Keys make_keys()
{
    return {.signing = {{.key = {.key_id = "ours",
                                 .algorithm = SignatureAlgorithm::es256,
                                 .key = crypto::PrivateKey::generate(KeyType::ec_p256)},
                         .signs_from = {}}},
            .decryption = {{.key_id = "enc", .key = crypto::PrivateKey::generate(KeyType::rsa)},
                           {.key_id = "enc-ec", .key = crypto::PrivateKey::generate(KeyType::ec_p256)}}};
}

Registration registration(std::string const& id)
{
    return {.terms = {.id = id,
                      .name = id,
                      .acr = {"http://eidas.europa.eu/LoA/substantial", "http://eidas.europa.eu/LoA/high"}},
            .issuer = "https://" + id + ".example"};
}

template <class T>
std::string verdict(Result<T> const& result)
{
    return result ? "accepted" : std::string{name_of(result.error().outcome)};
}

class BankConnection : public ::testing::Test {
protected:
    ports::BankVisit visit(std::string const& bank = "kbc")
    {
        return {.bank = bank,
                .state = random_->token().reveal(),
                .nonce = random_->token().reveal(),
                .verifier = random_->token().reveal()};
    }

    std::string begin(ports::BankVisit const& visit) { return run_now(banks_.begin(visit, Language::nl)).value(); }

    Result<enrolment::BankAnswer> redeem(ports::BankVisit const& visit, ports::BankReturn const& back)
    {
        return run_now(banks_.redeem(visit, back));
    }

    /// A whole visit: what comes of it.
    Result<enrolment::BankAnswer> whole()
    {
        auto const one = visit();
        auto const url = run_now(banks_.begin(one, Language::nl));
        if (!url) return std::unexpected{url.error()};
        return redeem(one, kbc_.approve(*url));
    }

    std::string with_claims(std::function<void(json::Object&)> change)
    {
        kbc_.in_claims = std::move(change);
        return verdict(whole());
    }

    std::string with_claim(std::string_view name, json::Value const& value)
    {
        return with_claims([=](json::Object& claims) { claims[name] = value; });
    }

    std::string with_answer(std::function<void(Answer&)> change)
    {
        kbc_.in_answer = std::move(change);
        return verdict(whole());
    }

    testing::SetClock clock_;
    testing::KeptLog log_;
    std::unique_ptr<crypto::Random> random_ = crypto::system_random();
    Keys const& keys_ = [] -> Keys const& {
        static Keys const keys = make_keys();
        return keys;
    }();
    std::vector<crypto::VerificationKey> clients_{
        {.key_id = "ours", .algorithm = {}, .key = keys_.signing.front().key.key.public_key()}};
    FakeBank kbc_{"https://kbc.example", clients_, clock_, *random_};
    FakeBank cbc_{"https://cbc.example", clients_, clock_, *random_};
    testing::FakeNetwork network_;
    Banks banks_{{.banks = {registration("kbc"), registration("cbc")},
                  .redirect_uri = "https://phone.example/bank/return",
                  .keys = keys_},
                 {.fetcher = network_, .clock = clock_, .random = *random_, .log = log_}};

    BankConnection() { network_.banks = {&kbc_, &cbc_}; }
};

// ---- a visit
// ---------------------------------------------------------------------------------------------------------

TEST_F(BankConnection, B1_brings_what_the_bank_says_of_the_person)
{
    auto const answer = whole();
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->bank, "kbc");
    EXPECT_EQ(answer->subject, "person-1");
    EXPECT_EQ(answer->acr, "http://eidas.europa.eu/LoA/substantial");
    EXPECT_EQ(answer->family_name, "Janssens");
    EXPECT_EQ(answer->given_names, "Jan Pieter");
    EXPECT_EQ(answer->birth_date, "1985-07-30");
    EXPECT_EQ(answer->birth_place, "Brugge");
    EXPECT_EQ(answer->sex, account::Sex::male);
    EXPECT_EQ(answer->nationality, "Belg");
    EXPECT_EQ(answer->national_number, "85073000160");
    EXPECT_EQ(answer->address.street, "Dorpsstraat 1");
    EXPECT_EQ(answer->address.zip, "8000");
    EXPECT_EQ(answer->address.municipality, "Brugge");
    EXPECT_EQ(answer->phone_number, "+32470123456");
    EXPECT_EQ(answer->document_number, "592123456789");
    EXPECT_EQ(answer->document_valid_until, "2030-01-01");
    EXPECT_EQ(answer->card_read_on, "2026-03-01");
}

TEST_F(BankConnection, keeps_the_signed_token_and_its_key_as_evidence)
{
    auto const evidence = json::parse_object(whole().value().evidence).value();
    EXPECT_EQ(json::text(evidence, "issuer"), "https://kbc.example");
    auto const key = crypto::PublicKey::from_jwk(json::object(evidence, "signed_by").value()).value();
    std::vector<crypto::VerificationKey> const keys{{.key_id = {}, .algorithm = {}, .key = key}};
    EXPECT_TRUE(
        crypto::verify_jws(json::text(evidence, "id_token").value(), keys, std::array{SignatureAlgorithm::es256}));
}

TEST_F(BankConnection, pushes_the_request_and_shows_the_browser_no_more_than_its_name)
{
    auto const one = visit();
    auto const url = begin(one);
    EXPECT_TRUE(url.starts_with("https://kbc.example/auth?client_id=symbolon&request_uri=urn")) << url;
    EXPECT_THAT(url, Not(HasSubstr(one.state)));
    ASSERT_EQ(kbc_.pushed.size(), 1U);
    auto const& request = kbc_.pushed.front();
    EXPECT_EQ(request.value("redirect_uri"), "https://phone.example/bank/return");
    EXPECT_EQ(request.value("state"), one.state);
    EXPECT_EQ(request.value("nonce"), one.nonce);
    EXPECT_EQ(request.value("code_challenge_method"), "S256");
    EXPECT_EQ(request.value("code_challenge"), crypto::base64url(crypto::sha256(one.verifier)));
    EXPECT_EQ(request.value("ui_locales"), "nl");
    EXPECT_EQ(request.value("prompt"), "login");
    EXPECT_EQ(request.value("acr_values"), "http://eidas.europa.eu/LoA/substantial http://eidas.europa.eu/LoA/high");
    auto const claims = json::parse_object(request.value("claims")).value();
    auto const wanted = json::object(claims, "id_token").value();
    EXPECT_EQ(wanted.size(), claim_names.size() - 1);
    EXPECT_TRUE(json::boolean(json::object(wanted, "national_number").value(), "essential").value());
    EXPECT_TRUE(wanted.at("phone_number").is_null());
}

TEST_F(BankConnection, opens_encrypted_id_tokens)
{
    using crypto::ContentEncryption;
    using crypto::KeyManagement;
    for (auto const management : {KeyManagement::rsa_oaep_256, KeyManagement::ecdh_es, KeyManagement::ecdh_es_a256kw}) {
        for (auto const encryption : {ContentEncryption::a256gcm, ContentEncryption::a128cbc_hs256}) {
            auto const& ours = keys_.decryption.at(management == KeyManagement::rsa_oaep_256 ? 0 : 1);
            kbc_.encrypts_to = {ours.key_id, management, encryption, ours.key.public_key()};
            EXPECT_EQ(verdict(whole()), "accepted") << name_of(management) << name_of(encryption);
        }
    }
    kbc_.encrypts_to->key = crypto::PrivateKey::generate(KeyType::ec_p256).public_key();
    EXPECT_EQ(verdict(whole()), "bank_answer_invalid") << "to a key that is not ours";
}

TEST_F(BankConnection, takes_each_algorithm_that_a_bank_may_sign_with)
{
    for (auto const& [algorithm, type] :
         {std::pair{SignatureAlgorithm::es256, KeyType::ec_p256}, std::pair{SignatureAlgorithm::ps256, KeyType::rsa},
          std::pair{SignatureAlgorithm::rs256, KeyType::rsa}, std::pair{SignatureAlgorithm::eddsa, KeyType::ed25519}}) {
        kbc_.key = {.key_id = std::string{name_of(algorithm)},
                    .algorithm = algorithm,
                    .key = crypto::PrivateKey::generate(type)};
        kbc_.published = {kbc_.key};
        clock_.at += 1min;
        EXPECT_EQ(verdict(whole()), "accepted") << name_of(algorithm);
    }
}

TEST_F(BankConnection, reads_claims_by_the_names_that_a_bank_has_for_them)
{
    auto bank = registration("kbc");
    bank.claims = {{"national_number", "https://kbc.example/rrn"}, {"family_name", "surname"}};
    Banks banks{{.banks = {bank}, .redirect_uri = "https://phone.example/bank/return", .keys = keys_},
                {.fetcher = network_, .clock = clock_, .random = *random_, .log = log_}};
    kbc_.in_claims = [](json::Object& claims) {
        claims["https://kbc.example/rrn"] = "85.07.30-001.60";
        claims["national_number"] = "somebody's";
        claims["surname"] = "Peeters";
    };
    auto const one = visit();
    auto const answer = run_now(banks.redeem(one, kbc_.approve(run_now(banks.begin(one, Language::fr)).value())));
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->national_number, "85073000160");
    EXPECT_EQ(answer->family_name, "Peeters");
    auto const claims = json::parse_object(kbc_.pushed.back().value("claims")).value();
    EXPECT_TRUE(json::object(claims, "id_token")->contains("https://kbc.example/rrn"));
}

TEST_F(BankConnection, B3_leaves_empty_what_a_bank_does_not_say)
{
    kbc_.in_claims = [](json::Object& claims) {
        for (auto const* const name : {"phone_number", "national_number", "gender", "place_of_birth"})
            claims.erase(name);
        claims["address"] = nullptr;
        claims["acr"] = nullptr;
    };
    auto const answer = whole();
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->national_number, "");
    EXPECT_EQ(answer->phone_number, "");
    EXPECT_EQ(answer->acr, "");
    EXPECT_EQ(answer->sex, account::Sex::unknown);
    EXPECT_EQ(answer->address.street, "");
}

// ---- B4: cancelled, refused, down
// ------------------------------------------------------------------------------------

TEST_F(BankConnection, B4_tells_a_cancelled_visit_from_a_refused_one)
{
    auto const one = visit();
    auto const told = [&](std::string const& error) {
        return verdict(redeem(one, {.state = one.state, .code = {}, .error = error, .issuer = kbc_.issuer}));
    };
    EXPECT_EQ(told("access_denied"), "bank_cancelled");
    EXPECT_EQ(told("login_required"), "bank_refused");
    EXPECT_EQ(told("<script>"), "bank_refused");
    EXPECT_EQ(told("unmet_authentication_requirements"), "bank_assurance_too_low");
    EXPECT_EQ(told("temporarily_unavailable"), "bank_unreachable");
    EXPECT_THAT(log_.text, Not(HasSubstr("<script>")));
    EXPECT_FALSE(banks_.list().front().down_until) << "what a browser brings closes no bank to others";
    EXPECT_EQ(kbc_.asked["/token"], 0);
}

TEST_F(BankConnection, B4_that_does_not_answer_is_shown_as_down_and_asked_again_later)
{
    network_.refuses = 2;
    auto const refused = run_now(banks_.begin(visit(), Language::nl));
    ASSERT_EQ(verdict(refused), "bank_unreachable");
    EXPECT_EQ(refused.error().open_at, clock_.at + shortest_pause);
    EXPECT_EQ(banks_.list().at(0).down_until, clock_.at + shortest_pause);
    EXPECT_FALSE(banks_.list().at(1).down_until) << "another bank is not";
    EXPECT_EQ(verdict(run_now(banks_.begin(visit(), Language::nl))), "bank_unreachable");
    EXPECT_EQ(network_.sent, 0) << "nobody was asked meanwhile";
    clock_.at += shortest_pause;
    EXPECT_FALSE(banks_.list().at(0).down_until);
    EXPECT_EQ(verdict(whole()), "accepted");
}

TEST_F(BankConnection, B4_is_left_alone_for_longer_each_time_and_not_for_ever)
{
    Seconds longest{0};
    for (int i = 0; i < 10; ++i) {
        network_.refuses = 2;
        auto const until = run_now(banks_.begin(visit(), Language::nl)).error().open_at.value();
        EXPECT_GE(until - clock_.at, longest);
        longest = until - clock_.at;
        clock_.at = until;
    }
    EXPECT_EQ(longest, longest_pause);
    EXPECT_EQ(verdict(whole()), "accepted");
    clock_.at += answered_lately;
    network_.refuses = 2;
    EXPECT_EQ(run_now(banks_.begin(visit(), Language::nl)).error().open_at, clock_.at + shortest_pause)
        << "from the beginning, after it was up";
}

TEST_F(BankConnection, B4_that_has_just_answered_somebody_is_not_down_for_one_failure)
{
    auto const fails = [&] {
        network_.refuses = 2;
        return run_now(banks_.begin(visit(), Language::nl)).error().open_at.value();
    };
    ASSERT_EQ(verdict(whole()), "accepted");
    EXPECT_EQ(fails(), clock_.at);
    EXPECT_FALSE(banks_.list().front().down_until);
    EXPECT_EQ(verdict(whole()), "accepted");
    for (int i = 1; i < failures_in_a_row; ++i) EXPECT_EQ(fails(), clock_.at);
    EXPECT_EQ(fails(), clock_.at + shortest_pause) << "but for several in a row it is";
    EXPECT_EQ(banks_.list().front().down_until, clock_.at + shortest_pause);
}

TEST_F(BankConnection, asks_a_second_time_only_where_nothing_was_sent)
{
    auto const one = visit();
    auto const back = kbc_.approve(begin(one));
    network_.refuses = 1;
    EXPECT_EQ(verdict(redeem(one, back)), "accepted");

    auto const other = visit();
    auto const other_back = kbc_.approve(begin(other));
    auto const before = kbc_.asked["/token"];
    network_.breaks = 1;
    EXPECT_EQ(verdict(redeem(other, other_back)), "bank_unreachable");
    EXPECT_EQ(kbc_.asked["/token"], before + 1) << "a code is sent once";
}

TEST_F(BankConnection, that_does_not_know_us_is_down_for_people_and_named_to_the_operator)
{
    FakeBank strange{"https://kbc.example", {}, clock_, *random_};
    network_.banks = {&strange};
    EXPECT_EQ(verdict(whole()), "bank_unreachable");
    EXPECT_THAT(log_.text, HasSubstr("invalid_client"));
    EXPECT_THAT(log_.text, HasSubstr("bank=kbc"));
    EXPECT_THAT(log_.text, Not(HasSubstr("Janssens"))) << "what a bank describes is not repeated";
}

TEST_F(BankConnection, unknown_to_the_configuration_is_refused)
{
    EXPECT_EQ(verdict(run_now(banks_.begin(visit("ing"), Language::nl))), "bank_unknown");
    EXPECT_EQ(verdict(redeem(visit("ing"), {})), "bank_unknown");
}

// ---- hostile answers: the browser
// ------------------------------------------------------------------------------------

TEST_F(BankConnection, is_not_mixed_up_with_another_bank)
{
    // The attacker's bank hands the browser our redirect URI with the code of an honest one, or its own.
    auto const at_kbc = visit("kbc");
    auto const url = begin(at_kbc);
    auto back = kbc_.approve(url);
    for (auto const* const issuer :
         {"", "https://cbc.example", "https://kbc.example/", "https://KBC.example", "http://kbc.example"}) {
        auto wrong = back;
        wrong.issuer = issuer;
        EXPECT_EQ(verdict(redeem(at_kbc, wrong)), "bank_answer_invalid") << issuer;
    }
    EXPECT_EQ(kbc_.asked["/token"] + cbc_.asked["/token"], 0) << "the code went nowhere";
    EXPECT_EQ(verdict(redeem(at_kbc, back)), "accepted");

    auto const error_of_another =
        ports::BankReturn{.state = at_kbc.state, .code = {}, .error = "access_denied", .issuer = "https://cbc.example"};
    EXPECT_EQ(verdict(redeem(at_kbc, error_of_another)), "bank_answer_invalid");
}

TEST_F(BankConnection, code_is_good_once_for_its_visit_and_its_bank)
{
    auto const one = visit();
    auto const back = kbc_.approve(begin(one));
    auto const other = visit();
    auto const other_back = kbc_.approve(begin(other));

    // A code that was swapped: PKCE and nonce are those of another visit.
    auto swapped = back;
    swapped.state = other.state;
    EXPECT_EQ(verdict(redeem(other, swapped)), "bank_answer_invalid");
    EXPECT_EQ(verdict(redeem(other, back)), "bank_answer_invalid") << "state of another visit";
    EXPECT_EQ(verdict(redeem(other, other_back)), "accepted");
    EXPECT_EQ(verdict(redeem(other, other_back)), "bank_answer_invalid") << "replayed";

    auto const at_cbc = visit("cbc");
    auto from_kbc = kbc_.approve(begin(visit("kbc")));
    from_kbc.state = at_cbc.state;
    from_kbc.issuer = cbc_.issuer;
    EXPECT_EQ(verdict(redeem(at_cbc, from_kbc)), "bank_answer_invalid") << "another bank's code";
}

TEST_F(BankConnection, answer_without_a_code_or_with_two_meanings_is_refused)
{
    auto const one = visit();
    auto const back = kbc_.approve(begin(one));
    auto both = back;
    both.error = "access_denied";
    EXPECT_EQ(verdict(redeem(one, both)), "bank_answer_invalid");
    auto none = back;
    none.code = "";
    EXPECT_EQ(verdict(redeem(one, none)), "bank_answer_invalid");
    auto huge = back;
    huge.code = std::string(100'000, 'a');
    EXPECT_EQ(verdict(redeem(one, huge)), "bank_answer_invalid");
    ports::BankVisit const closed{.bank = "kbc", .state = "", .nonce = "", .verifier = ""};
    EXPECT_EQ(verdict(redeem(closed, {.state = "", .code = "c", .error = {}, .issuer = kbc_.issuer})),
              "bank_answer_invalid");
    EXPECT_EQ(kbc_.asked["/token"], 0);
}

// ---- hostile answers: the token
// --------------------------------------------------------------------------------------

TEST_F(BankConnection, token_that_is_not_for_us_and_this_visit_is_refused)
{
    constexpr auto refused = "bank_answer_invalid";
    EXPECT_EQ(with_claim("iss", "https://cbc.example"), refused);
    EXPECT_EQ(with_claim("iss", nullptr), refused);
    EXPECT_EQ(with_claim("aud", "another"), refused);
    EXPECT_EQ(with_claim("aud", json::Array{"symbolon", "another"}), refused) << "an audience that we do not trust";
    EXPECT_EQ(with_claim("aud", json::Array{}), refused);
    EXPECT_EQ(with_claim("aud", 7), refused);
    EXPECT_EQ(with_claim("aud", json::Array{"symbolon"}), "accepted");
    EXPECT_EQ(with_claim("azp", "another"), refused);
    EXPECT_EQ(with_claim("azp", "symbolon"), "accepted");
    EXPECT_EQ(with_claim("nonce", "another"), refused);
    EXPECT_EQ(with_claim("nonce", nullptr), refused);
    EXPECT_EQ(with_claims([](json::Object& claims) { claims.erase("nonce"); }), refused);
    EXPECT_EQ(with_claim("sub", ""), refused);
    EXPECT_EQ(with_claim("sub", 7), refused);
    EXPECT_EQ(with_claims([](json::Object& claims) { claims["sub"] = std::string(256, 's'); }), refused);
}

TEST_F(BankConnection, token_outside_its_time_is_refused)
{
    constexpr auto refused = "bank_answer_invalid";
    auto const at = [&](std::string_view name, Seconds from_now) {
        return with_claim(name, numeric_date(clock_.at + from_now));
    };
    EXPECT_EQ(at("exp", -clock_skew), refused);
    EXPECT_EQ(at("exp", 1s - clock_skew), "accepted");
    EXPECT_EQ(at("iat", clock_skew), "accepted");
    EXPECT_EQ(at("iat", clock_skew + 1s), refused);
    EXPECT_EQ(at("iat", -oldest_id_token), "accepted");
    EXPECT_EQ(at("iat", -oldest_id_token - 1s), refused);
    EXPECT_EQ(at("nbf", 0s), "accepted");
    EXPECT_EQ(at("nbf", clock_skew + 1s), refused);
    EXPECT_EQ(at("auth_time", -longest_since_login), "accepted");
    EXPECT_EQ(at("auth_time", -longest_since_login - 1s), refused) << "a login that stood open";
    EXPECT_EQ(at("auth_time", clock_skew + 1s), refused);
    EXPECT_EQ(with_claims([](json::Object& claims) { claims.erase("exp"); }), refused);
    EXPECT_EQ(with_claims([](json::Object& claims) { claims.erase("iat"); }), refused);
    EXPECT_EQ(with_claim("exp", "never"), refused);
    EXPECT_EQ(with_claim("exp", std::numeric_limits<std::int64_t>::min()), refused);
    EXPECT_EQ(with_claim("exp", std::numeric_limits<std::int64_t>::max()), "accepted");
}

TEST_F(BankConnection, token_that_the_bank_did_not_sign_is_refused)
{
    constexpr auto refused = "bank_answer_invalid";
    auto const part = [](std::string_view text) { return crypto::base64url(bytes_of(text)); };
    auto const with_token = [&](std::function<std::string(std::string)> change) {
        kbc_.in_token = std::move(change);
        return verdict(whole());
    };
    auto const payload_of = [](std::string const& token) {
        auto const first = token.find('.');
        return token.substr(first + 1, token.rfind('.') - first - 1);
    };
    EXPECT_EQ(with_token([&](auto const& token) { return part(R"({"alg":"none"})") + '.' + payload_of(token) + '.'; }),
              refused);
    EXPECT_EQ(
        with_token([&](auto const& token) { return part(R"({"alg":"HS256"})") + '.' + payload_of(token) + ".AAAA"; }),
        refused);
    EXPECT_EQ(with_token([&](auto token) {
                  token.back() = token.back() == 'A' ? 'Q' : 'A';
                  return token;
              }),
              refused);
    EXPECT_EQ(with_token([&](auto const& token) { return token.substr(0, token.size() / 2); }), refused);
    EXPECT_EQ(with_token([&](auto const&) { return std::string{}; }), refused);
    EXPECT_EQ(with_token([&](auto const&) { return std::string(40'000, 'a'); }), refused);
    EXPECT_EQ(with_token([&](auto const&) { return std::string{"...."}; }), refused);
    auto const stranger = crypto::SigningKey{.key_id = "first",
                                             .algorithm = SignatureAlgorithm::es256,
                                             .key = crypto::PrivateKey::generate(KeyType::ec_p256)};
    auto const signed_by = [&](crypto::SigningKey const& key, std::string_view type) {
        return [&, type](std::string const& token) {
            auto const payload = string_of(crypto::from_base64url(payload_of(token)).value());
            return crypto::sign_jws(key, payload, type);
        };
    };
    EXPECT_EQ(with_token(signed_by(stranger, "")), refused);
    EXPECT_EQ(with_token(signed_by(kbc_.key, "at+jwt")), refused) << "another kind of JWT";
    EXPECT_EQ(with_token(signed_by(kbc_.key, "JWT")), "accepted");
    EXPECT_EQ(with_token(signed_by(cbc_.key, "")), refused) << "another bank's key";
}

TEST_F(BankConnection, token_with_a_member_twice_is_refused)
{
    kbc_.in_token = [&](std::string const& token) {
        auto payload = string_of(
            crypto::from_base64url(token.substr(token.find('.') + 1, token.rfind('.') - token.find('.') - 1)).value());
        payload.insert(1, R"("national_number":"03061500171",)");
        return crypto::sign_jws(kbc_.key, payload);
    };
    EXPECT_EQ(verdict(whole()), "bank_answer_invalid");
}

TEST_F(BankConnection, claims_of_another_type_are_refused)
{
    constexpr auto refused = "bank_answer_invalid";
    EXPECT_EQ(with_claim("family_name", 7), refused);
    EXPECT_EQ(with_claim("national_number", 85073000160), refused) << "a number loses its first zero";
    EXPECT_EQ(with_claim("given_name", json::Array{"Jan"}), refused);
    EXPECT_EQ(with_claim("address", "Dorpsstraat 1"), refused);
    EXPECT_EQ(with_claim("address", json::Object{{"street_address", 1}}), refused);
    EXPECT_EQ(with_claim("card_read_on", true), refused);
}

TEST_F(BankConnection, answer_that_is_no_json_is_refused)
{
    constexpr auto refused = "bank_answer_invalid";
    EXPECT_EQ(with_answer([](Answer& it) { it.content_type = "text/html"; }), refused);
    EXPECT_EQ(with_answer([](Answer& it) { it.content_type = ""; }), refused);
    EXPECT_EQ(with_answer([](Answer& it) { it.body = "<html>"; }), refused);
    EXPECT_EQ(with_answer([](Answer& it) { it.body = "[]"; }), refused);
    EXPECT_EQ(with_answer([](Answer& it) { it.body = ""; }), refused);
    EXPECT_EQ(with_answer([](Answer& it) { it.body = "{}"; }), refused);
    EXPECT_EQ(with_answer([](Answer& it) { it.body.insert(1, R"("id_token":"a.b.c",)"); }), refused) << "twice";
    EXPECT_EQ(with_answer([](Answer& it) { it.body = std::string(60'000, '['); }), refused);
    EXPECT_EQ(with_answer([](Answer& it) { it.status = 302; }), "bank_unreachable") << "nobody is followed elsewhere";
    EXPECT_EQ(with_answer([](Answer& it) { it.status = 500; }), "bank_unreachable");
    EXPECT_EQ(with_answer([](Answer& it) { it.content_type = "Application/JSON"; }), "accepted");
}

TEST_F(BankConnection, answer_without_an_end_is_as_invalid_as_any_other_nonsense)
{
    EXPECT_EQ(with_answer([](Answer& it) { it.body.append(max_answer_bytes, ' '); }), "bank_answer_invalid");
    EXPECT_EQ(with_answer([](Answer& it) { it.body.append(max_answer_bytes - it.body.size(), ' '); }), "accepted");
    EXPECT_FALSE(banks_.list().front().down_until) << "the bank is not down: others go on";
}

TEST_F(BankConnection, is_down_for_a_while_where_what_it_publishes_has_no_end)
{
    kbc_.everywhere = [](Answer& it) { it.body.append(max_answer_bytes, ' '); };
    EXPECT_EQ(verdict(whole()), "bank_unreachable");
    EXPECT_TRUE(banks_.list().front().down_until);
}

TEST_F(BankConnection, H3_is_signed_for_with_a_new_key_once_it_was_published_for_its_time)
{
    auto const next = crypto::PrivateKey::generate(KeyType::ec_p256);
    auto const begin_at = clock_.at;
    auto keys = keys_;
    keys.signing.front().signs_until = begin_at + 1h;
    keys.signing.front().published_until = begin_at + 3h;
    keys.signing.push_back(
        {.key = {.key_id = "next", .algorithm = SignatureAlgorithm::es256, .key = next}, .signs_from = begin_at + 1h});
    // A bank that knows the old key alone, as one that has not fetched the set again, and one that knows both.
    auto both = clients_;
    both.push_back({.key_id = "next", .algorithm = {}, .key = next.public_key()});
    FakeBank slow{"https://kbc.example", clients_, clock_, *random_};
    FakeBank quick{"https://cbc.example", both, clock_, *random_};
    testing::FakeNetwork network;
    network.banks = {&slow, &quick};
    Banks banks{{.banks = {registration("kbc"), registration("cbc")},
                 .redirect_uri = "https://phone.example/bank/return",
                 .keys = keys},
                {.fetcher = network, .clock = clock_, .random = *random_, .log = log_}};
    auto const through = [&](FakeBank& bank, std::string const& name) {
        auto const one = visit(name);
        auto const url = run_now(banks.begin(one, Language::nl));
        return url ? verdict(run_now(banks.redeem(one, bank.approve(*url)))) : verdict(url);
    };
    auto const published = [&] {
        std::vector<std::string> names;
        auto const set = json::parse_object(banks.public_keys()).value();
        for (auto const& key : json::array(set, "keys").value())
            if (json::text(key.as_object(), "use") == "sig")
                names.push_back(json::text(key.as_object(), "kid").value());
        return names;
    };
    EXPECT_EQ(published(), (std::vector<std::string>{"ours", "next"})) << "both, before the new one signs";
    EXPECT_EQ(through(slow, "kbc"), "accepted");

    clock_.at = begin_at + 1h - 1s;
    EXPECT_EQ(through(slow, "kbc"), "accepted") << "the old one until the last second";
    clock_.at = begin_at + 1h;
    EXPECT_EQ(through(quick, "cbc"), "accepted") << "without a restart";
    EXPECT_NE(through(slow, "kbc"), "accepted") << "now it is the new one that signs";
    EXPECT_EQ(published(), (std::vector<std::string>{"next", "ours"})) << "the old one is told of for a while";
    clock_.at = begin_at + 3h;
    EXPECT_EQ(published(), std::vector<std::string>{"next"});
}

TEST_F(BankConnection, writes_nothing_of_the_person_into_the_log)
{
    auto const one = visit();
    auto const back = kbc_.approve(begin(one));
    kbc_.in_claims = [](json::Object& claims) { claims["family_name"] = 7; };
    EXPECT_EQ(verdict(redeem(one, back)), "bank_answer_invalid");
    EXPECT_EQ(with_claim("aud", "Janssens"), "bank_answer_invalid");
    EXPECT_EQ(with_answer([](Answer& it) { it.body = "Janssens 85073000160"; }), "bank_answer_invalid");
    EXPECT_THAT(log_.text, HasSubstr("bank_redeem"));
    for (auto const& secret : {std::string{"Janssens"}, std::string{"8507"}, std::string{"person-1"}, one.state,
                               one.nonce, one.verifier, back.code})
        EXPECT_THAT(log_.text, Not(HasSubstr(secret)));
}

// ---- discovery and keys
// ----------------------------------------------------------------------------------------------

TEST_F(BankConnection, metadata_of_another_issuer_or_with_strange_endpoints_are_not_used)
{
    auto const with_metadata = [&](std::string_view name, json::Value const& value) {
        clock_.at += 1h;
        kbc_.in_metadata = [=](json::Object& metadata) { metadata[name] = value; };
        return verdict(run_now(banks_.begin(visit(), Language::nl)));
    };
    constexpr auto refused = "bank_unreachable";
    EXPECT_EQ(with_metadata("issuer", "https://cbc.example"), refused);
    EXPECT_EQ(with_metadata("issuer", "https://kbc.example/"), refused);
    EXPECT_EQ(with_metadata("issuer", nullptr), refused);
    EXPECT_EQ(with_metadata("token_endpoint", "http://kbc.example/token"), refused);
    EXPECT_EQ(with_metadata("token_endpoint", "http://127.0.0.1/token"), refused);
    EXPECT_EQ(with_metadata("token_endpoint", "https://us@kbc.example/token"), refused);
    EXPECT_EQ(with_metadata("jwks_uri", "file:///etc/passwd"), refused);
    EXPECT_EQ(with_metadata("authorization_endpoint", "javascript:alert(1)"), refused);
    EXPECT_EQ(with_metadata("pushed_authorization_request_endpoint", nullptr), refused);
    EXPECT_EQ(with_metadata("unknown", 1), "accepted");
}

TEST_F(BankConnection, asks_for_metadata_and_keys_once_an_hour)
{
    for (int i = 0; i < 3; ++i) ASSERT_EQ(verdict(whole()), "accepted");
    EXPECT_EQ(kbc_.asked["/.well-known/openid-configuration"], 1);
    EXPECT_EQ(kbc_.asked["/jwks"], 1);
    clock_.at += 1h;
    ASSERT_EQ(verdict(whole()), "accepted");
    EXPECT_EQ(kbc_.asked["/.well-known/openid-configuration"], 2);
    EXPECT_EQ(kbc_.asked["/jwks"], 2);
}

TEST_F(BankConnection, takes_a_new_key_of_the_bank_at_once_and_asks_no_more_often_than_needed)
{
    ASSERT_EQ(verdict(whole()), "accepted");
    kbc_.key = {.key_id = "second",
                .algorithm = SignatureAlgorithm::es256,
                .key = crypto::PrivateKey::generate(KeyType::ec_p256)};
    EXPECT_EQ(verdict(whole()), "bank_answer_invalid") << "a key that it does not publish";
    EXPECT_EQ(kbc_.asked["/jwks"], 2);
    EXPECT_EQ(verdict(whole()), "bank_answer_invalid");
    EXPECT_EQ(kbc_.asked["/jwks"], 2) << "not again at once";
    kbc_.published = {kbc_.key};
    clock_.at += keys_asked_again_after;
    EXPECT_EQ(verdict(whole()), "accepted");
    EXPECT_EQ(kbc_.asked["/jwks"], 3);
}

TEST_F(BankConnection, that_changed_its_key_a_moment_ago_is_believed)
{
    ASSERT_EQ(verdict(whole()), "accepted");
    kbc_.key = {.key_id = "second",
                .algorithm = SignatureAlgorithm::es256,
                .key = crypto::PrivateKey::generate(KeyType::ec_p256)};
    kbc_.published = {kbc_.key};
    EXPECT_EQ(verdict(whole()), "accepted");

    clock_.at += keys_asked_again_after;
    kbc_.key = {
        .key_id = {}, .algorithm = SignatureAlgorithm::es256, .key = crypto::PrivateKey::generate(KeyType::ec_p256)};
    kbc_.published = {kbc_.key};
    EXPECT_EQ(verdict(whole()), "accepted") << "a key without a name";
}

TEST_F(BankConnection, whose_servers_answer_with_something_else_is_down)
{
    for (auto const& change : std::vector<std::function<void(Answer&)>>{
             [](Answer& it) { it.content_type = "text/html"; }, [](Answer& it) { it.body = "{"; },
             [](Answer& it) { it.status = 404; }, [](Answer& it) { it.status = 503; },
             [](Answer& it) { it.body = std::string(60'000, ' '); }}) {
        kbc_.everywhere = change;
        EXPECT_EQ(verdict(run_now(banks_.begin(visit(), Language::nl))), "bank_unreachable");
        clock_.at += longest_pause;
    }
}

class BankCheck : public BankConnection {
protected:
    /// What is wrong, a line each; "right" where nothing is.
    std::string wrong()
    {
        Settings const settings{.banks = {}, .redirect_uri = "https://phone.example/bank/return", .keys = keys_};
        auto const findings =
            run_now(check_connection(registration("kbc"), settings,
                                     {.fetcher = network_, .clock = clock_, .random = *random_, .log = log_}))
                .value();
        EXPECT_FALSE(findings.empty());
        std::string lines;
        for (auto const& finding : findings)
            if (!finding.wrong.empty()) lines += finding.what + ": " + finding.wrong + '\n';
        return lines.empty() ? "right" : lines;
    }
};

TEST_F(BankCheck, finds_nothing_wrong_where_nothing_is)
{
    EXPECT_EQ(wrong(), "right");
    EXPECT_EQ(kbc_.pushed.size(), 1U);
}

TEST_F(BankCheck, names_each_thing_that_is_wrong)
{
    kbc_.in_metadata = [](json::Object& metadata) {
        metadata["token_endpoint_auth_methods_supported"] = json::Array{"client_secret_basic"};
        metadata["id_token_encryption_alg_values_supported"] = json::Array{"RSA1_5"};
        metadata.erase("authorization_response_iss_parameter_supported");
        metadata.erase("code_challenge_methods_supported");
    };
    auto const lines = wrong();
    EXPECT_THAT(lines, HasSubstr("token_endpoint_auth_methods_supported: has none of private_key_jwt\n"));
    EXPECT_THAT(lines, HasSubstr("id_token_encryption_alg_values_supported: has none of RSA-OAEP-256"));
    EXPECT_THAT(lines, HasSubstr("authorization_response_iss_parameter_supported: is not true"));
    EXPECT_THAT(lines, HasSubstr("code_challenge_methods_supported: has none of S256"));
    EXPECT_EQ(std::ranges::count(lines, '\n'), 4);
}

TEST_F(BankCheck, goes_as_far_as_it_can)
{
    kbc_.in_metadata = [](json::Object& metadata) { metadata["issuer"] = "https://other.example"; };
    EXPECT_EQ(wrong(), "metadata: issuer: it says \"https://other.example\", and the configuration "
                       "\"https://kbc.example\"\n");
    kbc_.in_metadata = [](json::Object& metadata) { metadata["token_endpoint"] = "http://kbc.example/token"; };
    EXPECT_THAT(wrong(), HasSubstr("token_endpoint: \"http://kbc.example/token\" is no https URL"));
    EXPECT_TRUE(kbc_.pushed.empty());
    kbc_.everywhere = [](Answer& answer) { answer.content_type = "text/html"; };
    EXPECT_THAT(wrong(), HasSubstr("Content-Type is \"text/html\", not JSON"));
    network_.refuses = 1;
    EXPECT_THAT(wrong(), HasSubstr("no answer: refused"));
}

TEST_F(BankCheck, tells_what_a_bank_says_against_our_key_and_its_own_keys)
{
    kbc_.published.clear();
    EXPECT_THAT(wrong(), HasSubstr("keys: 0 to verify signatures with: none that we can use"));
    FakeBank strange{"https://kbc.example", {}, clock_, *random_};
    network_.banks = {&strange};
    EXPECT_THAT(wrong(), HasSubstr("pushed request: status 400, invalid_client"));
}

TEST(BankEndpoints, are_https_or_on_this_machine_where_the_issuer_is)
{
    EXPECT_EQ(metadata_url("https://bank.example"), "https://bank.example/.well-known/openid-configuration");
    EXPECT_EQ(metadata_url("http://localhost:8404/kbc"), "http://localhost:8404/kbc/.well-known/openid-configuration");
    EXPECT_EQ(metadata_url("https://bank.example/a/"), "https://bank.example/a/.well-known/openid-configuration");
    EXPECT_TRUE(is_endpoint("https://login.bank.example/token", "https://bank.example"));
    EXPECT_TRUE(is_endpoint("http://localhost:8404/token", "http://localhost:8404/kbc"));
    EXPECT_FALSE(is_endpoint("http://bank.example/token", "http://localhost:8404/kbc"));
    EXPECT_FALSE(is_endpoint("http://localhost:8404/token", "https://bank.example"));
    EXPECT_FALSE(is_endpoint("https://bank.example/token#fragment", "https://bank.example"));
    EXPECT_FALSE(is_endpoint("https:///token", "https://bank.example"));
    EXPECT_FALSE(is_endpoint("/token", "https://bank.example"));
}

TEST(BankKeys, are_shown_without_their_private_halves)
{
    auto const keys = make_keys();
    auto const set = json::parse_object(public_jwk_set(keys, Instant{})).value();
    auto const members = json::array(set, "keys").value();
    ASSERT_EQ(members.size(), 3U);
    for (auto const& member : members) {
        auto const& jwk = member.as_object();
        for (auto const* const name : {"d", "p", "q", "dp", "dq", "qi"}) EXPECT_FALSE(jwk.contains(name));
        EXPECT_FALSE(json::text(jwk, "kid").value().empty());
    }
    EXPECT_EQ(json::text(members[0].as_object(), "use"), "sig");
    EXPECT_EQ(json::text(members[1].as_object(), "use"), "enc");
    EXPECT_EQ(json::text(members[1].as_object(), "alg"), "RSA-OAEP-256");
}

} // namespace
} // namespace symbolon::bank

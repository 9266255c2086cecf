#include "card/reading_testing.hpp"
#include "card/web_eid.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <stdexcept>

namespace symbolon::card {
namespace {

namespace vc = virtual_card;
using namespace std::chrono_literals;

constexpr auto noon = Instant{Seconds{1'772'366'400}}; // 2026-03-01 12:00 UTC
std::string const source_dir = SYMBOLON_SOURCE_DIR;
std::string const nonce_text = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="; // 32 bytes
WebEidQuestion const question{.origin = "https://id.example", .nonce = nonce_text};

/// A PKI, its cards, and a server that judges tokens.
struct Bench {
    vc::Pki pki =
        vc::make_pki({.base_url = "http://127.0.0.1:8406", .now = noon, .rsa_keys = source_dir + "/data/virtual_pki"});
    std::vector<vc::Persona> personas = vc::load_personas(source_dir + "/data/personas.toml").value();
    Anchors anchors = anchors_of(pki);
    VirtualFetcher fetcher{pki, noon};
    CrlCache lists;
    KnownIssuers issuers;

    vc::Card card(std::string_view name)
    {
        auto issued = vc::issue(vc::persona_named(personas, name).value(), pki, source_dir + "/data/photos", noon);
        if (!issued) throw std::runtime_error{issued.error().detail};
        return std::move(*issued);
    }
    json::Object token(std::string_view name, WebEidQuestion const& asked = question)
    {
        return json::parse_object(web_eid_token(card(name), asked)).value();
    }
    Certificate issuer_of(std::string_view name)
    {
        return Certificate::parse(card(name).files.at(vc::files::ca_certificate)).value();
    }
    Result<WebEidEvidence> judge(std::string token, Instant now = noon, WebEidQuestion const& asked = question)
    {
        return run_now(judge_web_eid(std::move(token), asked, {anchors, fetcher, lists}, issuers, {}, now));
    }
    /// How a token is refused, or "accepted".
    std::string verdict(std::string token, Instant now = noon, WebEidQuestion const& asked = question)
    {
        auto const result = judge(std::move(token), now, asked);
        return result ? "accepted" : std::string{name_of(result.error().outcome)};
    }
    std::string verdict(json::Object const& token, Instant now = noon, WebEidQuestion const& asked = question)
    {
        return verdict(json::write(token), now, asked);
    }
};

Bench& bench()
{
    static Bench one;
    return one;
}

Bytes signature_of(json::Object const& token)
{
    return crypto::from_base64(std::string{token.at("signature").as_string()}).value();
}

/// The card's answer made with another algorithm than the extension would take.
json::Object signed_by(vc::Card const& card, std::string const& name, WebEidAlgorithm algorithm, EVP_MD const* kind,
                       int padding)
{
    auto token = json::parse_object(web_eid_token(card, question)).value();
    vc::KeyContext const context{EVP_PKEY_CTX_new(card.authentication_key.get(), nullptr)};
    EXPECT_EQ(EVP_PKEY_sign_init(context.get()), 1);
    if (padding != 0) EXPECT_EQ(EVP_PKEY_CTX_set_rsa_padding(context.get(), padding), 1);
    if (padding == RSA_PKCS1_PSS_PADDING)
        EXPECT_EQ(EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), RSA_PSS_SALTLEN_DIGEST), 1);
    EXPECT_EQ(EVP_PKEY_CTX_set_signature_md(context.get(), kind), 1);
    auto const digest = web_eid_digest(question, algorithm);
    std::size_t size = 512;
    Bytes signature(size);
    EXPECT_EQ(EVP_PKEY_sign(context.get(), signature.data(), &size, digest.data(), digest.size()), 1);
    signature.resize(size);
    if (padding == 0) signature = crypto::ecdsa_raw_from_der(signature, 48).value();
    token["algorithm"] = name;
    token["signature"] = crypto::base64(signature);
    return token;
}

// ---- honest tokens --------------------------------------------------------------------------------------------------

TEST(WebEid, tells_the_national_number_of_a_1_8_card)
{
    auto const evidence = bench().judge(json::write(bench().token("lotte")));
    ASSERT_TRUE(evidence) << name_of(evidence.error().outcome) << ": " << evidence.error().detail;
    EXPECT_EQ(evidence->national_number().text(),
              vc::national_number(*vc::persona_named(bench().personas, "lotte"), noon));
    EXPECT_EQ(evidence->authentication().key_type(), KeyType::p384);
    ASSERT_EQ(evidence->revocation().size(), 2U);
    EXPECT_EQ(evidence->revocation()[0].kind, RevocationAnswer::Kind::ocsp);
    EXPECT_EQ(evidence->revocation()[1].kind, RevocationAnswer::Kind::crl);
    EXPECT_EQ(evidence->question().nonce, nonce_text);
    EXPECT_EQ(evidence->judged_at(), noon);
}

TEST(WebEid, tells_the_national_number_of_a_1_7_card)
{
    auto const evidence = bench().judge(json::write(bench().token("bruno")));
    ASSERT_TRUE(evidence) << name_of(evidence.error().outcome) << ": " << evidence.error().detail;
    EXPECT_EQ(evidence->national_number().text(),
              vc::national_number(*vc::persona_named(bench().personas, "bruno"), noon));
    EXPECT_EQ(evidence->authentication().key_type(), KeyType::rsa_2048);
}

TEST(WebEid, takes_every_algorithm_of_a_RSA_key)
{
    auto const card = bench().card("bruno");
    struct Case {
        char const* name;
        WebEidAlgorithm algorithm;
        EVP_MD const* kind;
        int padding;
    };
    for (auto const& [name, algorithm, kind, padding] : {
             Case{"RS256", {WebEidScheme::rsa_pkcs1, 256}, EVP_sha256(), RSA_PKCS1_PADDING},
             Case{"RS384", {WebEidScheme::rsa_pkcs1, 384}, EVP_sha384(), RSA_PKCS1_PADDING},
             Case{"RS512", {WebEidScheme::rsa_pkcs1, 512}, EVP_sha512(), RSA_PKCS1_PADDING},
             Case{"PS256", {WebEidScheme::rsa_pss, 256}, EVP_sha256(), RSA_PKCS1_PSS_PADDING},
             Case{"PS384", {WebEidScheme::rsa_pss, 384}, EVP_sha384(), RSA_PKCS1_PSS_PADDING},
             Case{"PS512", {WebEidScheme::rsa_pss, 512}, EVP_sha512(), RSA_PKCS1_PSS_PADDING},
         }) {
        auto token = signed_by(card, name, algorithm, kind, padding);
        EXPECT_EQ(bench().verdict(token), "accepted") << name;
        // The other padding with the same hash is another algorithm.
        token["algorithm"] = std::string{name[0] == 'R' ? "PS" : "RS"} + (name + 2);
        EXPECT_EQ(bench().verdict(token), "web_eid_signature_invalid") << name;
    }
}

TEST(WebEid, takes_later_minor_versions_with_members_that_it_does_not_know)
{
    auto token = bench().token("lotte");
    token["format"] = "web-eid:1.1";
    token["unverifiedSigningCertificates"] = json::Array{json::Object{{"certificate", "AAAA"}}};
    EXPECT_EQ(bench().verdict(token), "accepted");
    token["format"] = "web-eid:1";
    EXPECT_EQ(bench().verdict(token), "accepted");
}

TEST(WebEid, fetches_a_CA_once)
{
    Bench own;
    auto const token = json::write(own.token("lotte"));
    EXPECT_EQ(own.verdict(token), "accepted");
    EXPECT_EQ(own.verdict(token), "accepted");
    EXPECT_EQ(own.fetcher.certificates, 1);
}

TEST(WebEid, asks_nobody_for_a_CA_that_is_known_from_a_card_that_was_read)
{
    Bench own;
    own.issuers.keep(own.issuer_of("lotte"));
    EXPECT_EQ(own.verdict(own.token("lotte")), "accepted");
    EXPECT_EQ(own.fetcher.certificates, 0);
}

// Tokens that the application of Web eID made with two test cards of the Belgian government, 1.8 and re-keyed 1.7
// (data/web_eid/belgian_test_cards.json; they are vectors of the project's own validators).
TEST(WebEid, verifies_what_the_real_application_signed_with_Belgian_test_cards)
{
    std::ifstream file{source_dir + "/data/web_eid/belgian_test_cards.json"};
    auto const vectors = json::parse_object(std::string{std::istreambuf_iterator<char>{file}, {}}).value();
    for (auto const& each : vectors.at("tokens").as_array()) {
        auto const token = parse_web_eid_token(json::write(each.at("token").as_object())).value();
        auto const leaf = Certificate::parse(token.certificate).value();
        WebEidQuestion asked{.origin = std::string{vectors.at("origin").as_string()},
                             .nonce = std::string{each.at("nonce").as_string()}};
        EXPECT_TRUE(check_web_eid_signature(token, leaf, asked));
        EXPECT_TRUE(leaf.key_usage_is_exactly(KU_DIGITAL_SIGNATURE));
        EXPECT_TRUE(enrolment::NationalNumber::parse(leaf.serial_number_attribute().value()));
        EXPECT_TRUE(leaf.ca_issuer_urls().front().ends_with("/rootcaEC.crt")) << "the root, not its issuer";
        asked.nonce.front() = 'A';
        EXPECT_FALSE(check_web_eid_signature(token, leaf, asked));
    }
}

// As on the Belgian test cards: caIssuers names their root.
TEST(WebEid, takes_a_root_that_stands_at_caIssuers_for_no_issuer_and_blames_no_card)
{
    Bench own;
    own.fetcher.publishes_roots = true;
    EXPECT_EQ(own.verdict(own.token("lotte")), "web_eid_issuer_unknown");
    own.issuers.keep(own.issuer_of("lotte"));
    EXPECT_EQ(own.verdict(own.token("lotte")), "accepted");
}

TEST(WebEid, believes_nothing_of_a_known_CA_that_no_pinned_root_has_issued)
{
    Bench own;
    own.issuers.keep(own.issuer_of("lotte"));
    own.anchors.roots.clear();
    EXPECT_EQ(own.verdict(own.token("lotte")), "certificate_root_unknown");
}

// ---- what is no token -----------------------------------------------------------------------------------------------

TEST(WebEid, refuses_what_is_no_token_for_the_first_reason_that_holds)
{
    using Change = std::function<void(json::Object&)>;
    struct Case {
        char const* what;
        Change change;
        char const* outcome;
    };
    auto const set = [](char const* name, std::string const& value) -> Change {
        return [=](json::Object& token) { token[name] = value; };
    };
    auto const drop = [](char const* name) -> Change { return [=](json::Object& token) { token.erase(name); }; };
    auto const signature = crypto::base64(signature_of(bench().token("lotte")));
    auto const der = crypto::base64(crypto::ecdsa_der_from_raw(signature_of(bench().token("lotte")), 48).value());
    auto const longer = [&] {
        auto bytes = signature_of(bench().token("lotte"));
        bytes.insert(bytes.begin(), Byte{0});
        return crypto::base64(bytes);
    }();
    for (auto const& [what, change, outcome] : {
             Case{"no certificate", drop("unverifiedCertificate"), "web_eid_token_malformed"},
             Case{"no algorithm", drop("algorithm"), "web_eid_token_malformed"},
             Case{"no signature", drop("signature"), "web_eid_token_malformed"},
             Case{"no format", drop("format"), "web_eid_token_malformed"},
             Case{"a number as algorithm", [](json::Object& token) { token["algorithm"] = 384; },
                  "web_eid_token_malformed"},
             Case{"too long", set("appVersion", std::string(10'000, 'x')), "web_eid_token_malformed"},
             Case{"no base64", set("unverifiedCertificate", "MII*"), "web_eid_token_malformed"},
             Case{"base64url", set("signature", std::string(126, 'A') + "-_"), "web_eid_token_malformed"},
             Case{"an empty signature", set("signature", ""), "web_eid_token_malformed"},
             Case{"white space in base64", set("signature", signature.substr(0, 64) + "\n" + signature.substr(64)),
                  "web_eid_token_malformed"},
             Case{"without padding", set("signature", crypto::base64(Bytes(94, 1)).substr(0, 126)),
                  "web_eid_token_malformed"},
             Case{"version 0.9", set("format", "web-eid:0.9"), "web_eid_format_unsupported"},
             Case{"version 2", set("format", "web-eid:2.0"), "web_eid_format_unsupported"},
             Case{"version 10", set("format", "web-eid:10"), "web_eid_format_unsupported"},
             Case{"a point without a minor version", set("format", "web-eid:1."), "web_eid_format_unsupported"},
             Case{"a format goes before an algorithm",
                  [](json::Object& token) { token["format"] = "x", token["algorithm"] = "none"; },
                  "web_eid_format_unsupported"},
             Case{"none", set("algorithm", "none"), "web_eid_algorithm_unsupported"},
             Case{"HS256", set("algorithm", "HS256"), "web_eid_algorithm_unsupported"},
             Case{"small letters", set("algorithm", "es384"), "web_eid_algorithm_unsupported"},
             Case{"ES256 of P-384", set("algorithm", "ES256"), "web_eid_algorithm_mismatch"},
             Case{"ES512 of P-384", set("algorithm", "ES512"), "web_eid_algorithm_mismatch"},
             Case{"RS256 of P-384", set("algorithm", "RS256"), "web_eid_algorithm_mismatch"},
             Case{"PS384 of P-384", set("algorithm", "PS384"), "web_eid_algorithm_mismatch"},
             Case{"no certificate in it", set("unverifiedCertificate", "AAAA"), "certificate_malformed"},
             Case{"DER", set("signature", der), "web_eid_signature_malformed"},
             Case{"a byte too long", set("signature", longer), "web_eid_signature_malformed"},
             Case{"r and s of P-256", set("signature", crypto::base64(Bytes(64, 1))), "web_eid_signature_malformed"},
             Case{"zeros", set("signature", crypto::base64(Bytes(96, 0))), "web_eid_signature_invalid"},
             Case{"ones", set("signature", crypto::base64(Bytes(96, 0xFF))), "web_eid_signature_invalid"},
         }) {
        auto token = bench().token("lotte");
        change(token);
        EXPECT_EQ(bench().verdict(token), outcome) << what;
    }
    EXPECT_EQ(bench().verdict(std::string{R"({"format":"web-eid:1.0"})"}), "web_eid_token_malformed") << "too short";
    EXPECT_EQ(bench().verdict(std::string(200, '[')), "web_eid_token_malformed");
    EXPECT_EQ(bench().verdict('[' + json::write(bench().token("lotte")) + ']'), "web_eid_token_malformed");
    auto const twice = json::write(bench().token("lotte"));
    EXPECT_EQ(bench().verdict(twice.substr(0, twice.size() - 1) + R"(,"algorithm":"ES384"})"),
              "web_eid_token_malformed");
}

TEST(WebEid, refuses_the_algorithm_and_the_length_of_another_key_for_RSA)
{
    auto token = bench().token("bruno");
    token["algorithm"] = "ES384";
    EXPECT_EQ(bench().verdict(token), "web_eid_algorithm_mismatch");
    token = bench().token("bruno");
    token["signature"] = crypto::base64(Bytes(255, 1));
    EXPECT_EQ(bench().verdict(token), "web_eid_signature_malformed");
}

// ---- whose answer to which question ---------------------------------------------------------------------------------

TEST(WebEid, refuses_the_answer_to_another_question)
{
    auto other = question;
    other.origin = "https://id.example.evil";
    EXPECT_EQ(bench().verdict(bench().token("lotte", other)), "web_eid_signature_invalid") << "another site's";
    other.origin = question.origin + "/";
    EXPECT_EQ(bench().verdict(bench().token("lotte", other)), "web_eid_signature_invalid") << "not the origin's text";
    other = question;
    other.nonce = crypto::base64(Bytes(32, 7));
    EXPECT_EQ(bench().verdict(bench().token("lotte", other)), "web_eid_signature_invalid") << "another nonce";
    EXPECT_EQ(bench().verdict(bench().token("bruno", other)), "web_eid_signature_invalid") << "RSA";
    other.nonce = string_of(crypto::from_base64(nonce_text).value());
    EXPECT_EQ(bench().verdict(bench().token("lotte", other)), "web_eid_signature_invalid") << "the nonce decoded";
}

TEST(WebEid, refuses_the_certificate_of_somebody_else)
{
    auto token = bench().token("lotte");
    token["unverifiedCertificate"] = bench().token("amelie")["unverifiedCertificate"];
    EXPECT_EQ(bench().verdict(token), "web_eid_signature_invalid");
}

TEST(WebEid, refuses_the_signature_certificate_of_the_same_card)
{
    auto card = bench().card("lotte");
    card.authentication_key = card.signature_key;
    card.files[vc::files::authentication_certificate] = card.files.at(vc::files::signature_certificate);
    EXPECT_EQ(bench().verdict(web_eid_token(card, question)), "certificate_usage_wrong");
}

// ---- the certificate ------------------------------------------------------------------------------------------------

TEST(WebEid, believes_no_CA_but_below_a_pinned_root)
{
    Bench stranger; // the same names and addresses, other keys
    auto const token = json::write(stranger.token("lotte"));
    EXPECT_EQ(bench().verdict(token), "web_eid_issuer_unknown") << "the CA at that address is ours";
    Bench judge;
    judge.anchors = stranger.anchors;
    EXPECT_EQ(judge.verdict(json::write(judge.token("lotte"))), "certificate_root_unknown");
}

TEST(WebEid, refuses_a_test_PKI_where_the_configuration_does)
{
    Bench own;
    own.anchors.accept_test_pki = false;
    EXPECT_EQ(own.verdict(own.token("lotte")), "certificate_test_pki");
}

TEST(WebEid, asks_no_host_that_is_not_on_the_list)
{
    Bench own;
    own.anchors.revocation_hosts = {"ocsp.example"};
    EXPECT_EQ(own.verdict(own.token("lotte")), "web_eid_issuer_unknown");
    EXPECT_EQ(own.fetcher.certificates + own.fetcher.questions + own.fetcher.lists, 0);
}

TEST(WebEid, asks_nobody_about_a_token_that_answers_another_question)
{
    Bench own;
    auto other = question;
    other.nonce = crypto::base64(Bytes(32, 7));
    EXPECT_EQ(own.verdict(own.token("lotte", other)), "web_eid_signature_invalid");
    EXPECT_EQ(own.fetcher.certificates + own.fetcher.questions + own.fetcher.lists, 0);
}

TEST(WebEid, refuses_certificates_before_and_after_their_time)
{
    auto const token = json::write(bench().token("lotte"));
    EXPECT_EQ(bench().verdict(token, noon + std::chrono::years{20}), "certificate_expired");
    EXPECT_EQ(bench().verdict(token, noon - std::chrono::years{20}), "certificate_not_yet_valid");
}

TEST(WebEid, refuses_what_the_issuer_does_not_call_good)
{
    struct Case {
        char const* persona;
        char const* outcome;
    };
    for (auto const& [persona, outcome] : {
             Case{"revoked", "certificate_revoked"},
             Case{"revoked-17", "certificate_revoked"},
             Case{"suspended", "certificate_suspended"},
             Case{"unknown-to-responder", "certificate_status_unknown"},
             Case{"stale-answer", "revocation_answer_stale"},
             Case{"wrong-responder", "revocation_responder_unauthorised"},
             Case{"forged-answer", "revocation_answer_invalid"},
             Case{"replayed-answer", "revocation_answer_invalid"},
             Case{"crl-only", "accepted"},
             Case{"responder-down", "revocation_unreachable"},
             Case{"expired-certificates", "certificate_expired"},
             Case{"nadia", "accepted"},
             Case{"foreigner", "accepted"},
         })
        EXPECT_EQ(bench().verdict(bench().token(persona)), outcome) << persona;
    Bench other; // whose list was not fetched before this card was on it
    EXPECT_EQ(other.verdict(other.token("crl-says-revoked")), "certificate_revoked");
}

TEST(WebEid, refuses_everybody_where_nobody_answers)
{
    Bench own;
    auto const token = json::write(own.token("lotte"));
    own.pki.standings.conduct = vc::Conduct::down;
    EXPECT_EQ(own.verdict(token), "revocation_unreachable");
}

} // namespace
} // namespace symbolon::card

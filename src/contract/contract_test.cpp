#include "contract/contract.hpp"
#include "contract/structure.hpp"
#include "crypto/encoding.hpp"
#include "virtual_card/openssl.hpp"
#include "virtual_card/pki.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <qpdf/qpdf-c.h>

#include <cstdio>
#include <fstream>
#include <unistd.h>

namespace symbolon::contract {
namespace {

namespace vc = virtual_card;

constexpr Instant now{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} + 23h + 30min}; // the 23rd in Brussels

/// A card's signature key with its certificates, and the answer that its responder gave about it.
struct SigningCard {
    vc::Key key;
    vc::Key authentication_key;
    Signer signer;
    Bytes authentication_certificate;
};

SigningCard make_card(vc::Pki const& pki, vc::AuthorityName issuer, vc::AuthorityName root, bool rsa)
{
    auto const leaf = [&](vc::Key const& key, vc::Use use) {
        return vc::issue_leaf(pki, issuer, key,
                              {.use = use,
                               .surname = "Specimen",
                               .given_names = "Alice Geldigekaart",
                               .national_number = "85073000160",
                               .serial = {0x10, 0x00, 0x07, use == vc::Use::signature ? Byte{2} : Byte{1}},
                               .not_before = now - 24h * 300,
                               .not_after = now + 24h * 300});
    };
    SigningCard card;
    card.key = rsa ? vc::new_rsa_key(2048) : vc::new_ec_key();
    card.authentication_key = rsa ? vc::new_rsa_key(2048) : vc::new_ec_key();
    card.signer.certificate = leaf(card.key, vc::Use::signature);
    card.authentication_certificate = leaf(card.authentication_key, vc::Use::authentication);
    card.signer.chain = {pki.authority(issuer).certificate, pki.authority(root).certificate};
    return card;
}

/// r‖s, each of 48 bytes.
Bytes raw_of(Bytes const& der)
{
    auto const* at = der.data();
    std::unique_ptr<ECDSA_SIG, vc::Freed<&ECDSA_SIG_free>> const parsed{
        d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()))};
    Bytes raw(96);
    BN_bn2binpad(ECDSA_SIG_get0_r(parsed.get()), raw.data(), 48);
    BN_bn2binpad(ECDSA_SIG_get0_s(parsed.get()), raw.data() + 48, 48);
    return raw;
}

/// What the card's PSO:CDS gives: r‖s or PKCS#1 v1.5 over a digest.
Bytes card_signs(vc::Key const& key, SignatureDigest const& digest)
{
    vc::KeyContext const context{EVP_PKEY_CTX_new(key.get(), nullptr)};
    EXPECT_EQ(EVP_PKEY_sign_init(context.get()), 1);
    auto const* const algorithm = digest.algorithm == crypto::HashAlgorithm::sha256 ? EVP_sha256() : EVP_sha384();
    EXPECT_EQ(EVP_PKEY_CTX_set_signature_md(context.get(), algorithm), 1);
    Bytes signature(512);
    auto size = signature.size();
    EXPECT_EQ(EVP_PKEY_sign(context.get(), signature.data(), &size, digest.value.data(), digest.value.size()), 1);
    signature.resize(size);
    if (EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_EC) return raw_of(signature);
    return signature;
}

ContractData some_data(Language language = Language::nl)
{
    return {.language = language,
            .operator_name = "Symbolon Demo ASBL",
            .holder_name = "Zoë Müller-Łukasiewicz",
            .birth_date = "1985-07-30",
            .card_number = "592001234567",
            .phone_number = "+32470123456",
            .email = "zoe@example.be",
            .location_consent = true,
            .is_test_pki = true,
            .reference = "AZrQ3kq1c0mV6m3yTq0xWg",
            .at = now};
}

class TemporaryFile {
public:
    explicit TemporaryFile(ByteView content)
        : path_{std::filesystem::temp_directory_path() /
                ("symbolon-contract-" + std::to_string(::getpid()) + '-' + std::to_string(++count) + ".pdf")}
    {
        std::ofstream{path_, std::ios::binary} << text_of(content);
    }
    TemporaryFile(TemporaryFile const&) = delete;
    TemporaryFile& operator=(TemporaryFile const&) = delete;
    ~TemporaryFile() { std::filesystem::remove(path_); }

    [[nodiscard]] std::string path() const { return path_.string(); }

private:
    static inline int count = 0;
    std::filesystem::path path_;
};

std::string output_of(std::string const& command)
{
    std::string output;
    auto* const pipe = ::popen(("{ " + command + "; } 2>&1").c_str(), "r");
    if (pipe == nullptr) return "popen failed";
    std::array<char, 4096> buffer{};
    while (auto const size = std::fread(buffer.data(), 1, buffer.size(), pipe)) output.append(buffer.data(), size);
    ::pclose(pipe);
    return output;
}

std::string pdfsig(ByteView pdf) { return output_of("pdfsig '" + TemporaryFile{pdf}.path() + "'"); }
std::string pdftotext(ByteView pdf) { return output_of("pdftotext -layout '" + TemporaryFile{pdf}.path() + "' -"); }

/// What `qpdf --check` says against the file.
std::vector<std::string> complaints(ByteView bytes)
{
    auto pdf = qpdf_init();
    qpdf_set_suppress_warnings(pdf, QPDF_TRUE);
    qpdf_silence_errors(pdf);
    auto const text = text_of(bytes);
    qpdf_read_memory(pdf, "signed", text.data(), text.size(), nullptr);
    qpdf_check_pdf(pdf);
    std::vector<std::string> all;
    while (qpdf_more_warnings(pdf) != QPDF_FALSE)
        all.emplace_back(qpdf_get_error_full_text(pdf, qpdf_next_warning(pdf)));
    if (qpdf_has_error(pdf) != QPDF_FALSE) all.emplace_back(qpdf_get_error_full_text(pdf, qpdf_get_error(pdf)));
    qpdf_cleanup(&pdf);
    return all;
}

class SignedContract : public testing::Test {
protected:
    static void SetUpTestSuite()
    {
        pki_ = std::make_unique<vc::Pki>(
            vc::make_pki({.now = now - 24h * 400, .rsa_keys = SYMBOLON_SOURCE_DIR "/data/virtual_pki"}));
        card_1_8_ = std::make_unique<SigningCard>(
            make_card(*pki_, vc::AuthorityName::citizen_ca_ec, vc::AuthorityName::root_ec, false));
        card_1_7_ = std::make_unique<SigningCard>(
            make_card(*pki_, vc::AuthorityName::citizen_ca_rsa, vc::AuthorityName::root_rsa, true));
    }
    static void TearDownTestSuite()
    {
        card_1_7_.reset();
        card_1_8_.reset();
        pki_.reset();
    }

    static PreparedContract prepared_for(SigningCard const& card, ContractData const& data = some_data())
    {
        return prepare(data, card.signer, {Bytes(900, 0x30)}, texts_, Fonts{}).value();
    }

    static Result<Bytes> signed_by(vc::Key const& key, SigningCard const& card, PreparedContract const& prepared)
    {
        auto const digest = digest_to_sign(prepared.signed_attributes, card.signer.certificate).value();
        return complete(prepared, card.signer, card_signs(key, digest), card.authentication_certificate);
    }

    static Bytes signed_contract(SigningCard const& card)
    {
        return signed_by(card.key, card, prepared_for(card)).value();
    }

    static inline Texts const texts_;
    static inline std::unique_ptr<vc::Pki> pki_;
    static inline std::unique_ptr<SigningCard> card_1_8_;
    static inline std::unique_ptr<SigningCard> card_1_7_;
};

TEST_F(SignedContract, A2_is_accepted_by_another_pdf_reader_for_both_generations_of_cards)
{
    for (auto const* card : {card_1_8_.get(), card_1_7_.get()}) {
        auto const pdf = signed_contract(*card);
        auto const verdict = pdfsig(pdf);
        EXPECT_NE(verdict.find("Signature Validation: Signature is Valid."), std::string::npos) << verdict;
        EXPECT_NE(verdict.find("Signature Type: ETSI.CAdES.detached"), std::string::npos) << verdict;
        EXPECT_NE(verdict.find("Total document signed"), std::string::npos) << verdict;
        EXPECT_NE(verdict.find("Alice Geldigekaart Specimen (Signature)"), std::string::npos) << verdict;
        EXPECT_NE(verdict.find(card == card_1_8_.get() ? "SHA-384" : "SHA-256"), std::string::npos) << verdict;
        EXPECT_THAT(complaints(pdf), testing::IsEmpty());
    }
}

TEST_F(SignedContract, A2_that_was_changed_in_one_byte_is_noticed)
{
    auto const pdf = signed_contract(*card_1_8_);
    auto const ranges = signed_ranges(prepared_for(*card_1_8_).pdf).value();
    auto const last = pdf.size() - ranges.after.size() / 2;
    for (auto const at : {ranges.before.size() / 2, ranges.before.size() - 200, last}) {
        auto changed = pdf;
        changed.at(at) ^= 1U;
        EXPECT_EQ(pdfsig(changed).find("Signature is Valid"), std::string::npos) << at;
    }
}

TEST_F(SignedContract, names_the_person_the_number_the_address_and_the_date_in_brussels)
{
    for (auto const language : all_languages) {
        auto const text = pdftotext(prepared_for(*card_1_8_, some_data(language)).pdf);
        for (auto const* needed : {"Zoë Müller-Łukasiewicz", "+32470123456", "zoe@example.be", "592001234567", "23",
                                   "2026", "1985", "AZrQ3kq1c0mV6m3yTq0xWg", "Symbolon Demo ASBL"})
            EXPECT_NE(text.find(needed), std::string::npos) << name_of(language) << ' ' << needed;
        EXPECT_NE(text.find(texts_.text(language, "contract.clause_8_heading")), std::string::npos);
        EXPECT_EQ(text.find("Syntax"), std::string::npos) << text; // poppler's complaints
        EXPECT_NE(text.find(texts_.text(language, "contract.test_banner").substr(0, 5)), std::string::npos);
    }
}

TEST_F(SignedContract, is_the_same_bytes_for_the_same_input)
{
    auto const one = prepared_for(*card_1_8_);
    auto const other = prepared_for(*card_1_8_);
    EXPECT_EQ(one.pdf, other.pdf);
    EXPECT_EQ(one.signed_attributes, other.signed_attributes);
    EXPECT_EQ(draft(some_data(), texts_, Fonts{}).value(), draft(some_data(), texts_, Fonts{}).value());
}

TEST_F(SignedContract, binds_the_certificate_and_claims_no_time_of_its_own_in_the_attributes)
{
    auto const attributes = crypto::hex(prepared_for(*card_1_8_).signed_attributes);
    EXPECT_NE(attributes.find("060b2a864886f70d010910022f"), std::string::npos); // signing-certificate-v2
    EXPECT_NE(attributes.find("06092a864886f70d010903"), std::string::npos);     // content-type
    EXPECT_NE(attributes.find("06092a864886f70d010904"), std::string::npos);     // message-digest
    EXPECT_EQ(attributes.find("06092a864886f70d010905"), std::string::npos);     // signing-time: EN 319 142-1 §6.3
    EXPECT_NE(text_of(prepared_for(*card_1_8_).pdf).find("/M (D:20261122233000Z)"), std::string_view::npos);
}

/// The CMS as another program's CAdES verification sees it, with the signer's path and the signing-certificate
/// attribute.
TEST_F(SignedContract, is_a_cades_signature_of_a_certificate_under_the_root)
{
    for (auto const* card : {card_1_8_.get(), card_1_7_.get()}) {
        auto const empty = prepared_for(*card).pdf;
        auto const ranges = signed_ranges(empty).value();
        auto const pdf = signed_by(card->key, *card, prepared_for(*card)).value();
        auto content = Bytes{ranges.before.begin(), ranges.before.end()};
        append(content, ranges.after);
        auto digits = std::string{text_of(ByteView{pdf}.subspan(ranges.before.size() + 1))};
        digits.resize(digits.find('>'));
        TemporaryFile const cms{crypto::from_hex(digits).value()};
        TemporaryFile const data{content};
        TemporaryFile const root{card->signer.chain.back()};
        auto const verdict =
            output_of("openssl x509 -inform DER -in " + root.path() + " -out " + root.path() +
                      ".pem && openssl cms -verify -cades -binary -inform DER -purpose any -attime " +
                      std::to_string(numeric_date(now)) + " -in " + cms.path() + " -content " + data.path() +
                      " -CAfile " + root.path() + ".pem -out /dev/null; rm -f " + root.path() + ".pem");
        EXPECT_NE(verdict.find("CAdES Verification successful"), std::string::npos) << verdict;
    }
}

TEST_F(SignedContract, by_the_authentication_key_of_the_same_card_is_refused_with_that_reason)
{
    for (auto const* card : {card_1_8_.get(), card_1_7_.get()})
        EXPECT_EQ(signed_by(card->authentication_key, *card, prepared_for(*card)).error().outcome,
                  Outcome::contract_not_signed_by_signature_key);
}

TEST_F(SignedContract, needs_a_signature_that_verifies)
{
    auto const prepared = prepared_for(*card_1_8_);
    auto const digest = digest_to_sign(prepared.signed_attributes, card_1_8_->signer.certificate).value();
    auto good = card_signs(card_1_8_->key, digest);
    auto const refusal = [&](ByteView signature) {
        return complete(prepared, card_1_8_->signer, signature, {}).error().outcome;
    };
    EXPECT_EQ(refusal({}), Outcome::contract_signature_invalid);
    EXPECT_EQ(refusal(Bytes(96)), Outcome::contract_signature_invalid);
    EXPECT_EQ(refusal(Bytes(100'000, 1)), Outcome::contract_signature_invalid);
    EXPECT_EQ(refusal(ByteView{good}.first(95)), Outcome::contract_signature_invalid);
    EXPECT_EQ(refusal(card_signs(card_1_7_->key, digest)), Outcome::contract_signature_invalid);
    good.back() ^= 1U;
    EXPECT_EQ(refusal(good), Outcome::contract_signature_invalid);
}

TEST_F(SignedContract, of_one_contract_does_not_fit_another)
{
    auto const one = prepared_for(*card_1_8_);
    auto data = some_data();
    data.phone_number = "+32470999999";
    auto const other = prepared_for(*card_1_8_, data);
    EXPECT_EQ(signed_by(card_1_8_->key, *card_1_8_, {other.pdf, one.signed_attributes}).error().outcome,
              Outcome::data_damaged);
    auto const finished = signed_by(card_1_8_->key, *card_1_8_, one).value();
    EXPECT_EQ(signed_by(card_1_8_->key, *card_1_8_, {finished, one.signed_attributes}).error().outcome,
              Outcome::data_damaged);
    EXPECT_EQ(signed_by(card_1_8_->key, *card_1_8_, {one.pdf, Bytes(50)}).error().outcome, Outcome::data_damaged);
}

TEST_F(SignedContract, needs_certificates_that_can_be_read_and_keys_of_a_card)
{
    EXPECT_EQ(prepare(some_data(), {Bytes(40), {}}, {}, texts_, Fonts{}).error().outcome,
              Outcome::certificate_malformed);
    EXPECT_EQ(prepare(some_data(), {pki_->root_rsa().certificate, {}}, {}, texts_, Fonts{}).error().outcome,
              Outcome::certificate_key_unsupported);
}

TEST(Draft, with_texts_that_no_line_holds_is_still_a_pdf)
{
    Texts const texts;
    auto data = some_data(Language::de);
    data.holder_name = std::string(300, 'W') + " \U0001F600 \x01 Anne-Sophie Élodie";
    data.email = std::string(64, 'a') + '@' + std::string(180, 'b') + ".example";
    data.operator_name = "Ein Betreiber mit einem außergewöhnlich langen und vollständigen Namen und Sitz in Eupen";
    auto const pdf = draft(data, texts, Fonts{});
    ASSERT_TRUE(pdf);
    EXPECT_THAT(complaints(*pdf), testing::IsEmpty());
    EXPECT_NE(pdftotext(*pdf).find("Anne-Sophie Élodie"), std::string::npos);
}

TEST(Draft, without_fonts_says_which_file_is_missing)
{
    auto const none = draft(some_data(), Texts{}, Fonts{.regular = "/nowhere/font.ttf"});
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().outcome, Outcome::configuration_invalid);
    EXPECT_NE(none.error().detail.find("/nowhere/font.ttf"), std::string::npos);
}

/// For looking at the pages: SYMBOLON_SHOW_CONTRACT=/some/folder contract_test --gtest_filter='Draft.*'
TEST(Draft, is_written_where_one_wants_to_look_at_it)
{
    auto const* const folder = std::getenv("SYMBOLON_SHOW_CONTRACT");
    Texts const texts;
    for (auto const language : all_languages) {
        auto data = some_data(language);
        data.holder_name = "Marie-Élisabeth Françoise Željko de Borchgrave d’Altena-Vandenpeereboom";
        auto const pdf = draft(data, texts, Fonts{});
        ASSERT_TRUE(pdf);
        if (folder == nullptr) continue;
        std::ofstream{std::string{folder} + "/contract." + std::string{name_of(language)} + ".pdf", std::ios::binary}
            << text_of(*pdf);
    }
}

} // namespace
} // namespace symbolon::contract

#include "virtual_card/openssl.hpp"
#include "virtual_card/pki.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <unistd.h>

namespace symbolon::virtual_card {
namespace {

constexpr auto noon = Instant{Seconds{1'772'366'400}}; // 2026-03-01 12:00 UTC
constexpr auto base_url = "http://127.0.0.1:8406";

using Store = std::unique_ptr<X509_STORE, Freed<&X509_STORE_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, Freed<&X509_STORE_CTX_free>>;

Pki const& pki()
{
    static auto const made =
        make_pki({.base_url = base_url, .now = noon, .rsa_keys = SYMBOLON_SOURCE_DIR "/data/virtual_pki"});
    return made;
}

Bytes leaf(AuthorityName issuer, Use use, Serial serial = {0x10, 0x00, 0x01})
{
    return issue_leaf(pki(), issuer, new_ec_key(),
                      {.use = use,
                       .surname = "Peeters",
                       .given_names = "Lotte Maria",
                       .national_number = "85073099895",
                       .serial = std::move(serial),
                       .not_before = noon - std::chrono::days{100},
                       .not_after = noon + std::chrono::days{3000}});
}

/// OpenSSL's own word on a path to the two roots: an X509_V_ code.
int verify(ByteView certificate, AuthorityName issuer, Instant at = noon)
{
    auto const store = Store{X509_STORE_new()};
    X509_STORE_add_cert(store.get(), pki().root_ec().parsed.get());
    X509_STORE_add_cert(store.get(), pki().root_rsa().parsed.get());
    auto* const untrusted = sk_X509_new_null();
    sk_X509_push(untrusted, pki().authority(issuer).parsed.get());
    auto const parsed = parse_certificate(certificate);
    auto const context = StoreContext{X509_STORE_CTX_new()};
    X509_STORE_CTX_init(context.get(), store.get(), parsed.get(), untrusted);
    X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(context.get()), X509_V_FLAG_X509_STRICT);
    X509_STORE_CTX_set_time(context.get(), 0, std::chrono::system_clock::to_time_t(at));
    X509_verify_cert(context.get());
    auto const verdict = X509_STORE_CTX_get_error(context.get());
    sk_X509_free(untrusted);
    return verdict;
}

std::string policy_of(ByteView certificate)
{
    auto const parsed = parse_certificate(certificate);
    auto* const policies =
        static_cast<CERTIFICATEPOLICIES*>(X509_get_ext_d2i(parsed.get(), NID_certificate_policies, nullptr, nullptr));
    std::array<char, 64> text{};
    OBJ_obj2txt(text.data(), static_cast<int>(text.size()), sk_POLICYINFO_value(policies, 0)->policyid, 1);
    CERTIFICATEPOLICIES_free(policies);
    return text.data();
}

TEST(Pki, every_name_says_that_it_is_virtual)
{
    for (auto const& authority : pki().authorities) {
        std::array<char, 512> name{};
        X509_NAME_oneline(X509_get_subject_name(authority.parsed.get()), name.data(), static_cast<int>(name.size()));
        EXPECT_NE(std::string_view{name.data()}.find("VIRTUAL TEST"), std::string_view::npos) << name.data();
    }
}

TEST(Pki, leaves_and_register_chain_to_their_root)
{
    for (auto const issuer : {AuthorityName::citizen_ca_ec, AuthorityName::citizen_ca_rsa,
                              AuthorityName::foreigner_ca_ec, AuthorityName::foreigner_ca_rsa})
        for (auto const use : {Use::authentication, Use::signature})
            EXPECT_EQ(verify(leaf(issuer, use), issuer), X509_V_OK) << pki().authority(issuer).name;
    EXPECT_EQ(verify(pki().register_ec.certificate, AuthorityName::root_ec), X509_V_OK);
    EXPECT_EQ(verify(pki().register_rsa.certificate, AuthorityName::root_rsa), X509_V_OK);
}

TEST(Pki, a_leaf_is_not_valid_before_and_after_its_time)
{
    auto const der = leaf(AuthorityName::citizen_ca_ec, Use::authentication);
    EXPECT_EQ(verify(der, AuthorityName::citizen_ca_ec, noon - std::chrono::days{101}), X509_V_ERR_CERT_NOT_YET_VALID);
    EXPECT_EQ(verify(der, AuthorityName::citizen_ca_ec, noon + std::chrono::days{3001}), X509_V_ERR_CERT_HAS_EXPIRED);
}

TEST(Pki, a_leaf_has_the_key_usage_and_policy_of_its_use_and_holder)
{
    struct Row {
        AuthorityName issuer;
        Use use;
        char const* policy;
    };
    for (auto const& [issuer, use, policy] :
         {Row{AuthorityName::citizen_ca_rsa, Use::authentication, "2.16.56.12.1.1.2.2"},
          Row{AuthorityName::citizen_ca_rsa, Use::signature, "2.16.56.12.1.1.2.1"},
          Row{AuthorityName::foreigner_ca_rsa, Use::authentication, "2.16.56.12.1.1.7.2"},
          Row{AuthorityName::foreigner_ca_rsa, Use::signature, "2.16.56.12.1.1.7.1"},
          Row{AuthorityName::citizen_ca_ec, Use::authentication, "2.16.56.13.6.1.1.1000"},
          Row{AuthorityName::citizen_ca_ec, Use::signature, "2.16.56.13.6.1.2.1000"},
          Row{AuthorityName::foreigner_ca_ec, Use::authentication, "2.16.56.13.6.2.1.1000"},
          Row{AuthorityName::foreigner_ca_ec, Use::signature, "2.16.56.13.6.2.2.1000"}}) {
        auto const der = leaf(issuer, use);
        EXPECT_EQ(policy_of(der), policy);
        auto const parsed = parse_certificate(der);
        EXPECT_EQ(X509_get_key_usage(parsed.get()),
                  static_cast<std::uint32_t>(use == Use::authentication ? KU_DIGITAL_SIGNATURE : KU_NON_REPUDIATION));
        EXPECT_EQ(X509_get_ext_by_NID(parsed.get(), NID_qcStatements, -1) >= 0, use == Use::signature);
    }
    EXPECT_EQ(policy_of(pki().register_ec.certificate), "2.16.56.13.6.0.1");
    EXPECT_EQ(policy_of(pki().register_rsa.certificate), "2.16.56.12.1.1.4");
}

TEST(Pki, comes_back_from_disk_as_it_was)
{
    auto const folder = std::filesystem::temp_directory_path() / fmt::format("symbolon-pki-{}", ::getpid());
    ASSERT_TRUE(save_pki(pki(), folder));
    auto const read = load_pki(folder);
    std::filesystem::remove_all(folder);
    ASSERT_TRUE(read) << read.error().detail;
    EXPECT_EQ(read->base_url, base_url);
    for (std::size_t i = 0; i < authority_count; ++i)
        EXPECT_EQ(read->authorities.at(i).certificate, pki().authorities.at(i).certificate);
    EXPECT_EQ(EVP_PKEY_eq(read->register_ec.key.get(), pki().register_ec.key.get()), 1);
}

TEST(Pki, a_folder_that_is_none_is_refused)
{
    auto const read = load_pki("/nonexistent");
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().outcome, Outcome::configuration_invalid);
}

// ---- status ---------------------------------------------------------------------------------------------------------

struct Asked {
    OcspRequest request{OCSP_REQUEST_new()};
    OcspId id;
    Bytes der;
};

Asked ask(AuthorityName issuer, ByteView certificate, EVP_MD const* md = EVP_sha1())
{
    Asked asked;
    auto const subject = parse_certificate(certificate);
    auto* const id = OCSP_cert_to_id(md, subject.get(), pki().authority(issuer).parsed.get());
    asked.id.reset(OCSP_CERTID_dup(id));
    OCSP_request_add0_id(asked.request.get(), id);
    OCSP_request_add1_nonce(asked.request.get(), nullptr, 32);
    asked.der = der_of<&i2d_OCSP_REQUEST>(asked.request.get());
    return asked;
}

struct Told {
    int response_status = -1;
    bool trusted = false; ///< signature and authority of the responder
    int nonce = 0;        ///< OCSP_check_nonce: 1 same, 0 different, -1 only in the request
    int status = -1;
    int reason = -1;
    bool current = false;
};

Told read(Asked const& asked, AuthorityName issuer, std::optional<Bytes> const& der)
{
    Told told;
    if (!der) return told;
    auto const* at = der->data();
    auto const response = OcspResponse{d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(der->size()))};
    told.response_status = OCSP_response_status(response.get());
    auto const basic = OcspBasic{OCSP_response_get1_basic(response.get())};
    if (!basic) return told;
    auto const store = Store{X509_STORE_new()};
    X509_STORE_add_cert(store.get(), pki().root_ec().parsed.get());
    X509_STORE_add_cert(store.get(), pki().root_rsa().parsed.get());
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store.get()), std::chrono::system_clock::to_time_t(noon));
    auto* const helpers = sk_X509_new_null();
    sk_X509_push(helpers, pki().authority(issuer).parsed.get());
    told.trusted = OCSP_basic_verify(basic.get(), helpers, store.get(), 0) == 1;
    sk_X509_free(helpers);
    told.nonce = OCSP_check_nonce(asked.request.get(), basic.get());
    ASN1_GENERALIZEDTIME* from = nullptr;
    ASN1_GENERALIZEDTIME* until = nullptr;
    OCSP_resp_find_status(basic.get(), asked.id.get(), &told.status, &told.reason, nullptr, &from, &until);
    told.current = ASN1_TIME_cmp_time_t(from, std::chrono::system_clock::to_time_t(noon)) <= 0 &&
                   ASN1_TIME_cmp_time_t(until, std::chrono::system_clock::to_time_t(noon)) > 0;
    return told;
}

Told told_of(Standing standing, EVP_MD const* md = EVP_sha1(), AuthorityName issuer = AuthorityName::citizen_ca_ec)
{
    auto const asked = ask(issuer, leaf(issuer, Use::authentication), md);
    Standings standings;
    standings.by_serial[{0x10, 0x00, 0x01}] = standing;
    return read(asked, issuer, answer_ocsp(pki(), standings, asked.der, noon));
}

TEST(Responder, tells_good_held_revoked_and_unknown_apart)
{
    EXPECT_EQ(told_of({CertificateStatus::good}).status, V_OCSP_CERTSTATUS_GOOD);
    EXPECT_EQ(told_of({CertificateStatus::suspended}).status, V_OCSP_CERTSTATUS_REVOKED);
    EXPECT_EQ(told_of({CertificateStatus::suspended}).reason, OCSP_REVOKED_STATUS_CERTIFICATEHOLD);
    EXPECT_EQ(told_of({CertificateStatus::revoked}).status, V_OCSP_CERTSTATUS_REVOKED);
    EXPECT_NE(told_of({CertificateStatus::revoked}).reason, OCSP_REVOKED_STATUS_CERTIFICATEHOLD);
    EXPECT_EQ(told_of({CertificateStatus::unknown}).status, V_OCSP_CERTSTATUS_UNKNOWN);
}

TEST(Responder, is_one_that_the_issuing_CA_authorised_and_echoes_the_nonce)
{
    for (auto const issuer : {AuthorityName::citizen_ca_ec, AuthorityName::citizen_ca_rsa,
                              AuthorityName::foreigner_ca_ec, AuthorityName::foreigner_ca_rsa})
        for (auto const* const md : {EVP_sha1(), EVP_sha256()}) {
            auto const told = told_of({}, md, issuer);
            EXPECT_TRUE(told.trusted);
            EXPECT_EQ(told.nonce, 1);
            EXPECT_TRUE(told.current);
        }
}

TEST(Responder, can_misbehave_in_each_way)
{
    EXPECT_FALSE(told_of({.conduct = Conduct::stale}).current);
    EXPECT_TRUE(told_of({.conduct = Conduct::stale}).trusted);
    EXPECT_FALSE(told_of({.conduct = Conduct::stranger}).trusted);
    EXPECT_FALSE(told_of({.conduct = Conduct::forged}).trusted);
    EXPECT_EQ(told_of({.conduct = Conduct::without_nonce}).nonce, -1);
    EXPECT_EQ(told_of({.conduct = Conduct::wrong_nonce}).nonce, 0);
    EXPECT_EQ(told_of({.conduct = Conduct::try_later}).response_status, OCSP_RESPONSE_STATUS_TRYLATER);
    EXPECT_EQ(told_of({.conduct = Conduct::down}).response_status, -1);
}

TEST(Responder, answers_for_the_CAs_under_the_root_without_being_told)
{
    auto const asked = ask(AuthorityName::root_ec, pki().authority(AuthorityName::citizen_ca_ec).certificate);
    auto const told = read(asked, AuthorityName::root_ec, answer_ocsp(pki(), {}, asked.der, noon));
    EXPECT_TRUE(told.trusted);
    EXPECT_EQ(told.status, V_OCSP_CERTSTATUS_GOOD);
}

TEST(Responder, refuses_what_is_no_request_and_whom_it_does_not_know)
{
    Asked const none;
    auto const malformed = answer_ocsp(pki(), {}, to_bytes("hello"), noon);
    EXPECT_EQ(read(none, AuthorityName::root_ec, malformed).response_status, OCSP_RESPONSE_STATUS_MALFORMEDREQUEST);
    auto asked = ask(AuthorityName::citizen_ca_ec, leaf(AuthorityName::citizen_ca_ec, Use::signature));
    auto const stranger = make_pki({.now = noon, .rsa_keys = SYMBOLON_SOURCE_DIR "/data/virtual_pki"});
    auto const unauthorized = answer_ocsp(stranger, {}, asked.der, noon);
    EXPECT_EQ(read(none, AuthorityName::root_ec, unauthorized).response_status, OCSP_RESPONSE_STATUS_UNAUTHORIZED);
}

TEST(CertificateRevocationList, lists_what_is_held_and_revoked_with_its_reason)
{
    Standings standings;
    standings.by_serial[{0x10, 0x01}] = {CertificateStatus::good};
    standings.by_serial[{0x10, 0x02}] = {CertificateStatus::suspended};
    standings.by_serial[{0x10, 0x03}] = {CertificateStatus::revoked};
    auto const& ca = pki().authority(AuthorityName::citizen_ca_rsa);
    auto const der = make_crl(ca, standings, noon);
    auto const* at = der.data();
    auto const crl = Crl{d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size()))};
    ASSERT_TRUE(crl);
    EXPECT_EQ(X509_CRL_verify(crl.get(), ca.key.get()), 1);
    auto const reason_of = [&](Byte last) -> int {
        X509_REVOKED* entry = nullptr;
        auto const integer = Integer{ASN1_INTEGER_new()};
        ASN1_INTEGER_set(integer.get(), 0x1000 + last);
        if (X509_CRL_get0_by_serial(crl.get(), &entry, integer.get()) == 0) return -1;
        auto* const reason =
            static_cast<ASN1_ENUMERATED*>(X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, nullptr, nullptr));
        auto const value = static_cast<int>(ASN1_ENUMERATED_get(reason));
        ASN1_ENUMERATED_free(reason);
        return value;
    };
    EXPECT_EQ(reason_of(1), -1);
    EXPECT_EQ(reason_of(2), CRL_REASON_CERTIFICATE_HOLD);
    EXPECT_EQ(reason_of(3), CRL_REASON_CESSATION_OF_OPERATION);
}

TEST(PkiServer, serves_the_addresses_that_stand_in_the_certificates)
{
    auto const parsed = parse_certificate(leaf(AuthorityName::citizen_ca_ec, Use::signature));
    auto* const places =
        static_cast<AUTHORITY_INFO_ACCESS*>(X509_get_ext_d2i(parsed.get(), NID_info_access, nullptr, nullptr));
    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(places); ++i) {
        auto const* const place = sk_ACCESS_DESCRIPTION_value(places, i);
        auto const* const uri = place->location->d.uniformResourceIdentifier;
        auto const url =
            std::string{text_of({ASN1_STRING_get0_data(uri), static_cast<std::size_t>(ASN1_STRING_length(uri))})};
        if (OBJ_obj2nid(place->method) == NID_ad_OCSP) {
            auto const asked = ask(AuthorityName::citizen_ca_ec, leaf(AuthorityName::citizen_ca_ec, Use::signature));
            auto const answer = answer_url(pki(), {}, "POST", url, asked.der, noon);
            EXPECT_EQ(answer.status, 200);
            EXPECT_EQ(answer.content_type, "application/ocsp-response");
        } else {
            EXPECT_EQ(answer_url(pki(), {}, "GET", url, {}, noon).body,
                      pki().authority(AuthorityName::citizen_ca_ec).certificate);
        }
    }
    AUTHORITY_INFO_ACCESS_free(places);
    EXPECT_EQ(answer_http(pki(), {}, "GET", "/crl/citizen-ca-ec.crl", {}, noon).status, 200);
    EXPECT_EQ(answer_http(pki(), {}, "GET", "/crl/none-citizen-ca-ec.crl", {}, noon).status, 404);
}

TEST(PkiServer, takes_an_OCSP_request_by_GET_as_RFC_6960_A_1_says)
{
    auto const asked = ask(AuthorityName::citizen_ca_ec, leaf(AuthorityName::citizen_ca_ec, Use::authentication));
    Bytes text(asked.der.size() * 2 + 4);
    text.resize(
        static_cast<std::size_t>(EVP_EncodeBlock(text.data(), asked.der.data(), static_cast<int>(asked.der.size()))));
    std::string target = "/ocsp/";
    for (auto const c : text)
        target += c == '+' ? "%2B" : c == '/' ? "%2F" : c == '=' ? "%3D" : std::string(1, static_cast<char>(c));
    auto const answer = answer_http(pki(), {}, "GET", target, {}, noon);
    ASSERT_EQ(answer.status, 200);
    EXPECT_TRUE(read(asked, AuthorityName::citizen_ca_ec, answer.body).trusted);
    EXPECT_EQ(answer_http(pki(), {}, "GET", "/ocsp/%%%", {}, noon).status, 400);
    EXPECT_EQ(answer_http(pki(), {}, "GET", "/ocsp/AAA", {}, noon).status, 400);
    EXPECT_EQ(answer_http(pki(), {}, "DELETE", "/ocsp", {}, noon).status, 405);
    EXPECT_EQ(answer_http(pki(), {}, "GET", "/etc/passwd", {}, noon).status, 404);
}

} // namespace
} // namespace symbolon::virtual_card

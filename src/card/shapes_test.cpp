#include "card/judgement.hpp"
#include "card/openssl.hpp"
#include "card/reading_testing.hpp"
#include "crypto/encoding.hpp"

#include <gtest/gtest.h>
#include <openssl/conf.h>

#include <algorithm>
#include <functional>

/// Certificates, OCSP answers and lists of strange shapes, each signed by who should have signed it: what RFC 5280 and
/// RFC 6960 allow is taken, what they forbid is refused.
namespace symbolon::card {
namespace {

namespace vc = virtual_card;
using namespace std::chrono_literals;

constexpr auto noon = Instant{Seconds{1'772'366'400}}; // 2026-03-01 12:00 UTC
constexpr auto citizen_ca = vc::AuthorityName::citizen_ca_ec;
constexpr auto unknown_extension = "1.3.6.1.4.1.99999.1";
Bytes const our_nonce(32, 0x11);

vc::Pki const& pki()
{
    static auto const made =
        vc::make_pki({.now = noon, .rsa_keys = std::string{SYMBOLON_SOURCE_DIR} + "/data/virtual_pki"});
    return made;
}

Anchors const& anchors()
{
    static auto const made = anchors_of(pki());
    return made;
}

using Change = std::function<void(X509*)>;

/// A certificate with something changed, and signed anew by its CA.
Bytes changed(ByteView certificate, Change const& change)
{
    auto const* at = certificate.data();
    X509Owner const x509{d2i_X509(nullptr, &at, static_cast<long>(certificate.size()))};
    change(x509.get());
    EXPECT_GT(X509_sign(x509.get(), pki().authority(citizen_ca).key.get(), EVP_sha384()), 0);
    return der_of(x509.get(), i2d_X509);
}

using ExtensionOwner = std::unique_ptr<X509_EXTENSION, FreeWith<X509_EXTENSION_free>>;

ExtensionOwner extension(char const* oid, bool critical)
{
    auto* object = OBJ_txt2obj(oid, 1);
    auto* value = ASN1_OCTET_STRING_new();
    std::array<unsigned char, 2> const null{0x05, 0x00};
    ASN1_OCTET_STRING_set(value, null.data(), static_cast<int>(null.size()));
    ExtensionOwner made{X509_EXTENSION_create_by_OBJ(nullptr, object, critical ? 1 : 0, value)};
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(object);
    return made;
}

void add_unknown(X509* x509, bool critical) { X509_add_ext(x509, extension(unknown_extension, critical).get(), -1); }

void remove(X509* x509, int nid)
{
    for (int at = X509_get_ext_by_NID(x509, nid, -1); at >= 0; at = X509_get_ext_by_NID(x509, nid, -1))
        X509_EXTENSION_free(X509_delete_ext(x509, at));
}

/// An extension by OpenSSL's words for its value.
ExtensionOwner extension_of(int nid, char const* value)
{
    std::unique_ptr<CONF, FreeWith<NCONF_free>> const no_sections{NCONF_new(nullptr)};
    X509V3_CTX context{};
    X509V3_set_nconf(&context, no_sections.get());
    ExtensionOwner made{X509V3_EXT_nconf_nid(no_sections.get(), &context, nid, value)};
    EXPECT_NE(made, nullptr) << value;
    return made;
}

void replace(X509* x509, int nid, char const* value)
{
    remove(x509, nid);
    X509_add_ext(x509, extension_of(nid, value).get(), -1);
}

Bytes const& leaf()
{
    static auto const issued = vc::issue_leaf(pki(), citizen_ca, vc::new_ec_key(),
                                              {.use = vc::Use::authentication,
                                               .surname = "Vermeersch-Test",
                                               .given_names = "Lotte Margriet",
                                               .national_number = "85073099844",
                                               .serial = {0x10, 0x00, 0x42},
                                               .not_before = noon - 24h,
                                               .not_after = noon + 365 * 24h});
    return issued;
}

std::string name(auto const& result) { return result ? "accepted" : std::string{name_of(result.error().outcome)}; }

std::string path_verdict(Change const& change)
{
    auto const parsed = Certificate::parse(changed(leaf(), change));
    if (!parsed) return name(parsed);
    auto const issuer = Certificate::parse(pki().authority(citizen_ca).certificate).value();
    return name(check_leaf_path(*parsed, LeafRole::authentication, issuer, anchors(), noon));
}

TEST(LeafShape, is_what_RFC_5280_allows)
{
    auto const with_serial = [](long serial) {
        return [serial](X509* x509) { ASN1_INTEGER_set(X509_get_serialNumber(x509), serial); };
    };
    EXPECT_EQ(path_verdict([](X509*) {}), "accepted");
    EXPECT_EQ(path_verdict([](X509* x509) { add_unknown(x509, false); }), "accepted");
    EXPECT_EQ(path_verdict([](X509* x509) { add_unknown(x509, true); }), "certificate_path_invalid");
    EXPECT_EQ(path_verdict([](X509* x509) {
                  add_unknown(x509, false);
                  add_unknown(x509, false);
              }),
              "certificate_malformed")
        << "an extension twice";
    EXPECT_EQ(path_verdict(with_serial(5)), "accepted");
    EXPECT_EQ(path_verdict(with_serial(-5)), "certificate_malformed");
    EXPECT_EQ(path_verdict([](X509* x509) {
                  Bytes const octets(21, 0x42);
                  ASN1_STRING_set(X509_get_serialNumber(x509), octets.data(), static_cast<int>(octets.size()));
              }),
              "certificate_malformed")
        << "21 octets";
    EXPECT_EQ(path_verdict([](X509* x509) { X509_set_version(x509, X509_VERSION_1); }), "certificate_malformed");
}

TEST(LeafShape, has_the_uses_and_policies_of_its_role)
{
    auto const with = [](int nid, char const* value) {
        return path_verdict([&](X509* x509) { replace(x509, nid, value); });
    };
    EXPECT_EQ(with(NID_key_usage, "critical,digitalSignature"), "accepted");
    EXPECT_EQ(with(NID_key_usage, "digitalSignature"), "certificate_usage_wrong") << "not critical";
    EXPECT_EQ(with(NID_key_usage, "critical,digitalSignature,keyEncipherment"), "certificate_usage_wrong");
    EXPECT_EQ(with(NID_key_usage, "critical,nonRepudiation"), "certificate_usage_wrong");
    EXPECT_EQ(path_verdict([](X509* x509) { remove(x509, NID_key_usage); }), "certificate_usage_wrong");
    EXPECT_EQ(with(NID_ext_key_usage, "clientAuth,emailProtection"), "accepted");
    EXPECT_EQ(with(NID_ext_key_usage, "serverAuth"), "certificate_usage_wrong");
    EXPECT_EQ(with(NID_basic_constraints, "critical,CA:TRUE"), "certificate_usage_wrong");

    auto const anchor = std::ranges::find_if(anchors().roots,
                                             [](auto const& a) { return a.root.der() == pki().root_ec().certificate; });
    ASSERT_NE(anchor, anchors().roots.end());
    auto const& mine = anchor->policies;
    EXPECT_EQ(with(NID_certificate_policies, mine.citizen_authentication.c_str()), "accepted");
    EXPECT_EQ(with(NID_certificate_policies, (mine.citizen_authentication + ",1.2.3.4").c_str()), "accepted");
    EXPECT_EQ(with(NID_certificate_policies, mine.foreigner_authentication.c_str()), "accepted");
    EXPECT_EQ(with(NID_certificate_policies, mine.citizen_signature.c_str()), "certificate_policy_wrong");
    EXPECT_EQ(with(NID_certificate_policies, mine.national_register.c_str()), "certificate_policy_wrong");
    auto const both = mine.citizen_authentication + "," + mine.foreigner_authentication;
    EXPECT_EQ(with(NID_certificate_policies, both.c_str()), "certificate_policy_wrong");
    EXPECT_EQ(with(NID_certificate_policies, "2.5.29.32.0"), "certificate_policy_wrong") << "anyPolicy is for CAs";
    EXPECT_EQ(path_verdict([](X509* x509) { remove(x509, NID_certificate_policies); }), "certificate_policy_wrong");
}

TEST(LeafShape, A7_a_leaf_that_names_nobody_to_ask_about_it_is_not_good)
{
    auto const subject = Certificate::parse(changed(leaf(), [](X509* x509) {
                             remove(x509, NID_info_access);
                             remove(x509, NID_crl_distribution_points);
                         })).value();
    auto const issuer = Certificate::parse(pki().authority(citizen_ca).certificate).value();
    VirtualFetcher fetcher{pki(), noon};
    CrlCache lists;
    EXPECT_EQ(name(run_now(status_of(subject, issuer, AskFirst::ocsp, anchors(), fetcher, lists, our_nonce, noon))),
              "revocation_unreachable");
}

// ---- OCSP -----------------------------------------------------------------------------------------------------------

std::string ocsp_verdict(ByteView response, ByteView request)
{
    auto const subject = Certificate::parse(leaf()).value();
    auto const issuer = Certificate::parse(pki().authority(citizen_ca).certificate).value();
    auto const result = judge_ocsp_response(response, request, subject, issuer, noon);
    if (result) return result->status == CertificateStatus::good ? "good" : "not good";
    return std::string{name_of(result.error().outcome)};
}

Bytes request_for_leaf()
{
    return make_ocsp_request(Certificate::parse(leaf()).value(),
                             Certificate::parse(pki().authority(citizen_ca).certificate).value(), our_nonce);
}

vc::Standings knowing_the_leaf()
{
    auto standings = pki().standings;
    standings.by_serial[{0x10, 0x00, 0x42}] = {.status = vc::CertificateStatus::good};
    return standings;
}

/// The verdict on a good answer by a responder whose certificate was changed.
std::string responder_verdict(Change const& change, vc::Key const& key = {})
{
    auto copy = pki();
    auto& authority = copy.authorities.at(static_cast<std::size_t>(citizen_ca));
    authority.responder_certificate = changed(authority.responder_certificate, [&](X509* x509) {
        if (key) X509_set_pubkey(x509, key.get());
        change(x509);
    });
    auto const* at = authority.responder_certificate.data();
    authority.parsed_responder = std::shared_ptr<x509_st>{
        d2i_X509(nullptr, &at, static_cast<long>(authority.responder_certificate.size())), &X509_free};
    if (key) authority.responder_key = key;
    auto const request = request_for_leaf();
    return ocsp_verdict(vc::answer_ocsp(copy, knowing_the_leaf(), request, noon).value(), request);
}

TEST(Ocsp, A7_a_responder_has_the_word_of_the_CA_for_this_use)
{
    constexpr auto unauthorised = "revocation_responder_unauthorised";
    auto const with = [](int nid, char const* value) {
        return responder_verdict([&](X509* x509) { replace(x509, nid, value); });
    };
    EXPECT_EQ(responder_verdict([](X509*) {}), "good");
    EXPECT_EQ(responder_verdict([](X509* x509) { remove(x509, NID_ext_key_usage); }), unauthorised);
    EXPECT_EQ(with(NID_ext_key_usage, "clientAuth"), unauthorised);
    EXPECT_EQ(with(NID_ext_key_usage, "anyExtendedKeyUsage"), unauthorised);
    EXPECT_EQ(with(NID_ext_key_usage, "critical,OCSPSigning"), "good");
    EXPECT_EQ(with(NID_key_usage, "critical,keyEncipherment"), unauthorised);
    EXPECT_EQ(with(NID_basic_constraints, "critical,CA:TRUE"), unauthorised);
    EXPECT_EQ(responder_verdict([](X509* x509) { add_unknown(x509, false); }), "good");
    EXPECT_EQ(responder_verdict([](X509* x509) { add_unknown(x509, true); }), unauthorised);
    EXPECT_EQ(responder_verdict([](X509*) {}, vc::new_rsa_key(1024)), unauthorised) << "weak key";
    auto const time = [](Instant at) { return std::chrono::system_clock::to_time_t(at); };
    EXPECT_EQ(responder_verdict([&](X509* x509) { ASN1_TIME_set(X509_getm_notAfter(x509), time(noon - 1h)); }),
              unauthorised);
    EXPECT_EQ(responder_verdict([&](X509* x509) { ASN1_TIME_set(X509_getm_notBefore(x509), time(noon + 1h)); }),
              unauthorised);
}

/// The verdict on an answer that was changed and signed anew by the responder.
std::string answer_verdict(std::function<void(OCSP_BASICRESP*)> const& change)
{
    auto const request = request_for_leaf();
    auto const response = vc::answer_ocsp(pki(), knowing_the_leaf(), request, noon).value();
    auto const* at = response.data();
    OcspResponseOwner const parsed{d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(response.size()))};
    OcspBasicOwner const basic{OCSP_response_get1_basic(parsed.get())};
    change(basic.get());
    auto const& authority = pki().authority(citizen_ca);
    EXPECT_EQ(OCSP_basic_sign(basic.get(), authority.parsed_responder.get(), authority.responder_key.get(),
                              EVP_sha384(), nullptr, OCSP_NOTIME | OCSP_NOCERTS),
              1);
    OcspResponseOwner const made{OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic.get())};
    return ocsp_verdict(der_of(made.get(), i2d_OCSP_RESPONSE), request);
}

TEST(Ocsp, what_is_critical_and_not_understood_makes_an_answer_void)
{
    auto const in_answer = [](bool critical) {
        return answer_verdict([critical](OCSP_BASICRESP* answer) {
            OCSP_BASICRESP_add_ext(answer, extension(unknown_extension, critical).get(), -1);
        });
    };
    auto const in_single = [](bool critical) {
        return answer_verdict([critical](OCSP_BASICRESP* answer) {
            OCSP_SINGLERESP_add_ext(OCSP_resp_get0(answer, 0), extension(unknown_extension, critical).get(), -1);
        });
    };
    EXPECT_EQ(answer_verdict([](OCSP_BASICRESP*) {}), "good");
    EXPECT_EQ(in_answer(false), "good");
    EXPECT_EQ(in_answer(true), "revocation_answer_invalid");
    EXPECT_EQ(in_single(false), "good");
    EXPECT_EQ(in_single(true), "revocation_answer_invalid");
}

TEST(Ocsp, names_the_certificate_by_a_digest_that_is_still_safe_enough)
{
    auto const subject = Certificate::parse(leaf()).value();
    auto const issuer = Certificate::parse(pki().authority(citizen_ca).certificate).value();
    auto const named_by = [&](EVP_MD const* digest) {
        OcspRequestOwner const request{OCSP_REQUEST_new()};
        OCSP_request_add0_id(request.get(), OCSP_cert_to_id(digest, subject.x509(), issuer.x509()));
        auto nonce = our_nonce;
        OCSP_request_add1_nonce(request.get(), nonce.data(), static_cast<int>(nonce.size()));
        auto const der = der_of(request.get(), i2d_OCSP_REQUEST);
        return ocsp_verdict(vc::answer_ocsp(pki(), knowing_the_leaf(), der, noon).value(), der);
    };
    EXPECT_EQ(named_by(EVP_sha1()), "good");
    EXPECT_EQ(named_by(EVP_sha256()), "good");
    EXPECT_EQ(named_by(EVP_sha384()), "good");
    EXPECT_EQ(named_by(EVP_md5()), "revocation_answer_invalid");
}

// ---- lists ----------------------------------------------------------------------------------------------------------

/// The Citizen CA's list with something changed, and signed anew.
Bytes changed_list(std::function<void(X509_CRL*)> const& change)
{
    auto const& authority = pki().authority(citizen_ca);
    auto standings = pki().standings;
    standings.by_serial[{0x10, 0x00, 0x99}] = {.status = vc::CertificateStatus::revoked};
    auto const list = vc::make_crl(authority, standings, noon);
    auto const* at = list.data();
    CrlOwner const crl{d2i_X509_CRL(nullptr, &at, static_cast<long>(list.size()))};
    change(crl.get());
    EXPECT_GT(X509_CRL_sign(crl.get(), authority.key.get(), EVP_sha384()), 0);
    return der_of(crl.get(), i2d_X509_CRL);
}

std::string list_verdict(std::function<void(X509_CRL*)> const& change)
{
    auto const issuer = Certificate::parse(pki().authority(citizen_ca).certificate).value();
    auto const result = judge_crl(changed_list(change), Certificate::parse(leaf()).value(), issuer, noon);
    if (result) return result->status == CertificateStatus::good ? "good" : "not good";
    return std::string{name_of(result.error().outcome)};
}

TEST(Crl, what_is_critical_and_not_understood_makes_a_list_void)
{
    auto const in_list = [](bool critical) {
        return list_verdict(
            [critical](X509_CRL* crl) { X509_CRL_add_ext(crl, extension(unknown_extension, critical).get(), -1); });
    };
    auto const in_entry = [](bool critical) {
        return list_verdict([critical](X509_CRL* crl) {
            X509_REVOKED_add_ext(sk_X509_REVOKED_value(X509_CRL_get_REVOKED(crl), 0),
                                 extension(unknown_extension, critical).get(), -1);
        });
    };
    EXPECT_EQ(list_verdict([](X509_CRL*) {}), "good");
    EXPECT_EQ(in_list(false), "good");
    EXPECT_EQ(in_list(true), "revocation_answer_invalid");
    EXPECT_EQ(in_entry(false), "good");
    EXPECT_EQ(in_entry(true), "revocation_answer_invalid");
}

TEST(Crl, of_some_certificates_or_changes_only_says_of_none_that_it_is_good)
{
    auto const with = [](int nid, char const* value) {
        return list_verdict([&](X509_CRL* crl) { X509_CRL_add_ext(crl, extension_of(nid, value).get(), -1); });
    };
    EXPECT_EQ(with(NID_delta_crl, "DER:020101"), "revocation_answer_invalid");
    EXPECT_EQ(with(NID_delta_crl, "critical,DER:020101"), "revocation_answer_invalid");
    // RFC 5280 §5.2.5: users only, CAs only, an indirect list, some reasons only; and one that says nothing of it.
    EXPECT_EQ(with(NID_issuing_distribution_point, "critical,DER:30038101FF"), "revocation_answer_invalid");
    EXPECT_EQ(with(NID_issuing_distribution_point, "critical,DER:30038201FF"), "revocation_answer_invalid");
    EXPECT_EQ(with(NID_issuing_distribution_point, "critical,DER:30038401FF"), "revocation_answer_invalid");
    EXPECT_EQ(with(NID_issuing_distribution_point, "critical,DER:300483020560"), "revocation_answer_invalid");
    EXPECT_EQ(with(NID_issuing_distribution_point, "critical,DER:3000"), "good");
}

/// A distribution point of one URL as the value of issuingDistributionPoint.
std::string for_point(std::string const& url)
{
    auto const wrapped = [](Byte tag, Bytes const& value) {
        EXPECT_LT(value.size(), 0x80U);
        Bytes der{tag, static_cast<Byte>(value.size())};
        append(der, value);
        return der;
    };
    Bytes const name{url.begin(), url.end()};
    return "critical,DER:" + crypto::hex(wrapped(0x30, wrapped(0xA0, wrapped(0xA0, wrapped(0x86, name)))));
}

TEST(Crl, for_another_distribution_point_than_the_certificates_says_nothing_of_it)
{
    auto const with = [](std::string const& value) {
        return list_verdict([&](X509_CRL* crl) {
            X509_CRL_add_ext(crl, extension_of(NID_issuing_distribution_point, value.c_str()).get(), -1);
        });
    };
    auto const own = Certificate::parse(leaf()).value().crl_urls();
    ASSERT_EQ(own.size(), 1U);
    EXPECT_EQ(for_point("http://x/o.crl"), "critical,DER:3014a012a010860e687474703a2f2f782f6f2e63726c");
    EXPECT_EQ(with(for_point("http://x/o.crl")), "revocation_answer_invalid");
    EXPECT_EQ(with(for_point(own[0])), "good");
    EXPECT_EQ(with(for_point(own[0] + "x")), "revocation_answer_invalid");
    EXPECT_EQ(with("critical,DER:300EA00CA10A300806035504030C0178"), "revocation_answer_invalid") << "relative: CN=x";
    EXPECT_EQ(with("critical,DER:3007A005A003820178"), "revocation_answer_invalid") << "a DNS name, no URL";
}

/// Has one list and nothing else.
class OneList final : public RevocationFetcher {
public:
    explicit OneList(Bytes list) : list_{std::move(list)} {}
    Flow<Bytes> post_ocsp(std::string, Bytes) override { co_return fail(Outcome::revocation_unreachable); }
    Flow<Bytes> get_crl(std::string) override
    {
        ++asked;
        co_return list_;
    }
    Flow<Bytes> get_certificate(std::string) override { co_return fail(Outcome::revocation_unreachable); }

    int asked = 0;

private:
    Bytes list_;
};

TEST(Crl, that_was_kept_is_judged_for_each_certificate_by_the_distribution_points_that_it_names)
{
    auto const one = Certificate::parse(leaf()).value();
    auto const url = one.crl_urls().at(0);
    auto const both = "URI:" + url + ",URI:" + url + "2";
    auto const of_both = Certificate::parse(changed(leaf(), [&](X509* x509) {
                             replace(x509, NID_crl_distribution_points, both.c_str());
                         })).value();
    OneList fetcher{changed_list([&](X509_CRL* crl) {
        X509_CRL_add_ext(crl, extension_of(NID_issuing_distribution_point, for_point(url + "2").c_str()).get(), -1);
    })};
    auto const issuer = Certificate::parse(pki().authority(citizen_ca).certificate).value();
    CrlCache lists;
    auto const verdict = [&](Certificate const& subject) {
        return name(run_now(status_of(subject, issuer, AskFirst::crl, anchors(), fetcher, lists, our_nonce, noon)));
    };
    EXPECT_EQ(verdict(of_both), "accepted");
    EXPECT_EQ(verdict(one), "revocation_answer_invalid");
    EXPECT_EQ(fetcher.asked, 1) << "the list was kept";
}

// ---- times ----------------------------------------------------------------------------------------------------------

TEST(RegisterPath, is_judged_at_times_that_nanoseconds_do_not_reach)
{
    auto const& root = pki().root_ec();
    auto const* at = pki().register_ec.certificate.data();
    X509Owner const x509{d2i_X509(nullptr, &at, static_cast<long>(pki().register_ec.certificate.size()))};
    ASSERT_EQ(ASN1_TIME_set_string(X509_getm_notBefore(x509.get()), "16000101000000Z"), 1);
    ASSERT_EQ(ASN1_TIME_set_string(X509_getm_notAfter(x509.get()), "16500101000000Z"), 1);
    ASSERT_GT(X509_sign(x509.get(), root.key.get(), EVP_sha384()), 0);
    auto const certificate = Certificate::parse(der_of(x509.get(), i2d_X509)).value();

    constexpr Instant card_from = std::chrono::sys_days{std::chrono::year{1600} / 6 / 1};
    auto const result = check_register_path(certificate, anchors().roots[0], anchors(), card_from, noon);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().outcome, Outcome::register_certificate_invalid);
    EXPECT_NE(result.error().detail.find("depth 1: certificate is not yet valid"), std::string::npos)
        << "the root, in 1649: " << result.error().detail;
}

} // namespace
} // namespace symbolon::card

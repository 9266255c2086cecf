#include "card/revocation.hpp"

#include "base/ensure.hpp"
#include "base/http.hpp"
#include "card/openssl.hpp"
#include "crypto/hash.hpp"

#include <openssl/objects.h>

#include <algorithm>

namespace symbolon::card {

namespace {

using CrlReason = std::unique_ptr<ASN1_ENUMERATED, FreeWith<ASN1_ENUMERATED_free>>;
using DistributionPoint = std::unique_ptr<ISSUING_DIST_POINT, FreeWith<ISSUING_DIST_POINT_free>>;

constexpr std::size_t most_lists_kept = 64;
constexpr int most_names_of_list = 64;
constexpr int least_security_bits = 112;                       // RSA from 2048, as of certificates
constexpr std::string_view ocsp_signing = "1.3.6.1.5.5.7.3.9"; // RFC 6960 §4.2.2.2

std::unexpected<Failure> invalid(char const* why) { return fail(Outcome::revocation_answer_invalid, why); }

/// Whether now lies from thisUpdate to nextUpdate, both clocks being a little wrong.
Result<void> check_fresh(Instant this_update, std::optional<Instant> next_update, Instant now)
{
    if (this_update > now + revocation_clock_skew) return fail(Outcome::revocation_answer_stale, "thisUpdate to come");
    if (next_update && *next_update + revocation_clock_skew < now)
        return fail(Outcome::revocation_answer_stale, "nextUpdate passed");
    return {};
}

/// Whether a SingleResponse is about `subject`: serial number, and the issuer's name and key by the hash of its own
/// choice.
bool is_about(OCSP_SINGLERESP const* single, Certificate const& subject, Certificate const& issuer)
{
    auto* id = const_cast<OCSP_CERTID*>(OCSP_SINGLERESP_get0_id(single)); // OpenSSL reads it only
    ASN1_OBJECT* algorithm = nullptr;
    if (id == nullptr || OCSP_id_get0_info(nullptr, &algorithm, nullptr, nullptr, id) != 1) return false;
    auto const kind = OBJ_obj2nid(algorithm);
    if (kind != NID_sha1 && kind != NID_sha256 && kind != NID_sha384 && kind != NID_sha512) return false;
    CertificateIdOwner const expected{OCSP_cert_to_id(EVP_get_digestbynid(kind), subject.x509(), issuer.x509())};
    return expected && OCSP_id_cmp(expected.get(), id) == 0;
}

/// RFC 6960 §4.2.2.2: the CA itself, or one whose certificate the CA issued directly, with id-kp-OCSPSigning.
Result<void> check_responder(X509* signer, Certificate const& issuer, Instant now)
{
    auto const refused = [](char const* why) { return fail(Outcome::revocation_responder_unauthorised, why); };

    if (X509_cmp(signer, issuer.x509()) == 0) return {};
    auto const responder = Certificate::parse(der_of(signer, i2d_X509));
    if (!responder) return refused("the responder's certificate is malformed");
    if (responder->issuer_der() != issuer.subject_der() ||
        X509_verify(responder->x509(), X509_get0_pubkey(issuer.x509())) != 1)
        return refused("not issued by the CA of the certificate");
    if (!responder->has_extended_key_usage(ocsp_signing)) return refused("no OCSPSigning");
    if (responder->is_ca()) return refused("another CA");
    if (responder->has_key_usage() && !responder->key_usage_includes(KU_DIGITAL_SIGNATURE)) return refused("keyUsage");
    if ((X509_get_extension_flags(responder->x509()) & EXFLAG_CRITICAL) != 0) return refused("critical extension");
    if (EVP_PKEY_get_security_bits(X509_get0_pubkey(responder->x509())) < least_security_bits)
        return refused("weak key");
    if (now < responder->not_before() - revocation_clock_skew || now > responder->not_after())
        return refused("not valid now");
    return {};
}

/// RFC 6960 §4.4: an extension that is critical and not understood can't be ignored.
bool has_unknown_critical_extension(OCSP_BASICRESP* response, OCSP_SINGLERESP* single)
{
    for (int i = 0; i < OCSP_BASICRESP_get_ext_count(response); ++i) {
        auto* extension = OCSP_BASICRESP_get_ext(response, i);
        if (X509_EXTENSION_get_critical(extension) != 0 &&
            OBJ_obj2nid(X509_EXTENSION_get_object(extension)) != NID_id_pkix_OCSP_Nonce)
            return true;
    }
    for (int i = 0; i < OCSP_SINGLERESP_get_ext_count(single); ++i)
        if (X509_EXTENSION_get_critical(OCSP_SINGLERESP_get_ext(single, i)) != 0) return true;
    return false;
}

/// RFC 5280 §5.3: with a critical extension of an entry that is not understood, the list must not be used.
bool has_unknown_critical_entry_extension(X509_CRL* crl)
{
    auto* entries = X509_CRL_get_REVOKED(crl);
    for (int i = 0; i < sk_X509_REVOKED_num(entries); ++i) {
        auto const* entry = sk_X509_REVOKED_value(entries, i);
        for (int j = 0; j < X509_REVOKED_get_ext_count(entry); ++j) {
            auto* extension = X509_REVOKED_get_ext(entry, j);
            if (X509_EXTENSION_get_critical(extension) != 0 &&
                OBJ_obj2nid(X509_EXTENSION_get_object(extension)) != NID_crl_reason)
                return true;
        }
    }
    return false;
}

/// RFC 5280 §5.2.5: the URLs of the distribution point that a list is for. Fails: revocation_answer_invalid (a name
/// relative to the CA's; no URL among the names).
Result<std::vector<std::string>> urls_of(DIST_POINT_NAME const& point)
{
    if (point.type != 0) return invalid("issuingDistributionPoint: a relative name");
    std::vector<std::string> urls;
    auto const* names = point.name.fullname;
    for (int i = 0; i < std::min(sk_GENERAL_NAME_num(names), most_names_of_list); ++i) {
        int type = 0;
        auto const* value =
            static_cast<ASN1_STRING const*>(GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type));
        if (type != GEN_URI || value == nullptr) continue;
        urls.emplace_back(reinterpret_cast<char const*>(ASN1_STRING_get0_data(value)),
                          static_cast<std::size_t>(ASN1_STRING_length(value)));
    }
    if (urls.empty()) return invalid("issuingDistributionPoint: no URL");
    return urls;
}

} // namespace

Result<void> must_be_good(CertificateStatus status, char const* whose)
{
    switch (status) {
    case CertificateStatus::good: return {};
    case CertificateStatus::on_hold: return fail(Outcome::certificate_suspended, whose);
    case CertificateStatus::revoked: return fail(Outcome::certificate_revoked, whose);
    }
    return fail(Outcome::certificate_status_unknown, whose);
}

Bytes nonce(std::array<Byte, 32> const& chance, Byte n)
{
    Bytes seed{chance.begin(), chance.end()};
    seed.push_back(n);
    return crypto::sha256(ByteView{seed});
}

struct CrlCache::List {
    CrlOwner crl;
    Bytes der;
    Bytes issuer_key;
    Instant this_update;
    Instant next_update;
    Instant fetched_at;
    std::vector<std::string> only_for; ///< URLs of the distribution point that it is for; empty: for all
};

CrlCache::CrlCache() = default;
CrlCache::~CrlCache() = default;

std::shared_ptr<CrlCache::List const> CrlCache::find(std::string const& url) const
{
    std::scoped_lock const lock{mutex_};
    auto const found = lists_.find(url);
    return found == lists_.end() ? nullptr : found->second;
}

void CrlCache::keep(std::string const& url, std::shared_ptr<List const> list)
{
    std::scoped_lock const lock{mutex_};
    if (lists_.size() >= most_lists_kept && !lists_.contains(url))
        lists_.erase(std::ranges::min_element(lists_, {}, [](auto const& entry) { return entry.second->fetched_at; }));
    lists_[url] = std::move(list);
}

Bytes make_ocsp_request(Certificate const& subject, Certificate const& issuer, ByteView nonce)
{
    ENSURE(!nonce.empty() && nonce.size() <= 32);
    OcspRequestOwner const request{OCSP_REQUEST_new()};
    CertificateIdOwner id{OCSP_cert_to_id(EVP_sha1(), subject.x509(), issuer.x509())};
    ENSURE(request && id);
    ENSURE(OCSP_request_add0_id(request.get(), id.release()) != nullptr);
    Bytes copy{nonce.begin(), nonce.end()}; // OpenSSL takes it as writable
    ENSURE(OCSP_request_add1_nonce(request.get(), copy.data(), static_cast<int>(copy.size())) == 1);
    return der_of(request.get(), i2d_OCSP_REQUEST);
}

Result<StatusAnswer> judge_ocsp_response(ByteView response, ByteView request, Certificate const& subject,
                                         Certificate const& issuer, Instant now)
{
    ErrorsLeftAlone const guard;
    if (response.empty() || response.size() > max_ocsp_response_bytes) return invalid("length");
    auto const* at = response.data();
    OcspResponseOwner const parsed{d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(response.size()))};
    if (!parsed || at != response.data() + response.size()) return invalid("no OCSPResponse");

    // RFC 6960 §2.3: these two say "ask again".
    auto const status = OCSP_response_status(parsed.get());
    if (status == OCSP_RESPONSE_STATUS_TRYLATER || status == OCSP_RESPONSE_STATUS_INTERNALERROR)
        return fail(Outcome::revocation_unreachable, "the responder has no answer now");
    if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL) return invalid("the responder refuses the request");
    OcspBasicOwner const basic{OCSP_response_get1_basic(parsed.get())};
    if (!basic) return invalid("no BasicOCSPResponse");

    // §3.2, 1: the certificate identified in a received response corresponds to the one in the request.
    OCSP_SINGLERESP* single = nullptr;
    for (int i = 0; i < OCSP_resp_count(basic.get()); ++i) {
        auto* candidate = OCSP_resp_get0(basic.get(), i);
        if (!is_about(candidate, subject, issuer)) continue;
        if (single != nullptr) return invalid("two answers on one certificate");
        single = candidate;
    }
    if (single == nullptr) return invalid("about another certificate");
    if (has_unknown_critical_extension(basic.get(), single)) return invalid("critical extension");

    // §4.4.1: a responder may leave the nonce out (it prepares answers), but one that is there is ours.
    auto const* request_at = request.data();
    OcspRequestOwner const asked{d2i_OCSP_REQUEST(nullptr, &request_at, static_cast<long>(request.size()))};
    ENSURE(asked != nullptr);
    if (OCSP_check_nonce(asked.get(), basic.get()) == 0) return invalid("the nonce of another request");

    // §3.2, 2 to 4: the signature is valid, the signer is who was asked and may answer.
    CertificateStackOwner const known{sk_X509_new_null()};
    ENSURE(known && sk_X509_push(known.get(), issuer.x509()) > 0);
    X509* signer = nullptr;
    if (OCSP_resp_get0_signer(basic.get(), &signer, known.get()) != 1)
        return fail(Outcome::revocation_responder_unauthorised, "the responder's certificate is not there");
    TRY(check_responder(signer, issuer, now));
    int digest = NID_undef;
    OBJ_find_sigid_algs(OBJ_obj2nid(OCSP_resp_get0_tbs_sigalg(basic.get())->algorithm), &digest, nullptr);
    if (digest == NID_md5 || digest == NID_sha1) return invalid("signed with a digest that is no longer safe");
    if (OCSP_basic_verify(basic.get(), known.get(), nullptr, OCSP_NOVERIFY) != 1) return invalid("signature");

    // §3.2, 5 and 6: thisUpdate is recent enough, nextUpdate is later than now.
    int reason = OCSP_REVOKED_STATUS_NOSTATUS;
    ASN1_GENERALIZEDTIME* this_update_at = nullptr;
    ASN1_GENERALIZEDTIME* next_update_at = nullptr;
    auto const said = OCSP_single_get0_status(single, &reason, nullptr, &this_update_at, &next_update_at);
    auto const this_update = instant_from(this_update_at);
    auto const next_update = instant_from(next_update_at);
    if (!this_update || (next_update_at != nullptr && !next_update)) return invalid("times");
    TRY(check_fresh(*this_update, next_update, now));
    if (!next_update && *this_update + ocsp_without_end_for + revocation_clock_skew < now)
        return fail(Outcome::revocation_answer_stale, "no nextUpdate");

    StatusAnswer answer{
        CertificateStatus::good,
        {RevocationAnswer::Kind::ocsp, {}, {response.begin(), response.end()}, *this_update, next_update}};
    switch (said) {
    case V_OCSP_CERTSTATUS_GOOD: return answer;
    case V_OCSP_CERTSTATUS_REVOKED:
        answer.status =
            reason == OCSP_REVOKED_STATUS_CERTIFICATEHOLD ? CertificateStatus::on_hold : CertificateStatus::revoked;
        return answer;
    default: return fail(Outcome::certificate_status_unknown);
    }
}

namespace {

/// A list of `issuer`, complete, with its signature.
Result<std::shared_ptr<CrlCache::List const>> judge_list(ByteView der, Certificate const& issuer, Instant now)
{
    ErrorsLeftAlone const guard;
    if (der.empty() || der.size() > max_crl_bytes) return invalid("length");
    auto list = std::make_shared<CrlCache::List>();
    auto const* at = der.data();
    list->crl.reset(d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size())));
    auto* crl = list->crl.get();
    if (crl == nullptr || at != der.data() + der.size()) return invalid("no CertificateList");

    if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(issuer.x509())) != 0)
        return invalid("a list of another CA");
    if (!issuer.is_ca() || !issuer.key_usage_includes(KU_CRL_SIGN)) return invalid("the CA may not sign lists");

    // §5.2: unknown critical extensions, deltas and lists of some certificates or reasons only can't tell that one is
    // good.
    for (int i = 0; i < X509_CRL_get_ext_count(crl); ++i) {
        auto* extension = X509_CRL_get_ext(crl, i);
        auto const kind = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
        if (X509_EXTENSION_get_critical(extension) != 0 && kind != NID_issuing_distribution_point)
            return invalid("critical extension");
        if (kind == NID_delta_crl) return invalid("a delta");
    }
    int critical = 0;
    DistributionPoint const point{static_cast<ISSUING_DIST_POINT*>(
        X509_CRL_get_ext_d2i(crl, NID_issuing_distribution_point, &critical, nullptr))};
    if (!point && critical != -1) return invalid("issuingDistributionPoint");
    if (point && (point->onlyuser > 0 || point->onlyCA > 0 || point->onlyattr > 0 || point->indirectCRL > 0 ||
                  point->onlysomereasons != nullptr))
        return invalid("a list of some certificates only");

    auto* key = X509_get0_pubkey(issuer.x509());
    if (key == nullptr || X509_CRL_verify(crl, key) != 1) return invalid("signature");

    if (has_unknown_critical_entry_extension(crl)) return invalid("critical extension of an entry");

    auto const this_update = instant_from(X509_CRL_get0_lastUpdate(crl));
    auto const next_update = instant_from(X509_CRL_get0_nextUpdate(crl));
    if (!this_update || !next_update) return invalid("times");
    TRY(check_fresh(*this_update, next_update, now));

    if (point && point->distpoint != nullptr) list->only_for = TRY(urls_of(*point->distpoint));
    list->der.assign(der.begin(), der.end());
    list->issuer_key = issuer.public_key_info();
    list->this_update = *this_update;
    list->next_update = *next_update;
    list->fetched_at = now;
    return list;
}

/// What a judged list says of a certificate of its issuer. Fails: revocation_answer_invalid (a list for others).
Result<StatusAnswer> look_up(CrlCache::List const& list, Certificate const& subject)
{
    // RFC 5280 §6.3.3 (b) (2) (i): "verify that one of the names in the IDP matches one of the names in the DP". Other
    // certificates that come to the same list may name other points.
    if (!list.only_for.empty() && std::ranges::find_first_of(list.only_for, subject.crl_urls()) == list.only_for.end())
        return invalid("a list for another distribution point");

    StatusAnswer answer{CertificateStatus::good,
                        {RevocationAnswer::Kind::crl, {}, list.der, list.this_update, list.next_update}};
    X509_REVOKED* entry = nullptr;
    auto const found = X509_CRL_get0_by_serial(list.crl.get(), &entry, X509_get0_serialNumber(subject.x509()));
    if (found == 0) return answer;

    // RFC 5280 §5.3.1. 2 is OpenSSL's word for removeFromCRL, which is for deltas: nothing that makes one good here.
    CrlReason const reason{
        static_cast<ASN1_ENUMERATED*>(X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, nullptr, nullptr))};
    auto const held = reason && ASN1_ENUMERATED_get(reason.get()) == CRL_REASON_CERTIFICATE_HOLD;
    answer.status = held ? CertificateStatus::on_hold : CertificateStatus::revoked;
    return answer;
}

/// The URLs that may be asked. A certificate that names only others is refused: its authority is not one that we know.
Result<std::vector<std::string>> allowed(std::vector<std::string> const& urls, Anchors const& anchors)
{
    std::vector<std::string> result;
    std::ranges::copy_if(urls, std::back_inserter(result),
                         [&](auto const& url) { return host_is_allowed(url, anchors.revocation_hosts); });
    if (result.empty() && !urls.empty()) return fail(Outcome::revocation_host_refused);
    return result;
}

Flow<StatusAnswer> ask_ocsp(Certificate subject, Certificate issuer, std::vector<std::string> urls,
                            RevocationFetcher& fetcher, Bytes nonce, Instant now)
{
    auto const request = make_ocsp_request(subject, issuer, nonce);
    for (auto const& url : urls) {
        auto const response = co_await outcome_of(fetcher.post_ocsp(url, request));
        if (!response) continue;
        auto answer = judge_ocsp_response(*response, request, subject, issuer, now);
        if (!answer && answer.error().outcome == Outcome::revocation_unreachable) continue;
        if (answer) answer->answer.url = url;
        co_return answer;
    }
    co_return fail(Outcome::revocation_unreachable, "no OCSP responder answers");
}

Flow<StatusAnswer> ask_crl(Certificate subject, Certificate issuer, std::vector<std::string> urls,
                           RevocationFetcher& fetcher, CrlCache& lists, Instant now)
{
    for (auto const& url : urls) {
        auto kept = lists.find(url);
        if (kept && (kept->issuer_key != issuer.public_key_info() || kept->next_update < now)) kept = nullptr;

        if (!kept || kept->fetched_at + crl_kept_for <= now) {
            auto const fetched = co_await outcome_of(fetcher.get_crl(url));
            if (fetched) {
                kept = co_await judge_list(*fetched, issuer, now);
                lists.keep(url, kept);
            }
        }
        if (!kept) continue;
        auto answer = co_await look_up(*kept, subject);
        answer.answer.url = url;
        co_return answer;
    }
    co_return fail(Outcome::revocation_unreachable, "no revocation list can be had");
}

} // namespace

Result<StatusAnswer> judge_crl(ByteView crl, Certificate const& subject, Certificate const& issuer, Instant now)
{
    return look_up(*TRY(judge_list(crl, issuer, now)), subject);
}

bool host_is_allowed(std::string_view url, std::vector<std::string> const& hosts)
{
    auto const parsed = http::parse_url(url);
    if (!parsed || parsed->has_user_info || parsed->host.empty()) return false;
    if (parsed->scheme != "http" && parsed->scheme != "https") return false;
    auto const usual_port = parsed->scheme == "http" ? "80" : "443";
    auto const name =
        parsed->port.empty() || parsed->port == usual_port ? parsed->host : parsed->host + ":" + parsed->port;
    return std::ranges::find(hosts, name) != hosts.end();
}

Flow<StatusAnswer> status_of(Certificate subject, Certificate issuer, AskFirst first, Anchors const& anchors,
                             RevocationFetcher& fetcher, CrlCache& lists, Bytes nonce, Instant now)
{
    auto const ocsp_urls = co_await allowed(subject.ocsp_urls(), anchors);
    auto const crl_urls = co_await allowed(subject.crl_urls(), anchors);

    if (first == AskFirst::ocsp) {
        auto answer = co_await outcome_of(ask_ocsp(subject, issuer, ocsp_urls, fetcher, nonce, now));
        if (answer || answer.error().outcome != Outcome::revocation_unreachable) co_return answer;
        co_return co_await ask_crl(subject, issuer, crl_urls, fetcher, lists, now);
    }
    auto answer = co_await outcome_of(ask_crl(subject, issuer, crl_urls, fetcher, lists, now));
    if (answer || answer.error().outcome != Outcome::revocation_unreachable) co_return answer;
    co_return co_await ask_ocsp(subject, issuer, ocsp_urls, fetcher, nonce, now);
}

} // namespace symbolon::card

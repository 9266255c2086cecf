#include "virtual_card/openssl.hpp"
#include "virtual_card/pki.hpp"

#include <boost/url/pct_string_view.hpp>
#include <fmt/format.h>

#include <algorithm>

/// What the PKI answers: OCSP, CRLs, CA certificates.
namespace symbolon::virtual_card {

namespace {

constexpr auto one_hour = std::chrono::hours{1};
constexpr auto one_day = std::chrono::days{1};
constexpr std::size_t longest_request_bytes = std::size_t{16} * 1024;

Serial serial_of(ASN1_INTEGER const* integer)
{
    auto* const number = ASN1_INTEGER_to_BN(integer, nullptr);
    ENSURE(number != nullptr);
    Serial serial(static_cast<std::size_t>(BN_num_bytes(number)));
    BN_bn2bin(number, serial.data());
    BN_free(number);
    return serial;
}

Serial serial_of(X509* certificate) { return serial_of(X509_get0_serialNumber(certificate)); }

GeneralizedTime generalized_time_of(Instant at)
{
    auto time = GeneralizedTime{ASN1_GENERALIZEDTIME_set(nullptr, std::chrono::system_clock::to_time_t(at))};
    ENSURE(time);
    return time;
}

/// The CA that a CertID names (RFC 6960 §4.1.1), in whichever digest the client chose.
Authority const* issuer_of(Pki const& pki, OCSP_CERTID* id)
{
    ASN1_OBJECT* algorithm = nullptr;
    OCSP_id_get0_info(nullptr, &algorithm, nullptr, nullptr, id);
    auto const* const md = EVP_get_digestbyobj(algorithm);
    if (md == nullptr) return nullptr;
    for (auto const& authority : pki.authorities) {
        auto const ours = OcspId{OCSP_cert_to_id(md, nullptr, authority.parsed.get())};
        if (ours && OCSP_id_issuer_cmp(ours.get(), id) == 0) return &authority;
    }
    return nullptr;
}

bool is_own(Pki const& pki, Serial const& serial)
{
    return std::ranges::any_of(pki.authorities, [&](auto const& a) { return serial_of(a.parsed.get()) == serial; }) ||
           serial_of(pki.register_ec.parsed.get()) == serial || serial_of(pki.register_rsa.parsed.get()) == serial;
}

Standing standing_of(Pki const& pki, Standings const& standings, Serial const& serial)
{
    if (auto const known = standings.by_serial.find(serial); known != standings.by_serial.end()) return known->second;
    return {.status = is_own(pki, serial) ? CertificateStatus::good : CertificateStatus::unknown};
}

Bytes error_answer(int status)
{
    return der_of<&i2d_OCSP_RESPONSE>(OcspResponse{OCSP_response_create(status, nullptr)}.get());
}

void add_nonce(OCSP_BASICRESP* answer, OCSP_REQUEST* request, Conduct conduct)
{
    if (conduct == Conduct::without_nonce) return;
    if (conduct == Conduct::wrong_nonce) {
        std::array<unsigned char, 16> nonce{"somebody else's"}; // 15 letters and a zero: nobody draws it
        OCSP_basic_add1_nonce(answer, nonce.data(), static_cast<int>(nonce.size()));
        return;
    }
    OCSP_copy_nonce(answer, request); // RFC 8954 §2.1; does nothing when the request has none
}

void add_single(OCSP_BASICRESP* answer, OCSP_CERTID* id, CertificateStatus status, Instant this_update,
                Instant next_update)
{
    auto const from = generalized_time_of(this_update);
    auto const until = generalized_time_of(next_update);
    auto const since = generalized_time_of(this_update - one_day);
    switch (status) {
    case CertificateStatus::good:
        OCSP_basic_add1_status(answer, id, V_OCSP_CERTSTATUS_GOOD, 0, nullptr, from.get(), until.get());
        return;
    case CertificateStatus::suspended:
        OCSP_basic_add1_status(answer, id, V_OCSP_CERTSTATUS_REVOKED, OCSP_REVOKED_STATUS_CERTIFICATEHOLD, since.get(),
                               from.get(), until.get());
        return;
    case CertificateStatus::revoked:
        OCSP_basic_add1_status(answer, id, V_OCSP_CERTSTATUS_REVOKED, OCSP_REVOKED_STATUS_CESSATIONOFOPERATION,
                               since.get(), from.get(), until.get());
        return;
    case CertificateStatus::unknown:
        OCSP_basic_add1_status(answer, id, V_OCSP_CERTSTATUS_UNKNOWN, 0, nullptr, from.get(), until.get());
        return;
    }
}

} // namespace

std::optional<Bytes> answer_ocsp(Pki const& pki, Standings const& standings, ByteView request_der, Instant now)
{
    if (standings.conduct == Conduct::down) return std::nullopt;
    if (standings.conduct == Conduct::try_later) return error_answer(OCSP_RESPONSE_STATUS_TRYLATER);

    auto const* at = request_der.data();
    auto const request = OcspRequest{d2i_OCSP_REQUEST(nullptr, &at, static_cast<long>(request_der.size()))};
    if (!request || at != request_der.data() + request_der.size() || OCSP_request_onereq_count(request.get()) == 0)
        return error_answer(OCSP_RESPONSE_STATUS_MALFORMEDREQUEST);

    auto* const first = OCSP_onereq_get0_id(OCSP_request_onereq_get0(request.get(), 0));
    auto const* const issuer = issuer_of(pki, first);
    if (issuer == nullptr) return error_answer(OCSP_RESPONSE_STATUS_UNAUTHORIZED);

    auto const answer = OcspBasic{OCSP_BASICRESP_new()};
    auto conduct = standings.conduct;
    for (int i = 0; i < OCSP_request_onereq_count(request.get()); ++i) {
        auto* const id = OCSP_onereq_get0_id(OCSP_request_onereq_get0(request.get(), i));
        ASN1_INTEGER* serial = nullptr;
        OCSP_id_get0_info(nullptr, nullptr, nullptr, &serial, id);
        auto standing = standing_of(pki, standings, serial_of(serial));
        if (issuer_of(pki, id) != issuer) standing.status = CertificateStatus::unknown;
        if (conduct == Conduct::honest) conduct = standing.conduct;
        auto const stale = conduct == Conduct::stale;
        add_single(answer.get(), id, standing.status, stale ? now - 3 * one_day : now,
                   stale ? now - 2 * one_day : now + one_hour);
    }
    if (conduct == Conduct::down) return std::nullopt;
    if (conduct == Conduct::try_later) return error_answer(OCSP_RESPONSE_STATUS_TRYLATER);
    add_nonce(answer.get(), request.get(), conduct);

    auto const strange = conduct == Conduct::stranger;
    auto* const signer = strange ? pki.stranger_certificate.get() : issuer->parsed_responder.get();
    auto* const signer_key = strange ? pki.stranger_key.get() : issuer->responder_key.get();
    // OCSP_basic_sign would set producedAt from the real clock, and OpenSSL has no setter for it.
    auto* const produced_at = const_cast<ASN1_GENERALIZEDTIME*>(OCSP_resp_get0_produced_at(answer.get()));
    ENSURE(ASN1_GENERALIZEDTIME_set(produced_at, std::chrono::system_clock::to_time_t(now)) != nullptr);
    ENSURE(OCSP_basic_sign(answer.get(), signer, signer_key, EVP_sha384(), nullptr, OCSP_NOTIME) == 1);
    auto der = der_of<&i2d_OCSP_RESPONSE>(
        OcspResponse{OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, answer.get())}.get());
    if (conduct == Conduct::forged) {
        // The signature comes before the certificates at the end, so its last byte is found by looking for it.
        auto const* const signature = OCSP_resp_get0_signature(answer.get());
        auto const value =
            ByteView{ASN1_STRING_get0_data(signature), static_cast<std::size_t>(ASN1_STRING_length(signature))};
        auto const found = std::ranges::search(der, value);
        ENSURE(!found.empty());
        *(found.end() - 1) ^= 0x01;
    }
    return der;
}

Bytes make_crl(Authority const& authority, Standings const& standings, Instant now)
{
    auto const crl = Crl{X509_CRL_new()};
    auto const time = [](Instant at) { return Time{ASN1_TIME_set(nullptr, std::chrono::system_clock::to_time_t(at))}; };
    X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(authority.parsed.get()));
    X509_CRL_set1_lastUpdate(crl.get(), time(now).get());
    X509_CRL_set1_nextUpdate(crl.get(), time(now + 7 * one_day).get());

    // One table for all CAs: serial numbers are unique across the PKI, so a foreign entry harms nobody.
    for (auto const& [serial, standing] : standings.by_serial) {
        if (standing.status != CertificateStatus::revoked && standing.status != CertificateStatus::suspended) continue;
        auto* const entry = X509_REVOKED_new();
        auto* const number = BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr);
        auto const integer = Integer{BN_to_ASN1_INTEGER(number, nullptr)};
        BN_free(number);
        X509_REVOKED_set_serialNumber(entry, integer.get());
        X509_REVOKED_set_revocationDate(entry, time(now - one_day).get());
        auto* const reason = ASN1_ENUMERATED_new();
        ASN1_ENUMERATED_set(reason, standing.status == CertificateStatus::suspended
                                        ? CRL_REASON_CERTIFICATE_HOLD
                                        : CRL_REASON_CESSATION_OF_OPERATION);
        X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, reason, 0, 0);
        ASN1_ENUMERATED_free(reason);
        X509_CRL_add0_revoked(crl.get(), entry);
    }
    X509_CRL_sort(crl.get());

    X509V3_CTX context{};
    X509V3_set_ctx(&context, authority.parsed.get(), nullptr, nullptr, crl.get(), 0);
    auto* const key_id = X509V3_EXT_conf_nid(nullptr, &context, NID_authority_key_identifier, "keyid:always");
    ENSURE(key_id != nullptr);
    X509_CRL_add_ext(crl.get(), key_id, -1);
    X509_EXTENSION_free(key_id);
    auto const number = Integer{ASN1_INTEGER_new()};
    ASN1_INTEGER_set_int64(number.get(), numeric_date(now));
    X509_CRL_add1_ext_i2d(crl.get(), NID_crl_number, number.get(), 0, 0);
    auto const ec = EVP_PKEY_get_base_id(authority.key.get()) == EVP_PKEY_EC;
    ENSURE(X509_CRL_sign(crl.get(), authority.key.get(), ec ? EVP_sha384() : EVP_sha256()) > 0);
    return der_of<&i2d_X509_CRL>(crl.get());
}

namespace {

std::optional<std::string> percent_decoded(std::string_view text)
{
    auto const encoded = boost::urls::make_pct_string_view(text);
    if (!encoded) return std::nullopt;
    return encoded->decode();
}

std::optional<Bytes> from_base64(std::string_view text)
{
    if (text.empty() || text.size() % 4 != 0) return std::nullopt;
    Bytes out(text.size() / 4 * 3);
    auto const in = bytes_of(text);
    auto const size = EVP_DecodeBlock(out.data(), in.data(), static_cast<int>(in.size()));
    if (size < 0) return std::nullopt;
    auto const padding = static_cast<std::size_t>(text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0);
    out.resize(static_cast<std::size_t>(size) - padding);
    return out;
}

PkiAnswer ocsp_over_http(Pki const& pki, Standings const& standings, ByteView request, Instant now)
{
    auto answer = answer_ocsp(pki, standings, request, now);
    if (!answer) return {.status = 503, .content_type = "text/plain", .body = to_bytes("the responder is down\n")};
    return {.status = 200, .content_type = "application/ocsp-response", .body = std::move(*answer)};
}

} // namespace

PkiAnswer answer_http(Pki const& pki, Standings const& standings, std::string_view method, std::string_view target,
                      ByteView body, Instant now)
{
    constexpr std::string_view ocsp_path = "/ocsp";
    PkiAnswer not_allowed{.status = 405, .content_type = "text/plain", .body = to_bytes("method not allowed\n")};
    if (body.size() > longest_request_bytes || target.size() > longest_request_bytes) return {.status = 413};

    if (target == ocsp_path || target == "/ocsp/") {
        if (method != "POST") return not_allowed;
        return ocsp_over_http(pki, standings, body, now);
    }
    if (target.starts_with("/ocsp/")) {
        // RFC 6960 A.1.1: GET {url}/{url-encoding of base-64 encoding of the DER encoding of the OCSPRequest}
        if (method != "GET") return not_allowed;
        auto const text = percent_decoded(target.substr(ocsp_path.size() + 1));
        auto const request = text ? from_base64(*text) : std::nullopt;
        if (!request) return {.status = 400, .content_type = "text/plain", .body = to_bytes("not base64\n")};
        return ocsp_over_http(pki, standings, *request, now);
    }
    for (auto const& authority : pki.authorities) {
        auto const is_crl = target == "/crl/" + authority.name + ".crl";
        auto const is_certificate = target == "/crt/" + authority.name + ".crt";
        if (!is_crl && !is_certificate) continue;
        if (method != "GET" && method != "HEAD") return not_allowed;
        if (is_certificate)
            return {.status = 200, .content_type = "application/pkix-cert", .body = authority.certificate};
        if (standings.conduct == Conduct::down) return {.status = 503};
        return {.status = 200, .content_type = "application/pkix-crl", .body = make_crl(authority, standings, now)};
    }
    return {.status = 404, .content_type = "text/plain", .body = to_bytes("no such thing\n")};
}

PkiAnswer answer_url(Pki const& pki, Standings const& standings, std::string_view method, std::string_view url,
                     ByteView body, Instant now)
{
    if (!url.starts_with(pki.base_url)) return {.status = 404};
    return answer_http(pki, standings, method, url.substr(pki.base_url.size()), body, now);
}

} // namespace symbolon::virtual_card

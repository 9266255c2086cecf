#pragma once

#include "base/flow.hpp"
#include "base/result.hpp"
#include "card/certificate.hpp"
#include "card/certificate_path.hpp"
#include "card/evidence.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

/// Whether a certificate is still good: OCSP (RFC 6960), certificate revocation lists (RFC 5280 §5).
namespace symbolon::card {

inline constexpr std::size_t max_ocsp_response_bytes = 64UZ * 1024;
inline constexpr std::size_t max_crl_bytes = 16UZ * 1024 * 1024;
inline constexpr Seconds revocation_clock_skew = 5min;
inline constexpr Seconds crl_kept_for = 1h; ///< then it is asked for again, though it may be valid for longer
inline constexpr Seconds ocsp_without_end_for = 10min; ///< age of an answer without nextUpdate

/// Who asks the responders and fetches lists and certificates of CAs. All fail with revocation_unreachable: no answer
/// in time, another HTTP status than 200, an answer longer than max_ocsp_response_bytes, max_crl_bytes or
/// max_certificate_bytes. The hosts were judged before.
class RevocationFetcher {
public:
    virtual ~RevocationFetcher() = default;

    /// POST, application/ocsp-request (RFC 6960 appendix A.1). Gives the body, an OCSPResponse.
    virtual Flow<Bytes> post_ocsp(std::string url, Bytes request) = 0;

    /// GET. Gives the body, a CertificateList.
    virtual Flow<Bytes> get_crl(std::string url) = 0;

    /// GET. Gives the body, a DER certificate (RFC 5280 §4.2.2.1, id-ad-caIssuers).
    virtual Flow<Bytes> get_certificate(std::string url) = 0;
};

enum class CertificateStatus : std::uint8_t { good, on_hold, revoked };

/// Only good is good. Fails: certificate_suspended, certificate_revoked; the detail is `whose`.
Result<void> must_be_good(CertificateStatus status, char const* whose);

/// The nonce of the n-th question to a responder: 32 bytes that nobody foresees.
Bytes nonce(std::array<Byte, 32> const& chance, Byte n);

/// What an authority says of one certificate, with its answer.
struct StatusAnswer {
    CertificateStatus status = CertificateStatus::good;
    RevocationAnswer answer;
};

/// Lists that were judged, by URL, so that one is fetched once an hour and not once a card. Any thread may use it.
class CrlCache {
public:
    struct List; ///< parsed

    CrlCache();
    ~CrlCache();
    CrlCache(CrlCache const&) = delete;
    CrlCache& operator=(CrlCache const&) = delete;

    [[nodiscard]] std::shared_ptr<List const> find(std::string const& url) const;
    void keep(std::string const& url, std::shared_ptr<List const> list);

private:
    std::map<std::string, std::shared_ptr<List const>> lists_;
    mutable std::mutex mutex_;
};

/// A request about one certificate (RFC 6960 §4.1), DER. CertID with SHA-1, which every responder knows. `nonce` has 1
/// to 32 bytes (RFC 8954 §2.1).
Bytes make_ocsp_request(Certificate const& subject, Certificate const& issuer, ByteView nonce);

/// Judges what came back for `request`, which asked about `subject`.
///
/// Fails, first match wins: revocation_unreachable (the responder says tryLater or internalError),
/// revocation_answer_invalid (malformed, another status, not exactly one answer on this certificate, the nonce is not
/// ours), revocation_responder_unauthorised, revocation_answer_invalid (signature), revocation_answer_stale,
/// certificate_status_unknown.
///
/// Source: RFC 6960 §3.2, §4.2.2.2.
Result<StatusAnswer> judge_ocsp_response(ByteView response, ByteView request, Certificate const& subject,
                                         Certificate const& issuer, Instant now);

/// Judges a list, and looks a certificate up in it. Fails, first match wins: revocation_answer_invalid (malformed, of
/// another issuer, partial, for another distribution point, signature), revocation_answer_stale.
///
/// Source: RFC 5280 §6.3.3.
Result<StatusAnswer> judge_crl(ByteView crl, Certificate const& subject, Certificate const& issuer, Instant now);

/// Whether that URL may be asked: http or https, no user name, a host (and port) of the list.
bool host_is_allowed(std::string_view url, std::vector<std::string> const& hosts);

/// Which one is asked first; the other one is asked where the first can't be reached.
enum class AskFirst : std::uint8_t { ocsp, crl };

/// The status of a certificate, asked for where the certificate says. Nothing but an answer that was judged is good.
///
/// Fails: revocation_host_refused; what judge_ocsp_response and judge_crl say; revocation_unreachable (nobody answers,
/// or the certificate names nobody). A wrong answer is not made good by asking another one.
///
/// `anchors`, `fetcher` and `lists` outlive the flow.
Flow<StatusAnswer> status_of(Certificate subject, Certificate issuer, AskFirst first, Anchors const& anchors,
                             RevocationFetcher& fetcher, CrlCache& lists, Bytes nonce, Instant now);

} // namespace symbolon::card

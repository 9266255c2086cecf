#pragma once

#include "base/bytes.hpp"
#include "base/instant.hpp"
#include "base/result.hpp"

#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct evp_pkey_st;
struct x509_st;

/// A test PKI in the shape of the Belgian one (eid-card.md §6). Its names say that it is virtual; no real anchor is in
/// it.
namespace symbolon::virtual_card {

using Key = std::shared_ptr<evp_pkey_st>;

/// What a certificate of the PKI says it is of.
inline constexpr std::string_view virtual_organization = "SYMBOLON VIRTUAL TEST";
inline constexpr std::string_view register_common_name =
    "VIRTUAL TEST RRN"; ///< CN of both National Register certificates

/// RFC 6960 §2.2, with certificateHold told apart (RFC 5280 §5.3.1).
enum class CertificateStatus : std::uint8_t { good, suspended, revoked, unknown };

/// How the responder behaves when asked for a certificate.
enum class Conduct : std::uint8_t {
    honest,
    stale,         ///< thisUpdate and nextUpdate lie in the past
    stranger,      ///< signed by a responder that the issuing CA did not authorise
    forged,        ///< the signature is wrong
    without_nonce, ///< an honest answer without the nonce of the request
    wrong_nonce,   ///< an answer to somebody else's request
    try_later,     ///< OCSPResponseStatus tryLater
    down,          ///< nothing comes back: HTTP 503
};

struct Standing {
    CertificateStatus status = CertificateStatus::good;
    Conduct conduct = Conduct::honest;
    friend bool operator==(Standing const&, Standing const&) = default;
};

/// A serial number as it stands in the certificate, without leading zeros.
using Serial = Bytes;

/// What the responder and the CRLs know. Serial numbers that are in no table are `unknown`; those of CAs and of the
/// National Register are good unless they are listed.
struct Standings {
    std::map<Serial, Standing> by_serial;
    Conduct conduct = Conduct::honest; ///< of the responder as a whole; anything but honest goes before by_serial
};

enum class AuthorityName : std::uint8_t {
    root_ec,
    root_rsa,
    citizen_ca_ec,
    citizen_ca_rsa,
    foreigner_ca_ec,
    foreigner_ca_rsa
};
inline constexpr std::size_t authority_count = 6;

/// A CA with its key and its delegated OCSP responder (RFC 6960 §4.2.2.2: issued by it, EKU OCSPSigning).
struct Authority {
    std::string name;  ///< "citizen-ca-ec": the file name in URLs and folders
    Bytes certificate; ///< DER
    Key key;
    Bytes responder_certificate; ///< DER
    Key responder_key;
    std::shared_ptr<x509_st> parsed;
    std::shared_ptr<x509_st> parsed_responder;
};

/// The National Register's certificate, which signs identity and address files.
struct Register {
    std::string name; ///< "rrn-ec"
    Bytes certificate;
    Key key;
    std::shared_ptr<x509_st> parsed;
};

struct PkiOptions {
    /// Where OCSP, CRLs and CA certificates will be served: http, a loopback host, a port, no slash at the end.
    std::string base_url = "http://127.0.0.1:8406";
    Instant now;
    /// A folder with private RSA keys, so that a test need not wait for them (data/virtual_pki/): root.pem,
    /// citizen-ca.pem, foreigner-ca.pem, register.pem, and leaf-1.pem to leaf-4.pem for cards. Empty: new keys.
    std::filesystem::path rsa_keys;
};

struct Pki {
    std::string base_url;
    std::array<Authority, authority_count> authorities;
    Register register_ec;
    Register register_rsa;
    Key stranger_key; ///< of a responder that nobody authorised
    std::shared_ptr<x509_st> stranger_certificate;
    /// Where cards of generation 1.7 get their keys, as in PkiOptions.
    std::filesystem::path rsa_keys;
    Standings standings;

    [[nodiscard]] Authority const& authority(AuthorityName name) const
    {
        return authorities.at(static_cast<std::size_t>(name));
    }
    [[nodiscard]] Authority const& root_ec() const { return authority(AuthorityName::root_ec); }
    [[nodiscard]] Authority const& root_rsa() const { return authority(AuthorityName::root_rsa); }
};

/// Everything anew: an EC root in the shape of Belgium Root CA6 and an RSA root in that of Root CA4, below each a
/// Citizen CA and a Foreigner CA, the National Register's certificate directly under the root, and an OCSP responder
/// for each CA.
Pki make_pki(PkiOptions const& options);

/// Writes the PKI into a folder: `roots/NAME.pem` are what a server pins; `authorities/` holds certificates and keys.
/// Fails with configuration_invalid when the folder can't be written.
Result<void> save_pki(Pki const& pki, std::filesystem::path const& folder);

/// The PKI of a folder that save_pki wrote. Fails with configuration_invalid.
Result<Pki> load_pki(std::filesystem::path const& folder);

enum class Use : std::uint8_t { authentication, signature };

struct LeafRequest {
    Use use = Use::authentication;
    bool foreigner = false;
    std::string surname;
    std::string given_names; ///< may be empty
    std::string national_number;
    Serial serial;
    Instant not_before, not_after;
    bool crl = true; ///< false: name a CRL that does not exist
};

/// A leaf certificate, DER, in the profile of eid-card.md §6 (authentication: digitalSignature; signature:
/// nonRepudiation and qcStatements), with the policy of its issuer's arc.
Bytes issue_leaf(Pki const& pki, AuthorityName issuer, Key const& subject_key, LeafRequest const& request);

/// The answer of the OCSP responder (RFC 6960) to a request, both DER. `standings` says what it knows and how it
/// behaves; a malformed request gets malformedRequest, a request for certificates of nobody here unauthorized. Nothing:
/// the responder is down.
std::optional<Bytes> answer_ocsp(Pki const& pki, Standings const& standings, ByteView request, Instant now);

/// The CRL of a CA (RFC 5280 §5), DER, valid for seven days from `now`.
Bytes make_crl(Authority const& authority, Standings const& standings, Instant now);

/// What the PKI's web server gives.
struct PkiAnswer {
    int status = 404;
    std::string content_type;
    Bytes body;
};

/// POST /ocsp, GET /ocsp/BASE64 (RFC 6960 A.1), GET /crl/NAME.crl, GET /crt/NAME.crt.
/// `target` is the path as it came, percent-encoded.
PkiAnswer answer_http(Pki const& pki, Standings const& standings, std::string_view method, std::string_view target,
                      ByteView body, Instant now);

/// The same for a whole URL of this PKI, as a client asks for it: what a test gives to code that fetches.
PkiAnswer answer_url(Pki const& pki, Standings const& standings, std::string_view method, std::string_view url,
                     ByteView body, Instant now);

std::string_view name_of(CertificateStatus status);
std::string_view name_of(Conduct conduct);
std::optional<CertificateStatus> status_named(std::string_view name);
std::optional<Conduct> conduct_named(std::string_view name);

} // namespace symbolon::virtual_card

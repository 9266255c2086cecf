#include "card/certificate.hpp"

#include "base/ensure.hpp"
#include "base/text.hpp"
#include "card/openssl.hpp"
#include "card/reading.hpp"
#include "crypto/encoding.hpp"

#include <openssl/core_names.h>

#include <algorithm>
#include <array>

namespace symbolon::card {

namespace {

constexpr std::size_t longest_url = 512;
constexpr int most_entries = 16; // of policies, access descriptions and distribution points

using Policies = std::unique_ptr<CERTIFICATEPOLICIES, FreeWith<CERTIFICATEPOLICIES_free>>;
using Access = std::unique_ptr<AUTHORITY_INFO_ACCESS, FreeWith<AUTHORITY_INFO_ACCESS_free>>;
using Points = std::unique_ptr<CRL_DIST_POINTS, FreeWith<CRL_DIST_POINTS_free>>;
using Purposes = std::unique_ptr<EXTENDED_KEY_USAGE, FreeWith<EXTENDED_KEY_USAGE_free>>;

KeyType key_type_of(EVP_PKEY* key)
{
    if (key == nullptr) return KeyType::other;
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
        if (EVP_PKEY_get_bits(key) == 2048) return KeyType::rsa_2048;
        if (EVP_PKEY_get_bits(key) == 4096) return KeyType::rsa_4096;
        return KeyType::other;
    case EVP_PKEY_EC: {
        // A curve given by its parameters may be one that only looks like P-384 (RFC 5480 §2.1.1: namedCurve MUST be
        // used).
        int explicit_parameters = 0;
        if (EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &explicit_parameters) != 1 ||
            explicit_parameters != 0)
            return KeyType::other;
        std::array<char, 64> name{};
        if (EVP_PKEY_get_group_name(key, name.data(), name.size(), nullptr) != 1) return KeyType::other;
        std::string_view const curve{name.data()};
        if (curve == SN_secp384r1) return KeyType::p384;
        if (curve == SN_X9_62_prime256v1) return KeyType::p256;
        return KeyType::other;
    }
    default: return KeyType::other;
    }
}

/// An extension's value (RFC 5280 §4.2) through OpenSSL; null when it is absent. One that stands twice or can't be
/// parsed is told by `malformed`.
template <class Owner>
Owner extension(X509* x509, int nid, bool& malformed)
{
    int critical = 0;
    Owner owner{static_cast<typename Owner::pointer>(X509_get_ext_d2i(x509, nid, &critical, nullptr))};
    if (!owner && critical != -1) malformed = true;
    return owner;
}

/// An attribute of a name as UTF-8. Twice the same is malformed: it would not be clear which one was judged.
std::optional<std::string> attribute(X509_NAME const* name, int nid, bool& malformed)
{
    auto const at = X509_NAME_get_index_by_NID(name, nid, -1);
    if (at < 0) return std::nullopt;
    if (X509_NAME_get_index_by_NID(name, nid, at) >= 0) malformed = true;

    unsigned char* text = nullptr;
    auto const size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    if (size < 0) {
        malformed = true;
        return std::nullopt;
    }
    std::string value{reinterpret_cast<char const*>(text), static_cast<std::size_t>(size)};
    OPENSSL_free(text);
    if (!displayable(value, 256)) malformed = true;
    return value;
}

void add_url(std::vector<std::string>& urls, GENERAL_NAME const* name, bool& malformed)
{
    int type = 0;
    auto const* value = static_cast<ASN1_STRING const*>(GENERAL_NAME_get0_value(name, &type));
    if (type != GEN_URI || value == nullptr) return;
    std::string_view const url{reinterpret_cast<char const*>(ASN1_STRING_get0_data(value)),
                               static_cast<std::size_t>(ASN1_STRING_length(value))};
    auto const visible = std::ranges::all_of(url, [](char c) { return c > ' ' && c < '\x7F'; });
    if (url.size() > longest_url || !visible) {
        malformed = true;
        return;
    }
    urls.emplace_back(url);
}

/// The places of authorityInfoAccess for one method: NID_ad_OCSP or NID_ad_ca_issuers.
std::vector<std::string> read_access_urls(X509* x509, int method, bool& malformed)
{
    std::vector<std::string> urls;
    auto const access = extension<Access>(x509, NID_info_access, malformed);
    if (!access) return urls;
    for (int i = 0; i < std::min(sk_ACCESS_DESCRIPTION_num(access.get()), most_entries); ++i) {
        auto const* description = sk_ACCESS_DESCRIPTION_value(access.get(), i);
        if (OBJ_obj2nid(description->method) == method) add_url(urls, description->location, malformed);
    }
    return urls;
}

std::vector<std::string> read_crl_urls(X509* x509, bool& malformed)
{
    std::vector<std::string> urls;
    auto const points = extension<Points>(x509, NID_crl_distribution_points, malformed);
    if (!points) return urls;
    for (int i = 0; i < std::min(sk_DIST_POINT_num(points.get()), most_entries); ++i) {
        auto const* point = sk_DIST_POINT_value(points.get(), i);
        if (point->distpoint == nullptr || point->distpoint->type != 0) continue;
        auto const* names = point->distpoint->name.fullname;
        for (int j = 0; j < std::min(sk_GENERAL_NAME_num(names), most_entries); ++j)
            add_url(urls, sk_GENERAL_NAME_value(names, j), malformed);
    }
    return urls;
}

std::vector<std::string> read_policies(X509* x509, bool& malformed)
{
    std::vector<std::string> oids;
    auto const policies = extension<Policies>(x509, NID_certificate_policies, malformed);
    if (!policies) return oids;
    for (int i = 0; i < std::min(sk_POLICYINFO_num(policies.get()), most_entries); ++i)
        oids.push_back(oid_text(sk_POLICYINFO_value(policies.get(), i)->policyid));
    return oids;
}

std::vector<std::string> read_purposes(X509* x509, bool& malformed)
{
    std::vector<std::string> oids;
    auto const purposes = extension<Purposes>(x509, NID_ext_key_usage, malformed);
    if (!purposes) return oids;
    for (int i = 0; i < std::min(sk_ASN1_OBJECT_num(purposes.get()), most_entries); ++i)
        oids.push_back(oid_text(sk_ASN1_OBJECT_value(purposes.get(), i)));
    return oids;
}

/// RFC 5280 §4.2: "A certificate MUST NOT include more than one instance of a particular extension."
bool has_an_extension_twice(X509* x509)
{
    for (int i = 0; i < X509_get_ext_count(x509); ++i)
        if (X509_get_ext_by_OBJ(x509, X509_EXTENSION_get_object(X509_get_ext(x509, i)), i) >= 0) return true;
    return false;
}

/// RFC 5280 §4.1.2.2: not negative, at most 20 octets. What is kept and compared elsewhere has no sign.
bool has_proper_serial_number(X509* x509)
{
    constexpr int most_octets = 20;
    auto const* serial = X509_get0_serialNumber(x509);
    return ASN1_STRING_type(serial) == V_ASN1_INTEGER && ASN1_STRING_length(serial) <= most_octets;
}

} // namespace

struct Certificate::Parsed {
    X509Owner x509;
    Bytes der;
    KeyType key_type = KeyType::other;
    Instant not_before;
    Instant not_after;
    std::optional<std::string> common_name, surname, given_name, serial_number, organization, country;
    std::vector<std::string> policies, purposes, ocsp_urls, ca_issuer_urls, crl_urls;
    bool key_usage_is_critical = false;
};

Result<Certificate> Certificate::parse(ByteView padded)
{
    ErrorsLeftAlone const guard;
    if (padded.size() > max_certificate_bytes + max_padding_bytes)
        return fail(Outcome::certificate_malformed, "file too long");
    auto const der = der_value_before_zeros(padded);
    if (!der) return fail(Outcome::certificate_malformed, "no DER value");
    if (der->size() > max_certificate_bytes) return fail(Outcome::certificate_malformed, "certificate too long");

    auto parsed = std::make_shared<Parsed>();
    auto const* at = der->data();
    parsed->x509.reset(d2i_X509(nullptr, &at, static_cast<long>(der->size())));
    auto* x509 = parsed->x509.get();
    if (x509 == nullptr || at != der->data() + der->size())
        return fail(Outcome::certificate_malformed, "no certificate");
    // Two encodings of one certificate must not pass for two certificates.
    parsed->der.assign(der->begin(), der->end());
    if (der_of(x509, i2d_X509) != parsed->der) return fail(Outcome::certificate_malformed, "not DER");

    // RFC 5280 §4.1.2.1: extensions need version 3. OpenSSL then reads them all and marks what it can't.
    if (X509_get_version(x509) != X509_VERSION_3) return fail(Outcome::certificate_malformed, "not version 3");
    if ((X509_get_extension_flags(x509) & EXFLAG_INVALID) != 0 || has_an_extension_twice(x509))
        return fail(Outcome::certificate_malformed, "extensions");
    if (!has_proper_serial_number(x509)) return fail(Outcome::certificate_malformed, "serial number");

    auto const not_before = instant_from(X509_get0_notBefore(x509));
    auto const not_after = instant_from(X509_get0_notAfter(x509));
    if (!not_before || !not_after) return fail(Outcome::certificate_malformed, "validity");
    parsed->not_before = *not_before;
    parsed->not_after = *not_after;
    parsed->key_type = key_type_of(X509_get0_pubkey(x509));

    bool malformed = false;
    auto const* subject = X509_get_subject_name(x509);
    parsed->common_name = attribute(subject, NID_commonName, malformed);
    parsed->surname = attribute(subject, NID_surname, malformed);
    parsed->given_name = attribute(subject, NID_givenName, malformed);
    parsed->serial_number = attribute(subject, NID_serialNumber, malformed);
    parsed->organization = attribute(subject, NID_organizationName, malformed);
    parsed->country = attribute(subject, NID_countryName, malformed);
    parsed->policies = read_policies(x509, malformed);
    parsed->purposes = read_purposes(x509, malformed);
    parsed->ocsp_urls = read_access_urls(x509, NID_ad_OCSP, malformed);
    parsed->ca_issuer_urls = read_access_urls(x509, NID_ad_ca_issuers, malformed);
    parsed->crl_urls = read_crl_urls(x509, malformed);
    auto const key_usage = X509_get_ext_by_NID(x509, NID_key_usage, -1);
    parsed->key_usage_is_critical = key_usage >= 0 && X509_EXTENSION_get_critical(X509_get_ext(x509, key_usage)) != 0;
    if (malformed) return fail(Outcome::certificate_malformed, "subject or extensions");
    return Certificate{std::move(parsed)};
}

Bytes const& Certificate::der() const { return parsed_->der; }
KeyType Certificate::key_type() const { return parsed_->key_type; }

Bytes Certificate::public_key_info() const { return der_of(X509_get_X509_PUBKEY(x509()), i2d_X509_PUBKEY); }

Instant Certificate::not_before() const { return parsed_->not_before; }
Instant Certificate::not_after() const { return parsed_->not_after; }

bool Certificate::has_key_usage() const { return (X509_get_extension_flags(x509()) & EXFLAG_KUSAGE) != 0; }
bool Certificate::key_usage_is_critical() const { return parsed_->key_usage_is_critical; }

bool Certificate::key_usage_is_exactly(std::uint32_t bits) const
{
    return has_key_usage() && X509_get_key_usage(x509()) == bits;
}

bool Certificate::key_usage_includes(std::uint32_t bits) const
{
    return has_key_usage() && (X509_get_key_usage(x509()) & bits) == bits;
}

bool Certificate::is_ca() const
{
    auto const flags = X509_get_extension_flags(x509());
    return (flags & EXFLAG_BCONS) != 0 && (flags & EXFLAG_CA) != 0;
}

std::optional<long> Certificate::path_length() const
{
    auto const length = X509_get_pathlen(x509());
    return length < 0 ? std::nullopt : std::optional{length};
}

bool Certificate::has_extended_key_usage(std::string_view oid) const
{
    return std::ranges::find(parsed_->purposes, oid) != parsed_->purposes.end();
}

bool Certificate::extended_key_usage_allows(std::string_view oid) const
{
    return parsed_->purposes.empty() || has_extended_key_usage(oid);
}

std::vector<std::string> const& Certificate::policies() const { return parsed_->policies; }

std::optional<std::string> const& Certificate::common_name() const { return parsed_->common_name; }
std::optional<std::string> const& Certificate::surname() const { return parsed_->surname; }
std::optional<std::string> const& Certificate::given_name() const { return parsed_->given_name; }
std::optional<std::string> const& Certificate::serial_number_attribute() const { return parsed_->serial_number; }
std::optional<std::string> const& Certificate::organization() const { return parsed_->organization; }
std::optional<std::string> const& Certificate::country() const { return parsed_->country; }

Bytes Certificate::subject_der() const { return der_of(X509_get_subject_name(x509()), i2d_X509_NAME); }
Bytes Certificate::issuer_der() const { return der_of(X509_get_issuer_name(x509()), i2d_X509_NAME); }

std::string Certificate::serial_hex() const
{
    auto const* serial = X509_get0_serialNumber(x509());
    return crypto::hex({ASN1_STRING_get0_data(serial), static_cast<std::size_t>(ASN1_STRING_length(serial))});
}

std::vector<std::string> const& Certificate::ocsp_urls() const { return parsed_->ocsp_urls; }
std::vector<std::string> const& Certificate::ca_issuer_urls() const { return parsed_->ca_issuer_urls; }
std::vector<std::string> const& Certificate::crl_urls() const { return parsed_->crl_urls; }

X509* Certificate::x509() const { return parsed_->x509.get(); }

} // namespace symbolon::card

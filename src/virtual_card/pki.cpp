#include "virtual_card/pki.hpp"

#include "base/ensure.hpp"
#include "virtual_card/openssl.hpp"

#include <fmt/format.h>
#include <openssl/pem.h>

#include <algorithm>

namespace symbolon::virtual_card {

namespace {

constexpr auto day = std::chrono::days{1};
constexpr auto year = 365 * day;

constexpr std::array<std::string_view, authority_count> authority_names{
    "root-ec", "root-rsa", "citizen-ca-ec", "citizen-ca-rsa", "foreigner-ca-ec", "foreigner-ca-rsa"};

constexpr bool is_root(AuthorityName name) { return name == AuthorityName::root_ec || name == AuthorityName::root_rsa; }
constexpr bool is_ec(AuthorityName name)
{
    return name == AuthorityName::root_ec || name == AuthorityName::citizen_ca_ec ||
           name == AuthorityName::foreigner_ca_ec;
}
constexpr bool is_foreigner(AuthorityName name)
{
    return name == AuthorityName::foreigner_ca_ec || name == AuthorityName::foreigner_ca_rsa;
}
constexpr AuthorityName root_of(AuthorityName name)
{
    return is_ec(name) ? AuthorityName::root_ec : AuthorityName::root_rsa;
}

struct Attribute {
    char const* field;
    std::string_view value;
};

/// In the order given. A value is UTF8String, but PrintableString for C and serialNumber, as on the cards. The upper
/// bounds of X.520 are the caller's affair: legal names are longer than OpenSSL's table allows.
Name name_of(std::initializer_list<Attribute> attributes)
{
    auto name = Name{X509_NAME_new()};
    for (auto const& [field, value] : attributes) {
        if (value.empty()) continue;
        auto const nid = OBJ_txt2nid(field);
        ENSURE(nid != NID_undef);
        auto const type =
            nid == NID_countryName || nid == NID_serialNumber ? V_ASN1_PRINTABLESTRING : V_ASN1_UTF8STRING;
        auto const bytes = bytes_of(value);
        ENSURE(X509_NAME_add_entry_by_NID(name.get(), nid, type, bytes.data(), static_cast<int>(bytes.size()), -1, 0) ==
               1);
    }
    return name;
}

struct CertificateRequest {
    Name subject;
    Key key;
    Bytes serial;
    Instant not_before, not_after;
    std::string extensions; ///< sections of OpenSSL's x509v3_config(5); the extensions stand in [ext]
};

EVP_MD const* digest_for(Key const& issuer_key)
{
    return EVP_PKEY_get_base_id(issuer_key.get()) == EVP_PKEY_EC ? EVP_sha384() : EVP_sha256();
}

Time time_of(Instant at)
{
    auto time = Time{ASN1_TIME_set(nullptr, std::chrono::system_clock::to_time_t(at))};
    ENSURE(time);
    return time;
}

Integer integer_of(ByteView big_endian)
{
    auto* const number = BN_bin2bn(big_endian.data(), static_cast<int>(big_endian.size()), nullptr);
    auto integer = Integer{BN_to_ASN1_INTEGER(number, nullptr)};
    BN_free(number);
    ENSURE(integer);
    return integer;
}

/// Issuer nothing: self-signed.
Certificate issue_certificate(CertificateRequest const& request, X509* issuer, Key const& issuer_key)
{
    auto certificate = Certificate{X509_new(), &X509_free};
    auto* const c = certificate.get();
    X509_set_version(c, X509_VERSION_3);
    X509_set_serialNumber(c, integer_of(request.serial).get());
    X509_set1_notBefore(c, time_of(request.not_before).get());
    X509_set1_notAfter(c, time_of(request.not_after).get());
    X509_set_subject_name(c, request.subject.get());
    X509_set_issuer_name(c, issuer != nullptr ? X509_get_subject_name(issuer) : request.subject.get());
    X509_set_pubkey(c, request.key.get());

    auto const bio = Bio{BIO_new_mem_buf(request.extensions.data(), static_cast<int>(request.extensions.size()))};
    auto const conf = Conf{NCONF_new(nullptr)};
    ENSURE(NCONF_load_bio(conf.get(), bio.get(), nullptr) == 1);
    X509V3_CTX context{};
    X509V3_set_ctx(&context, issuer != nullptr ? issuer : c, c, nullptr, nullptr, 0);
    X509V3_set_nconf(&context, conf.get());
    ENSURE(X509V3_EXT_add_nconf(conf.get(), &context, "ext", c) == 1);

    ENSURE(X509_sign(c, issuer_key.get(), digest_for(issuer_key)) > 0);
    // Parsed again, so that what is used is what was written.
    return parse_certificate(der_of<&i2d_X509>(c));
}

/// AIA and CRL distribution point of what `issuer` issues. A CRL that does not exist shows what happens without one.
std::string where_to_ask(std::string const& base_url, std::string_view issuer, bool crl = true)
{
    return fmt::format("authorityInfoAccess = caIssuers;URI:{0}/crt/{1}.crt,OCSP;URI:{0}/ocsp\n"
                       "crlDistributionPoints = URI:{0}/crl/{2}{1}.crl\n",
                       base_url, issuer, crl ? "" : "none-");
}

Bytes serial_of(std::string_view seed)
{
    // 16 bytes that begin with 10 00, as on the cards; the rest tells certificates apart.
    auto serial = digest(EVP_sha256(), bytes_of(seed));
    serial.resize(16);
    serial[0] = 0x10;
    serial[1] = 0x00;
    return serial;
}

std::string unit_year(Instant now, std::string_view number)
{
    auto const date = std::chrono::year_month_day{std::chrono::floor<std::chrono::days>(now)};
    return fmt::format("{:04}{}", static_cast<int>(date.year()), number);
}

/// eid-card.md §6, "Roots": CA4 has RSA-4096 and SHA-256; CA6 P-384, SHA-384, pathlen 1 and a name with O, two OU and
/// L.
CertificateRequest root_request(AuthorityName name, Key key, PkiOptions const& options)
{
    auto const ec = is_ec(name);
    return {
        .subject = ec ? name_of({{"C", "BE"},
                                 {"L", "Nowhere"},
                                 {"O", virtual_organization},
                                 {"OU", "Nobody's authority"},
                                 {"OU", "For tests only"},
                                 {"CN", "VIRTUAL TEST Belgium Root CA6"}})
                      : name_of({{"C", "BE"}, {"O", virtual_organization}, {"CN", "VIRTUAL TEST Belgium Root CA4"}}),
        .key = std::move(key),
        .serial = serial_of(fmt::format("virtual {}", authority_names.at(static_cast<std::size_t>(name)))),
        .not_before = options.now - 15 * year,
        .not_after = options.now + 15 * year,
        .extensions = fmt::format("[ext]\n"
                                  "basicConstraints = critical,CA:TRUE{}\n"
                                  "keyUsage = critical,keyCertSign,cRLSign\n"
                                  "certificatePolicies = {}\n"
                                  "subjectKeyIdentifier = hash\n",
                                  ec ? ",pathlen:1" : "", ec ? "2.16.56.13.6" : "2.16.56.12.1.1"),
    };
}

/// "Citizen CA" or "Foreigner CA" with subject serialNumber YYYYNN, pathlen 0. CA6's carry anyPolicy and, surprisingly,
/// an EKU.
CertificateRequest ca_request(AuthorityName name, Key key, PkiOptions const& options)
{
    auto const ec = is_ec(name);
    auto const foreigner = is_foreigner(name);
    return {
        .subject = name_of({{"C", "BE"},
                            {"O", virtual_organization},
                            {"CN", foreigner ? "VIRTUAL TEST Foreigner CA" : "VIRTUAL TEST Citizen CA"},
                            {"serialNumber", unit_year(options.now, ec ? "06" : "04")}}),
        .key = std::move(key),
        .serial = serial_of(fmt::format("virtual {}", authority_names.at(static_cast<std::size_t>(name)))),
        .not_before = options.now - 14 * year,
        .not_after = options.now + 13 * year,
        .extensions =
            fmt::format("[ext]\n"
                        "basicConstraints = critical,CA:TRUE,pathlen:0\n"
                        "keyUsage = critical,keyCertSign,cRLSign\n"
                        "certificatePolicies = {}\n"
                        "subjectKeyIdentifier = hash\n"
                        "authorityKeyIdentifier = keyid:always\n{}{}",
                        ec ? "2.5.29.32.0" : (foreigner ? "2.16.56.12.1.1.7" : "2.16.56.12.1.1.2"),
                        ec ? "extendedKeyUsage = clientAuth,emailProtection\n" : "",
                        where_to_ask(options.base_url, authority_names.at(static_cast<std::size_t>(root_of(name))))),
    };
}

/// RFC 6960 §4.2.2.2: issued by the CA it answers for, EKU OCSPSigning, and id-pkix-ocsp-nocheck.
void add_responder(Authority& authority, Instant now)
{
    authority.responder_key = new_ec_key();
    authority.parsed_responder = issue_certificate(
        {
            .subject =
                name_of({{"C", "BE"}, {"O", virtual_organization}, {"CN", "VIRTUAL TEST OCSP of " + authority.name}}),
            .key = authority.responder_key,
            .serial = serial_of("virtual responder of " + authority.name),
            .not_before = now - day,
            .not_after = now + 10 * year,
            .extensions = "[ext]\n"
                          "basicConstraints = critical,CA:FALSE\n"
                          "keyUsage = critical,digitalSignature\n"
                          "extendedKeyUsage = critical,OCSPSigning\n"
                          "noCheck = ignored\n"
                          "subjectKeyIdentifier = hash\n"
                          "authorityKeyIdentifier = keyid:always\n",
        },
        authority.parsed.get(), authority.key);
    authority.responder_certificate = der_of<&i2d_X509>(authority.parsed_responder.get());
}

/// Straight under the root, digitalSignature and nonRepudiation, CA:FALSE.
Register make_register(std::string name, Authority const& root, bool ec, Key key, PkiOptions const& options)
{
    auto certificate = issue_certificate(
        {
            .subject = name_of({{"C", "BE"}, {"O", virtual_organization}, {"CN", register_common_name}}),
            .key = key,
            .serial = serial_of("virtual " + name),
            .not_before = options.now - 14 * year,
            .not_after = options.now + 13 * year,
            .extensions =
                fmt::format("[ext]\n"
                            "basicConstraints = critical,CA:FALSE\n"
                            "keyUsage = critical,digitalSignature,nonRepudiation\n"
                            "certificatePolicies = {}\n"
                            "subjectKeyIdentifier = hash\n"
                            "authorityKeyIdentifier = keyid:always\n{}",
                            ec ? "2.16.56.13.6.0.1" : "2.16.56.12.1.1.4", where_to_ask(options.base_url, root.name)),
        },
        root.parsed.get(), root.key);
    auto der = der_of<&i2d_X509>(certificate.get());
    return {std::move(name), std::move(der), std::move(key), std::move(certificate)};
}

Key rsa_key(PkiOptions const& options, char const* file, unsigned bits)
{
    if (options.rsa_keys.empty()) return new_rsa_key(bits);
    auto key = read_key(options.rsa_keys / file);
    ENSURE(key.has_value());
    return *key;
}

void add_stranger(Pki& pki, Instant now)
{
    pki.stranger_key = new_ec_key();
    pki.stranger_certificate = issue_certificate(
        {
            .subject = name_of({{"C", "BE"}, {"O", virtual_organization}, {"CN", "VIRTUAL TEST OCSP of nobody"}}),
            .key = pki.stranger_key,
            .serial = serial_of("virtual stranger"),
            .not_before = now - day,
            .not_after = now + 10 * year,
            .extensions = "[ext]\n"
                          "basicConstraints = critical,CA:FALSE\n"
                          "keyUsage = critical,digitalSignature\n"
                          "extendedKeyUsage = critical,OCSPSigning\n"
                          "subjectKeyIdentifier = hash\n",
        },
        nullptr, pki.stranger_key);
}

/// Leaf policies of eid-card.md §6, by arc, holder and use.
std::string_view leaf_policy(bool ec, bool foreigner, Use use)
{
    if (ec) {
        if (use == Use::authentication) return foreigner ? "2.16.56.13.6.2.1.1000" : "2.16.56.13.6.1.1.1000";
        return foreigner ? "2.16.56.13.6.2.2.1000" : "2.16.56.13.6.1.2.1000";
    }
    if (use == Use::authentication) return foreigner ? "2.16.56.12.1.1.7.2" : "2.16.56.12.1.1.2.2";
    return foreigner ? "2.16.56.12.1.1.7.1" : "2.16.56.12.1.1.2.1";
}

/// ETSI EN 319 412-5: compliance, key in a qualified device, type of the certificate: eSign.
constexpr std::string_view qualified_statements = "qcStatements = ASN1:SEQUENCE:qc\n"
                                                  "[qc]\n"
                                                  "compliance = SEQUENCE:qc_compliance\n"
                                                  "device = SEQUENCE:qc_device\n"
                                                  "type = SEQUENCE:qc_type\n"
                                                  "[qc_compliance]\n"
                                                  "id = OID:0.4.0.1862.1.1\n"
                                                  "[qc_device]\n"
                                                  "id = OID:0.4.0.1862.1.4\n"
                                                  "[qc_type]\n"
                                                  "id = OID:0.4.0.1862.1.6\n"
                                                  "info = SEQUENCE:qc_types\n"
                                                  "[qc_types]\n"
                                                  "sign = OID:0.4.0.1862.1.6.1\n";

/// CN as on the cards: "Given Names Surname (Authentication)", kept within the 64 characters of X.520 by shortening the
/// names.
std::string common_name(LeafRequest const& request)
{
    auto const suffix = std::string_view{request.use == Use::authentication ? " (Authentication)" : " (Signature)"};
    auto const person = request.given_names.empty() ? request.surname : request.given_names + " " + request.surname;
    std::string kept;
    std::size_t characters = 0;
    for (char const c : person) {
        if ((static_cast<unsigned char>(c) & 0xC0) != 0x80 && ++characters > 64 - suffix.size()) break;
        kept += c;
    }
    return kept + std::string{suffix};
}

} // namespace

Pki make_pki(PkiOptions const& options)
{
    Pki pki{.base_url = options.base_url, .rsa_keys = options.rsa_keys};
    for (std::size_t i = 0; i < authority_count; ++i) {
        auto const name = static_cast<AuthorityName>(i);
        auto& authority = pki.authorities.at(i);
        authority.name = authority_names.at(i);
        authority.key = is_ec(name) ? new_ec_key()
                        : is_root(name)
                            ? rsa_key(options, "root.pem", 4096)
                            : rsa_key(options, is_foreigner(name) ? "foreigner-ca.pem" : "citizen-ca.pem", 2048);
        if (is_root(name)) {
            authority.parsed = issue_certificate(root_request(name, authority.key, options), nullptr, authority.key);
        } else {
            auto const& root = pki.authority(root_of(name));
            authority.parsed = issue_certificate(ca_request(name, authority.key, options), root.parsed.get(), root.key);
        }
        authority.certificate = der_of<&i2d_X509>(authority.parsed.get());
        add_responder(authority, options.now);
    }
    pki.register_ec = make_register("rrn-ec", pki.root_ec(), true, new_ec_key(), options);
    pki.register_rsa = make_register("rrn-rsa", pki.root_rsa(), false, rsa_key(options, "register.pem", 2048), options);
    add_stranger(pki, options.now);
    return pki;
}

Bytes issue_leaf(Pki const& pki, AuthorityName issuer_name, Key const& subject_key, LeafRequest const& request)
{
    auto const& issuer = pki.authority(issuer_name);
    auto const ec = is_ec(issuer_name);
    auto const authentication = request.use == Use::authentication;
    auto extensions = fmt::format("[ext]\n"
                                  "keyUsage = critical,{}\n"
                                  "certificatePolicies = {}\n"
                                  "subjectKeyIdentifier = hash\n"
                                  "authorityKeyIdentifier = keyid:always\n{}",
                                  authentication ? "digitalSignature" : "nonRepudiation",
                                  leaf_policy(ec, is_foreigner(issuer_name), request.use),
                                  where_to_ask(pki.base_url, issuer.name, request.crl));
    if (!ec) extensions += authentication ? "nsCertType = client,email\n" : "nsCertType = email\n";
    if (ec && authentication) extensions += "extendedKeyUsage = clientAuth\n";
    if (!authentication) extensions += qualified_statements;

    auto const cn = common_name(request);
    auto const certificate = issue_certificate(
        {
            .subject = name_of({{"C", "BE"},
                                {"CN", cn},
                                {"SN", request.surname},
                                {"GN", request.given_names},
                                {"serialNumber", request.national_number}}),
            .key = subject_key,
            .serial = request.serial,
            .not_before = request.not_before,
            .not_after = request.not_after,
            .extensions = std::move(extensions),
        },
        issuer.parsed.get(), issuer.key);
    return der_of<&i2d_X509>(certificate.get());
}

// ---- names ------------------------------------------------------------------------------------------------------

namespace {

constexpr std::array statuses{
    std::pair{CertificateStatus::good, std::string_view{"good"}},
    std::pair{CertificateStatus::suspended, std::string_view{"suspended"}},
    std::pair{CertificateStatus::revoked, std::string_view{"revoked"}},
    std::pair{CertificateStatus::unknown, std::string_view{"unknown"}},
};

constexpr std::array conducts{
    std::pair{Conduct::honest, std::string_view{"honest"}},
    std::pair{Conduct::stale, std::string_view{"stale"}},
    std::pair{Conduct::stranger, std::string_view{"stranger"}},
    std::pair{Conduct::forged, std::string_view{"forged"}},
    std::pair{Conduct::without_nonce, std::string_view{"without-nonce"}},
    std::pair{Conduct::wrong_nonce, std::string_view{"wrong-nonce"}},
    std::pair{Conduct::try_later, std::string_view{"try-later"}},
    std::pair{Conduct::down, std::string_view{"down"}},
};

template <class Table, class Value>
std::string_view name_in(Table const& table, Value value)
{
    auto const row = std::ranges::find(table, value, [](auto const& r) { return r.first; });
    ENSURE(row != table.end());
    return row->second;
}

template <class Value, class Table>
std::optional<Value> named_in(Table const& table, std::string_view name)
{
    auto const row = std::ranges::find(table, name, [](auto const& r) { return r.second; });
    if (row == table.end()) return std::nullopt;
    return row->first;
}

} // namespace

std::string_view name_of(CertificateStatus status) { return name_in(statuses, status); }
std::string_view name_of(Conduct conduct) { return name_in(conducts, conduct); }
std::optional<CertificateStatus> status_named(std::string_view name)
{
    return named_in<CertificateStatus>(statuses, name);
}
std::optional<Conduct> conduct_named(std::string_view name) { return named_in<Conduct>(conducts, name); }

// ---- on disk ----------------------------------------------------------------------------------------------------

namespace {

Result<void> write_certificate(X509* certificate, std::filesystem::path const& file)
{
    auto const bio = Bio{BIO_new(BIO_s_mem())};
    ENSURE(PEM_write_bio_X509(bio.get(), certificate) == 1);
    char* text = nullptr;
    auto const size = BIO_get_mem_data(bio.get(), &text);
    return write_file(file, bytes_of({text, static_cast<std::size_t>(size)}));
}

Result<Certificate> read_certificate(std::filesystem::path const& file)
{
    auto const pem = TRY(read_file(file));
    auto const bio = Bio{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
    auto certificate = Certificate{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), &X509_free};
    if (!certificate) return fail(Outcome::configuration_invalid, file.string() + " holds no certificate");
    return certificate;
}

Result<Register> read_register(std::filesystem::path const& folder, std::string name)
{
    auto certificate = TRY(read_certificate(folder / (name + ".pem")));
    auto key = TRY(read_key(folder / (name + ".key.pem")));
    auto der = der_of<&i2d_X509>(certificate.get());
    return Register{std::move(name), std::move(der), std::move(key), std::move(certificate)};
}

} // namespace

Result<void> save_pki(Pki const& pki, std::filesystem::path const& folder)
{
    auto const authorities = folder / "authorities";
    auto const roots = folder / "roots";
    std::error_code error;
    std::filesystem::create_directories(authorities, error);
    std::filesystem::create_directories(roots, error);
    if (error) return fail(Outcome::configuration_invalid, "cannot make " + roots.string() + ": " + error.message());

    TRY(write_file(folder / "base-url", bytes_of(pki.base_url + "\n")));
    for (auto const& a : pki.authorities) {
        TRY(write_certificate(a.parsed.get(), authorities / (a.name + ".pem")));
        TRY(write_key(a.key, authorities / (a.name + ".key.pem")));
        TRY(write_certificate(a.parsed_responder.get(), authorities / (a.name + ".responder.pem")));
        TRY(write_key(a.responder_key, authorities / (a.name + ".responder.key.pem")));
    }
    for (auto const* r : {&pki.register_ec, &pki.register_rsa}) {
        TRY(write_certificate(r->parsed.get(), authorities / (r->name + ".pem")));
        TRY(write_key(r->key, authorities / (r->name + ".key.pem")));
    }
    TRY(write_certificate(pki.stranger_certificate.get(), authorities / "stranger.pem"));
    TRY(write_key(pki.stranger_key, authorities / "stranger.key.pem"));
    TRY(write_certificate(pki.root_ec().parsed.get(), roots / "root-ec.pem"));
    TRY(write_certificate(pki.root_rsa().parsed.get(), roots / "root-rsa.pem"));
    return {};
}

Result<Pki> load_pki(std::filesystem::path const& folder)
{
    auto const authorities = folder / "authorities";
    Pki pki;
    pki.base_url = string_of(TRY(read_file(folder / "base-url")));
    while (!pki.base_url.empty() && pki.base_url.back() == '\n') pki.base_url.pop_back();
    for (std::size_t i = 0; i < authority_count; ++i) {
        auto& a = pki.authorities.at(i);
        a.name = authority_names.at(i);
        a.parsed = TRY(read_certificate(authorities / (a.name + ".pem")));
        a.certificate = der_of<&i2d_X509>(a.parsed.get());
        a.key = TRY(read_key(authorities / (a.name + ".key.pem")));
        a.parsed_responder = TRY(read_certificate(authorities / (a.name + ".responder.pem")));
        a.responder_certificate = der_of<&i2d_X509>(a.parsed_responder.get());
        a.responder_key = TRY(read_key(authorities / (a.name + ".responder.key.pem")));
    }
    pki.register_ec = TRY(read_register(authorities, "rrn-ec"));
    pki.register_rsa = TRY(read_register(authorities, "rrn-rsa"));
    pki.stranger_certificate = TRY(read_certificate(authorities / "stranger.pem"));
    pki.stranger_key = TRY(read_key(authorities / "stranger.key.pem"));
    return pki;
}

} // namespace symbolon::virtual_card

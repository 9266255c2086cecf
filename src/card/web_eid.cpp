#include "card/web_eid.hpp"

#include "base/json.hpp"
#include "card/openssl.hpp"
#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "crypto/key.hpp"

#include <openssl/rsa.h>

#include <algorithm>
#include <iterator>

namespace symbolon::card {

namespace {

constexpr std::size_t p384_field_bytes = 48;
constexpr std::size_t rsa_2048_modulus_bytes = 256;

struct NamedAlgorithm {
    std::string_view name;
    WebEidAlgorithm algorithm;
};
constexpr std::array algorithms{
    NamedAlgorithm{"ES256", {WebEidScheme::ecdsa, 256}},     NamedAlgorithm{"ES384", {WebEidScheme::ecdsa, 384}},
    NamedAlgorithm{"ES512", {WebEidScheme::ecdsa, 512}},     NamedAlgorithm{"PS256", {WebEidScheme::rsa_pss, 256}},
    NamedAlgorithm{"PS384", {WebEidScheme::rsa_pss, 384}},   NamedAlgorithm{"PS512", {WebEidScheme::rsa_pss, 512}},
    NamedAlgorithm{"RS256", {WebEidScheme::rsa_pkcs1, 256}}, NamedAlgorithm{"RS384", {WebEidScheme::rsa_pkcs1, 384}},
    NamedAlgorithm{"RS512", {WebEidScheme::rsa_pkcs1, 512}},
};

/// "web-eid:1", "web-eid:1.0", "web-eid:1.1": a major version says what a token means.
bool is_format_1(std::string_view format)
{
    constexpr std::string_view major = "web-eid:1";
    if (!format.starts_with(major)) return false;
    auto const minor = format.substr(major.size());
    if (minor.empty()) return true;
    return minor.size() > 1 && minor[0] == '.' &&
           std::ranges::all_of(minor.substr(1), [](char sign) { return sign >= '0' && sign <= '9'; });
}

Result<std::string> member(json::Object const& object, std::string_view name)
{
    auto text = json::text(object, name);
    if (!text) return fail(Outcome::web_eid_token_malformed, text.error().detail);
    return text;
}

Result<Bytes> binary(std::string_view base64, char const* name)
{
    auto bytes = crypto::from_base64(base64);
    if (!bytes || bytes->empty()) return fail(Outcome::web_eid_token_malformed, std::string{name} + " is no base64");
    return bytes;
}

crypto::HashAlgorithm hash_of(WebEidAlgorithm algorithm)
{
    switch (algorithm.hash_bits) {
    case 384: return crypto::HashAlgorithm::sha384;
    case 512: return crypto::HashAlgorithm::sha512;
    default: return crypto::HashAlgorithm::sha256;
    }
}

EVP_MD const* digest_kind_of(WebEidAlgorithm algorithm)
{
    switch (algorithm.hash_bits) {
    case 384: return EVP_sha384();
    case 512: return EVP_sha512();
    default: return EVP_sha256();
    }
}

bool verifies_pss(EVP_PKEY* key, EVP_MD const* kind, ByteView digest, ByteView signature)
{
    ErrorsLeftAlone const guard;
    KeyContextOwner const context{EVP_PKEY_CTX_new(key, nullptr)};
    // RFC 7518 §3.5: MGF1 with the same hash, "the size of the salt value is the same size as the hash function
    // output".
    return context && EVP_PKEY_verify_init(context.get()) == 1 &&
           EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), RSA_PSS_SALTLEN_DIGEST) == 1 &&
           EVP_PKEY_CTX_set_signature_md(context.get(), kind) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), kind) == 1 &&
           EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest.data(), digest.size()) == 1;
}

bool has_issued(Certificate const& issuer, Certificate const& leaf)
{
    ErrorsLeftAlone const guard;
    return X509_check_issued(issuer.x509(), leaf.x509()) == X509_V_OK;
}

/// The certificate at the leaf's caIssuers. Where there is none that issued it: nothing, and nobody is to blame.
Flow<std::optional<Certificate>> fetch_issuer(Certificate leaf, Anchors const& anchors, RevocationFetcher& fetcher)
{
    for (auto const& url : leaf.ca_issuer_urls()) {
        if (!host_is_allowed(url, anchors.revocation_hosts)) continue;
        auto const fetched = co_await outcome_of(fetcher.get_certificate(url));
        if (!fetched) continue;
        auto issuer = Certificate::parse(*fetched);
        if (issuer && has_issued(*issuer, leaf)) co_return *std::move(issuer);
    }
    co_return std::optional<Certificate>{};
}

/// The path to a pinned root through a CA that is known, or that the leaf's issuer publishes.
Flow<LeafPath> find_path(Certificate leaf, Anchors const& anchors, RevocationFetcher& fetcher, KnownIssuers& issuers,
                         Instant now)
{
    auto candidates = issuers.of(leaf);
    if (candidates.empty()) {
        auto fetched = co_await fetch_issuer(leaf, anchors, fetcher);
        if (!fetched) co_return fail(Outcome::web_eid_issuer_unknown);
        candidates.push_back(*std::move(fetched));
    }
    // One CA may have several certificates of its key.
    std::optional<Failure> why;
    for (auto const& issuer : candidates) {
        auto path = check_leaf_path(leaf, LeafRole::authentication, issuer, anchors, now);
        if (path) {
            issuers.keep(issuer);
            co_return *std::move(path);
        }
        why = path.error();
    }
    co_return std::unexpected{*std::move(why)};
}

} // namespace

Result<WebEidToken> parse_web_eid_token(std::string_view json)
{
    if (json.size() < min_web_eid_token_characters || json.size() > max_web_eid_token_characters)
        return fail(Outcome::web_eid_token_malformed, "length");
    auto const object = json::parse_object(json);
    if (!object) return fail(Outcome::web_eid_token_malformed, object.error().detail);
    auto const format = TRY(member(*object, "format"));
    if (!is_format_1(format)) return fail(Outcome::web_eid_format_unsupported);

    auto const certificate = TRY(member(*object, "unverifiedCertificate"));
    auto const name = TRY(member(*object, "algorithm"));
    auto const signature = TRY(member(*object, "signature"));
    auto const* const known = std::ranges::find(algorithms, std::string_view{name}, &NamedAlgorithm::name);
    if (known == algorithms.end()) return fail(Outcome::web_eid_algorithm_unsupported);
    return WebEidToken{.certificate = TRY(binary(certificate, "unverifiedCertificate")),
                       .algorithm = known->algorithm,
                       .signature = TRY(binary(signature, "signature"))};
}

Bytes web_eid_digest(WebEidQuestion const& question, WebEidAlgorithm algorithm)
{
    auto const hash = hash_of(algorithm);
    auto message = crypto::hash(hash, bytes_of(question.origin));
    append(message, crypto::hash(hash, bytes_of(question.nonce)));
    return crypto::hash(hash, message);
}

Result<void> check_web_eid_signature(WebEidToken const& token, Certificate const& certificate,
                                     WebEidQuestion const& question)
{
    auto const key = certificate.key_type();
    if (key != KeyType::rsa_2048 && key != KeyType::p384) return fail(Outcome::certificate_key_unsupported);
    // RFC 7518 §3.4: ES384 is P-384 with SHA-384, and no other pair of the two.
    auto const is_ec = key == KeyType::p384;
    if (is_ec ? token.algorithm != WebEidAlgorithm{WebEidScheme::ecdsa, 384}
              : token.algorithm.scheme == WebEidScheme::ecdsa)
        return fail(Outcome::web_eid_algorithm_mismatch);

    if (token.signature.size() != (is_ec ? 2 * p384_field_bytes : rsa_2048_modulus_bytes))
        return fail(Outcome::web_eid_signature_malformed, "length");
    auto signature = token.signature;
    if (is_ec) {
        auto der = crypto::ecdsa_der_from_raw(token.signature, p384_field_bytes);
        if (!der) return fail(Outcome::web_eid_signature_malformed, "r and s");
        signature = *std::move(der);
    }

    auto const digest = web_eid_digest(question, token.algorithm);
    auto const* const kind = digest_kind_of(token.algorithm);
    auto* const native = X509_get0_pubkey(certificate.x509());
    auto const good = token.algorithm.scheme == WebEidScheme::rsa_pss
                          ? verifies_pss(native, kind, digest, signature)
                          : verifies_digest(native, kind, digest, signature);
    if (!good) return fail(Outcome::web_eid_signature_invalid);
    return {};
}

void KnownIssuers::keep(Certificate const& issuer)
{
    std::scoped_lock const lock{mutex_};
    auto const is_there =
        std::ranges::any_of(issuers_, [&](Certificate const& known) { return known.der() == issuer.der(); });
    if (!is_there) issuers_.push_back(issuer);
}

std::vector<Certificate> KnownIssuers::of(Certificate const& leaf) const
{
    std::scoped_lock const lock{mutex_};
    std::vector<Certificate> named;
    std::ranges::copy_if(issuers_, std::back_inserter(named),
                         [&](Certificate const& known) { return has_issued(known, leaf); });
    return named;
}

/// The one that may make a WebEidEvidence.
class WebEidJudge {
public:
    static WebEidEvidence evidence(WebEidEvidence::Parts parts) { return WebEidEvidence{std::move(parts)}; }
};

Flow<WebEidEvidence> judge_web_eid(std::string token, WebEidQuestion question, JudgementMeans means,
                                   KnownIssuers& issuers, std::array<Byte, 32> chance, Instant now)
{
    auto const& anchors = means.anchors;
    auto const parsed = co_await parse_web_eid_token(token);
    auto const leaf = co_await Certificate::parse(parsed.certificate);
    // Whoever can't answer the question learns nothing about a certificate, and makes us ask nobody.
    co_await check_web_eid_signature(parsed, leaf, question);
    if (!leaf.key_usage_is_exactly(KU_DIGITAL_SIGNATURE))
        co_return fail(Outcome::certificate_usage_wrong, "not the authentication certificate");

    auto const path = co_await find_path(leaf, anchors, means.fetcher, issuers, now);
    auto const& issuer = path.issuer;
    auto const& root = path.anchor.root;

    std::vector<RevocationAnswer> answers;
    auto const status =
        co_await status_of(leaf, issuer, AskFirst::ocsp, anchors, means.fetcher, means.lists, nonce(chance, 0), now);
    answers.push_back(status.answer);
    co_await must_be_good(status.status, "authentication certificate");
    auto const issuer_status =
        co_await status_of(issuer, root, AskFirst::crl, anchors, means.fetcher, means.lists, nonce(chance, 1), now);
    answers.push_back(issuer_status.answer);
    co_await must_be_good(issuer_status.status, "CA");

    auto national_number =
        co_await enrolment::NationalNumber::parse(leaf.serial_number_attribute().value_or(std::string{}));
    co_return WebEidJudge::evidence({.national_number = std::move(national_number),
                                     .authentication = leaf,
                                     .issuer = issuer,
                                     .root = root,
                                     .revocation = std::move(answers),
                                     .question = std::move(question),
                                     .token = std::move(token),
                                     .judged_at = now});
}

} // namespace symbolon::card

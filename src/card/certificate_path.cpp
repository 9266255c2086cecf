#include "card/certificate_path.hpp"

#include "base/ensure.hpp"
#include "base/text.hpp"
#include "card/openssl.hpp"
#include "card/reading.hpp"

#include <openssl/bio.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>

namespace symbolon::card {

namespace {

using Bio = std::unique_ptr<BIO, FreeWith<BIO_free>>;

constexpr std::string_view arc_of_root_ca6 = "2.16.56.13.6";
constexpr std::array<std::string_view, 5> known_arcs{"2.16.56.1.1.1", "2.16.56.9.1.1", "2.16.56.10.1.1",
                                                     "2.16.56.12.1.1", arc_of_root_ca6};

constexpr std::string_view client_authentication = "1.3.6.1.5.5.7.3.2"; // RFC 5280 §4.2.1.12

/// Whether a name's part has the word TEST in it.
bool says_test(std::optional<std::string> const& text)
{
    return text && in_small_letters(*text).find("test") != std::string::npos;
}

bool is_test(Certificate const& root) { return says_test(root.common_name()) || says_test(root.organization()); }

/// What X509_verify_cert said, as an outcome. `depth` counts from the leaf, 0.
Failure path_failure(int error, int depth, std::string_view what)
{
    auto const failed = [&](Outcome outcome) {
        return fail(outcome, std::string{what} + ", depth " + std::to_string(depth) + ": " +
                                 X509_verify_cert_error_string(error))
            .error();
    };
    switch (error) {
    case X509_V_ERR_CERT_NOT_YET_VALID: return failed(Outcome::certificate_not_yet_valid);
    case X509_V_ERR_CERT_HAS_EXPIRED: return failed(Outcome::certificate_expired);
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_CERT_UNTRUSTED:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        // At depth 0 the CA of the card did not issue the leaf; above it no pinned root issued the CA.
        return failed(depth == 0 ? Outcome::certificate_path_invalid : Outcome::certificate_root_unknown);
    default: return failed(Outcome::certificate_path_invalid);
    }
}

/// The pinned root that a path from `leaf` over `between` ends in. The path has exactly `length` certificates, root
/// included.
Result<TrustAnchor> build_path(Certificate const& leaf, std::vector<Certificate> const& between, Anchors const& anchors,
                               int length, Instant at, std::string_view what)
{
    StoreOwner const store{X509_STORE_new()};
    CertificateStackOwner const untrusted{sk_X509_new_null()};
    StoreContextOwner const context{X509_STORE_CTX_new()};
    ENSURE(store && untrusted && context);
    for (auto const& anchor : anchors.roots) ENSURE(X509_STORE_add_cert(store.get(), anchor.root.x509()) == 1);
    for (auto const& certificate : between) ENSURE(sk_X509_push(untrusted.get(), certificate.x509()) > 0);
    ENSURE(X509_STORE_CTX_init(context.get(), store.get(), leaf.x509(), untrusted.get()) == 1);

    auto* parameters = X509_STORE_CTX_get0_param(context.get());
    X509_VERIFY_PARAM_set_time(parameters, numeric_date(at)); // to_time_t() counts nanoseconds
    X509_VERIFY_PARAM_set_depth(parameters, length);
    // Level 2: RSA from 2048 bits, no SHA-1. The self-signature of a root counts for nothing, so Root CA3's SHA-1 does
    // no harm.
    X509_VERIFY_PARAM_set_auth_level(parameters, anchors.accept_sha1 ? 0 : 2);
    // Certificates of one root differ in their end (Root CA4): take the one that is valid.
    X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_TRUSTED_FIRST);

    ErrorsLeftAlone const guard;
    auto const verified = X509_verify_cert(context.get());
    if (verified != 1)
        return std::unexpected{
            path_failure(X509_STORE_CTX_get_error(context.get()), X509_STORE_CTX_get_error_depth(context.get()), what)};

    auto* chain = X509_STORE_CTX_get0_chain(context.get());
    if (sk_X509_num(chain) != length) return fail(Outcome::certificate_path_invalid, std::string{what} + ": length");
    auto const root = der_of(sk_X509_value(chain, length - 1), i2d_X509);
    auto const anchor = std::ranges::find_if(anchors.roots, [&](auto const& a) { return a.root.der() == root; });
    if (anchor == anchors.roots.end()) return fail(Outcome::certificate_root_unknown, std::string{what});
    if (anchor->is_test_pki && !anchors.accept_test_pki) return fail(Outcome::certificate_test_pki);
    return *anchor;
}

/// RFC 5280 §4.2.1.9 and §4.2.1.3: who may issue certificates.
bool may_issue(Certificate const& ca) { return ca.is_ca() && ca.key_usage_includes(KU_KEY_CERT_SIGN); }

bool has_policy(Certificate const& certificate, std::string const& oid)
{
    return std::ranges::find(certificate.policies(), oid) != certificate.policies().end();
}

/// keyUsage says what a key is for; the two keys of a card never share a use.
Result<void> check_usage(Certificate const& leaf, LeafRole role)
{
    if (leaf.is_ca()) return fail(Outcome::certificate_usage_wrong, "a CA's certificate");
    if (!leaf.key_usage_is_critical()) return fail(Outcome::certificate_usage_wrong, "keyUsage not critical");
    switch (role) {
    case LeafRole::authentication:
        if (!leaf.key_usage_is_exactly(KU_DIGITAL_SIGNATURE))
            return fail(Outcome::certificate_usage_wrong, "keyUsage of authentication");
        if (!leaf.extended_key_usage_allows(client_authentication))
            return fail(Outcome::certificate_usage_wrong, "extendedKeyUsage of authentication");
        break;
    case LeafRole::signature:
        if (!leaf.key_usage_is_exactly(KU_NON_REPUDIATION))
            return fail(Outcome::certificate_usage_wrong, "keyUsage of signature");
        break;
    }
    return {};
}

} // namespace

CertificatePolicies policies_below(std::string_view arc)
{
    std::string const below{arc};
    if (arc == arc_of_root_ca6)
        return {below + ".1.1.1000", below + ".1.2.1000", below + ".2.1.1000", below + ".2.2.1000", below + ".0.1"};
    return {below + ".2.2", below + ".2.1", below + ".7.2", below + ".7.1", below + ".4"};
}

bool is_part_of_known_arc(std::string_view arc)
{
    return std::ranges::any_of(known_arcs,
                               [above = std::string{arc} + '.'](auto known) { return known.starts_with(above); });
}

Result<TrustAnchor> make_anchor(ByteView root_der, std::string_view arc, bool is_test_pki)
{
    auto root = TRY(Certificate::parse(root_der));
    if (!may_issue(root)) return fail(Outcome::configuration_invalid, "a trust anchor is not the certificate of a CA");
    if (arc.empty()) {
        auto const known = std::ranges::find_if(known_arcs, [&](auto a) { return has_policy(root, std::string{a}); });
        if (known == known_arcs.end())
            return fail(Outcome::configuration_invalid, "the policy arc of a trust anchor must be given: "
                                                        "its certificate names none that is known");
        arc = *known;
    }
    auto const test = is_test_pki || is_test(root);
    return TrustAnchor{std::move(root), policies_below(arc), test};
}

Result<std::vector<Bytes>> certificates_of_pem(std::string_view pem)
{
    Bio const bio{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
    ENSURE(bio != nullptr);
    std::vector<Bytes> certificates;
    ErrorsLeftAlone const guard;
    while (X509Owner const x509{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)})
        certificates.push_back(der_of(x509.get(), i2d_X509));
    if (certificates.empty()) return fail(Outcome::certificate_malformed, "no certificate in PEM");
    return certificates;
}

Result<LeafPath> check_leaf_path(Certificate leaf, LeafRole role, Certificate issuer, Anchors const& anchors,
                                 Instant now)
{
    if (leaf.key_type() != KeyType::rsa_2048 && leaf.key_type() != KeyType::p384)
        return fail(Outcome::certificate_key_unsupported);
    TRY(check_usage(leaf, role));

    if (!may_issue(issuer)) return fail(Outcome::certificate_path_invalid, "the issuer is no CA");
    auto anchor = TRY(build_path(leaf, {issuer}, anchors, 3, now, "leaf"));

    auto const& policies = anchor.policies;
    auto const authentication = role == LeafRole::authentication;
    auto const citizen =
        has_policy(leaf, authentication ? policies.citizen_authentication : policies.citizen_signature);
    auto const foreigner =
        has_policy(leaf, authentication ? policies.foreigner_authentication : policies.foreigner_signature);
    if (citizen == foreigner) return fail(Outcome::certificate_policy_wrong);
    return LeafPath{std::move(leaf), std::move(issuer), std::move(anchor), foreigner};
}

Result<void> check_leaves_agree(LeafPath const& authentication, LeafPath const& signature)
{
    auto const& one = authentication.leaf;
    auto const& other = signature.leaf;
    if (one.serial_number_attribute() != other.serial_number_attribute() || one.surname() != other.surname() ||
        one.given_name() != other.given_name())
        return fail(Outcome::certificates_disagree, "subject");
    if (one.issuer_der() != other.issuer_der() || !(authentication.issuer == signature.issuer))
        return fail(Outcome::certificates_disagree, "issuer");
    if (authentication.foreigner != signature.foreigner) return fail(Outcome::certificates_disagree, "policy");
    if (one.key_type() != other.key_type()) return fail(Outcome::certificates_disagree, "key type");
    // One key in two roles would make a signature of the one pass for the other's.
    if (one.public_key_info() == other.public_key_info()) return fail(Outcome::certificates_disagree, "one key");
    return {};
}

Result<void> check_register_path(Certificate const& certificate, TrustAnchor const& anchor, Anchors const& anchors,
                                 Instant card_valid_from, Instant now)
{
    auto const refused = [](char const* why) { return fail(Outcome::register_certificate_invalid, why); };

    auto const key = certificate.key_type();
    if (key != KeyType::rsa_2048 && key != KeyType::rsa_4096 && key != KeyType::p384) return refused("key type");
    if (certificate.is_ca() || !certificate.has_key_usage() ||
        !(certificate.key_usage_includes(KU_DIGITAL_SIGNATURE) || certificate.key_usage_includes(KU_NON_REPUDIATION)))
        return refused("usage");

    // C=BE, O=RRN, CN=RRN; a test PKI may say in the name that it is one.
    auto const name = certificate.common_name().value_or("");
    if (anchor.is_test_pki ? !name.ends_with("RRN") : name != "RRN" || certificate.organization() != "RRN")
        return refused("name");
    if (certificate.country() != "BE") return refused("country");

    // The Register's certificates are shorter-lived than cards. What counts is that it was valid while it may have
    // signed: from the card's first day on, and the address at any later move.
    if (certificate.not_before() > now) return refused("not yet valid");
    if (certificate.not_after() < card_valid_from) return refused("ended before the card was issued");
    auto const at = std::min(now, certificate.not_after() - 1s);

    auto const found = build_path(certificate, {}, anchors, 2, at, "register");
    if (!found && found.error().outcome == Outcome::certificate_test_pki) return std::unexpected{found.error()};
    if (!found) return fail(Outcome::register_certificate_invalid, found.error().detail);
    if (found->root.public_key_info() != anchor.root.public_key_info()) return refused("another root than the leaves'");
    if (!has_policy(certificate, anchor.policies.national_register)) return refused("policy");
    return {};
}

} // namespace symbolon::card

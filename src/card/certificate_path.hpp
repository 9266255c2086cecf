#pragma once

#include "base/result.hpp"
#include "card/certificate.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace symbolon::card {

/// The policy that a certificate below one root carries, by its role (eid-card.md §6; Belgian CPS of each root). Dotted
/// OIDs.
struct CertificatePolicies {
    std::string citizen_authentication;
    std::string citizen_signature;
    std::string foreigner_authentication;
    std::string foreigner_signature;
    std::string national_register;
};

/// The policies below a root's arc: "2.16.56.13.6" (Root CA6) has a scheme of its own, the arcs before it another.
CertificatePolicies policies_below(std::string_view arc);

/// Whether a dotted OID lies above the known arc of a root, and so begins the policies of none.
bool is_part_of_known_arc(std::string_view arc);

/// A root that is trusted, because somebody put it into the configuration.
struct TrustAnchor {
    Certificate root;
    CertificatePolicies policies;
    bool is_test_pki = false;
};

/// A root certificate (DER) as an anchor. `arc` empty: the arc that the root itself names among its policies. An anchor
/// whose name says that it is for tests (CN or O with the word TEST) is a test anchor whatever `is_test_pki` says.
///
/// Fails: certificate_malformed; configuration_invalid (no CA, no arc).
Result<TrustAnchor> make_anchor(ByteView root_der, std::string_view arc, bool is_test_pki);

/// The certificates of a PEM file, as DER. Fails: certificate_malformed.
Result<std::vector<Bytes>> certificates_of_pem(std::string_view pem);

/// What the configuration trusts.
struct Anchors {
    std::vector<TrustAnchor> roots;
    /// Who may be asked about revocation: "ocsp.eid.belgium.be", "127.0.0.1:8406". Without a port: 80 and 443.
    std::vector<std::string> revocation_hosts;
    bool accept_test_pki = false; ///< test_pki = true in the configuration
    /// Signatures and photo hashes with SHA-1, of the oldest 1.7 cards.
    bool accept_sha1 = false;
};

enum class LeafRole : std::uint8_t { authentication, signature };

/// The holder's certificate with the path that was judged.
struct LeafPath {
    Certificate leaf;
    Certificate issuer;
    TrustAnchor anchor;
    bool foreigner = false; ///< issued to a foreigner, by its policy
};

/// Judges a leaf: key type, role by keyUsage, path leaf → CA → pinned root valid at `now`, role by policy. A RSA leaf
/// under an EC CA is as good as any. Where several certificates of one root are pinned, one that is valid is enough.
///
/// Fails, first match wins: certificate_key_unsupported, certificate_usage_wrong, certificate_path_invalid,
/// certificate_root_unknown, certificate_not_yet_valid, certificate_expired, certificate_test_pki,
/// certificate_policy_wrong.
///
/// Source: RFC 5280 §6.1; eid-card.md §6 and §7 items 3 and 4.
Result<LeafPath> check_leaf_path(Certificate leaf, LeafRole role, Certificate issuer, Anchors const& anchors,
                                 Instant now);

/// Whether both leaves are of one person from one CA: subject's serialNumber, SN, GN; issuer. Fails:
/// certificates_disagree.
Result<void> check_leaves_agree(LeafPath const& authentication, LeafPath const& signature);

/// Judges the National Register's certificate: directly under `anchor`, the root of the leaves; its name, usage and
/// policy.
///
/// It may have ended since it signed the files: it must have been valid at some time from the card's first day to now.
///
/// Fails: register_certificate_invalid.
Result<void> check_register_path(Certificate const& certificate, TrustAnchor const& anchor, Anchors const& anchors,
                                 Instant card_valid_from, Instant now);

} // namespace symbolon::card

#pragma once

#include "base/flow.hpp"
#include "base/instant.hpp"
#include "card/evidence.hpp"
#include "card/judgement.hpp"
#include "enrolment/national_number.hpp"

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

/// The Web eID authentication token (Web eID specification 2.0, "Web eID authentication token"; eid-card.md §8): a
/// browser extension asks the card's authentication key to sign the page's origin and the server's nonce. It proves
/// whose card it is and that its holder knows the PIN. It carries no identity file.
namespace symbolon::card {

inline constexpr std::size_t min_web_eid_token_characters = 100;
inline constexpr std::size_t max_web_eid_token_characters = 10'000;
inline constexpr std::size_t web_eid_nonce_bytes = 32; ///< its base64 text has 44 characters

/// How a signature is made (RFC 7518 §3.1).
enum class WebEidScheme : std::uint8_t { ecdsa, rsa_pss, rsa_pkcs1 };

/// One of ES256 … RS512.
struct WebEidAlgorithm {
    WebEidScheme scheme = WebEidScheme::ecdsa;
    int hash_bits = 256; ///< 256, 384 or 512

    friend bool operator==(WebEidAlgorithm const&, WebEidAlgorithm const&) = default;
};

/// A token that was read and not judged.
struct WebEidToken {
    Bytes certificate; ///< DER, "unverifiedCertificate"
    WebEidAlgorithm algorithm;
    Bytes signature;
};

/// Reads the JSON text of a token. Members that are not known are left alone: minor versions add some.
///
/// Fails, first match wins: web_eid_token_malformed (length, JSON, a member missing or of another type),
/// web_eid_format_unsupported (another major version than 1), web_eid_algorithm_unsupported, web_eid_token_malformed
/// (no base64 with padding).
Result<WebEidToken> parse_web_eid_token(std::string_view json);

/// What the card was to sign.
struct WebEidQuestion {
    std::string origin; ///< of our page, RFC 6454 §6.2: "https://id.example"
    std::string nonce;  ///< base64 as the page got it: it is the text that is hashed
};

/// The digest that the card signs for an algorithm: H(H(origin) ‖ H(nonce)).
Bytes web_eid_digest(WebEidQuestion const& question, WebEidAlgorithm algorithm);

/// Whether the certificate's key answered that question with that algorithm. It says nothing about the certificate.
///
/// Fails, first match wins: certificate_key_unsupported (neither RSA-2048 nor P-384), web_eid_algorithm_mismatch (of
/// another kind of key or curve), web_eid_signature_malformed (not r‖s of twice the field's size, or not of the
/// modulus's), web_eid_signature_invalid (another key, origin or nonce).
Result<void> check_web_eid_signature(WebEidToken const& token, Certificate const& certificate,
                                     WebEidQuestion const& question);

/// Certificates of CAs, for leaves that come without theirs: from the configuration, from cards that were read, and
/// those that were fetched. They count for nothing by themselves: check_leaf_path judges. Any thread may use it.
class KnownIssuers {
public:
    void keep(Certificate const& issuer);

    /// Those that the leaf names: issuer's name and key identifier (RFC 5280 §4.1.2.4, §4.2.1.1).
    [[nodiscard]] std::vector<Certificate> of(Certificate const& leaf) const;

private:
    std::vector<Certificate> issuers_;
    mutable std::mutex mutex_;
};

/// A token that was judged, by judge_web_eid() alone.
class WebEidEvidence {
public:
    [[nodiscard]] enrolment::NationalNumber const& national_number() const { return parts_.national_number; }
    [[nodiscard]] Certificate const& authentication() const { return parts_.authentication; }
    [[nodiscard]] Certificate const& issuer() const { return parts_.issuer; }
    [[nodiscard]] Certificate const& root() const { return parts_.root; }
    /// The answers on the leaf and on its CA.
    [[nodiscard]] std::vector<RevocationAnswer> const& revocation() const { return parts_.revocation; }
    [[nodiscard]] WebEidQuestion const& question() const { return parts_.question; }
    [[nodiscard]] std::string const& token() const { return parts_.token; } ///< JSON, as it came
    [[nodiscard]] Instant judged_at() const { return parts_.judged_at; }

private:
    friend class WebEidJudge;

    struct Parts {
        enrolment::NationalNumber national_number;
        Certificate authentication;
        Certificate issuer;
        Certificate root;
        std::vector<RevocationAnswer> revocation;
        WebEidQuestion question;
        std::string token;
        Instant judged_at;
    };
    explicit WebEidEvidence(Parts parts) : parts_{std::move(parts)} {}

    Parts parts_;
};

/// Judges a token: the one way to a WebEidEvidence. `question` was made by the server for this page and taken out of
/// its store before. The token carries the leaf alone. Its CA is one that is known, or is fetched where the leaf says
/// (authorityInfoAccess, caIssuers; on many Belgian cards that is the root), from the hosts that may be asked about
/// revocation; it counts for nothing until a pinned root has issued it. `chance`: 32 random bytes for the nonces of
/// OCSP requests. What is referred to outlives the flow.
///
/// Fails, first match wins: those of parse_web_eid_token; certificate_malformed; those of check_web_eid_signature;
/// certificate_usage_wrong (a card's other certificate); web_eid_issuer_unknown (its CA can't be had); those of
/// check_leaf_path; certificate_revoked, certificate_suspended,
/// certificate_status_unknown and the failures of status_of, for the leaf, then for its CA; national_number_invalid.
Flow<WebEidEvidence> judge_web_eid(std::string token, WebEidQuestion question, JudgementMeans means,
                                   KnownIssuers& issuers, std::array<Byte, 32> chance, Instant now);

} // namespace symbolon::card

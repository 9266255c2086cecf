#pragma once

#include "base/bytes.hpp"
#include "base/instant.hpp"
#include "base/result.hpp"

#include <openssl/types.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace symbolon::card {

enum class KeyType : std::uint8_t { rsa_2048, rsa_4096, p256, p384, other };

/// An X.509 certificate (RFC 5280), parsed and bounded, not judged. Copies share one parsed object.
class Certificate {
public:
    /// From DER, cut at its own length: what follows must be zeros (the padding of a card file).
    /// Fails: certificate_malformed.
    static Result<Certificate> parse(ByteView padded);

    /// Without the padding.
    [[nodiscard]] Bytes const& der() const;

    [[nodiscard]] KeyType key_type() const;
    [[nodiscard]] Bytes public_key_info() const; ///< DER SubjectPublicKeyInfo
    [[nodiscard]] Instant not_before() const;
    [[nodiscard]] Instant not_after() const;

    // RFC 5280 §4.2.1.3: the bits alone, and whether the extension is there and critical.
    [[nodiscard]] bool has_key_usage() const;
    [[nodiscard]] bool key_usage_is_critical() const;
    [[nodiscard]] bool key_usage_is_exactly(std::uint32_t bits) const; ///< KU_… of OpenSSL
    [[nodiscard]] bool key_usage_includes(std::uint32_t bits) const;

    [[nodiscard]] bool is_ca() const; ///< basicConstraints cA
    [[nodiscard]] std::optional<long> path_length() const;
    [[nodiscard]] bool extended_key_usage_allows(std::string_view oid) const; ///< true when there is none
    [[nodiscard]] bool has_extended_key_usage(std::string_view oid) const;
    [[nodiscard]] std::vector<std::string> const& policies() const; ///< dotted OIDs

    // Of the subject, UTF-8; nothing when absent, repeated ones are malformed at parsing.
    [[nodiscard]] std::optional<std::string> const& common_name() const;
    [[nodiscard]] std::optional<std::string> const& surname() const;
    [[nodiscard]] std::optional<std::string> const& given_name() const;
    [[nodiscard]] std::optional<std::string> const& serial_number_attribute() const;
    [[nodiscard]] std::optional<std::string> const& organization() const;
    [[nodiscard]] std::optional<std::string> const& country() const;

    [[nodiscard]] Bytes subject_der() const;
    [[nodiscard]] Bytes issuer_der() const;
    [[nodiscard]] std::string serial_hex() const;

    [[nodiscard]] std::vector<std::string> const& ocsp_urls() const;      ///< authorityInfoAccess, RFC 5280 §4.2.2.1
    [[nodiscard]] std::vector<std::string> const& ca_issuer_urls() const; ///< of the same, id-ad-caIssuers
    [[nodiscard]] std::vector<std::string> const& crl_urls() const;       ///< cRLDistributionPoints, RFC 5280 §4.2.1.13

    /// For OpenSSL; lives as long as this object or a copy.
    [[nodiscard]] X509* x509() const;

    friend bool operator==(Certificate const& left, Certificate const& right) { return left.der() == right.der(); }

private:
    struct Parsed;
    explicit Certificate(std::shared_ptr<Parsed const> parsed) : parsed_{std::move(parsed)} {}

    std::shared_ptr<Parsed const> parsed_;
};

} // namespace symbolon::card

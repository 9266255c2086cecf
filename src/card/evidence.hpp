#pragma once

#include "base/bytes.hpp"
#include "base/instant.hpp"
#include "card/address_file.hpp"
#include "card/certificate.hpp"
#include "card/identity_file.hpp"
#include "card/reading.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace symbolon::card {

enum class Generation : std::uint8_t { v1_7, v1_8 };

/// An answer about revocation that was believed, as it came.
struct RevocationAnswer {
    enum class Kind : std::uint8_t { ocsp, crl };

    Kind kind = Kind::ocsp;
    std::string url;
    Bytes der; ///< OCSPResponse (RFC 6960 §4.2.1) or CertificateList (RFC 5280 §5.1)
    Instant this_update;
    std::optional<Instant> next_update;
};

/// The holder's certificate for qualified signatures, and whether it may be used now.
struct SignatureCertificate {
    enum class State : std::uint8_t {
        active,
        on_hold, ///< not activated yet, or suspended (revocation reason certificateHold)
    };

    Certificate certificate;
    State state = State::active;
};

/// A card that was judged, by judge() alone: its files are the Register's, its certificates good, its chip genuine.
/// Whether its holder may enrol is another question: enrolment/age.hpp.
class CardEvidence {
public:
    [[nodiscard]] IdentityFile const& identity() const { return parts_.identity; }
    [[nodiscard]] AddressFile const& address() const { return parts_.address; }
    [[nodiscard]] Bytes const& photo() const { return parts_.photo; } ///< JPEG
    [[nodiscard]] Generation generation() const { return parts_.generation; }

    [[nodiscard]] Certificate const& authentication() const { return parts_.authentication; }
    /// Nothing: the card has none (holders under 18, or it was never issued).
    [[nodiscard]] std::optional<SignatureCertificate> const& signature() const { return parts_.signature; }
    [[nodiscard]] Certificate const& issuer() const { return parts_.issuer; } ///< Citizen CA or Foreigner CA
    [[nodiscard]] Certificate const& root() const { return parts_.root; }     ///< as pinned
    [[nodiscard]] bool is_test_pki() const { return parts_.is_test_pki; }

    /// The answers on both leaves, their CA and the Register's certificate.
    [[nodiscard]] std::vector<RevocationAnswer> const& revocation() const { return parts_.revocation; }
    /// What was judged, as it was read.
    [[nodiscard]] CardReading const& reading() const { return parts_.reading; }
    [[nodiscard]] Instant judged_at() const { return parts_.judged_at; }

private:
    friend class Judge;

    struct Parts {
        IdentityFile identity;
        AddressFile address;
        Bytes photo;
        Generation generation;
        Certificate authentication;
        std::optional<SignatureCertificate> signature;
        Certificate issuer;
        Certificate root;
        bool is_test_pki;
        std::vector<RevocationAnswer> revocation;
        CardReading reading;
        Instant judged_at;
    };
    explicit CardEvidence(Parts parts) : parts_{std::move(parts)} {}

    Parts parts_;
};

} // namespace symbolon::card

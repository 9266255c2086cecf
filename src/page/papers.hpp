#pragma once

#include "enrolment/steps.hpp"
#include "page/enrolment_means.hpp"

#include <array>
#include <memory>

/// What takes certificates and letters: cards are judged, contracts are drawn and signed.
namespace symbolon::page {

/// There is one way to do that, and one without cryptography in the simulation (src/sim), which looks at the order of
/// things: EnrolmentMeans::papers.
class Papers {
public:
    Papers() = default;
    Papers(Papers const&) = delete;
    Papers& operator=(Papers const&) = delete;
    virtual ~Papers() = default;

    /// Judges card and holder: the card is genuine, its holder old enough (C1 to C3). `chance`: 32 random bytes.
    /// Fails as card::judge and enrolment::may_enrol_by_card.
    virtual Flow<enrolment::CardFindings> judge(card::CardReading reading, card::Challenge challenge,
                                                std::array<Byte, 32> chance, Instant now) = 0;

    /// What the issuer says now of the certificate that is about to sign: OCSPResponses (RFC 6960 §4.2.1), DER. Fails
    /// as card::status_of, and: certificate_revoked, certificate_suspended.
    virtual Flow<std::vector<Bytes>> signing_status(contract::Signer signer, Bytes nonce, Instant now) = 0;

    /// As contract::draft, prepare, digest_to_sign and complete.
    virtual Result<Bytes> draft(contract::ContractData const& data) = 0;
    virtual Result<contract::PreparedContract> prepare(contract::ContractData const& data,
                                                       contract::Signer const& signer,
                                                       std::vector<Bytes> const& ocsp_answers) = 0;
    virtual Result<contract::SignatureDigest> digest_to_sign(ByteView signed_attributes,
                                                             ByteView signer_certificate) = 0;
    virtual Result<Bytes> complete(contract::PreparedContract const& prepared, contract::Signer const& signer,
                                   ByteView signature, ByteView authentication_certificate) = 0;
};

/// The papers of those means, which outlive them.
std::shared_ptr<Papers> papers_of(EnrolmentMeans const& means);

} // namespace symbolon::page

#include "page/papers.hpp"

#include "base/brussels.hpp"
#include "card/judgement.hpp"
#include "page/card_findings.hpp"

namespace symbolon::page {

namespace {

/// With certificates: what everybody gets outside of the simulation.
class CertifiedPapers final : public Papers {
public:
    explicit CertifiedPapers(EnrolmentMeans const& means) : means_{means} {}

    Flow<enrolment::CardFindings> judge(card::CardReading reading, card::Challenge challenge,
                                        std::array<Byte, 32> chance, Instant now) override
    {
        auto const evidence = co_await card::judge(std::move(reading), std::move(challenge), means_.cards, chance, now);
        co_await enrolment::may_enrol_by_card(birth_of(evidence.identity().birth_date), signature_state_of(evidence),
                                              date_in_brussels(now), means_.limits);
        means_.issuers->keep(evidence.issuer()); // a Web eID token comes without
        co_return findings_of(evidence);
    }

    Flow<std::vector<Bytes>> signing_status(contract::Signer signer, Bytes nonce, Instant now) override
    {
        auto const leaf = co_await card::Certificate::parse(signer.certificate);
        auto const issuer = co_await card::Certificate::parse(signer.chain.at(0));
        auto const status = co_await card::status_of(leaf, issuer, card::AskFirst::ocsp, means_.cards.anchors,
                                                     means_.cards.fetcher, means_.cards.lists, std::move(nonce), now);
        if (status.status == card::CertificateStatus::revoked) co_return fail(Outcome::certificate_revoked);
        if (status.status == card::CertificateStatus::on_hold) co_return fail(Outcome::certificate_suspended);
        std::vector<Bytes> answers;
        if (status.answer.kind == card::RevocationAnswer::Kind::ocsp) answers.push_back(status.answer.der);
        co_return std::move(answers);
    }

    Result<Bytes> draft(contract::ContractData const& data) override
    {
        return contract::draft(data, means_.texts, means_.fonts);
    }
    Result<contract::PreparedContract> prepare(contract::ContractData const& data, contract::Signer const& signer,
                                               std::vector<Bytes> const& ocsp_answers) override
    {
        return contract::prepare(data, signer, ocsp_answers, means_.texts, means_.fonts);
    }
    Result<contract::SignatureDigest> digest_to_sign(ByteView signed_attributes, ByteView signer_certificate) override
    {
        return contract::digest_to_sign(signed_attributes, signer_certificate);
    }
    Result<Bytes> complete(contract::PreparedContract const& prepared, contract::Signer const& signer,
                           ByteView signature, ByteView authentication_certificate) override
    {
        return contract::complete(prepared, signer, signature, authentication_certificate);
    }

private:
    EnrolmentMeans const& means_;
};

} // namespace

std::shared_ptr<Papers> papers_of(EnrolmentMeans const& means)
{
    if (means.papers != nullptr) return {std::shared_ptr<void>{}, means.papers};
    return std::make_shared<CertifiedPapers>(means);
}

} // namespace symbolon::page

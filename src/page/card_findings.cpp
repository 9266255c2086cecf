#include "page/card_findings.hpp"

#include "base/dates.hpp"
#include "base/json.hpp"
#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"

namespace symbolon::page {

namespace {

std::string fingerprint(ByteView bytes) { return crypto::base64url(crypto::sha256(bytes)); }

json::Array answers_json(std::vector<card::RevocationAnswer> const& revocation)
{
    json::Array answers;
    for (auto const& answer : revocation) {
        json::Object one{{"kind", answer.kind == card::RevocationAnswer::Kind::ocsp ? "ocsp" : "crl"},
                         {"url", answer.url},
                         {"sha256", fingerprint(answer.der)},
                         {"this_update", numeric_date(answer.this_update)}};
        if (answer.next_update) one["next_update"] = numeric_date(*answer.next_update);
        answers.push_back(std::move(one));
    }
    return answers;
}

/// What was judged and the answers that were believed. Whole: what the National Register and the chip signed, and with
/// which key; the rest by SHA-256: the signature certificate and its answer stand in the contract, the photo in the
/// account, lists are long.
std::string evidence_json(card::CardEvidence const& evidence)
{
    auto const& reading = evidence.reading();
    return json::write(json::Object{{"generation", evidence.generation() == card::Generation::v1_8 ? "1.8" : "1.7"},
                                    {"judged_at", numeric_date(evidence.judged_at())},
                                    {"test_pki", evidence.is_test_pki()},
                                    {"identity", crypto::base64url(reading.identity)},
                                    {"identity_signature", crypto::base64url(reading.identity_signature)},
                                    {"address", crypto::base64url(reading.address)},
                                    {"address_signature", crypto::base64url(reading.address_signature)},
                                    {"card_key", crypto::base64url(reading.card_key)},
                                    {"internal_authenticate", crypto::base64url(reading.internal_authenticate)},
                                    {"authentication_signature", crypto::base64url(reading.authentication_signature)},
                                    {"authentication_certificate", crypto::base64url(evidence.authentication().der())},
                                    {"photo_sha256", fingerprint(reading.photo)},
                                    {"issuer_sha256", fingerprint(evidence.issuer().der())},
                                    {"root_sha256", fingerprint(evidence.root().der())},
                                    {"register_sha256", fingerprint(reading.register_certificate)},
                                    {"revocation", answers_json(evidence.revocation())}});
}

} // namespace

std::string evidence_json(card::WebEidEvidence const& evidence)
{
    return json::write(json::Object{{"judged_at", numeric_date(evidence.judged_at())},
                                    {"token", evidence.token()},
                                    {"origin", evidence.question().origin},
                                    {"nonce", evidence.question().nonce},
                                    {"issuer_sha256", fingerprint(evidence.issuer().der())},
                                    {"root_sha256", fingerprint(evidence.root().der())},
                                    {"revocation", answers_json(evidence.revocation())}});
}

enrolment::CardFindings findings_of(card::CardEvidence const& evidence)
{
    auto const& identity = evidence.identity();
    auto const& address = evidence.address();
    enrolment::CardFindings findings;
    findings.person = {
        .family_name = identity.surname,
        .given_names = identity.given_names,
        .third_initial = identity.third_initial,
        .birth_date = identity.birth_date.iso(),
        .birth_place = identity.birth_place,
        .sex = identity.sex == card::Sex::male ? account::Sex::male : account::Sex::female,
        .nationality = identity.nationality,
        .national_number = identity.national_number.text(),
        .address = {.street = address.street_and_number, .zip = address.zip, .municipality = address.municipality},
        .photo = evidence.photo()};
    findings.source = {.kind = account::Source::Kind::card,
                       .document_number = identity.card_number,
                       .document_type = static_cast<int>(identity.document_type),
                       .valid_from = iso_date(identity.valid_from),
                       .valid_until = iso_date(identity.valid_until),
                       .issued_by = identity.issuing_municipality,
                       .evidence = evidence_json(evidence)};
    findings.chip_number = {identity.chip_number.begin(), identity.chip_number.end()};
    findings.signature_certificate = evidence.signature().value().certificate.der();
    for (auto const* certificate : {&evidence.issuer(), &evidence.root()})
        append(findings.certificate_chain, certificate->der());
    for (auto const& answer : evidence.revocation())
        if (answer.kind == card::RevocationAnswer::Kind::ocsp) findings.ocsp_answers.push_back(answer.der);
    return findings;
}

enrolment::Birth birth_of(card::BirthDate const& date)
{
    auto const month = date.month.value_or(std::chrono::January);
    return {.earliest = date.year / month / date.day.value_or(std::chrono::day{1}), .latest = date.latest()};
}

enrolment::SignatureCertificateState signature_state_of(card::CardEvidence const& evidence)
{
    using State = enrolment::SignatureCertificateState;
    if (!evidence.signature()) return State::missing;
    return evidence.signature()->state == card::SignatureCertificate::State::active ? State::active : State::on_hold;
}

Bytes authentication_certificate_of(account::Source const& source)
{
    auto const evidence = json::parse_object(source.evidence);
    if (!evidence) return {};
    auto const text = json::text(*evidence, "authentication_certificate");
    if (!text) return {};
    return crypto::from_base64url(*text).value_or(Bytes{});
}

} // namespace symbolon::page

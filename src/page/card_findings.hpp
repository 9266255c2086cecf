#pragma once

#include "card/evidence.hpp"
#include "card/web_eid.hpp"
#include "enrolment/age.hpp"
#include "enrolment/steps.hpp"

/// From a judged card to what an enrolment keeps of it.
namespace symbolon::page {

/// What the enrolment keeps. The card has a signature certificate.
enrolment::CardFindings findings_of(card::CardEvidence const& evidence);

/// What is kept of a Web eID token that was judged, JSON: with the token and its question, everybody can check it
/// again.
std::string evidence_json(card::WebEidEvidence const& evidence);

/// From when to when the holder may have been born.
enrolment::Birth birth_of(card::BirthDate const& date);

enrolment::SignatureCertificateState signature_state_of(card::CardEvidence const& evidence);

/// The authentication certificate, DER, that the evidence of a source names. Empty: it names none.
Bytes authentication_certificate_of(account::Source const& source);

} // namespace symbolon::page

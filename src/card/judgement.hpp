#pragma once

#include "base/flow.hpp"
#include "base/instant.hpp"
#include "card/certificate_path.hpp"
#include "card/evidence.hpp"
#include "card/reading.hpp"
#include "card/revocation.hpp"

#include <array>

namespace symbolon::card {

/// What a judgement needs besides the card: all of it outlives the flow.
struct JudgementMeans {
    Anchors const& anchors;
    RevocationFetcher& fetcher;
    CrlCache& lists;
};

/// Judges a card from what was read: the one way to a CardEvidence.
///
/// `challenge` was made by the server for this session and taken out of its store before. `chance`: 32 random bytes,
/// from which the nonces of the OCSP requests are made.
///
/// In the order of eid-card.md §7, first match wins:
///  2  sizes: card_data_malformed, certificate_malformed
///  -  the applet of another generation: card_generation_unsupported
///  3  leaves: certificate_malformed, certificate_key_unsupported, certificate_usage_wrong
///  4  path: certificate_path_invalid, certificate_root_unknown, certificate_not_yet_valid, certificate_expired
///  (card_expired when
///     the whole card has ended), certificate_test_pki, certificate_policy_wrong
///  5  certificates_disagree
///  6  revocation_…, certificate_revoked, certificate_suspended (of the authentication certificate),
///  certificate_status_unknown.
///     A signature certificate on hold is no failure: the evidence says so (C3 is enrolment's to judge).
///  7  register_certificate_invalid, identity_signature_invalid, address_signature_invalid, photo_hash_mismatch,
///     card_key_hash_mismatch
///  8  card_data_malformed, national_number_invalid, document_type_not_allowed, national_number_mismatch,
///  name_mismatch,
///     chip_number_mismatch, card_not_yet_valid, card_expired
///  9, 10  card_not_genuine
///
/// A card without an authentication certificate (small children, or never issued) can't be judged to the end: too_young
/// with the date from which enrolment is possible when the Register's data say so, else signature_certificate_missing.
Flow<CardEvidence> judge(CardReading reading, Challenge challenge, JudgementMeans means, std::array<Byte, 32> chance,
                         Instant now);

} // namespace symbolon::card

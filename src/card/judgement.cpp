#include "card/judgement.hpp"

#include "base/brussels.hpp"
#include "base/text.hpp"
#include "card/genuineness.hpp"
#include "card/register_signatures.hpp"
#include "card/tlv.hpp"
#include "enrolment/age.hpp"

#include <algorithm>

namespace symbolon::card {

namespace {

// GET CARD DATA, applet manuals 1.7 and 1.8.
constexpr std::size_t card_data_bytes = 28;
constexpr std::size_t card_data_with_counters_bytes = 31;
constexpr std::size_t applet_version_at = 21;
constexpr Byte applet_1_7 = 0x17;
constexpr Byte applet_1_8 = 0x18;

/// §7, item 2: how much somebody may send at all.
Result<void> check_sizes(CardReading const& reading)
{
    struct Bound {
        Bytes const& file;
        std::size_t most_bytes;
        char const* name;
    };
    for (auto const& [file, most_bytes, name] : {
             Bound{reading.identity, max_identity_bytes, "identity"},
             Bound{reading.identity_signature, max_signature_bytes, "identity signature"},
             Bound{reading.address, max_address_bytes, "address"},
             Bound{reading.address_signature, max_signature_bytes, "address signature"},
             Bound{reading.photo, max_photo_bytes, "photo"},
             Bound{reading.card_key, 120, "card key"},
             Bound{reading.internal_authenticate, 96, "answer of the card key"},
             Bound{reading.authentication_signature, 256, "answer of the authentication key"},
         })
        if (file.size() > most_bytes &&
            (file.size() > most_bytes + max_padding_bytes || size_without_zeros(file) > most_bytes))
            return fail(Outcome::card_data_malformed, std::string{name} + " too long");
    if (reading.card_data.size() != card_data_bytes && reading.card_data.size() != card_data_with_counters_bytes)
        return fail(Outcome::card_data_malformed, "card data");
    return {};
}

bool is_missing(ByteView certificate_file) { return size_without_zeros(certificate_file) == 0; }

/// Whether the card itself says that it has ended: then its certificates have too, and that is the better thing to say.
bool has_ended(CardReading const& reading, Instant now)
{
    auto const identity = parse_identity_file(reading.identity);
    return identity && identity->valid_until < date_in_brussels(now);
}

Result<LeafPath> judge_leaf(ByteView file, LeafRole role, Certificate const& issuer, CardReading const& reading,
                            Anchors const& anchors, Instant now)
{
    auto leaf = TRY(Certificate::parse(file));
    auto path = check_leaf_path(std::move(leaf), role, issuer, anchors, now);
    if (!path && path.error().outcome == Outcome::certificate_expired && has_ended(reading, now))
        return fail(Outcome::card_expired, "certificates too");
    return path;
}

/// §7, item 8: what the identity says, against the leaves, the chip and the calendar.
Result<void> check_identity(IdentityFile const& identity, Certificate const& authentication, CardReading const& reading,
                            Instant now)
{
    if (authentication.serial_number_attribute() != identity.national_number.text())
        return fail(Outcome::national_number_mismatch);

    // The certificate and the file spell a name with other capitals, accents or hyphens now and then.
    if (folded(authentication.surname().value_or("")) != folded(identity.surname) ||
        folded(authentication.given_name().value_or("")) != folded(identity.given_names))
        return fail(Outcome::name_mismatch);

    if (!std::ranges::equal(identity.chip_number, ByteView{reading.card_data}.first(identity.chip_number.size())))
        return fail(Outcome::chip_number_mismatch);

    auto const today = date_in_brussels(now);
    if (today < identity.valid_from) return fail(Outcome::card_not_yet_valid);
    if (today > identity.valid_until) return fail(Outcome::card_expired);

    // Cards for trying readers out and for employees of town halls name nobody.
    if (identity.document_type == DocumentType::bootstrap || identity.document_type == DocumentType::habilitation)
        return fail(Outcome::document_type_not_allowed);
    return {};
}

/// §7, items 9 and 10. A key of the card's own answers where the Register says that there is one; else the
/// authentication key.
Result<void> check_genuine(CardReading const& reading, IdentityFile const& identity, Certificate const& authentication,
                           Challenge const& challenge)
{
    if (!identity.card_key_hash.empty())
        return check_card_key_answer(reading.card_key, challenge, reading.internal_authenticate);
    return check_authentication_answer(authentication, challenge, reading.authentication_signature);
}

/// The Register's certificate, for a card whose leaves end in `anchor`.
Result<Certificate> judge_register(CardReading const& reading, TrustAnchor const& anchor, Anchors const& anchors,
                                   Instant now)
{
    auto certificate = Certificate::parse(reading.register_certificate);
    if (!certificate) return fail(Outcome::register_certificate_invalid, certificate.error().detail);

    // The card's first day is read before its signature is checked; a wrong one is found out by the signature.
    auto const identity = parse_identity_file(reading.identity);
    auto const from = identity ? start_of_day_in_brussels(identity->valid_from) : now;
    TRY(check_register_path(*certificate, anchor, anchors, std::min(from, now), now));
    return std::move(*certificate);
}

Sha1 sha1_rule(Anchors const& anchors) { return anchors.accept_sha1 ? Sha1::accepted : Sha1::refused; }

/// A card that has no authentication certificate: why it can't be used. Nothing about the person is given out.
Failure judge_without_certificates(CardReading const& reading, Anchors const& anchors, Instant now)
{
    auto const missing = fail(Outcome::signature_certificate_missing, "no authentication certificate either").error();
    for (auto const& anchor : anchors.roots) {
        auto const national_register = judge_register(reading, anchor, anchors, now);
        if (!national_register) continue;
        if (auto const result = check_register_signatures(reading, *national_register, sha1_rule(anchors)); !result)
            return result.error();
        auto const identity = parse_identity_file(reading.identity);
        if (!identity) return identity.error();
        enrolment::Birth const birth{identity->birth_date.earliest(), identity->birth_date.latest()};
        auto const verdict = enrolment::may_enrol_by_card(birth, enrolment::SignatureCertificateState::missing,
                                                          date_in_brussels(now), Limits{});
        return verdict ? missing : verdict.error();
    }
    return fail(Outcome::register_certificate_invalid, "below no trusted root").error();
}

} // namespace

/// The one that may make a CardEvidence.
class Judge {
public:
    static CardEvidence evidence(CardEvidence::Parts parts) { return CardEvidence{std::move(parts)}; }
    using Parts = CardEvidence::Parts;
};

Flow<CardEvidence> judge(CardReading reading, Challenge challenge, JudgementMeans means, std::array<Byte, 32> chance,
                         Instant now)
{
    auto const& anchors = means.anchors;
    co_await check_sizes(reading);
    auto const applet = reading.card_data[applet_version_at];
    if (applet != applet_1_7 && applet != applet_1_8)
        co_return fail(Outcome::card_generation_unsupported, "applet version " + std::to_string(applet));

    if (is_missing(reading.authentication_certificate))
        co_return std::unexpected{judge_without_certificates(reading, anchors, now)};

    // 3, 4: the leaves and their paths.
    auto const issuer = co_await Certificate::parse(reading.ca_certificate);
    auto const authentication = co_await judge_leaf(reading.authentication_certificate, LeafRole::authentication,
                                                    issuer, reading, anchors, now);
    std::optional<LeafPath> signature;
    if (!is_missing(reading.signature_certificate)) {
        signature =
            co_await judge_leaf(reading.signature_certificate, LeafRole::signature, issuer, reading, anchors, now);
        // 5: of one person.
        co_await check_leaves_agree(authentication, *signature);
    }
    auto const& anchor = authentication.anchor;

    // 6: revocation of the leaves, then of who issued them.
    std::vector<RevocationAnswer> answers;
    auto const authentication_status = co_await status_of(authentication.leaf, issuer, AskFirst::ocsp, anchors,
                                                          means.fetcher, means.lists, nonce(chance, 0), now);
    answers.push_back(authentication_status.answer);
    co_await must_be_good(authentication_status.status, "authentication certificate");

    std::optional<SignatureCertificate> signature_certificate;
    if (signature) {
        auto const status = co_await status_of(signature->leaf, issuer, AskFirst::ocsp, anchors, means.fetcher,
                                               means.lists, nonce(chance, 1), now);
        answers.push_back(status.answer);
        auto const on_hold = status.status == CertificateStatus::on_hold;
        if (!on_hold) co_await must_be_good(status.status, "signature certificate");
        signature_certificate.emplace(signature->leaf, on_hold ? SignatureCertificate::State::on_hold
                                                               : SignatureCertificate::State::active);
    }

    auto const issuer_status = co_await status_of(issuer, anchor.root, AskFirst::crl, anchors, means.fetcher,
                                                  means.lists, nonce(chance, 2), now);
    answers.push_back(issuer_status.answer);
    co_await must_be_good(issuer_status.status, "CA");

    // 7: the National Register's certificate and signatures.
    auto const national_register = co_await judge_register(reading, anchor, anchors, now);
    auto const register_status = co_await status_of(national_register, anchor.root, AskFirst::crl, anchors,
                                                    means.fetcher, means.lists, nonce(chance, 3), now);
    answers.push_back(register_status.answer);
    if (register_status.status != CertificateStatus::good)
        co_return fail(Outcome::register_certificate_invalid, "revoked");
    co_await check_register_signatures(reading, national_register, sha1_rule(anchors));
    auto identity = co_await parse_identity_file(reading.identity);
    auto address = co_await parse_address_file(reading.address);
    co_await check_hashes(reading, identity, sha1_rule(anchors));

    // 8 to 10.
    co_await check_identity(identity, authentication.leaf, reading, now);
    co_await check_genuine(reading, identity, authentication.leaf, challenge);

    auto photo = reading.photo;
    co_return Judge::evidence({
        .identity = std::move(identity),
        .address = std::move(address),
        .photo = std::move(photo),
        .generation = authentication.leaf.key_type() == KeyType::p384 ? Generation::v1_8 : Generation::v1_7,
        .authentication = authentication.leaf,
        .signature = std::move(signature_certificate),
        .issuer = issuer,
        .root = anchor.root,
        .is_test_pki = anchor.is_test_pki,
        .revocation = std::move(answers),
        .reading = std::move(reading),
        .judged_at = now,
    });
}

} // namespace symbolon::card

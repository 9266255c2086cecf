#include "base/brussels.hpp"
#include "base/text.hpp"
#include "card/genuineness.hpp"
#include "card/judgement.hpp"
#include "card/openssl.hpp"
#include "card/reading_testing.hpp"
#include "crypto/hash.hpp"
#include "enrolment/age.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

namespace symbolon::card {
namespace {

namespace vc = virtual_card;
using namespace std::chrono_literals;

constexpr auto noon = Instant{Seconds{1'772'366'400}}; // 2026-03-01 12:00 UTC
std::string const source_dir = SYMBOLON_SOURCE_DIR;

vc::Pki new_pki(std::string base_url = "http://127.0.0.1:8406")
{
    return vc::make_pki({.base_url = std::move(base_url), .now = noon, .rsa_keys = source_dir + "/data/virtual_pki"});
}

std::vector<vc::Persona> const& personas()
{
    static auto const all = vc::load_personas(source_dir + "/data/personas.toml").value();
    return all;
}

Challenge challenge()
{
    Challenge c;
    std::ranges::fill(c.bytes, Byte{0x5A});
    c.origin = "https://id.example";
    return c;
}

/// A PKI, the cards that it issued, and a server that judges them.
struct Bench {
    vc::Pki pki;
    Anchors anchors;
    VirtualFetcher fetcher;
    CrlCache lists;

    explicit Bench(vc::Pki made = new_pki()) : pki{std::move(made)}, anchors{anchors_of(pki)}, fetcher{pki, noon} {}

    vc::Card card(std::string_view persona)
    {
        auto const found = vc::persona_named(personas(), persona);
        EXPECT_TRUE(found) << persona;
        auto issued = vc::issue(*found, pki, source_dir + "/data/photos", noon);
        if (!issued) throw std::runtime_error{issued.error().detail};
        return std::move(*issued);
    }

    CardReading reading(std::string_view persona) { return read_virtual_card(card(persona), challenge()); }

    Result<CardEvidence> judge(CardReading read, Instant now = noon, Challenge asked = challenge())
    {
        return run_now(card::judge(std::move(read), std::move(asked), {anchors, fetcher, lists}, {}, now));
    }

    /// How the card is refused, or "accepted".
    std::string verdict(CardReading read, Instant now = noon)
    {
        auto const result = judge(std::move(read), now);
        if (result) return "accepted";
        last_detail = result.error().detail;
        return std::string{name_of(result.error().outcome)};
    }
    std::string verdict(std::string_view persona) { return verdict(reading(persona)); }

    std::string last_detail;
};

Bench& shared_bench()
{
    static Bench bench;
    return bench;
}

// ---- honest cards ---------------------------------------------------------------------------------------------------

TEST(Judgement, A2_tells_who_the_card_is_of)
{
    auto const evidence = shared_bench().judge(shared_bench().reading("lotte"));
    ASSERT_TRUE(evidence) << name_of(evidence.error().outcome) << ": " << evidence.error().detail;
    EXPECT_EQ(evidence->identity().surname, "Vermeersch-Test");
    EXPECT_EQ(evidence->identity().given_names, "Lotte Margriet");
    EXPECT_EQ(evidence->identity().birth_date.iso(), "1985-07-30");
    EXPECT_EQ(evidence->identity().birth_place, "Brugge");
    EXPECT_EQ(evidence->identity().sex, Sex::female);
    EXPECT_EQ(evidence->identity().nationality, "Belg");
    EXPECT_EQ(evidence->address().street_and_number, "Virtuelestraat 12 bus 3");
    EXPECT_EQ(evidence->address().zip, "9000");
    EXPECT_EQ(evidence->address().municipality, "Gent");
    EXPECT_EQ(evidence->photo()[0], 0xFF) << "a JPEG";
    EXPECT_EQ(evidence->generation(), Generation::v1_8);
    ASSERT_TRUE(evidence->signature());
    EXPECT_EQ(evidence->signature()->state, SignatureCertificate::State::active);
    EXPECT_TRUE(evidence->is_test_pki());
    EXPECT_EQ(evidence->judged_at(), noon);
}

TEST(Judgement, keeps_the_answers_on_both_leaves_their_CA_and_the_Register)
{
    auto const evidence = shared_bench().judge(shared_bench().reading("lotte"));
    ASSERT_TRUE(evidence);
    ASSERT_EQ(evidence->revocation().size(), 4U);
    using enum RevocationAnswer::Kind;
    EXPECT_EQ(evidence->revocation()[0].kind, ocsp);
    EXPECT_EQ(evidence->revocation()[1].kind, ocsp);
    EXPECT_EQ(evidence->revocation()[2].kind, crl);
    EXPECT_EQ(evidence->revocation()[3].kind, crl);
    for (auto const& answer : evidence->revocation()) {
        EXPECT_FALSE(answer.der.empty());
        EXPECT_TRUE(answer.url.starts_with("http://127.0.0.1:8406/"));
        EXPECT_LE(answer.this_update, noon);
    }
}

TEST(Judgement, A2_accepts_every_honest_card)
{
    for (auto const* const persona :
         {"lotte", "bruno", "nadia", "jurgen", "amelie", "longest-names", "millennium", "young-adult", "renewed",
          "moved", "foreigner", "single-name", "foreigner-17", "bis-number", "unknown-birth-day", "known-birth-month",
          "last-try", "blocked-pin"})
        EXPECT_EQ(shared_bench().verdict(persona), "accepted") << persona << ": " << shared_bench().last_detail;
}

TEST(Judgement, A2_gives_the_generation_by_the_keys)
{
    EXPECT_EQ(shared_bench().judge(shared_bench().reading("bruno"))->generation(), Generation::v1_7);
    EXPECT_EQ(shared_bench().judge(shared_bench().reading("nadia"))->generation(), Generation::v1_7) << "re-keyed";
}

TEST(Judgement, accepts_the_oldest_hashes_only_where_the_configuration_says_so)
{
    Bench bench;
    EXPECT_EQ(bench.verdict("old-hashes"), "identity_signature_invalid");
    bench.anchors.accept_sha1 = true;
    EXPECT_EQ(bench.verdict("old-hashes"), "accepted") << bench.last_detail;
}

// ---- each failure ---------------------------------------------------------------------------------------------------

TEST(Judgement, A7_an_expired_card_is_said_to_be_expired)
{
    EXPECT_EQ(shared_bench().verdict("expired"), "card_expired");
    EXPECT_EQ(shared_bench().verdict("expired-card"), "card_expired");
    EXPECT_EQ(shared_bench().verdict("expired-certificates"), "certificate_expired");
}

TEST(Judgement, A7_a_card_of_next_week_is_not_yet_valid)
{
    auto const verdict = shared_bench().verdict("not-yet-valid");
    EXPECT_TRUE(verdict == "certificate_not_yet_valid" || verdict == "card_not_yet_valid") << verdict;
}

TEST(Judgement, A7_a_card_is_valid_to_the_end_of_its_last_day_in_Brussels)
{
    Bench bench;
    auto persona = vc::persona_named(personas(), "expired-card").value();
    persona.valid_days = persona.issued_days_ago;
    auto const card = vc::issue(persona, bench.pki, source_dir + "/data/photos", noon).value();
    auto const reading = read_virtual_card(card, challenge());
    auto const last_day = parse_identity_file(reading.identity)->valid_until;
    auto const midnight = start_of_day_in_brussels(std::chrono::sys_days{last_day} + std::chrono::days{1});
    auto const verdict = [&](Instant now) {
        VirtualFetcher fetcher{bench.pki, now};
        CrlCache lists;
        auto const result = run_now(judge(reading, challenge(), {bench.anchors, fetcher, lists}, {}, now));
        return result ? "accepted" : std::string{name_of(result.error().outcome)} + ": " + result.error().detail;
    };
    EXPECT_EQ(verdict(midnight - 1s), "accepted");
    EXPECT_EQ(verdict(midnight), "card_expired: ");
}

TEST(Judgement, A7_a_suspended_certificate_is_not_good_now)
{
    EXPECT_EQ(shared_bench().verdict("suspended"), "certificate_suspended");
    EXPECT_EQ(shared_bench().verdict("never-activated"), "certificate_suspended");
}

TEST(Judgement, A7_a_revoked_certificate_is_refused)
{
    EXPECT_EQ(shared_bench().verdict("revoked"), "certificate_revoked");
    EXPECT_EQ(shared_bench().verdict("revoked-17"), "certificate_revoked");
    EXPECT_EQ(shared_bench().verdict("signature-revoked"), "certificate_revoked");
}

TEST(Judgement, A7_a_certificate_that_the_responder_does_not_know_is_refused)
{
    EXPECT_EQ(shared_bench().verdict("unknown-to-responder"), "certificate_status_unknown");
}

TEST(Judgement, A7_revocation_that_cannot_be_reached_is_no_permission)
{
    EXPECT_EQ(shared_bench().verdict("responder-down"), "revocation_unreachable");
}

TEST(Judgement, A7_a_list_stands_in_for_a_responder_that_is_down)
{
    Bench bench;
    EXPECT_EQ(bench.verdict("crl-only"), "accepted") << bench.last_detail;
    Bench other;
    EXPECT_EQ(other.verdict("crl-says-revoked"), "certificate_revoked");
}

TEST(Judgement, A7_a_wrong_answer_about_revocation_is_told_for_what_it_is)
{
    EXPECT_EQ(shared_bench().verdict("stale-answer"), "revocation_answer_stale");
    EXPECT_EQ(shared_bench().verdict("wrong-responder"), "revocation_responder_unauthorised");
    EXPECT_EQ(shared_bench().verdict("forged-answer"), "revocation_answer_invalid");
    EXPECT_EQ(shared_bench().verdict("replayed-answer"), "revocation_answer_invalid");
}

TEST(Judgement, A7_identity_data_whose_signature_does_not_verify)
{
    EXPECT_EQ(shared_bench().verdict("wrong-identity-signature"), "identity_signature_invalid");
    EXPECT_EQ(shared_bench().verdict("wrong-identity-signature-17"), "identity_signature_invalid");
    EXPECT_EQ(shared_bench().verdict("wrong-address-signature"), "address_signature_invalid");
    EXPECT_EQ(shared_bench().verdict("swapped-address"), "address_signature_invalid");
    EXPECT_EQ(shared_bench().verdict("wrong-photo"), "photo_hash_mismatch");
    EXPECT_EQ(shared_bench().verdict("wrong-key-hash"), "card_key_hash_mismatch");
}

TEST(Judgement, A7_files_copied_to_another_chip_are_no_card)
{
    EXPECT_EQ(shared_bench().verdict("cloned"), "card_not_genuine");
    EXPECT_EQ(shared_bench().verdict("cloned-17"), "card_not_genuine");
}

TEST(Judgement, A7_parts_of_two_persons_are_refused)
{
    EXPECT_EQ(shared_bench().verdict("other-persons-certificates"), "national_number_mismatch");
    EXPECT_EQ(shared_bench().verdict("other-name"), "name_mismatch");
    EXPECT_EQ(shared_bench().verdict("leaves-disagree"), "certificates_disagree");
    EXPECT_EQ(shared_bench().verdict("other-chip"), "chip_number_mismatch");
    EXPECT_EQ(shared_bench().verdict("wrong-check-digits"), "national_number_invalid");
}

TEST(Judgement, A7_a_root_of_the_same_name_is_not_the_pinned_one)
{
    EXPECT_EQ(shared_bench().verdict("untrusted-root"), "certificate_root_unknown");
}

TEST(Judgement, A7_a_card_that_names_nobody_is_refused)
{
    EXPECT_EQ(shared_bench().verdict("habilitation"), "document_type_not_allowed");
}

// ---- age ------------------------------------------------------------------------------------------------------------

/// What enrolment makes of the evidence.
std::string age_verdict(Result<CardEvidence> const& evidence, Instant now)
{
    if (!evidence) return std::string{name_of(evidence.error().outcome)};
    using enum enrolment::SignatureCertificateState;
    auto state = missing;
    if (auto const& signature = evidence->signature())
        state = signature->state == SignatureCertificate::State::active ? active : on_hold;
    auto const& birth = evidence->identity().birth_date;
    auto const result =
        enrolment::may_enrol_by_card({birth.earliest(), birth.latest()}, state, date_in_brussels(now), Limits{});
    return result ? "accepted" : std::string{name_of(result.error().outcome)};
}
std::string age_verdict(std::string_view persona)
{
    return age_verdict(shared_bench().judge(shared_bench().reading(persona)), noon);
}

/// A card of somebody born on that day, read in the last second of the day before `midnight` and in its first one.
struct Birthday {
    vc::BirthDate born;
    Instant midnight; ///< in Brussels, as UTC
    char const* before;
    char const* from_then_on;
    bool is_adults_card = true;
};

TEST(Judgement, C1_C2_C3_change_with_midnight_in_Brussels)
{
    using std::chrono::year;
    auto const utc = [](int y, unsigned month, unsigned day, int hour) {
        return Instant{std::chrono::sys_days{year{y} / std::chrono::month{month} / std::chrono::day{day}}} + hour * 1h;
    };
    Birthday const birthdays[]{
        // Summer time: the day begins at 22:00 UTC; in winter at 23:00.
        {{2010, 7, 2}, utc(2026, 7, 1, 22), "too_young", "minor_needs_bank", false},
        {{2010, 11, 23}, utc(2026, 11, 22, 23), "too_young", "minor_needs_bank", false},
        {{2008, 7, 2}, utc(2026, 7, 1, 22), "minor_needs_bank", "accepted"},
        {{2008, 11, 23}, utc(2026, 11, 22, 23), "minor_needs_bank", "accepted"},
        {{2008, 7, 2}, utc(2026, 7, 1, 22), "minor_needs_bank", "signature_certificate_missing", false},
        // The nights in which the clocks change: 29 March and 25 October 2026.
        {{2008, 3, 29}, utc(2026, 3, 28, 23), "minor_needs_bank", "accepted"},
        {{2008, 3, 30}, utc(2026, 3, 29, 22), "minor_needs_bank", "accepted"},
        {{2008, 10, 25}, utc(2026, 10, 24, 22), "minor_needs_bank", "accepted"},
        {{2008, 10, 26}, utc(2026, 10, 25, 23), "minor_needs_bank", "accepted"},
        // 29 February: 16 years later there is one again, 18 years later there is none.
        {{2012, 2, 29}, utc(2028, 2, 28, 23), "too_young", "minor_needs_bank", false},
        {{2008, 2, 29}, utc(2026, 2, 27, 23), "minor_needs_bank", "minor_needs_bank"},
        {{2008, 2, 29}, utc(2026, 2, 28, 23), "minor_needs_bank", "accepted"},
        // 31 December.
        {{2008, 12, 31}, utc(2026, 12, 30, 23), "minor_needs_bank", "accepted"},
        // The day is not known: the first day on which it can't be otherwise counts.
        {{2008, 2, 0}, utc(2026, 1, 31, 23), "minor_needs_bank", "birth_date_unknown"},
        {{2008, 2, 0}, utc(2026, 2, 28, 23), "birth_date_unknown", "accepted"},
        {{2010, 2, 0}, utc(2026, 1, 31, 23), "too_young", "birth_date_unknown", false},
        {{2010, 2, 0}, utc(2026, 2, 27, 23), "birth_date_unknown", "minor_needs_bank", false},
        // Nor the month.
        {{2008, 0, 0}, utc(2025, 12, 31, 23), "minor_needs_bank", "birth_date_unknown"},
        {{2008, 0, 0}, utc(2026, 12, 30, 23), "birth_date_unknown", "accepted"},
        {{2010, 0, 0}, utc(2026, 12, 30, 23), "birth_date_unknown", "minor_needs_bank", false},
    };
    for (auto const& [born, midnight, before, from_then_on, is_adults_card] : birthdays) {
        SCOPED_TRACE(std::to_string(born.year) + '-' + std::to_string(born.month) + '-' + std::to_string(born.day));
        auto const issued_at = midnight - 6h;
        auto made = vc::make_pki(
            {.base_url = "http://127.0.0.1:8406", .now = issued_at, .rsa_keys = source_dir + "/data/virtual_pki"});
        auto persona = vc::persona_named(personas(), is_adults_card ? "lotte" : "minor-16").value();
        persona.birth = born;
        auto const card = vc::issue(persona, made, source_dir + "/data/photos", issued_at).value();
        auto const anchors = anchors_of(made);
        for (auto const now : {midnight - 1s, midnight}) {
            VirtualFetcher fetcher{made, now};
            CrlCache lists;
            auto const evidence =
                run_now(judge(read_virtual_card(card, challenge()), challenge(), {anchors, fetcher, lists}, {}, now));
            EXPECT_EQ(age_verdict(evidence, now), now < midnight ? before : from_then_on);
        }
    }
}

TEST(Judgement, C1_the_card_of_a_child_tells_from_when_it_is_possible)
{
    EXPECT_EQ(age_verdict("minor-15"), "too_young");
    auto const kid = shared_bench().judge(shared_bench().reading("kid"));
    ASSERT_FALSE(kid);
    EXPECT_EQ(kid.error().outcome, Outcome::too_young) << kid.error().detail;
    EXPECT_TRUE(kid.error().open_at.has_value());
}

TEST(Judgement, C1_the_card_of_a_child_is_judged_too)
{
    auto read = shared_bench().reading("kid");
    read.identity[10] = static_cast<Byte>(read.identity[10] ^ 1);
    EXPECT_EQ(shared_bench().verdict(read), "identity_signature_invalid");
    read = shared_bench().reading("kid");
    read.register_certificate = {};
    EXPECT_EQ(shared_bench().verdict(read), "register_certificate_invalid");
}

TEST(Judgement, C2_the_card_of_somebody_of_16_or_17_points_to_the_bank)
{
    EXPECT_EQ(age_verdict("minor-16"), "minor_needs_bank");
    EXPECT_EQ(age_verdict("minor-17"), "minor_needs_bank");
    EXPECT_EQ(age_verdict("turns-18-soon"), "minor_needs_bank");
}

TEST(Judgement, C3_from_18_the_signature_certificate_must_be_active)
{
    EXPECT_EQ(age_verdict("no-signature-certificate"), "signature_certificate_missing");
    EXPECT_EQ(age_verdict("signature-never-activated"), "certificate_suspended");
    EXPECT_EQ(age_verdict("young-adult"), "accepted");
    EXPECT_EQ(age_verdict("unknown-birth-day"), "accepted");
}

// ---- what somebody could send who has a card ------------------------------------------------------------------------

TEST(HostileReading, an_answer_to_another_challenge_or_for_another_origin_is_no_answer)
{
    for (auto const* const persona : {"lotte", "bruno"}) {
        auto const card = shared_bench().card(persona);
        auto other_challenge = challenge();
        other_challenge.bytes[0] ^= 1;
        EXPECT_EQ(shared_bench().verdict(read_virtual_card(card, other_challenge)), "card_not_genuine") << persona;
        auto other_origin = challenge();
        other_origin.origin = "https://id.example.evil";
        EXPECT_EQ(shared_bench().verdict(read_virtual_card(card, other_origin)), "card_not_genuine") << persona;
    }
}

TEST(HostileReading, no_answer_is_no_answer)
{
    auto lotte = shared_bench().reading("lotte");
    lotte.internal_authenticate = {};
    EXPECT_EQ(shared_bench().verdict(lotte), "card_not_genuine");
    lotte.internal_authenticate.assign(96, 0);
    EXPECT_EQ(shared_bench().verdict(lotte), "card_not_genuine") << "r = s = 0";

    auto bruno = shared_bench().reading("bruno");
    bruno.authentication_signature = {};
    EXPECT_EQ(shared_bench().verdict(bruno), "card_not_genuine");
}

TEST(HostileReading, a_card_of_1_8_cannot_pass_for_one_without_a_key)
{
    auto lotte = shared_bench().reading("lotte");
    lotte.card_data[21] = 0x17;
    lotte.internal_authenticate = {};
    EXPECT_EQ(shared_bench().verdict(lotte), "card_not_genuine");
    lotte.card_key = {};
    EXPECT_EQ(shared_bench().verdict(lotte), "card_key_hash_mismatch");
}

TEST(HostileReading, the_signature_key_does_not_answer_in_place_of_the_authentication_key)
{
    auto const card = shared_bench().card("bruno");
    auto reading = read_virtual_card(card, challenge());
    reading.authentication_signature =
        sign_digest_as_card(card.signature_key, challenge_for_authentication_key(challenge()));
    EXPECT_EQ(shared_bench().verdict(reading), "card_not_genuine");
}

TEST(HostileReading, certificates_in_each_others_place_are_refused)
{
    auto const lotte = shared_bench().reading("lotte");
    auto swapped = lotte;
    std::swap(swapped.authentication_certificate, swapped.signature_certificate);
    EXPECT_EQ(shared_bench().verdict(swapped), "certificate_usage_wrong");

    auto twice = lotte;
    twice.signature_certificate = twice.authentication_certificate;
    EXPECT_EQ(shared_bench().verdict(twice), "certificate_usage_wrong");

    auto no_ca = lotte;
    no_ca.ca_certificate = lotte.root_certificate;
    EXPECT_EQ(shared_bench().verdict(no_ca), "certificate_path_invalid") << "the root in place of the CA";

    auto leaf_as_ca = lotte;
    leaf_as_ca.ca_certificate = lotte.authentication_certificate;
    EXPECT_EQ(shared_bench().verdict(leaf_as_ca), "certificate_path_invalid") << "a leaf in place of the CA";

    auto missing_ca = lotte;
    missing_ca.ca_certificate = {};
    EXPECT_EQ(shared_bench().verdict(missing_ca), "certificate_malformed");

    auto other_register = lotte;
    other_register.register_certificate = shared_bench().reading("bruno").register_certificate;
    EXPECT_EQ(shared_bench().verdict(other_register), "register_certificate_invalid") << "of another root";

    auto leaf_as_register = lotte;
    leaf_as_register.register_certificate = lotte.authentication_certificate;
    EXPECT_EQ(shared_bench().verdict(leaf_as_register), "register_certificate_invalid");
}

TEST(HostileReading, two_cards_cannot_be_made_into_one)
{
    auto const lotte = shared_bench().reading("lotte");
    auto const jurgen = shared_bench().reading("jurgen");
    auto mixed = lotte;
    mixed.identity = jurgen.identity;
    EXPECT_EQ(shared_bench().verdict(mixed), "identity_signature_invalid");
    mixed.identity_signature = jurgen.identity_signature;
    EXPECT_EQ(shared_bench().verdict(mixed), "address_signature_invalid") << "the address is bound to the identity";
    mixed.address = jurgen.address;
    mixed.address_signature = jurgen.address_signature;
    EXPECT_EQ(shared_bench().verdict(mixed), "photo_hash_mismatch");
    mixed.photo = jurgen.photo;
    mixed.card_key = jurgen.card_key;
    EXPECT_EQ(shared_bench().verdict(mixed), "national_number_mismatch");

    auto signature_of_other = lotte;
    signature_of_other.signature_certificate = jurgen.signature_certificate;
    EXPECT_EQ(shared_bench().verdict(signature_of_other), "certificates_disagree");
}

TEST(HostileReading, padding_of_the_register_signatures_counts)
{
    auto nadia = shared_bench().reading("nadia");
    ASSERT_EQ(shared_bench().verdict(nadia), "accepted");
    auto trimmed = nadia;
    trimmed.identity_signature.resize(trimmed.identity_signature.size() - 1);
    EXPECT_EQ(shared_bench().verdict(trimmed), "address_signature_invalid")
        << "the address covers the whole file, padding included";
    auto longer = nadia;
    longer.identity_signature.push_back(1);
    EXPECT_EQ(shared_bench().verdict(longer), "identity_signature_invalid") << "something behind the signature";
    auto fewer_zeros = nadia;
    while (!fewer_zeros.address.empty() && fewer_zeros.address.back() == 0) fewer_zeros.address.pop_back();
    EXPECT_EQ(shared_bench().verdict(fewer_zeros), "accepted") << "the zeros of the address itself don't";
}

TEST(HostileReading, every_single_byte_of_identity_and_address_counts)
{
    auto const lotte = shared_bench().reading("lotte");
    for (std::size_t at = 0; at < lotte.identity.size(); at += 7) {
        auto changed = lotte;
        changed.identity[at] = static_cast<Byte>(changed.identity[at] ^ 0x20);
        EXPECT_NE(shared_bench().verdict(changed), "accepted") << at;
    }
    for (std::size_t at = 0; at < lotte.address.size(); at += 5) {
        auto changed = lotte;
        changed.address[at] = static_cast<Byte>(changed.address[at] ^ 0x20);
        EXPECT_NE(shared_bench().verdict(changed), "accepted") << at;
    }
}

TEST(HostileReading, sizes_are_bounded_before_anything_is_read)
{
    auto const lotte = shared_bench().reading("lotte");
    auto const with = [&](Bytes CardReading::* file, Bytes content) {
        auto changed = lotte;
        changed.*file = std::move(content);
        return shared_bench().verdict(changed);
    };
    Bytes const huge(2'000'000, 'a');
    EXPECT_EQ(with(&CardReading::identity, huge), "card_data_malformed");
    EXPECT_EQ(with(&CardReading::identity_signature, huge), "card_data_malformed");
    EXPECT_EQ(with(&CardReading::address, huge), "card_data_malformed");
    EXPECT_EQ(with(&CardReading::address_signature, huge), "card_data_malformed");
    EXPECT_EQ(with(&CardReading::photo, huge), "card_data_malformed");
    EXPECT_EQ(with(&CardReading::card_key, huge), "card_data_malformed");
    EXPECT_EQ(with(&CardReading::internal_authenticate, huge), "card_data_malformed");
    EXPECT_EQ(with(&CardReading::card_data, huge), "card_data_malformed");
    EXPECT_EQ(with(&CardReading::card_data, {}), "card_data_malformed");
    EXPECT_EQ(with(&CardReading::authentication_certificate, huge), "certificate_malformed");
    EXPECT_EQ(with(&CardReading::ca_certificate, huge), "certificate_malformed");
    EXPECT_EQ(with(&CardReading::register_certificate, huge), "register_certificate_invalid");
    EXPECT_EQ(with(&CardReading::identity, Bytes(2'000'000, 0)), "card_data_malformed") << "even if it is all padding";
}

TEST(HostileReading, an_applet_of_another_generation_is_said_to_be_one)
{
    auto lotte = shared_bench().reading("lotte");
    lotte.card_data[21] = 0x11;
    EXPECT_EQ(shared_bench().verdict(lotte), "card_generation_unsupported");
}

// ---- anchors --------------------------------------------------------------------------------------------------------

TEST(Anchors, of_a_test_PKI_are_refused_unless_the_configuration_says_so)
{
    Bench bench;
    bench.anchors.accept_test_pki = false;
    EXPECT_EQ(bench.verdict("lotte"), "certificate_test_pki");
    EXPECT_EQ(bench.verdict("bruno"), "certificate_test_pki");
    for (auto& anchor : bench.anchors.roots) anchor = make_anchor(anchor.root.der(), "2.16.56.13.6", false).value();
    EXPECT_EQ(bench.verdict("lotte"), "certificate_test_pki") << "the name says so, even if the configuration doesn't";
    EXPECT_EQ(bench.verdict("kid"), "register_certificate_invalid");
}

TEST(Anchors, are_the_only_ones_that_count)
{
    Bench bench;
    auto const lotte = bench.reading("lotte");
    bench.anchors.roots.erase(bench.anchors.roots.begin());
    EXPECT_EQ(bench.verdict(lotte), "certificate_root_unknown") << "the root on the card itself is not trusted";
    bench.anchors.roots.clear();
    EXPECT_EQ(bench.verdict(lotte), "certificate_root_unknown");
}

TEST(Anchors, take_their_arc_from_the_root_that_names_it)
{
    auto const& pki = shared_bench().pki;
    EXPECT_EQ(make_anchor(pki.root_ec().certificate, "", true)->policies.citizen_signature, "2.16.56.13.6.1.2.1000");
    EXPECT_EQ(make_anchor(pki.root_rsa().certificate, "", true)->policies.citizen_signature, "2.16.56.12.1.1.2.1");
    EXPECT_EQ(make_anchor(pki.register_ec.certificate, "", true).error().outcome, Outcome::configuration_invalid);
}

TEST(Anchors, of_another_arc_do_not_fit_the_leaves)
{
    Bench bench;
    for (auto& anchor : bench.anchors.roots) anchor = make_anchor(anchor.root.der(), "2.16.56.10.1.1", true).value();
    EXPECT_EQ(bench.verdict("lotte"), "certificate_policy_wrong");
    EXPECT_EQ(bench.verdict("bruno"), "certificate_policy_wrong");
}

TEST(Anchors, name_the_hosts_that_may_be_asked)
{
    Bench bench;
    bench.anchors.revocation_hosts = {"ocsp.eidpki.belgium.be"};
    EXPECT_EQ(bench.verdict("lotte"), "revocation_host_refused");
    EXPECT_EQ(bench.fetcher.questions + bench.fetcher.lists, 0) << "nobody was asked";
}

TEST(HostAllowList, compares_host_and_port)
{
    std::vector<std::string> const hosts{"ocsp.eid.belgium.be", "127.0.0.1:8406"};
    EXPECT_TRUE(host_is_allowed("http://ocsp.eid.belgium.be", hosts));
    EXPECT_TRUE(host_is_allowed("http://OCSP.eid.belgium.be:80/2", hosts));
    EXPECT_TRUE(host_is_allowed("https://ocsp.eid.belgium.be/x", hosts));
    EXPECT_TRUE(host_is_allowed("http://127.0.0.1:8406/ocsp", hosts));
    for (auto const* const url :
         {"http://ocsp.eid.belgium.be:8080/", "http://ocsp.eid.belgium.be.evil.example/", "http://evil.example/",
          "http://ocsp.eid.belgium.be@evil.example/", "ftp://ocsp.eid.belgium.be/", "file:///etc/passwd",
          "http://127.0.0.1/", "http://127.0.0.1:84060/", "http://127.0.0.1:8406.evil.example/",
          "http://127.0.0.1:8406x/", "ldap://ocsp.eid.belgium.be/", "", "ocsp.eid.belgium.be"})
        EXPECT_FALSE(host_is_allowed(url, hosts)) << url;
}

// ---- the National Register's certificate
// ------------------------------------------------------------------------------

TEST(RegisterPath, ends_where_the_card_began_or_later)
{
    auto const& bench = shared_bench();
    auto const certificate = Certificate::parse(bench.pki.register_ec.certificate).value();
    auto const& anchor = bench.anchors.roots[0];
    auto const verdict = [&](Instant card_from, Instant now) {
        auto const result = check_register_path(certificate, anchor, bench.anchors, card_from, now);
        return result ? "accepted" : result.error().detail;
    };
    auto const ended = certificate.not_after();
    EXPECT_EQ(verdict(noon, noon), "accepted");
    EXPECT_EQ(verdict(ended - 24h, ended + 24h), "accepted") << "it was valid when the card was issued";
    EXPECT_EQ(verdict(ended + 1s, ended + 24h), "ended before the card was issued");
    EXPECT_EQ(verdict(certificate.not_before() - 24h, certificate.not_before() - 1s), "not yet valid");
}

// ---- paths that somebody made --------------------------------------------------------------------------------------

constexpr auto citizen_ca = vc::AuthorityName::citizen_ca_ec;

vc::LeafRequest leaf_request(vc::Use use)
{
    return {.use = use,
            .surname = "Vermeersch-Test",
            .given_names = "Lotte Margriet",
            .national_number = "85073099844",
            .serial = {0x10, 0x00, 0x42},
            .not_before = noon - 24h,
            .not_after = noon + 365 * 24h};
}

/// How a leaf below an issuer is judged as an authentication certificate.
std::string path_verdict(ByteView leaf, ByteView issuer, Anchors const& anchors, Instant now = noon)
{
    auto const parsed_leaf = Certificate::parse(leaf);
    auto const parsed_issuer = Certificate::parse(issuer);
    if (!parsed_leaf || !parsed_issuer) return "certificate_malformed";
    auto const path = check_leaf_path(*parsed_leaf, LeafRole::authentication, *parsed_issuer, anchors, now);
    return path ? "accepted" : std::string{name_of(path.error().outcome)};
}

TEST(LeafPath, takes_keys_of_the_two_generations_only)
{
    auto const& pki = shared_bench().pki;
    auto const& anchors = shared_bench().anchors;
    auto const& ca = pki.authority(citizen_ca).certificate;
    auto const verdict = [&](vc::Key const& key) {
        return path_verdict(vc::issue_leaf(pki, citizen_ca, key, leaf_request(vc::Use::authentication)), ca, anchors);
    };
    vc::Key const p256{EVP_EC_gen("P-256"), &EVP_PKEY_free};
    vc::Key const p521{EVP_EC_gen("P-521"), &EVP_PKEY_free};
    EXPECT_EQ(verdict(vc::new_ec_key()), "accepted");
    EXPECT_EQ(verdict(vc::read_key(source_dir + "/data/virtual_pki/leaf-1.pem").value()), "accepted")
        << "RSA below an EC CA";
    EXPECT_EQ(verdict(p256), "certificate_key_unsupported");
    EXPECT_EQ(verdict(p521), "certificate_key_unsupported");
    EXPECT_EQ(verdict(vc::new_rsa_key(1024)), "certificate_key_unsupported");
}

TEST(LeafPath, A7_a_holder_is_no_CA)
{
    // Lotte's own certificate and key, in the place of the CA.
    auto pki = shared_bench().pki;
    auto const key = vc::new_ec_key();
    auto const holder = vc::issue_leaf(pki, citizen_ca, key, leaf_request(vc::Use::authentication));
    auto& stolen = pki.authorities.at(static_cast<std::size_t>(citizen_ca));
    stolen.certificate = holder;
    stolen.parsed = vc::parse_certificate(holder);
    stolen.key = key;
    auto const forged = vc::issue_leaf(pki, citizen_ca, vc::new_ec_key(), leaf_request(vc::Use::authentication));
    EXPECT_EQ(path_verdict(forged, holder, shared_bench().anchors), "certificate_path_invalid");
}

TEST(LeafPath, A7_a_CA_has_no_CA_below_it)
{
    // The Citizen CA's name and certificate, but a key that it never had.
    auto pki = shared_bench().pki;
    auto& ca = pki.authorities.at(static_cast<std::size_t>(citizen_ca));
    ca.key = vc::new_ec_key();
    auto const forged = vc::issue_leaf(pki, citizen_ca, vc::new_ec_key(), leaf_request(vc::Use::authentication));
    EXPECT_EQ(path_verdict(forged, ca.certificate, shared_bench().anchors), "certificate_path_invalid") << "signature";

    // The root itself as the issuer of a leaf: the path is shorter than it may be.
    auto const by_root = vc::issue_leaf(shared_bench().pki, vc::AuthorityName::root_ec, vc::new_ec_key(),
                                        leaf_request(vc::Use::authentication));
    EXPECT_EQ(path_verdict(by_root, shared_bench().pki.root_ec().certificate, shared_bench().anchors),
              "certificate_path_invalid");
}

TEST(LeafPath, A7_another_PKI_of_the_same_names_is_another_PKI)
{
    auto const other = new_pki();
    auto const leaf = vc::issue_leaf(other, citizen_ca, vc::new_ec_key(), leaf_request(vc::Use::authentication));
    auto const& anchors = shared_bench().anchors;
    EXPECT_EQ(path_verdict(leaf, other.authority(citizen_ca).certificate, anchors), "certificate_root_unknown");
    EXPECT_EQ(path_verdict(leaf, shared_bench().pki.authority(citizen_ca).certificate, anchors),
              "certificate_path_invalid")
        << "the genuine CA did not issue it";
}

TEST(LeafPath, A7_is_valid_from_its_first_second_to_its_last)
{
    auto const& pki = shared_bench().pki;
    auto const request = leaf_request(vc::Use::authentication);
    auto const leaf = vc::issue_leaf(pki, citizen_ca, vc::new_ec_key(), request);
    auto const at = [&](Instant now) {
        return path_verdict(leaf, pki.authority(citizen_ca).certificate, shared_bench().anchors, now);
    };
    EXPECT_EQ(at(request.not_before - 1s), "certificate_not_yet_valid");
    EXPECT_EQ(at(request.not_before), "accepted");
    EXPECT_EQ(at(request.not_after - 1s), "accepted");
    EXPECT_EQ(at(request.not_after + 1s), "certificate_expired");
}

TEST(LeafPath, every_byte_of_a_certificate_counts)
{
    auto const& pki = shared_bench().pki;
    auto const& ca = pki.authority(citizen_ca).certificate;
    auto const leaf = vc::issue_leaf(pki, citizen_ca, vc::new_ec_key(), leaf_request(vc::Use::authentication));
    for (std::size_t at = 0; at < leaf.size(); at += 5) {
        auto changed = leaf;
        changed[at] = static_cast<Byte>(changed[at] ^ 1);
        EXPECT_NE(path_verdict(changed, ca, shared_bench().anchors), "accepted") << at;
    }
    for (std::size_t at = 0; at < ca.size(); at += 5) {
        auto changed = ca;
        changed[at] = static_cast<Byte>(changed[at] ^ 1);
        EXPECT_NE(path_verdict(leaf, changed, shared_bench().anchors), "accepted") << at;
    }
}

// ---- revocation -----------------------------------------------------------------------------------------------------

/// A leaf of the bench's PKI, with its CA.
struct Leaf {
    Certificate subject;
    Certificate issuer;
};

Leaf leaf_of(Bench& bench, std::string_view persona)
{
    auto const reading = bench.reading(persona);
    return {Certificate::parse(reading.authentication_certificate).value(),
            Certificate::parse(reading.ca_certificate).value()};
}

Bytes const our_nonce(32, 0x11);

std::string ocsp_verdict(ByteView response, ByteView request, Leaf const& leaf, Instant now = noon)
{
    auto const result = judge_ocsp_response(response, request, leaf.subject, leaf.issuer, now);
    if (!result) return std::string{name_of(result.error().outcome)};
    switch (result->status) {
    case CertificateStatus::good: return "good";
    case CertificateStatus::on_hold: return "on hold";
    case CertificateStatus::revoked: return "revoked";
    }
    return "";
}

TEST(Ocsp, an_answer_counts_for_one_certificate_one_request_and_a_while)
{
    auto& bench = shared_bench();
    auto const lotte = leaf_of(bench, "lotte");
    auto const jurgen = leaf_of(bench, "jurgen");
    auto const request = make_ocsp_request(lotte.subject, lotte.issuer, our_nonce);
    auto const response = vc::answer_ocsp(bench.pki, bench.pki.standings, request, noon).value();

    EXPECT_EQ(ocsp_verdict(response, request, lotte), "good");
    EXPECT_EQ(ocsp_verdict(response, request, jurgen), "revocation_answer_invalid") << "about another card";
    auto const other_request = make_ocsp_request(lotte.subject, lotte.issuer, Bytes(32, 0x22));
    EXPECT_EQ(ocsp_verdict(response, other_request, lotte), "revocation_answer_invalid") << "an answer played again";
    EXPECT_EQ(ocsp_verdict(response, request, lotte, noon + 365 * 24h), "revocation_answer_stale");
    EXPECT_EQ(ocsp_verdict(response, request, lotte, noon - 1h), "revocation_answer_stale") << "from the future";
}

TEST(Ocsp, an_answer_of_one_CAs_responder_says_nothing_about_anothers_leaves)
{
    auto& bench = shared_bench();
    auto const citizen = leaf_of(bench, "lotte");
    auto const foreigner = leaf_of(bench, "foreigner");
    auto const request = make_ocsp_request(foreigner.subject, foreigner.issuer, our_nonce);
    auto const response = vc::answer_ocsp(bench.pki, bench.pki.standings, request, noon).value();
    EXPECT_EQ(ocsp_verdict(response, request, foreigner), "good");
    EXPECT_EQ(ocsp_verdict(response, request, {foreigner.subject, citizen.issuer}), "revocation_answer_invalid");
}

TEST(Ocsp, every_byte_of_an_answer_is_bounded_and_judged)
{
    auto& bench = shared_bench();
    auto const lotte = leaf_of(bench, "lotte");
    auto const request = make_ocsp_request(lotte.subject, lotte.issuer, our_nonce);
    auto const response = vc::answer_ocsp(bench.pki, bench.pki.standings, request, noon).value();

    EXPECT_EQ(ocsp_verdict({}, request, lotte), "revocation_answer_invalid");
    EXPECT_EQ(ocsp_verdict(Bytes(max_ocsp_response_bytes + 1, 0x30), request, lotte), "revocation_answer_invalid");
    auto longer = response;
    longer.push_back(0);
    EXPECT_EQ(ocsp_verdict(longer, request, lotte), "revocation_answer_invalid");
    for (std::size_t size = 0; size < response.size(); size += 13)
        EXPECT_NE(ocsp_verdict(ByteView{response}.first(size), request, lotte), "good") << size;
    // The responder's certificate travels along: its bytes that aren't signed for by anyone, there are none.
    for (std::size_t at = 0; at < response.size(); at += 11) {
        auto changed = response;
        changed[at] = static_cast<Byte>(changed[at] ^ 1);
        EXPECT_NE(ocsp_verdict(changed, request, lotte), "good") << at;
    }
}

TEST(Ocsp, a_responder_may_leave_the_nonce_out)
{
    auto& bench = shared_bench();
    auto const lotte = leaf_of(bench, "lotte");
    auto const request = make_ocsp_request(lotte.subject, lotte.issuer, our_nonce);
    auto standings = bench.pki.standings;
    auto const answer = [&](vc::Conduct conduct) {
        standings.conduct = conduct;
        return vc::answer_ocsp(bench.pki, standings, request, noon).value();
    };
    EXPECT_EQ(ocsp_verdict(answer(vc::Conduct::without_nonce), request, lotte), "good");
    EXPECT_EQ(ocsp_verdict(answer(vc::Conduct::wrong_nonce), request, lotte), "revocation_answer_invalid");
    EXPECT_EQ(ocsp_verdict(answer(vc::Conduct::try_later), request, lotte), "revocation_unreachable");
    EXPECT_EQ(ocsp_verdict(answer(vc::Conduct::stranger), request, lotte), "revocation_responder_unauthorised");
    EXPECT_EQ(ocsp_verdict(answer(vc::Conduct::forged), request, lotte), "revocation_answer_invalid");
    EXPECT_EQ(ocsp_verdict(answer(vc::Conduct::stale), request, lotte), "revocation_answer_stale");
}

std::string crl_verdict(ByteView crl, Leaf const& leaf, Instant now = noon)
{
    auto const result = judge_crl(crl, leaf.subject, leaf.issuer, now);
    if (!result) return std::string{name_of(result.error().outcome)};
    switch (result->status) {
    case CertificateStatus::good: return "good";
    case CertificateStatus::on_hold: return "on hold";
    case CertificateStatus::revoked: return "revoked";
    }
    return "";
}

TEST(Crl, says_what_it_lists)
{
    Bench bench;
    auto const& ca = bench.pki.authority(vc::AuthorityName::citizen_ca_ec);
    auto const lotte = leaf_of(bench, "lotte");
    auto const suspended = leaf_of(bench, "suspended");
    auto const revoked = leaf_of(bench, "revoked");
    auto const list = vc::make_crl(ca, bench.pki.standings, noon);
    EXPECT_EQ(crl_verdict(list, lotte), "good");
    EXPECT_EQ(crl_verdict(list, suspended), "on hold");
    EXPECT_EQ(crl_verdict(list, revoked), "revoked");
}

TEST(Crl, is_refused_when_it_is_old_changed_or_of_another_CA)
{
    Bench bench;
    auto const lotte = leaf_of(bench, "lotte");
    auto const list = vc::make_crl(bench.pki.authority(vc::AuthorityName::citizen_ca_ec), bench.pki.standings, noon);
    EXPECT_EQ(crl_verdict(list, lotte, noon + 8 * 24h), "revocation_answer_stale");
    EXPECT_EQ(crl_verdict(list, lotte, noon - 24h), "revocation_answer_stale");
    auto const other = vc::make_crl(bench.pki.authority(vc::AuthorityName::foreigner_ca_ec), bench.pki.standings, noon);
    EXPECT_EQ(crl_verdict(other, lotte), "revocation_answer_invalid");
    EXPECT_EQ(crl_verdict({}, lotte), "revocation_answer_invalid");
    for (std::size_t at = 0; at < list.size(); at += 9) {
        auto changed = list;
        changed[at] = static_cast<Byte>(changed[at] ^ 1);
        EXPECT_NE(crl_verdict(changed, lotte), "good") << at;
    }
}

TEST(Crl, of_the_root_is_asked_for_once_an_hour)
{
    Bench bench;
    auto const lotte = bench.reading("lotte");
    ASSERT_EQ(bench.verdict(lotte), "accepted") << bench.last_detail;
    auto const first = bench.fetcher.lists;
    EXPECT_EQ(first, 1) << "CA and Register are in one list";
    ASSERT_EQ(bench.verdict(lotte), "accepted");
    EXPECT_EQ(bench.fetcher.lists, first);
}

TEST(Crl, that_is_kept_serves_while_the_authority_is_down)
{
    Bench bench;
    auto const lotte = leaf_of(bench, "lotte");
    auto const root = Certificate::parse(bench.pki.root_ec().certificate).value();
    auto const ask = [&](Instant now, vc::Conduct conduct) {
        bench.pki.standings.conduct = conduct;
        VirtualFetcher fetcher{bench.pki, now};
        auto const result =
            run_now(status_of(lotte.issuer, root, AskFirst::crl, bench.anchors, fetcher, bench.lists, our_nonce, now));
        return result ? "good" : std::string{name_of(result.error().outcome)};
    };
    EXPECT_EQ(ask(noon, vc::Conduct::honest), "good");
    EXPECT_EQ(ask(noon + 2h, vc::Conduct::honest), "good");
}

// ---- the contract's signature ---------------------------------------------------------------------------------------

TEST(ContractSignature, A2_is_the_signature_keys)
{
    for (auto const* const persona : {"lotte", "bruno", "nadia"}) {
        auto const card = shared_bench().card(persona);
        auto const evidence = shared_bench().judge(read_virtual_card(card, challenge()));
        ASSERT_TRUE(evidence) << persona;
        auto const& signature = evidence->signature()->certificate;
        auto const& authentication = evidence->authentication();
        auto const algorithm = contract_digest_for(signature) == ContractDigest::sha384 ? crypto::HashAlgorithm::sha384
                                                                                        : crypto::HashAlgorithm::sha256;
        auto const digest = crypto::hash(algorithm, bytes_of("the signed attributes of a contract"));
        auto const verdict = [&](ByteView over, Bytes const& raw) {
            auto const result = verify_contract_signature(signature, authentication, over, raw);
            return result ? "accepted" : std::string{name_of(result.error().outcome)};
        };

        auto const raw = sign_digest_as_card(card.signature_key, digest);
        EXPECT_EQ(verdict(digest, raw), "accepted") << persona;
        EXPECT_EQ(verdict(digest, sign_digest_as_card(card.authentication_key, digest)),
                  "contract_not_signed_by_signature_key")
            << persona;
        auto changed = raw;
        changed.back() = static_cast<Byte>(changed.back() ^ 1);
        EXPECT_EQ(verdict(digest, changed), "contract_signature_invalid");
        EXPECT_EQ(verdict(digest, {}), "contract_signature_invalid");
        EXPECT_EQ(verdict(Bytes(digest.size(), 0), raw), "contract_signature_invalid") << "another contract";
        EXPECT_EQ(verdict(ByteView{digest}.first(20), raw), "contract_signature_invalid");
        auto const wrong_certificate = verify_contract_signature(authentication, signature, digest, raw);
        ASSERT_FALSE(wrong_certificate);
        EXPECT_EQ(wrong_certificate.error().outcome, Outcome::contract_not_signed_by_signature_key);
    }
}

// ---- certificates ---------------------------------------------------------------------------------------------------

TEST(CertificateParsing, cuts_the_padding_of_a_card_file)
{
    auto const reading = shared_bench().reading("lotte");
    auto const certificate = Certificate::parse(reading.authentication_certificate);
    ASSERT_TRUE(certificate);
    EXPECT_LT(certificate->der().size(), reading.authentication_certificate.size());
    EXPECT_EQ(certificate->key_type(), KeyType::p384);
    EXPECT_EQ(certificate->surname(), "Vermeersch-Test");
    EXPECT_EQ(certificate->given_name(), "Lotte Margriet");
    EXPECT_FALSE(certificate->is_ca());
    EXPECT_EQ(certificate->ocsp_urls().size(), 1U);
    EXPECT_EQ(certificate->crl_urls().size(), 1U);
}

TEST(CertificateParsing, refuses_what_is_no_certificate)
{
    auto const der = Certificate::parse(shared_bench().reading("lotte").authentication_certificate)->der();
    auto const verdict = [](ByteView bytes) { return Certificate::parse(bytes).has_value(); };
    EXPECT_TRUE(verdict(der));
    EXPECT_FALSE(verdict({}));
    EXPECT_FALSE(verdict(Bytes(2500, 0)));
    EXPECT_FALSE(verdict(bytes_of("-----BEGIN CERTIFICATE-----")));
    auto followed = der;
    followed.insert(followed.end(), {0, 0, 1});
    EXPECT_FALSE(verdict(followed)) << "something behind the padding";
    for (std::size_t size = 0; size < der.size(); size += 3) EXPECT_FALSE(verdict(ByteView{der}.first(size))) << size;
    Bytes const indefinite{0x30, 0x80, 0x30, 0x80, 0, 0, 0, 0};
    EXPECT_FALSE(verdict(indefinite));
}

} // namespace
} // namespace symbolon::card

#include "enrolment/steps.hpp"

#include "base/brussels.hpp"
#include "base/json.hpp"
#include "base/secret.hpp"
#include "enrolment/age.hpp"

#include <charconv>
#include <utility>

namespace symbolon::enrolment {

namespace {

void close_reader(Enrolment& enrolment)
{
    enrolment.ticket_hash.clear();
    enrolment.reader_session_hash.clear();
    enrolment.challenge.clear();
}

/// An answer of the card to it that is still on its way counts no more.
void close_web_eid(Enrolment& enrolment) { enrolment.web_eid_nonce.clear(); }

/// What was read goes at once where nothing came of it.
void forget_reading(Enrolment& enrolment)
{
    enrolment.person.reset();
    enrolment.source = {};
    enrolment.moves.reset();
    enrolment.moves_from.reset();
    enrolment.signature_certificate.clear();
    enrolment.certificate_chain.clear();
    enrolment.ocsp_answers.clear();
    enrolment.by_web_eid = false;
    enrolment.contract.clear();
    enrolment.signed_attributes.clear();
}

void forget_outcome(Enrolment& enrolment)
{
    enrolment.outcome.reset();
    enrolment.outcome_open_at.reset();
    enrolment.outcome_fields.clear();
}

void keep_outcome(Enrolment& enrolment, Failure const& failure)
{
    enrolment.outcome = failure.outcome;
    enrolment.outcome_open_at = failure.open_at;
    enrolment.outcome_fields = failure.fields;
}

/// No `state` leads to it, and no answer that is on its way counts.
void close_visit(Enrolment& enrolment)
{
    enrolment.ticket_hash.clear();
    enrolment.ticket_generation += 1;
    enrolment.bank_nonce.clear();
    enrolment.bank_verifier.clear();
}

void close_landing(Enrolment& enrolment)
{
    enrolment.landing_code_hash.clear();
    enrolment.landing_tries = {};
}

/// From when to when the holder of an account may have been born: "1985-07-30", "1985-07" or "1985".
Result<Birth> birth_of(account::Person const& person)
{
    using namespace std::chrono;
    auto const number = [&](std::size_t from, std::size_t size) -> std::optional<unsigned> {
        if (person.birth_date.size() < from + size) return std::nullopt;
        unsigned value = 0;
        auto const* const begin = person.birth_date.data() + from;
        auto const [end, error] = std::from_chars(begin, begin + size, value);
        if (error != std::errc{} || end != begin + size) return std::nullopt;
        return value;
    };
    auto const given_year = number(0, 4);
    if (!given_year) return fail(Outcome::birth_date_unknown);
    year const y{static_cast<int>(*given_year)};
    auto const m = number(5, 2);
    auto const d = number(8, 2);
    Birth const birth{.earliest = y / month{m.value_or(1)} / day{d.value_or(1)},
                      .latest =
                          d ? y / month{m.value_or(12)} / day{*d} : year_month_day{y / month{m.value_or(12)} / last}};
    if (!birth.earliest.ok() || !birth.latest.ok()) return fail(Outcome::birth_date_unknown);
    return birth;
}

/// The evidence of a source with the last token that was judged beside it.
std::string with_web_eid(std::string const& evidence, std::string const& web_eid)
{
    auto object = json::parse_object(evidence).value_or(json::Object{});
    auto judged = json::parse_object(web_eid);
    if (judged) object["web_eid"] = *std::move(judged);
    return json::write(object);
}

} // namespace

Result<void> check_open(Enrolment const& enrolment, Instant now)
{
    if (enrolment.state == State::undone) return fail(Outcome::enrolment_undone);
    if (enrolment.state == State::ended) return fail(enrolment.outcome.value_or(Outcome::enrolment_expired));
    if (now >= enrolment.expires_at) return fail(Outcome::enrolment_expired);
    return {};
}

Result<Enrolment> move(Enrolment enrolment, Event event, Instant now)
{
    TRY(check_open(enrolment, now));
    auto const to = next(enrolment.state, event);
    if (!to) return fail(Outcome::enrolment_step_wrong);
    enrolment.state = *to;
    return enrolment;
}

Result<Enrolment> give_link(Enrolment enrolment, Bytes ticket_hash, Instant now, Limits const& limits)
{
    TRY(check_open(enrolment, now));
    if (enrolment.state != State::card && enrolment.state != State::sign) return fail(Outcome::enrolment_step_wrong);
    close_reader(enrolment);
    enrolment.ticket_hash = std::move(ticket_hash);
    enrolment.ticket_generation += 1;
    enrolment.ticket_expires_at = now + limits.reader_ticket_lifetime;
    enrolment.progress = {};
    return enrolment;
}

Result<Enrolment> open_link(Enrolment enrolment, Bytes session_hash, Bytes challenge, Instant now, Limits const& limits)
{
    TRY(check_open(enrolment, now));
    if (!enrolment.reader_session_hash.empty()) return fail(Outcome::ticket_used);
    if (now >= enrolment.ticket_expires_at) return fail(Outcome::ticket_expired);
    if (enrolment.state != State::card && enrolment.state != State::sign) return fail(Outcome::enrolment_step_wrong);
    enrolment.reader_session_hash = std::move(session_hash);
    enrolment.challenge = std::move(challenge);
    enrolment.challenge_expires_at = now + limits.card_challenge_lifetime;
    enrolment.progress = {.at = "reader"};
    forget_outcome(enrolment);
    return enrolment;
}

Result<void> check_reader_session(Enrolment const& enrolment, Instant now)
{
    TRY(check_open(enrolment, now));
    if (now >= enrolment.ticket_expires_at) return fail(Outcome::ticket_expired);
    return {};
}

Result<Enrolment> card_accepted(Enrolment enrolment, CardFindings findings, Instant now)
{
    enrolment = TRY(move(std::move(enrolment), Event::card_read, now));
    close_reader(enrolment);
    close_web_eid(enrolment);
    forget_outcome(enrolment);
    enrolment.progress = {};
    enrolment.person = std::move(findings.person);
    enrolment.source = std::move(findings.source);
    enrolment.chip_number = std::move(findings.chip_number);
    enrolment.signature_certificate = std::move(findings.signature_certificate);
    enrolment.certificate_chain = std::move(findings.certificate_chain);
    enrolment.ocsp_answers = std::move(findings.ocsp_answers);
    enrolment.moves = std::move(findings.moves);
    enrolment.moves_from = std::move(findings.moves_from);
    return enrolment;
}

Enrolment reader_failed(Enrolment enrolment, Failure const& failure)
{
    close_reader(enrolment);
    keep_outcome(enrolment, failure);
    enrolment.progress = {};
    return enrolment;
}

Result<Enrolment> fix_contract(Enrolment enrolment, Bytes prepared_pdf, Bytes signed_attributes, ContractId id,
                               Instant now)
{
    enrolment = TRY(move(std::move(enrolment), Event::contract_fixed, now));
    close_reader(enrolment);
    forget_outcome(enrolment);
    enrolment.contract = std::move(prepared_pdf);
    enrolment.signed_attributes = std::move(signed_attributes);
    enrolment.contract_id = std::move(id);
    return enrolment;
}

Result<Enrolment> contract_signed(Enrolment enrolment, Bytes signed_pdf, Instant now)
{
    enrolment = TRY(move(std::move(enrolment), Event::contract_signed, now));
    close_reader(enrolment);
    forget_outcome(enrolment);
    enrolment.progress = {};
    enrolment.contract = std::move(signed_pdf);
    enrolment.signed_attributes.clear();
    return enrolment;
}

Result<Enrolment> give_web_eid_nonce(Enrolment enrolment, std::string nonce, Instant now, Limits const& limits)
{
    TRY(check_open(enrolment, now));
    if (!next(enrolment.state, Event::web_eid_judged)) return fail(Outcome::enrolment_step_wrong);
    enrolment.web_eid_nonce = std::move(nonce);
    enrolment.web_eid_nonce_expires_at = now + limits.card_challenge_lifetime;
    return enrolment;
}

Result<TakenNonce> take_web_eid_nonce(Enrolment enrolment, Instant now)
{
    TRY(check_open(enrolment, now));
    if (!next(enrolment.state, Event::web_eid_judged)) return fail(Outcome::enrolment_step_wrong);
    if (enrolment.web_eid_nonce.empty()) return fail(Outcome::web_eid_nonce_unknown);
    TakenNonce taken{.enrolment = std::move(enrolment), .nonce = {}, .failure = {}};
    taken.nonce = std::exchange(taken.enrolment.web_eid_nonce, {});
    if (now >= taken.enrolment.web_eid_nonce_expires_at) taken.failure = fail(Outcome::web_eid_nonce_expired).error();
    return taken;
}

Result<Enrolment> web_eid_accepted(Enrolment enrolment, account::Account const& known, std::string evidence,
                                   Instant now, Limits const& limits)
{
    // C2 and C3 hold for every way of the card. Who has an account was old enough once; a minor came through a bank.
    TRY(may_enrol_by_card(TRY(birth_of(known.person)), SignatureCertificateState::active, date_in_brussels(now),
                          limits));
    auto source = known.source;
    source.kind = account::Source::Kind::card;
    source.bank.clear();
    TRY(account::check_move(known, source, now));

    enrolment = TRY(move(std::move(enrolment), Event::web_eid_judged, now));
    close_reader(enrolment);
    close_web_eid(enrolment);
    forget_outcome(enrolment);
    enrolment.progress = {};
    enrolment.by_web_eid = true;
    enrolment.person = known.person;
    enrolment.source = std::move(source);
    enrolment.source.evidence = std::move(evidence);
    enrolment.contract_id = known.contract;
    enrolment.moves = known.id;
    enrolment.moves_from = known.device;
    return enrolment;
}

Result<Enrolment> open_bank_visit(Enrolment enrolment, BankDoor door, Instant now, Limits const& limits)
{
    TRY(check_open(enrolment, now));
    if (enrolment.state != State::bank) return fail(Outcome::enrolment_step_wrong);
    close_visit(enrolment);
    forget_outcome(enrolment);
    enrolment.bank = std::move(door.bank);
    enrolment.ticket_hash = std::move(door.state_hash);
    enrolment.ticket_expires_at = now + limits.bank_visit_lifetime;
    enrolment.browser_hash = std::move(door.browser_hash);
    enrolment.bank_nonce = std::move(door.nonce);
    enrolment.bank_verifier = std::move(door.verifier);
    return enrolment;
}

Result<Enrolment> close_bank_visit(Enrolment enrolment, Instant now)
{
    TRY(check_open(enrolment, now));
    if (enrolment.state != State::bank) return fail(Outcome::enrolment_step_wrong);
    close_visit(enrolment);
    return enrolment;
}

Result<Enrolment> take_bank_visit(Enrolment enrolment, ByteView state_hash, Instant now)
{
    TRY(check_open(enrolment, now));
    if (enrolment.state != State::bank || enrolment.ticket_hash.empty() ||
        !equal_in_constant_time(enrolment.ticket_hash, state_hash))
        return fail(Outcome::bank_visit_unknown);
    close_visit(enrolment);
    return enrolment;
}

Result<void> check_bank_visit(Enrolment const& enrolment, int visit, Instant now)
{
    TRY(check_open(enrolment, now));
    if (enrolment.state != State::bank || !enrolment.ticket_hash.empty() || enrolment.ticket_generation != visit)
        return fail(Outcome::bank_visit_unknown);
    return {};
}

Enrolment bank_failed(Enrolment enrolment, Failure const& failure)
{
    keep_outcome(enrolment, failure);
    return enrolment;
}

Failure told_elsewhere(Failure const& failure)
{
    switch (failure.outcome) {
    case Outcome::bank_unknown:
    case Outcome::bank_unreachable:
    case Outcome::bank_visit_expired:
    case Outcome::bank_cancelled:
    case Outcome::bank_refused:
    case Outcome::bank_answer_invalid:
    case Outcome::bank_assurance_too_low: return failure;
    default: return fail(Outcome::bank_ended_elsewhere).error();
    }
}

Result<Enrolment> bank_accepted(Enrolment enrolment, BankFindings findings,
                                std::optional<account::Account> const& known, Bytes landing_code_hash, Instant now,
                                Limits const& limits)
{
    auto const landed = !landing_code_hash.empty();
    enrolment = TRY(move(std::move(enrolment), landed ? Event::bank_landed : Event::bank_answered, now));
    close_visit(enrolment);
    close_landing(enrolment);
    forget_outcome(enrolment);
    enrolment.person = std::move(findings.person);
    enrolment.source = std::move(findings.source);
    if (known) {
        enrolment.moves = known->id;
        enrolment.moves_from = known->device;
        enrolment.number_before = known->phone_number;
    }
    if (landed) {
        enrolment.landing_code_hash = std::move(landing_code_hash);
        enrolment.ticket_expires_at = now + limits.bank_visit_lifetime;
    }
    return enrolment;
}

Result<Enrolment> identify_again(Enrolment enrolment, std::optional<Failure> const& why, Instant now)
{
    TRY(check_open(enrolment, now));
    if (!goes_through_bank(enrolment)) return fail(Outcome::enrolment_step_wrong);
    enrolment = TRY(move(std::move(enrolment), Event::identify_again, now));
    close_visit(enrolment);
    close_landing(enrolment);
    forget_reading(enrolment);
    forget_outcome(enrolment);
    enrolment.number_before = {};
    if (why) keep_outcome(enrolment, *why);
    return enrolment;
}

bool goes_through_bank(Enrolment const& enrolment)
{
    switch (enrolment.state) {
    case State::bank:
    case State::landed: return true;
    default: return enrolment.source.kind == account::Source::Kind::bank;
    }
}

Result<Enrolment> bind_phone(Enrolment enrolment, AccountId account, DeviceId device, std::string device_name,
                             Instant now)
{
    enrolment = TRY(move(std::move(enrolment), Event::phone_bound, now));
    enrolment.account = std::move(account);
    enrolment.device = std::move(device);
    enrolment.device_name = std::move(device_name);
    enrolment.bound_at = now;
    enrolment.token_hash.clear();
    enrolment.sms_code_hash.clear();
    close_landing(enrolment);
    forget_outcome(enrolment);
    return enrolment;
}

Result<Enrolment> read_again(Enrolment enrolment, Outcome why, Instant now)
{
    enrolment = TRY(move(std::move(enrolment), Event::read_again, now));
    close_reader(enrolment);
    forget_reading(enrolment);
    enrolment.progress = {};
    forget_outcome(enrolment);
    enrolment.outcome = why;
    enrolment.token_hash.clear();
    enrolment.phone_session_hash.clear();
    enrolment.sms_code_hash.clear();
    enrolment.device_nonce.clear();
    return enrolment;
}

Result<void> check_moves(Enrolment const& enrolment, account::Account const& account)
{
    if (account.state == account::State::closed || account.device != enrolment.moves_from)
        return fail(Outcome::moved_meanwhile);
    if (goes_through_bank(enrolment) && account.phone_number != enrolment.phone_number &&
        account.phone_number != enrolment.number_before)
        return fail(Outcome::new_number_needs_card);
    return {};
}

bool takes_number(Enrolment const& enrolment, account::Account const* reached)
{
    return enrolment.state == State::code && reached != nullptr && reached->id != enrolment.moves;
}

account::Account account_of(Enrolment const& enrolment, AccountId id, DeviceId device, Instant now)
{
    account::Account account;
    account.id = std::move(id);
    account.phone_number = enrolment.phone_number;
    account.email = enrolment.email;
    account.language = enrolment.language;
    account.location_consent = enrolment.location_consent;
    account.person = enrolment.person.value();
    account.person_at = now;
    account.source = enrolment.source;
    account.device = std::move(device);
    account.contract = enrolment.contract_id;
    account.created_at = now;
    return account;
}

Result<account::Account> account_moved(Enrolment const& enrolment, account::Account const& before, DeviceId device,
                                       Instant now)
{
    auto after = TRY(account::moved(before, account_of(enrolment, before.id, std::move(device), now)));
    // Higher than any before, also where a program of before kept the account and dropped its number.
    after.move_number = std::max(before.move_number + 1, numeric_date(now));
    if (!enrolment.by_web_eid) return after;
    after.person = before.person;
    after.person_at = before.person_at;
    after.source = before.source;
    after.source.evidence = with_web_eid(before.source.evidence, enrolment.source.evidence);
    after.contract = before.contract;
    return after;
}

account::Account account_before_move(account::Account account, Enrolment const& enrolment)
{
    account.phone_number = enrolment.number_before;
    account.email = enrolment.email_before;
    return account;
}

bool can_undo(Enrolment const& enrolment, Instant now, Limits const& limits)
{
    return enrolment.state == State::done && now < enrolment.bound_at + limits.enrolment_undo_within;
}

Result<Enrolment> undo(Enrolment enrolment, Instant now, Limits const& limits)
{
    if (enrolment.state == State::undone) return fail(Outcome::enrolment_undone);
    if (!can_undo(enrolment, now, limits)) return fail(Outcome::enrolment_step_wrong);
    enrolment.state = next(enrolment.state, Event::undo).value();
    enrolment.outcome = Outcome::enrolment_undone;
    return enrolment;
}

Result<Enrolment> cancel(Enrolment enrolment, Outcome why, Instant now)
{
    enrolment = TRY(move(std::move(enrolment), Event::end, now));
    close_reader(enrolment);
    close_web_eid(enrolment);
    forget_outcome(enrolment);
    enrolment.outcome = why;
    forget_reading(enrolment);
    return enrolment;
}

} // namespace symbolon::enrolment

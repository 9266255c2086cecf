#pragma once

#include "account/account.hpp"
#include "account/device.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"
#include "enrolment/bank.hpp"
#include "enrolment/enrolment.hpp"

#include <optional>
#include <string>

/// The steps from one state of an enrolment to the next. Each gives the enrolment as it must be stored.
namespace symbolon::enrolment {

/// Whether the enrolment can still go on. Fails, first match wins: enrolment_undone; what it ended with, or
/// enrolment_expired (ended, or `now >= expires_at`).
Result<void> check_open(Enrolment const& enrolment, Instant now);

/// The move of the table. Fails: the failures of check_open, enrolment_step_wrong.
Result<Enrolment> move(Enrolment enrolment, Event event, Instant now);

/// A link for the reader program was made. The ticket before is no longer good.
/// Fails: the failures of check_open; enrolment_step_wrong (neither card nor sign).
Result<Enrolment> give_link(Enrolment enrolment, Bytes ticket_hash, Instant now, Limits const& limits);

/// The reader program opened the link; the ticket is used up. `challenge` is empty for the step sign.
/// Fails, first match wins: the failures of check_open; ticket_used; ticket_expired; enrolment_step_wrong.
Result<Enrolment> open_link(Enrolment enrolment, Bytes session_hash, Bytes challenge, Instant now,
                            Limits const& limits);

/// Whether a session of the reader program still counts. Fails, first match wins: the failures of check_open;
/// ticket_expired.
Result<void> check_reader_session(Enrolment const& enrolment, Instant now);

/// What a judged card said, as the enrolment keeps it.
struct CardFindings {
    account::Person person;
    account::Source source;
    Bytes chip_number;
    Bytes signature_certificate;
    Bytes certificate_chain;
    std::vector<Bytes> ocsp_answers;
    std::optional<AccountId> moves = {};     ///< the account that the person has already
    std::optional<DeviceId> moves_from = {}; ///< and its phone
};

/// The card was judged and accepted. Fails: the failures of check_open, enrolment_step_wrong.
Result<Enrolment> card_accepted(Enrolment enrolment, CardFindings findings, Instant now);

/// The session with the reader program is over with a failure: the page shows it, the holder begins again with a new
/// link. A failure that no other try can mend ends nothing either: another card may be the right one.
Enrolment reader_failed(Enrolment enrolment, Failure const& failure);

/// The contract is fixed: from now on it is this one that is signed. Fails: the failures of check_open,
/// enrolment_step_wrong.
Result<Enrolment> fix_contract(Enrolment enrolment, Bytes prepared_pdf, Bytes signed_attributes, ContractId id,
                               Instant now);

/// The card signed. Fails: the failures of check_open, enrolment_step_wrong.
Result<Enrolment> contract_signed(Enrolment enrolment, Bytes signed_pdf, Instant now);

// ---- through Web eID (docs/decisions/0016-web-eid.md) ---------------------------------------------------------------

/// The page was given a nonce for the card. The one before is no longer good. Fails: the failures of check_open,
/// enrolment_step_wrong.
Result<Enrolment> give_web_eid_nonce(Enrolment enrolment, std::string nonce, Instant now, Limits const& limits);

/// The nonce comes back signed, and is used up whatever becomes of it.
struct TakenNonce {
    Enrolment enrolment;
    std::string nonce;
    std::optional<Failure> failure; ///< web_eid_nonce_expired; the enrolment is stored all the same
};

/// Fails: the failures of check_open, enrolment_step_wrong, web_eid_nonce_unknown (none is open).
Result<TakenNonce> take_web_eid_nonce(Enrolment enrolment, Instant now);

/// The card's holder has the account `known`, and it goes to the phone that is linked now. The token has no identity
/// file and signs no contract, so that the account's stay; `evidence`: JSON, what was judged.
///
/// Fails, first match wins: the failures of may_enrol_by_card for the account's birth date, other_source_than_enrolled
/// (blocked, and opened through a bank), the failures of check_open, enrolment_step_wrong.
Result<Enrolment> web_eid_accepted(Enrolment enrolment, account::Account const& known, std::string evidence,
                                   Instant now, Limits const& limits);

// ---- through a bank (docs/decisions/0014-through-a-bank.md) ---------------------------------------------------------

/// A visit at a bank, as the enrolment keeps it.
struct BankDoor {
    std::string bank;
    Bytes state_hash;     ///< SHA-256 of `state`
    Bytes browser_hash;   ///< of the cookie of the browser that leaves
    std::string nonce;    ///< that the bank's answer must carry
    std::string verifier; ///< RFC 7636 §4.1
};

/// The phone leaves for a bank. The visit before is no longer good, and what it came to is forgotten.
/// Fails: the failures of check_open; enrolment_step_wrong (not bank).
Result<Enrolment> open_bank_visit(Enrolment enrolment, BankDoor door, Instant now, Limits const& limits);

/// The holder is back without the bank's answer: the visit is over, and so is one whose answer is being asked for.
/// Where none is open, nothing but that changes. Fails: the failures of check_open; enrolment_step_wrong (not bank).
Result<Enrolment> close_bank_visit(Enrolment enrolment, Instant now);

/// The visit's `state` came back, and is used up, whatever becomes of it. `ticket_generation` names the visit from then
/// on. Fails: the failures of check_open; bank_visit_unknown (another visit, or one that is over).
Result<Enrolment> take_bank_visit(Enrolment enrolment, ByteView state_hash, Instant now);

/// Whether the answer that was asked for is still awaited. `visit`: the ticket_generation of take_bank_visit. Fails:
/// the failures of check_open; bank_visit_unknown.
Result<void> check_bank_visit(Enrolment const& enrolment, int visit, Instant now);

/// Nothing came of the visit: the app shows why.
Enrolment bank_failed(Enrolment enrolment, Failure const& failure);

/// What the app is told of a visit that failed in another browser. What the answer said of the person is for who was at
/// the bank, and that may be somebody whom the holder of this phone has sent there: it becomes bank_ended_elsewhere.
Failure told_elsewhere(Failure const& failure);

/// The bank's answer was judged and accepted. `known`: the account that the person has already. `landing_code_hash`:
/// where the visit ended in another browser than the one that left, SHA-256 of what that page shows; else empty.
/// Fails: the failures of check_open, enrolment_step_wrong.
Result<Enrolment> bank_accepted(Enrolment enrolment, BankFindings findings,
                                std::optional<account::Account> const& known, Bytes landing_code_hash, Instant now,
                                Limits const& limits);

/// Back to the choice of bank: the holder chooses anew, or what the bank answered for is no longer so (`why`). An SMS
/// code that is on its way stays good. Fails: the failures of check_open, enrolment_step_wrong (also: it is the card
/// that says who it is).
Result<Enrolment> identify_again(Enrolment enrolment, std::optional<Failure> const& why, Instant now);

/// Whether a bank, not the card, says who it is.
bool goes_through_bank(Enrolment const& enrolment);

// ---- the last step
// ---------------------------------------------------------------------------------------------------

/// The phone chose its code and is bound: the last step. The account of account_of and the device are stored with it in
/// one commit (ports::Accounts::open). Fails: the failures of check_open, enrolment_step_wrong.
Result<Enrolment> bind_phone(Enrolment enrolment, AccountId account, DeviceId device, std::string device_name,
                             Instant now);

/// What the card was read for is no longer so (`why`): back to the card, with what was typed on the page. Fails: the
/// failures of check_open, enrolment_step_wrong.
Result<Enrolment> read_again(Enrolment enrolment, Outcome why, Instant now);

/// Whether an account is still as it was when the person was identified: nobody brought it to another phone meanwhile,
/// and, where a bank did it, to another number, which needs the card (E3). Fails, first match wins: moved_meanwhile,
/// new_number_needs_card.
Result<void> check_moves(Enrolment const& enrolment, account::Account const& account);

/// Whether the number is another account's, which loses it as soon as the phone is bound (E10). `reached`: the account
/// that is reached by the number now, if any. Only who has typed the number's SMS code is told (State::code): strangers
/// don't learn which numbers are known.
bool takes_number(Enrolment const& enrolment, account::Account const* reached);

/// The account that the enrolment leads to.
account::Account account_of(Enrolment const& enrolment, AccountId id, DeviceId device, Instant now);

/// The account `before` as it goes to the enrolment's phone: account::moved of account_of. Through Web eID it keeps the
/// person, the source (whose evidence gets what was judged) and the contract. Fails: conflict (it is closed).
Result<account::Account> account_moved(Enrolment const& enrolment, account::Account const& before, DeviceId device,
                                       Instant now);

/// The account when its move is taken back: with the number and the e-mail that it had, since a
/// thief may have brought his own.
account::Account account_before_move(account::Account account, Enrolment const& enrolment);

/// Whether the page may still take the binding back: done, and less than limits.enrolment_undo_within ago.
bool can_undo(Enrolment const& enrolment, Instant now, Limits const& limits);

/// The holder took the binding back. Fails, first match wins: enrolment_undone, enrolment_step_wrong (not done, or too
/// long ago).
Result<Enrolment> undo(Enrolment enrolment, Instant now, Limits const& limits);

/// The holder stopped. Fails: the failures of check_open, enrolment_step_wrong (done).
Result<Enrolment> cancel(Enrolment enrolment, Outcome why, Instant now);

} // namespace symbolon::enrolment

#pragma once

#include "account/account.hpp"
#include "account/phone_number.hpp"
#include "base/bytes.hpp"
#include "base/id.hpp"
#include "base/instant.hpp"
#include "base/language.hpp"
#include "base/outcome.hpp"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace symbolon::enrolment {

/// Where an enrolment is. What the page calls a step (docs/enrolment-api.md).
enum class State : std::uint8_t {
    card,   ///< the card is to be read
    review, ///< the person is shown; the contract is to be signed
    sign,   ///< the contract is fixed; the signature key is to sign it
    token,  ///< the phone is to type the identification token
    sms,    ///< the phone is to type the SMS code
    code,   ///< the phone is to choose its code
    done,   ///< the account is active
    ended,  ///< cancelled, refused or too late
    undone, ///< the holder took the binding back on the page
    bank,   ///< a bank is to say who it is
    landed, ///< a bank did, in another browser than the one that left: the phone is to type what that page shows
};

enum class Event : std::uint8_t {
    card_read,
    contract_fixed,
    contract_signed,
    token_given,
    sms_given,
    phone_bound,
    end,
    undo,
    read_again, ///< what the card was read for is no longer so
    bank_answered,
    bank_landed,
    landing_code_given,
    identify_again, ///< what the bank answered for is no longer so, or the holder chooses anew
    web_eid_judged, ///< the card proved whose it is, without its files: an account that is there goes on
};

struct Move {
    State from;
    Event event;
    State to;
};

// clang-format off
inline constexpr std::array moves{
    //   from           event                   to
    Move{State::card,   Event::card_read,       State::review},
    Move{State::review, Event::contract_fixed,  State::sign},
    Move{State::review, Event::read_again,      State::card},
    Move{State::sign,   Event::contract_signed, State::token},
    Move{State::sign,   Event::contract_fixed,  State::sign},
    Move{State::sign,   Event::read_again,      State::card},
    Move{State::code,   Event::read_again,      State::card},
    Move{State::card,   Event::web_eid_judged,  State::token},
    Move{State::token,  Event::token_given,     State::sms},
    Move{State::sms,    Event::token_given,     State::sms},
    Move{State::sms,    Event::sms_given,       State::code},
    Move{State::code,   Event::token_given,     State::sms},
    Move{State::code,   Event::phone_bound,     State::done},
    Move{State::card,   Event::end,             State::ended},
    Move{State::review, Event::end,             State::ended},
    Move{State::sign,   Event::end,             State::ended},
    Move{State::token,  Event::end,             State::ended},
    Move{State::sms,    Event::end,             State::ended},
    Move{State::code,   Event::end,             State::ended},
    Move{State::done,   Event::undo,            State::undone},
    Move{State::bank,   Event::bank_answered,   State::sms},
    Move{State::bank,   Event::bank_landed,     State::landed},
    Move{State::landed, Event::landing_code_given, State::sms},
    Move{State::landed, Event::identify_again,  State::bank},
    Move{State::sms,    Event::identify_again,  State::bank},
    Move{State::code,   Event::identify_again,  State::bank},
    Move{State::bank,   Event::end,             State::ended},
    Move{State::landed, Event::end,             State::ended},
};
// clang-format on

constexpr std::optional<State> next(State from, Event event)
{
    for (auto const& move : moves)
        if (move.from == from && move.event == event) return move.to;
    return std::nullopt;
}

static_assert(!next(State::token, Event::phone_bound), "no phone is bound without the SMS code");
static_assert(!next(State::sms, Event::phone_bound), "no phone is bound without the SMS code");
static_assert(!next(State::card, Event::contract_signed), "nobody signs before the card was judged");
static_assert(!next(State::bank, Event::web_eid_judged), "a card does not speak for who goes through a bank");
static_assert(!next(State::bank, Event::sms_given), "no SMS code before a bank said who it is");
static_assert(!next(State::bank, Event::landing_code_given), "no landing code before a bank said who it is");
static_assert(!next(State::done, Event::phone_bound), "one enrolment binds one phone");

/// Tries of a limited step: counts real failures only (E9).
struct Tries {
    int failed = 0;
    Instant open_at; ///< when the step opens again; the epoch: it is open
};

/// What the reader program last said, for the page.
struct Progress {
    std::string at; ///< "reader", "card", "reading", "pin", "sending"
    std::optional<Outcome> outcome;
    std::optional<int> tries_left;
};

/// One person's way from an enrolment page to an account. Lives 24 h in the store, under its own data key.
struct Enrolment {
    EnrolmentId id;
    State state = State::card;
    Bytes browser_hash; ///< SHA-256 of the cookie
    Language language = Language::fr;
    account::PhoneNumber phone_number;
    std::string email;
    bool location_consent = false;
    Instant created_at;
    Instant expires_at;
    std::optional<Outcome> outcome; ///< the last failure that the page shows, or why it ended
    std::optional<Instant> outcome_open_at;
    std::vector<std::string> outcome_fields; ///< Failure::fields of the same

    // the reader program
    Bytes ticket_hash; ///< SHA-256; empty: none open. With a bank: of the `state` of the visit
    int ticket_generation = 0;
    Instant ticket_expires_at; ///< in landed: of the landing code
    Bytes reader_session_hash; ///< SHA-256; empty: none open
    Bytes challenge;           ///< 48 bytes that the card answers; empty once used
    Instant challenge_expires_at;
    std::string symbol;               ///< what the page shows
    std::vector<std::string> symbols; ///< what the program offers
    Progress progress;

    // the bank, where the journey goes through one (docs/decisions/0014-through-a-bank.md)
    std::string bank;          ///< its name in the configuration; empty: none was chosen yet
    std::string bank_nonce;    ///< of the visit that is open; empty: none
    std::string bank_verifier; ///< PKCE, of the same
    Bytes landing_code_hash;   ///< SHA-256 of what the page shows where the visit landed in another browser
    Tries landing_tries;

    // the card through Web eID (docs/decisions/0016-web-eid.md)
    std::string web_eid_nonce; ///< base64 that the card is to sign; empty: none open
    Instant web_eid_nonce_expires_at;
    bool by_web_eid = false; ///< it was: person, source (but for its evidence) and contract are the account's

    // what was read and judged
    std::optional<account::Person> person;
    account::Source source;
    Bytes chip_number;
    Bytes signature_certificate;     ///< DER
    Bytes certificate_chain;         ///< DER, one after another: CA, root
    std::vector<Bytes> ocsp_answers; ///< DER

    // the account that the person had when the card was read, and that goes to the new phone (E1, E3, E6, E7)
    std::optional<AccountId> moves;
    std::optional<DeviceId> moves_from; ///< its phone then; none: it had none
    std::int64_t move_number = 0;       ///< in done: which move of the account it was (Account::move_number)
    account::PhoneNumber
        number_before; ///< in done: its number and address before it moved. With a bank: from its answer on
    std::string email_before;

    // the contract
    Bytes contract;          ///< PDF: prepared in `sign`, signed from `token` on
    Bytes signed_attributes; ///< DER, what the signature key signs
    ContractId contract_id;

    // the phone
    Bytes token_hash; ///< SHA-256 of the identification token
    int token_generation = 0;
    Instant token_expires_at;
    Tries token_tries;
    Bytes phone_session_hash; ///< SHA-256
    Bytes sms_code_hash;
    Instant sms_code_expires_at;
    Tries sms_tries;
    std::vector<Instant> sms_sent_at;
    bool sms_lost = false;            ///< the last one surely did not arrive: the next one need not wait
    Bytes device_nonce;               ///< what the new device key signs
    std::optional<AccountId> account; ///< in done
    std::optional<DeviceId> device;   ///< in done
    std::string device_name;
    Instant bound_at;
};

} // namespace symbolon::enrolment

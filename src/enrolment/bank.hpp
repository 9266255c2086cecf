#pragma once

#include "account/account.hpp"
#include "account/phone_number.hpp"
#include "base/instant.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What a bank may say of a person, and what is made of it (journeys B3, C1, C2, E1, E3, E6; design.md §4).
namespace symbolon::enrolment {

/// What an operator has settled with one bank.
struct BankTerms {
    std::string id;               ///< its name in the configuration: "kbc"
    std::string name;             ///< as people know it
    bool minors = false;          ///< 16 and 17, where the bank has read the card (C2)
    bool app_first = false;       ///< the bank's own app must be installed before the journey (B2)
    std::string app_url;          ///< where that app is; empty: none
    std::vector<std::string> acr; ///< levels of assurance that are high enough; the answer's must be one of them
    std::chrono::months card_data_good_for{24}; ///< since the bank read the card (B3)
};

/// What a bank said of a person: verified as the bank's and as made for this visit, not yet judged. A text that the
/// bank left out is empty.
struct BankAnswer {
    std::string bank;    ///< BankTerms::id
    std::string subject; ///< how the bank names the person towards us
    std::string acr;
    std::string family_name;
    std::string given_names;
    std::string birth_date; ///< ISO 8601, whole
    std::string birth_place;
    account::Sex sex = account::Sex::unknown;
    std::string nationality;
    std::string national_number; ///< as the bank wrote it
    account::Address address;
    std::string phone_number;         ///< as the bank wrote it
    std::string document_number;      ///< of the card that the bank has read
    std::string document_valid_until; ///< ISO 8601, the last day
    std::string card_read_on;         ///< ISO 8601: the day on which the bank read it last
    std::string evidence;             ///< JSON: the answer as it was believed, for audits
};

/// What a Failure::fields of bank_data_outdated says: "address", or "card_read_on since 2026-05-01" where it is known
/// from which day on (ISO 8601) it is out of date.
struct OutdatedField {
    std::string name;
    std::optional<std::chrono::year_month_day> since;

    [[nodiscard]] std::string text() const;
    /// Of a text() again. What is no date is none.
    static OutdatedField parse(std::string_view text);
};

/// What comes of an answer that is good enough.
struct BankFindings {
    account::Person person;
    account::Source source;
};

/// Judges an answer. `known` is the account that the person has already, if any; `number` what the phone is enrolling.
///
/// Fails, first match wins: bank_answer_invalid (a text is too long or no text, national number with a wrong check or
/// that disagrees with the birth date); bank_assurance_too_low; bank_data_outdated (fields: what is missing or too
/// old); too_young (open_at: the start of the sixteenth birthday); bank_not_for_minors; bank_data_outdated (fields:
/// what disagrees with what is known); bank_phone_number_differs; new_number_needs_card (E3);
/// other_source_than_enrolled (E6).
Result<BankFindings> judge_bank_answer(BankAnswer const& answer, BankTerms const& terms,
                                       std::optional<account::Account> const& known, account::PhoneNumber const& number,
                                       Instant now, Limits const& limits);

/// Whether what came of an answer is the word that unblocks `known` (E6): the bank enrolled it, and says that this is
/// its holder, be it with another number (account::with_word_of_bank).
bool speaks_for_blocked(Result<BankFindings> const& judged, BankTerms const& terms, account::Account const& known);

} // namespace symbolon::enrolment

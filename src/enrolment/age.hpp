#pragma once

#include "base/limits.hpp"
#include "base/result.hpp"

#include <chrono>

/// Who is old enough to enrol with the card (journeys C1 to C3). "Today" is the date in Brussels (base/brussels.hpp).
namespace symbolon::enrolment {

/// A date of birth of which the day or the month may not be known: somewhere from the first day to the last.
struct Birth {
    std::chrono::year_month_day earliest;
    std::chrono::year_month_day latest;
};

/// The day on which somebody reaches an age. Who was born on 29 February does so on 1 March in other years.
std::chrono::year_month_day reaches(std::chrono::year_month_day born, std::chrono::years age);

/// The holder's signature certificate as the card's judgement found it.
enum class SignatureCertificateState : std::uint8_t { active, on_hold, missing };

/// Whether somebody may enrol with the card.
///
/// Fails, first match wins: too_young (open_at: the start of the sixteenth birthday), birth_date_unknown (the part that
/// is not known decides), minor_needs_bank (16 and 17), signature_certificate_missing, certificate_suspended.
Result<void> may_enrol_by_card(Birth birth, SignatureCertificateState signature, std::chrono::year_month_day today,
                               Limits const& limits);

} // namespace symbolon::enrolment

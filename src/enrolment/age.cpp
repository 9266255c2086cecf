#include "enrolment/age.hpp"

#include "base/brussels.hpp"

namespace symbolon::enrolment {

std::chrono::year_month_day reaches(std::chrono::year_month_day born, std::chrono::years age)
{
    auto const day = born + age;
    if (day.ok()) return day;
    return day.year() / std::chrono::March / 1;
}

Result<void> may_enrol_by_card(Birth birth, SignatureCertificateState signature, std::chrono::year_month_day today,
                               Limits const& limits)
{
    std::chrono::years const least_age{limits.minimum_age_years};
    std::chrono::years const age_of_majority{limits.minimum_age_with_card_years};

    // C1: under 16: refused, with the date from which it is possible.
    if (today < reaches(birth.earliest, least_age))
        return fail_until(Outcome::too_young, start_of_day_in_brussels(reaches(birth.latest, least_age)));
    if (today < reaches(birth.latest, least_age)) return fail(Outcome::birth_date_unknown, "on which side of 16");

    // C2: 16 and 17: only through a bank.
    if (today < reaches(birth.earliest, age_of_majority)) return fail(Outcome::minor_needs_bank);
    if (today < reaches(birth.latest, age_of_majority)) return fail(Outcome::birth_date_unknown, "on which side of 18");

    // C3: from 18 with the card: the signature certificate must be active.
    switch (signature) {
    case SignatureCertificateState::missing: return fail(Outcome::signature_certificate_missing);
    case SignatureCertificateState::on_hold: return fail(Outcome::certificate_suspended, "signature certificate");
    case SignatureCertificateState::active: break;
    }
    return {};
}

} // namespace symbolon::enrolment

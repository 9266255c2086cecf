#include "enrolment/bank.hpp"

#include "account/account.hpp"

#include <algorithm>

namespace symbolon::enrolment {

Result<BankFindings> judge_bank_answer(BankAnswer const& answer, BankTerms const& terms,
                                       std::optional<account::Account> const& known, account::PhoneNumber const& number,
                                       Instant /*now*/, Limits const& /*limits*/)
{
    if (answer.national_number.size() != 11) return fail(Outcome::bank_answer_invalid, "national number");
    if (std::ranges::find(terms.acr, answer.acr) == terms.acr.end()) return fail(Outcome::bank_assurance_too_low);
    if (answer.document_number.empty()) return fail_about(Outcome::bank_data_outdated, {"document_number"});
    if (!answer.phone_number.empty() && answer.phone_number != number.e164())
        return fail(Outcome::bank_phone_number_differs);

    BankFindings findings;
    findings.person.family_name = answer.family_name;
    findings.person.given_names = answer.given_names;
    findings.person.birth_date = answer.birth_date;
    findings.person.birth_place = answer.birth_place;
    findings.person.sex = answer.sex;
    findings.person.nationality = answer.nationality;
    findings.person.national_number = answer.national_number;
    findings.person.address = answer.address;
    findings.source.kind = account::Source::Kind::bank;
    findings.source.bank = terms.id;
    findings.source.document_number = answer.document_number;
    findings.source.valid_until = answer.document_valid_until;
    findings.source.issued_by = terms.name;
    findings.source.evidence = answer.evidence;
    if (known) {
        if (known->phone_number != number) return fail(Outcome::new_number_needs_card);
        if (auto const may = account::check_move(*known, findings.source); !may) return std::unexpected{may.error()};
    }
    return findings;
}

} // namespace symbolon::enrolment

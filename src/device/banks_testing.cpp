#include "device/banks_testing.hpp"

namespace symbolon::device::testing {

namespace {

constexpr auto high = "http://eidas.europa.eu/LoA/high";

ports::BankStanding bank(std::string id, std::string name)
{
    enrolment::BankTerms terms;
    terms.id = std::move(id);
    terms.name = std::move(name);
    terms.minors = true;
    terms.acr = {high};
    return {.terms = std::move(terms), .down_until = {}};
}

} // namespace

enrolment::BankAnswer good_answer(std::string national_number)
{
    enrolment::BankAnswer answer;
    answer.bank = "kbc";
    answer.subject = "subject";
    answer.acr = high;
    answer.family_name = "Janssens";
    answer.given_names = "Jan Pieter";
    answer.birth_date = "1985-07-30";
    answer.birth_place = "Brugge";
    answer.sex = account::Sex::male;
    answer.nationality = "Belg";
    answer.national_number = std::move(national_number);
    answer.address = {.street = "Dorpsstraat 1", .zip = "8000", .municipality = "Brugge"};
    answer.document_number = "592123456789";
    answer.document_valid_until = "2030-01-01";
    answer.card_read_on = "2026-01-05";
    answer.evidence = "{}";
    return answer;
}

FakeBanks::FakeBanks() : standing{bank("kbc", "KBC"), bank("ing", "ING")}, answer{good_answer()}
{
    standing.front().terms.app_first = true;
    standing.front().terms.app_url = "https://app.kbc.example/";
}

Flow<std::string> FakeBanks::begin(ports::BankVisit visit, Language /*language*/)
{
    if (down) co_return std::unexpected{*down};
    begun.push_back(visit);
    co_return "https://login." + visit.bank + ".example/authorize?client_id=symbolon&request_uri=urn:1";
}

Flow<enrolment::BankAnswer> FakeBanks::redeem(ports::BankVisit visit, ports::BankReturn back)
{
    redeemed.push_back(visit);
    brought.push_back(back);
    while_asked();
    if (back.error == "access_denied") co_return fail(Outcome::bank_cancelled);
    if (!answer) co_return std::unexpected{answer.error()};
    auto said = *answer;
    said.bank = visit.bank;
    co_return said;
}

} // namespace symbolon::device::testing

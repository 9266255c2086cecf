#include "base/brussels.hpp"
#include "enrolment/bank.hpp"
#include "enrolment/national_number.hpp"

#include <gtest/gtest.h>

#include <array>
#include <functional>

namespace symbolon::enrolment {
namespace {

using namespace std::chrono;
using account::Account;

constexpr Instant noon = sys_days{2026y / 11 / 22} + 11h; // in Brussels
constexpr std::string_view substantial = "http://eidas.europa.eu/LoA/substantial";

account::PhoneNumber const number{"+32470123456"};
account::PhoneNumber const another_number{"+32470999999"};

/// A number of the Register for who was born on that day.
std::string national_number_of(std::string const& birth_date)
{
    auto const nine = birth_date.substr(2, 2) + birth_date.substr(5, 2) + birth_date.substr(8, 2) + "001";
    auto const whole = std::stoull((birth_date.starts_with("20") ? "2" : "") + nine);
    auto const check = std::to_string(97 - whole % 97);
    return nine + (check.size() == 1 ? "0" : "") + check;
}

BankTerms bank(std::string id, bool minors)
{
    return {.id = std::move(id),
            .name = "Bank",
            .minors = minors,
            .acr = {std::string{substantial}, "http://eidas.europa.eu/LoA/high"}};
}

BankTerms const kbc = bank("kbc", true);
BankTerms const cbc = bank("cbc", false);

BankAnswer answer_of(BankTerms const& terms, std::string const& birth_date = "1985-07-30")
{
    return {.bank = terms.id,
            .subject = "1234",
            .acr = std::string{substantial},
            .family_name = "Janssens",
            .given_names = "Jan Pieter",
            .birth_date = birth_date,
            .birth_place = "Brugge",
            .sex = account::Sex::male,
            .nationality = "Belg",
            .national_number = national_number_of(birth_date),
            .address = {.street = "Dorpsstraat 1", .zip = "8000", .municipality = "Brugge"},
            .phone_number = number.e164(),
            .document_number = "592123456789",
            .document_valid_until = "2030-01-01",
            .card_read_on = "2026-03-01",
            .evidence = R"({"iss":"https://bank.example"})"};
}

/// The account of the same person, enrolled with the card that the bank has read.
Account account_of(BankAnswer const& answer)
{
    Account account;
    account.phone_number = number;
    account.person = {.family_name = answer.family_name,
                      .given_names = answer.given_names,
                      .third_initial = "K",
                      .birth_date = answer.birth_date,
                      .birth_place = answer.birth_place,
                      .sex = answer.sex,
                      .nationality = answer.nationality,
                      .national_number = answer.national_number,
                      .address = answer.address,
                      .photo = {0xff, 0xd8}};
    account.source = {.kind = account::Source::Kind::card,
                      .document_number = answer.document_number,
                      .document_type = 1,
                      .valid_from = "2020-01-01",
                      .valid_until = answer.document_valid_until,
                      .issued_by = "Brugge",
                      .evidence = "{}"};
    return account;
}

Account enrolled_with(Account account, std::string const& bank)
{
    account.source.kind = account::Source::Kind::bank;
    account.source.bank = bank;
    account.source.valid_from = "2026-03-01";
    return account;
}

Result<BankFindings> judge(BankAnswer const& answer, BankTerms const& terms = kbc,
                           std::optional<Account> const& known = {})
{
    return judge_bank_answer(answer, terms, known, number, noon, Limits{});
}

/// "accepted", or the outcome with its fields, without their days: "bank_data_outdated address card_read_on".
std::string verdict(Result<BankFindings> const& result)
{
    if (result) return "accepted";
    std::string text{name_of(result.error().outcome)};
    for (auto const& field : result.error().fields) text += ' ' + OutdatedField::parse(field).name;
    return text;
}

using Change = std::function<void(BankAnswer&)>;

std::string with(Change const& change, BankTerms const& terms = kbc)
{
    auto answer = answer_of(terms);
    change(answer);
    return verdict(judge(answer, terms));
}

std::string known_with(std::function<void(Account&)> const& change, Change const& in_answer = [](BankAnswer&) {})
{
    auto answer = answer_of(kbc);
    auto known = account_of(answer);
    change(known);
    in_answer(answer);
    return verdict(judge(answer, kbc, known));
}

// ---- age × bank × freshness × account ------------------------------------------------------------------------------

enum class Known {
    nobody,
    here,
    by_this_bank,
    elsewhere,
    blocked_here,
    blocked_elsewhere,
    blocked_card,
    out_of_use,
    other_number,
    later_card
};

std::optional<Account> known_as(Known known, BankAnswer const& answer, BankTerms const& terms)
{
    auto account = account_of(answer);
    switch (known) {
    case Known::nobody: return std::nullopt;
    case Known::here: break;
    case Known::by_this_bank: return enrolled_with(account, terms.id);
    case Known::elsewhere: return enrolled_with(account, "fintro");
    case Known::blocked_here: account.state = account::State::blocked; return enrolled_with(account, terms.id);
    case Known::blocked_elsewhere: account.state = account::State::blocked; return enrolled_with(account, "fintro");
    case Known::blocked_card: account.state = account::State::blocked; break;
    case Known::out_of_use: account.state = account::State::deactivated; break;
    case Known::other_number: account.phone_number = another_number; break;
    case Known::later_card:
        account.source.document_number = "593000000001";
        account.source.valid_until = "2036-01-01";
        break;
    }
    return account;
}

struct Row {
    std::string_view birth_date;
    Known known;
    std::string_view minors_fresh; ///< at a bank that may enrol minors, the card read this year
    std::string_view minors_old;   ///< the same, the card read too long ago
    std::string_view adults_fresh; ///< at another bank
    std::string_view adults_old;
};

constexpr std::string_view yes = "accepted";
constexpr std::string_view old = "bank_data_outdated card_read_on";
constexpr std::string_view card = "bank_data_outdated document_number";
constexpr std::string_view young = "too_young";
constexpr std::string_view minor = "bank_not_for_minors";
constexpr std::string_view phone = "new_number_needs_card";
constexpr std::string_view other = "other_source_than_enrolled";

constexpr std::string_view sixteen_tomorrow = "2010-11-23";
constexpr std::string_view sixteen_today = "2010-11-22";
constexpr std::string_view eighteen_tomorrow = "2008-11-23";
constexpr std::string_view eighteen_today = "2008-11-22";
constexpr std::string_view of_1985 = "1985-07-30";

// clang-format off
constexpr std::array rows{
    //                                              KBC, may take minors   CBC, may not
    //  born               account                  fresh   old            fresh   old
    Row{sixteen_tomorrow,  Known::nobody,            young,  old,           young,  old},
    Row{sixteen_tomorrow,  Known::here,              young,  old,           young,  old},
    Row{sixteen_tomorrow,  Known::by_this_bank,      young,  old,           young,  old},
    Row{sixteen_tomorrow,  Known::elsewhere,         young,  old,           young,  old},
    Row{sixteen_tomorrow,  Known::blocked_here,      young,  old,           young,  old},
    Row{sixteen_tomorrow,  Known::blocked_elsewhere, young,  old,           young,  old},
    Row{sixteen_tomorrow,  Known::blocked_card,      young,  old,           young,  old},
    Row{sixteen_tomorrow,  Known::out_of_use,        young,  old,           young,  old},
    Row{sixteen_tomorrow,  Known::other_number,      young,  old,           young,  old},
    Row{sixteen_tomorrow,  Known::later_card,        young,  old,           young,  old},

    Row{sixteen_today,     Known::nobody,            yes,    old,           minor,  old},
    Row{sixteen_today,     Known::here,              yes,    old,           minor,  old},
    Row{sixteen_today,     Known::by_this_bank,      yes,    old,           minor,  old},
    Row{sixteen_today,     Known::elsewhere,         yes,    old,           minor,  old},
    Row{sixteen_today,     Known::blocked_here,      yes,    old,           minor,  old},
    Row{sixteen_today,     Known::blocked_elsewhere, other,  old,           minor,  old},
    Row{sixteen_today,     Known::blocked_card,      other,  old,           minor,  old},
    Row{sixteen_today,     Known::out_of_use,        yes,    old,           minor,  old},
    Row{sixteen_today,     Known::other_number,      phone,  old,           minor,  old},
    Row{sixteen_today,     Known::later_card,        card,   old,           minor,  old},

    Row{eighteen_tomorrow, Known::nobody,            yes,    old,           minor,  old},
    Row{eighteen_tomorrow, Known::here,              yes,    old,           minor,  old},
    Row{eighteen_tomorrow, Known::by_this_bank,      yes,    old,           minor,  old},
    Row{eighteen_tomorrow, Known::elsewhere,         yes,    old,           minor,  old},
    Row{eighteen_tomorrow, Known::blocked_here,      yes,    old,           minor,  old},
    Row{eighteen_tomorrow, Known::blocked_elsewhere, other,  old,           minor,  old},
    Row{eighteen_tomorrow, Known::blocked_card,      other,  old,           minor,  old},
    Row{eighteen_tomorrow, Known::out_of_use,        yes,    old,           minor,  old},
    Row{eighteen_tomorrow, Known::other_number,      phone,  old,           minor,  old},
    Row{eighteen_tomorrow, Known::later_card,        card,   old,           minor,  old},

    Row{eighteen_today,    Known::nobody,            yes,    old,           yes,    old},
    Row{eighteen_today,    Known::here,              yes,    old,           yes,    old},
    Row{eighteen_today,    Known::by_this_bank,      yes,    old,           yes,    old},
    Row{eighteen_today,    Known::elsewhere,         yes,    old,           yes,    old},
    Row{eighteen_today,    Known::blocked_here,      yes,    old,           yes,    old},
    Row{eighteen_today,    Known::blocked_elsewhere, other,  old,           other,  old},
    Row{eighteen_today,    Known::blocked_card,      other,  old,           other,  old},
    Row{eighteen_today,    Known::out_of_use,        yes,    old,           yes,    old},
    Row{eighteen_today,    Known::other_number,      phone,  old,           phone,  old},
    Row{eighteen_today,    Known::later_card,        card,   old,           card,   old},

    Row{of_1985,           Known::nobody,            yes,    old,           yes,    old},
    Row{of_1985,           Known::here,              yes,    old,           yes,    old},
    Row{of_1985,           Known::by_this_bank,      yes,    old,           yes,    old},
    Row{of_1985,           Known::elsewhere,         yes,    old,           yes,    old},
    Row{of_1985,           Known::blocked_here,      yes,    old,           yes,    old},
    Row{of_1985,           Known::blocked_elsewhere, other,  old,           other,  old},
    Row{of_1985,           Known::blocked_card,      other,  old,           other,  old},
    Row{of_1985,           Known::out_of_use,        yes,    old,           yes,    old},
    Row{of_1985,           Known::other_number,      phone,  old,           phone,  old},
    Row{of_1985,           Known::later_card,        card,   old,           card,   old},
};
// clang-format on

TEST(BankAnswer, C1_C2_B3_E1_E3_E6_is_judged_by_age_bank_freshness_and_account)
{
    for (auto const& row : rows) {
        auto const judged = [&](BankTerms const& terms, std::string const& read_on) {
            auto answer = answer_of(terms, std::string{row.birth_date});
            auto const known = known_as(row.known, answer, terms);
            answer.card_read_on = read_on;
            return verdict(judge(answer, terms, known));
        };
        SCOPED_TRACE("born " + std::string{row.birth_date} + ", account " +
                     std::to_string(static_cast<int>(row.known)));
        EXPECT_EQ(judged(kbc, "2026-03-01"), row.minors_fresh);
        EXPECT_EQ(judged(kbc, "2024-11-21"), row.minors_old);
        EXPECT_EQ(judged(cbc, "2026-03-01"), row.adults_fresh);
        EXPECT_EQ(judged(cbc, "2024-11-21"), row.adults_old);
    }
}

// ---- what comes of a good one --------------------------------------------------------------------------------------

TEST(BankAnswer, gives_the_person_and_the_bank_as_the_source)
{
    auto const found = judge(answer_of(kbc));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->person.full_name(), "Jan Pieter Janssens");
    EXPECT_EQ(found->person.birth_date, "1985-07-30");
    EXPECT_EQ(found->person.national_number, "85073000160");
    EXPECT_EQ(found->person.address.zip, "8000");
    EXPECT_EQ(found->person.sex, account::Sex::male);
    EXPECT_EQ(found->source.kind, account::Source::Kind::bank);
    EXPECT_EQ(found->source.bank, "kbc");
    EXPECT_EQ(found->source.issued_by, "Bank");
    EXPECT_EQ(found->source.document_number, "592123456789");
    EXPECT_EQ(found->source.valid_from, "2026-03-01");
    EXPECT_EQ(found->source.valid_until, "2030-01-01");
    EXPECT_EQ(found->source.evidence, R"({"iss":"https://bank.example"})");
}

TEST(BankAnswer, keeps_what_is_known_and_a_bank_does_not_carry)
{
    auto answer = answer_of(kbc);
    auto const known = account_of(answer);
    answer.given_names = "Jan";
    answer.birth_place = "";
    answer.nationality = "";
    answer.sex = account::Sex::unknown;
    auto const person = judge(answer, kbc, known).value().person;
    EXPECT_EQ(person.given_names, "Jan Pieter");
    EXPECT_EQ(person.third_initial, "K");
    EXPECT_EQ(person.birth_place, "Brugge");
    EXPECT_EQ(person.nationality, "Belg");
    EXPECT_EQ(person.sex, account::Sex::male);
    EXPECT_EQ(person.photo, (Bytes{0xff, 0xd8}));
}

TEST(BankAnswer, is_written_in_one_form_of_unicode_without_spaces_around)
{
    auto answer = answer_of(kbc);
    answer.family_name = "  Ge\u0301rard ";
    EXPECT_EQ(judge(answer).value().person.family_name, "G\u00e9rard");
}

// ---- what is no answer ---------------------------------------------------------------------------------------------

TEST(BankAnswer, with_a_text_that_is_too_long_or_turns_what_stands_beside_it_is_refused)
{
    constexpr auto refused = "bank_answer_invalid";
    for (auto const& text :
         {std::string(300, 'a'), std::string(100'000, 'a'), std::string{"Jan\u202esnessnaJ"}, std::string{"Jan\u2066"},
          std::string{"Jan\n"}, std::string{"J\0n", 3}, std::string{"J\x7f"}, std::string{"J\u200bn"},
          std::string{"J\u2028n"}, std::string{"J\xffn"}, std::string{"J\xed\xa0\x80"}}) {
        SCOPED_TRACE(text.substr(0, 20));
        EXPECT_EQ(with([&](auto& it) { it.family_name = text; }), refused);
        EXPECT_EQ(with([&](auto& it) { it.given_names = text; }), refused);
        EXPECT_EQ(with([&](auto& it) { it.birth_place = text; }), refused);
        EXPECT_EQ(with([&](auto& it) { it.nationality = text; }), refused);
        EXPECT_EQ(with([&](auto& it) { it.address.street = text; }), refused);
        EXPECT_EQ(with([&](auto& it) { it.address.municipality = text; }), refused);
        EXPECT_EQ(with([&](auto& it) { it.document_number = text; }), refused);
        EXPECT_EQ(with([&](auto& it) { it.phone_number = text; }), refused);
    }
    EXPECT_EQ(with([&](auto& it) { it.family_name = std::string(120, 'a'); }), "accepted");
    EXPECT_EQ(with([&](auto& it) { it.family_name = "O\u2019Neill-Dʼar\u00e7y \u0160\u0142\u0151"; }), "accepted");
}

TEST(BankAnswer, with_a_national_number_that_cannot_be_the_persons_is_refused)
{
    constexpr auto refused = "bank_answer_invalid";
    for (auto const* const text :
         {"85073000161", "8507300016", "850730001600", "85.07.30-001.60", "abcdefghijk", "00000000000", "85073100157"})
        EXPECT_EQ(with([&](auto& it) { it.national_number = text; }), refused) << text;
    EXPECT_EQ(with([](auto& it) { it.birth_date = "1985-07-29"; }), refused) << "another birth date than it says";
    EXPECT_EQ(with([](auto& it) {
                  it.birth_date = "2003-06-15";
                  it.national_number = "03061500171";
              }),
              "accepted");
    EXPECT_EQ(with([](auto& it) {
                  it.birth_date = "2003-06-15";
                  it.national_number = "03061500142";
              }),
              refused)
        << "whose check digits say 1903";
}

TEST(BankAnswer, with_a_date_that_is_none_or_is_to_come_is_refused)
{
    constexpr auto refused = "bank_answer_invalid";
    for (auto const* const text : {"1985-02-29", "1985-13-01", "1985-00-00", "1985-7-30", "30-07-1985", "30/07/1985",
                                   "1985-07-30T00:00:00Z", "yesterday", "-985-07-30", "1785-07-30", "1985-07"})
        EXPECT_EQ(with([&](auto& it) { it.birth_date = text; }), refused) << text;
    EXPECT_EQ(with([](auto& it) { it.birth_date = "2026-11-23"; }), refused);
    EXPECT_EQ(with([](auto& it) { it.card_read_on = "2026-11-23"; }), refused) << "tomorrow";
    EXPECT_EQ(with([](auto& it) { it.card_read_on = "2026-11-22"; }), "accepted") << "today";
    EXPECT_EQ(with([](auto& it) { it.card_read_on = "2026-02-30"; }), refused);
    EXPECT_EQ(with([](auto& it) { it.document_valid_until = "never"; }), refused);
}

TEST(BankAnswer, of_another_bank_is_refused) { EXPECT_EQ(verdict(judge(answer_of(cbc), kbc)), "bank_answer_invalid"); }

TEST(BankAnswer, below_the_level_that_is_asked_for_is_refused)
{
    for (auto const* const acr :
         {"", "http://eidas.europa.eu/LoA/low", "substantial", "urn:other", "http://eidas.europa.eu/LoA/substantial/"})
        EXPECT_EQ(with([&](auto& it) { it.acr = acr; }), "bank_assurance_too_low") << acr;
    EXPECT_EQ(with([](auto& it) { it.acr = "http://eidas.europa.eu/LoA/high"; }), "accepted");
    auto without = kbc;
    without.acr.clear();
    EXPECT_EQ(verdict(judge(answer_of(without), without)), "bank_assurance_too_low");
}

// ---- B3: what is missing or too old --------------------------------------------------------------------------------

TEST(BankAnswer, B3_names_each_thing_that_is_missing)
{
    auto const missing = [](std::string_view field) { return "bank_data_outdated " + std::string{field}; };
    EXPECT_EQ(with([](auto& it) { it.family_name = ""; }), missing("family_name"));
    EXPECT_EQ(with([](auto& it) { it.family_name = " - "; }), missing("family_name"));
    EXPECT_EQ(with([](auto& it) { it.given_names = ""; }), missing("given_names"));
    EXPECT_EQ(with([](auto& it) { it.national_number = ""; }), missing("national_number"));
    EXPECT_EQ(with([](auto& it) { it.birth_date = ""; }), missing("birth_date"));
    EXPECT_EQ(with([](auto& it) { it.birth_date = "1985"; }), missing("birth_date")) << "the year alone";
    EXPECT_EQ(with([](auto& it) { it.birth_date = "0000-07-30"; }), missing("birth_date")) << "without its year";
    EXPECT_EQ(with([](auto& it) { it.address.street = ""; }), missing("address"));
    EXPECT_EQ(with([](auto& it) { it.address = {}; }), missing("address"));
    EXPECT_EQ(with([](auto& it) { it.document_number = ""; }), missing("document_number"));
    EXPECT_EQ(with([](auto& it) { it.document_valid_until = ""; }), missing("document_valid_until"));
    EXPECT_EQ(with([](auto& it) { it.card_read_on = ""; }), missing("card_read_on"));
    EXPECT_EQ(verdict(judge({.bank = "kbc", .acr = std::string{substantial}})),
              "bank_data_outdated document_valid_until card_read_on family_name given_names birth_date "
              "national_number address document_number");
    EXPECT_EQ(with([](auto& it) { it.birth_place = it.nationality = it.phone_number = ""; }), "accepted");
}

TEST(BankAnswer, B3_a_card_is_good_on_its_last_day_and_a_reading_for_as_long_as_agreed)
{
    EXPECT_EQ(with([](auto& it) { it.document_valid_until = "2026-11-22"; }), "accepted");
    EXPECT_EQ(with([](auto& it) { it.document_valid_until = "2026-11-21"; }),
              "bank_data_outdated document_valid_until");
    EXPECT_EQ(with([](auto& it) { it.card_read_on = "2024-11-22"; }), "accepted");
    EXPECT_EQ(with([](auto& it) { it.card_read_on = "2024-11-21"; }), "bank_data_outdated card_read_on");
    auto terms = kbc;
    terms.card_data_good_for = months{6};
    EXPECT_EQ(with([](auto& it) { it.card_read_on = "2026-05-22"; }, terms), "accepted");
    EXPECT_EQ(with([](auto& it) { it.card_read_on = "2026-05-21"; }, terms), "bank_data_outdated card_read_on");
}

TEST(BankAnswer, B3_says_from_which_day_on_something_is_out_of_date)
{
    auto answer = answer_of(kbc);
    answer.document_valid_until = "2026-02-28";
    answer.card_read_on = "2023-01-31";
    auto const fields = judge(answer).error().fields;
    EXPECT_EQ(fields,
              (std::vector<std::string>{"document_valid_until since 2026-03-01", "card_read_on since 2025-02-01"}));
    EXPECT_EQ(OutdatedField::parse(fields.front()).since, 2026y / 3 / 1);
    EXPECT_FALSE(OutdatedField::parse("address").since);
    EXPECT_FALSE(OutdatedField::parse("address since some day").since);
}

TEST(BankAnswer, B3_days_are_those_of_brussels)
{
    auto answer = answer_of(kbc);
    answer.document_valid_until = "2026-11-22";
    auto const at = [&](Instant now) { return verdict(judge_bank_answer(answer, kbc, {}, number, now, Limits{})); };
    EXPECT_EQ(at(sys_days{2026y / 11 / 22} + 22h + 59min), "accepted");
    EXPECT_EQ(at(sys_days{2026y / 11 / 22} + 23h), "bank_data_outdated document_valid_until") << "midnight there";
}

TEST(BankAnswer, B3_that_disagrees_with_what_is_known_names_where)
{
    auto const nothing = [](Account&) {};
    EXPECT_EQ(known_with(nothing), "accepted");
    EXPECT_EQ(known_with(nothing, [](auto& it) { it.family_name = "Peeters"; }), "bank_data_outdated family_name");
    EXPECT_EQ(known_with(nothing, [](auto& it) { it.given_names = "Piet"; }), "bank_data_outdated given_names");
    EXPECT_EQ(known_with(nothing, [](auto& it) { it.address.street = "Dorpsstraat 2"; }), "bank_data_outdated address");
    EXPECT_EQ(known_with(nothing, [](auto& it) { it.address.zip = "8001"; }), "bank_data_outdated address");
    EXPECT_EQ(known_with([](auto& it) { it.person.birth_date = "1985-07-31"; }), "bank_data_outdated birth_date");
    EXPECT_EQ(known_with([](auto& it) { it.person.national_number = "03061500171"; }),
              "bank_data_outdated national_number");
    EXPECT_EQ(known_with([](auto& it) {
                  it.source.document_number = "593000000001";
                  it.source.valid_until = "2036-01-01";
              }),
              "bank_data_outdated document_number")
        << "the card was renewed, and the bank has not read the new one";
}

TEST(BankAnswer, B3_the_same_thing_written_in_another_way_does_not_disagree)
{
    EXPECT_EQ(known_with([](Account&) {},
                         [](auto& it) {
                             it.family_name = "JANSSENS";
                             it.given_names = "Jan-Pieter Karel";
                             it.address.street = "dorpsstraat, 1";
                             it.document_number = "592-1234567-89";
                         }),
              "accepted");
    EXPECT_EQ(known_with([](auto& it) { it.person.birth_date = "1985"; }), "accepted") << "a card may say no more";
    EXPECT_EQ(known_with([](auto& it) { it.person.given_names = ""; }), "accepted") << "some have none on the card";
}

TEST(BankAnswer, B3_a_bank_that_has_read_a_later_card_knows_what_is_new)
{
    auto const later_card = [](BankAnswer& it) {
        it.document_number = "593000000001";
        it.document_valid_until = "2036-01-01";
        it.address.street = "Nieuwstraat 9";
    };
    EXPECT_EQ(known_with([](Account&) {}, later_card), "accepted");
    EXPECT_EQ(known_with([](auto& it) { it.person.birth_date = "1985-07-31"; }, later_card),
              "bank_data_outdated birth_date")
        << "but never another person";
    auto const moved_house = [](BankAnswer& it) { it.address.street = "Nieuwstraat 9"; };
    auto const by = [](std::string const& bank, std::string const& read_on) {
        return [=](Account& it) {
            it = enrolled_with(it, bank);
            it.source.valid_from = read_on;
        };
    };
    EXPECT_EQ(known_with(by("kbc", "2026-02-01"), moved_house), "accepted") << "it read the card again since";
    EXPECT_EQ(known_with(by("kbc", "2026-03-01"), moved_house), "bank_data_outdated address") << "that same reading";
    EXPECT_EQ(known_with(by("cbc", "2026-02-01"), moved_house), "bank_data_outdated address") << "another bank's word";
}

// ---- C, E ----------------------------------------------------------------------------------------------------------

TEST(BankAnswer, C1_tells_from_when_it_is_possible)
{
    auto const refused = judge(answer_of(kbc, "2012-02-29"));
    ASSERT_EQ(verdict(refused), "too_young");
    EXPECT_EQ(refused.error().open_at, start_of_day_in_brussels(2028y / 2 / 29));
}

TEST(BankAnswer, C2_a_minor_whose_card_the_bank_never_read_is_told_so)
{
    auto answer = answer_of(kbc, std::string{sixteen_today});
    answer.card_read_on = "";
    EXPECT_EQ(verdict(judge(answer)), "bank_data_outdated card_read_on");
}

TEST(BankAnswer, E1_the_number_that_the_bank_knows_is_the_one_that_enrols)
{
    constexpr auto differs = "bank_phone_number_differs";
    for (auto const* const same : {"+32470123456", "0470123456", "0032470123456", "+32 470 12.34.56", "0470/12 34 56"})
        EXPECT_EQ(with([&](auto& it) { it.phone_number = same; }), "accepted") << same;
    for (auto const* const another : {"+32470123457", "0470123457", "+33612345678", "none", "+999123456789", "+32"})
        EXPECT_EQ(with([&](auto& it) { it.phone_number = another; }), differs) << another;
    EXPECT_EQ(with([](auto& it) { it.phone_number = "+3225112345"; }), "accepted")
        << "a fixed line is no mobile number";
}

TEST(BankAnswer, E3_an_account_without_a_number_needs_the_card_too)
{
    EXPECT_EQ(known_with([](auto& it) { it = account::without_number(it); }), "new_number_needs_card");
}

TEST(BankAnswer, E6_only_the_same_bank_unblocks_what_it_enrolled)
{
    auto const blocked_by = [](account::Source::Kind kind, std::string const& bank) {
        return [=](Account& it) {
            it = enrolled_with(it, bank);
            it.source.kind = kind;
            it.state = account::State::blocked;
        };
    };
    using enum account::Source::Kind;
    EXPECT_EQ(known_with(blocked_by(bank, "kbc")), "accepted");
    EXPECT_EQ(known_with(blocked_by(bank, "cbc")), "other_source_than_enrolled");
    EXPECT_EQ(known_with(blocked_by(card, "")), "other_source_than_enrolled");
}

TEST(BankAnswer, E6_speaks_for_the_holder_of_a_blocked_account_where_only_the_number_is_another)
{
    BankTerms terms;
    terms.id = "kbc";
    Account known;
    known.state = account::State::blocked;
    known.source.kind = account::Source::Kind::bank;
    known.source.bank = "kbc";
    auto const after = [&](Outcome outcome) {
        return speaks_for_blocked(Result<BankFindings>{fail(outcome)}, terms, known);
    };
    EXPECT_TRUE(speaks_for_blocked(BankFindings{}, terms, known));
    EXPECT_TRUE(after(Outcome::new_number_needs_card));
    EXPECT_TRUE(after(Outcome::bank_phone_number_differs));
    EXPECT_FALSE(after(Outcome::bank_data_outdated)) << "it may be somebody else of that number";
    EXPECT_FALSE(after(Outcome::bank_assurance_too_low));
    EXPECT_FALSE(after(Outcome::other_source_than_enrolled));
    known.state = account::State::active;
    EXPECT_FALSE(after(Outcome::new_number_needs_card)) << "nothing to unblock";
    known.state = account::State::blocked;
    known.source.bank = "cbc";
    EXPECT_FALSE(after(Outcome::new_number_needs_card)) << "another bank enrolled it";
    known.source.kind = account::Source::Kind::card;
    known.source.bank = "kbc";
    EXPECT_FALSE(after(Outcome::new_number_needs_card)) << "the card enrolled it";
}

} // namespace
} // namespace symbolon::enrolment

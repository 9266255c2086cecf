#include "enrolment/bank.hpp"

#include "base/brussels.hpp"
#include "base/dates.hpp"
#include "base/text.hpp"
#include "enrolment/age.hpp"
#include "enrolment/national_number.hpp"
#include "enrolment/phone_number.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace symbolon::enrolment {

namespace {

using std::chrono::year_month_day;

// The register's longest fields have 110 bytes (family name); a name that is longer is not one that a card carries.
constexpr std::size_t longest_name = 120;
constexpr std::size_t longest_line = 150;          ///< of an address
constexpr std::size_t longest_word = 100;          ///< numbers, dates, levels
constexpr std::size_t longest_subject = 255;       ///< OpenID Connect Core 1.0 §2
constexpr std::size_t most_bytes_a_character = 12; ///< UTF-8, before NFC puts signs together
constexpr std::string_view calling_code_of_banks = "32";

std::unexpected<Failure> invalid(std::string detail) { return fail(Outcome::bank_answer_invalid, std::move(detail)); }

/// A text of the answer in NFC, without spaces around it. A name of 300 characters is refused and not cut: what is cut
/// is another name, and it goes into the account, to partners and beside what the holder signs. So are control and
/// right-to-left signs: they change what stands beside them on every screen.
Result<std::string> text_in(std::string_view text, std::string_view what, std::size_t most_characters)
{
    if (text.size() > most_characters * most_bytes_a_character) return invalid(std::string{what} + ": too long");
    auto const normal = to_nfc(text);
    if (!normal) return invalid(std::string{what} + ": no UTF-8");
    auto shown = displayable(trimmed(*normal), most_characters);
    if (!shown) return invalid(std::string{what} + ": " + shown.error().detail);
    return *std::move(shown);
}

/// YYYY-MM-DD, a day of the calendar. Nothing where the text is empty, or says only a part of a birth date (OpenID
/// Connect Core 1.0 §5.1: "0000" for a year that is left out, or the year alone).
Result<std::optional<year_month_day>> date_in(std::string_view text, std::string_view what)
{
    constexpr std::optional<year_month_day> none;
    if (text.empty() || (text.size() == 4 && is_digits(text))) return none;
    auto const parts = split(text, '-');
    if (parts.size() != 3 || parts[0].size() != 4 || parts[1].size() != 2 || parts[2].size() != 2 ||
        !std::ranges::all_of(parts, is_digits))
        return invalid(std::string{what} + ": no date");
    if (parts[0] == "0000") return none;
    auto const number = [](std::string_view digits) { return std::stoi(std::string{digits}); };
    year_month_day const date{std::chrono::year{number(parts[0])},
                              std::chrono::month{static_cast<unsigned>(number(parts[1]))},
                              std::chrono::day{static_cast<unsigned>(number(parts[2]))}};
    if (!date.ok() || date.year() < std::chrono::year{1800}) return invalid(std::string{what} + ": no date");
    return date;
}

/// An answer whose texts are texts and whose dates are dates; what the bank left out is still missing.
struct Read {
    BankAnswer texts;
    std::optional<year_month_day> birth;
    std::optional<year_month_day> valid_until;
    std::optional<year_month_day> read_on;
};

Result<Read> read(BankAnswer answer, BankTerms const& terms, year_month_day today)
{
    if (answer.bank != terms.id) return invalid("of another bank");
    struct Member {
        std::string_view name;
        std::string& text;
        std::size_t most_characters;
    };
    for (auto const& [name, text, most] : {
             Member{"subject", answer.subject, longest_subject},
             Member{"acr", answer.acr, longest_word},
             Member{"family_name", answer.family_name, longest_name},
             Member{"given_names", answer.given_names, longest_name},
             Member{"birth_date", answer.birth_date, longest_word},
             Member{"birth_place", answer.birth_place, longest_line},
             Member{"nationality", answer.nationality, longest_word},
             Member{"national_number", answer.national_number, longest_word},
             Member{"street", answer.address.street, longest_line},
             Member{"zip", answer.address.zip, longest_word},
             Member{"municipality", answer.address.municipality, longest_line},
             Member{"phone_number", answer.phone_number, longest_word},
             Member{"document_number", answer.document_number, longest_word},
             Member{"document_valid_until", answer.document_valid_until, longest_word},
             Member{"card_read_on", answer.card_read_on, longest_word},
         })
        text = TRY(text_in(text, name, most));

    Read read{.texts = std::move(answer), .birth = {}, .valid_until = {}, .read_on = {}};
    auto const& texts = read.texts;
    read.birth = TRY(date_in(texts.birth_date, "birth_date"));
    read.valid_until = TRY(date_in(texts.document_valid_until, "document_valid_until"));
    read.read_on = TRY(date_in(texts.card_read_on, "card_read_on"));
    if (read.birth && *read.birth > today) return invalid("birth_date: a day to come");
    if (read.read_on && *read.read_on > today) return invalid("card_read_on: a day to come");

    if (!texts.national_number.empty()) {
        auto const number = NationalNumber::parse(texts.national_number);
        if (!number) return invalid("national_number: " + number.error().detail);
        if (read.birth && !number->may_be_of(*read.birth)) return invalid("national_number: another birth date");
    }
    return read;
}

/// The last day on which what a bank read on a day is good.
year_month_day good_until(year_month_day read_on, std::chrono::months good_for)
{
    auto const day = read_on + good_for;
    return day.ok() ? day : year_month_day{day.year() / day.month() / std::chrono::last};
}

year_month_day day_after(year_month_day day) { return std::chrono::sys_days{day} + std::chrono::days{1}; }

/// B3: what is missing or too old, by the names that people are told.
std::vector<std::string> outdated_in(Read const& read, BankTerms const& terms, year_month_day today)
{
    auto const& texts = read.texts;
    auto const& address = texts.address;
    auto const says_nothing = [](std::string const& name) { return folded(name).empty(); };
    std::vector<std::string> fields;
    auto const add_if = [&fields](bool is_so, std::string_view field) {
        if (is_so) fields.emplace_back(field);
    };
    auto const add_if_over = [&](std::optional<year_month_day> last_day, std::string name) {
        if (last_day && *last_day >= today) return;
        auto const since = last_day ? std::optional{day_after(*last_day)} : std::nullopt;
        fields.push_back(OutdatedField{.name = std::move(name), .since = since}.text());
    };
    add_if_over(read.valid_until, "document_valid_until");
    add_if_over(read.read_on.transform([&](auto day) { return good_until(day, terms.card_data_good_for); }),
                "card_read_on");
    add_if(says_nothing(texts.family_name), "family_name");
    // Some people have none; the card says so, a bank's silence does not.
    add_if(says_nothing(texts.given_names), "given_names");
    add_if(!read.birth, "birth_date");
    add_if(texts.national_number.empty(), "national_number");
    add_if(says_nothing(address.street) || says_nothing(address.zip) || says_nothing(address.municipality), "address");
    add_if(says_nothing(texts.document_number), "document_number");
    return fields;
}

/// "Jean-Pierre" and "Jean Pierre" have the same two.
std::vector<std::string> words_of(std::string names)
{
    std::ranges::replace(names, '-', ' ');
    std::vector<std::string> words;
    for (auto const word : split(names, ' '))
        if (auto one = folded(word); !one.empty()) words.push_back(std::move(one));
    return words;
}

/// Whether one list of given names begins with the other: the card has the first two, a bank one or all.
bool are_given_names_of_one(std::string const& left, std::string const& right)
{
    auto const some = words_of(left);
    auto const others = words_of(right);
    auto const shared = std::min(some.size(), others.size());
    // Who has none on the card may have one at the bank.
    return std::equal(some.begin(), some.begin() + static_cast<std::ptrdiff_t>(shared), others.begin());
}

/// B3: where the answer disagrees with what is known. A bank that has read a later card of the person, or the same one
/// again since it last answered, knows what is new: then only the person must be the same.
std::vector<std::string> disagreements(Read const& read, account::Account const& known, std::string const& bank)
{
    auto const& texts = read.texts;
    auto const& person = known.person;
    auto const& source = known.source;
    std::vector<std::string> fields;
    auto const add_if = [&fields](bool is_so, std::string_view field) {
        if (is_so) fields.emplace_back(field);
    };
    // What is known of a birth date may be its year alone; ISO 8601 dates sort as texts.
    add_if(!texts.birth_date.starts_with(person.birth_date), "birth_date");
    add_if(texts.national_number != person.national_number, "national_number");
    auto const is_other_document = folded(texts.document_number) != folded(source.document_number);
    auto const is_later_document = is_other_document && texts.document_valid_until > source.valid_until;
    auto const was_read_since =
        source.kind == account::Source::Kind::bank && source.bank == bank && texts.card_read_on > source.valid_from;
    add_if(is_other_document && !is_later_document, "document_number");
    if (is_later_document || (was_read_since && !is_other_document)) return fields;

    add_if(folded(texts.family_name) != folded(person.family_name), "family_name");
    add_if(!are_given_names_of_one(texts.given_names, person.given_names), "given_names");
    auto const written = [](account::Address const& address) {
        return std::array{folded(address.street), folded(address.zip), folded(address.municipality)};
    };
    add_if(written(texts.address) != written(person.address), "address");
    return fields;
}

/// Whether the bank knows the person by another mobile number. A fixed line is none.
bool is_other_mobile(std::string const& at_bank, account::PhoneNumber const& number)
{
    if (at_bank.empty()) return false;
    auto const parsed = parse_phone_number(calling_code_of_banks, at_bank);
    if (!parsed) return parsed.error().outcome != Outcome::phone_number_not_mobile;
    return *parsed != number;
}

/// The person as the bank says; what a bank does not carry stays as it was known of the same person.
account::Person person_of(BankAnswer texts, std::optional<account::Account> const& known)
{
    account::Person person{
        .family_name = std::move(texts.family_name),
        .given_names = std::move(texts.given_names),
        .third_initial = {},
        .birth_date = std::move(texts.birth_date),
        .birth_place = std::move(texts.birth_place),
        .sex = texts.sex,
        .nationality = std::move(texts.nationality),
        .national_number = std::move(texts.national_number),
        .address = std::move(texts.address),
        .photo = {},
    };
    if (!known) return person;
    auto const& before = known->person;
    if (are_given_names_of_one(person.given_names, before.given_names)) {
        if (words_of(before.given_names).size() >= words_of(person.given_names).size()) {
            person.given_names = before.given_names;
            person.third_initial = before.third_initial;
        }
    }
    if (person.birth_place.empty()) person.birth_place = before.birth_place;
    if (person.sex == account::Sex::unknown) person.sex = before.sex;
    if (person.nationality.empty()) person.nationality = before.nationality;
    person.photo = before.photo;
    return person;
}

constexpr std::string_view since_word = " since ";

} // namespace

std::string OutdatedField::text() const
{
    if (!since) return name;
    return name + std::string{since_word} + iso_date(*since);
}

OutdatedField OutdatedField::parse(std::string_view text)
{
    auto const end = text.find(since_word);
    OutdatedField field{.name = std::string{text.substr(0, end)}, .since = {}};
    if (end == std::string_view::npos) return field;
    if (auto const date = date_in(text.substr(end + since_word.size()), "since")) field.since = *date;
    return field;
}

Result<BankFindings> judge_bank_answer(BankAnswer const& answer, BankTerms const& terms,
                                       std::optional<account::Account> const& known, account::PhoneNumber const& number,
                                       Instant now, Limits const& limits)
{
    auto const today = date_in_brussels(now);
    auto found = TRY(read(answer, terms, today));
    auto& texts = found.texts;

    if (std::ranges::find(terms.acr, texts.acr) == terms.acr.end())
        return fail(Outcome::bank_assurance_too_low, "acr is not one of those asked for");

    if (auto fields = outdated_in(found, terms, today); !fields.empty())
        return fail_about(Outcome::bank_data_outdated, std::move(fields));

    // C1: under 16: refused, with the date from which it is possible. C2: 16 and 17: only where the bank may.
    auto const of_least_age = reaches(*found.birth, std::chrono::years{limits.minimum_age_years});
    if (today < of_least_age) return fail_until(Outcome::too_young, start_of_day_in_brussels(of_least_age));
    auto const is_minor = today < reaches(*found.birth, std::chrono::years{limits.minimum_age_with_card_years});
    if (is_minor && !terms.minors) return fail(Outcome::bank_not_for_minors);

    if (known) {
        if (auto fields = disagreements(found, *known, terms.id); !fields.empty())
            return fail_about(Outcome::bank_data_outdated, std::move(fields));
    }
    if (is_other_mobile(texts.phone_number, number)) return fail(Outcome::bank_phone_number_differs);
    // E3: new phone and new number: only with the card.
    if (known && known->phone_number != number) return fail(Outcome::new_number_needs_card);

    account::Source source{
        .kind = account::Source::Kind::bank,
        .bank = terms.id,
        .document_number = texts.document_number,
        .document_type = 0,
        .valid_from = texts.card_read_on,
        .valid_until = texts.document_valid_until,
        .issued_by = terms.name,
        .evidence = texts.evidence,
    };
    if (known) TRY(account::check_move(*known, source, now));
    return BankFindings{.person = person_of(std::move(texts), known), .source = std::move(source)};
}

bool speaks_for_blocked(Result<BankFindings> const& judged, BankTerms const& terms, account::Account const& known)
{
    auto const enrolled_it = known.source.kind == account::Source::Kind::bank && known.source.bank == terms.id;
    auto const is_the_holder = judged || judged.error().outcome == Outcome::bank_phone_number_differs ||
                               judged.error().outcome == Outcome::new_number_needs_card;
    return known.state == account::State::blocked && enrolled_it && is_the_holder;
}

} // namespace symbolon::enrolment

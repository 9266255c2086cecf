#include "card/identity_file.hpp"

#include "base/text.hpp"
#include "card/reading.hpp"
#include "card/tlv.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace symbolon::card {

namespace {

// ID and address file description v5.0, identity file.
enum Tag : Byte {
    tag_card_number = 0x01,
    tag_chip_number = 0x02,
    tag_valid_from = 0x03,
    tag_valid_until = 0x04,
    tag_issuing_municipality = 0x05,
    tag_national_number = 0x06,
    tag_surname = 0x07,
    tag_given_names = 0x08,
    tag_third_initial = 0x09,
    tag_nationality = 0x0A,
    tag_birth_place = 0x0B,
    tag_birth_date = 0x0C,
    tag_sex = 0x0D,
    tag_noble_condition = 0x0E,
    tag_document_type = 0x0F,
    tag_photo_hash = 0x11,
    tag_card_key_hash = 0x1A,
};

struct MonthName {
    std::string_view folded; ///< as base::folded() writes it
    unsigned month;
};

// French, Dutch and German cards; without accents, so "MÄR" is "mar" and "AOÛT" is "aout".
constexpr std::array month_names{
    MonthName{"jan", 1},  MonthName{"fev", 2},  MonthName{"feb", 2},  MonthName{"mars", 3}, MonthName{"maar", 3},
    MonthName{"mar", 3},  MonthName{"avr", 4},  MonthName{"apr", 4},  MonthName{"mai", 5},  MonthName{"mei", 5},
    MonthName{"juin", 6}, MonthName{"jun", 6},  MonthName{"juil", 7}, MonthName{"jul", 7},  MonthName{"aout", 8},
    MonthName{"aug", 8},  MonthName{"sept", 9}, MonthName{"sep", 9},  MonthName{"oct", 10}, MonthName{"okt", 10},
    MonthName{"nov", 11}, MonthName{"dec", 12}, MonthName{"dez", 12},
};

constexpr std::array document_types{
    DocumentType::belgian_citizen,
    DocumentType::kids_card,
    DocumentType::bootstrap,
    DocumentType::habilitation,
    DocumentType::foreigner_a,
    DocumentType::foreigner_b,
    DocumentType::foreigner_c,
    DocumentType::foreigner_d,
    DocumentType::foreigner_e,
    DocumentType::foreigner_e_plus,
    DocumentType::foreigner_f,
    DocumentType::foreigner_f_plus,
    DocumentType::foreigner_h,
    DocumentType::foreigner_i,
    DocumentType::foreigner_j,
    DocumentType::foreigner_m,
    DocumentType::foreigner_n,
    DocumentType::foreigner_k,
    DocumentType::foreigner_l,
    DocumentType::foreigner_eu,
    DocumentType::foreigner_eu_plus,
    DocumentType::foreigner_a_2020,
    DocumentType::foreigner_b_2020,
    DocumentType::foreigner_f_2020,
    DocumentType::foreigner_f_plus_2020,
    DocumentType::kids_eu,
    DocumentType::kids_eu_plus,
    DocumentType::kids_a,
    DocumentType::kids_b,
    DocumentType::kids_k,
    DocumentType::kids_l,
    DocumentType::kids_f,
    DocumentType::kids_f_plus,
    DocumentType::kids_m,
};

/// Digits alone, at most nine of them.
std::optional<int> number(std::string_view digits)
{
    if (!is_digits(digits) || digits.size() > 9) return std::nullopt;
    int value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
}

/// DD.MM.YYYY
Result<std::chrono::year_month_day> parse_day(std::string_view text)
{
    auto const parts = split(text, '.');
    if (parts.size() != 3 || parts[0].size() != 2 || parts[1].size() != 2 || parts[2].size() != 4)
        return fail(Outcome::card_data_malformed, "date");
    auto const day = number(parts[0]);
    auto const month = number(parts[1]);
    auto const year = number(parts[2]);
    if (!day || !month || !year) return fail(Outcome::card_data_malformed, "date");

    std::chrono::year_month_day const date{std::chrono::year{*year}, std::chrono::month{static_cast<unsigned>(*month)},
                                           std::chrono::day{static_cast<unsigned>(*day)}};
    if (!date.ok()) return fail(Outcome::card_data_malformed, "date");
    return date;
}

Result<Sex> parse_sex(std::string_view text)
{
    if (text == "M") return Sex::male;
    // femme, vrouw, weiblich
    if (text == "F" || text == "V" || text == "W") return Sex::female;
    return fail(Outcome::card_data_malformed, "sex");
}

Result<DocumentType> parse_document_type(std::string_view text)
{
    auto const value = text.size() <= 2 ? number(text) : std::nullopt;
    if (!value) return fail(Outcome::card_data_malformed, "document type");
    for (auto const type : document_types)
        if (static_cast<int>(type) == *value) return type;
    return fail(Outcome::document_type_not_allowed, "unknown document type");
}

/// Of Belgian cards the last two digits are the first ten modulo 97, 97 standing for 0.
Result<void> check_card_number(std::string_view text, DocumentType type)
{
    auto const letters_and_digits =
        std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
    if (text.empty() || text.size() > 12 || !letters_and_digits)
        return fail(Outcome::card_data_malformed, "card number");
    if (type != DocumentType::belgian_citizen) return {};

    if (text.size() != 12 || !is_digits(text)) return fail(Outcome::card_data_malformed, "card number");
    long first_ten = 0;
    for (auto const digit : text.substr(0, 10)) first_ten = first_ten * 10 + (digit - '0');
    auto const check = first_ten % 97 == 0 ? 97 : first_ten % 97;
    if (number(text.substr(10)) != check) return fail(Outcome::card_data_malformed, "card number's check digits");
    return {};
}

/// The fields by tag. Unknown tags are passed over: the Register adds some from time to time.
class Fields {
public:
    explicit Fields(std::vector<TlvField> fields) : fields_{std::move(fields)} {}

    /// Empty for a field that is absent or empty.
    [[nodiscard]] ByteView bytes(Byte tag) const
    {
        auto const found = std::ranges::find(fields_, tag, &TlvField::tag);
        return found == fields_.end() ? ByteView{} : found->value;
    }

    [[nodiscard]] std::string_view ascii(Byte tag) const { return text_of(bytes(tag)); }

    /// A text of the Register, `most_bytes` in UTF-8.
    [[nodiscard]] Result<std::string> text(Byte tag, std::size_t most_bytes) const
    {
        auto const value = ascii(tag);
        if (value.size() > most_bytes || !displayable(value, most_bytes))
            return fail(Outcome::card_data_malformed, "text of tag " + std::to_string(tag));
        return std::string{value};
    }

private:
    std::vector<TlvField> fields_;
};

} // namespace

std::optional<std::chrono::year_month_day> BirthDate::full() const
{
    if (!month || !day) return std::nullopt;
    return std::chrono::year_month_day{year, *month, *day};
}

std::chrono::year_month_day BirthDate::earliest() const
{
    return {year, month.value_or(std::chrono::January), month && day ? *day : std::chrono::day{1}};
}

std::chrono::year_month_day BirthDate::latest() const
{
    auto const last_month = month.value_or(std::chrono::December);
    if (day && month) return {year, *month, *day};
    return std::chrono::year_month_day_last{year, std::chrono::month_day_last{last_month}};
}

std::string BirthDate::iso() const
{
    auto const two_digits = [](unsigned value) {
        return std::string{static_cast<char>('0' + value / 10), static_cast<char>('0' + value % 10)};
    };
    auto const year_number = static_cast<unsigned>(static_cast<int>(year));
    auto text = two_digits(year_number / 100) + two_digits(year_number % 100);
    if (month) text += "-" + two_digits(static_cast<unsigned>(*month));
    if (month && day) text += "-" + two_digits(static_cast<unsigned>(*day));
    return text;
}

Result<BirthDate> parse_birth_date(std::string_view text)
{
    if (text.size() > 24) return fail(Outcome::card_data_malformed, "birth date");
    std::vector<std::string_view> parts;
    for (auto const between_spaces : split(text, ' '))
        for (auto const part : split(between_spaces, '.'))
            if (!part.empty()) parts.push_back(part);
    if (parts.empty() || parts.size() > 3) return fail(Outcome::card_data_malformed, "birth date");

    BirthDate date;
    auto const year = number(parts.back());
    if (!year || parts.back().size() != 4 || *year < 1800) return fail(Outcome::card_data_malformed, "birth year");
    date.year = std::chrono::year{*year};
    if (parts.size() == 1) return date;

    auto const name = folded(parts[parts.size() - 2]);
    auto const month = std::ranges::find(month_names, name, &MonthName::folded);
    if (month == month_names.end()) return fail(Outcome::card_data_malformed, "birth month");
    date.month = std::chrono::month{month->month};
    if (parts.size() == 2) return date;

    auto const day = number(parts[0]);
    if (!day || parts[0].size() > 2) return fail(Outcome::card_data_malformed, "birth day");
    date.day = std::chrono::day{static_cast<unsigned>(*day)};
    if (!date.full()->ok()) return fail(Outcome::card_data_malformed, "birth day");
    return date;
}

bool is_kids_card(DocumentType type)
{
    return type == DocumentType::kids_card || (type >= DocumentType::kids_eu && type <= DocumentType::kids_m);
}

Result<IdentityFile> parse_identity_file(ByteView file)
{
    Fields const fields{TRY(parse_tlv(file, max_identity_bytes))};

    auto const national_number = TRY(enrolment::NationalNumber::parse(fields.ascii(tag_national_number)));
    IdentityFile identity{
        .card_number = std::string{fields.ascii(tag_card_number)},
        .valid_from = TRY(parse_day(fields.ascii(tag_valid_from))),
        .valid_until = TRY(parse_day(fields.ascii(tag_valid_until))),
        .issuing_municipality = TRY(fields.text(tag_issuing_municipality, 80)),
        .national_number = national_number,
        .surname = TRY(fields.text(tag_surname, 110)),
        .given_names = TRY(fields.text(tag_given_names, 95)),
        .third_initial = TRY(fields.text(tag_third_initial, 3)),
        .nationality = TRY(fields.text(tag_nationality, 85)),
        .birth_place = TRY(fields.text(tag_birth_place, 80)),
        .birth_date = TRY(parse_birth_date(fields.ascii(tag_birth_date))),
        .sex = TRY(parse_sex(fields.ascii(tag_sex))),
        .noble_condition = TRY(fields.text(tag_noble_condition, 50)),
        .document_type = TRY(parse_document_type(fields.ascii(tag_document_type))),
    };
    if (identity.surname.empty()) return fail(Outcome::card_data_malformed, "no surname");
    TRY(check_card_number(identity.card_number, identity.document_type));

    auto const chip_number = fields.bytes(tag_chip_number);
    if (chip_number.size() != identity.chip_number.size()) return fail(Outcome::card_data_malformed, "chip number");
    std::ranges::copy(chip_number, identity.chip_number.begin());

    auto const photo_hash = fields.bytes(tag_photo_hash);
    if (photo_hash.size() != 20 && photo_hash.size() != 32 && photo_hash.size() != 48)
        return fail(Outcome::card_data_malformed, "photo hash");
    identity.photo_hash.assign(photo_hash.begin(), photo_hash.end());

    auto const card_key_hash = fields.bytes(tag_card_key_hash);
    if (!card_key_hash.empty() && card_key_hash.size() != 48)
        return fail(Outcome::card_data_malformed, "card key hash");
    identity.card_key_hash.assign(card_key_hash.begin(), card_key_hash.end());
    return identity;
}

} // namespace symbolon::card

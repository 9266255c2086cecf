#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "enrolment/national_number.hpp"

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace symbolon::card {

/// A birth date as far as it is known: the year; the year and the month; or all of it.
struct BirthDate {
    std::chrono::year year{};
    std::optional<std::chrono::month> month;
    std::optional<std::chrono::day> day; ///< only with a month

    /// The day itself, when all of it is known.
    [[nodiscard]] std::optional<std::chrono::year_month_day> full() const;

    /// The first and the last day on which the person may have been born.
    [[nodiscard]] std::chrono::year_month_day earliest() const;
    [[nodiscard]] std::chrono::year_month_day latest() const;

    /// ISO 8601-1 §4: "1985-07-30", "1985-07" or "1985".
    [[nodiscard]] std::string iso() const;

    friend bool operator==(BirthDate const&, BirthDate const&) = default;
};

/// "03 MEI 2001", "30 JUL  1985", "13.AUG. 1996", "MAI 1971", "1971": the date in the language of the card.
/// Fails: card_data_malformed.
Result<BirthDate> parse_birth_date(std::string_view text);

enum class Sex : std::uint8_t { male, female };

/// Tag 0F, "ID and address file description" v5.0.
enum class DocumentType : std::uint8_t {
    belgian_citizen = 1,
    kids_card = 6,
    bootstrap = 7,
    habilitation = 8,
    foreigner_a = 11,
    foreigner_b = 12,
    foreigner_c = 13,
    foreigner_d = 14,
    foreigner_e = 15,
    foreigner_e_plus = 16,
    foreigner_f = 17,
    foreigner_f_plus = 18,
    foreigner_h = 19,
    foreigner_i = 20,
    foreigner_j = 21,
    foreigner_m = 22,
    foreigner_n = 23,
    foreigner_k = 27,
    foreigner_l = 28,
    foreigner_eu = 31,
    foreigner_eu_plus = 32,
    foreigner_a_2020 = 33,
    foreigner_b_2020 = 34,
    foreigner_f_2020 = 35,
    foreigner_f_plus_2020 = 36,
    kids_eu = 61,
    kids_eu_plus = 62,
    kids_a = 63,
    kids_b = 64,
    kids_k = 65,
    kids_l = 66,
    kids_f = 67,
    kids_f_plus = 68,
    kids_m = 69,
};

[[nodiscard]] bool is_kids_card(DocumentType type);

using ChipNumber = std::array<Byte, 16>;

/// EF 4031: who the card was made for. Texts are UTF-8 as the Register wrote them.
struct IdentityFile {
    std::string card_number;
    ChipNumber chip_number{};
    std::chrono::year_month_day valid_from;
    std::chrono::year_month_day valid_until; ///< the last day
    std::string issuing_municipality;
    enrolment::NationalNumber national_number;
    std::string surname;
    std::string given_names; ///< the first two, may be empty
    std::string third_initial;
    std::string nationality; ///< in the language of the card
    std::string birth_place;
    BirthDate birth_date;
    Sex sex = Sex::male;
    std::string noble_condition;
    DocumentType document_type = DocumentType::belgian_citizen;
    Bytes photo_hash;    ///< SHA-1, SHA-256 or SHA-384
    Bytes card_key_hash; ///< SHA-384 of EF 4040 (1.8), else empty
};

/// Reads EF 4031. Fails: card_data_malformed, national_number_invalid, document_type_not_allowed (a type that is not
/// known).
///
/// Source: ID and address file description v5.0.
Result<IdentityFile> parse_identity_file(ByteView file);

} // namespace symbolon::card

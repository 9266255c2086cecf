#include "page/calling_codes.hpp"

#include "base/ensure.hpp"
#include "base/json.hpp"
#include "embedded/calling_codes_json.hpp"
#include "enrolment/phone_number.hpp"

#include <unicode/coll.h>
#include <unicode/locid.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

namespace symbolon::page {

namespace {

constexpr std::array<std::string_view, near_countries> near{"BE", "NL", "FR", "DE", "LU"};

struct Country {
    std::string region; ///< ISO 3166-1
    icu::UnicodeString name;
    CallingCode choice;
};

std::vector<Country> countries(icu::Locale const& locale)
{
    auto const rows = json::parse({calling_codes_json, sizeof(calling_codes_json) - 1});
    ENSURE(rows.has_value());
    std::vector<Country> all;
    for (auto const& row : rows->as_array()) {
        std::string const code{row.as_array().at(0).as_string()};
        std::string const region{row.as_array().at(1).as_string()};
        if (std::ranges::count(enrolment::calling_codes(), std::string_view{code}) == 0) continue;
        Country country{.region = region, .name = {}, .choice = {.code = code, .text = {}}};
        icu::Locale{"", region.c_str()}.getDisplayCountry(locale, country.name);
        country.name.toUTF8String(country.choice.text);
        country.choice.text += " +" + code;
        all.push_back(std::move(country));
    }
    return all;
}

std::vector<CallingCode> choice_in(Language language)
{
    icu::Locale const locale{std::string{name_of(language)}.c_str()};
    UErrorCode status = U_ZERO_ERROR;
    std::unique_ptr<icu::Collator> const order{icu::Collator::createInstance(locale, status)};
    ENSURE(U_SUCCESS(status) && order != nullptr);

    auto all = countries(locale);
    std::ranges::sort(all, [&](Country const& left, Country const& right) {
        return order->compare(left.name, right.name, status) == UCOL_LESS;
    });
    std::vector<CallingCode> choice;
    for (auto const region : near) {
        auto const found = std::ranges::find(all, region, &Country::region);
        ENSURE(found != all.end());
        choice.push_back(found->choice);
        all.erase(found);
    }
    for (auto& country : all) choice.push_back(std::move(country.choice));
    return choice;
}

} // namespace

std::span<CallingCode const> calling_code_choice(Language language)
{
    static std::array const choices{choice_in(Language::fr), choice_in(Language::nl), choice_in(Language::de),
                                    choice_in(Language::en)};
    static_assert(all_languages == std::array{Language::fr, Language::nl, Language::de, Language::en});
    return choices.at(static_cast<std::size_t>(language));
}

} // namespace symbolon::page

#include "base/language.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace symbolon {

namespace {

constexpr std::array<std::string_view, 4> names{"fr", "nl", "de", "en"};

/// RFC 9110 §12.4.2: qvalue = "0" with up to three decimals, or "1" with up to three zeros. In thousandths.
std::optional<int> weight_of(std::string_view text)
{
    if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
    int thousandths = (text[0] - '0') * 1000;
    if (text.size() > 1 && text[1] != '.') return std::nullopt;
    int place = 100;
    for (auto const digit : text.substr(std::min<std::size_t>(2, text.size()))) {
        if (digit < '0' || digit > '9') return std::nullopt;
        thousandths += (digit - '0') * place;
        place /= 10;
    }
    if (thousandths > 1000) return std::nullopt;
    return thousandths;
}

} // namespace

std::string_view name_of(Language language) { return names.at(static_cast<std::size_t>(language)); }

std::optional<Language> language_named(std::string_view name)
{
    auto const found = std::ranges::find(names, name);
    if (found == names.end()) return std::nullopt;
    return static_cast<Language>(found - names.begin());
}

Language accepted_language(std::string_view accept_language, Language otherwise)
{
    auto best = otherwise;
    int best_weight = 0;
    for (auto const element : split(accept_language, ',')) {
        auto const parts = split(element, ';');
        int weight = 1000;
        bool understood = parts.size() <= 2;
        if (parts.size() == 2) {
            auto const parameter = trimmed(parts[1]);
            auto const given = parameter.size() > 2 && equal_ignoring_case(parameter.substr(0, 2), "q=")
                                   ? weight_of(parameter.substr(2))
                                   : std::nullopt;
            understood = given.has_value();
            weight = given.value_or(0);
        }
        // RFC 4647 §3.3.1: a range names a language and everything more special, so "nl-BE" asks for Dutch.
        auto const range = in_small_letters(trimmed(parts[0]));
        auto const language = language_named(std::string_view{range}.substr(0, range.find('-')));
        if (!understood || !language || weight <= best_weight) continue;
        best = *language;
        best_weight = weight;
    }
    return best;
}

} // namespace symbolon

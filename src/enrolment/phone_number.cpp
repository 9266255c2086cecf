#include "enrolment/phone_number.hpp"

#include "base/ensure.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <regex>

namespace symbolon::enrolment {

namespace {

struct Row {
    std::string_view calling_code;
    std::array<std::string_view, 2> national_prefixes; ///< the first is the one that is written; empty: none
    char const* mobile;
    char const* other; ///< numbers that are not of mobile phones
};

constexpr Row rows[] = {
#include "enrolment/phone_number_table.inc"
};

constexpr std::size_t most_typed = 48;
constexpr std::size_t most_digits = 15; // ITU-T E.164 §6.1

std::size_t index_of(Row const& row) { return static_cast<std::size_t>(&row - std::begin(rows)); }

Row const* row_of(std::string_view calling_code)
{
    auto const found = std::ranges::find(rows, calling_code, &Row::calling_code);
    return found == std::end(rows) ? nullptr : found;
}

/// The calling code with which a whole number begins. None is the beginning of another (ITU-T E.164 §6.2.1).
Row const* row_of_whole(std::string_view digits)
{
    auto const found = std::ranges::find_if(rows, [&](Row const& row) { return digits.starts_with(row.calling_code); });
    return found == std::end(rows) ? nullptr : found;
}

/// A pattern of the table, compiled when it is first needed.
class Pattern {
public:
    [[nodiscard]] bool matches(char const* pattern, std::string_view digits)
    {
        std::call_once(once_, [&] { compiled_.emplace(pattern, std::regex::ECMAScript | std::regex::optimize); });
        return std::regex_match(digits.begin(), digits.end(), *compiled_);
    }

private:
    std::once_flag once_;
    std::optional<std::regex> compiled_;
};

bool is_mobile(Row const& row, std::string_view national)
{
    static std::array<Pattern, std::size(rows)> patterns;
    return patterns.at(index_of(row)).matches(row.mobile, national);
}

bool is_other_number(Row const& row, std::string_view national)
{
    static std::array<Pattern, std::size(rows)> patterns;
    return patterns.at(index_of(row)).matches(row.other, national);
}

/// What people put between digits: spaces of every width, dots, slashes, dashes, parentheses.
constexpr std::array<std::string_view, 17> separators{
    " ",      ".",      "/",      "-",      "(",      ")",      "\t",     "\u00A0", "\u2007",
    "\u2009", "\u202F", "\u2010", "\u2011", "\u2012", "\u2013", "\u2014", "\u2212",
};

/// Digits, and a "+" before them. Nothing: something else stands there.
std::optional<std::string> without_separators(std::string_view typed)
{
    std::string bare;
    while (!typed.empty()) {
        auto const separator = std::ranges::find_if(separators, [&](auto s) { return typed.starts_with(s); });
        if (separator != separators.end()) {
            typed.remove_prefix(separator->size());
            continue;
        }
        auto const c = typed.front();
        if (!(c >= '0' && c <= '9') && !(c == '+' && bare.empty())) return std::nullopt;
        bare += c;
        typed.remove_prefix(1);
    }
    return bare;
}

/// "+32 (0)470…": the national prefix that some write into the international form.
std::string without_optional_prefix(std::string_view typed)
{
    std::string text{typed};
    if (auto const at = text.find("(0)"); at != std::string::npos && at > 0) text.erase(at, 3);
    return text;
}

/// The ways in which digits may be meant, likeliest first.
std::vector<std::string_view> readings(Row const& row, std::string_view digits)
{
    std::vector<std::string_view> all;
    auto const add_with_prefixes = [&](std::string_view national) {
        all.push_back(national);
        for (auto const prefix : row.national_prefixes)
            if (!prefix.empty() && national.starts_with(prefix)) all.push_back(national.substr(prefix.size()));
    };
    add_with_prefixes(digits);
    if (digits.starts_with(row.calling_code)) add_with_prefixes(digits.substr(row.calling_code.size()));
    return all;
}

} // namespace

Result<account::PhoneNumber> parse_phone_number(std::string_view calling_code, std::string_view typed)
{
    calling_code = trimmed(calling_code);
    if (calling_code.starts_with('+')) calling_code.remove_prefix(1);
    auto const* row = row_of(calling_code);
    if (row == nullptr) return fail(Outcome::calling_code_unknown);
    if (typed.size() > most_typed) return fail(Outcome::phone_number_invalid, "too long");

    auto const bare = without_separators(without_optional_prefix(typed));
    if (!bare) return fail(Outcome::phone_number_invalid, "a sign that is in no number");
    std::string_view digits = *bare;
    auto const is_whole = digits.starts_with('+') || digits.starts_with("00");
    if (is_whole) {
        digits.remove_prefix(digits.starts_with('+') ? 1 : 2);
        if (digits.empty()) return fail(Outcome::phone_number_invalid, "no digits");
        row = row_of_whole(digits);
        if (row == nullptr) return fail(Outcome::calling_code_unknown);
        digits.remove_prefix(row->calling_code.size());
    }
    if (digits.empty() || digits.size() > most_digits) return fail(Outcome::phone_number_invalid, "length");

    auto const all = readings(*row, digits);
    for (auto const national : all)
        if (is_mobile(*row, national))
            return account::PhoneNumber{'+' + std::string{row->calling_code} + std::string{national}};
    auto const other = std::ranges::any_of(all, [&](auto national) { return is_other_number(*row, national); });
    return fail(other ? Outcome::phone_number_not_mobile : Outcome::phone_number_invalid);
}

std::string national_form(account::PhoneNumber const& number)
{
    ENSURE(number.e164().starts_with('+'));
    auto const digits = std::string_view{number.e164()}.substr(1);
    auto const* row = row_of_whole(digits);
    if (row == nullptr) return std::string{digits}; // a country that was served when the number was kept
    return std::string{row->national_prefixes[0]} + std::string{digits.substr(row->calling_code.size())};
}

std::span<std::string_view const> calling_codes()
{
    static constexpr auto codes = [] {
        std::array<std::string_view, std::size(rows)> all;
        std::ranges::transform(rows, all.begin(), &Row::calling_code);
        return all;
    }();
    return codes;
}

} // namespace symbolon::enrolment

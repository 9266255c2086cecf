#include "device/code_rules.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace symbolon::device {

namespace {

constexpr std::size_t digits = 5;

// What people choose who look for something that is easy to remember and passes the other rules: patterns on the
// keypad, mirrored and stuttered runs, well-known numbers.
constexpr std::array common_codes{"01023", "10203", "11223", "11235", "12123", "12312", "12321", "12340", "12344",
                                  "12354", "12356", "12369", "12389", "14725", "14785", "14789", "15951", "20304",
                                  "23123", "25800", "25852", "27182", "31415", "32100", "32123", "34534", "35753",
                                  "36987", "45645", "52013", "54320", "54345", "65456", "67867", "74123", "75357",
                                  "78945", "85258", "90210", "95159", "98721", "98760", "98789"};

/// Every five digits that stand one after another.
void add_windows(std::set<std::string>& to, std::string_view text)
{
    for (std::size_t at = 0; at + digits <= text.size(); ++at) to.emplace(text.substr(at, digits));
}

/// Without the zero before a day or a month below ten.
std::string short_form(std::string_view two_digits)
{
    return std::string{two_digits.starts_with('0') ? two_digits.substr(1) : two_digits};
}

std::vector<std::string> of_birth_date(std::string_view iso)
{
    auto const parts = split(iso, '-');
    std::set<std::string> windows;
    auto const with = [&windows](std::initializer_list<std::string_view> pieces) {
        std::string whole;
        for (auto const piece : pieces) whole += piece;
        add_windows(windows, whole);
    };
    if (parts.size() >= 2 && parts[0].size() == 4 && parts[1].size() == 2) {
        auto const year = parts[0];
        auto const short_year = year.substr(2);
        auto const month = parts[1];
        auto const m = short_form(month);
        if (parts.size() == 3 && parts[2].size() == 2) {
            auto const day = parts[2];
            auto const d = short_form(day);
            for (auto const y : {year, short_year}) {
                with({day, month, y});
                with({month, day, y});
                with({y, month, day});
                with({d, m, y});
                with({m, d, y});
                with({y, m, d});
            }
        } else {
            with({month, year});
            with({m, year});
            with({year, month});
            with({year, m});
        }
    }
    return {windows.begin(), windows.end()};
}

std::vector<std::string> of_number(account::PhoneNumber const& number)
{
    std::set<std::string> windows;
    std::string_view international{number.e164()};
    if (international.starts_with('+')) international.remove_prefix(1);
    add_windows(windows, international);
    // The trunk prefix stands where the calling code was, which has one to three digits.
    for (std::size_t calling_code = 1; calling_code <= 3 && calling_code + 4 <= international.size(); ++calling_code)
        windows.insert("0" + std::string{international.substr(calling_code, 4)});
    return {windows.begin(), windows.end()};
}

bool repeats(std::string_view code) { return std::set<char>{code.begin(), code.end()}.size() <= 2; }

bool runs(std::string_view code)
{
    auto const step = (code[1] - code[0] + 10) % 10;
    for (std::size_t at = 1; at < code.size(); ++at)
        if ((code[at] - code[at - 1] + 10) % 10 != step) return false;
    return true; // step 0 is a repeat already
}

bool holds(std::vector<std::string> const& codes, std::string_view code)
{
    return std::ranges::find(codes, code) != codes.end();
}

json::Array array_of(std::vector<std::string> const& codes)
{
    json::Array array;
    for (auto const& code : codes) array.emplace_back(code);
    return array;
}

Result<std::vector<std::string>> codes_in(json::Object const& object, std::string_view name)
{
    std::vector<std::string> codes;
    for (auto const& value : TRY(json::array(object, name))) {
        if (!value.is_string()) return fail(Outcome::json_malformed, std::string{name});
        codes.emplace_back(value.get_string());
    }
    return codes;
}

} // namespace

CodeRules code_rules(std::string_view birth_date, account::PhoneNumber const& number)
{
    return {of_birth_date(birth_date), of_number(number), {common_codes.begin(), common_codes.end()}};
}

Result<void> check_code(SecretText const& code, CodeRules const& rules)
{
    std::string_view const typed = code.reveal();
    if (typed.size() != digits || !is_digits(typed)) return fail(Outcome::code_malformed);
    if (repeats(typed)) return fail(Outcome::code_trivial, "repeat");
    if (runs(typed)) return fail(Outcome::code_trivial, "run");
    if (holds(rules.birth_date, typed)) return fail(Outcome::code_trivial, "birth_date");
    if (holds(rules.number, typed)) return fail(Outcome::code_trivial, "number");
    if (holds(rules.common, typed)) return fail(Outcome::code_trivial, "common");
    return {};
}

json::Object write(CodeRules const& rules)
{
    return {{"birth_date", array_of(rules.birth_date)},
            {"number", array_of(rules.number)},
            {"common", array_of(rules.common)}};
}

Result<CodeRules> parse_code_rules(json::Object const& object)
{
    CodeRules rules;
    rules.birth_date = TRY(codes_in(object, "birth_date"));
    rules.number = TRY(codes_in(object, "number"));
    rules.common = TRY(codes_in(object, "common"));
    return rules;
}

} // namespace symbolon::device

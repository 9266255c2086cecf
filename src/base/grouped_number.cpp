#include "base/grouped_number.hpp"

#include <algorithm>
#include <array>

namespace symbolon {

namespace {

struct Form {
    std::string_view calling_code;
    std::size_t first_group; // its digits; what follows goes by two
};

constexpr std::array forms{Form{"+32", 3}, Form{"+352", 3}, Form{"+49", 3}, Form{"+33", 1}, Form{"+31", 1}};
constexpr std::string_view space{"\u00A0"};

} // namespace

std::string grouped_number(std::string_view e164)
{
    auto const form = std::ranges::find_if(forms, [&](auto const& it) { return e164.starts_with(it.calling_code); });
    if (form == forms.end()) return std::string{e164};
    auto rest = e164.substr(form->calling_code.size());
    auto const is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (rest.size() <= form->first_group || !std::ranges::all_of(rest, is_digit)) return std::string{e164};

    std::string grouped{form->calling_code};
    grouped.append(space).append(rest.substr(0, form->first_group));
    rest.remove_prefix(form->first_group);
    grouped.append(space);
    // A digit that is left over ends the last group.
    for (; rest.size() > 3; rest.remove_prefix(2)) grouped.append(rest.substr(0, 2)).append(space);
    return grouped.append(rest);
}

} // namespace symbolon

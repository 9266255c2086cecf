#include "action/symbols.hpp"

#include "base/ensure.hpp"
#include "base/json.hpp"
#include "embedded/symbols_json.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

namespace symbolon::action {

namespace {

struct Table {
    std::vector<std::string> ids;
    std::map<std::string, std::array<std::string, all_languages.size()>, std::less<>> names;
    std::set<std::pair<std::string_view, std::string_view>> apart; ///< of `names`
};

Table read()
{
    Table table;
    auto const file = json::parse_object({symbols_json, sizeof(symbols_json) - 1});
    ENSURE(file.has_value());
    for (auto const& [id, names] : file->at("symbols").as_object()) {
        table.ids.emplace_back(id);
        for (auto const language : all_languages)
            table.names[std::string{id}].at(static_cast<std::size_t>(language)) =
                std::string{names.as_object().at(name_of(language)).as_string()};
    }
    for (auto const& pair : file->at("apart").as_array()) {
        std::string const left{pair.as_array().at(0).as_string()};
        std::string const right{pair.as_array().at(1).as_string()};
        ENSURE(table.names.contains(left) && table.names.contains(right));
        std::string_view const kept_left = table.names.find(left)->first;
        std::string_view const kept_right = table.names.find(right)->first;
        table.apart.insert(std::minmax(kept_left, kept_right));
    }
    return table;
}

Table const& table()
{
    static Table const read_once = read();
    return read_once;
}

} // namespace

std::span<std::string const> all_symbols() { return table().ids; }

std::string const& symbol_name(std::string_view id, Language language)
{
    auto const found = table().names.find(id);
    ENSURE(found != table().names.end());
    return found->second.at(static_cast<std::size_t>(language));
}

bool may_meet(std::string_view left, std::string_view right)
{
    return left != right && !table().apart.contains(std::minmax(left, right));
}

SymbolDraw draw_symbols(std::initializer_list<std::string_view> last_right,
                        std::function<std::uint32_t(std::uint32_t)> const& below)
{
    std::vector<std::string_view> left{all_symbols().begin(), all_symbols().end()};
    for (auto const last : last_right) std::erase(left, last);

    // Symbols are drawn one after the other; each takes those away that must not stand beside it. A draw that runs out
    // of symbols begins again.
    auto const all = left;
    std::vector<std::string_view> drawn;
    while (drawn.size() < symbols_in_a_draw) {
        if (left.empty()) {
            drawn.clear();
            left = all;
        }
        auto const next = left.at(below(static_cast<std::uint32_t>(left.size())));
        drawn.push_back(next);
        std::erase_if(left, [&](std::string_view other) { return !may_meet(next, other); });
    }
    // Who comes early limits who comes later, so the order is drawn apart.
    for (auto i = drawn.size(); i > 1; --i) std::swap(drawn.at(i - 1), drawn.at(below(static_cast<std::uint32_t>(i))));
    auto const right = drawn.at(below(static_cast<std::uint32_t>(drawn.size())));
    return {.right = std::string{right}, .shown = {drawn.begin(), drawn.end()}};
}

} // namespace symbolon::action

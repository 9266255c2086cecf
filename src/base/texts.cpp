#include "base/texts.hpp"

#include "base/ensure.hpp"
#include "base/json.hpp"

#include <algorithm>
#include <set>

namespace symbolon {

namespace {

[[noreturn]] void mistake(std::string const& what, std::source_location where = std::source_location::current())
{
    broken_promise(what.c_str(), where);
}

/// One piece of a text: plain, or the name of a value.
struct Piece {
    bool is_value;
    std::string_view text;
};

std::vector<Piece> pieces_of(std::string_view key, std::string_view text)
{
    std::vector<Piece> pieces;
    while (!text.empty()) {
        auto const open = text.find('{');
        if (open != 0) pieces.push_back({false, text.substr(0, open)});
        if (open == std::string_view::npos) break;
        auto const close = text.find('}', open);
        if (close == std::string_view::npos) mistake("a text has a brace without its end: " + std::string{key});
        pieces.push_back({true, text.substr(open + 1, close - open - 1)});
        text.remove_prefix(close + 1);
    }
    return pieces;
}

std::set<std::string_view> value_names(std::string_view key, std::string_view text)
{
    std::set<std::string_view> names;
    for (auto const& piece : pieces_of(key, text))
        if (piece.is_value) names.insert(piece.text);
    return names;
}

template <class Keep>
void walk(std::string const& name, json::Object const& object, Keep const& keep)
{
    for (auto const& member : object) {
        auto const key = name + '.' + std::string{member.key()};
        if (auto const* text = member.value().if_string()) keep(key, std::string{text->data(), text->size()});
        else if (auto const* inner = member.value().if_object()) walk(key, *inner, keep);
        else mistake("a text is no text: " + key);
    }
}

} // namespace

Texts::Texts(std::span<TextFile const> files)
{
    for (auto const& file : files) {
        auto const object = json::parse_object(file.json);
        if (!object)
            mistake("texts/" + std::string{file.catalogue} + '.' + std::string{name_of(file.language)} +
                    ".json: " + object.error().detail);
        walk(std::string{file.catalogue}, *object, [&](std::string const& key, std::string text) {
            texts_[key].at(static_cast<std::size_t>(file.language)) = std::move(text);
        });
    }
    for (auto const& [key, texts] : texts_) {
        for (auto const language : all_languages) {
            auto const& text = texts.at(static_cast<std::size_t>(language));
            if (!text) mistake("a text is missing in " + std::string{name_of(language)} + ": " + key);
            if (value_names(key, *text) != value_names(key, *texts[0]))
                mistake("a text has other values in " + std::string{name_of(language)} + ": " + key);
        }
    }
}

Texts::InLanguages const& Texts::find(std::string_view key) const
{
    auto const found = texts_.find(key);
    if (found == texts_.end()) mistake("there is no text " + std::string{key});
    return found->second;
}

std::string Texts::text(Language language, std::string_view key, Values const& values) const
{
    auto const& whole = *find(key).at(static_cast<std::size_t>(language));
    if (values.empty() && whole.find('{') == std::string::npos) return whole;
    std::string result;
    std::set<std::string_view> used;
    for (auto const& piece : pieces_of(key, whole)) {
        if (!piece.is_value) {
            result += piece.text;
            continue;
        }
        auto const value = std::ranges::find(values, piece.text, &Values::value_type::first);
        if (value == values.end()) mistake("the text " + std::string{key} + " lacks " + std::string{piece.text});
        result += value->second;
        used.insert(piece.text);
    }
    if (used.size() != values.size()) mistake("the text " + std::string{key} + " was given too many values");
    return result;
}

std::string Texts::text(Language language, Outcome outcome) const
{
    return text(language, "outcomes." + std::string{name_of(outcome)});
}

bool Texts::knows(std::string_view key) const { return texts_.contains(key); }

void Texts::require(std::span<std::string_view const> keys) const
{
    for (auto const key : keys) (void)find(key);
}

void Texts::require_outcomes() const
{
    for (auto const& row : all_outcomes()) (void)find("outcomes." + std::string{row.name});
}

std::vector<std::string_view> Texts::keys() const
{
    std::vector<std::string_view> all;
    all.reserve(texts_.size());
    for (auto const& [key, texts] : texts_) all.emplace_back(key);
    return all;
}

} // namespace symbolon

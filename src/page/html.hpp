#pragma once

#include "base/language.hpp"

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Pages as values. Whatever becomes part of one is escaped on the way in, so no text can be markup.
namespace symbolon::page {

/// A piece of a page. Made by the functions below alone.
class Html {
public:
    Html() = default;

    [[nodiscard]] std::string const& markup() const { return markup_; }
    [[nodiscard]] bool empty() const { return markup_.empty(); }

    Html& operator+=(Html const& other)
    {
        markup_ += other.markup_;
        return *this;
    }

private:
    friend Html text(std::string_view text);
    friend Html element(std::string_view name,
                        std::initializer_list<std::pair<std::string_view, std::string>> attributes,
                        std::initializer_list<Html> children);
    explicit Html(std::string markup) : markup_{std::move(markup)} {}

    std::string markup_;
};

/// Plain text.
Html text(std::string_view text);

using Attributes = std::initializer_list<std::pair<std::string_view, std::string>>;

/// `<name attribute="value">children</name>`; without an end for the void elements (HTML Living Standard §13.1.2).
/// Names are our own words.
Html element(std::string_view name, Attributes attributes, std::initializer_list<Html> children = {});

/// The attribute of that name where `is_there`, else one that says nothing and is left out.
std::pair<std::string_view, std::string> flag(std::string_view name, bool is_there);

/// A whole document.
std::string document(Language language, std::string_view title, Html const& head, Html const& body);

} // namespace symbolon::page

#pragma once

#include "base/language.hpp"

#include <initializer_list>
#include <string>
#include <string_view>

/// Pages as values. Whatever becomes part of one is escaped on the way in, so no text can be markup.
namespace symbolon::page {

class Child;

/// Its name and value: both are only looked at. Without a name it says nothing and is left out.
struct Attribute {
    std::string_view name;
    std::string_view value;
};

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
    friend Html element(std::string_view name, std::initializer_list<Attribute> attributes,
                        std::initializer_list<Child> children);
    explicit Html(std::string markup) : markup_{std::move(markup)} {}

    std::string markup_;
};

/// Plain text.
Html text(std::string_view text);

/// A piece of a page that is only looked at.
class Child {
public:
    Child(Html const& html) : markup_{html.markup()} {} // NOLINT(google-explicit-constructor): as if it were one

    [[nodiscard]] std::string_view markup() const { return markup_; }

private:
    std::string_view markup_;
};

/// `<name attribute="value">children</name>`; without an end for the void elements (HTML Living Standard §13.1.2).
/// Names are our own words.
Html element(std::string_view name, std::initializer_list<Attribute> attributes,
             std::initializer_list<Child> children = {});

/// The attribute of that name where `is_there`, else one that says nothing and is left out.
Attribute flag(std::string_view name, bool is_there);

/// A whole document.
std::string document(Language language, std::string_view title, Html const& head, Html const& body);

} // namespace symbolon::page

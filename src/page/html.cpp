#include "page/html.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>

namespace symbolon::page {

namespace {

constexpr std::array<std::string_view, 5> void_elements{"meta", "link", "input", "br", "hr"};

} // namespace

Html text(std::string_view text) { return Html{escape_html(text)}; }

Html element(std::string_view name, std::initializer_list<Attribute> attributes, std::initializer_list<Child> children)
{
    constexpr std::size_t usual_attribute_bytes = 40;
    auto size = 2 * name.size() + 5 + attributes.size() * usual_attribute_bytes;
    for (auto const& child : children) size += child.markup().size();
    std::string markup;
    markup.reserve(size);
    markup += '<';
    markup += name;
    for (auto const& [attribute, value] : attributes) {
        if (attribute.empty()) continue;
        markup += ' ';
        markup += attribute;
        markup += "=\"";
        append_escaped_html(markup, value);
        markup += '"';
    }
    markup += '>';
    if (std::ranges::count(void_elements, name) > 0) return Html{std::move(markup)};
    for (auto const& child : children) markup += child.markup();
    markup += "</";
    markup += name;
    markup += '>';
    return Html{std::move(markup)};
}

Attribute flag(std::string_view name, bool is_there) { return {is_there ? name : std::string_view{}, {}}; }

std::string document(Language language, std::string_view title, Html const& head, Html const& body)
{
    auto full_head = element("meta", {{"charset", "utf-8"}});
    full_head += element("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}});
    full_head += element("title", {}, {text(title)});
    full_head += head;
    auto const html = element("html", {{"lang", std::string{name_of(language)}}},
                              {element("head", {}, {full_head}), element("body", {}, {body})});
    return "<!doctype html>\n" + html.markup() + '\n';
}

} // namespace symbolon::page

#include "page/brand.hpp"

#include <string>

namespace symbolon::page {

namespace {

/// A ring broken in two halves that fit (web/shared/mark.svg).
Html mark()
{
    auto const half = [](std::string const& kind, std::string const& path) {
        return element("path", {{"class", kind}, {"d", path}});
    };
    return element(
        "svg", {{"viewBox", "0 0 64 64"}, {"aria-hidden", "true"}},
        {element(
            "g", {{"transform", "rotate(20 32 32)"}},
            {half("mark-one", "M30.5 4.1A28 28 0 0 0 30.5 59.9V55L26 51.5 30.5 48.5V44A12 12 0 0 1 30.5 20V15.5L26 "
                              "12.5 30.5 9Z"),
             half("mark-two", "M35.5 4.2A28 28 0 0 1 35.5 59.8V54.5L31 51.5 35.5 48.5V43.5A12 12 0 0 0 35.5 "
                              "20.5V15.5L31 12.5 35.5 9.5Z")})});
}

} // namespace

Html brand() { return element("span", {{"class", "brand"}}, {mark(), element("span", {}, {text("Symbolon")})}); }

Html test_banner(Language language, Texts const& texts, bool is_test_system)
{
    if (!is_test_system) return {};
    return element("aside", {{"class", "test-banner"}}, {text(texts.text(language, "sign_in.test_system"))});
}

} // namespace symbolon::page

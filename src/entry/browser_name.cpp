#include "entry/browser_name.hpp"

#include <array>
#include <utility>

namespace symbolon::entry {

namespace {

using Sign = std::pair<std::string_view, std::string_view>;

// Each browser names those before it that it resembles, so the most particular sign comes first.
constexpr std::array browsers{
    Sign{"Edg/", "Edge"},          Sign{"EdgA/", "Edge"},
    Sign{"EdgiOS/", "Edge"},       Sign{"OPR/", "Opera"},
    Sign{"Vivaldi/", "Vivaldi"},   Sign{"SamsungBrowser/", "Samsung Internet"},
    Sign{"FxiOS/", "Firefox"},     Sign{"Firefox/", "Firefox"},
    Sign{"CriOS/", "Chrome"},      Sign{"HeadlessChrome/", "Chromium"},
    Sign{"Chromium/", "Chromium"}, Sign{"Chrome/", "Chrome"},
    Sign{"Safari/", "Safari"},
};

constexpr std::array systems{
    Sign{"Android", "Android"}, Sign{"iPhone", "iPhone"},   Sign{"iPad", "iPad"},   Sign{"Windows", "Windows"},
    Sign{"CrOS", "ChromeOS"},   Sign{"Macintosh", "macOS"}, Sign{"Linux", "Linux"},
};

std::string_view first_of(auto const& signs, std::string_view text)
{
    for (auto const& [sign, name] : signs)
        if (text.contains(sign)) return name;
    return {};
}

} // namespace

std::string browser_name(std::string_view user_agent)
{
    std::string name{first_of(browsers, user_agent)};
    auto const system = first_of(systems, user_agent);
    if (!name.empty() && !system.empty()) name += " – ";
    return name += system;
}

} // namespace symbolon::entry

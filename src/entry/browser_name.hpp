#pragma once

#include <string>
#include <string_view>

namespace symbolon::entry {

/// A browser in a few words, from its User-Agent header: "Firefox – Windows", without a word of any language.
/// What can't be told is left out; empty when nothing can. The words are ours, whatever stands in the header.
std::string browser_name(std::string_view user_agent);

} // namespace symbolon::entry

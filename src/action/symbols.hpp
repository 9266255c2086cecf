#pragma once

#include "base/language.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The pictures that tie a page to a phone: the page shows one, the phone offers six (docs/device-protocol.md §5).
namespace symbolon::action {

inline constexpr std::size_t symbols_in_a_draw = 6;

/// The ids of all symbols: "boat" and so on. The sprites and the phone know the same ones.
std::span<std::string const> all_symbols();

/// The name of a symbol as one reads it. The id must be one of ours.
std::string const& symbol_name(std::string_view id, Language language);

/// Whether two symbols neither look nor sound alike in any of the languages.
bool may_meet(std::string_view left, std::string_view right);

struct SymbolDraw {
    std::string right;              ///< what the page shows
    std::vector<std::string> shown; ///< six, in the order in which they are offered; the right one is among them
};

/// Six symbols that may meet, in any order, and one of them as the right one, each equally likely, so that the six tell
/// nothing about it. `last_right` are not among them (some may be empty): a picture remembered from the last time can't
/// be picked by habit. `below(n)` gives each of 0 … n-1 equally likely.
SymbolDraw draw_symbols(std::initializer_list<std::string_view> last_right,
                        std::function<std::uint32_t(std::uint32_t)> const& below);

} // namespace symbolon::action

#pragma once

#include <array>
#include <string_view>

/// How sure an approval is (Regulation (EU) 2015/1502 names the levels). What `acr` says in tokens.
namespace symbolon::action {

/// The 5-digit code, judged by the vault, from a phone whose key a browser keeps and could be copied.
inline constexpr std::string_view assurance_low = "http://eidas.europa.eu/LoA/low";
/// A passkey with user verification besides.
inline constexpr std::string_view assurance_substantial = "http://eidas.europa.eu/LoA/substantial";

/// Weakest first: what a phone can reach.
inline constexpr std::array assurance_levels{assurance_low, assurance_substantial};
inline constexpr std::array assurance_levels_offered{assurance_low, assurance_substantial};

} // namespace symbolon::action

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace symbolon {

/// The languages that everything speaks (F5).
enum class Language : std::uint8_t { fr, nl, de, en };

inline constexpr std::array all_languages{Language::fr, Language::nl, Language::de, Language::en};

/// "fr" and so on (BCP 47).
std::string_view name_of(Language language);
std::optional<Language> language_named(std::string_view name);

/// The best of our languages for an Accept-Language header (RFC 9110 §12.5.4). Absent or unknown: `otherwise`.
Language accepted_language(std::string_view accept_language, Language otherwise = Language::fr);

} // namespace symbolon

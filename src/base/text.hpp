#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace symbolon {

/// Parts between separators; an empty text has one empty part.
std::vector<std::string_view> split(std::string_view text, char separator);

/// Without spaces and tabs at both ends.
std::string_view trimmed(std::string_view text);

/// ASCII letters only.
bool equal_ignoring_case(std::string_view left, std::string_view right);
std::string in_small_letters(std::string_view text);

bool is_digits(std::string_view text);

/// Whether the bytes are well-formed UTF-8 (Unicode §3.9).
bool is_utf8(std::string_view text);

/// NFC (Unicode Annex 15). Fails with request_malformed: no UTF-8.
Result<std::string> to_nfc(std::string_view text);

/// Text of people for a screen: well-formed, at most `most_characters` code points, no control or bidirectional-control
/// characters. Fails with request_malformed.
Result<std::string> displayable(std::string_view text, std::size_t most_characters);

/// A form of names that ignores case, accents and punctuation, to compare spellings of one name.
std::string folded(std::string_view text);

/// Letters that HTML gives a meaning written as references (HTML Living Standard §13.3).
std::string escape_html(std::string_view text);
/// The same at the end of `html`, without a text of its own.
void append_escaped_html(std::string& html, std::string_view text);

} // namespace symbolon

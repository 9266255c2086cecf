#include "base/text.hpp"

#include "base/ensure.hpp"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include <algorithm>

namespace symbolon {

namespace {

char small(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

icu::UnicodeString unicode(std::string_view text)
{
    return icu::UnicodeString::fromUTF8(icu::StringPiece{text.data(), static_cast<std::int32_t>(text.size())});
}

icu::UnicodeString normalized(icu::Normalizer2 const* form, icu::UnicodeString const& text)
{
    UErrorCode status = U_ZERO_ERROR;
    auto result = form->normalize(text, status);
    ENSURE(U_SUCCESS(status) != 0);
    return result;
}

} // namespace

std::vector<std::string_view> split(std::string_view text, char separator)
{
    std::vector<std::string_view> parts;
    parts.reserve(static_cast<std::size_t>(std::ranges::count(text, separator)) + 1);
    for (;;) {
        auto const at = text.find(separator);
        parts.push_back(text.substr(0, at));
        if (at == std::string_view::npos) return parts;
        text.remove_prefix(at + 1);
    }
}

std::string_view trimmed(std::string_view text)
{
    auto const first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool equal_ignoring_case(std::string_view left, std::string_view right)
{
    return std::ranges::equal(left, right, {}, small, small);
}

std::string in_small_letters(std::string_view text)
{
    std::string result{text};
    std::ranges::transform(result, result.begin(), small);
    return result;
}

bool is_digits(std::string_view text)
{
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_utf8(std::string_view text)
{
    auto const* bytes = reinterpret_cast<std::uint8_t const*>(text.data());
    auto const size = static_cast<std::int32_t>(text.size());
    for (std::int32_t at = 0; at < size;) {
        UChar32 character = 0;
        U8_NEXT(bytes, at, size, character); // NOLINT(bugprone-inc-dec-in-conditions): ICU's macro
        if (character < 0) return false;
    }
    return true;
}

Result<std::string> to_nfc(std::string_view text)
{
    if (!is_utf8(text)) return fail(Outcome::request_malformed, "no UTF-8");
    UErrorCode status = U_ZERO_ERROR;
    auto const* form = icu::Normalizer2::getNFCInstance(status);
    ENSURE(U_SUCCESS(status) != 0);
    std::string result;
    normalized(form, unicode(text)).toUTF8String(result);
    return result;
}

Result<std::string> displayable(std::string_view text, std::size_t most_characters)
{
    if (!is_utf8(text)) return fail(Outcome::request_malformed, "no UTF-8");
    auto const characters = unicode(text);
    if (static_cast<std::size_t>(characters.countChar32()) > most_characters)
        return fail(Outcome::request_malformed, "text too long");
    for (std::int32_t at = 0; at < characters.length(); at = characters.moveIndex32(at, 1)) {
        auto const character = characters.char32At(at);
        if (u_iscntrl(character) != 0 || u_hasBinaryProperty(character, UCHAR_BIDI_CONTROL) != 0)
            return fail(Outcome::request_malformed, "text with a control character");
    }
    return std::string{text};
}

std::string folded(std::string_view text)
{
    UErrorCode status = U_ZERO_ERROR;
    auto const* form = icu::Normalizer2::getNFKDInstance(status);
    ENSURE(U_SUCCESS(status) != 0);
    auto const decomposed = normalized(form, unicode(text).foldCase());
    icu::UnicodeString kept;
    for (std::int32_t at = 0; at < decomposed.length(); at = decomposed.moveIndex32(at, 1)) {
        auto const character = decomposed.char32At(at);
        if (u_isalnum(character) != 0) kept.append(character);
    }
    std::string result;
    kept.toUTF8String(result);
    return result;
}

void append_escaped_html(std::string& html, std::string_view text)
{
    auto const is_markup = [](char c) { return c == '&' || c == '<' || c == '>' || c == '"' || c == '\''; };
    for (;;) {
        auto const plain = static_cast<std::size_t>(std::ranges::find_if(text, is_markup) - text.begin());
        html += text.substr(0, plain);
        text.remove_prefix(plain);
        if (text.empty()) return;
        switch (text.front()) {
        case '&': html += "&amp;"; break;
        case '<': html += "&lt;"; break;
        case '>': html += "&gt;"; break;
        case '"': html += "&quot;"; break;
        default: html += "&#39;";
        }
        text.remove_prefix(1);
    }
}

std::string escape_html(std::string_view text)
{
    std::string html;
    html.reserve(text.size());
    append_escaped_html(html, text);
    return html;
}

} // namespace symbolon

#include "enrolment/email.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace symbolon::enrolment {

namespace {

constexpr std::size_t most_address = 254; // RFC 5321 §4.5.3.1.3: a path of 256 with its brackets
constexpr std::size_t most_local = 64;    // §4.5.3.1.1
constexpr std::size_t most_label = 63;    // RFC 1035 §2.3.4

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

/// RFC 5322 §3.2.3 atext.
bool is_atext(char c) { return is_letter_or_digit(c) || std::string_view{"!#$%&'*+-/=?^_`{|}~"}.contains(c); }

bool is_dot_string(std::string_view text)
{
    return std::ranges::all_of(split(text, '.'),
                               [](auto part) { return !part.empty() && std::ranges::all_of(part, is_atext); });
}

bool is_label(std::string_view label)
{
    return !label.empty() && label.size() <= most_label && label.front() != '-' && label.back() != '-' &&
           std::ranges::all_of(label, [](char c) { return is_letter_or_digit(c) || c == '-'; });
}

bool is_domain(std::string_view text)
{
    auto const labels = split(text, '.');
    return labels.size() >= 2 && std::ranges::all_of(labels, is_label) && labels.back().size() >= 2 &&
           !is_digits(labels.back());
}

} // namespace

Result<std::string> parse_email(std::string_view typed)
{
    auto const text = trimmed(typed);
    auto const at = text.rfind('@');
    if (text.size() > most_address || at == std::string_view::npos || at > most_local)
        return fail(Outcome::email_invalid);
    auto const local = text.substr(0, at);
    auto const domain = text.substr(at + 1);
    if (!is_dot_string(local) || !is_domain(domain)) return fail(Outcome::email_invalid);
    return std::string{local} + '@' + in_small_letters(domain);
}

} // namespace symbolon::enrolment

#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace symbolon::enrolment {

/// An e-mail address as it is kept: spaces around it dropped, the domain in small letters. Judged by the form that
/// addresses of people have (RFC 5321 §4.1.2 dot-string and its limits of §4.5.3.1; no quoted local parts, no address
/// literals): whether mail arrives is another question.
///
/// Fails: email_invalid.
Result<std::string> parse_email(std::string_view typed);

} // namespace symbolon::enrolment

#pragma once

#include "base/limits.hpp"
#include "base/result.hpp"
#include "enrolment/enrolment.hpp"
#include "enrolment/judged.hpp"

#include <string>
#include <string_view>

/// The code by which a visit at a bank that ended in another browser comes back to the phone that began it (design.md
/// §4, docs/decisions/0014-through-a-bank.md).
namespace symbolon::enrolment {

/// Six digits of a number below 10^6, with leading zeros.
std::string landing_code(std::uint32_t number);

/// Whether `typed` has the form of a code: six ASCII digits once spaces are dropped. Gives the digits. Fails:
/// landing_code_wrong (no try is counted for what can't be a code).
Result<std::string> parse_landing_code(std::string_view typed);

/// The phone typed what that page shows. `typed_hash` is SHA-256 of the six digits. Stored in both cases.
///
/// When it succeeds the state is sms. The same code again succeeds too: the answer may have been lost. When the last
/// try fails, or the code came too late, the visit was for nothing: the state is bank, with that outcome.
///
/// Fails, first match wins: the failures of check_open; enrolment_step_wrong (nothing landed); bank_visit_expired
/// (limits.bank_visit_lifetime since it landed); landing_code_wrong with tries_left; tries_used_up with open_at (now:
/// the next visit may begin at once).
Judged judge_landing_code(Enrolment enrolment, ByteView typed_hash, Instant now, Limits const& limits);

} // namespace symbolon::enrolment

#pragma once

#include "base/limits.hpp"
#include "base/result.hpp"
#include "enrolment/enrolment.hpp"
#include "enrolment/judged.hpp"

#include <cstdint>
#include <optional>
#include <string>

/// The SMS code that proves that the phone has the number (A4, A5).
namespace symbolon::enrolment {

/// Six digits with leading zeros, of a number below 10^6.
std::string six_digits(std::uint32_t number);

/// The digits of what a person typed, if they are six ASCII digits once spaces are dropped.
std::optional<std::string> parse_six_digits(std::string_view typed);

/// Six digits with leading zeros, of a number below 10^6 (Random::below(1'000'000)).
std::string sms_code(std::uint32_t number);

/// Whether `typed` has the form of a code: six ASCII digits once spaces are dropped. Gives the digits. Fails:
/// sms_code_wrong (no try is counted for what can't be a code).
Result<std::string> parse_sms_code(std::string_view typed);

/// When the next SMS may be sent: the countdown on the button. At most limits.sms_sends in limits.sms_sends_window;
/// after one that was lost there is no countdown.
Instant sms_again_at(Enrolment const& enrolment, Limits const& limits);

/// The enrolment with a fresh code on its way; the code before is no longer good, and the tries begin anew. Store it,
/// then hand the SMS to the gateway; when nobody knows what became of it, the send has counted.
///
/// Fails, first match wins: the failures of check_open; enrolment_step_wrong (no phone typed the token, or the code is
/// through); tries_used_up with open_at (sends_window); sms_too_soon with open_at (countdown).
Result<Enrolment> send_sms_code(Enrolment enrolment, Bytes code_hash, Instant now, Limits const& limits);

/// The gateway did not take the last SMS: the send does not count (E9). Nothing: it is not the last one, or the SMS is
/// no longer what the enrolment waits for.
std::optional<Enrolment> sms_refused(Enrolment enrolment, Instant sent_at);

/// What became of an SMS that the gateway took.
enum class SmsReport : std::uint8_t { under_way, delivered, not_delivered };

/// The gateway reports the SMS that was sent at `sent_at`. The enrolment as it is to be stored; nothing: nothing
/// changes, since it is not the last one, or no longer waited for.
std::optional<Enrolment> sms_reported(Enrolment enrolment, Instant sent_at, SmsReport report);

/// A phone typed a code. `typed_hash` is SHA-256 of the six digits. Stored in both cases.
///
/// When it succeeds the state is code. Typing the same code again after success succeeds: the answer may have been
/// lost.
///
/// Fails, first match wins: the failures of check_open; enrolment_step_wrong; tries_used_up with open_at (when the next
/// SMS may be asked, at most 20 minutes away); sms_code_expired; sms_code_wrong with tries_left.
Judged judge_sms_code(Enrolment enrolment, ByteView typed_hash, Instant now, Limits const& limits);

} // namespace symbolon::enrolment

#pragma once

#include "account/phone_number.hpp"
#include "base/http.hpp"
#include "base/limits.hpp"
#include "base/secret.hpp"
#include "ports/services.hpp"

#include <string>

/// SMS beside their texts: what they may cost, and what the gateway reports of them.
namespace symbolon::message {

/// Spending limits: counts an SMS that is about to be sent, in all, to its block of numbers and to its number, so that
/// nobody can have us send many at the operator's cost (SMS pumping goes through the numbers of one block).
///
/// A number that had as many as a day lets is still sent one in 20 minutes: who waits as told is never told to wait
/// again (E9). The first refusal of each limit in its window is an event of the log, "sms_limit_reached": the operator
/// is told which, and never whose number. `key` makes the counters' names: HMAC-SHA-256 under it.
///
/// Fails, first match wins: sms_limit_in_all, sms_limit_of_prefix, sms_limit_of_number, each with open_at at most
/// limits.longest_wait away.
Flow<void> count_sms(account::PhoneNumber number, Limits limits, SecretBytes key, ports::Services services);

/// What a delivery report brings back: which enrolment's SMS, and which of its sends. Sealed: it tells the gateway
/// nothing, and nobody else can make one.
std::string sms_reference(EnrolmentId const& enrolment, Instant sent_at, SecretBytes const& key,
                          crypto::Random& random);

/// GET /sms/report?reference=…&status=…: a delivery report of the gateway (Kannel User Guide, "Delivery reports": 1
/// delivered, 2 not delivered, 4 queued, 8 handed on, 16 refused). When the SMS of a code surely did not arrive, the
/// enrolment says so on page and phone, and the next one may be asked at once. Answers 204 to whatever names an SMS,
/// also a second time and after the enrolment's end. Fails: request_malformed (no reference of ours, no such status).
Flow<http::Response> take_report(http::Request request, SecretBytes key, ports::Services services);

/// The routes of the gateway, on the origin id.
http::Routes gateway_routes(SecretBytes const& key, ports::Services services);

} // namespace symbolon::message

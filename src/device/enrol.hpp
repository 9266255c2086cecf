#pragma once

#include "base/flow.hpp"
#include "base/http.hpp"
#include "device/settings.hpp"
#include "ports/services.hpp"

/// The phone's part of an enrolment (journeys A4, A5; docs/device-protocol.md §4). Each flow answers one request.
namespace symbolon::device {

/// POST /d/enrol/start. Fails: too_many_requests, request_malformed, calling_code_unknown, phone_number_invalid,
/// phone_number_not_mobile, identification_token_wrong, tries_used_up, identification_token_expired.
Flow<http::Response> start_enrolment(http::Request request, ports::Services services, SharedSettings settings);

/// POST /d/enrol/sms. Fails: enrolment_unknown, those of enrolment::judge_sms_code.
Flow<http::Response> give_sms_code(http::Request request, ports::Services services, SharedSettings settings);

/// POST /d/enrol/sms-again. Fails: enrolment_unknown, those of enrolment::send_sms_code, sms_not_sent.
Flow<http::Response> send_sms_again(http::Request request, ports::Services services, SharedSettings settings);

/// GET /d/enrol/state. Fails: enrolment_unknown, enrolment_expired.
Flow<http::Response> enrolment_state(http::Request request, ports::Services services, SharedSettings settings);

/// POST /d/enrol/finish. Fails: those of parse_enrol_finish, enrolment_unknown, enrolment_expired,
/// enrolment_step_wrong, device_signature_invalid, passkey_refused, seal_invalid, proof_malformed, phone_number_taken;
/// and, back to the card or the bank, already_a_holder, moved_meanwhile, other_source_than_enrolled,
/// new_number_needs_card.
Flow<http::Response> finish_enrolment(http::Request request, ports::Services services, SharedSettings settings);

} // namespace symbolon::device

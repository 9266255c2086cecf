#pragma once

#include "base/flow.hpp"
#include "base/http.hpp"
#include "base/json.hpp"
#include "device/settings.hpp"
#include "ports/services.hpp"

#include <optional>

/// An enrolment through a bank, from the phone alone (journeys B1 to B4, E1, E5 to E7; docs/device-protocol.md §4,
/// docs/decisions/0014-through-a-bank.md). Each flow answers one request. After the bank's answer it goes on as with
/// the card (device/enrol.hpp).
namespace symbolon::device {

/// GET /d/banks.
Flow<http::Response> list_banks(http::Request request, ports::Services services, SharedSettings settings);

/// GET /bank/jwks: what the banks know us by. Fails with not_found: there are no banks.
Flow<http::Response> keys_for_banks(http::Request request, ports::Services services, SharedSettings settings);

/// POST /d/enrol/bank. Fails: too_many_requests, request_malformed, calling_code_unknown, phone_number_invalid,
/// phone_number_not_mobile, language_unknown.
Flow<http::Response> start_at_bank(http::Request request, ports::Services services, SharedSettings settings);

/// POST /d/enrol/bank/visit: the phone leaves for a bank. Fails: enrolment_unknown, those of
/// enrolment::open_bank_visit, bank_unknown, too_many_requests, bank_unreachable.
Flow<http::Response> visit_bank(http::Request request, ports::Services services, SharedSettings settings);

/// GET /bank/return: a bank sends a browser back (RFC 6749 §4.1.2). What it came to stands in the enrolment; the
/// browser that left goes to the app, any other one gets a page. Fails: bank_visit_unknown (there are no banks).
Flow<http::Response> return_from_bank(http::Request request, ports::Services services, SharedSettings settings);

/// POST /d/enrol/bank/landing: the code of that page. Fails: enrolment_unknown, those of
/// enrolment::parse_landing_code and judge_landing_code.
Flow<http::Response> give_landing_code(http::Request request, ports::Services services, SharedSettings settings);

/// POST /d/enrol/bank/again: back to the choice of bank. Fails: enrolment_unknown, those of enrolment::identify_again.
Flow<http::Response> choose_bank_again(http::Request request, ports::Services services, SharedSettings settings);

/// The state of an enrolment that is in `bank` or `landed`, for GET /d/enrol/state. In `landed` it tells nothing of the
/// person: who types no landing code may be somebody else.
json::Object bank_state(enrolment::Enrolment const& enrolment, Language language, Settings const& settings);

/// The bank that was chosen, as the app names it: {"id","name"}.
std::optional<json::Object> bank_of(enrolment::Enrolment const& enrolment, Settings const& settings);

} // namespace symbolon::device

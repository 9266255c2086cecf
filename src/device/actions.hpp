#pragma once

#include "base/flow.hpp"
#include "base/http.hpp"
#include "device/settings.hpp"
#include "ports/services.hpp"

/// What the phone does with actions (docs/device-protocol.md §5). Each flow answers one request.
namespace symbolon::device {

/// GET /d/me. Fails: those of authenticate.
Flow<http::Response> me(http::Request request, ports::Services services, SharedSettings settings);

/// GET /d/pending. Fails: those of authenticate.
Flow<http::Response> pending(http::Request request, ports::Services services, SharedSettings settings);

/// GET /d/events: /d/pending, now and at every change. Fails: those of authenticate.
Flow<http::Response> pending_events(http::Request request, ports::Services services, SharedSettings settings);

/// POST /d/claims: the question of a page, for the phone that went to it. Fails: those of authenticate,
/// account_blocked, json_malformed, request_malformed, too_many_requests (short codes), entry_unknown, qr_too_old,
/// entry_closed, entry_taken.
Flow<http::Response> claim(http::Request request, ports::Services services, SharedSettings settings);

/// POST /d/actions/{id}/match. Fails, in the order of docs/device-protocol.md: request_malformed, encoding_malformed,
/// device_unknown, device_signature_invalid, device_unbound, device_suspended, account_deactivated, account_blocked,
/// action_unknown, action_of_other_device, action_expired, action_closed, action_not_shown, symbol_wrong, conflict.
Flow<http::Response> match_action(http::Request request, ports::Services services, SharedSettings settings);

/// POST /d/actions/{id}/show. Fails: those of authenticate, account_blocked, request_malformed, action_unknown,
/// action_of_other_device, action_expired, action_closed.
Flow<http::Response> show_action(http::Request request, ports::Services services, SharedSettings settings);

/// POST /d/actions/{id}/answer. Fails, in the order of docs/device-protocol.md: request_malformed, proof_malformed,
/// device_unknown, device_signature_invalid, device_unbound, device_suspended, account_deactivated, account_blocked,
/// action_unknown, action_of_other_device, action_expired, action_not_shown, action_closed, device_clone_suspected,
/// claims_not_allowed, passkey_needed, passkey_unknown, symbol_wrong, code_wrong, code_blocked, passkey_wrong,
/// passkey_clone_suspected, vault_unreachable, conflict.
Flow<http::Response> answer_action(http::Request request, ports::Services services, SharedSettings settings);

/// GET /d/consents: what the holder shares with whom. Fails: those of authenticate.
Flow<http::Response> list_consents(http::Request request, ports::Services services, SharedSettings settings);

/// POST /d/consents/withdraw {"client"}: it is asked again at the next visit, and codes and tokens that the partner has
/// end now. Fails: those of authenticate, request_malformed, json_malformed, conflict.
Flow<http::Response> withdraw_consent(http::Request request, ports::Services services, SharedSettings settings);

} // namespace symbolon::device

#include "device/routes.hpp"

#include "base/text.hpp"
#include "device/actions.hpp"
#include "device/bank_enrol.hpp"
#include "device/enrol.hpp"
#include "device/fingerprint.hpp"
#include "device/history.hpp"
#include "device/messages.hpp"
#include "device/nonce.hpp"
#include "device/push.hpp"

namespace symbolon::device {

namespace {

using ports::Services;
using Step = Flow<http::Response> (*)(http::Request, Services, SharedSettings);

/// What holds for every request of this API: our own pages alone, JSON, never kept by a cache.
Flow<http::Response> guarded(http::Request request, Step step, Services services, SharedSettings settings)
{
    if (!request.comes_from(settings->origin)) co_return fail(Outcome::origin_refused);
    if (request.method == "POST") {
        auto const type = split(request.header("content-type"), ';').front();
        if (!equal_ignoring_case(trimmed(type), "application/json")) co_return fail(Outcome::content_type_unsupported);
    }
    auto response = co_await step(std::move(request), services, settings);
    response.with("Cache-Control", "no-store");
    co_return response;
}

Flow<http::Response> nonce(http::Request /*request*/, Services services, SharedSettings settings)
{
    auto const now = services.clock.now();
    co_return http::json(
        200, json::write(json::Object{{"nonce", make_nonce(settings->nonce_key, now)},
                                      {"expires_at", numeric_date(now + settings->limits.device_nonce_lifetime)}}));
}

} // namespace

http::Routes device_routes(Services services, SharedSettings settings)
{
    auto const row = [&](std::string method, std::string pattern, Step step) {
        return http::Route{.method = std::move(method),
                           .pattern = std::move(pattern),
                           .handler =
                               [step, services, settings](http::Request request) {
                                   return guarded(std::move(request), step, services, settings);
                               },
                           .body_bytes = most_body_bytes};
    };
    // A bank sends the browser here, from a site that is not ours.
    http::Route const from_bank{
        .method = "GET", .pattern = "/bank/return", .handler = [services, settings](http::Request request) {
            return return_from_bank(std::move(request), services, settings);
        }};
    // The banks' servers fetch it, as any JWK Set.
    http::Route const our_keys{
        .method = "GET", .pattern = "/bank/jwks", .handler = [services, settings](http::Request request) {
            return guarded(std::move(request), keys_for_banks, services, settings);
        }};
    return {
        from_bank,
        our_keys,
        row("GET", "/d/nonce", nonce),
        row("POST", "/d/enrol/start", start_enrolment),
        row("POST", "/d/enrol/sms", give_sms_code),
        row("POST", "/d/enrol/sms-again", send_sms_again),
        row("GET", "/d/banks", list_banks),
        row("POST", "/d/enrol/bank", start_at_bank),
        row("POST", "/d/enrol/bank/visit", visit_bank),
        row("POST", "/d/enrol/bank/landing", give_landing_code),
        row("POST", "/d/enrol/bank/again", choose_bank_again),
        row("GET", "/d/enrol/state", enrolment_state),
        row("POST", "/d/enrol/finish", finish_enrolment),
        row("GET", "/d/me", me),
        row("POST", "/d/passkey/challenge", open_passkey),
        row("POST", "/d/passkey/on", turn_passkey_on),
        row("POST", "/d/passkey/off", turn_passkey_off),
        row("GET", "/d/pending", pending),
        row("POST", "/d/history", history_page),
        row("POST", "/d/history/record", history_record),
        row("GET", "/d/push", push_state),
        row("POST", "/d/push", turn_push_on),
        row("POST", "/d/push/off", turn_push_off),
        row("GET", "/d/consents", list_consents),
        row("POST", "/d/consents/withdraw", withdraw_consent),
        row("GET", "/d/events", pending_events),
        row("POST", "/d/claims", claim),
        row("POST", "/d/actions/{id}/show", show_action),
        row("POST", "/d/actions/{id}/answer", answer_action),
        row("POST", "/d/actions/{id}/match", match_action),
    };
}

} // namespace symbolon::device

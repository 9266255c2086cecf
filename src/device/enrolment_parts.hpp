#pragma once

#include "base/flow.hpp"
#include "base/http.hpp"
#include "base/json.hpp"
#include "base/secret.hpp"
#include "device/settings.hpp"
#include "ports/services.hpp"

#include <functional>
#include <string>
#include <string_view>

/// What the phone's ways through an enrolment share: by the card, with an identification token, and through a bank.
namespace symbolon::device {

/// The enrolment that a phone's session belongs to. Fails: enrolment_unknown.
Flow<ports::Stored<enrolment::Enrolment>> enrolment_of_session(SecretText session, ports::Services services);

/// Strangers can't go through many numbers, nor open many visits at banks. `what` names the counter. Fails:
/// too_many_requests (open_at).
Flow<void> check_rate(std::string what, http::Request request, ports::Services services, SharedSettings settings);

/// Changes an enrolment by a step that may be asked more than once, since somebody else may change it at the same
/// moment; the page and the phone that wait for it are told. Fails: enrolment_unknown, the failures of the step,
/// conflict.
Flow<ports::Stored<enrolment::Enrolment>>
update_enrolment(EnrolmentId id, std::function<Result<enrolment::Enrolment>(enrolment::Enrolment)> step,
                 ports::Services services);

/// The page and the phone see what happens.
void tell_of(EnrolmentId const& id, ports::Services const& services);

/// An SMS code that is to leave once the enrolment is stored.
struct CodeToSend {
    enrolment::Enrolment enrolment; ///< as it is to be stored
    std::string code;
    bool is_due = false;         ///< else nothing leaves
    bool over_the_limit = false; ///< nothing leaves, since enough did (message::count_sms)
};

/// A fresh code for an enrolment that has just come to the step sms, counted against all limits. Within the countdown
/// the one that was sent stays good, and over a limit the phone offers to ask again.
Flow<CodeToSend> prepare_code(enrolment::Enrolment enrolment, ports::Services services, SharedSettings settings);

/// Hands it to the gateway, if it is due. Gives the enrolment as it is then: where the gateway surely did not take it,
/// the send is taken back (E9).
Flow<enrolment::Enrolment> send_code(CodeToSend to_send, ports::Services services, SharedSettings settings);

/// An answer of 200 with that object.
http::Response answer(json::Object const& object);

} // namespace symbolon::device

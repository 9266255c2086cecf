#pragma once

#include "account/account.hpp"
#include "account/device.hpp"
#include "account/push_subscription.hpp"
#include "action/action.hpp"
#include "action/queue.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"
#include "consent/consent.hpp"
#include "enrolment/enrolment.hpp"
#include "grant/grant.hpp"
#include "grant/sign_in.hpp"
#include "partner/client.hpp"

/// How values lie in the bodies of records: JSON with the members' own names, bytes in base64url, times in seconds,
/// enumerations as words. A member that an older program did not write keeps its default; one that we do not know is
/// left alone.
namespace symbolon::store {

/// What stands in a line of the history beside its columns.
struct HistoryBody {
    std::string event;
    ClientId client;
    std::string detail;
    Bytes record; ///< SHA-256 of the evidence that is kept of it; empty where none is
    Bytes salt;   ///< 16 random bytes, so that the hash in the log tells nothing
};

/// T is one of account::Account, account::Device, account::PushSubscription, action::Action, action::NumberTrace,
/// consent::Consent, enrolment::Enrolment, grant::Grant, grant::SignIn, partner::Client, HistoryBody.
template <class T>
Bytes encode(T const& value);

/// Fails with data_damaged.
template <class T>
Result<T> decode(ByteView body);

/// The word of a state, as queries ask for it.
std::string_view word(account::State state);
std::string_view word(account::Device::State state);
std::string_view word(account::PushSubscription::State state);
std::string_view word(action::State state);
std::string_view word(enrolment::State state);
std::string_view word(grant::Grant::State state);
std::string_view word(grant::SignIn::State state);

} // namespace symbolon::store

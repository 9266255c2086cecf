#pragma once

#include "base/bytes.hpp"
#include "base/id.hpp"
#include "base/instant.hpp"
#include "base/language.hpp"

#include <string>

namespace symbolon::account {

/// Where a phone's browser takes notifications (W3C Push API, PushSubscription): at most one a phone.
struct PushSubscription {
    enum class State : std::uint8_t {
        on,
        off,   ///< by the phone; endpoint and keys are forgotten
        ended, ///< the push service knows it no more; endpoint and keys are forgotten
    };

    DeviceId device;
    AccountId account;
    State state = State::on;
    std::string endpoint;             ///< a URL at a push service; who knows it and the keys can notify the phone
    Bytes point;                      ///< p256dh: 65 bytes
    Bytes auth;                       ///< 16 bytes
    Language language = Language::fr; ///< of the notification: the app's
    Instant since;
};

} // namespace symbolon::account

#pragma once

#include "ports/services.hpp"
#include "push/message.hpp"

#include <map>
#include <optional>

namespace symbolon::push {

/// What a push service said.
struct PushAnswer {
    int status = 0;
    Seconds retry_after{0}; ///< of its header Retry-After; 0: none
};

/// Who carries requests to push services, and waits.
class Carrier {
public:
    virtual ~Carrier() = default;
    /// Any status is an answer. Fails: upstream_unreachable, unavailable.
    virtual Flow<PushAnswer> post(PushRequest request) = 0;
    virtual Flow<void> pause(Seconds duration) = 0;
};

/// What follows from an answer, or from none.
struct Verdict {
    enum class What : std::uint8_t {
        delivered, ///< the push service has it (RFC 8030 §5)
        ended,     ///< 404, 410: the subscription is no more (RFC 8030 §7.3, §8.1)
        again,     ///< after `pause`
        refused,   ///< it will not be taken
    };
    What what = What::refused;
    Seconds pause{0};
    bool is_of_host = false; ///< `pause` holds for every subscription there, not for this one alone
};

inline constexpr int most_tries = 6;
inline constexpr Seconds longest_pause = 2min;

/// Judges the answer to try number `tries` (1, 2, …); nothing: none came.
///
///     2xx                    delivered
///     404, 410               ended
///     429                    again, this subscription after Retry-After (RFC 8030 §8.4)
///     503 with Retry-After   again, the whole host after it
///     other 5xx, no answer   again after 1, 2, 4, … seconds
///     everything else        refused
///
/// A pause is at least a second and at most longest_pause.
Verdict judge(std::optional<PushAnswer> const& answer, int tries);

/// Who asked to be left alone, and until when. Bounded: what is over is forgotten.
class Closed {
public:
    /// How long `key` is closed from `now` on; 0: it is open.
    [[nodiscard]] Seconds left(std::string const& key, Instant now) const;
    void until(std::string const& key, Instant time, Instant now);

private:
    std::map<std::string, Instant> until_;
};

struct Means {
    ports::Actions& actions;
    ports::Devices& devices;
    ports::PushSubscriptions& subscriptions;
    ports::Clock& clock;
    crypto::Random& random;
    ports::Log& log;
    Carrier& carrier;
    Settings const& settings;
    Closed& closed;
    account::PushSubscription const& nobody; ///< for actions without a phone to notify: nothing is sent to it
};

/// A subscription that no browser has, with a key that nobody knows.
account::PushSubscription nobodys_subscription(Settings const& settings, crypto::Random& random);

/// Notifies the phone of an action, as long as it is open, no phone shows it, and the holder did not say of who asks
/// that it was not them. Reads and encrypts the same for an
/// action that has no phone, and for a phone that wants no notifications: only the sending differs (D7).
///
/// A subscription that has ended is marked so, so that the app can offer to turn notifications on again; one that took
/// its place meanwhile stays.
Flow<void> deliver(ActionId id, Means means);

} // namespace symbolon::push

#pragma once

#include "base/flow.hpp"
#include "base/instant.hpp"

#include <functional>
#include <random>
#include <vector>

namespace symbolon::sim {

/// Who waits: the server's process, whose memory goes when it stops, or the people, phones and partners outside.
enum class Whose : std::uint8_t { process, outside };

/// What goes on next, and what time it is: decided by a seed. One thread.
class Scheduler {
public:
    Scheduler(std::uint64_t seed, Instant now) : dice_{seed}, now_{now} {}

    /// Goes on later: whoever else is ready may go first, in an order that the seed gives.
    Flow<void> turn(Whose whose = Whose::process);
    /// Goes on when that much time has passed.
    Flow<void> sleep(Seconds time, Whose whose);
    /// Never goes on.
    static Flow<void> never();

    void later(std::function<void()> work, Whose whose = Whose::process)
    {
        ready_.push_back({.whose = whose, .work = std::move(work)});
    }
    /// Not before that time, and when nothing else can go on: waiting is what makes time pass.
    void at(Instant when, std::function<void()> work, Whose whose = Whose::process);

    /// Lets one thing go on. False: nothing waits any more.
    bool step();

    /// Whatever of theirs waits is forgotten.
    void forget(Whose whose);
    void forget_all();

    [[nodiscard]] Instant now() const { return now_; }
    void set_now(Instant now) { now_ = now; }

    /// Whether it happens this time.
    bool happens(int per_thousand) { return below(1000) < static_cast<std::uint32_t>(per_thousand); }
    std::uint32_t below(std::uint32_t bound);

private:
    struct Ready {
        Whose whose;
        std::function<void()> work;
    };
    struct Timer {
        Instant when;
        Whose whose;
        std::function<void()> work;
    };

    std::mt19937_64 dice_;
    Instant now_;
    std::vector<Ready> ready_;
    std::vector<Timer> timers_;
};

} // namespace symbolon::sim

#include "sim/scheduler.hpp"

#include <algorithm>

namespace symbolon::sim {

Flow<void> Scheduler::turn(Whose whose)
{
    auto begin = [this, whose](Finish<void> finish) { later([finish = std::move(finish)] { finish({}); }, whose); };
    co_await wait_for<void>(std::move(begin));
    co_return {};
}

Flow<void> Scheduler::sleep(Seconds time, Whose whose)
{
    auto begin = [this, time, whose](Finish<void> finish) {
        at(now_ + time, [finish = std::move(finish)] { finish({}); }, whose);
    };
    co_await wait_for<void>(std::move(begin));
    co_return {};
}

Flow<void> Scheduler::never()
{
    auto begin = [](Finish<void> const&) {};
    co_await wait_for<void>(begin);
    co_return {};
}

void Scheduler::at(Instant when, std::function<void()> work, Whose whose)
{
    timers_.push_back({.when = when, .whose = whose, .work = std::move(work)});
}

bool Scheduler::step()
{
    if (!ready_.empty()) {
        auto const chosen = static_cast<std::ptrdiff_t>(below(static_cast<std::uint32_t>(ready_.size())));
        auto const work = std::move(ready_[static_cast<std::size_t>(chosen)].work);
        ready_.erase(ready_.begin() + chosen);
        work();
        return true;
    }
    if (timers_.empty()) return false;
    auto const first = std::ranges::min_element(timers_, {}, &Timer::when);
    now_ = std::max(now_, first->when);
    auto const work = std::move(first->work);
    timers_.erase(first);
    work();
    return true;
}

void Scheduler::forget(Whose whose)
{
    std::erase_if(ready_, [whose](Ready const& each) { return each.whose == whose; });
    std::erase_if(timers_, [whose](Timer const& each) { return each.whose == whose; });
}

void Scheduler::forget_all()
{
    ready_.clear();
    timers_.clear();
}

std::uint32_t Scheduler::below(std::uint32_t bound)
{
    ENSURE(bound > 0);
    // Not std::uniform_int_distribution: it may give other numbers with another library.
    return static_cast<std::uint32_t>(dice_() % bound);
}

} // namespace symbolon::sim

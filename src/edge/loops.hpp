#pragma once

#include "base/executor.hpp"
#include "base/flow.hpp"
#include "ports/services.hpp"

#include <chrono>
#include <cstddef>
#include <memory>

namespace symbolon::edge {

/// The threads of a program, each with an event loop of its own. A flow stays on the thread where it was started.
class Loops {
public:
    explicit Loops(std::size_t threads);
    /// Stops and joins.
    ~Loops();
    Loops(Loops const&) = delete;
    Loops& operator=(Loops const&) = delete;

    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] Executor& at(std::size_t index);

    /// Ends the loops after what they are doing now. Flows that wait are not resumed any more.
    void stop();

    struct Impl;
    [[nodiscard]] Impl& impl() { return *impl_; }

private:
    std::unique_ptr<Impl> impl_;
};

/// In a flow on one of the loops: goes on after that time.
Flow<void> pause_for(std::chrono::milliseconds duration);

/// Runs a flow on a loop and waits for its end on the calling thread, which is none of the loops'. For main().
template <class T>
Result<T> run_on(Executor& loop, std::function<Flow<T>()> make);

/// The machine's clock, as src/app hands it in: nanoseconds that only go forward.
using Stopwatch = std::function<std::chrono::nanoseconds()>;

/// Wake-ups between the flows of one process.
std::unique_ptr<ports::Wakeups> local_wakeups(ports::Clock& clock);

namespace detail {

/// Starts `begin` on the loop and blocks until it calls what it was given.
void run_and_wait(Executor& loop, std::function<void(std::function<void()> done)> begin);

} // namespace detail

template <class T>
Result<T> run_on(Executor& loop, std::function<Flow<T>()> make)
{
    Flow<T> flow;
    detail::run_and_wait(loop, [&](std::function<void()> done) {
        flow = make();
        flow.start(std::move(done));
    });
    return flow.take();
}

} // namespace symbolon::edge

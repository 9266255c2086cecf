#pragma once

#include <functional>

namespace symbolon {

/// A thread's event loop, as far as others need it: something that runs a function there later.
class Executor {
public:
    virtual ~Executor() = default;

    /// Runs `work` on the loop's thread, not from within this call. Safe from any thread.
    virtual void post(std::function<void()> work) = 0;

    /// The loop of the calling thread; whoever finishes a wait on another thread posts the rest there.
    /// Null outside of loops (tools, tests without waits).
    static Executor*& current()
    {
        thread_local Executor* executor = nullptr;
        return executor;
    }
};

} // namespace symbolon

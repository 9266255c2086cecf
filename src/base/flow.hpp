#pragma once

#include "base/ensure.hpp"
#include "base/result.hpp"

#include <coroutine>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

/// Flow<T>: a Result<T> that one may have to wait for.
///
/// In a flow, `co_await x` (x a Flow or a Result) gives the value of x, or ends the flow with its failure; nothing
/// after it runs. `co_await outcome_of(x)` gives the Result itself. A flow does nothing until it is awaited or started,
/// runs on the thread that resumes it, and knows no event loop: whoever finishes a wait decides where it goes on.
namespace symbolon {

template <class T>
class [[nodiscard]] Flow;

namespace detail {

class FlowPromiseBase {
public:
    // A flow is lazy: it begins when awaited or started.
    std::suspend_always initial_suspend() noexcept { return {}; }

    void unhandled_exception() noexcept { exception_ = std::current_exception(); }

    /// Ends this flow, and those that wait for it and did not ask for the Result, with a failure. Gives what runs next.
    ///
    /// The frames that end this way stay suspended; the owner of the outermost one destroys them all.
    std::coroutine_handle<> end_with(Failure failure) noexcept
    {
        auto* promise = this;
        while (promise->parent_ != nullptr && promise->parent_ends_with_us_) promise = promise->parent_;
        promise->store_failure(std::move(failure));
        return promise->next();
    }

    /// The same for an exception, which nobody on the way catches.
    std::coroutine_handle<> end_with(std::exception_ptr exception) noexcept
    {
        auto* promise = this;
        while (promise->parent_ != nullptr) promise = promise->parent_;
        promise->exception_ = std::move(exception);
        return promise->next();
    }

    [[nodiscard]] std::coroutine_handle<> next() const noexcept
    {
        if (parent_ != nullptr) return parent_->self_;
        if (done_) done_();
        return std::noop_coroutine();
    }

    virtual void store_failure(Failure failure) noexcept = 0;
    [[nodiscard]] virtual std::optional<Failure> take_failure() noexcept = 0;

    struct FinalAwaiter {
        static bool await_ready() noexcept { return false; }
        template <class Promise>
        static std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) noexcept
        {
            FlowPromiseBase& promise = self.promise();
            if (promise.exception_ && promise.parent_ != nullptr) {
                auto exception = std::exchange(promise.exception_, nullptr);
                return promise.end_with(std::move(exception));
            }
            if (promise.parent_ != nullptr && promise.parent_ends_with_us_) {
                if (auto failure = promise.take_failure()) return promise.end_with(*std::move(failure));
            }
            return promise.next();
        }
        static void await_resume() noexcept {}
    };
    FinalAwaiter final_suspend() noexcept { return {}; }

    FlowPromiseBase* parent_ = nullptr;
    bool parent_ends_with_us_ = true;
    std::coroutine_handle<> self_;
    std::function<void()> done_; ///< of the outermost flow
    std::exception_ptr exception_;

    FlowPromiseBase() = default;
    FlowPromiseBase(FlowPromiseBase const&) = delete;
    FlowPromiseBase& operator=(FlowPromiseBase const&) = delete;

protected:
    ~FlowPromiseBase() = default;
};

/// Awaits a Result: ready at once, or the end of the flow.
template <class T>
struct ResultAwaiter {
    Result<T> result;

    [[nodiscard]] bool await_ready() const noexcept { return result.has_value(); }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) noexcept
    {
        return self.promise().end_with(std::move(result).error());
    }
    T await_resume() { return take(std::move(result)); }
};

template <class T>
struct OutcomeOf;

template <class T>
class FlowPromise final : public FlowPromiseBase {
public:
    Flow<T> get_return_object() noexcept;

    void return_value(Result<T> result) { result_ = std::move(result); }
    template <class U = T>
        requires(std::is_constructible_v<T, U &&> && !std::is_same_v<std::remove_cvref_t<U>, Result<T>> &&
                 !std::is_same_v<std::remove_cvref_t<U>, std::unexpected<Failure>>)
    void return_value(U&& value)
    {
        result_.emplace(std::in_place, std::forward<U>(value));
    }
    void return_value(std::unexpected<Failure> failure) { result_.emplace(std::move(failure)); }

    void store_failure(Failure failure) noexcept override { result_.emplace(std::unexpected{std::move(failure)}); }
    std::optional<Failure> take_failure() noexcept override
    {
        if (result_ && !result_->has_value()) return std::move(*result_).error();
        return std::nullopt;
    }

    template <class U>
    ResultAwaiter<U> await_transform(Result<U> result)
    {
        return {std::move(result)};
    }
    template <class Awaitable>
        requires(!requires(Awaitable a) { typename Awaitable::error_type; })
    Awaitable&& await_transform(Awaitable&& awaitable) noexcept
    {
        return std::forward<Awaitable>(awaitable);
    }

    std::optional<Result<T>> result_;
};

/// A flow of nothing ends with `co_return {};` or with a failure.
template <>
class FlowPromise<void> final : public FlowPromiseBase {
public:
    Flow<void> get_return_object() noexcept;

    void return_value(Result<void> result) { result_ = std::move(result); }

    void store_failure(Failure failure) noexcept override { result_.emplace(std::unexpected{std::move(failure)}); }
    std::optional<Failure> take_failure() noexcept override
    {
        if (result_ && !result_->has_value()) return std::move(*result_).error();
        return std::nullopt;
    }

    template <class U>
    ResultAwaiter<U> await_transform(Result<U> result)
    {
        return {std::move(result)};
    }
    template <class Awaitable>
        requires(!requires(Awaitable a) { typename Awaitable::error_type; })
    Awaitable&& await_transform(Awaitable&& awaitable) noexcept
    {
        return std::forward<Awaitable>(awaitable);
    }

    std::optional<Result<void>> result_;
};

} // namespace detail

template <class T>
class [[nodiscard]] Flow {
public:
    using promise_type = detail::FlowPromise<T>;
    using Handle = std::coroutine_handle<promise_type>;

    Flow() = default;
    explicit Flow(Handle handle) : handle_{handle} {}
    Flow(Flow&& other) noexcept : handle_{std::exchange(other.handle_, {})} {}
    Flow& operator=(Flow&& other) noexcept
    {
        if (this != &other) {
            if (handle_) handle_.destroy();
            handle_ = std::exchange(other.handle_, {});
        }
        return *this;
    }
    Flow(Flow const&) = delete;
    Flow& operator=(Flow const&) = delete;
    ~Flow()
    {
        if (handle_) handle_.destroy();
    }

    // co_await: the value, or the end of the flow that waits.
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> parent) noexcept
    {
        return begin(&parent.promise(), parent, true);
    }
    T await_resume() { return detail::take(std::move(*handle_.promise().result_)); }

    /// Runs the flow until it ends or waits; `done` is called when it has ended. The caller keeps the flow alive until
    /// then.
    void start(std::function<void()> done)
    {
        auto& promise = handle_.promise();
        promise.self_ = handle_;
        promise.done_ = std::move(done);
        handle_.resume();
    }

    [[nodiscard]] bool ended() const
    {
        return handle_ && (handle_.promise().result_.has_value() || handle_.promise().exception_);
    }

    /// What an ended flow ended with. An exception that escaped it is thrown here.
    Result<T> take()
    {
        auto& promise = handle_.promise();
        if (promise.exception_) std::rethrow_exception(promise.exception_);
        ENSURE(promise.result_.has_value());
        return std::move(*promise.result_);
    }

    std::coroutine_handle<> begin(detail::FlowPromiseBase* parent, std::coroutine_handle<> parent_handle,
                                  bool parent_ends_with_us) noexcept
    {
        auto& promise = handle_.promise();
        promise.self_ = handle_;
        promise.parent_ = parent;
        promise.parent_ends_with_us_ = parent_ends_with_us;
        parent->self_ = parent_handle;
        return handle_;
    }

    Handle handle() const { return handle_; }

private:
    Handle handle_;
};

namespace detail {

template <class T>
Flow<T> FlowPromise<T>::get_return_object() noexcept
{
    return Flow<T>{std::coroutine_handle<FlowPromise>::from_promise(*this)};
}

inline Flow<void> FlowPromise<void>::get_return_object() noexcept
{
    return Flow<void>{std::coroutine_handle<FlowPromise>::from_promise(*this)};
}

template <class T>
struct OutcomeOf {
    Flow<T> flow;

    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> parent) noexcept
    {
        return flow.begin(&parent.promise(), parent, false);
    }
    Result<T> await_resume() { return std::move(*flow.handle().promise().result_); }
};

} // namespace detail

/// `co_await outcome_of(flow)`: the Result, when the flow that waits has something to do in both cases.
template <class T>
detail::OutcomeOf<T> outcome_of(Flow<T> flow)
{
    return {std::move(flow)};
}

/// How a callback of the outside world finishes a wait. Copies share one wait; the first call counts, a call after the
/// waiting flow is gone does nothing. Call it on the thread that the flow runs on.
template <class T>
class Finish {
public:
    struct State {
        std::optional<Result<T>> result;
        std::coroutine_handle<> waiting;
        bool gone = false;
        bool suspended = false;
    };
    explicit Finish(std::shared_ptr<State> state) : state_{std::move(state)} {}

    void operator()(Result<T> result) const
    {
        if (state_->gone || state_->result.has_value()) return;
        state_->result = std::move(result);
        if (state_->suspended) state_->waiting.resume();
    }

private:
    std::shared_ptr<State> state_;
};

namespace detail {

template <class T, class Begin>
struct WaitAwaiter {
    Begin begin;
    std::shared_ptr<typename Finish<T>::State> state = std::make_shared<typename Finish<T>::State>();

    explicit WaitAwaiter(Begin b) : begin{std::move(b)} {}
    WaitAwaiter(WaitAwaiter const&) = delete;
    WaitAwaiter& operator=(WaitAwaiter const&) = delete;
    ~WaitAwaiter() { state->gone = true; }

    static bool await_ready() noexcept { return false; }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> self)
    {
        state->waiting = self;
        auto keep = state; // begin() may finish at once and destroy this awaiter's flow
        begin(Finish<T>{keep});
        if (keep->result.has_value()) return false;
        keep->suspended = true;
        return true;
    }
    Result<T> await_resume() { return std::move(*state->result); }
};

} // namespace detail

/// A flow that waits for a callback: `begin(Finish<T>)` starts the outside work and keeps the Finish.
template <class T, class Begin>
Flow<T> wait_for(Begin begin)
{
    auto result = co_await detail::WaitAwaiter<T, Begin>{std::move(begin)};
    co_return std::move(result);
}

/// The result of a flow that never has to wait (memory store, rules called as flows): for tests and tools.
template <class T>
Result<T> run_now(Flow<T> flow)
{
    flow.start([] {});
    ENSURE(flow.ended());
    return flow.take();
}

} // namespace symbolon

#include "edge/loops.hpp"

#include "edge/loop.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <latch>
#include <mutex>

namespace symbolon::edge {

namespace asio = boost::asio;

void Loop::post(std::function<void()> work) { asio::post(context_, std::move(work)); }

Loops::Loops(std::size_t threads) : impl_{std::make_unique<Impl>()}
{
    ENSURE(threads > 0);
    for (std::size_t index = 0; index < threads; ++index) impl_->loops.push_back(std::make_unique<Loop>(index));
    for (auto const& loop : impl_->loops) {
        impl_->threads.emplace_back([&loop = *loop] {
            Executor::current() = &loop;
            auto const work = asio::make_work_guard(loop.context());
            loop.context().run();
            Executor::current() = nullptr;
        });
    }
}

Loops::~Loops() { stop(); }

std::size_t Loops::size() const { return impl_->loops.size(); }

Executor& Loops::at(std::size_t index) { return *impl_->loops.at(index); }

void Loops::stop()
{
    for (auto const& loop : impl_->loops) loop->context().stop();
    impl_->threads.clear();
}

Flow<void> pause_for(std::chrono::milliseconds duration)
{
    // The timer lives in the flow: where the flow is destroyed, nothing is left behind.
    asio::steady_timer timer{Loop::current().context(), duration};
    co_await wait_for<void>([&timer](Finish<void> const& finish) {
        timer.async_wait([finish](boost::system::error_code) { finish({}); });
    });
    co_return {};
}

namespace detail {

void run_and_wait(Executor& loop, std::function<void(std::function<void()> done)> begin)
{
    // The latch is shared: the waiting thread may be gone before count_down() has returned on the other.
    auto const ended = std::make_shared<std::latch>(1);
    loop.post([&, ended] { begin([&loop, ended] { loop.post([ended] { ended->count_down(); }); }); });
    ended->wait();
}

} // namespace detail

namespace {

/// One watch. `told` and what waits belong to the thread of `loop`.
struct Ear {
    explicit Ear(Loop& l) : loop{l}, timer{l.context()} {}

    Loop& loop;
    asio::steady_timer timer;
    bool told = false;
    std::optional<Finish<bool>> waiting;

    void finish(bool was_told)
    {
        if (!waiting) return;
        auto const finish = *std::exchange(waiting, std::nullopt);
        finish(was_told);
    }
};

class LocalWakeups final : public ports::Wakeups {
public:
    explicit LocalWakeups(ports::Clock& clock) : clock_{clock} {}

    void tell(std::string const& topic) override
    {
        std::scoped_lock const lock{mutex_};
        auto const [first, last] = ears_.equal_range(topic);
        for (auto at = first; at != last; ++at)
            at->second->loop.post([ear = at->second] {
                ear->told = true;
                ear->timer.cancel();
            });
    }

    std::unique_ptr<Watch> watch(std::string topic) override
    {
        auto ear = std::make_shared<Ear>(Loop::current());
        std::scoped_lock const lock{mutex_};
        auto const place = ears_.emplace(std::move(topic), ear);
        return std::make_unique<LocalWatch>(*this, std::move(ear), place);
    }

private:
    using Ears = std::unordered_multimap<std::string, std::shared_ptr<Ear>>;

    class LocalWatch final : public Watch {
    public:
        LocalWatch(LocalWakeups& wakeups, std::shared_ptr<Ear> ear, Ears::iterator place)
            : wakeups_{wakeups},
              ear_{std::move(ear)},
              place_{place}
        {}
        LocalWatch(LocalWatch const&) = delete;
        LocalWatch& operator=(LocalWatch const&) = delete;
        ~LocalWatch() override
        {
            ear_->waiting.reset();
            ear_->timer.cancel();
            std::scoped_lock const lock{wakeups_.mutex_};
            wakeups_.ears_.erase(place_);
        }

        Flow<bool> next(Instant until) override
        {
            if (!ear_->told) {
                auto const left = until - wakeups_.clock_.now();
                if (left <= Seconds{0}) co_return false;
                ear_->timer.expires_after(left);
                co_await wait_for<bool>([ear = ear_](Finish<bool> finish) {
                    ear->waiting = std::move(finish);
                    ear->timer.async_wait([ear](boost::system::error_code) { ear->finish(true); });
                });
            }
            co_return std::exchange(ear_->told, false);
        }

    private:
        LocalWakeups& wakeups_;
        std::shared_ptr<Ear> ear_;
        Ears::iterator place_;
    };

    ports::Clock& clock_;
    std::mutex mutex_;
    Ears ears_;
};

} // namespace

std::unique_ptr<ports::Wakeups> local_wakeups(ports::Clock& clock) { return std::make_unique<LocalWakeups>(clock); }

} // namespace symbolon::edge

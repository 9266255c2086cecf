#include "edge/push_sender.hpp"

#include "edge/loop.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <chrono>
#include <deque>
#include <list>

namespace symbolon::edge {

namespace {

// RFC 8030 §5: an answer is a status and some headers.
constexpr std::size_t most_answer_bytes = 16UZ * 1024;
/// An app that is open has shown the request by then, over a slow network too, and needs no notification of it.
constexpr auto head_start = 500ms;
constexpr std::size_t most_at_once = 256;
constexpr std::size_t most_waiting = 20'000;

class HttpCarrier final : public push::Carrier {
public:
    explicit HttpCarrier(HttpClient& client) : client_{client} {}

    Flow<push::PushAnswer> post(push::PushRequest request) override
    {
        OutgoingRequest outgoing{.method = "POST",
                                 .url = std::move(request.url),
                                 .headers = std::move(request.headers),
                                 .body = std::move(request.body),
                                 .most_answer_bytes = most_answer_bytes};
        auto const answer = co_await client_.send(std::move(outgoing));
        co_return push::PushAnswer{.status = answer.status, .retry_after = answer.retry_after};
    }

    Flow<void> pause(Seconds duration) override { return pause_for(duration); }

private:
    HttpClient& client_;
};

} // namespace

/// What goes on on one loop. Touched on its thread alone.
class PushSender::PerLoop : public std::enable_shared_from_this<PerLoop> {
public:
    PerLoop(Parts const& parts, account::PushSubscription const& nobody, Loop& loop)
        : loop_{loop},
          log_{parts.log},
          carrier_{parts.client},
          means_{.actions = parts.actions,
                 .devices = parts.devices,
                 .subscriptions = parts.subscriptions,
                 .clock = parts.clock,
                 .random = parts.random,
                 .log = parts.log,
                 .carrier = carrier_,
                 .settings = parts.settings,
                 .closed = closed_,
                 .nobody = nobody}
    {}

    void ring(ActionId const& action)
    {
        if (is_stopped_) return;
        // The oldest ones are over first.
        if (waiting_.size() >= most_waiting) waiting_.pop_front();
        waiting_.push_back({.action = action, .from = Timer::clock_type::now() + head_start});
        begin();
    }

    void stop()
    {
        is_stopped_ = true;
        head_start_over_.cancel();
        waiting_.clear();
        running_.clear();
    }

private:
    using Timer = boost::asio::steady_timer;
    using Running = std::list<Flow<void>>;
    struct Waiting {
        ActionId action;
        Timer::time_point from;
    };

    /// All whose head start is over; for the first of the others, the timer.
    void begin()
    {
        while (!waiting_.empty() && running_.size() < most_at_once) {
            if (waiting_.front().from > Timer::clock_type::now()) {
                begin_later();
                return;
            }
            auto const place = running_.insert(running_.end(), push::deliver(waiting_.front().action, means_));
            waiting_.pop_front();
            place->start([weak = weak_from_this(), &context = loop_.context(), place] {
                // A flow is not destroyed from within.
                boost::asio::post(context, [weak, place] {
                    if (auto const self = weak.lock()) self->ended(place);
                });
            });
        }
    }

    void begin_later()
    {
        if (is_timer_set_) return;
        is_timer_set_ = true;
        head_start_over_.expires_at(waiting_.front().from);
        head_start_over_.async_wait([weak = weak_from_this()](boost::system::error_code const& error) {
            auto const self = weak.lock();
            if (!self || error) return;
            self->is_timer_set_ = false;
            self->begin();
        });
    }

    void ended(Running::iterator place)
    {
        if (is_stopped_) return;
        auto flow = std::move(*place);
        running_.erase(place);
        begin();
        try {
            if (auto const result = flow.take(); !result) log_.failure("push_not_sent", result.error(), {});
        } catch (std::exception const& exception) {
            log_.failure("push_not_sent", fail(Outcome::internal, exception.what()).error(), {});
        }
    }

    Loop& loop_;
    ports::Log& log_;
    HttpCarrier carrier_;
    push::Closed closed_;
    push::Means means_;
    std::deque<Waiting> waiting_; ///< in the order of `from`
    Running running_;
    Timer head_start_over_{loop_.context()};
    bool is_timer_set_ = false;
    bool is_stopped_ = false;
};

PushSender::PushSender(Parts parts) : parts_{parts}, nobody_{push::nobodys_subscription(parts.settings, parts.random)}
{
    for (auto const& loop : parts_.loops.impl().loops)
        per_loop_.push_back(std::make_shared<PerLoop>(parts_, nobody_, *loop));
}

PushSender::~PushSender() { stop(); }

void PushSender::ring(ActionId const& action) { per_loop_.at(Loop::current().index())->ring(action); }

Flow<void> PushSender::ring_what_waits()
{
    auto const waiting = co_await parts_.actions.waiting(parts_.clock.now());
    for (auto const& action : waiting) ring(action);
    co_return {};
}

void PushSender::stop()
{
    for (std::size_t index = 0; index < per_loop_.size(); ++index) {
        auto const stopped = run_on<void>(parts_.loops.at(index), [&]() -> Flow<void> {
            per_loop_[index]->stop();
            co_return {};
        });
        ENSURE(stopped.has_value());
    }
}

} // namespace symbolon::edge

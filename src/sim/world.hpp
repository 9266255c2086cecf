#pragma once

#include "ports/services.hpp"
#include "sim/scheduler.hpp"
#include "store/memory/memory_engine.hpp"
#include "store/store.hpp"

#include <list>
#include <map>
#include <memory>

/// A simulated everything: clock, chance, store, vault, messages and wake-ups from one seed. Every call outside is a
/// place where somebody else may go first, an answer may be lost, or the process may stop.
namespace symbolon::sim {

/// How often what goes wrong, in a thousand calls of store and vault.
struct Faults {
    int requests_lost = 0; ///< nothing was done, and the caller is told that it failed
    int answers_lost = 0;  ///< it was done, and the caller is told that it failed
    int stops = 0;         ///< the process stops, before or after what was asked is done
    int delays = 0;        ///< it takes some seconds more, before or after it is done

    static constexpr Faults none() { return {}; }
    static constexpr Faults some() { return {.requests_lost = 20, .answers_lost = 20, .stops = 10}; }
};

/// Chance from a seed.
class SeededRandom final : public crypto::Random {
public:
    explicit SeededRandom(std::uint64_t seed) : dice_{seed} {}
    void fill(std::span<Byte> bytes) override;

private:
    std::mt19937_64 dice_;
};

/// A flow of the World, from its start to its end.
template <class T>
class Task {
public:
    /// What it ended with; `unavailable` if the process stopped before.
    Result<T> take()
    {
        if (result_) return *std::exchange(result_, std::nullopt);
        if (!flow_.ended()) return fail(Outcome::unavailable, "the process stopped");
        return flow_.take();
    }
    [[nodiscard]] bool ended() const { return result_ || flow_.ended(); }

private:
    friend class World;
    Flow<T> flow_;
    std::optional<Result<T>> result_; ///< of a flow that ended before the process stopped
};

class World {
public:
    /// Instant of the beginning: 2026-09-23 12:00 UTC.
    static constexpr Instant beginning{Seconds{1'790'164'800}};

    explicit World(std::uint64_t seed, Faults faults = Faults::none());
    /// Over records that are there already, made with `keys`.
    World(std::uint64_t seed, Faults faults, store::Engine& records, store::Keys keys);
    World(World const&) = delete;
    World& operator=(World const&) = delete;
    ~World();

    /// What takes the place of something in the World.
    struct Doubles {
        ports::Clock* clock = nullptr;
        crypto::Random* random = nullptr;
        ports::Devices* devices = nullptr;
        ports::Accounts* accounts = nullptr;
        ports::Enrolments* enrolments = nullptr;
    };
    /// What flows reach. Not to be kept over a stop of the process.
    [[nodiscard]] ports::Services services(Doubles const& doubles);
    [[nodiscard]] ports::Services services() { return services({}); }

    /// Starts a flow when its turn comes. The task stays where it is as long as the World. `done` is called within the
    /// end of the flow, so it must not destroy it. Flows of the outside go on when the process stops.
    template <class T>
    Task<T>& start(Flow<T> flow, Whose whose = Whose::process, std::function<void()> done = [] {})
    {
        auto held = std::make_unique<Held<T>>();
        held->whose = whose;
        held->task.flow_ = std::move(flow);
        auto& task = held->task;
        // Whoever ended it before its turn leaves a flow that nobody started.
        scheduler_.later(
            [&task, started = std::weak_ptr{held->alive}, done = std::move(done)]() mutable {
                if (!started.expired()) task.flow_.start(std::move(done));
            },
            whose);
        tasks_.push_back(std::move(held));
        return task;
    }

    /// Ends a flow where it waits: whoever asked for it has gone.
    template <class T>
    void end(Task<T>& task)
    {
        for (auto const& each : tasks_)
            if (each->is(&task)) each->end();
    }

    /// Until nothing goes on any more. If the process stops on the way, everything under way ends there.
    void run();

    /// Lets a flow run alone and without faults: for what a test needs before it begins and asks after it ended.
    template <class T>
    Result<T> now(Flow<T> flow)
    {
        auto const faults = std::exchange(faults_, Faults::none());
        auto& task = start(std::move(flow));
        run();
        faults_ = faults;
        return task.take();
    }

    /// The process stops: what waits is gone, what was committed stays. Then it starts again.
    void stop();
    [[nodiscard]] int stops() const { return stops_; }
    /// Called when the process has started again: what services() gave before is gone.
    std::function<void()> on_restart;

    /// Takes the place of the engine's commit.
    std::function<Flow<store::Committed>(std::vector<store::Write>)> commit_double;

    /// A record as a commit left it.
    struct Change {
        store::Table table;
        std::string id;
        std::string state;
    };
    /// Called after each commit that was done.
    std::function<void(std::vector<Change> const&)> on_commit;

    Scheduler& scheduler() { return scheduler_; }
    Faults& faults() { return faults_; }

    /// The time on the server's clock.
    [[nodiscard]] Instant clock_now() const { return scheduler_.now() + clock_error_; }
    /// Somebody sets that clock forward or back. What waits for a time waits as long as it would have.
    void clock_jumps(Seconds by) { clock_error_ += by; }

    /// The vault that codes are judged by; none: vault_unreachable. Calls to it are subject to faults too.
    void set_vault(ports::Vault* vault) { inner_vault_ = vault; }

    /// What was sent to phones: number, text.
    std::vector<std::pair<std::string, std::string>> sms;
    /// Called with each. The way from the gateway to the phone is none of a flow's concern.
    std::function<void(std::string const& number, std::string const& text)> on_sms;
    /// Actions that phones were to be notified of, in their order.
    std::vector<ActionId> rung;
    /// Called with each. Delivery is src/push's, and none of a flow's concern.
    std::function<void(ActionId const&)> on_ring;
    /// Names of what was logged.
    std::vector<std::string> log;

private:
    struct HeldBase {
        Whose whose = Whose::process;
        std::shared_ptr<int> alive = std::make_shared<int>();

        virtual ~HeldBase() = default;
        virtual void end() = 0;
        [[nodiscard]] virtual bool is(void const* other) const = 0;
    };
    template <class T>
    struct Held final : HeldBase {
        Task<T> task;
        void end() override
        {
            // What has ended leaves its result; what has not is destroyed where it waits.
            if (task.flow_.ended()) task.result_ = task.flow_.take();
            task.flow_ = {};
            alive.reset();
        }
        [[nodiscard]] bool is(void const* other) const override { return &task == other; }
    };
    class Engine;
    class Vault;
    class Messages;
    class Push;
    class Wakeups;
    class Clock;
    class Log;

    /// The call takes longer this time, or not.
    Flow<void> maybe_later();

    /// A call outside: others may go first, before and after.
    template <class T>
    Flow<T> outside(Flow<T> call, Outcome failure);

    Scheduler scheduler_;
    Faults faults_;
    store::Keys keys_;
    SeededRandom random_;
    store::MemoryEngine memory_;
    store::Engine& records_;
    Seconds clock_error_{};
    bool stop_requested_ = false;
    int stops_ = 0;
    ports::Vault* inner_vault_ = nullptr;

    std::unique_ptr<Engine> engine_;
    std::unique_ptr<Vault> vault_;
    std::unique_ptr<Messages> messages_;
    std::unique_ptr<Push> push_;
    std::unique_ptr<Wakeups> wakeups_;
    std::unique_ptr<Clock> clock_;
    std::unique_ptr<Log> log_;
    std::unique_ptr<store::Store> store_;
    std::list<std::unique_ptr<HeldBase>> tasks_;
};

} // namespace symbolon::sim

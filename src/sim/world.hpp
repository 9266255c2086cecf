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
        if (!flow_.ended()) return fail(Outcome::unavailable, "the process stopped");
        return flow_.take();
    }
    [[nodiscard]] bool ended() const { return flow_.ended(); }

private:
    friend class World;
    Flow<T> flow_;
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

    /// What flows reach. Not to be kept over a stop of the process.
    [[nodiscard]] ports::Services services();

    /// Starts a flow when its turn comes. The task stays where it is as long as the World.
    template <class T>
    Task<T>& start(Flow<T> flow)
    {
        auto task = std::make_unique<Held<T>>();
        task->task.flow_ = std::move(flow);
        auto& started = task->task;
        scheduler_.later([&started, alive = std::weak_ptr{life_}] {
            if (!alive.expired()) started.flow_.start([] {});
        });
        tasks_.push_back(std::move(task));
        return started;
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

    Scheduler& scheduler() { return scheduler_; }

    /// The vault that codes are judged by; none: vault_unreachable. Calls to it are subject to faults too.
    void set_vault(ports::Vault* vault) { inner_vault_ = vault; }

    /// What was sent to phones: number, text.
    std::vector<std::pair<std::string, std::string>> sms;
    /// Actions that phones were to be notified of, in their order.
    std::vector<ActionId> rung;
    /// Names of what was logged.
    std::vector<std::string> log;

private:
    struct HeldBase {
        virtual ~HeldBase() = default;
        virtual void end() = 0;
    };
    template <class T>
    struct Held final : HeldBase {
        Task<T> task;
        void end() override
        {
            // What has ended keeps its result; what has not is destroyed where it waits.
            if (!task.flow_.ended()) task.flow_ = stopped<T>();
        }
    };
    template <class T>
    static Flow<T> stopped()
    {
        co_return fail(Outcome::unavailable, "the process stopped");
    }

    class Engine;
    class Vault;
    class Messages;
    class Push;
    class Wakeups;
    class Clock;
    class Log;

    /// A call outside: others may go first, before and after.
    template <class T>
    Flow<T> outside(Flow<T> call, Outcome failure);

    Scheduler scheduler_;
    Faults faults_;
    store::Keys keys_;
    SeededRandom random_;
    store::MemoryEngine memory_;
    store::Engine& records_;
    std::shared_ptr<int> life_;
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

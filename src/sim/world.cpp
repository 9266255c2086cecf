#include "sim/world.hpp"

namespace symbolon::sim {

void SeededRandom::fill(std::span<Byte> bytes)
{
    std::uint64_t drawn = 0;
    std::size_t left = 0;
    for (auto& byte : bytes) {
        if (left == 0) {
            drawn = dice_();
            left = sizeof drawn;
        }
        byte = static_cast<Byte>(drawn & 255U);
        drawn >>= 8U;
        --left;
    }
}

template <class T>
Flow<T> World::outside(Flow<T> call, Outcome failure)
{
    co_await scheduler_.turn();
    if (scheduler_.happens(faults_.requests_lost)) co_return fail(failure, "simulated: the request was lost");
    auto const stops_before = scheduler_.happens(faults_.stops);
    auto const stops_after = scheduler_.happens(faults_.stops);
    if (stops_before) {
        stop_requested_ = true;
        co_await Scheduler::never();
    }
    co_await maybe_later();
    auto result = co_await outcome_of(std::move(call));
    if (stops_after) {
        stop_requested_ = true;
        co_await Scheduler::never();
    }
    co_await maybe_later();
    co_await scheduler_.turn();
    if (scheduler_.happens(faults_.answers_lost)) co_return fail(failure, "simulated: the answer was lost");
    co_return std::move(result);
}

Flow<void> World::maybe_later()
{
    constexpr std::uint32_t longest = 5;
    if (faults_.delays > 0 && scheduler_.happens(faults_.delays))
        co_await scheduler_.sleep(Seconds{1 + scheduler_.below(longest)}, Whose::process);
    co_return {};
}

class World::Engine final : public store::Engine {
public:
    explicit Engine(World& world) : world_{world} {}

    Flow<std::optional<store::Record>> get(store::Table table, std::string id, std::int64_t known) override
    {
        return call(world_.records_.get(table, std::move(id), known));
    }
    Flow<std::optional<std::string>> find(store::Column const& column, Bytes value) override
    {
        return call(world_.records_.find(column, std::move(value)));
    }
    Flow<std::vector<store::Record>> list(store::Query query) override
    {
        return call(world_.records_.list(std::move(query)));
    }
    Flow<store::Committed> commit(std::vector<store::Write> writes) override { return call(seen(std::move(writes))); }
    Flow<std::vector<store::LogEntry>> log_of(std::string owner, std::int64_t before, std::size_t at_most) override
    {
        return call(world_.records_.log_of(std::move(owner), before, at_most));
    }
    Flow<std::vector<store::LogEntry>> log_from(std::int64_t sequence, std::size_t at_most) override
    {
        return call(world_.records_.log_from(sequence, at_most));
    }
    Flow<std::int64_t> log_size() override { return call(world_.records_.log_size()); }
    Flow<std::vector<Bytes>> log_hashes(std::vector<crypto::merkle::Node> nodes) override
    {
        return call(world_.records_.log_hashes(std::move(nodes)));
    }
    Flow<std::size_t> sweep(Instant now, std::size_t at_most) override
    {
        return call(world_.records_.sweep(now, at_most));
    }

private:
    template <class T>
    Flow<T> call(Flow<T> flow)
    {
        return world_.outside(std::move(flow), Outcome::store_failed);
    }

    Flow<store::Committed> seen(std::vector<store::Write> writes)
    {
        std::vector<Change> changes;
        for (auto const& write : writes) {
            std::visit(
                [&changes](auto const& one) {
                    if constexpr (requires { one.record; })
                        changes.push_back({.table = one.table, .id = one.record.id, .state = one.record.state});
                },
                write);
        }
        auto committed = co_await (world_.commit_double ? world_.commit_double(std::move(writes))
                                                        : world_.records_.commit(std::move(writes)));
        if (!committed.conflict && world_.on_commit) world_.on_commit(changes);
        co_return committed;
    }

    World& world_;
};

class World::Vault final : public ports::Vault {
public:
    explicit Vault(World& world) : world_{world} {}

    Flow<Bytes> public_key() override
    {
        return call<Bytes>([](ports::Vault& vault) { return vault.public_key(); });
    }
    Flow<void> register_code(AccountId account, DeviceId device, int code_version, Bytes nonce,
                             Bytes sealed_code_key) override
    {
        return call<void>([=](ports::Vault& vault) {
            return vault.register_code(account, device, code_version, nonce, sealed_code_key);
        });
    }
    Flow<void> replace_code(AccountId account, DeviceId device, int code_version, Bytes nonce, Bytes sealed_code_key,
                            std::string by, std::int64_t move) override
    {
        return call<void>([=](ports::Vault& vault) {
            return vault.replace_code(account, device, code_version, nonce, sealed_code_key, by, move);
        });
    }
    Flow<ports::CodeVerdict> judge(AccountId account, DeviceId device, ActionId action, Bytes message,
                                   Bytes sealed_proof) override
    {
        return call<ports::CodeVerdict>(
            [=](ports::Vault& vault) { return vault.judge(account, device, action, message, sealed_proof); });
    }
    Flow<int> tries_left(AccountId account) override
    {
        return call<int>([=](ports::Vault& vault) { return vault.tries_left(account); });
    }
    Flow<void> forget(AccountId account) override
    {
        return call<void>([=](ports::Vault& vault) { return vault.forget(account); });
    }

private:
    template <class T, class Ask>
    Flow<T> call(Ask const& ask)
    {
        if (world_.inner_vault_ == nullptr) return nobody<T>();
        return world_.outside(ask(*world_.inner_vault_), Outcome::vault_unreachable);
    }
    template <class T>
    static Flow<T> nobody()
    {
        co_return fail(Outcome::vault_unreachable);
    }

    World& world_;
};

class World::Messages final : public ports::Messages {
public:
    explicit Messages(World& world) : world_{world} {}

    Flow<void> send_sms(ports::Sms message) override
    {
        return world_.outside(hand_over(std::move(message)), Outcome::unavailable);
    }

private:
    Flow<void> hand_over(ports::Sms message)
    {
        world_.sms.emplace_back(message.to.e164(), std::move(message.text));
        if (world_.on_sms) world_.on_sms(world_.sms.back().first, world_.sms.back().second);
        co_return {};
    }

    World& world_;
};

/// Keeps what rang.
class World::Push final : public ports::Push {
public:
    explicit Push(World& world) : world_{world} {}
    void ring(ActionId const& action) override
    {
        world_.rung.push_back(action);
        if (world_.on_ring) world_.on_ring(action);
    }

private:
    World& world_;
};

class World::Wakeups final : public ports::Wakeups {
public:
    explicit Wakeups(World& world) : world_{world} {}

    void tell(std::string const& topic) override
    {
        for (auto const& ear : ears_[topic]) {
            ear->heard = true;
            wake(ear, true);
        }
    }

    std::unique_ptr<Watch> watch(std::string topic) override
    {
        auto ear = std::make_shared<Ear>();
        ears_[topic].push_back(ear);
        return std::make_unique<Listening>(*this, std::move(topic), std::move(ear));
    }

private:
    struct Ear {
        bool heard = false;
        std::optional<Finish<bool>> waiting;
    };

    class Listening final : public Watch {
    public:
        Listening(Wakeups& wakeups, std::string topic, std::shared_ptr<Ear> ear)
            : wakeups_{wakeups},
              topic_{std::move(topic)},
              ear_{std::move(ear)}
        {}
        Listening(Listening const&) = delete;
        Listening& operator=(Listening const&) = delete;
        ~Listening() override { std::erase(wakeups_.ears_[topic_], ear_); }

        Flow<bool> next(Instant until) override
        {
            if (std::exchange(ear_->heard, false)) co_return true;
            auto& wakeups = wakeups_;
            auto begin = [&wakeups, ear = ear_, until](Finish<bool> finish) {
                ear->waiting = std::move(finish);
                wakeups.world_.scheduler_.at(until - wakeups.world_.clock_error_,
                                             [&wakeups, ear] { wakeups.wake(ear, false); });
            };
            auto const heard = co_await wait_for<bool>(std::move(begin));
            ear_->heard = false;
            co_return heard;
        }

    private:
        Wakeups& wakeups_;
        std::string topic_;
        std::shared_ptr<Ear> ear_;
    };

    void wake(std::shared_ptr<Ear> const& ear, bool heard)
    {
        auto waiting = std::exchange(ear->waiting, std::nullopt);
        if (!waiting) return;
        world_.scheduler_.later([finish = *std::move(waiting), heard] { finish(heard); });
    }

    World& world_;
    std::map<std::string, std::vector<std::shared_ptr<Ear>>> ears_;
};

class World::Clock final : public ports::Clock {
public:
    explicit Clock(World const& world) : world_{world} {}
    [[nodiscard]] Instant now() const override { return world_.clock_now(); }

private:
    World const& world_;
};

class World::Log final : public ports::Log {
public:
    explicit Log(World& world) : world_{world} {}
    void event(std::string_view name, Fields /*fields*/) override { world_.log.emplace_back(name); }
    void failure(std::string_view name, Failure const& failure, Fields /*fields*/) override
    {
        world_.log.push_back(std::string{name} + ": " + std::string{name_of(failure.outcome)});
    }

private:
    World& world_;
};

namespace {

store::Keys simulated_keys() { return {.master = SecretBytes{Bytes(32, 1)}, .lookup = SecretBytes{Bytes(32, 2)}}; }

} // namespace

World::World(std::uint64_t seed, Faults faults) : World{seed, faults, memory_, simulated_keys()} {}

World::World(std::uint64_t seed, Faults faults, store::Engine& records, store::Keys keys)
    : scheduler_{seed, beginning},
      faults_{faults},
      keys_{std::move(keys)},
      random_{seed},
      records_{records},
      engine_{std::make_unique<Engine>(*this)},
      vault_{std::make_unique<Vault>(*this)},
      messages_{std::make_unique<Messages>(*this)},
      push_{std::make_unique<Push>(*this)},
      wakeups_{std::make_unique<Wakeups>(*this)},
      clock_{std::make_unique<Clock>(*this)},
      log_{std::make_unique<Log>(*this)},
      store_{std::make_unique<store::Store>(*engine_, keys_, random_)}
{}

World::~World()
{
    // Flows that still wait hold on to what is above them.
    scheduler_.forget_all();
    tasks_.clear();
}

ports::Services World::services(Doubles const& doubles)
{
    return {
        .accounts = doubles.accounts != nullptr ? *doubles.accounts : store_->accounts(),
        .devices = doubles.devices != nullptr ? *doubles.devices : store_->devices(),
        .push_subscriptions = store_->push_subscriptions(),
        .enrolments = doubles.enrolments != nullptr ? *doubles.enrolments : store_->enrolments(),
        .contracts = store_->contracts(),
        .actions = store_->actions(),
        .sign_ins = store_->sign_ins(),
        .grants = store_->grants(),
        .clients = store_->clients(),
        .nonces = store_->nonces(),
        .counters = store_->counters(),
        .consents = store_->consents(),
        .history = store_->history(),
        .ledger = store_->ledger(),
        .vault = *vault_,
        .messages = *messages_,
        .push = *push_,
        .wakeups = *wakeups_,
        .clock = doubles.clock != nullptr ? *doubles.clock : *clock_,
        .random = doubles.random != nullptr ? *doubles.random : random_,
        .log = *log_,
    };
}

void World::run()
{
    constexpr int more_than_enough = 1'000'000;
    for (int steps = 0; scheduler_.step(); ++steps) {
        ENSURE(steps < more_than_enough);
        if (stop_requested_) stop();
    }
}

void World::stop()
{
    stop_requested_ = false;
    ++stops_;
    scheduler_.forget(Whose::process);
    for (auto const& task : tasks_)
        if (task->whose == Whose::process) task->end();
    // What the process had in memory is gone with it: data keys, whom to wake.
    wakeups_ = std::make_unique<Wakeups>(*this);
    store_ = std::make_unique<store::Store>(*engine_, keys_, random_);
    if (on_restart) on_restart();
}

} // namespace symbolon::sim

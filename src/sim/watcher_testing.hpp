#pragma once

#include "sim/world.hpp"
#include "store/store.hpp"

#include <map>
#include <string>
#include <vector>

namespace symbolon::sim {

/// Knows everything that anybody does in a World, and says what should not have happened. It reads the store beside the
/// server, and believes nobody. Besides, it keeps a journal for whoever looks at a failure.
class Watcher {
public:
    Watcher(World& world, store::Engine& engine, store::Keys keys);
    Watcher(Watcher const&) = delete;
    Watcher& operator=(Watcher const&) = delete;
    virtual ~Watcher() = default;

    // ---- what the World tells

    virtual void committed(std::vector<World::Change> const& changes) = 0;
    /// The server has stopped and started again.
    virtual void restarted() = 0;
    /// Somebody sets the server's clock.
    virtual void clock_jumps(Seconds by);

    // ---- what happened

    template <class... Part>
    void note(Part const&... part)
    {
        if (!keeps_journal) return;
        std::string line = std::to_string((world_.scheduler().now() - World::beginning).count()) + " s  ";
        ((line += std::string_view{part}), ...);
        journal.push_back(std::move(line));
    }
    bool keeps_journal = false;
    std::vector<std::string> journal;

    /// How often what happened, so that a test sees that it did.
    std::map<std::string, int> count;

protected:
    /// More than any table of a World has.
    static constexpr std::size_t everything = 100'000;

    [[nodiscard]] World& world() { return world_; }
    [[nodiscard]] store::Engine& records() { return engine_; }
    [[nodiscard]] store::Store& stored() { return store_; }
    /// In all.
    [[nodiscard]] Seconds clock_went_back() const { return clock_went_back_; }

private:
    World& world_;
    store::Engine& engine_;
    SeededRandom random_{1};
    store::Store store_;
    Seconds clock_went_back_{};
};

/// A Watcher over what must hold in every World of one kind, whatever goes wrong.
template <class Invariant>
class WatcherOf : public Watcher {
public:
    using Watcher::Watcher;

    struct Violation {
        Invariant invariant;
        std::string what;
    };
    void violated(Invariant invariant, std::string what) { violations_.push_back({invariant, std::move(what)}); }
    [[nodiscard]] std::vector<Violation> const& violations() const { return violations_; }

private:
    std::vector<Violation> violations_;
};

} // namespace symbolon::sim

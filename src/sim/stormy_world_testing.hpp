#pragma once

#include "device/phone.hpp"
#include "sim/network_testing.hpp"
#include "sim/watcher_testing.hpp"

#include <memory>

namespace symbolon::sim {

/// Chance that is none where little of it is asked for: a symbol, an order, an SMS code.
class SameChance final : public crypto::Random {
public:
    void fill(std::span<Byte> bytes) override;

private:
    SeededRandom chance_{3};
};

/// A World with people in it: they are outside of the server and go on when it stops, and a network lies between. First
/// there is a storm, in which one seed decides who does what and what goes wrong; then it is over, and everybody must
/// get what is theirs. What people tell the Watcher is what they saw.
class StormyWorld {
public:
    StormyWorld(StormyWorld const&) = delete;
    StormyWorld& operator=(StormyWorld const&) = delete;

protected:
    /// What a planted fault makes of every store: it loses its last commit when the process stops.
    enum class Commits : std::uint8_t { are_kept, may_be_lost };

    StormyWorld(std::uint64_t seed, store::MemoryEngine records, Commits commits);
    ~StormyWorld(); // not virtual: nobody holds one without knowing its kind

    /// From here on there are a server with its network, and that Watcher, who hears of everything.
    void start_server(Watcher& watcher);

    // ---- what each kind of World has of its own

    /// What the server answers at that origin.
    [[nodiscard]] virtual http::Routes routes(http::Origin origin) = 0;
    /// A commit of the server's, as a planted fault would have it.
    virtual Flow<store::Committed> commit(std::vector<store::Write> writes)
    {
        return engine_.commit(std::move(writes));
    }
    /// The process has stopped and is there again.
    virtual void restarted() {}

    // ---- the storm

    /// How strong something is on that day: from a calm one, 0, to one on which hardly anything works, 12.
    int strength();
    void begin_storm();
    void end_storm();
    /// Somebody sets the server's clock up to twice, each time after less than `patience` more seconds.
    Flow<void> set_clocks(std::uint32_t patience);

    // ---- for people

    /// What a phone at that address sends, without cookies.
    static http::Request request_of(device::Transport::Call const& call, std::string address);
    Flow<void> sleep(std::uint32_t at_least, std::uint32_t and_below)
    {
        return world_->scheduler().sleep(Seconds{at_least + below(and_below)}, Whose::outside);
    }
    bool happens(int per_thousand) { return world_->scheduler().happens(per_thousand); }
    std::uint32_t below(std::uint32_t bound) { return world_->scheduler().below(bound); }

    store::MemoryEngine engine_;
    std::unique_ptr<World> world_; ///< goes before all that belongs to a kind: what waits in it holds on to that
    std::unique_ptr<Network> network_;
    bool is_calm_ = false;

private:
    Flow<store::Committed> commit_and_remember(std::vector<store::Write> writes);

    Commits commits_;
    std::optional<store::MemoryEngine> before_; ///< the records before the last commit, where that may be lost
    Watcher* watching_ = nullptr;
};

} // namespace symbolon::sim

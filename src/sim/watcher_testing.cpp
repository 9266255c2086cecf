#include "sim/watcher_testing.hpp"

namespace symbolon::sim {

Watcher::Watcher(World& world, store::Engine& engine, store::Keys keys)
    : world_{world},
      engine_{engine},
      store_{engine, std::move(keys), random_}
{}

void Watcher::clock_jumps(Seconds by)
{
    ++count[by < 0s ? "clock jumps back" : "clock jumps forward"];
    clock_went_back_ += std::max(-by, 0s);
}

} // namespace symbolon::sim

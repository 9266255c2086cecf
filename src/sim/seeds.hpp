#pragma once

#include <cstdint>
#include <vector>

namespace symbolon::sim {

/// `count` seeds after the first `after`, the same in every run. SYMBOLON_SEED=N in the environment gives N alone, to
/// look at a failure; SYMBOLON_SEEDS=F gives F times as many, for a long night.
std::vector<std::uint64_t> seeds(std::size_t count, std::size_t after = 0);

} // namespace symbolon::sim

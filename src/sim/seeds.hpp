#pragma once

#include <cstdint>
#include <vector>

namespace symbolon::sim {

/// `count` seeds, the same in every run. SYMBOLON_SEED=N in the environment gives N alone, to look at a failure;
/// SYMBOLON_SEEDS=F gives F times as many, for a long night.
std::vector<std::uint64_t> seeds(std::size_t count);

} // namespace symbolon::sim

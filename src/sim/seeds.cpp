#include "sim/seeds.hpp"

#include <cstdlib>
#include <numeric>
#include <string>

namespace symbolon::sim {

std::vector<std::uint64_t> seeds(std::size_t count, std::size_t after)
{
    if (auto const* one = std::getenv("SYMBOLON_SEED"); one != nullptr) return {std::strtoull(one, nullptr, 10)};
    if (auto const* factor = std::getenv("SYMBOLON_SEEDS"); factor != nullptr) {
        auto const times = std::strtoull(factor, nullptr, 10);
        count *= times;
        after *= times;
    }
    std::vector<std::uint64_t> all(count);
    std::iota(all.begin(), all.end(), std::uint64_t{after} + 1);
    return all;
}

} // namespace symbolon::sim

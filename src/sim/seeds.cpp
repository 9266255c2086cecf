#include "sim/seeds.hpp"

#include <cstdlib>
#include <numeric>
#include <string>

namespace symbolon::sim {

std::vector<std::uint64_t> seeds(std::size_t count)
{
    if (auto const* one = std::getenv("SYMBOLON_SEED"); one != nullptr) return {std::strtoull(one, nullptr, 10)};
    if (auto const* factor = std::getenv("SYMBOLON_SEEDS"); factor != nullptr)
        count *= std::strtoull(factor, nullptr, 10);
    std::vector<std::uint64_t> all(count);
    std::iota(all.begin(), all.end(), std::uint64_t{1});
    return all;
}

} // namespace symbolon::sim

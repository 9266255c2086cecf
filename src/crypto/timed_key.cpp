#include "crypto/timed_key.hpp"

namespace symbolon::crypto {

std::vector<SigningKey> keys_at(std::span<TimedKey const> keys, Instant now)
{
    std::vector<SigningKey> signing;
    std::vector<SigningKey> published;
    for (auto const& each : keys) {
        if (now >= each.published_until) continue;
        auto const signs = now >= each.signs_from && now < each.signs_until;
        (signs ? signing : published).push_back(each.key);
    }
    signing.insert(signing.end(), published.begin(), published.end());
    return signing;
}

} // namespace symbolon::crypto

#include "oidc/provider.hpp"

#include "base/ensure.hpp"
#include "base/http.hpp"
#include "crypto/hash.hpp"

#include <algorithm>

namespace symbolon::oidc {

namespace {

/// Of so many clients the parsed keys are kept; a cache that is full begins anew.
constexpr std::size_t most_parsed = 4096;

} // namespace

Provider::Provider(Settings settings) : settings_{std::move(settings)}
{
    // What is not an origin would make `iss`, the endpoints and the origin of our pages disagree.
    auto const url = http::parse_url(settings_.issuer);
    ENSURE(url.has_value() && url->origin() == settings_.issuer);
    constexpr std::size_t least_secret_bytes = 32;
    ENSURE(settings_.pairwise_secret.reveal().size() >= least_secret_bytes);
    counter_secret_ =
        crypto::hkdf_sha256(settings_.pairwise_secret, {}, "symbolon-sign-in-counters-v1", least_secret_bytes);
    use_keys(std::move(settings_.keys));
}

void Provider::use_keys(std::vector<crypto::TimedKey> keys)
{
    for (auto const& [key, signs_from, signs_until, published_until] : keys)
        ENSURE(!key.key_id.empty() && fits(key.algorithm, key.key.type()));
    auto used = std::make_shared<std::vector<crypto::TimedKey> const>(std::move(keys));
    std::scoped_lock const lock{mutex_};
    keys_ = std::move(used);
}

Provider::TimedKeys Provider::timed_keys() const
{
    std::scoped_lock const lock{mutex_};
    return keys_;
}

std::vector<crypto::VerificationKey> Provider::published_keys(Instant now) const
{
    std::vector<crypto::VerificationKey> published;
    auto const keys = timed_keys();
    for (auto const& key : crypto::keys_at(*keys, now))
        published.push_back({.key_id = key.key_id, .algorithm = key.algorithm, .key = key.key.public_key()});
    return published;
}

std::vector<crypto::VerificationKey> Provider::own_verification_keys() const
{
    std::vector<crypto::VerificationKey> own;
    auto const keys = timed_keys();
    for (auto const& [key, signs_from, signs_until, published_until] : *keys)
        own.push_back({.key_id = key.key_id, .algorithm = key.algorithm, .key = key.key.public_key()});
    return own;
}

Result<crypto::SigningKey> Provider::signing_key(std::string_view algorithm, Instant now) const
{
    auto const keys = timed_keys();
    for (auto const& key : crypto::keys_at(*keys, now))
        if (name_of(key.algorithm) == algorithm) return key;
    return fail(Outcome::configuration_invalid, "no signing key for " + std::string{algorithm});
}

std::vector<std::string_view> Provider::signing_algorithms() const
{
    std::vector<std::string_view> names;
    auto const keys = timed_keys();
    for (auto const& timed : *keys)
        if (auto const name = name_of(timed.key.algorithm); std::ranges::count(names, name) == 0) names.push_back(name);
    return names;
}

Result<Provider::ClientKeys> Provider::keys_of(partner::Client const& client) const
{
    {
        std::scoped_lock const lock{mutex_};
        auto const found = parsed_.find(client.id);
        if (found != parsed_.end() && found->second.jwks == client.jwks) return found->second.keys;
    }
    auto keys = std::make_shared<std::vector<crypto::VerificationKey> const>(TRY(crypto::parse_jwk_set(client.jwks)));
    std::scoped_lock const lock{mutex_};
    if (parsed_.size() >= most_parsed) parsed_.clear();
    parsed_[client.id] = {.jwks = client.jwks, .keys = keys};
    return keys;
}

} // namespace symbolon::oidc

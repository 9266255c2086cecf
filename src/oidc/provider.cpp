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
    for (auto const& key : settings_.keys) {
        ENSURE(!key.key_id.empty() && fits(key.algorithm, key.key.type()));
        own_.push_back({.key_id = key.key_id, .algorithm = key.algorithm, .key = key.key.public_key()});
    }
}

Result<crypto::SigningKey const*> Provider::signing_key(std::string_view algorithm) const
{
    for (auto const& key : settings_.keys)
        if (name_of(key.algorithm) == algorithm) return &key;
    return fail(Outcome::configuration_invalid, "no signing key for " + std::string{algorithm});
}

std::vector<std::string_view> Provider::signing_algorithms() const
{
    std::vector<std::string_view> names;
    for (auto const& key : settings_.keys)
        if (std::ranges::count(names, name_of(key.algorithm)) == 0) names.push_back(name_of(key.algorithm));
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

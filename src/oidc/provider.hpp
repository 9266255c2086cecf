#pragma once

#include "base/limits.hpp"
#include "base/secret.hpp"
#include "crypto/timed_key.hpp"
#include "partner/client.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace symbolon::oidc {

/// The algorithms of client assertions. P-384 is not among them: one verification costs a millisecond, and anybody may
/// ask for it.
inline constexpr std::array assertion_algorithms{crypto::SignatureAlgorithm::es256, crypto::SignatureAlgorithm::ps256,
                                                 crypto::SignatureAlgorithm::rs256, crypto::SignatureAlgorithm::eddsa};

/// What an OpenID Provider is made of. Lives as long as the program; safe from any thread.
class Provider {
public:
    struct Settings {
        /// `iss`: an origin, "https://id.example", without a slash at its end. Every endpoint lies under it.
        std::string issuer;
        /// Those that sign in turn (use_keys).
        std::vector<crypto::TimedKey> keys;
        /// 32 bytes; what pairwise subjects are made with. Another secret gives every person other subjects.
        SecretBytes pairwise_secret;
        Limits limits;
    };

    explicit Provider(Settings settings);

    [[nodiscard]] std::string const& issuer() const { return settings_.issuer; }
    [[nodiscard]] Limits const& limits() const { return settings_.limits; }
    [[nodiscard]] SecretBytes const& pairwise_secret() const { return settings_.pairwise_secret; }
    /// What keys of counters are made with, so that they tell no numbers and no addresses.
    [[nodiscard]] SecretBytes const& counter_secret() const { return counter_secret_; }
    /// From now on these: they were rotated while the program runs. Of each algorithm one is to be published at any
    /// time.
    void use_keys(std::vector<crypto::TimedKey> keys);

    /// The public halves of those that are published then, of each algorithm first the one that signs.
    [[nodiscard]] std::vector<crypto::VerificationKey> published_keys(Instant now) const;
    /// Of all that are kept: what was signed with them was signed here.
    [[nodiscard]] std::vector<crypto::VerificationKey> own_verification_keys() const;

    /// "/token" → "https://id.example/token".
    [[nodiscard]] std::string url(std::string_view path) const { return settings_.issuer + std::string{path}; }

    /// The key that signs with an algorithm ("ES256") then. Fails with configuration_invalid: there is none.
    [[nodiscard]] Result<crypto::SigningKey> signing_key(std::string_view algorithm, Instant now) const;

    /// The algorithms that can be had, as discovery names them.
    [[nodiscard]] std::vector<std::string_view> signing_algorithms() const;

    using ClientKeys = std::shared_ptr<std::vector<crypto::VerificationKey> const>;
    /// The keys of a client's JWK Set, parsed once. Fails with jwk_malformed.
    Result<ClientKeys> keys_of(partner::Client const& client) const;

private:
    Settings settings_;
    SecretBytes counter_secret_;

    using TimedKeys = std::shared_ptr<std::vector<crypto::TimedKey> const>;
    [[nodiscard]] TimedKeys timed_keys() const;
    TimedKeys keys_;

    struct Parsed {
        std::string jwks;
        ClientKeys keys;
    };
    mutable std::mutex mutex_;
    mutable std::map<ClientId, Parsed> parsed_;
};

} // namespace symbolon::oidc

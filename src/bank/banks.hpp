#pragma once

#include "bank/discovery.hpp"
#include "bank/fetcher.hpp"
#include "bank/id_token.hpp"
#include "bank/settings.hpp"
#include "ports/banks.hpp"
#include "ports/services.hpp"

#include <memory>
#include <mutex>
#include <vector>

namespace symbolon::bank {

inline constexpr Seconds metadata_kept_for = 1h;
inline constexpr Seconds keys_kept_for = 1h;
inline constexpr Seconds keys_asked_again_after = 10s; ///< for a key that is not known, and no more often
inline constexpr Seconds shortest_pause = 30s;         ///< after a bank did not answer; doubled each time
inline constexpr Seconds longest_pause = 5min;
inline constexpr Seconds answered_lately = 10s; ///< then one failure is somebody's bad luck
inline constexpr int failures_in_a_row = 3;     ///< and so many are not

/// Everything about one bank that changes. Any thread may use it.
class Connection {
public:
    explicit Connection(Registration registration) : registration_{std::move(registration)} {}

    [[nodiscard]] Registration const& registration() const { return registration_; }

    /// When a bank that did not answer is asked again, if that is to come.
    [[nodiscard]] std::optional<Instant> down_until(Instant now) const;

    /// It answered as a bank does.
    void is_up(Instant now);

    /// It did not: the circuit opens, unless it has just answered somebody else. Says when it is asked again: `now`
    /// where it stays closed. Several who find it down at once are one. What it published is asked for again.
    Instant is_down(Instant now);

    using SharedMetadata = std::shared_ptr<Metadata const>;
    using SharedKeys = std::shared_ptr<std::vector<crypto::VerificationKey> const>;

    /// What is known and still good; null: to be asked for.
    [[nodiscard]] SharedMetadata metadata(Instant now) const;
    [[nodiscard]] SharedKeys keys(Instant now) const;
    void keep(SharedMetadata metadata, Instant now);
    void keep(SharedKeys keys, Instant now);

    /// Whether the keys may be asked for again although they are good. Whoever is told yes does.
    bool may_ask_again_for_keys(Instant now);

private:
    Registration const registration_;
    mutable std::mutex mutex_;
    SharedMetadata metadata_;
    Instant metadata_at_;
    SharedKeys keys_;
    Instant keys_at_;
    Instant keys_asked_again_at_;
    std::optional<Instant> answered_at_;
    int failures_ = 0; ///< since then
    std::optional<Instant> down_until_;
    Seconds next_pause_ = shortest_pause;
};

/// What Banks reaches outside itself. Lives as long as it.
struct Means {
    Fetcher& fetcher;
    ports::Clock& clock;
    crypto::Random& random;
    ports::Log& log;
};

/// The parameters of a request that starts a visit (OpenID Connect Core 1.0 §3.1.2.1, RFC 7636 §4.3), with the
/// authentication of the client (RFC 7523 §2.2).
http::Parameters pushed_request(ports::BankVisit const& visit, Language language, Registration const& bank,
                                Settings const& settings, Instant now, crypto::Random& random);

/// The request_uri of a bank's answer to a pushed request (RFC 9126 §2.2). Fails with bank_unreachable.
Result<std::string> request_uri_in(Answer const& answer);

/// The set of a bank's signing keys. Fails with bank_unreachable.
Result<std::vector<crypto::VerificationKey>> keys_in(Answer const& answer);

/// The banks of the configuration as an OpenID Relying Party meets them.
class Banks final : public ports::Banks {
public:
    Banks(Settings settings, Means means);

    std::vector<ports::BankStanding> list() override;
    std::string public_keys() override;
    Flow<std::string> begin(ports::BankVisit visit, Language language) override;
    Flow<enrolment::BankAnswer> redeem(ports::BankVisit visit, ports::BankReturn back) override;

private:
    Result<Connection*> connection(std::string const& bank);
    Flow<Connection::SharedMetadata> metadata_of(Connection& connection);
    Flow<Connection::SharedKeys> keys_of(Connection& connection, Metadata const& metadata);
    Flow<Connection::SharedKeys> fetched_keys(Connection& connection, Metadata const& metadata);
    Flow<std::string> pushed(Connection& connection, ports::BankVisit visit, Language language);
    Flow<std::string> redeemed_token(Connection& connection, ports::BankVisit visit, std::string code);
    Flow<IdToken> judged_token(Connection& connection, ports::BankVisit visit, std::string token);

    Settings const settings_;
    Means const means_;
    std::vector<std::unique_ptr<Connection>> connections_;
};

} // namespace symbolon::bank

#pragma once

#include "crypto/random.hpp"
#include "ports/ports.hpp"
#include "store/engine.hpp"
#include "store/keyring.hpp"
#include "store/log.hpp"

#include <memory>

namespace symbolon::store {

/// The ports of ports/ports.hpp over an engine: what flows read and write, decoded and decrypted.
///
/// Engine and randomness must live as long. Safe from any thread as far as the engine is.
class Store {
public:
    Store(Engine& engine, Keys keys, crypto::Random& random, ReadKeys read_keys = {});
    ~Store();

    [[nodiscard]] ports::Accounts& accounts();
    [[nodiscard]] ports::Devices& devices();
    [[nodiscard]] ports::PushSubscriptions& push_subscriptions();
    [[nodiscard]] ports::Enrolments& enrolments();
    [[nodiscard]] ports::Contracts& contracts();
    [[nodiscard]] ports::Actions& actions();
    [[nodiscard]] ports::SignIns& sign_ins();
    [[nodiscard]] ports::Grants& grants();
    [[nodiscard]] ports::Clients& clients();
    [[nodiscard]] ports::Nonces& nonces();
    [[nodiscard]] ports::Counters& counters();
    [[nodiscard]] ports::Consents& consents();
    [[nodiscard]] ports::History& history();
    [[nodiscard]] ports::Ledger& ledger();

    /// Checks the whole log (store::verify_log), bodies and signed heads included. `key`: that of the heads; `heads`:
    /// such as were kept elsewhere.
    Flow<LogHead> verify_log(crypto::PublicKey key, std::vector<std::string> heads);

    /// What is kept of a person goes for good: account, phones, contracts, answers, consents, what enrolments still
    /// hold of them, and the data key, without which the lines of the log and copies in backups say nothing. The log
    /// stays whole: its last line of this account says that it was erased. Fails: not_found, conflict (try again).
    Flow<void> erase(AccountId account, Instant now);

    /// Keyring::rewrap_some.
    Flow<std::size_t> rewrap_some_keys();

    /// Removes short-lived records that are over, some thousands at a time. Gives how many went; call it again soon
    /// when they were many.
    Flow<std::size_t> sweep(Instant now);

private:
    struct Ports;
    std::unique_ptr<Ports> ports_;
};

} // namespace symbolon::store

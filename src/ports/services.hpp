#pragma once

#include "base/instant.hpp"
#include "crypto/random.hpp"
#include "ports/log.hpp"
#include "ports/ports.hpp"

#include <memory>
#include <string>

namespace symbolon::ports {

class Clock {
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual Instant now() const = 0;
};

/// Who waits for a change, and who tells of it. A hint only: what is true stands in the store.
class Wakeups {
public:
    /// One reader's ear on one topic. What is told between two waits is not missed.
    class Watch {
    public:
        virtual ~Watch() = default;
        /// Whether something was told before `until`; goes on at once if it was told since the last wait.
        virtual Flow<bool> next(Instant until) = 0;
    };

    virtual ~Wakeups() = default;
    virtual void tell(std::string const& topic) = 0;
    virtual std::unique_ptr<Watch> watch(std::string topic) = 0;

    static std::string of(SignInId const& id) { return "sign_in/" + id.text(); }
    static std::string of(AccountId const& id) { return "account/" + id.text(); }
    static std::string of(EnrolmentId const& id) { return "enrolment/" + id.text(); }
};

struct Sms {
    account::PhoneNumber to;
    std::string text;      ///< that fits one message
    std::string reference; ///< what the delivery report brings back (message::sms_reference); empty: none is asked for
};

/// Messages to people (design.md §8).
class Messages {
public:
    virtual ~Messages() = default;
    /// Hands one SMS to the gateway. Fails: sms_not_sent (the gateway surely has not taken it); unavailable (nobody
    /// knows).
    virtual Flow<void> send_sms(Sms sms) = 0;
};

/// Notifications of phones (design.md §8). A hint only: what waits for a phone stands in the store, and a phone that
/// gets none finds it when it is opened.
class Push {
public:
    virtual ~Push() = default;
    /// Notifies the phone of an action that was just started, if it has one, some time later. Returns at once and
    /// tells nothing: neither now nor later does the caller learn whether there is a phone (D7).
    virtual void ring(ActionId const& action) = 0;
};

/// How the vault judged a code.
struct CodeVerdict {
    bool right = false;
    int tries_left = 0; ///< after this try; 0: the code is blocked
    Bytes grant;        ///< when right: the vault's signature for this action and message
};

/// The process that alone can judge a code (src/vault). Every verb may fail with vault_unreachable.
class Vault {
public:
    virtual ~Vault() = default;

    /// The vault's P-256 point (65 bytes, uncompressed) that phones seal to.
    virtual Flow<Bytes> public_key() = 0;

    /// The first code key of an account, with three tries: sealed together with its own signature, which is bound to
    /// `nonce`, phone and version (docs/device-protocol.md §4). Fails: proof_malformed, seal_invalid, conflict (the
    /// account has, or had, a code key: another one needs a permit).
    virtual Flow<void> register_code(AccountId account, DeviceId device, int code_version, Bytes nonce,
                                     Bytes sealed_code_key) = 0;

    /// A code key in place of the one that the account has, with three tries, since its holder has shown who they are:
    /// `by` is "card" or "bank"; `move` says which move of the account it belongs to (account::Account::move_number).
    /// The same again (account, phone, version, nonce, move) changes nothing, whatever key comes with it. Fails as
    /// register_code; besides with moved_meanwhile (the code of a later move is there already: nothing was changed).
    virtual Flow<void> replace_code(AccountId account, DeviceId device, int code_version, Bytes nonce,
                                    Bytes sealed_code_key, std::string by, std::int64_t move) = 0;

    /// Counts a try, then looks. `message` is m, `sealed_proof` p of docs/device-protocol.md §5. The same message again
    /// after a success gives the same grant. Fails: code_blocked (no try was left), device_unknown, action_closed (the
    /// action was granted for another message).
    virtual Flow<CodeVerdict> judge(AccountId account, DeviceId device, ActionId action, Bytes message,
                                    Bytes sealed_proof) = 0;

    /// How many tries of the code an account has left; 0: it is blocked. Nothing is counted. Fails: device_unknown (the
    /// account has no code).
    virtual Flow<int> tries_left(AccountId account) = 0;

    /// Forgets the code key of a closed account, for good.
    virtual Flow<void> forget(AccountId account) = 0;
};

/// What a flow may reach outside itself. Cheap to copy; everything in it lives as long as the program.
struct Services {
    Accounts& accounts;
    Devices& devices;
    PushSubscriptions& push_subscriptions;
    Enrolments& enrolments;
    Contracts& contracts;
    Actions& actions;
    SignIns& sign_ins;
    Grants& grants;
    Clients& clients;
    Nonces& nonces;
    Counters& counters;
    Consents& consents;
    History& history;
    Ledger& ledger;
    Vault& vault;
    Messages& messages;
    Push& push;
    Wakeups& wakeups;
    Clock& clock;
    crypto::Random& random;
    Log& log;
};

} // namespace symbolon::ports

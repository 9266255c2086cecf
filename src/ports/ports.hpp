#pragma once

#include "account/account.hpp"
#include "account/device.hpp"
#include "account/push_subscription.hpp"
#include "action/action.hpp"
#include "action/queue.hpp"
#include "base/flow.hpp"
#include "consent/consent.hpp"
#include "enrolment/enrolment.hpp"
#include "grant/grant.hpp"
#include "grant/sign_in.hpp"
#include "partner/client.hpp"
#include "ports/stored.hpp"

#include <optional>
#include <string>
#include <vector>

/// What flows ask of the store: one port per aggregate, few verbs, each atomic and durable when its flow goes on.
/// Every verb may fail with store_failed or data_damaged. Saves fail with `conflict` (ports::Stored).
namespace symbolon::ports {

using account::Account;
using account::Device;
using account::PushSubscription;
using action::Action;
using consent::Consent;
using enrolment::Enrolment;
using grant::Grant;
using grant::SignIn;
using partner::Client;

/// What happened on an account, for its holder (F3) and for the append-only log.
struct HistoryEntry {
    AccountId account;
    Instant at;
    std::string event;  ///< "enrolled", "approved", "refused", "symbol_wrong", "blocked", "code_wrong", "unbound" …
    ClientId client;    ///< empty where no partner is concerned
    std::string detail; ///< JSON: claims shared, device, outcome, the approval record's hash; encrypted at rest
    Bytes record;       ///< the evidence (docs/device-protocol.md §6), kept with the entry; empty where there is none
};

/// A history entry as it stands in the append-only log (docs/log.md): what its leaf is made of, and its body in clear.
struct LogLine {
    std::int64_t sequence = 0; ///< 1, 2, 3 … over the whole log
    Instant at;
    std::string kind; ///< the event
    std::string id;
    Bytes account;  ///< 32 bytes, HMAC of the account's id
    Bytes content;  ///< SHA-256 of `body`
    Bytes previous; ///< leaf hash of the entry before
    Bytes body;     ///< JSON: event, client, detail (JSON text), salt
};

/// A head of the log as the operator signed it.
struct SignedHead {
    std::int64_t size = 0;
    std::string jws;
};

/// What may be used once, to be used up by the very commit that acts on it: see Nonces.
struct Once {
    std::string kind;
    std::string key;
    Instant until; ///< remembered until then
};

/// An account that loses its number in the same write: somebody else has just proven to have it (E10).
struct NumberLost {
    Stored<Account> account; ///< as it is then, without the number
    HistoryEntry entry;
};

/// An account that goes to another phone (E1, E3, E6, E7).
struct AccountMove {
    Stored<Account> account;              ///< as it is then
    Device device;                        ///< the phone that it has from then on
    std::optional<Stored<Device>> before; ///< the phone that it had, unbound
    Bytes contract_pdf;                   ///< empty: none was signed
    Stored<Enrolment> enrolment;          ///< as it is then
    HistoryEntry entry;
    std::optional<NumberLost> number_lost;
    std::optional<Once> credential; ///< of the phone's passkey, which nobody may have had
};

class Accounts {
public:
    virtual ~Accounts() = default;

    virtual Flow<std::optional<Stored<Account>>> find(AccountId id) = 0;
    /// The account whose logins go to that number now; closed ones are not found.
    virtual Flow<std::optional<Stored<Account>>> find_by_phone_number(account::PhoneNumber number) = 0;
    virtual Flow<std::optional<Stored<Account>>> find_by_national_number(std::string national_number) = 0;

    /// Makes an account of an enrolment: the account, its phone, the contract (empty: none was signed), the history,
    /// and the enrolment as it is then, all or nothing. `credential`: of the phone's passkey, which nobody may have
    /// had. Fails: already_a_holder (the same person has an account), phone_number_taken, conflict, passkey_refused
    /// (`credential` was used).
    virtual Flow<void> open(Account account, Device device, Bytes contract_pdf, Stored<Enrolment> enrolment,
                            HistoryEntry entry, std::optional<NumberLost> number_lost,
                            std::optional<Once> credential) = 0;
    Flow<void> open(Account account, Device device, Bytes contract_pdf, Stored<Enrolment> enrolment, HistoryEntry entry)
    {
        return open(std::move(account), std::move(device), std::move(contract_pdf), std::move(enrolment),
                    std::move(entry), std::nullopt, std::nullopt);
    }

    /// Brings an account to another phone, all or nothing. The phone before hears of nothing any more. Fails:
    /// phone_number_taken, conflict (also: another phone was faster), passkey_refused (its credential was used).
    virtual Flow<void> move(AccountMove move) = 0;

    /// Takes an account back that was opened by mistake (the holder said so on the page): closes it, unbinds its phone,
    /// frees person and number for a new enrolment, and marks the enrolment.
    virtual Flow<void> undo_open(Stored<Account> account, Stored<Device> device, Stored<Enrolment> enrolment,
                                 HistoryEntry entry) = 0;

    /// Takes the move of an account back: no phone is bound any more, the account stays, as it is given. Fails:
    /// phone_number_taken, conflict.
    virtual Flow<void> undo_move(Stored<Account> account, Stored<Device> device, Stored<Enrolment> enrolment,
                                 HistoryEntry entry) = 0;

    virtual Flow<void> save(Stored<Account> account, HistoryEntry entry) = 0;
};

class Devices {
public:
    virtual ~Devices() = default;
    virtual Flow<std::optional<Stored<Device>>> find(DeviceId id) = 0;
    virtual Flow<void> save(Stored<Device> device) = 0;
    /// A change that its holder must find in the history.
    virtual Flow<void> save(Stored<Device> device, HistoryEntry entry) = 0;
    /// The same, and `once` is used up by it. Gives whether that was its first use; else nothing is done. Where the
    /// phone was changed meanwhile, that comes first: conflict.
    virtual Flow<bool> save(Stored<Device> device, HistoryEntry entry, Once once) = 0;
};

class PushSubscriptions {
public:
    virtual ~PushSubscriptions() = default;
    virtual Flow<std::optional<Stored<PushSubscription>>> find(DeviceId device) = 0;
    /// The phone's only one from now on, whatever was there.
    virtual Flow<void> put(PushSubscription subscription) = 0;
    virtual Flow<void> save(Stored<PushSubscription> subscription) = 0;
    /// None from now on; what was kept of it is forgotten. Succeeds where there was none.
    virtual Flow<void> turn_off(DeviceId device, Instant now) = 0;
};

class Enrolments {
public:
    virtual ~Enrolments() = default;
    virtual Flow<void> add(Enrolment enrolment) = 0;
    virtual Flow<std::optional<Stored<Enrolment>>> find(EnrolmentId id) = 0;
    virtual Flow<std::optional<Stored<Enrolment>>> find_by_browser(Bytes browser_hash) = 0;
    virtual Flow<std::optional<Stored<Enrolment>>> find_by_ticket(Bytes ticket_hash) = 0;
    virtual Flow<std::optional<Stored<Enrolment>>> find_by_reader_session(Bytes session_hash) = 0;
    virtual Flow<std::optional<Stored<Enrolment>>> find_by_phone_session(Bytes session_hash) = 0;
    /// Those in the states token, sms or code with that number and an identification token, newest first, at most 8.
    virtual Flow<std::vector<Stored<Enrolment>>> waiting_for_phone(account::PhoneNumber number) = 0;
    virtual Flow<void> save(Stored<Enrolment> enrolment) = 0;
};

class Contracts {
public:
    virtual ~Contracts() = default;
    /// The signed PDF.
    virtual Flow<std::optional<Bytes>> find(AccountId account, ContractId id) = 0;
};

/// One more of what is counted, by the very commit that is counted: see Counters.
struct OneMore {
    std::string kind;
    Bytes key;
    Seconds window{};
    std::optional<int> at_most; ///< beyond this nothing is done, nor counted
};

class Actions {
public:
    virtual ~Actions() = default;

    /// A new action, and the sign-in that waits for it.
    virtual Flow<void> start(Action action, Stored<SignIn> sign_in) = 0;

    /// What is remembered of a number that is typed; version 0 where there is nothing yet.
    virtual Flow<Stored<action::NumberTrace>> trace_of(account::PhoneNumber number) = 0;
    /// The same as start, for a number that was typed, with the trace as it is then. Gives whether it was done: not
    /// where another start for the number came between. `oldest` makes room where nobody saw it: it becomes nobody's,
    /// and its page goes on as if the phone did not answer. Fails: conflict, too_many_requests (more than `counted`
    /// may be).
    virtual Flow<bool> start_by_number(Action action, Stored<SignIn> sign_in, account::PhoneNumber number,
                                       Stored<action::NumberTrace> trace, std::optional<ActionId> oldest,
                                       OneMore counted) = 0;
    virtual Flow<std::optional<Stored<Action>>> find(ActionId id) = 0;
    /// Those that wait on that account's phone, not expired at `now`: the newest 50, and, where there are more, besides
    /// them those that were shown or are to be kept in sight.
    virtual Flow<std::vector<Stored<Action>>> open_for(AccountId account, Instant now) = 0;
    virtual Flow<void> save(Stored<Action> action) = 0;
    /// The oldest of those that no phone has shown and that are open at `now`, at most 10,000.
    virtual Flow<std::vector<ActionId>> waiting(Instant now) = 0;
    /// Those whose end has yet to come into the history (action::Action::owes_history), and those that ran out: open,
    /// and not at `now` any more. In no order, at most 500; of that account alone, if one is given. With those of
    /// nobody.
    virtual Flow<std::vector<ActionId>> unanswered(std::optional<AccountId> account, Instant now) = 0;
    /// The approval record (action::Action::record), wherever it is kept; empty where nobody answered. Fails:
    /// data_damaged (the history has lost it).
    virtual Flow<Bytes> record_of(Action action) = 0;
    /// What ends an action without another answer of the phone's ratchet: the action and the history, all or nothing.
    virtual Flow<void> settle(Stored<Action> action, HistoryEntry entry) = 0;
    /// An answer: the action, the phone's ratchet, the history and, where it changes, the consent (version 0: a new
    /// one), all or nothing.
    virtual Flow<void> decide(Stored<Action> action, Stored<Device> device, HistoryEntry entry,
                              std::optional<Stored<Consent>> consent) = 0;
    Flow<void> decide(Stored<Action> action, Stored<Device> device, HistoryEntry entry)
    {
        return decide(std::move(action), std::move(device), std::move(entry), std::nullopt);
    }
};

class Consents {
public:
    virtual ~Consents() = default;
    virtual Flow<std::optional<Stored<Consent>>> find(AccountId account, ClientId client) = 0;
    /// Newest first.
    virtual Flow<std::vector<Consent>> list(AccountId account) = 0;
    /// Takes it back, and with it every code and token of that account at that partner.
    virtual Flow<void> withdraw(Stored<Consent> consent, HistoryEntry entry) = 0;
};

class SignIns {
public:
    virtual ~SignIns() = default;
    /// Fails: conflict (another page offers the same short code).
    virtual Flow<void> add(SignIn sign_in) = 0;
    /// The same, counted. Fails besides: too_many_requests (more than `counted` may be).
    virtual Flow<void> add(SignIn sign_in, OneMore counted) = 0;
    virtual Flow<std::optional<Stored<SignIn>>> find(SignInId id) = 0;
    /// The one whose page offers that code now.
    virtual Flow<std::optional<Stored<SignIn>>> find_by_short_code(std::string short_code) = 0;
    virtual Flow<void> save(Stored<SignIn> sign_in) = 0;
    /// The way back to the partner with a code: the finished sign-in and its grant, all or nothing.
    virtual Flow<void> finish(Stored<SignIn> sign_in, Grant grant) = 0;
};

class Grants {
public:
    virtual ~Grants() = default;
    virtual Flow<std::optional<Stored<Grant>>> find_by_code(Bytes code_hash) = 0;
    virtual Flow<std::optional<Stored<Grant>>> find_by_access_token(Bytes access_token_hash) = 0;
    /// Redeemed or revoked; of two at once, one fails with conflict.
    virtual Flow<void> save(Stored<Grant> grant) = 0;
    /// The same, and `once` is used up by it. Gives whether that was its first use; else nothing is done.
    virtual Flow<bool> save(Stored<Grant> grant, Once once) = 0;
};

class Clients {
public:
    virtual ~Clients() = default;
    virtual Flow<std::optional<Stored<Client>>> find(ClientId id) = 0;
    virtual Flow<std::vector<Client>> list() = 0;
    /// Fails: conflict (the id is taken).
    virtual Flow<void> add(Client client) = 0;
    virtual Flow<void> save(Stored<Client> client) = 0;
    /// What it was given counts no more: without it there is nobody to show a code or a token.
    virtual Flow<void> remove(Stored<Client> client) = 0;
};

/// What may be used once: assertion ids, answers to the check that a person is there.
class Nonces {
public:
    virtual ~Nonces() = default;
    /// Whether this is the first use of `key` within `kind`. Remembered until `until`.
    virtual Flow<bool> use(Once once) = 0;
    Flow<bool> use(std::string kind, std::string key, Instant until)
    {
        return use({.kind = std::move(kind), .key = std::move(key), .until = until});
    }
};

/// Counters of tries and sends, by a key that tells nothing (an HMAC): limits per number, address, origin.
class Counters {
public:
    virtual ~Counters() = default;
    /// Adds one to the count of the window that `now` lies in and gives the new count.
    virtual Flow<int> add(std::string kind, Bytes key, Seconds window, Instant now) = 0;
};

class History {
public:
    virtual ~History() = default;
    virtual Flow<void> append(HistoryEntry entry) = 0;
    /// Newest first.
    virtual Flow<std::vector<HistoryEntry>> list(AccountId account, int at_most) = 0;
    /// The same as they stand in the log, with a smaller sequence number than `before`.
    virtual Flow<std::vector<LogLine>> lines(AccountId account, std::int64_t before, int at_most) = 0;
    /// The evidence that is kept with an entry of that account: HistoryEntry::record.
    virtual Flow<std::optional<Bytes>> record(AccountId account, std::string entry) = 0;
};

/// The append-only log as a Merkle tree (RFC 9162 §2.1). Entries are counted from 1 as in LogLine::sequence.
class Ledger {
public:
    virtual ~Ledger() = default;

    virtual Flow<std::int64_t> size() = 0;
    /// Of the first `size` entries, which are there.
    virtual Flow<Bytes> root(std::int64_t size) = 0;
    /// Proves that an entry is among the first `size` (§2.1.3). 1 <= sequence <= size.
    virtual Flow<std::vector<Bytes>> inclusion(std::int64_t sequence, std::int64_t size) = 0;
    /// Proves that the first `second` entries begin with the first `first` (§2.1.4). 0 < first <= second.
    virtual Flow<std::vector<Bytes>> consistency(std::int64_t first, std::int64_t second) = 0;

    /// The last head that was signed.
    virtual Flow<std::optional<SignedHead>> newest_head() = 0;
    /// Keeps a head for good. Where one of that size is there, that one stays and is given back.
    virtual Flow<SignedHead> keep_head(SignedHead head) = 0;
};

} // namespace symbolon::ports

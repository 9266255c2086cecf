#pragma once

#include "action/action.hpp"
#include "crypto/jws.hpp"
#include "device/phone.hpp"
#include "sim/watcher_testing.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace symbolon::sim {

/// What must hold in every World of sign-ins, whatever goes wrong.
enum class Invariant : std::uint8_t {
    approval_is_earned,
    symbol_is_fresh,
    late_answer_changes_nothing,
    table_is_obeyed,
    evidence_agrees,
    acknowledged_is_kept,
    code_is_redeemed_once,
    second_use_takes_back,
    result_goes_where_it_began,
    link_is_tied,
    three_wrong_codes,
    fingerprint_is_earned,
    only_one_wanted_rings,
    nobody_locks_out,
    holder_gets_in,
};

/// The invariant as a sentence.
std::string_view sentence_of(Invariant invariant);

/// The Watcher of a World of sign-ins.
class SignInWatcher final : public WatcherOf<Invariant> {
public:
    struct Trust {
        crypto::VerificationKey record_key;
        crypto::PublicKey grant_key;
        Seconds action_lifetime;
        Seconds return_lifetime;
        Limits limits;
    };
    SignInWatcher(World& world, store::Engine& engine, store::Keys keys, Trust trust);

    // ---- what people and phones tell

    void browser_began(SignInId const& sign_in, std::string const& browser);
    /// A phone has what it draws from.
    void phone_shows(ActionId const& action, ByteView shown);

    /// An answer as the holder's own phone sends it, for the first or another time.
    struct Sent {
        AccountId account;
        ActionId action;
        Bytes message;
        Bytes proof; ///< empty: a refusal
        std::string symbol;
        bool approves = false;
        bool code_is_right = false;
        bool by_fingerprint = false;
        bool finger_is_right = false; ///< the holder's own was on it
    };
    void phone_sends(Sent const& sent);
    /// The holder's own phone turns the fingerprint on, with a code. `credential`: SubjectPublicKeyInfo.
    void phone_turns_on(Bytes const& credential, Bytes const& proof, bool code_is_right);
    /// A holder has had a fingerprint since the enrolment.
    void has_fingerprint(Bytes const& credential) { credentials_.insert(credential); }
    /// The server told the phone that it is so: "approved", "refused".
    void phone_is_told(ActionId const& action, std::string const& state);

    /// The server told the phone that "this was not me" took.
    void phone_is_told_of_mute(ActionId const& action);
    /// The list that the server gave to a phone that asked for it now.
    void phone_lists(std::vector<device::PendingAction> const& list);
    /// How many mutes phones were told of.
    [[nodiscard]] std::size_t mutes_told() const { return mutes_.size(); }
    /// The server hands a notification to the push service. `mutes_before`: those told when it looked at the action.
    void push_service_gets(ActionId const& action, std::size_t mutes_before);

    /// A browser brings back what the phone was given for an approved link.
    void browser_returns(SignInId const& sign_in, std::string const& browser);
    /// The holder picks the symbol of the page of an approved link.
    void phone_matches(ActionId const& action, std::string const& symbol);
    /// The holder was sent that link by whoever sits at its page.
    void link_was_passed_on(ActionId const& action) { passed_on_.insert(action); }

    /// A browser was sent to the partner with a code.
    void browser_gets(std::string const& code, std::string const& browser, SignInId const& sign_in);
    void partner_gets(std::string const& code, std::string const& access_token);
    /// The partner was told that the code had been used.
    void partner_is_told_used(std::string const& code) { used_.insert(code); }
    /// The access token of that code was believed at /userinfo.
    [[nodiscard]] bool is_told_used(std::string const& code) const { return used_.contains(code); }
    /// Of a code whose second use the partner had been told of before it asked.
    void token_is_believed();

    // ---- what the vault tells

    /// A try was taken for a proof; the vault may die before it looks.
    void vault_takes(AccountId const& account, Bytes const& proof);
    void vault_looks(AccountId const& account, Bytes const& proof, bool believed, ActionId const& action);
    /// How many tries are left.
    void vault_is_asked(AccountId const& account);
    /// Whether a proof is of the right code, as its holder knows.
    [[nodiscard]] bool is_right(Bytes const& proof) const;
    /// Whether the holder has used up every try.
    [[nodiscard]] bool used_all_tries(AccountId const& account) const;

    // ---- what the World tells

    void committed(std::vector<World::Change> const& changes) override;
    void restarted() override;
    void clock_jumps(Seconds by) override;

    /// Whether that phone could approve now: its holder has tries left.
    void judge_phone(device::PhoneState const& phone);
    /// The whole store, at the end. `tries_left` of each account, as the vault has it.
    void judge(std::map<AccountId, int> const& tries_left);

private:
    struct Tries {
        std::set<Bytes> wrong; ///< proofs that were looked at since the last right one, and were wrong
        std::set<Bytes> lost;  ///< proofs for which a try was taken that nobody looked at
        int lost_tries = 0;
    };
    void judge_action(action::Action const& action, std::map<std::string, std::vector<std::string>> const& history);
    void judge_approval(action::Action const& action);
    void judge_code_proof(action::Action const& action, json::Object const& record);
    void judge_fingerprint(Sent const& sent, json::Object const& record);
    void judge_credentials();
    void judge_tie(action::Action const& action);
    void judge_symbols(std::vector<action::Action> const& actions);
    void judge_code(std::string const& code);
    void judge_account(AccountId const& account, int tries_left);
    [[nodiscard]] std::string state_in_store(ActionId const& action);
    void check_acknowledged();

    Trust trust_;

    struct Got {
        std::string browser;
        SignInId sign_in;
        std::vector<std::string> access_tokens;
    };
    std::map<SignInId, std::string> began_;
    std::map<ActionId, Bytes> shown_;
    std::map<ActionId, std::vector<Sent>> sent_;
    std::map<Bytes, bool> proofs_;                           ///< of holders' own phones: whether the code was right
    std::map<AccountId, std::set<Bytes>> fingerprints_sent_; ///< assertions, before the vault was asked for its tries
    std::set<Bytes> fingerprints_in_time_; ///< a try of the code was left when the vault was asked after they were sent
    std::set<Bytes> credentials_;          ///< of holders, turned on with the right code
    std::map<Bytes, Bytes> turned_on_;     ///< credential of each proof of a code that turns one on
    std::set<Bytes> challenges_;           ///< of fingerprints that approved
    std::set<std::pair<Bytes, std::uint32_t>> counts_; ///< that their authenticators gave
    struct Mute {
        AccountId account;
        action::Origin origin;
        Instant until; ///< by the server's clock
    };
    /// Whether one of the first so many mutes holds for an action.
    [[nodiscard]] bool is_muted(action::Action const& action, std::size_t of_mutes);
    [[nodiscard]] bool has_approved_from(AccountId const& account, Bytes const& browser);
    [[nodiscard]] std::optional<action::Action> action_in_store(ActionId const& action);
    std::vector<Mute> mutes_;                                                   ///< oldest first
    std::map<std::pair<AccountId, Bytes>, std::map<ActionId, Instant>> pushed_; ///< of each network: when they began
    std::map<ActionId, std::string> told_;
    std::map<SignInId, std::set<std::string>> returned_;
    std::map<ActionId, std::set<std::string>> matched_;
    std::set<ActionId> passed_on_;
    std::set<ActionId> granted_;
    std::map<std::string, Got> codes_;
    std::set<std::string> used_;
    std::map<AccountId, Tries> tries_;
    std::map<std::pair<store::Table, std::string>, std::string> states_;
    std::map<ActionId, Instant> started_; ///< by the World's own time
};

} // namespace symbolon::sim

#pragma once

#include "crypto/hash.hpp"
#include "enrolment/enrolment.hpp"
#include "sim/watcher_testing.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace symbolon::sim {

/// What must hold in every World of enrolments, whatever goes wrong.
enum class EnrolmentInvariant : std::uint8_t {
    one_person_one_account,
    one_number_one_account,
    last_end_has_the_account,
    acknowledged_end_is_kept,
    journey_goes_on,
    only_failures_count,
    waits_are_bounded,
    winner_keeps_the_code,
    old_phone_is_out,
    sms_code_is_of_its_number,
    only_its_source_unblocks,
    person_ends_enrolled,
};

/// The invariant as a sentence.
std::string_view sentence_of(EnrolmentInvariant invariant);

/// The Watcher of a World of enrolments.
class EnrolmentWatcher final : public WatcherOf<EnrolmentInvariant> {
public:
    EnrolmentWatcher(World& world, store::Engine& engine, store::Keys keys, Limits limits);

    // ---- what people, pages and phones tell

    /// A page was given that cookie.
    void page_began(std::string const& cookie) { cookies_.insert(cookie); }
    /// A page was answered with a step. `tab` names who looks: nobody looks twice at once.
    void page_sees(std::string const& tab, std::string const& cookie, std::string const& step);
    /// A page was told that nobody knows its cookie.
    void page_is_unknown(std::string const& cookie);
    /// The holder types an SMS code, read on the phone with that number; empty: made up.
    void phone_types_sms(std::string const& session, std::string const& code, std::string const& read_at);
    /// The holder goes back to the choice of bank.
    void phone_chooses_again(std::string const& session) { ++chosen_again_[crypto::sha256(session)]; }
    /// The server told a phone that it is enrolled.
    void phone_is_told_done(DeviceId const& device);
    /// Until when somebody is told to wait.
    void is_told_to_wait(Instant until);

    // ---- what the network tells: a message arrives, for the first or another time

    void token_arrives(std::string const& number, Bytes const& hash) { tokens_[number].push_back(hash); }
    void sms_code_arrives(Bytes const& session_hash, Bytes const& hash) { codes_[session_hash].push_back(hash); }

    // ---- what the vault tells

    void vault_takes_code(AccountId const& account, DeviceId const& device);

    // ---- what the World tells

    void committed(std::vector<World::Change> const& changes) override;
    void restarted() override;
    void clock_jumps(Seconds by) override;
    /// An account that was there before.
    void knows(account::Account const& account);

    /// The whole store, at the end.
    void judge();

    [[nodiscard]] std::optional<account::Account> account_now(AccountId const& id);
    [[nodiscard]] std::optional<account::Account> account_of_person(std::string const& national_number);

private:
    using Enrolment = enrolment::Enrolment;

    [[nodiscard]] std::optional<Enrolment> enrolment_now(std::string const& id);
    void judge_enrolment(std::optional<Enrolment> const& before, Enrolment const& after);
    void judge_step(Enrolment const& before, Enrolment const& after);
    void judge_step_back(Enrolment const& before, Enrolment const& after);
    void judge_tries(Enrolment const& after);
    void judge_sms_code(Enrolment const& after);
    void judge_accounts();
    void judge_account(account::Account const& account);
    void check_acknowledged();

    Limits limits_;

    std::map<std::string, Enrolment> enrolments_; ///< as a commit left them
    std::map<AccountId, account::Account> accounts_;
    std::map<AccountId, std::optional<DeviceId>> phones_; ///< of the enrolment that ended last
    std::set<std::pair<AccountId, DeviceId>> had_phones_;
    std::map<AccountId, DeviceId> vault_codes_; ///< whose code the vault took last
    std::set<DeviceId> told_done_;
    std::set<std::string> cookies_;
    struct Look {
        EnrolmentId enrolment;
        int step = 0;
        int steps_back = 0;
    };
    std::map<std::string, Look> looks_;
    std::map<EnrolmentId, int> steps_back_; ///< that had their reason
    std::map<std::pair<Bytes, Bytes>, std::set<std::string>> typed_;
    std::map<Bytes, int> chosen_again_;
    std::map<std::string, std::vector<Bytes>> tokens_; ///< by number
    std::map<Bytes, std::vector<Bytes>> codes_;        ///< by session
    std::map<EnrolmentId, std::set<Bytes>> sessions_;
};

} // namespace symbolon::sim

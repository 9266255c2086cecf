#pragma once

#include "device/phone.hpp"
#include "device/settings.hpp"
#include "page/enrolment_means.hpp"
#include "sim/enrolment_watcher_testing.hpp"
#include "sim/stormy_world_testing.hpp"

#include <deque>
#include <memory>

namespace symbolon::sim {

/// A fault that a test builds into a World of enrolments on purpose, to see that its invariants can fail.
enum class EnrolmentFault : std::uint8_t {
    none,
    store_loses_its_last_commit, ///< when the process stops
    store_lets_persons_repeat,
    store_lets_numbers_repeat,
    store_forgets_to_unbind,
    store_ends_enrolments_alone, ///< without the account that goes with the end
    vault_asks_for_no_permit,
    vault_knows_no_order,      ///< of replacements
    chance_is_always_the_same, ///< where SMS codes are drawn
    blocked_accounts_look_active,
    failures_count_double,
    waits_are_too_long,
    messages_never_arrive,
};

/// Enrolment, with everybody who has a part in it: people with a card, a computer or two and a phone or two, a program
/// beside the card reader, a bank, SMS, the server, its vault, and a network between them. When the storm is over,
/// everybody who is patient must end enrolled.
///
/// The flows are the server's own. Cards are judged and contracts made without cryptography (page::Papers).
class EnrolmentWorld final : public StormyWorld {
public:
    using Fault = EnrolmentFault;

    explicit EnrolmentWorld(std::uint64_t seed, Fault fault = Fault::none, bool keeps_journal = false);
    ~EnrolmentWorld();

    /// The whole story.
    void run();

    [[nodiscard]] EnrolmentWatcher& watcher() { return *watcher_; }

private:
    class LyingAccounts;
    class StrictEnrolments;
    class SimulatedPapers;
    class SimulatedBank;
    class Vault;
    class Transport;

    struct Person {
        std::string national_number;
        std::string birth_date;
        std::string number; ///< E.164: whose SIM is in the holder's phone
        SecretText code;
        bool by_bank = false; ///< where there is a choice
        int journeys = 0;     ///< under way
    };
    struct Computer {
        std::string name;
        std::string address;
        std::string cookie; ///< of the enrolment; empty: none
    };
    struct Handset {
        std::string name;
        std::unique_ptr<Transport> transport;
        std::unique_ptr<device::Phone> phone;
        std::string landing_code;    ///< that the holder saw on another browser's page
        std::set<std::string> tried; ///< SMS codes
        bool is_at_bank = false;     ///< the journey goes through the bank
        int looks_at_card = 0;       ///< a bank said so: so often the card is tried, whatever the page said before
        bool was_told = false;       ///< that it is done
    };
    /// One person with one computer and one phone, on the way to an account.
    struct Journey {
        Person* person = nullptr;
        Computer* computer = nullptr;
        Handset* handset = nullptr;
    };
    using Answer = Result<json::Object>; ///< a refusal is a failure

    // ---- the server
    [[nodiscard]] ports::Services services();
    [[nodiscard]] http::Routes routes(http::Origin origin) override;
    Flow<store::Committed> commit(std::vector<store::Write> writes) override;
    http::Route watched(http::Route route);
    void add_account(Person const& person, std::string const& number, account::State state, std::string const& bank);
    void begin_storm();
    void end_storm();
    void sms_leaves(std::string const& number, std::string const& text);

    // ---- at the computer
    Flow<json::Object> ask(Computer& computer, http::Origin origin, std::string method, std::string path,
                           json::Object body);
    /// The state that the page shows; begins where there is nothing to go on with.
    Flow<json::Object> look(Journey journey);
    Flow<json::Object> begin(Journey journey);
    Flow<void> at_computer(Journey journey, json::Object page);
    Flow<void> read_or_sign(Journey journey, std::string link, std::string symbol);
    Flow<void> press_again_and_again(Journey journey, std::string path);

    // ---- at the phone
    Flow<void> at_phone(Journey journey);
    Flow<void> type_token(Journey journey, std::string token);
    Flow<void> type_sms_code(Journey journey, device::Phone::EnrolmentPlace place);
    Flow<void> choose_code(Journey journey, device::CodeRules rules);
    Flow<void> visit_bank(Journey journey, device::Phone::EnrolmentPlace place);
    Flow<void> type_landing_code(Journey journey);
    Flow<void> come_back(Journey journey, std::string state);
    void restart_phone(Handset& handset);

    Flow<void> enrol_sometime(Journey journey);
    Flow<void> go_on(Journey journey, int most_rounds);
    Flow<void> one_step(Journey journey);
    Flow<void> undo_by_mistake(Journey journey);
    /// What a failure means to a patient person: how long to wait, what to leave behind.
    Flow<void> take_failure(Journey journey, Failure failure);
    void judge_code_of(Handset& handset, Person const& person);

    Person& new_person(std::string national_number, std::string birth_date, std::string number, std::string code);
    Journey new_journey(Person& person);

    Flow<void> wait_until(Instant when);

    EnrolmentFault fault_;
    std::unique_ptr<SameChance> same_chance_;
    std::unique_ptr<LyingAccounts> lying_accounts_;
    std::unique_ptr<StrictEnrolments> strict_enrolments_;
    std::unique_ptr<SimulatedPapers> papers_;
    std::unique_ptr<SimulatedBank> bank_;
    std::unique_ptr<Vault> vault_;
    std::unique_ptr<page::EnrolmentMeans> means_;
    device::SharedSettings settings_;
    std::unique_ptr<EnrolmentWatcher> watcher_;
    std::deque<Person> people_;
    std::deque<Computer> computers_;
    std::deque<Handset> handsets_;
    std::vector<Journey> journeys_;
    std::map<std::string, std::vector<std::string>> inboxes_; ///< SMS codes that came to a number, oldest first
    int sms_lost_ = 0;                                        ///< in a thousand
    int sms_doubled_ = 0;
    int sms_late_ = 0;
    int permits_late_ = 0;
    int mistakes_ = 0; ///< of people, in a thousand steps
};

} // namespace symbolon::sim

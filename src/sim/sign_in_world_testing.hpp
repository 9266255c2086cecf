#pragma once

#include "device/phone.hpp"
#include "push/delivery.hpp"
#include "sim/planted_fault_testing.hpp"
#include "sim/sign_in_watcher_testing.hpp"
#include "sim/simulated_vault_testing.hpp"
#include "sim/stormy_world_testing.hpp"

#include <deque>
#include <memory>

namespace symbolon::sim {

/// Sign-in, with everybody who has a part in it: holders with a browser or two and a phone, partners, strangers who
/// know a holder's number, the server, its vault, and a network between them. When the storm is over, every holder who
/// is not blocked must get in.
class SignInWorld final : public StormyWorld {
public:
    using Fault = PlantedFault;

    explicit SignInWorld(std::uint64_t seed, Fault fault = Fault::none, bool keeps_journal = false);
    ~SignInWorld();

    /// The whole story.
    void run();

    [[nodiscard]] SignInWatcher& watcher() { return *watcher_; }

private:
    class StandingClock;
    class PhoneTransport;
    class ForgetfulDevices;
    class PushService;

    /// What one browser keeps.
    struct Browser {
        std::string name;
        std::string address;
        std::string cookie;
    };

    /// What a person waits for, as the person knows it.
    struct Wish {
        SignInId sign_in;
        std::string symbol;
        std::string domain;
        bool is_answered = false; ///< as far as the person knows
    };

    /// How somebody goes from a page to a phone (D3).
    enum class Way : std::uint8_t { number, qr, code, link };

    /// A page that the holder goes to with the phone.
    struct Page {
        Browser* browser = nullptr; ///< that shows it
        std::string path;
        Way way = Way::qr;
        bool was_passed_on = false; ///< somebody else sits at it, and sent its link
        bool is_done = false;       ///< claimed, and decided
    };

    struct Holder {
        AccountId account;
        std::string number; ///< as typed, without the calling code
        std::unique_ptr<PhoneTransport> transport;
        std::unique_ptr<device::Phone> phone;
        std::vector<Wish> wishes;
        std::vector<Page> pages;          ///< to go to
        std::map<ActionId, Page> claimed; ///< as far as the phone knows
        Browser* browser = nullptr;       ///< that links open in
        int journeys = 0;                 ///< under way
        int notices = 0;                  ///< notifications that nobody looked at yet
        bool knows_of_the_block = false;  ///< the phone said so when it was to go to a page
    };

    struct Partner {
        ClientId id;
        std::string redirect_uri;
        std::string domain;
    };

    // ---- the server
    [[nodiscard]] ports::Services services(http::Origin origin);
    [[nodiscard]] http::Routes routes(http::Origin origin) override;
    Flow<store::Committed> commit(std::vector<store::Write> writes) override;
    void restarted() override;
    void begin_storm();
    void end_storm();
    void log_in_after_the_storm();

    // ---- people at browsers
    Flow<http::Response> browse(Browser& browser, std::string method, std::string path, http::Parameters form);
    Flow<std::string> begin_at(Partner const& partner, Browser& browser, std::string verifier);
    /// One visit to a partner, until the partner has tokens or the person gives up. Gives whether it has.
    Flow<bool> visit(Holder& holder, Browser& browser, Partner const& partner);
    Flow<void> visit_sometime(Holder& holder, Browser& browser, Partner const& partner, bool& got_in);
    Flow<void> wait_at_page(Browser& browser, std::string path);
    void wish(Holder& holder, Wish wish);
    /// Where the browser is sent: to the partner with a code, or not.
    std::optional<std::string> code_in(http::Response const& answer, Partner const& partner, Browser const& browser,
                                       SignInId const& sign_in);

    // ---- partners
    Flow<http::Response> ask_for_tokens(Partner const& partner, std::string code, std::string verifier);
    Flow<bool> redeem(Partner const& partner, std::string code, std::string verifier);

    // ---- holders at their phones
    Flow<void> look_at_phone(Holder& holder);
    void go_to(Holder& holder, Page page);
    Flow<void> enter(Holder& holder, Page page);
    Flow<void> decide_at_page(Holder& holder, device::Phone::ShownAction action);
    /// Brings an approved link back to its page, by the browser that began or by another, or picks its symbol.
    Flow<void> bring_back(Holder& holder, ActionId action);
    Flow<void> decide(Holder& holder, ActionId action);
    /// Whether the phone was told that it took.
    Flow<bool> approve(Holder& holder, device::Phone::ShownAction action, std::string symbol);
    Flow<void> refuse(Holder& holder, device::Phone::ShownAction action, std::string reason);
    Flow<void> turn_fingerprint_on(Holder& holder);
    device::PhonePasskey new_passkey();
    /// Puts a finger on the phone: the holder's own, or another one, or none.
    void touch(Holder& holder, bool is_own);
    void forget_fingerprint(Holder& holder);

    // ---- strangers
    Flow<void> start_for(Holder& holder, Browser& browser);
    Flow<void> forge_for(Holder& holder, Browser& browser);
    Flow<void> rob(Holder& holder);

    /// What the server does beside its requests.
    Flow<void> sweep_again_and_again();
    /// What the server does with an action that is to ring.
    Flow<void> deliver_notice(ActionId action);
    Flow<void> ring_what_waits();

    /// One of the symbols that a phone shows; none where it shows none.
    std::string symbol_of(std::vector<std::string> const& symbols)
    {
        return symbols.empty() ? std::string{} : one_of(symbols);
    }
    template <class T>
    T const& one_of(std::vector<T> const& many)
    {
        return many[below(static_cast<std::uint32_t>(many.size()))];
    }

    PlantedFault fault_;
    std::unique_ptr<StandingClock> standing_clock_;
    std::unique_ptr<SameChance> same_chance_;
    std::unique_ptr<ForgetfulDevices> forgetful_devices_;
    std::unique_ptr<SignInWatcher> watcher_;
    std::unique_ptr<SimulatedVault> vault_;
    std::deque<Holder> holders_;
    std::deque<Browser> browsers_;
    std::vector<Partner> partners_;

    /// How often what goes wrong with notifications, in a thousand. The storm's end doesn't change it.
    struct PushFaults {
        int refused = 0; ///< by the push service, with each of its ways to say so
        int lost = 0;
        int doubled = 0;
        int late = 0;
    };
    PushFaults push_faults_;
    push::Closed closed_; ///< push services that the server leaves alone for a while

    /// What strangers may have come to know.
    std::vector<std::pair<SignInId, std::string>> known_sign_ins_; ///< with the browser that began it
    std::vector<device::Phone::ShownAction> known_actions_;
    std::vector<device::Transport::Call> known_answers_;
    std::vector<std::string> known_codes_;
    std::string shared_cookie_;
    int assertions_ = 0;
    int credentials_ = 0;
};

} // namespace symbolon::sim

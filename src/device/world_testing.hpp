#pragma once

#include "device/phone.hpp"
#include "device/routes.hpp"
#include "device/vault_requests.hpp"
#include "store/store_testing.hpp"
#include "vault/vault_testing.hpp"

#include <list>
#include <map>

/// A server with everything that the phone API reaches, in memory, and phones that speak with it.
namespace symbolon::device::testing {

/// A vault in this process.
class LocalVault final : public VaultRequests {
public:
    LocalVault(ports::Clock const& clock, crypto::Random& random);

    int tries_of(AccountId const& account);
    bool is_reachable = true;
    int replacements_lost = 0; ///< that many replacements to come never arrive
    int judged = 0;            ///< how often a code was to be judged
    vault::testing::TestKeys keys;

private:
    Flow<vault::Reply> ask(vault::Request request) override;
    [[nodiscard]] crypto::PrivateKey const* permits() const override { return &keys.permits; }
    Result<vault::Reply> reply_to(vault::Request request);
    ports::Clock const& clock_;
    Result<vault::Judge> judge_;
};

class SetClock final : public ports::Clock {
public:
    [[nodiscard]] Instant now() const override { return at; }
    Instant at = store::testing::noon;
};

class KeptMessages final : public ports::Messages {
public:
    Flow<void> send_sms(ports::Sms sms) override;
    bool gateway_works = true;
    std::string last_reference;
    std::vector<std::pair<std::string, std::string>> sent; ///< number, text

    /// The six digits of the last one.
    [[nodiscard]] SecretText last_code() const;
};

/// What phones were to be notified of.
class KeptPush final : public ports::Push {
public:
    void ring(ActionId const& action) override { rung.push_back(action); }
    std::vector<ActionId> rung;
};

/// Ears that hear at once.
class DirectWakeups final : public ports::Wakeups {
public:
    void tell(std::string const& topic) override;
    std::unique_ptr<Watch> watch(std::string topic) override;
    /// Wakes whoever waits for a time that has come.
    void time_is(Instant now);

    std::vector<std::string> told;

private:
    struct Ear;
    class Listening;
    std::list<std::shared_ptr<Ear>> ears_;
};

class KeptLog final : public ports::Log {
public:
    void event(std::string_view name, Fields fields) override;
    void failure(std::string_view name, Failure const& failure, Fields fields) override;
    std::vector<std::string> events;
    std::vector<std::string> lines; ///< the same with all their fields and details
};

/// The server's routes without a network. Can lose messages.
class DirectTransport final : public Transport {
public:
    explicit DirectTransport(http::Routes routes) : routes_{std::move(routes)} {}
    Flow<Reply> send(Call call) override;
    /// The answer of the route as the edge would give it.
    Reply answer(Call const& call);
    /// The stream of events of a route.
    http::Response response(Call const& call);

    int replies_lost = 0; ///< that many replies to come never arrive, though the server did its work
    std::string address = "192.0.2.7";
    std::optional<std::string> origin; ///< Origin header
    std::vector<Call> sent;

private:
    http::Routes routes_;
};

class World {
public:
    World();

    store::testing::RepeatableRandom random{1};
    SetClock clock;
    store::MemoryEngine engine;
    store::Store store{engine, store::testing::keys(), random};
    LocalVault vault{clock, random};
    KeptMessages messages;
    KeptPush push;
    DirectWakeups wakeups;
    KeptLog log;
    ports::Services services;
    std::shared_ptr<Settings> settings;
    DirectTransport transport;

    /// Other limits from now on.
    void limit(std::function<void(Limits&)> const& change);

    /// An enrolment that waits for the phone. Its token is "Ab3+k?7Q" unless said otherwise.
    EnrolmentId enrolment(std::string const& id = "e1", std::string number = "+32470123456",
                          std::string const& token = "Ab3+k?7Q", std::string national_number = "85073003328");
    /// A phone that was enrolled with code 38214, all steps.
    Phone enrolled_phone(std::string const& id = "e1", std::string const& number = "+32470123456",
                         std::string national_number = "85073003328");

    /// An action for that phone; its right symbol is "boat".
    ActionId action(Phone const& phone, std::string const& id = "a1") { return action_for(phone.state().device, id); }
    ActionId action_for(DeviceId const& device, std::string const& id);

    ports::Stored<action::Action> action_now(ActionId const& id);
    ports::Stored<account::Device> device_now(Phone const& phone);
    ports::Stored<account::Account> account_now(Phone const& phone);
    ports::Stored<enrolment::Enrolment> enrolment_now(EnrolmentId const& id);
    std::vector<std::string> history_of(Phone const& phone); ///< events, newest first

    /// A new action, which the phone approves with that code: "approved", or the name of the outcome that it ended in.
    std::string approve(Phone& phone, std::string const& id, SecretText code);
};

inline SecretText const right_code{"38214"};
inline SecretText const wrong_code{"48213"};

} // namespace symbolon::device::testing

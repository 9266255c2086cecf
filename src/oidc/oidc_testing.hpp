#pragma once

#include "base/http.hpp"
#include "oidc/provider.hpp"
#include "ports/services.hpp"
#include "store/store_testing.hpp"

#include <deque>
#include <map>
#include <memory>
#include <set>

/// For tests of the OpenID Provider and of its pages: a provider with clients and a holder over the memory store, a
/// phone that answers at once, and partners that know their lines.
namespace symbolon::oidc::testing {

class Clock final : public ports::Clock {
public:
    [[nodiscard]] Instant now() const override { return at; }
    Instant at = store::testing::noon;
};

/// Wake-ups that wait until they are told something or the test moves the clock and calls `pass`.
class Wakeups final : public ports::Wakeups {
public:
    void tell(std::string const& topic) override;
    std::unique_ptr<Watch> watch(std::string topic) override;
    /// Time is now `now`: whoever waits no longer than that goes on.
    void pass(Instant now);

    std::vector<std::string> told;

private:
    class Ear;
    std::set<Ear*> ears_;
};

class Log final : public ports::Log {
public:
    void event(std::string_view name, Fields fields) override;
    void failure(std::string_view name, Failure const& failure, Fields fields) override;
    std::vector<std::string> lines;
};

/// One partner's way of asking for tokens.
struct TokenRequest {
    http::Parameters form;
    std::string authorization; ///< header; empty: none
};

class Site {
public:
    Site();
    Site(Site const&) = delete;
    Site& operator=(Site const&) = delete;

    static constexpr std::string_view issuer = "https://id.example";
    static constexpr std::string_view secret = "a secret of 256 bits + some% signs";
    static constexpr std::string_view verifier = "a-verifier-that-has-at-least-forty-three-signs.~_0";
    static constexpr std::string_view holders_number = "+32470123456";

    /// Services for a flow. `random` may be another one.
    [[nodiscard]] ports::Services services();

    /// Answers a request by the first of the routes that fits: path and method. Fails as the handler does.
    Result<http::Response> ask(http::Request request);
    void add(http::Routes routes);

    Result<http::Response> get(std::string const& path_and_query, http::Parameters const& headers = {});
    Result<http::Response> post(std::string const& path, http::Parameters const& form,
                                http::Parameters const& headers = {});

    /// A grant with a code, as a holder's approval gives it; the code's text is `code`.
    void give_code(std::string const& code, std::string const& client = "shop",
                   std::vector<std::string> userinfo_claims = {"name", "email"});
    [[nodiscard]] TokenRequest token_request(std::string const& code, std::string const& client = "shop");
    Result<http::Response> send(TokenRequest const& request);

    /// A client assertion (RFC 7523) for "bank", its claims changed by `change`.
    [[nodiscard]] std::string assertion(std::function<void(json::Object&)> const& change = {},
                                        std::string_view type = {});

    /// The holder's phone shows the newest action that waits, and answers it.
    enum class Answer { approve, approve_by_passkey, refuse, wrong_symbol, blocked };
    void phone_shows();
    void phone_answers(Answer answer, std::vector<std::string> granted = {"name", "gender", "birthdate", "email"});
    /// The holder takes back what a client was given.
    void withdraw_consent(std::string const& client);

    [[nodiscard]] partner::Client client(std::string const& id);
    void save(partner::Client const& client);
    void set_account_state(account::State state);

    Clock clock;
    Wakeups wakeups;
    Log log;
    store::testing::RepeatableRandom random{1};
    store::MemoryEngine engine;
    store::Store store{engine, store::testing::keys(), random};
    Provider provider;
    crypto::PrivateKey bank_key;
    AccountId holder{"holder"};
    DeviceId phone{"holders-phone"};

private:
    std::unique_ptr<ports::Vault> vault_;
    std::unique_ptr<ports::Messages> messages_;
    std::unique_ptr<ports::Push> push_;
    http::Routes routes_;
    int assertions_ = 0;
};

/// The value of a header of an answer; empty without one.
std::string header(http::Response const& response, std::string_view name);

/// The parameters of a Location header.
http::Parameters parameters_of_location(http::Response const& response);

/// The payload of a JWT that the provider signed.
json::Object verified_payload(Provider const& provider, std::string const& jwt, std::string* algorithm = nullptr);

} // namespace symbolon::oidc::testing

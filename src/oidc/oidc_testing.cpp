#include "oidc/oidc_testing.hpp"

#include "action/assurance.hpp"
#include "base/text.hpp"
#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "oidc/routes.hpp"

#include <algorithm>

namespace symbolon::oidc::testing {

namespace {

class NoVault final : public ports::Vault {
public:
    Flow<Bytes> public_key() override { co_return fail(Outcome::vault_unreachable); }
    Flow<void> register_code(AccountId, DeviceId, int, Bytes, Bytes) override
    {
        co_return fail(Outcome::vault_unreachable);
    }
    Flow<void> replace_code(AccountId /*account*/, DeviceId /*device*/, int /*code_version*/, Bytes /*nonce*/,
                            Bytes /*sealed_code_key*/, std::string /*by*/, std::int64_t /*move*/) override
    {
        co_return fail(Outcome::vault_unreachable);
    }
    Flow<ports::CodeVerdict> judge(AccountId, DeviceId, ActionId, Bytes, Bytes) override
    {
        co_return fail(Outcome::vault_unreachable);
    }
    Flow<int> tries_left(AccountId) override { co_return fail(Outcome::vault_unreachable); }
    Flow<void> forget(AccountId) override { co_return fail(Outcome::vault_unreachable); }
};

class NoPush final : public ports::Push {
public:
    void ring(ActionId const& /*action*/) override {}
};

class NoMessages final : public ports::Messages {
public:
    Flow<void> send_sms(ports::Sms) override { co_return fail(Outcome::sms_not_sent); }
};

std::vector<crypto::TimedKey> signing_keys()
{
    // Making RSA keys takes long, so a program makes them once.
    static auto const ec = crypto::PrivateKey::generate(crypto::KeyType::ec_p256);
    static auto const rsa = crypto::PrivateKey::generate(crypto::KeyType::rsa);
    static auto const old = crypto::PrivateKey::generate(crypto::KeyType::ec_p256);
    using enum crypto::SignatureAlgorithm;
    return {{.key = {.key_id = "ec-1", .algorithm = es256, .key = old}, .signs_until = Instant{}},
            {.key = {.key_id = "ec-2", .algorithm = es256, .key = ec}},
            {.key = {.key_id = "rsa-1", .algorithm = rs256, .key = rsa}}};
}

partner::Client registered(std::string const& id, partner::ClientAuthentication authentication)
{
    partner::Client client;
    client.id = ClientId{id};
    client.partner = PartnerId{"partner"};
    client.names = {{Language::en, "Shop <&> Co"}, {Language::fr, "Boutique"}};
    client.domain = "shop.example";
    client.redirect_uris = {"https://shop.example/cb", "https://shop.example/cb?tenant=1"};
    client.authentication = authentication;
    client.sector_identifier = id + ".example";
    client.created_at = store::testing::noon;
    return client;
}

} // namespace

// ---- wake-ups

class Wakeups::Ear final : public ports::Wakeups::Watch {
public:
    Ear(Wakeups& wakeups, std::string topic) : wakeups_{wakeups}, topic_{std::move(topic)}
    {
        wakeups_.ears_.insert(this);
    }
    Ear(Ear const&) = delete;
    Ear& operator=(Ear const&) = delete;
    ~Ear() override { wakeups_.ears_.erase(this); }

    Flow<bool> next(Instant until) override
    {
        if (std::exchange(told_, false)) co_return true;
        until_ = until;
        auto const woken = co_await wait_for<bool>([this](Finish<bool> finish) { finish_ = std::move(finish); });
        co_return woken;
    }
    void hear(std::string const& topic)
    {
        if (topic != topic_) return;
        if (finish_) (*std::exchange(finish_, {}))(true);
        else told_ = true;
    }
    void pass(Instant now)
    {
        if (finish_ && now >= until_) (*std::exchange(finish_, {}))(false);
    }

private:
    Wakeups& wakeups_;
    std::string topic_;
    bool told_ = false;
    Instant until_;
    std::optional<Finish<bool>> finish_;
};

void Wakeups::tell(std::string const& topic)
{
    told.push_back(topic);
    auto const ears = ears_;
    for (auto* ear : ears)
        if (ears_.contains(ear)) ear->hear(topic);
}

std::unique_ptr<ports::Wakeups::Watch> Wakeups::watch(std::string topic)
{
    return std::make_unique<Ear>(*this, std::move(topic));
}

void Wakeups::pass(Instant now)
{
    auto const ears = ears_;
    for (auto* ear : ears)
        if (ears_.contains(ear)) ear->pass(now);
}

// ---- log

void Log::event(std::string_view name, Fields fields)
{
    std::string line{name};
    for (auto const& [field, value] : fields) line += ' ' + std::string{field} + '=' + value;
    lines.push_back(line);
}

void Log::failure(std::string_view name, Failure const& failure, Fields fields)
{
    fields.emplace_back("outcome", std::string{name_of(failure.outcome)});
    fields.emplace_back("detail", failure.detail);
    event(name, std::move(fields));
}

// ---- the site

Site::Site()
    : provider{Provider::Settings{.issuer = std::string{issuer},
                                  .keys = signing_keys(),
                                  .pairwise_secret = SecretBytes{Bytes(32, 9)},
                                  .limits = {}}},
      bank_key{crypto::PrivateKey::generate(crypto::KeyType::ec_p256)},
      vault_{std::make_unique<NoVault>()},
      messages_{std::make_unique<NoMessages>()},
      push_{std::make_unique<NoPush>()}
{
    using partner::ClientAuthentication;

    auto shop = registered("shop", ClientAuthentication::client_secret_basic);
    shop.secret_hash = crypto::sha256(secret);
    auto post = registered("poster", ClientAuthentication::client_secret_post);
    post.secret_hash = crypto::sha256(secret);
    auto bank = registered("bank", ClientAuthentication::private_key_jwt);
    auto jwk = bank_key.public_key().jwk();
    jwk["kid"] = "bank-1";
    bank.jwks = json::write(json::Object{{"keys", json::Array{jwk}}});
    bank.id_token_signed_response_alg = "RS256";
    bank.userinfo_signed_response_alg = "ES256";
    auto app = registered("app", ClientAuthentication::none);
    auto old = registered("old", ClientAuthentication::client_secret_basic);
    old.secret_hash = crypto::sha256(secret);
    old.requires_pkce = false;
    for (auto const& each : {shop, post, bank, app, old}) ENSURE(run_now(store.clients().add(each)).has_value());

    auto enrolment = store::testing::enrolment("enrolment", std::string{holders_number});
    ENSURE(run_now(store.enrolments().add(enrolment)).has_value());
    auto const stored = run_now(store.enrolments().find(enrolment.id)).value().value();
    auto account = store::testing::account(holder.text(), std::string{holders_number}, "85073003328");
    account.device = phone;
    auto device = store::testing::device(phone.text(), holder);
    ENSURE(run_now(store.accounts().open(account, device, {1}, stored, store::testing::entry(holder, "enrolled")))
               .has_value());

    add(oidc::routes(provider, services()));
}

ports::Services Site::services()
{
    return {.accounts = store.accounts(),
            .devices = store.devices(),
            .push_subscriptions = store.push_subscriptions(),
            .enrolments = store.enrolments(),
            .contracts = store.contracts(),
            .actions = store.actions(),
            .sign_ins = store.sign_ins(),
            .grants = store.grants(),
            .clients = store.clients(),
            .nonces = store.nonces(),
            .counters = store.counters(),
            .consents = store.consents(),
            .history = store.history(),
            .ledger = store.ledger(),
            .vault = *vault_,
            .messages = *messages_,
            .push = *push_,
            .wakeups = wakeups,
            .clock = clock,
            .random = random,
            .log = log};
}

void Site::add(http::Routes routes)
{
    for (auto& route : routes) routes_.push_back(std::move(route));
}

Result<http::Response> Site::ask(http::Request request)
{
    for (auto const& route : routes_) {
        auto parameters = http::match_path(route.pattern, request.path);
        if (!parameters || route.method != request.method) continue;
        request.path_parameters = *std::move(parameters);
        return run_now(route.handler(std::move(request)));
    }
    return fail(Outcome::not_found);
}

Result<http::Response> Site::get(std::string const& path_and_query, http::Parameters const& headers)
{
    http::Request request;
    request.method = "GET";
    auto const question = path_and_query.find('?');
    request.path = path_and_query.substr(0, question);
    if (question != std::string::npos)
        request.query = TRY(http::parse_parameters(std::string_view{path_and_query}.substr(question + 1)));
    request.headers = headers.pairs();
    return ask(std::move(request));
}

Result<http::Response> Site::post(std::string const& path, http::Parameters const& form,
                                  http::Parameters const& headers)
{
    http::Request request;
    request.method = "POST";
    request.path = path;
    request.headers = headers.pairs();
    request.headers.emplace_back("content-type", "application/x-www-form-urlencoded");
    request.body = http::write_parameters(form);
    return ask(std::move(request));
}

void Site::give_code(std::string const& code, std::string const& client, std::vector<std::string> userinfo_claims)
{
    auto sign_in = store::testing::sign_in("sign-in of " + code);
    ENSURE(run_now(store.sign_ins().add(sign_in)).has_value());
    auto stored = run_now(store.sign_ins().find(sign_in.id)).value().value();
    stored.value.state = grant::SignIn::State::finished;
    grant::Grant grant;
    grant.id = GrantId{"grant of " + code};
    grant.client = ClientId{client};
    grant.account = holder;
    grant.action = ActionId{"action"};
    grant.redirect_uri = "https://shop.example/cb";
    grant.nonce = "n-1";
    grant.code_challenge = client == "old" ? "" : crypto::base64url(crypto::sha256(verifier));
    grant.scopes = {"openid", "profile", "email"};
    grant.userinfo_claims = std::move(userinfo_claims);
    grant.acr = "http://eidas.europa.eu/LoA/low";
    grant.auth_time = clock.at - 5s;
    grant.code_hash = crypto::sha256(code);
    grant.created_at = clock.at;
    grant.expires_at = clock.at + 60s;
    ENSURE(run_now(store.sign_ins().finish(stored, grant)).has_value());
}

TokenRequest Site::token_request(std::string const& code, std::string const& client)
{
    TokenRequest request;
    request.form.add("grant_type", "authorization_code");
    request.form.add("code", code);
    request.form.add("redirect_uri", "https://shop.example/cb");
    if (client != "old") request.form.add("code_verifier", std::string{verifier});
    if (client == "shop" || client == "old") {
        http::Parameters encoded;
        encoded.add("", std::string{secret});
        request.authorization =
            "Basic " + crypto::base64(bytes_of(client + ':' + http::write_parameters(encoded).substr(1)));
    } else request.form.add("client_id", client);
    if (client == "poster") request.form.add("client_secret", std::string{secret});
    if (client == "bank") {
        request.form.add("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        request.form.add("client_assertion", assertion());
    }
    return request;
}

Result<http::Response> Site::send(TokenRequest const& request)
{
    http::Parameters headers;
    if (!request.authorization.empty()) headers.add("authorization", request.authorization);
    return post("/token", request.form, headers);
}

std::string Site::assertion(std::function<void(json::Object&)> const& change, std::string_view type)
{
    json::Object claims{{"iss", "bank"},
                        {"sub", "bank"},
                        {"aud", issuer},
                        {"jti", "assertion-" + std::to_string(++assertions_)},
                        {"iat", numeric_date(clock.at)},
                        {"exp", numeric_date(clock.at + 60s)}};
    if (change) change(claims);
    return crypto::sign_jws({.key_id = "bank-1", .algorithm = crypto::SignatureAlgorithm::es256, .key = bank_key},
                            json::write(claims), type);
}

void Site::phone_shows()
{
    auto const open = run_now(store.actions().open_for(holder, clock.at)).value();
    ENSURE(!open.empty());
    auto const shown = action::show(open.front().value, phone, {1, 2, 3}, clock.at);
    ENSURE(run_now(store.actions().save(changed(open.front(), shown.value()))).has_value());
    wakeups.tell(ports::Wakeups::of(open.front().value.sign_in));
}

void Site::phone_answers(Answer answer, std::vector<std::string> granted)
{
    using Decision = action::VerifiedAnswer::Decision;

    auto const open = run_now(store.actions().open_for(holder, clock.at)).value();
    ENSURE(!open.empty());
    auto const& stored = open.front();
    Result<action::Action> decided = fail(Outcome::internal);
    if (answer == Answer::wrong_symbol)
        decided = action::end(stored.value, action::Event::wrong_symbol, Outcome::symbol_wrong, clock.at);
    else if (answer == Answer::blocked)
        decided = action::end(stored.value, action::Event::block, Outcome::code_blocked, clock.at);
    else {
        std::erase_if(granted, [&](std::string const& name) {
            return std::ranges::count(stored.value.claims, name, &action::RequestedClaim::name) == 0;
        });
        auto const approves = answer == Answer::approve || answer == Answer::approve_by_passkey;
        auto const level = answer == Answer::approve_by_passkey ? action::assurance_substantial : action::assurance_low;
        decided = action::answer(stored.value,
                                 {.device = phone,
                                  .decision = approves ? Decision::approve : Decision::refuse,
                                  .symbol = stored.value.tie == action::Tie::symbol ? stored.value.symbol : "",
                                  .granted_claims = approves ? granted : std::vector<std::string>{},
                                  .acr = approves ? std::string{level} : "",
                                  .record = {4, 5, 6}},
                                 provider.limits().return_lifetime, clock.at);
    }
    auto const device = run_now(store.devices().find(phone)).value().value();
    std::optional<ports::Stored<consent::Consent>> consent;
    if (!decided.value().granted_claims.empty()) {
        auto const before = run_now(store.consents().find(holder, stored.value.client)).value();
        consent = {.value = consent::after(before ? std::optional{before->value} : std::nullopt, *decided, clock.at),
                   .version = before ? before->version : 0};
    }
    ENSURE(run_now(store.actions().decide(changed(stored, decided.value()), device,
                                          store::testing::entry(holder, "answered"), std::move(consent)))
               .has_value());
    wakeups.tell(ports::Wakeups::of(stored.value.sign_in));
}

void Site::withdraw_consent(std::string const& client)
{
    auto const consent = run_now(store.consents().find(holder, ClientId{client})).value().value();
    ENSURE(run_now(store.consents().withdraw(consent, store::testing::entry(holder, "consent_withdrawn"))).has_value());
}

partner::Client Site::client(std::string const& id)
{
    return run_now(store.clients().find(ClientId{id})).value().value().value;
}

void Site::save(partner::Client const& client)
{
    auto const stored = run_now(store.clients().find(client.id)).value().value();
    ENSURE(run_now(store.clients().save(changed(stored, client))).has_value());
}

void Site::set_account_state(account::State state)
{
    auto const stored = run_now(store.accounts().find(holder)).value().value();
    auto account = stored.value;
    account.state = state;
    ENSURE(
        run_now(store.accounts().save(changed(stored, account), store::testing::entry(holder, "changed"))).has_value());
}

std::string header(http::Response const& response, std::string_view name)
{
    for (auto const& [header_name, value] : response.headers)
        if (equal_ignoring_case(header_name, name)) return value;
    return {};
}

http::Parameters parameters_of_location(http::Response const& response)
{
    auto const location = header(response, "Location");
    auto const question = location.find('?');
    if (question == std::string::npos) return {};
    return http::parse_parameters(std::string_view{location}.substr(question + 1)).value();
}

json::Object verified_payload(Provider const& provider, std::string const& jwt, std::string* algorithm)
{
    auto const jws =
        crypto::verify_jws(jwt, provider.own_verification_keys(),
                           std::array{crypto::SignatureAlgorithm::es256, crypto::SignatureAlgorithm::rs256})
            .value();
    if (algorithm != nullptr) *algorithm = json::text(jws.header, "alg").value();
    return json::parse_object(jws.payload).value();
}

} // namespace symbolon::oidc::testing

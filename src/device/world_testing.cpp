#include "device/world_testing.hpp"

#include "base/text.hpp"
#include "crypto/hash.hpp"
#include "crypto/push_encryption.hpp"

#include <algorithm>

namespace symbolon::device::testing {

// ---- vault -------------------------------------------------------------------------------------------------------

LocalVault::LocalVault(ports::Clock const& clock, crypto::Random& random)
    : keys{vault::testing::test_keys(random)},
      clock_{clock},
      judge_{vault::Judge::open(":memory:", keys.keys, random)}
{
    ENSURE(judge_.has_value());
}

Result<vault::Reply> LocalVault::reply_to(vault::Request request)
{
    if (!is_reachable) return fail(Outcome::vault_unreachable);
    auto reply = judge_->answer(std::span{&request, 1}, clock_.now()).front();
    if (reply.outcome) return fail(*reply.outcome);
    return reply;
}

Flow<vault::Reply> LocalVault::ask(vault::Request request)
{
    if (std::holds_alternative<vault::JudgeCode>(request)) ++judged;
    auto const* replacement = std::get_if<vault::RegisterCode>(&request);
    if (replacement != nullptr && !replacement->permit.empty() && replacements_lost > 0) {
        --replacements_lost;
        co_return fail(Outcome::vault_unreachable);
    }
    co_return reply_to(std::move(request));
}

int LocalVault::tries_of(AccountId const& account)
{
    auto const reply = reply_to(vault::AskTries{account});
    return reply ? reply->tries_left : -1;
}

// ---- messages, wake-ups, log ---------------------------------------------------------------------------------------

Flow<void> KeptMessages::send_sms(ports::Sms sms)
{
    if (!gateway_works) co_return fail(Outcome::sms_not_sent);
    last_reference = std::move(sms.reference);
    sent.emplace_back(sms.to.e164(), std::move(sms.text));
    co_return {};
}

SecretText KeptMessages::last_code() const
{
    ENSURE(!sent.empty());
    auto const& text = sent.back().second;
    for (std::size_t at = 0; at + 6 <= text.size(); ++at)
        if (is_digits(text.substr(at, 6))) return SecretText{text.substr(at, 6)};
    ENSURE(false);
    return {};
}

struct DirectWakeups::Ear {
    std::string topic;
    bool heard = false;
    Instant until;
    std::optional<Finish<bool>> waiting;
};

class DirectWakeups::Listening final : public Watch {
public:
    explicit Listening(std::shared_ptr<Ear> ear) : ear_{std::move(ear)} {}
    Flow<bool> next(Instant until) override
    {
        if (std::exchange(ear_->heard, false)) co_return true;
        ear_->until = until;
        auto const heard = co_await wait_for<bool>([ear = ear_](Finish<bool> const& finish) { ear->waiting = finish; });
        ear_->heard = false;
        co_return heard;
    }

private:
    std::shared_ptr<Ear> ear_;
};

void DirectWakeups::tell(std::string const& topic)
{
    told.push_back(topic);
    for (auto const& ear : std::list{ears_}) {
        if (ear->topic != topic) continue;
        ear->heard = true;
        if (auto waiting = std::exchange(ear->waiting, std::nullopt)) (*waiting)(true);
    }
}

std::unique_ptr<DirectWakeups::Watch> DirectWakeups::watch(std::string topic)
{
    auto ear = std::make_shared<Ear>();
    ear->topic = std::move(topic);
    ears_.push_back(ear);
    return std::make_unique<Listening>(std::move(ear));
}

void DirectWakeups::time_is(Instant now)
{
    for (auto const& ear : std::list{ears_})
        if (ear->until <= now)
            if (auto waiting = std::exchange(ear->waiting, std::nullopt)) (*waiting)(false);
}

namespace {

std::string line_of(std::string_view name, ports::Log::Fields const& fields)
{
    std::string line{name};
    for (auto const& [field, value] : fields) line += ' ' + std::string{field} + '=' + std::string{value};
    return line;
}

} // namespace

void KeptLog::event(std::string_view name, Fields fields)
{
    events.emplace_back(name);
    lines.push_back(line_of(name, fields));
}

void KeptLog::failure(std::string_view name, Failure const& failure, Fields fields)
{
    events.push_back(std::string{name} + ": " + std::string{name_of(failure.outcome)});
    lines.push_back(line_of(name, fields) + ' ' + std::string{name_of(failure.outcome)} + ' ' + failure.detail);
}

// ---- transport -----------------------------------------------------------------------------------------------------

namespace {

Transport::Reply as_reply(Result<http::Response> const& result)
{
    Transport::Reply reply;
    if (result) {
        reply.status = result->status;
        reply.body = result->body;
        for (auto const& [name, value] : result->headers) reply.headers.emplace_back(in_small_letters(name), value);
        return reply;
    }
    auto const& failure = result.error();
    reply.status = row_of(failure.outcome).http_status;
    json::Object body{{"outcome", name_of(failure.outcome)}};
    if (failure.tries_left) body["tries_left"] = *failure.tries_left;
    if (failure.open_at) body["open_at"] = numeric_date(*failure.open_at);
    reply.body = json::write(body);
    return reply;
}

} // namespace

http::Response DirectTransport::response(Call const& call)
{
    for (auto const& route : routes_) {
        auto const parameters = http::match_path(route.pattern, call.path);
        if (!parameters || route.method != call.method) continue;
        http::Request request;
        request.origin = http::Origin::phone;
        request.method = call.method;
        request.path = call.path;
        request.path_parameters = *parameters;
        request.body = call.body;
        request.remote_address = address;
        for (auto const& [name, value] : call.headers) request.headers.emplace_back(in_small_letters(name), value);
        if (origin) request.headers.emplace_back("origin", *origin);
        if (call.method == "POST") request.headers.emplace_back("content-type", "application/json");
        auto result = run_now(route.handler(std::move(request)));
        if (result) return *std::move(result);
        auto const reply = as_reply(result);
        return {.status = reply.status, .headers = {}, .body = reply.body, .events = {}};
    }
    ENSURE(false);
    return {};
}

Transport::Reply DirectTransport::answer(Call const& call) { return as_reply(response(call)); }

Flow<Transport::Reply> DirectTransport::send(Call call)
{
    sent.push_back(call);
    auto reply = answer(call);
    if (replies_lost > 0) {
        --replies_lost;
        co_return fail(Outcome::upstream_unreachable, "lost");
    }
    co_return reply;
}

// ---- world -------------------------------------------------------------------------------------------------------

namespace {

std::shared_ptr<Settings> settings_of(crypto::Random& random)
{
    return std::make_shared<Settings>(
        Settings{.origin = "https://phone.example",
                 .nonce_key = SecretBytes{random.bytes(32)},
                 .counter_key = SecretBytes{random.bytes(32)},
                 .sms_key = SecretBytes{Bytes(32, 7)},
                 .record_key = {.key_id = "records-1",
                                .algorithm = crypto::SignatureAlgorithm::es256,
                                .key = crypto::PrivateKey::generate(crypto::KeyType::ec_p256)},
                 .push_key = crypto::push_point(crypto::PrivateKey::generate(crypto::KeyType::ec_p256).public_key()),
                 .push_hosts = {"push.example", "*.push.example"},
                 .limits = {},
                 .texts = {}});
}

} // namespace

World::World()
    : services{.accounts = store.accounts(),
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
               .vault = vault,
               .messages = messages,
               .push = push,
               .wakeups = wakeups,
               .clock = clock,
               .random = random,
               .log = log},
      settings{settings_of(random)},
      transport{device_routes(services, settings)}
{}

void World::limit(std::function<void(Limits&)> const& change) { change(settings->limits); }

EnrolmentId World::enrolment(std::string const& id, std::string number, std::string const& token,
                             std::string national_number)
{
    auto it = store::testing::enrolment(id, std::move(number));
    it.person->national_number = std::move(national_number);
    it.person->birth_date = "1985-07-30";
    it.created_at = clock.now();
    it.expires_at = clock.now() + 24h;
    it.token_hash = crypto::sha256(token);
    it.token_expires_at = clock.now() + 30min;
    it.token_tries = {};
    it.phone_session_hash.clear();
    it.sms_code_hash.clear();
    it.sms_sent_at.clear();
    it.sms_tries = {};
    it.device_nonce.clear();
    it.outcome.reset();
    it.outcome_open_at.reset();
    it.account.reset();
    it.device.reset();
    ENSURE(run_now(services.enrolments.add(it)).has_value());
    return it.id;
}

Phone World::enrolled_phone(std::string const& id, std::string const& number, std::string national_number)
{
    enrolment(id, number, "Ab3+k?7Q", std::move(national_number));
    Phone phone{new_phone(random), transport};
    ENSURE(run_now(phone.start_enrolment("32", number, SecretText{"Ab3+k?7Q"})).has_value());
    auto const rules = run_now(phone.give_sms_code(messages.last_code()));
    ENSURE(rules.has_value());
    ENSURE(run_now(phone.finish_enrolment(right_code, *rules, "Chrome on Android")).has_value());
    return phone;
}

namespace {

template <class T>
ports::Stored<T> there(Result<std::optional<ports::Stored<T>>> found)
{
    ENSURE(found && *found);
    return **std::move(found);
}

} // namespace

ActionId World::action_for(DeviceId const& device_id, std::string const& id)
{
    auto const device = there(run_now(services.devices.find(device_id)));
    auto it = store::testing::action(id, device.value.account, device.value.id);
    it.sign_in = SignInId{"sign-in of " + id};
    it.entry = action::Entry::number;
    it.claims = {{"given_name", true}, {"email", false}};
    it.created_at = clock.now();
    it.expires_at = clock.now() + 3min;
    it.outcome.reset();
    it.shown_at.reset();
    it.decided_at.reset();
    it.shown.clear();
    it.record.clear();
    it.evidence.clear();
    it.granted_claims.clear();
    it.achieved_acr.clear();
    auto sign_in = store::testing::sign_in(it.sign_in.text());
    ENSURE(run_now(services.sign_ins.add(sign_in)).has_value());
    auto stored = run_now(services.sign_ins.find(sign_in.id));
    ENSURE(stored && *stored);
    sign_in.action = it.id;
    ENSURE(run_now(services.actions.start(it, ports::changed(**stored, sign_in))).has_value());
    wakeups.tell(ports::Wakeups::of(device.value.account));
    return it.id;
}

ports::Stored<action::Action> World::action_now(ActionId const& id)
{
    auto stored = there(run_now(services.actions.find(id)));
    auto record = run_now(services.actions.record_of(stored.value));
    ENSURE(record.has_value());
    stored.value.record = *std::move(record);
    return stored;
}

ports::Stored<account::Device> World::device_now(Phone const& phone)
{
    return there(run_now(services.devices.find(phone.state().device)));
}

ports::Stored<account::Account> World::account_now(Phone const& phone)
{
    return there(run_now(services.accounts.find(device_now(phone).value.account)));
}

ports::Stored<enrolment::Enrolment> World::enrolment_now(EnrolmentId const& id)
{
    return there(run_now(services.enrolments.find(id)));
}

std::vector<std::string> World::history_of(Phone const& phone)
{
    auto const entries = run_now(services.history.list(device_now(phone).value.account, 50));
    ENSURE(entries.has_value());
    std::vector<std::string> events;
    for (auto const& entry : *entries) events.push_back(entry.event);
    return events;
}

std::string World::approve(Phone& phone, std::string const& id, SecretText code)
{
    auto const shown = run_now(phone.show(action(phone, id)));
    if (!shown) return std::string{name_of(shown.error().outcome)};
    auto const done = run_now(phone.answer(*shown, {.decision = Answer::Decision::approve,
                                                    .symbol = "boat",
                                                    .code = std::move(code),
                                                    .claims = std::nullopt,
                                                    .reason = {}}));
    return done ? *done : std::string{name_of(done.error().outcome)};
}

} // namespace symbolon::device::testing

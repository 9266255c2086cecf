#include "sim/sign_in_world_testing.hpp"

#include "base/text.hpp"
#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "device/routes.hpp"
#include "entry/unanswered.hpp"
#include "oidc/authorize.hpp"
#include "oidc/routes.hpp"
#include "page/sign_in.hpp"
#include "sim/beginning_testing.hpp"
#include "store/store_testing.hpp"

namespace symbolon::sim {

// ---- what a planted fault takes the place of

class SignInWorld::StandingClock final : public ports::Clock {
public:
    [[nodiscard]] Instant now() const override { return World::beginning; }
};

/// How the holder's phone reaches the server. What it sends of the holder's own answers is told to the Watcher.
class SignInWorld::PhoneTransport final : public device::Transport {
public:
    PhoneTransport(SignInWorld& world, AccountId account, std::string address, bool is_the_holders)
        : world_{world},
          account_{std::move(account)},
          address_{std::move(address)},
          is_the_holders_{is_the_holders}
    {}

    Flow<Reply> send(Call call) override
    {
        if (is_the_holders_ && call.path.ends_with("/answer")) tell_of_answer(call);
        if (is_the_holders_ && call.path == "/d/passkey/on") tell_of_fingerprint(call);
        auto const response = co_await world_.network_->send(request_of(call, address_));
        Reply reply{.status = response.status, .headers = {}, .body = response.body};
        for (auto const& [name, value] : response.headers)
            if (name == "Symbolon-Nonce") reply.headers.emplace_back("symbolon-nonce", value);
        co_return reply;
    }

    bool code_is_right = false;   ///< what the holder typed last
    bool finger_is_right = false; ///< that touched it last
    Bytes credential;             ///< of the fingerprint that is being turned on

private:
    void tell_of_answer(Call const& call)
    {
        auto const answer = device::parse_answer(call.body).value();
        constexpr std::string_view before = "/d/actions/";
        auto const id = call.path.substr(before.size(), call.path.rfind('/') - before.size());
        auto const approves = answer.decision == device::Answer::Decision::approve;
        world_.watcher_->note("phone sends: ", id, approves ? " approve " : " refuse ", answer.symbol, " ",
                              answer.method);
        world_.watcher_->phone_sends({.account = account_,
                                      .action = ActionId{id},
                                      .message = message_of(answer),
                                      .proof = answer.proof,
                                      .symbol = answer.symbol,
                                      .approves = approves,
                                      .code_is_right = code_is_right,
                                      .by_fingerprint = answer.method == "passkey",
                                      .finger_is_right = finger_is_right});
        world_.known_answers_.push_back(call);
    }
    void tell_of_fingerprint(Call const& call)
    {
        auto const on = device::parse_passkey_on(call.body).value();
        world_.watcher_->phone_turns_on(credential, on.proof, code_is_right);
    }

    SignInWorld& world_;
    AccountId account_;
    std::string address_;
    bool is_the_holders_;
};

/// Phones whose holders never denied a request, as far as one can read.
class SignInWorld::ForgetfulDevices final : public ports::Devices {
public:
    explicit ForgetfulDevices(SignInWorld& world) : world_{world} {}

    Flow<std::optional<ports::Stored<account::Device>>> find(DeviceId id) override
    {
        auto found = co_await devices().find(std::move(id));
        if (found) found->value.mutes.clear();
        co_return found;
    }
    Flow<void> save(ports::Stored<account::Device> device) override { return devices().save(std::move(device)); }
    Flow<void> save(ports::Stored<account::Device> device, ports::HistoryEntry entry) override
    {
        return devices().save(std::move(device), std::move(entry));
    }
    Flow<bool> save(ports::Stored<account::Device> device, ports::HistoryEntry entry, ports::Once once) override
    {
        return devices().save(std::move(device), std::move(entry), std::move(once));
    }

private:
    ports::Devices& devices() { return world_.world_->services().devices; }
    SignInWorld& world_;
};

/// The push service of one notification, and the way from there to the phone.
class SignInWorld::PushService final : public push::Carrier {
public:
    PushService(SignInWorld& world, ActionId action) : world_{world}, action_{std::move(action)} { look(); }

    Flow<push::PushAnswer> post(push::PushRequest request) override
    {
        auto& scheduler = world_.world_->scheduler();
        co_await scheduler.turn();
        world_.watcher_->push_service_gets(action_, mutes_before_);
        auto const& faults = world_.push_faults_;
        if (scheduler.happens(faults.refused)) co_return fail(Outcome::upstream_unreachable, "simulated: lost");
        constexpr int gone = 410;
        if (scheduler.happens(faults.refused / 4)) co_return push::PushAnswer{.status = gone, .retry_after = 0s};
        constexpr int busy = 429;
        if (scheduler.happens(faults.refused)) co_return push::PushAnswer{.status = busy, .retry_after = 5s};
        constexpr int down = 503;
        if (scheduler.happens(faults.refused)) co_return push::PushAnswer{.status = down, .retry_after = 9s};

        auto const copies = scheduler.happens(faults.lost) ? 0 : scheduler.happens(faults.doubled) ? 2 : 1;
        for (int copy = 0; copy < copies; ++copy) {
            constexpr std::uint32_t latest = 300;
            auto const late = scheduler.happens(faults.late) ? scheduler.below(latest) : scheduler.below(2);
            scheduler.at(
                scheduler.now() + Seconds{late},
                [&world = world_, account = request.url.substr(request.url.rfind('/') + 1)] { arrive(world, account); },
                Whose::outside);
        }
        constexpr int created = 201;
        co_return push::PushAnswer{.status = created, .retry_after = 0s};
    }
    Flow<void> pause(Seconds duration) override
    {
        co_await world_.world_->scheduler().sleep(duration, Whose::process);
        look();
        co_return {};
    }

private:
    /// The server looks at the action and its phone from here on.
    void look() { mutes_before_ = world_.watcher_->mutes_told(); }

    static void arrive(SignInWorld& world, std::string const& account)
    {
        world.watcher_->note("phone of ", account, " is notified");
        ++world.watcher_->count["notifications arrived"];
        for (auto& holder : world.holders_)
            if (holder.account.text() == account) ++holder.notices;
    }

    SignInWorld& world_;
    ActionId action_;
    std::size_t mutes_before_ = 0;
};

// ---- the server

namespace {

/// Whether holders have had the fingerprint since they enrolled; else some turn it on in the storm.
bool has_fingerprints(std::uint64_t seed) { return seed % 2 == 0; }

} // namespace

SignInWorld::SignInWorld(std::uint64_t seed, PlantedFault fault, bool keeps_journal)
    : StormyWorld{seed, has_fingerprints(seed) ? beginning().engine_with_fingerprints : beginning().engine,
                  fault == PlantedFault::store_loses_its_last_commit ? Commits::may_be_lost : Commits::are_kept},
      fault_{fault},
      standing_clock_{std::make_unique<StandingClock>()},
      same_chance_{std::make_unique<SameChance>()},
      forgetful_devices_{std::make_unique<ForgetfulDevices>(*this)}
{
    auto const& begin = beginning();
    SignInWatcher::Trust trust{.record_key = {.key_id = begin.settings->record_key.key_id,
                                              .algorithm = begin.settings->record_key.algorithm,
                                              .key = begin.settings->record_key.key.public_key()},
                               .grant_key = begin.vault_keys.grants.public_key(),
                               .action_lifetime = begin.provider.limits().action_lifetime,
                               .return_lifetime = begin.provider.limits().return_lifetime,
                               .limits = begin.provider.limits()};
    watcher_ = std::make_unique<SignInWatcher>(*world_, engine_, begin.keys, std::move(trust));
    watcher_->keeps_journal = keeps_journal;
    vault_ = std::make_unique<SimulatedVault>(*world_, *watcher_, begin.vault_keys, fault);
    world_->set_vault(vault_.get());
    start_server(*watcher_);
    world_->on_ring = [this](ActionId const& action) { world_->start(deliver_notice(action)); };

    for (auto const& client : begin.clients)
        partners_.push_back({.id = client.id, .redirect_uri = client.redirect_uris.front(), .domain = client.domain});
    for (auto const& it : begin.holders) {
        auto& holder = holders_.emplace_back();
        holder.account = it.account;
        holder.number = it.typed_number;
        holder.transport = std::make_unique<PhoneTransport>(*this, it.account, "198.51.100.7", true);
        auto phone = it.phone;
        if (has_fingerprints(seed)) {
            phone.passkey = it.fingerprint;
            // One that its maker's cloud copies to other devices doesn't count.
            phone.passkey->authenticator.counts = happens(500);
            watcher_->has_fingerprint(it.fingerprint.authenticator.key.public_key().der());
        }
        holder.phone = std::make_unique<device::Phone>(std::move(phone), *holder.transport);
        auto const registered = run_now(
            vault_->register_code(it.account, it.phone.device, it.phone.code_version, begin.code_nonce, it.code_key));
        ENSURE(registered.has_value());
    }
}

SignInWorld::~SignInWorld() { world_.reset(); }

ports::Services SignInWorld::services(http::Origin origin)
{
    World::Doubles doubles;
    if (fault_ == PlantedFault::clock_stands_still && origin == http::Origin::phone)
        doubles.clock = standing_clock_.get();
    if (fault_ == PlantedFault::chance_is_always_the_same) doubles.random = same_chance_.get();
    if (fault_ == PlantedFault::mutes_are_not_looked_at) doubles.devices = forgetful_devices_.get();
    return world_->services(doubles);
}

http::Routes SignInWorld::routes(http::Origin origin)
{
    auto const& begin = beginning();
    if (origin == http::Origin::phone) return device::device_routes(services(origin), begin.settings);
    auto all = page::sign_in_routes(begin.pages, services(origin));
    for (auto& route : oidc::routes(begin.provider, services(origin))) all.push_back(std::move(route));
    return all;
}

namespace {

bool is_end_without_answer(store::Write const& write)
{
    auto const* line = std::get_if<store::Append>(&write);
    return line != nullptr && (line->entry.kind == "expired" || line->entry.kind == "cancelled");
}

bool is_revocation(std::vector<store::Write> const& writes)
{
    auto const* update = writes.size() == 1 ? std::get_if<store::Update>(&writes.front()) : nullptr;
    return update != nullptr && update->table == store::Table::grant && update->record.state == "revoked";
}

} // namespace

Flow<store::Committed> SignInWorld::commit(std::vector<store::Write> writes)
{
    store::Committed const done{.versions = std::vector<std::int64_t>(writes.size(), 1), .conflict = {}};
    if (fault_ == PlantedFault::store_forgets_history)
        std::erase_if(writes, [](auto const& write) { return std::holds_alternative<store::Append>(write); });
    if (fault_ == PlantedFault::store_tells_of_an_end_twice)
        if (auto const line = std::ranges::find_if(writes, is_end_without_answer); line != writes.end())
            writes.push_back(*line);
    if (fault_ == PlantedFault::store_forgets_revocations && is_revocation(writes)) co_return done;
    auto committed = co_await engine_.commit(std::move(writes));
    if (fault_ == PlantedFault::store_never_says_conflict && committed.conflict) co_return done;
    co_return committed;
}

void SignInWorld::restarted()
{
    closed_ = {};
    world_->start(ring_what_waits());
}

void SignInWorld::begin_storm()
{
    StormyWorld::begin_storm();
    vault_->deaths = 25 * strength();
    // One World of six is without any, to the end.
    push_faults_ = {.refused = 8 * strength(),
                    .lost = happens(160) ? 1000 : 20 * strength(),
                    .doubled = 20 * strength(),
                    .late = 20 * strength()};
    // Where a planted fault lies in wait for something rare, it happens often.
    if (fault_ == PlantedFault::vault_counts_after_it_looked || fault_ == PlantedFault::vault_hides_spent_tries)
        vault_->deaths = 500;
}

void SignInWorld::end_storm()
{
    StormyWorld::end_storm();
    vault_->deaths = 0;
}

Flow<void> SignInWorld::sweep_again_and_again()
{
    auto const under_way = [](Holder const& holder) { return holder.journeys > 0; };
    do {
        co_await sleep(20, 40);
        world_->start(entry::tell_of_unanswered({}, services(http::Origin::phone)));
    } while (std::ranges::any_of(holders_, under_way));
    co_return {};
}

Flow<void> SignInWorld::deliver_notice(ActionId action)
{
    auto const& begin = beginning();
    auto const services = this->services(http::Origin::id);
    PushService carrier{*this, action};
    co_await push::deliver(action, {.actions = services.actions,
                                    .devices = services.devices,
                                    .subscriptions = services.push_subscriptions,
                                    .clock = services.clock,
                                    .random = services.random,
                                    .log = services.log,
                                    .carrier = carrier,
                                    .settings = begin.push,
                                    .closed = closed_,
                                    .nobody = begin.nobodys_subscription});
    co_return {};
}

Flow<void> SignInWorld::ring_what_waits()
{
    auto const services = this->services(http::Origin::id);
    for (auto const& action : co_await services.actions.waiting(services.clock.now()))
        world_->start(deliver_notice(action));
    co_return {};
}

void SignInWorld::run()
{
    begin_storm();
    bool ignored = false;
    auto const several = happens(150);
    for (auto& holder : holders_) {
        auto const visits = happens(300) ? 2 : 1;
        for (int i = 0; i < visits; ++i) {
            auto const number = std::to_string(browsers_.size());
            auto& browser = browsers_.emplace_back(
                Browser{.name = "browser " + number, .address = "192.0.2." + number, .cookie = {}});
            world_->start(visit_sometime(holder, browser, one_of(partners_), ignored), Whose::outside);
            // Another tab of the same browser.
            if (happens(80)) world_->start(visit_sometime(holder, browser, one_of(partners_), ignored), Whose::outside);
        }
        holder.browser = &browsers_.emplace_back(
            Browser{.name = "phone of " + holder.number, .address = "198.51.100.7", .cookie = {}});
        world_->start(look_at_phone(holder), Whose::outside);
        if (!several) break;
    }
    auto& target = holders_.front();
    for (auto const& attack : {&SignInWorld::start_for, &SignInWorld::forge_for}) {
        if (!happens(300)) continue;
        auto const number = std::to_string(browsers_.size());
        auto& browser = browsers_.emplace_back(
            Browser{.name = "stranger " + number, .address = "203.0.113." + number, .cookie = {}});
        world_->start((this->*attack)(target, browser), Whose::outside);
    }
    if (fault_ == PlantedFault::thief_has_phone_and_code) world_->start(rob(target), Whose::outside);
    world_->start(set_clocks(120), Whose::outside);
    world_->start(sweep_again_and_again(), Whose::outside);
    world_->run();

    std::map<AccountId, int> tries;
    for (auto const& holder : holders_) tries[holder.account] = vault_->tries_now(holder.account);
    for (auto const& holder : holders_)
        if (tries[holder.account] > 0) watcher_->judge_phone(holder.phone->state());
    // A whole login costs as much as the storm before it, so it is tried in one World of four.
    if (happens(250)) log_in_after_the_storm();
    for (auto const& holder : holders_) tries[holder.account] = vault_->tries_now(holder.account);
    if (!world_->now(entry::tell_of_unanswered({}, services(http::Origin::phone))))
        watcher_->violated(Invariant::evidence_agrees, "what nobody answered can't be told");
    watcher_->judge(tries);
}

void SignInWorld::log_in_after_the_storm()
{
    end_storm();
    std::deque<bool> got_in;
    for (auto& holder : holders_) {
        if (vault_->tries_now(holder.account) == 0) continue;
        auto& got = got_in.emplace_back(false);
        auto& browser = browsers_.emplace_back(
            Browser{.name = "clean browser of " + holder.number, .address = "192.0.2.200", .cookie = {}});
        world_->start(visit_sometime(holder, browser, partners_.front(), got), Whose::outside);
        world_->start(look_at_phone(holder), Whose::outside);
    }
    world_->run();
    for (auto const got : got_in)
        if (!got) watcher_->violated(Invariant::holder_gets_in, "a holder with tries left did not get in");
}

// ---- people at browsers

namespace {

/// A Cookie header ("a=1; b=2") with one cookie more, or with its new value.
std::string with_cookie(std::string const& header, std::string const& given)
{
    auto const name = given.substr(0, given.find('=') + 1);
    std::string kept;
    for (auto const each : split(header, ';')) {
        auto const one = trimmed(each);
        if (!one.empty() && !one.starts_with(name)) kept += std::string{one} + "; ";
    }
    return kept + given;
}

} // namespace

Flow<http::Response> SignInWorld::browse(Browser& browser, std::string method, std::string path, http::Parameters form)
{
    http::Request request;
    request.method = std::move(method);
    auto const question = path.find('?');
    request.path = path.substr(0, question);
    if (question != std::string::npos)
        request.query = co_await http::parse_parameters(std::string_view{path}.substr(question + 1));
    request.headers = {{"accept", "text/html"},
                       {"accept-language", "en"},
                       {"user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"}};
    if (request.method == "POST") {
        request.headers.emplace_back("origin", beginning().provider.issuer());
        request.headers.emplace_back("content-type", "application/x-www-form-urlencoded");
        request.body = http::write_parameters(form);
    }
    request.remote_address = browser.address;
    constexpr int most_tries = 6;
    constexpr int server_errors = 500;
    for (int tries = 1;; ++tries) {
        auto once = request;
        auto const& cookie = fault_ == PlantedFault::browsers_share_a_cookie ? shared_cookie_ : browser.cookie;
        if (!cookie.empty()) once.headers.emplace_back("cookie", cookie);
        auto answer = co_await outcome_of(network_->send(std::move(once)));
        if (answer)
            for (auto const& [name, value] : answer->headers)
                if (name == "Set-Cookie") {
                    browser.cookie = with_cookie(browser.cookie, value.substr(0, value.find(';')));
                    if (shared_cookie_.empty()) shared_cookie_ = browser.cookie;
                }
        if ((answer && answer->status < server_errors) || tries == most_tries) co_return std::move(answer);
        // The person reloads the page.
        co_await sleep(1, 6);
    }
}

namespace {

std::string header(http::Response const& response, std::string_view name)
{
    for (auto const& [header_name, value] : response.headers)
        if (header_name == name) return value;
    return {};
}

/// What stands between the quotes of an attribute of a page.
std::string attribute(http::Response const& page, std::string const& name)
{
    auto const begin = page.body.find(name + "=\"");
    if (begin == std::string::npos) return {};
    auto const value = begin + name.size() + 2;
    return page.body.substr(value, page.body.find('"', value) - value);
}

constexpr std::string_view page_path = "/sign-in/";

SignInId sign_in_of(std::string const& path) { return SignInId{path.substr(page_path.size())}; }

} // namespace

Flow<std::string> SignInWorld::begin_at(Partner const& partner, Browser& browser, std::string verifier)
{
    http::Parameters const parameters{{{"response_type", "code"},
                                       {"client_id", partner.id.text()},
                                       {"redirect_uri", partner.redirect_uri},
                                       {"scope", "openid profile"},
                                       {"state", "state of " + browser.name},
                                       {"nonce", "nonce"},
                                       {"code_challenge", crypto::base64url(crypto::sha256(verifier))},
                                       {"code_challenge_method", "S256"}}};
    auto const answer = co_await browse(browser, "GET", "/authorize?" + http::write_parameters(parameters), {});
    auto path = header(answer, "Location");
    if (!path.starts_with(page_path)) co_return fail(Outcome::unavailable, "the partner was told of an error");
    watcher_->note(browser.name, " begins at ", partner.id.text(), ": ", path);
    watcher_->browser_began(sign_in_of(path), browser.name);
    known_sign_ins_.emplace_back(sign_in_of(path), browser.name);
    co_return path;
}

void SignInWorld::wish(Holder& holder, Wish wish)
{
    auto const same = [&](Wish const& each) { return each.sign_in == wish.sign_in && each.symbol == wish.symbol; };
    if (std::ranges::any_of(holder.wishes, same)) return;
    std::erase_if(holder.wishes, [&](Wish const& each) { return each.sign_in == wish.sign_in; });
    if (!wish.symbol.empty()) holder.wishes.push_back(std::move(wish));
}

std::optional<std::string> SignInWorld::code_in(http::Response const& answer, Partner const& partner,
                                                Browser const& browser, SignInId const& sign_in)
{
    auto const location = header(answer, "Location");
    if (!location.starts_with(partner.redirect_uri + '?')) return std::nullopt;
    auto const parameters = http::parse_parameters(std::string_view{location}.substr(location.find('?') + 1));
    if (!parameters) return std::nullopt;
    std::string code{parameters->value("code")};
    watcher_->note(browser.name, " is sent to the partner ", code.empty() ? "without a code" : "with a code");
    if (code.empty()) return std::nullopt;
    watcher_->browser_gets(code, browser.name, sign_in);
    known_codes_.push_back(code);
    return code;
}

Flow<void> SignInWorld::wait_at_page(Browser& browser, std::string path)
{
    if (happens(300)) {
        co_await sleep(4, 16);
        co_return {};
    }
    http::Request request;
    request.method = "GET";
    request.path = path + "/events";
    request.headers = {{"accept", "text/event-stream"}, {"cookie", browser.cookie}};
    request.remote_address = browser.address;
    auto is_news = [](std::string const& data) {
        return data.find("waiting") == std::string::npos && data.find("shown") == std::string::npos;
    };
    co_await outcome_of(network_->first_event(std::move(request), is_news, 60s));
    co_await sleep(0, 2);
    co_return {};
}

Flow<bool> SignInWorld::visit(Holder& holder, Browser& browser, Partner const& partner)
{
    std::string const verifier = "verifier-of-a-partner-that-has-forty-three-signs-" + std::to_string(below(1'000'000));
    auto const path = co_await begin_at(partner, browser, verifier);
    auto const id = sign_in_of(path);
    constexpr std::array ways{Way::number, Way::number, Way::number, Way::number, Way::qr, Way::code, Way::link};
    auto const way = ways.at(below(ways.size()));
    constexpr int most_looks = 40;
    for (int look = 0; look < most_looks; ++look) {
        auto const page = co_await browse(browser, "GET", path, {});
        http::Parameters form;
        if (page.body.contains("id=\"waiting\"")) {
            auto symbol = attribute(page, "data-symbol");
            watcher_->note(browser.name, " waits with ", symbol);
            wish(holder, {.sign_in = id, .symbol = std::move(symbol), .domain = partner.domain});
            co_await wait_at_page(browser, path);
            if (!is_calm_ && happens(20)) form.add(happens(500) ? "cancel" : "restart", "1");
        } else if (page.body.contains("name=\"identifier\"")) {
            if (page.body.contains("too_many_requests")) co_await sleep(20, 60);
            if (way != Way::number) {
                if (holder.knows_of_the_block) co_return false;
                go_to(holder, {.browser = &browser, .path = path, .way = way});
                co_await sleep(5, 10);
                continue;
            }
            form = http::Parameters{{{"calling_code", "32"}, {"identifier", holder.number}, {"continue", "1"}}};
        } else if (page.body.contains("name=\"restart\"") && happens(500)) {
            form.add("restart", "1");
        } else {
            wish(holder, {.sign_in = id, .symbol = {}, .domain = {}});
            auto const answer = co_await browse(browser, "GET", path + "/continue", {});
            if (header(answer, "Location") == path) continue; // somebody was faster, or it is open again
            auto const code = code_in(answer, partner, browser, id);
            if (!code) co_return false;
            // Two workers of one partner may take the same callback.
            auto const doubles = fault_ == PlantedFault::store_never_says_conflict ? 500 : 20;
            if (!is_calm_ && happens(doubles)) world_->start(redeem(partner, *code, verifier), Whose::outside);
            co_return co_await redeem(partner, *code, verifier);
        }
        if (!form.empty()) co_await outcome_of(browse(browser, "POST", path, std::move(form)));
    }
    co_return false;
}

Flow<void> SignInWorld::visit_sometime(Holder& holder, Browser& browser, Partner const& partner, bool& got_in)
{
    ++holder.journeys;
    // In the calm: after the minute in which tries of before count.
    co_await sleep(is_calm_ ? 120 : 0, 30);
    auto const visited = co_await outcome_of(visit(holder, browser, partner));
    --holder.journeys;
    watcher_->note(browser.name, visited && *visited ? " is in" : " gives up");
    got_in = visited && *visited;
    if (got_in) ++watcher_->count[is_calm_ ? "logins in the calm" : "logins in the storm"];
    co_return {};
}

// ---- partners

Flow<http::Response> SignInWorld::ask_for_tokens(Partner const& partner, std::string code, std::string verifier)
{
    auto const& begin = beginning();
    http::Parameters form{{{"grant_type", "authorization_code"},
                           {"code", std::move(code)},
                           {"redirect_uri", partner.redirect_uri},
                           {"code_verifier", std::move(verifier)}}};
    http::Request request;
    request.method = "POST";
    request.path = "/token";
    request.headers = {{"content-type", "application/x-www-form-urlencoded"}};
    request.remote_address = "192.0.2.250";
    if (partner.id == begin.with_secret) {
        request.headers.emplace_back("authorization", begin.basic_authorization());
    } else if (partner.id == begin.with_key) {
        form.add("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        form.add("client_assertion",
                 begin.assertion("assertion " + std::to_string(++assertions_), world_->clock_now()));
    } else {
        form.add("client_id", partner.id.text());
    }
    request.body = http::write_parameters(form);
    return network_->send(std::move(request));
}

Flow<bool> SignInWorld::redeem(Partner const& partner, std::string code, std::string verifier)
{
    if (fault_ != PlantedFault::store_never_says_conflict) co_await sleep(0, 2);
    constexpr int most_tries = 3;
    auto got = false;
    for (int tries = 0; tries < most_tries; ++tries) {
        auto const answer = co_await outcome_of(ask_for_tokens(partner, code, verifier));
        auto const body = answer ? json::parse_object(answer->body) : Result<json::Object>{fail(Outcome::unavailable)};
        auto const token = body ? json::text(*body, "access_token") : Result<std::string>{fail(Outcome::unavailable)};
        if (token) {
            watcher_->note(partner.id.text(), " has tokens");
            watcher_->partner_gets(code, *token);
            got = true;
        } else if (answer && answer->body.contains("code_used")) {
            watcher_->note(partner.id.text(), " is told that the code was used");
            watcher_->partner_is_told_used(code);
            got = false;
        }
        if (token && (is_calm_ || happens(300))) {
            http::Request request;
            request.method = "GET";
            request.path = "/userinfo";
            request.headers = {{"authorization", "Bearer " + *token}};
            request.remote_address = "192.0.2.250";
            // A refusal that is still on its way back when this is sent proves nothing.
            auto const was_used = watcher_->is_told_used(code);
            auto const claims = co_await outcome_of(network_->send(std::move(request)));
            if (claims && claims->status == 200 && was_used) watcher_->token_is_believed();
        }
        auto const again = answer ? !is_calm_ && happens(50) : happens(700);
        if (!again) break;
        co_await sleep(1, 5);
    }
    co_return got;
}

// ---- holders at their phones

Flow<void> SignInWorld::look_at_phone(Holder& holder)
{
    constexpr int most_looks = 120;
    for (int look = 0; look < most_looks; ++look) {
        co_await sleep(4, 8);
        if (holder.journeys == 0) co_return {};
        auto const is_notified = std::exchange(holder.notices, 0) > 0;
        auto const waits = is_notified || !holder.pages.empty() ||
                           std::ranges::any_of(holder.wishes, [](Wish const& each) { return !each.is_answered; }) ||
                           std::ranges::any_of(holder.claimed, [](auto const& each) { return !each.second.is_done; });
        if (!waits && !happens(50)) continue;
        // The app was closed meanwhile: what it knows is what it keeps.
        if (happens(100)) holder.phone = std::make_unique<device::Phone>(holder.phone->state(), *holder.transport);
        for (auto& page : std::exchange(holder.pages, {})) {
            auto const entered = co_await outcome_of(enter(holder, std::move(page)));
            if (entered) continue;
            watcher_->note("phone: not entered, ", name_of(entered.error().outcome));
            if (entered.error().outcome == Outcome::account_blocked) holder.knows_of_the_block = true;
        }
        if (!is_calm_ && !holder.phone->state().passkey && happens(40)) co_await turn_fingerprint_on(holder);
        auto const pending = co_await outcome_of(holder.phone->pending());
        if (!pending) {
            watcher_->note("phone: no list, ", name_of(pending.error().outcome));
            continue;
        }
        watcher_->phone_lists(*pending);
        for (auto const& each : *pending) {
            auto const decided =
                co_await outcome_of(each.returning ? bring_back(holder, each.id) : decide(holder, each.id));
            if (!decided) watcher_->note("phone: ", each.id.text(), " ", name_of(decided.error().outcome));
        }
    }
    co_return {};
}

void SignInWorld::go_to(Holder& holder, Page page)
{
    auto const is_same = [&](Page const& each) { return each.path == page.path; };
    if (std::ranges::none_of(holder.pages, is_same)) holder.pages.push_back(std::move(page));
}

Flow<void> SignInWorld::enter(Holder& holder, Page page)
{
    device::Claim claim;
    if (page.way == Way::qr) {
        http::Request request;
        request.method = "GET";
        request.path = page.path + "/events";
        request.headers = {{"accept", "text/event-stream"}, {"cookie", page.browser->cookie}};
        request.remote_address = page.browser->address;
        auto is_picture = [](std::string const& data) { return data.contains("#qr="); };
        auto const address = co_await network_->first_event(std::move(request), is_picture, 10s);
        // Most point the camera at it at once; some are slow, and meet another one.
        if (!is_calm_ && happens(100)) co_await sleep(2, 4);
        claim = co_await device::claim_of_address(address, is_calm_ || happens(850));
    } else {
        auto const shown = co_await browse(*page.browser, "GET", page.path, {});
        if (page.way == Way::code) {
            claim = {.by = device::Claim::By::code, .value = attribute(shown, "data-code")};
        } else {
            auto const begin = shown.body.find("#link=");
            if (begin == std::string::npos) co_return {};
            claim = co_await device::claim_of_address(
                std::string_view{shown.body}.substr(begin, shown.body.find('"', begin) - begin), false);
        }
    }
    if (claim.value.empty()) co_return {};
    auto const action = co_await holder.phone->claim(claim);
    ++watcher_->count["pages claimed by " + std::string{device::name_of(claim.by)}];
    watcher_->note("phone claims ", page.path, " by ", device::name_of(claim.by), ": ", action.text());
    if (page.was_passed_on) watcher_->link_was_passed_on(action);
    holder.claimed.try_emplace(action, std::move(page));
    co_return {};
}

Flow<void> SignInWorld::decide_at_page(Holder& holder, device::Phone::ShownAction action)
{
    auto const id = action.shown.action;
    auto& page = holder.claimed.at(id);
    std::string symbol;
    if (action.shown.wants_symbol()) {
        auto const sign_in = sign_in_of(page.path);
        auto const wish = std::ranges::find(holder.wishes, sign_in, &Wish::sign_in);
        if (wish == holder.wishes.end()) co_return {}; // the page has not shown it yet
        wish->is_answered = true;
        symbol = is_calm_ || happens(950) ? wish->symbol : symbol_of(action.shown.symbols);
    }
    auto const refuses = page.was_passed_on ? happens(500) : !is_calm_ && happens(60);
    if (refuses) {
        page.is_done = true;
        co_return co_await outcome_of(
            refuse(holder, std::move(action), page.was_passed_on ? "not_me" : "changed_mind"));
    }
    page.is_done = true;
    auto const got = co_await outcome_of(approve(holder, std::move(action), std::move(symbol)));
    if (!got || !*got) co_return {};
    // Most people go back to their page at once; others find it in the app's list.
    if (page.way == Way::link && (is_calm_ || happens(700))) co_await bring_back(holder, id);
    co_return {};
}

Flow<void> SignInWorld::bring_back(Holder& holder, ActionId action)
{
    auto const claimed = holder.claimed.find(action);
    if (claimed == holder.claimed.end()) co_return {};
    auto const& page = claimed->second;
    auto shown = co_await holder.phone->show(action);
    auto const at = shown.return_address.find('#');
    if (at == std::string::npos) co_return {};
    auto const sign_in = sign_in_of(page.path);
    auto const wish = std::ranges::find(holder.wishes, sign_in, &Wish::sign_in);
    if (!is_calm_ && !page.was_passed_on && wish != holder.wishes.end() && happens(200)) {
        auto symbol = happens(900) ? wish->symbol : symbol_of(shown.shown.symbols);
        watcher_->phone_matches(action, symbol);
        watcher_->phone_is_told(action, co_await holder.phone->match(std::move(shown), std::move(symbol)));
        co_return {};
    }
    // A link opens in whatever browser is the phone's own, which began or not.
    auto const elsewhere = page.was_passed_on || (!is_calm_ && happens(200));
    auto& browser = elsewhere ? *holder.browser : *page.browser;
    watcher_->browser_returns(sign_in, browser.name);
    http::Parameters proof{{{"proof", shown.return_address.substr(at + 1)}}};
    co_await outcome_of(browse(browser, "POST", page.path + "/return", std::move(proof)));
    co_return {};
}

Flow<void> SignInWorld::decide(Holder& holder, ActionId action)
{
    auto shown = co_await holder.phone->show(action);
    watcher_->note("phone shows ", action.text());
    watcher_->phone_shows(action, shown.bytes);
    known_actions_.push_back(shown);
    auto const called_away = fault_ == PlantedFault::clock_stands_still ? 500 : 30;
    if (!is_calm_ && happens(called_away)) co_await sleep(100, 200);
    else co_await sleep(5, 10);
    if (holder.claimed.contains(action)) co_return co_await outcome_of(decide_at_page(holder, std::move(shown)));

    auto const symbols = shown.shown.symbols;
    auto const mine = std::ranges::find_if(holder.wishes, [&](Wish const& each) {
        return each.domain == shown.shown.partner_domain && std::ranges::count(symbols, each.symbol) == 1;
    });
    if (mine != holder.wishes.end()) mine->is_answered = true;
    if (mine == holder.wishes.end()) {
        // Somebody else's, or one whose page has gone on. Most people leave it or refuse; one in ten is careless.
        if (is_calm_ || happens(500)) co_return {};
        if (happens(800)) co_return co_await outcome_of(refuse(holder, std::move(shown), happens(500) ? "not_me" : ""));
        co_await outcome_of(approve(holder, std::move(shown), symbol_of(symbols)));
        co_return {};
    }
    if (!is_calm_ && happens(60)) co_return co_await outcome_of(refuse(holder, std::move(shown), "changed_mind"));
    if (!is_calm_ && happens(30)) co_return {};
    auto symbol = is_calm_ || happens(950) ? mine->symbol : symbol_of(symbols);
    auto const page = mine->sign_in;
    auto const got = co_await outcome_of(approve(holder, std::move(shown), std::move(symbol)));
    // It was somebody else's with the same picture, and over: who is calm looks for their own.
    if (is_calm_ && !(got && *got))
        for (auto& wish : holder.wishes)
            if (wish.sign_in == page) wish.is_answered = false;
    co_return {};
}

Flow<bool> SignInWorld::approve(Holder& holder, device::Phone::ShownAction action, std::string symbol)
{
    auto const lies_in_wait =
        fault_ == PlantedFault::vault_hides_spent_tries || fault_ == PlantedFault::vault_counts_after_it_looked;
    // Who has a fingerprint forgets the code more easily.
    auto const forgetful = lies_in_wait ? 900 : holder.phone->state().passkey ? 150 : 60;
    auto const mostly_wrong = !is_calm_ && happens(forgetful);
    constexpr int most_tries = 5;
    auto is_blocked = false;
    for (int tries = 0; tries < most_tries; ++tries) {
        // Who has forgotten the code tries the finger after it.
        auto const by_finger =
            holder.phone->state().passkey && (is_blocked || happens(mostly_wrong && tries < 3 ? 150 : 600));
        auto const right = is_calm_ || !(mostly_wrong ? happens(850) : happens(80));
        if (by_finger) touch(holder, right);
        holder.transport->code_is_right = right && !by_finger;
        auto const code = right ? beginning().right_code : beginning().wrong_code;
        auto const told =
            co_await outcome_of(holder.phone->answer(action, {.decision = device::Answer::Decision::approve,
                                                              .symbol = symbol,
                                                              .code = by_finger ? SecretText{} : code,
                                                              .claims = std::nullopt,
                                                              .reason = {}}));
        if (told) {
            watcher_->phone_is_told(action.shown.action, *told);
            co_return true;
        }
        auto const why = told.error().outcome;
        watcher_->note("phone: approval ", name_of(why));
        ++watcher_->count["approvals refused: " + std::string{name_of(why)}];
        auto const is_off = why == Outcome::passkey_unknown || why == Outcome::passkey_clone_suspected;
        if (is_off) forget_fingerprint(holder);
        is_blocked = why == Outcome::code_blocked && holder.phone->state().passkey;
        auto const again = is_off || is_blocked || why == Outcome::code_wrong || why == Outcome::passkey_wrong ||
                           why == Outcome::upstream_unreachable || why == Outcome::vault_unreachable ||
                           why == Outcome::store_failed;
        if (!again || happens(200)) co_return false;
        co_await sleep(4, 6);
    }
    co_return false;
}

void SignInWorld::touch(Holder& holder, bool is_own)
{
    auto state = holder.phone->state();
    // An authenticator tells of a touch by anybody, and that it verified nobody (WebAuthn §6.1, UP without UV).
    state.passkey->authenticator.user_verified = is_own || fault_ == PlantedFault::fingers_are_not_looked_at;
    holder.transport->finger_is_right = is_own;
    holder.phone = std::make_unique<device::Phone>(std::move(state), *holder.transport);
}

void SignInWorld::forget_fingerprint(Holder& holder)
{
    auto state = holder.phone->state();
    state.passkey.reset();
    holder.phone = std::make_unique<device::Phone>(std::move(state), *holder.transport);
}

device::PhonePasskey SignInWorld::new_passkey()
{
    auto id = crypto::sha256("credential " + std::to_string(++credentials_));
    device::PhonePasskey passkey{.authenticator = passkey::new_authenticator(std::move(id)),
                                 .party = passkey::relying_party_at(beginning().settings->origin)};
    passkey.authenticator.counts = happens(500);
    return passkey;
}

Flow<void> SignInWorld::turn_fingerprint_on(Holder& holder)
{
    constexpr int most_tries = 3;
    for (int tries = 0; tries < most_tries; ++tries) {
        auto const right = happens(850);
        auto passkey = new_passkey();
        holder.transport->credential = passkey.authenticator.key.public_key().der();
        holder.transport->code_is_right = right;
        auto const on = co_await outcome_of(
            holder.phone->turn_passkey_on(std::move(passkey), right ? beginning().right_code : beginning().wrong_code));
        watcher_->note("phone: fingerprint ", on ? "on" : name_of(on.error().outcome));
        ++watcher_->count[on ? "fingerprints turned on" : "fingerprints not turned on"];
        if (!on && on.error().outcome == Outcome::passkey_refused)
            watcher_->violated(Invariant::holder_gets_in, "a phone's own new fingerprint was refused as known already");
        if (on || on.error().outcome == Outcome::account_blocked || happens(200)) co_return {};
        co_await sleep(4, 6);
    }
    co_return {};
}

Flow<void> SignInWorld::refuse(Holder& holder, device::Phone::ShownAction action, std::string reason)
{
    holder.transport->code_is_right = false;
    auto const id = action.shown.action;
    auto const is_mute = reason == "not_me";
    auto const told = co_await holder.phone->answer(std::move(action), {.decision = device::Answer::Decision::refuse,
                                                                        .symbol = {},
                                                                        .code = {},
                                                                        .claims = std::nullopt,
                                                                        .reason = std::move(reason)});
    watcher_->phone_is_told(id, told);
    if (is_mute && told == "refused") watcher_->phone_is_told_of_mute(id);
    co_return {};
}

// ---- strangers

Flow<void> SignInWorld::start_for(Holder& holder, Browser& browser)
{
    constexpr std::uint32_t most = 4;
    auto const times = 1 + below(most);
    for (std::uint32_t i = 0; i < times; ++i) {
        co_await sleep(0, 20);
        auto const& partner = one_of(partners_);
        auto const path = co_await outcome_of(begin_at(partner, browser, std::string(43, 's')));
        if (!path) continue;
        if (happens(300)) {
            // A link in a message: "your parcel waits".
            go_to(holder, {.browser = &browser, .path = *path, .way = Way::link, .was_passed_on = true});
        } else {
            http::Parameters number{{{"calling_code", "32"}, {"identifier", holder.number}, {"continue", "1"}}};
            co_await outcome_of(browse(browser, "POST", *path, std::move(number)));
        }
        co_await sleep(5, 60);
        // Perhaps the holder was careless; then it is the stranger who began.
        auto const answer = co_await outcome_of(browse(browser, "GET", *path + "/continue", {}));
        if (answer) {
            auto code = code_in(*answer, partner, browser, sign_in_of(*path));
            if (code) co_await outcome_of(redeem(partner, *std::move(code), std::string(43, 's')));
        }
        // A sign-in of somebody else, whose address came to be known.
        auto const [other, began] = one_of(known_sign_ins_);
        if (began == browser.name) continue;
        std::string const others = std::string{page_path} + other.text();
        for (auto const* what : {"/continue", "", "cancel"}) {
            http::Parameters form;
            auto const cancels = std::string_view{what} == "cancel";
            if (cancels) form.add("cancel", "1");
            auto const got = co_await outcome_of(
                browse(browser, cancels ? "POST" : "GET", cancels ? others : others + what, std::move(form)));
            if (!got) continue;
            ++watcher_->count["other people's sign-ins tried"];
            for (auto const& each : partners_) code_in(*got, each, browser, other);
            constexpr int forbidden = 403;
            if (got->status < forbidden)
                watcher_->violated(Invariant::result_goes_where_it_began, "a stranger's browser was let in");
        }
        // A code that somebody saw, at another partner and without its verifier: it is good for nothing.
        if (known_codes_.empty()) continue;
        auto const code = one_of(known_codes_);
        auto const stolen = co_await outcome_of(ask_for_tokens(one_of(partners_), code, std::string(43, 't')));
        if (stolen && stolen->status == 200) watcher_->violated(Invariant::code_is_redeemed_once, "by a thief");
        if (stolen && stolen->body.contains("code_used")) watcher_->partner_is_told_used(code);
    }
    co_return {};
}

Flow<void> SignInWorld::forge_for(Holder& holder, Browser& browser)
{
    constexpr std::uint32_t most = 6;
    auto const times = 1 + below(most);
    PhoneTransport transport{*this, holder.account, browser.address, false};
    for (std::uint32_t i = 0; i < times; ++i) {
        co_await sleep(5, 25);
        if (known_actions_.empty()) continue;
        auto const action = one_of(known_actions_);
        auto forged = beginning().strangers_phone;
        auto const as_holder = happens(700);
        if (as_holder) forged.device = holder.phone->state().device;
        if (happens(500)) forged.ratchet = holder.phone->state().ratchet;
        if (fault_ == PlantedFault::signatures_are_for_everybody) {
            forged.device = holder.phone->state().device;
            forged.device_key = holder.phone->state().device_key;
            forged.ratchet = holder.phone->state().ratchet;
        }
        ++watcher_->count["messages forged"];
        auto const kind = below(4);
        if (kind == 0 && !known_answers_.empty()) {
            // What the holder once said, said of something else.
            auto call = one_of(known_answers_);
            auto const path = "/d/actions/" + action.shown.action.text() + "/answer";
            if (call.path != path) {
                call.path = path;
                co_await outcome_of(transport.send(std::move(call)));
            }
            continue;
        }
        device::Phone phone{forged, transport};
        if (kind == 1) {
            co_await outcome_of(phone.show(action.shown.action));
            continue;
        }
        auto const refuses = kind == 2;
        auto const by_finger = !refuses && happens(400);
        if (by_finger) {
            auto passkey = new_passkey();
            if (happens(500)) {
                co_await outcome_of(phone.turn_passkey_on(std::move(passkey), beginning().wrong_code));
                continue;
            }
            phone.take_passkey(std::move(passkey));
        }
        co_await outcome_of(phone.answer(
            action, {.decision = refuses ? device::Answer::Decision::refuse : device::Answer::Decision::approve,
                     .symbol = refuses ? std::string{} : symbol_of(action.shown.symbols),
                     .code = refuses || by_finger ? SecretText{} : beginning().wrong_code,
                     .claims = std::nullopt,
                     .reason = {}}));
    }
    co_return {};
}

Flow<void> SignInWorld::rob(Holder& holder)
{
    co_await sleep(10, 20);
    PhoneTransport transport{*this, holder.account, "203.0.113.99", false};
    device::Phone phone{holder.phone->state(), transport};
    for (auto const& each : co_await phone.pending()) {
        auto const shown = co_await phone.show(each.id);
        co_await outcome_of(phone.answer(shown, {.decision = device::Answer::Decision::approve,
                                                 .symbol = symbol_of(shown.shown.symbols),
                                                 .code = beginning().right_code,
                                                 .claims = std::nullopt,
                                                 .reason = {}}));
    }
    co_return {};
}

} // namespace symbolon::sim

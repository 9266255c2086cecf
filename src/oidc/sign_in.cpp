#include "oidc/sign_in.hpp"

#include "action/assurance.hpp"
#include "action/queue.hpp"
#include "action/symbols.hpp"
#include "base/json.hpp"
#include "consent/claims.hpp"
#include "consent/consent.hpp"
#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "entry/asking.hpp"
#include "entry/offer.hpp"
#include "entry/record.hpp"
#include "oidc/authorization_request.hpp"
#include "oidc/authorization_response.hpp"
#include "oidc/subject.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>

namespace symbolon::oidc {

namespace {

using action::Action;
using grant::SignIn;
using ports::Services;
using ports::Stored;
using ports::Wakeups;
using At = Standing::At;

Result<void> check_open(SignIn const& sign_in, Instant now)
{
    if (sign_in.state == SignIn::State::finished) return fail(Outcome::sign_in_finished);
    if (now >= sign_in.expires_at) return fail(Outcome::sign_in_expired);
    return {};
}

/// Whether this is the browser that began. `browser`: its cookie.
bool began(SignIn const& sign_in, std::optional<std::string> const& browser)
{
    return browser && equal_in_constant_time(crypto::sha256(*browser), sign_in.browser_hash);
}

/// The phone that can be asked for a number.
struct Phone {
    AccountId account;
    account::Device device;
};

/// D7: what is read from the store is the same number of records whether or not there is such a phone.
Flow<std::optional<Phone>> phone_of(account::PhoneNumber number, Services services)
{
    auto const account = co_await services.accounts.find_by_phone_number(number);
    auto const has_device = account && account->value.device;
    auto const nobodys = DeviceId{crypto::base64url(crypto::sha256("no device " + number.e164()))};
    auto const device = co_await services.devices.find(has_device ? *account->value.device : nobodys);
    auto const can_be_asked = has_device && account->value.state == account::State::active && device &&
                              device->value.state == account::Device::State::bound &&
                              device->value.account == account->value.id;
    if (!can_be_asked) co_return std::optional<Phone>{};
    co_return std::optional{Phone{.account = account->value.id, .device = device->value}};
}

/// What one household or office has: an address of IPv4, or the first 64 bits of one of IPv6 (RFC 6177 §2).
std::string household_of(std::string const& address)
{
    std::array<Byte, 16> bytes{};
    if (::inet_pton(AF_INET6, address.c_str(), bytes.data()) != 1) return address;
    constexpr std::size_t network_bytes = 8;
    return crypto::hex(ByteView{bytes}.first(network_bytes));
}

/// A start by number from that network, whatever it finds; a known browser may have as many as it likes.
ports::OneMore one_start(Bytes network, bool known, Limits const& limits)
{
    ports::OneMore more{.kind = "sign_in_address", .key = std::move(network), .window = 1min, .at_most = {}};
    if (!known) more.at_most = limits.sign_ins_a_minute_per_address;
    return more;
}

/// Ends an action that nobody needs any more. Whoever was faster may keep it: its sign-in looks elsewhere by now.
Flow<void> end_action(std::optional<Stored<Action>> stored, Outcome why, Services services)
{
    auto const now = services.clock.now();
    if (!stored || !is_open(stored->value, now)) co_return {};
    auto const ended = co_await end(stored->value, action::Event::cancel, why, now);
    auto const saved = co_await outcome_of(services.actions.save(changed(*stored, ended)));
    if (!saved && saved.error().outcome != Outcome::conflict) co_return std::unexpected{saved.error()};
    if (ended.account) services.wakeups.tell(Wakeups::of(*ended.account));
    co_return {};
}

bool names(std::vector<std::string> const& json_texts, std::string_view value)
{
    return std::ranges::count(json_texts, json::write(json::Value(value))) > 0;
}

/// OpenID Connect Core 1.0 §5.5.1.1: "the Authorization Server MUST return an acr Claim Value that matches one of the
/// requested values". What reaches a level meets those below it, so where the client doesn't take the level that was
/// achieved, it is told the highest of its own that was met. Fails: acr_unmet.
Result<std::string> acr_to_report(grant::AuthorizationRequest const& request, std::string const& achieved)
{
    auto const required = required_acr_values(request);
    if (required.empty() || names(required, achieved)) return achieved;
    std::optional<std::string> met;
    for (auto const level : action::assurance_levels) {
        if (level == achieved) break;
        if (names(required, level)) met = level;
    }
    if (!met || std::ranges::count(action::assurance_levels, achieved) == 0) return fail(Outcome::acr_unmet);
    return *std::move(met);
}

/// Whether the approval is what the client required: the person (OpenID Connect Core 1.0 §5.5.1, id_token_hint) and the
/// level (§5.5.1.1).
Result<void> check_approval(FoundSignIn const& found, std::string const& acr, Provider const& provider)
{
    auto const& request = found.sign_in.value.request;
    auto const subjects = requested_subjects(request);
    if (!subjects.empty() && !names(subjects, subject_of(found.action->value.account.value(), found.client, provider)))
        return fail(Outcome::other_person);
    TRY(acr_to_report(request, acr));
    return {};
}

/// The sign-in that waits for the action, as the page shows it.
SignIn waiting_for(SignIn sign_in, Action const& action, account::PhoneNumber const& number, Limits const& limits)
{
    constexpr std::size_t hint_digits = 2;
    auto const& digits = number.e164();
    sign_in = entry::waiting_for(std::move(sign_in), action, limits);
    sign_in.typed_hint = digits.substr(digits.size() - std::min(digits.size(), hint_digits));
    return sign_in;
}

/// Draws the symbols and stores action and sign-in, with what is remembered of the number: not the symbol of the last
/// request nor the one that the page showed before, and who is one too many doesn't ring (D5). The same for a number
/// that nobody has. Gives whether it may ring. Fails: conflict, too_many_requests.
Flow<bool> start(Action action, Stored<SignIn> before, account::PhoneNumber number, bool known,
                 Provider const& provider, Services services)
{
    auto const& limits = provider.limits();
    auto const now = action.created_at;
    auto const counted = one_start(action.origin.network, known, limits);
    // Somebody else may start for the same number at this moment: then again, with another draw.
    for (int rounds_left = known ? 3 : 20; rounds_left > 0; --rounds_left) {
        auto trace = co_await services.actions.trace_of(number);
        action =
            entry::with_symbols(std::move(action), {trace.value.last_symbol, before.value.symbol}, services.random);
        action.first = known;
        action.quiet = !known && action::is_one_too_many(trace.value, action.origin, action.client, now, limits);
        // The holder's own does not use up what strangers may.
        if (known) {
            trace.value.last_symbol = action.symbol;
        } else {
            trace.value = action::with_start(std::move(trace.value),
                                             {.at = now, .network = action.origin.network, .client = action.client},
                                             action.id, action.symbol, limits);
        }
        auto const oldest = action::take_oldest(trace.value);
        auto const sign_in = changed(before, waiting_for(before.value, action, number, limits));
        auto const started =
            co_await services.actions.start_by_number(action, sign_in, number, std::move(trace), oldest, counted);
        if (started) co_return !action.quiet;
    }
    // So many at once can only be strangers: whoever lost each time goes on without leaving a trace.
    auto const count = co_await services.counters.add(counted.kind, counted.key, counted.window, now);
    if (count > counted.at_most.value_or(count)) co_return fail(Outcome::too_many_requests);
    auto sign_in = changed(before, waiting_for(before.value, action, number, limits));
    co_await services.actions.start(std::move(action), std::move(sign_in));
    co_return known;
}

Flow<std::string> finish_with_error(FoundSignIn found, Failure failure, Provider const& provider, Services services)
{
    auto finished = found.sign_in.value;
    finished.state = SignIn::State::finished;
    co_await services.sign_ins.save(changed(found.sign_in, finished));
    services.log.event("sign_in_ended",
                       {{"client", found.client.id.text()}, {"outcome", std::string{name_of(failure.outcome)}}});
    co_return error_location(finished.request.redirect_uri, finished.request.state, failure, provider);
}

Flow<std::string> finish_with_code(FoundSignIn found, std::string acr, Provider const& provider, Services services)
{
    auto const now = services.clock.now();
    auto const& action = found.action->value;
    auto finished = found.sign_in.value;
    finished.state = SignIn::State::finished;

    auto const code = services.random.token();
    auto released = consent::release(finished.request, found.client, action.granted_claims);
    grant::Grant grant;
    grant.id = GrantId{crypto::time_ordered_id(now, services.random)};
    grant.client = found.client.id;
    grant.account = action.account.value();
    grant.action = action.id;
    grant.redirect_uri = finished.request.redirect_uri;
    grant.nonce = finished.request.nonce;
    grant.code_challenge = finished.request.code_challenge;
    grant.scopes = finished.request.scopes;
    grant.id_token_claims = std::move(released.id_token);
    grant.userinfo_claims = std::move(released.userinfo);
    grant.acr = co_await acr_to_report(finished.request, acr);
    grant.achieved_acr = std::move(acr);
    grant.auth_time = action.decided_at.value_or(now);
    grant.code_hash = crypto::sha256(code.reveal());
    grant.created_at = now;
    grant.expires_at = now + provider.limits().authorization_code_lifetime;
    co_await services.sign_ins.finish(changed(found.sign_in, finished), std::move(grant));
    services.log.event("code_given", {{"client", found.client.id.text()}});
    co_return code_location(finished.request, code.reveal(), provider);
}

} // namespace

std::string_view name_of(Standing::At at)
{
    constexpr std::array<std::string_view, 7> names{"form",     "waiting", "shown",   "returning",
                                                    "approved", "ended",   "finished"};
    return names.at(static_cast<std::size_t>(at));
}

Bytes network_of(std::string const& address, Provider const& provider)
{
    return crypto::hmac_sha256(provider.counter_secret(), bytes_of("address " + household_of(address)));
}

Standing standing_of(SignIn const& sign_in, Action const* action, Instant now)
{
    using State = action::State;

    if (sign_in.state == SignIn::State::finished) return {.at = At::finished, .outcome = {}};
    if (sign_in.outcome) return {.at = At::ended, .outcome = sign_in.outcome};
    if (now >= sign_in.expires_at) return {.at = At::ended, .outcome = Outcome::sign_in_expired};
    if (action == nullptr) return {.at = At::form, .outcome = {}};

    if (action->state == State::approved) return {.at = At::approved, .outcome = {}};
    if (action->state == State::refused) return {.at = At::ended, .outcome = Outcome::action_refused};
    if (action->state == State::failed && action->outcome == Outcome::symbol_wrong)
        return {.at = At::ended, .outcome = Outcome::symbol_wrong};
    if (action->state == State::expired || now >= action->expires_at)
        return {.at = At::ended, .outcome = Outcome::action_expired};
    if (action->state == State::returning) return {.at = At::returning, .outcome = {}};
    return {.at = action->shown_at ? At::shown : At::waiting, .outcome = {}};
}

Flow<FoundSignIn> find_sign_in(SignInId id, std::optional<std::string> browser, Services services)
{
    constexpr std::size_t longest_id = 64;
    if (id.text().size() > longest_id) co_return fail(Outcome::sign_in_unknown);
    auto const stored = co_await services.sign_ins.find(id);
    if (!stored) co_return fail(Outcome::sign_in_unknown);
    auto const& sign_in = stored->value;
    // The result goes only to the browser that began (design.md §6): a link that was passed on shows nothing.
    if (!began(sign_in, browser)) co_return fail(Outcome::sign_in_of_other_browser);

    FoundSignIn found;
    found.sign_in = *stored;
    auto client = co_await services.clients.find(sign_in.request.client);
    if (!client) co_return fail(Outcome::client_unknown, "removed since");
    found.client = std::move(client->value);
    if (sign_in.action) found.action = co_await services.actions.find(*sign_in.action);
    co_return found;
}

Flow<void> ask_phone(FoundSignIn found, Question question, Provider const& provider, Services services)
{
    auto const now = services.clock.now();
    auto const& sign_in = found.sign_in.value;
    co_await check_open(sign_in, now);
    auto const at = found.standing(now).at;
    // A second click, or a page that was sent twice.
    if (at == At::waiting || at == At::shown || at == At::returning || at == At::approved) co_return {};

    action::Origin const origin{.browser = sign_in.browser_hash, .network = network_of(question.address, provider)};
    auto const phone = co_await phone_of(question.number, services);
    // Nobody is stopped at a browser that the phone's holder has used, whatever others do in the same network.
    auto const known = phone && action::is_known(phone->device, origin);
    auto action = entry::new_action(sign_in, found.client, provider.limits(), now, services.random);
    if (phone) {
        action.account = phone->account;
        action.device = phone->device.id;
    }
    action.entry = action::Entry::number;
    action.origin = origin;
    action.browser = question.browser;

    auto const id = action.id;
    auto const may_ring =
        co_await outcome_of(start(std::move(action), found.sign_in, question.number, known, provider, services));
    if (!may_ring && may_ring.error().outcome == Outcome::too_many_requests)
        co_return fail_until(Outcome::too_many_requests, now + 1min);
    if (!may_ring) co_return std::unexpected{may_ring.error()};
    auto const muted = phone && action::is_muted(phone->device, origin, now);
    services.wakeups.tell(Wakeups::of(phone ? phone->account : AccountId{"nobody"}));
    if (*may_ring && !muted) services.push.ring(id);
    services.wakeups.tell(Wakeups::of(sign_in.id));
    services.log.event("phone_asked", {{"client", found.client.id.text()}});
    co_return {};
}

Flow<void> ask_again(FoundSignIn found, Services services)
{
    auto sign_in = found.sign_in.value;
    auto const now = services.clock.now();
    co_await check_open(sign_in, now);
    // A page that was sent twice keeps what it offers.
    if (sign_in.state == SignIn::State::started && !sign_in.outcome) co_return {};
    entry::make_offer(sign_in, now, services.random);
    sign_in.state = SignIn::State::started;
    sign_in.action.reset();
    sign_in.outcome.reset();
    co_await services.sign_ins.save(changed(found.sign_in, sign_in));
    co_await end_action(found.action, Outcome::cancelled, services);
    services.wakeups.tell(Wakeups::of(sign_in.id));
    co_return {};
}

Flow<void> cancel_sign_in(FoundSignIn found, Services services)
{
    auto sign_in = found.sign_in.value;
    if (sign_in.state == SignIn::State::finished) co_return fail(Outcome::sign_in_finished);
    // The sign-in first: from here on an approval leads nowhere.
    sign_in.outcome = Outcome::sign_in_cancelled;
    co_await services.sign_ins.save(changed(found.sign_in, sign_in));
    co_await end_action(found.action, Outcome::sign_in_cancelled, services);
    services.wakeups.tell(Wakeups::of(sign_in.id));
    co_return {};
}

Flow<std::optional<std::string>> way_back(FoundSignIn found, Provider const& provider, Services services)
{
    auto const standing = found.standing(services.clock.now());
    switch (standing.at) {
    case At::finished: co_return fail(Outcome::sign_in_finished);
    case At::form:
    case At::waiting:
    case At::shown:
    case At::returning: co_return std::optional<std::string>{};
    case At::ended:
        co_return co_await finish_with_error(found, fail(standing.outcome.value()).error(), provider, services);
    case At::approved: break;
    }
    auto const& achieved = found.action->value.achieved_acr;
    std::string const acr{achieved.empty() ? action::assurance_low : achieved};
    // D4: what was taken back after the approval is not given any more.
    auto const& approved = found.action->value;
    auto const consent = approved.granted_claims.empty()
                             ? std::nullopt
                             : co_await services.consents.find(approved.account.value(), found.client.id);
    if (consent && !consent::still_holds(approved.granted_claims, consent->value))
        co_return co_await finish_with_error(found, fail(Outcome::action_refused).error(), provider, services);
    auto const checked = check_approval(found, acr, provider);
    if (!checked) co_return co_await finish_with_error(found, checked.error(), provider, services);
    co_return co_await finish_with_code(found, acr, provider, services);
}

namespace {

/// A proven return, in the history; and its browser is one of the holder's own from now on (decision 0007).
Flow<void> settle_proven(Stored<Action> proven, Services services)
{
    auto const now = services.clock.now();
    auto const& action = proven.value;
    auto const device = co_await services.devices.find(action.device.value());
    if (device) {
        auto knows = action::with_known_browser(device->value, action.origin, now);
        auto const saved = co_await outcome_of(
            services.actions.decide(proven, changed(*device, std::move(knows)), entry::approval(action, now)));
        if (saved) co_return {};
        if (saved.error().outcome != Outcome::conflict) co_return std::unexpected{saved.error()};
    }
    // The phone does something else at this moment. The login counts more than that its browser is known.
    co_await services.actions.settle(proven, entry::approval(action, now));
    co_return {};
}

} // namespace

Flow<Returned> come_back(Return back, crypto::SigningKey const& record_key, Services services)
{
    auto const stored = co_await services.sign_ins.find(back.sign_in);
    if (!stored) co_return fail(Outcome::sign_in_unknown);
    auto const& sign_in = stored->value;
    auto const is_here = began(sign_in, back.browser);
    auto const otherwise = is_here ? Returned::here : Returned::elsewhere;

    auto const now = services.clock.now();
    if (!sign_in.action || !entry::offers(sign_in) || sign_in.outcome) co_return otherwise;
    auto const action = co_await services.actions.find(*sign_in.action);
    auto const right = entry::return_value(sign_in, *sign_in.action);
    if (!action || !equal_in_constant_time(bytes_of(right), bytes_of(back.proof))) co_return otherwise;
    if (action->value.state != action::State::returning) co_return otherwise;

    if (!is_here) {
        if (action->value.returned_elsewhere) co_return Returned::elsewhere;
        auto noted = action->value;
        noted.returned_elsewhere = true;
        co_await services.actions.save(changed(*action, noted));
        services.wakeups.tell(Wakeups::of(sign_in.id));
        services.wakeups.tell(Wakeups::of(noted.account.value()));
        services.log.event("returned_elsewhere", {{"client", sign_in.request.client.text()}});
        co_return Returned::elsewhere;
    }

    auto const proven = action::prove(action->value, now);
    if (!proven) co_return otherwise; // too late: the page says so
    auto approved = *proven;
    approved.record = entry::tied_record(approved.record, {.tied = action::Tied::proven, .at = now}, record_key);
    co_await settle_proven(changed(*action, approved), services);
    services.wakeups.tell(Wakeups::of(sign_in.id));
    services.wakeups.tell(Wakeups::of(approved.account.value()));
    services.log.event("action_approved", {{"client", sign_in.request.client.text()}});
    co_return Returned::here;
}

namespace {

bool may_change(At at) { return at == At::form || at == At::waiting || at == At::shown || at == At::returning; }

std::string write(Standing const& standing)
{
    json::Object data{{"at", name_of(standing.at)}};
    if (standing.outcome) data["outcome"] = name_of(*standing.outcome);
    return json::write(data);
}

} // namespace

Flow<void> tell_standing(SignInId id, std::string app_url, Provider const& provider, Services services,
                         http::EventSink& sink)
{
    // What was told between two looks is not missed; a hint that was lost is made up for by looking again.
    constexpr Seconds longest_without_a_look = 15s;
    auto const watch = services.wakeups.watch(Wakeups::of(id));
    auto const ends_at = services.clock.now() + provider.limits().event_stream_lifetime;
    std::string last;
    for (;;) {
        auto now = services.clock.now();
        if (now >= ends_at) co_return {};
        auto const sign_in = co_await services.sign_ins.find(id);
        if (!sign_in) co_return {};
        std::optional<Stored<Action>> action;
        if (sign_in->value.action) action = co_await services.actions.find(*sign_in->value.action);

        auto const standing = standing_of(sign_in->value, action ? &action->value : nullptr, now);
        auto text = write(standing);
        if (text != last) co_await sink.send("state", text);
        last = std::move(text);
        if (!may_change(standing.at)) co_return {};

        auto const expires_at = action ? action->value.expires_at : sign_in->value.expires_at;
        auto const look_again = std::min({expires_at, ends_at, now + longest_without_a_look});
        if (standing.at != At::form || !entry::offers(sign_in->value)) {
            co_await watch->next(look_again);
            continue;
        }
        // A QR code a step, until something happens. What it is made of stays here, so nothing is read for it.
        for (auto told = false; !told && now < look_again; now = services.clock.now()) {
            co_await sink.send("qr", app_url + "#qr=" + entry::qr_value(sign_in->value, now));
            told = co_await watch->next(std::min(look_again, now + entry::qr_step));
        }
    }
}

} // namespace symbolon::oidc

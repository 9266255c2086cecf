#include "device/actions.hpp"

#include "account/ratchet.hpp"
#include "action/assurance.hpp"
#include "action/methods.hpp"
#include "action/queue.hpp"
#include "consent/consent.hpp"
#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "device/authentication.hpp"
#include "device/fingerprint.hpp"
#include "device/messages.hpp"
#include "device/nonce.hpp"
#include "device/out_of_use.hpp"
#include "device/record.hpp"
#include "device/shown.hpp"
#include "entry/asking.hpp"
#include "entry/offer.hpp"
#include "entry/record.hpp"

#include <algorithm>

namespace symbolon::device {

namespace {

using account::Account;
using account::Device;
using account::Ratchet;
using action::Action;
using action::Tie;
using crypto::base64url;
using ports::HistoryEntry;
using ports::Services;
using ports::Stored;
using ports::Wakeups;
using Decision = Answer::Decision;

constexpr std::size_t tx_nonce_bytes = 16;

json::Object partner_of(std::map<Language, std::string> const& names, std::string const& domain)
{
    json::Object by_language;
    for (auto const& [language, name] : names) by_language.emplace(name_of(language), name);
    return {{"name", std::move(by_language)}, {"domain", domain}};
}

json::Array texts_of(std::vector<std::string> const& values)
{
    json::Array array;
    for (auto const& value : values) array.emplace_back(value);
    return array;
}

std::string_view word_of(action::State state)
{
    switch (state) {
    case action::State::shown: return "shown";
    case action::State::returning: return "returning";
    default: return "waiting";
    }
}

/// The actions that this phone can answer, as JSON, in the order of action::queue.
Flow<json::Array> actions_for(Account account, Device device, Services services)
{
    json::Array list;
    if (account.state != account::State::active) co_return list;
    auto const now = services.clock.now();
    auto stored = co_await services.actions.open_for(account.id, now);
    std::vector<Action> open;
    for (auto& each : stored)
        if (each.value.device == account.device) open.push_back(std::move(each.value));
    for (auto const& place : action::queue(open, device, now)) {
        auto const& action = open.at(place.index);
        list.push_back(json::Object{{"id", action.id.text()},
                                    {"created_at", numeric_date(action.created_at)},
                                    {"expires_at", numeric_date(action.expires_at)},
                                    {"state", word_of(action.state)},
                                    {"rings", place.rings},
                                    {"muted", place.muted},
                                    {"entry", name_of(action.entry)},
                                    {"returned_elsewhere", action.returned_elsewhere},
                                    {"partner", partner_of(action.partner_names, action.partner_domain)},
                                    {"browser", action.browser}});
    }
    co_return list;
}

/// What is kept of the holder's consent where an approval changes it.
Flow<std::optional<Stored<consent::Consent>>> changed_consent(Action approved, Services services)
{
    if (approved.claims.empty()) co_return std::optional<Stored<consent::Consent>>{};
    // As it is now: the holder may have taken it back since the question was shown.
    auto const before = co_await services.consents.find(approved.account.value(), approved.client);
    auto const kept = before ? std::optional{before->value} : std::nullopt;
    if (!consent::changes(consent::recall(approved.claims, kept), approved.granted_claims))
        co_return std::optional<Stored<consent::Consent>>{};
    auto after = consent::after(kept, approved, services.clock.now());
    co_return std::optional{
        Stored<consent::Consent>{.value = std::move(after), .version = before ? before->version : 0}};
}

/// An action of this account. Another account's is as unknown as one that never was.
Flow<Stored<Action>> action_of(AccountId account, std::string id, Services services)
{
    auto found = co_await services.actions.find(ActionId{std::move(id)});
    if (!found || found->value.account != account) co_return fail(Outcome::action_unknown);
    co_return *std::move(found);
}

void tell(Services const& services, Action const& action)
{
    services.wakeups.tell(Wakeups::of(action.sign_in));
    if (action.account) services.wakeups.tell(Wakeups::of(*action.account));
}

/// What the holder reads of an action afterwards, and what this phone had to do with it.
HistoryEntry history(Device const& device, Action const& action, std::string event, Instant at, json::Object detail)
{
    detail["device"] = device.id.text();
    return entry::history(device.account, action, std::move(event), at, std::move(detail));
}

/// Whether the ticked claims are some of those that were shown, in their order, with every one that is required.
bool fits(std::vector<std::string> const& ticked, std::vector<action::RequestedClaim> const& asked)
{
    auto next = ticked.begin();
    for (auto const& claim : asked) {
        if (next != ticked.end() && *next == claim.name) ++next;
        else if (claim.essential) return false;
    }
    return next == ticked.end();
}

/// Everything that an answer is about, as the store had it.
struct Asked {
    Answer answer;
    crypto::PublicKey device_key;
    Stored<Device> device;
    Stored<Account> account;
    Stored<Action> action;
};

/// Ends the action, with its record, other than by approval.
Flow<void> end_action(Asked asked, action::Event event, Outcome why, std::string_view symbol, Device device,
                      std::string history_event, Services services, SharedSettings settings)
{
    auto const now = services.clock.now();
    auto ended = co_await action::end(asked.action.value, event, why, now);
    ended.record = sign_record({.action = ended,
                                .device = device,
                                .device_key = asked.device_key,
                                .answer = asked.answer,
                                .grant = {},
                                .symbol = symbol,
                                .state = "failed",
                                .at = now},
                               settings->record_key);
    auto entry = history(device, ended, std::move(history_event), now, {{"outcome", name_of(why)}});
    co_await services.actions.decide(changed(asked.action, ended), changed(asked.device, std::move(device)),
                                     std::move(entry));
    tell(services, ended);
    services.log.event("action_failed", {{"outcome", std::string{name_of(why)}}, {"client", ended.client.text()}});
    co_return {};
}

/// The vault has no try left for this account: the account is blocked, and the action ends.
Flow<void> block(Asked asked, Services services)
{
    auto const now = services.clock.now();
    co_await block_account(
        asked.account,
        history(asked.device.value, asked.action.value, "blocked", now, {{"outcome", name_of(Outcome::code_blocked)}}),
        services);
    auto const ended = action::end(asked.action.value, action::Event::block, Outcome::account_blocked, now);
    if (ended) co_await outcome_of(services.actions.save(changed(asked.action, *ended)));
    tell(services, asked.action.value);
    co_return {};
}

/// The answer to a refusal, the same when it is asked again.
http::Response refused_answer(Device const& device, Action const& action, Answer const& answer)
{
    json::Object object{{"state", "refused"}};
    if (answer.reason == "not_me") {
        auto const mute = std::ranges::find_if(device.mutes, [&](Device::Mute const& each) {
            return each.browser == action.origin.browser && each.network == action.origin.network;
        });
        if (mute != device.mutes.end()) object["muted_until"] = numeric_date(mute->until);
    }
    return http::json(200, json::write(object));
}

Flow<http::Response> refuse(Asked asked, action::VerifiedAnswer verified, Services services, SharedSettings settings)
{
    auto const now = services.clock.now();
    verified.record = sign_record({.action = asked.action.value,
                                   .device = asked.device.value,
                                   .device_key = asked.device_key,
                                   .answer = asked.answer,
                                   .grant = {},
                                   .symbol = "none",
                                   .state = "refused",
                                   .at = now},
                                  settings->record_key);
    auto const refused = co_await action::answer(asked.action.value, verified, settings->limits.return_lifetime, now);
    auto device = asked.device.value;
    json::Object detail{{"reason", asked.answer.reason}};
    if (asked.answer.reason == "not_me") {
        // D5: whoever asked stays silent on this phone for a while.
        device = action::with_mute(std::move(device), refused, now, now + settings->limits.mute_lifetime);
        detail["muted_until"] = numeric_date(device.mutes.front().until);
    }
    auto entry = history(device, refused, "refused", now, std::move(detail));
    co_await services.actions.decide(changed(asked.action, refused), changed(asked.device, device), std::move(entry));
    tell(services, refused);
    services.log.event("action_refused", {{"client", refused.client.text()}, {"reason", asked.answer.reason}});
    co_return refused_answer(device, refused, asked.answer);
}

/// Where the phone goes to bring an approved link back to its page; nothing where there is nothing to bring.
Flow<std::string> return_address(Action action, Services services, SharedSettings settings)
{
    if (action.state != action::State::returning) co_return std::string{};
    auto const sign_in = co_await services.sign_ins.find(action.sign_in);
    if (!sign_in || !entry::offers(sign_in->value)) co_return std::string{};
    co_return settings->id_origin + "/sign-in/" + action.sign_in.text() + "/return#" +
        entry::return_value(sign_in->value, action.id);
}

/// The answer to an approval.
Flow<http::Response> approved(Action action, Device device, Services services, SharedSettings settings)
{
    json::Object object{{"state", "approved"}, {"ratchet", base64url(device.ratchet)}};
    auto const back = co_await return_address(action, services, settings);
    if (action.state == action::State::returning) object["state"] = "returning";
    if (!back.empty()) object["return"] = back;
    co_return http::json(200, json::write(object));
}

std::string_view tied_by(Tie tie)
{
    switch (tie) {
    case Tie::symbol: return entry::name_of(action::Tied::matched);
    case Tie::scan: return entry::name_of(action::Tied::scanned);
    case Tie::browser: return entry::name_of({});
    }
    return entry::name_of({});
}

/// 13, with the code: the vault's grant. Fails: code_wrong, code_blocked, vault_unreachable.
Flow<Bytes> judge_code(Asked asked, Services services)
{
    auto judged =
        co_await outcome_of(services.vault.judge(asked.account.value.id, asked.device.value.id, asked.action.value.id,
                                                 message_of(asked.answer), asked.answer.proof));
    auto const blocked =
        judged ? !judged->right && judged->tries_left == 0 : judged.error().outcome == Outcome::code_blocked;
    if (blocked) {
        co_await block(std::move(asked), services);
        co_return fail(Outcome::code_blocked);
    }
    if (!judged) co_return std::unexpected{judged.error()};
    if (!judged->right) {
        co_await services.history.append(
            history(asked.device.value, asked.action.value, "code_wrong", services.clock.now(), {}));
        co_return fail_with_tries(Outcome::code_wrong, judged->tries_left);
    }
    co_return std::move(judged->grant);
}

/// 13, with the fingerprint: the passkey as it is then. Fails: code_blocked, vault_unreachable, passkey_wrong,
/// passkey_clone_suspected.
Flow<JudgedAssertion> judge_fingerprint(Asked asked, Ratchet used, Services services, SharedSettings settings)
{
    // No fingerprint passes where the code is blocked, though a crash may have kept the account from hearing of it.
    auto const tries = co_await services.vault.tries_left(asked.account.value.id);
    if (tries == 0) {
        co_await block(std::move(asked), services);
        co_return fail(Outcome::code_blocked);
    }
    auto device = asked.device.value;
    auto const judged =
        judge_assertion(device.passkey.value(), asked.answer.proof, message_of(asked.answer), used, *settings);
    if (!judged && judged.error().outcome == Outcome::passkey_clone_suspected) {
        // Two copies of the passkey, or one that forgets: it proves nothing any more. The code still does.
        device.passkey.reset();
        auto entry = history(device, asked.action.value, "passkey_clone_suspected", services.clock.now(), {});
        co_await services.devices.save(changed(asked.device, std::move(device)), std::move(entry));
        services.log.event("passkey_clone_suspected", {{"account", asked.account.value.id.text()}});
    }
    co_return judged;
}

Flow<http::Response> approve(Asked asked, action::VerifiedAnswer verified, Ratchet used, Services services,
                             SharedSettings settings)
{
    Bytes grant;
    auto device = asked.device.value;
    auto is_late = false;
    if (asked.answer.method == "passkey") {
        auto judged = co_await judge_fingerprint(asked, used, services, settings);
        device.passkey = std::move(judged.passkey);
        is_late = judged.is_late;
    } else grant = co_await judge_code(asked, services);

    auto const now = services.clock.now();
    verified.record = sign_record({.action = asked.action.value,
                                   .device = asked.device.value,
                                   .device_key = asked.device_key,
                                   .answer = asked.answer,
                                   .grant = grant,
                                   .symbol = asked.action.value.tie == Tie::symbol ? "right" : "none",
                                   .state = asked.action.value.tie == Tie::browser ? "returning" : "approved",
                                   .tied = tied_by(asked.action.value.tie),
                                   .at = now},
                                  settings->record_key);
    auto const decided = co_await action::answer(asked.action.value, verified, settings->limits.return_lifetime, now);
    if (!is_late) device = with_next_ratchet(std::move(device), used, services.random.bytes(ratchet_bytes));
    device.last_seen_at = now;
    auto const is_returning = decided.state == action::State::returning;
    // A link that was passed on was asked for by its sender's browser: that one is not the holder's before it comes
    // back.
    if (!is_returning) device = action::with_known_browser(std::move(device), decided.origin, now);
    json::Object more{{"method", asked.answer.method}};
    auto consent = co_await changed_consent(decided, services);
    if (consent) more["consent"] = consent->value.since == now ? "given" : "changed";
    // What was approved through a link is in the history as approved once its page was tied to it.
    auto entry = is_returning ? history(device, decided, "confirmed", now, std::move(more))
                              : entry::approval(decided, now, std::move(more));
    co_await services.actions.decide(changed(asked.action, decided), changed(asked.device, device), std::move(entry),
                                     std::move(consent));
    tell(services, decided);
    services.log.event(is_returning ? "action_confirmed" : "action_approved", {{"client", decided.client.text()}});
    co_return co_await approved(decided, device, services, settings);
}

} // namespace

Flow<http::Response> me(http::Request request, Services services, SharedSettings settings)
{
    auto const who = co_await authenticate(std::move(request), services, settings);
    auto const& account = who.account.value;
    auto const& device = who.device.value;
    auto const blocked = account.state == account::State::blocked;
    json::Array mutes;
    for (auto const& mute : device.mutes)
        if (services.clock.now() < mute.until)
            mutes.push_back(json::Object{
                {"domain", mute.partner_domain}, {"at", numeric_date(mute.at)}, {"until", numeric_date(mute.until)}});
    co_return signed_answer({{"account", json::Object{{"state", blocked ? "blocked" : "active"},
                                                      {"phone_number", account.phone_number.e164()},
                                                      {"language", name_of(account.language)}}},
                             {"device", json::Object{{"did", device.id.text()},
                                                     {"name", device.name},
                                                     {"bound_at", numeric_date(device.bound_at)},
                                                     {"code_version", device.code_version},
                                                     {"passkey", device.passkey.has_value()}}},
                             {"mutes", std::move(mutes)}},
                            services, *settings);
}

Flow<http::Response> pending(http::Request request, Services services, SharedSettings settings)
{
    auto const who = co_await authenticate(std::move(request), services, settings);
    auto list = co_await actions_for(who.account.value, who.device.value, services);
    co_return signed_answer({{"actions", std::move(list)}, {"now", numeric_date(services.clock.now())}}, services,
                            *settings);
}

namespace {

/// What the phone may see now; a failure when it may see nothing any more.
Flow<json::Array> pending_now(DeviceId id, Services services)
{
    auto const device = co_await services.devices.find(id);
    if (!device) co_return fail(Outcome::device_unknown);
    co_await check_device(device->value);
    auto const account = co_await account_of(device->value, services);
    auto list = co_await actions_for(account.value, device->value, services);
    co_return list;
}

Flow<void> stream_pending(http::EventSink& sink, Device device, Services services, SharedSettings settings)
{
    auto const watch = services.wakeups.watch(Wakeups::of(device.account));
    auto const until = services.clock.now() + settings->limits.event_stream_lifetime;
    std::optional<json::Array> told;
    while (services.clock.now() < until) {
        auto list = co_await outcome_of(pending_now(device.id, services));
        if (!list) {
            co_await sink.send("ended", json::write(json::Object{{"outcome", name_of(list.error().outcome)}}));
            co_return {};
        }
        if (told != *list) {
            told = *std::move(list);
            co_await sink.send(
                "pending", json::write(json::Object{{"actions", *told}, {"now", numeric_date(services.clock.now())}}));
        }
        // An action that runs out changes the list too, and nobody tells of that.
        auto wake_at = until;
        for (auto const& action : *told)
            wake_at = std::min(wake_at, instant_of(action.as_object().at("expires_at").as_int64()));
        co_await watch->next(wake_at);
    }
    co_return {};
}

} // namespace

Flow<http::Response> pending_events(http::Request request, Services services, SharedSettings settings)
{
    auto const who = co_await authenticate(std::move(request), services, settings);
    http::Response response;
    response.with("Symbolon-Nonce", make_nonce(settings->nonce_key, services.clock.now()));
    response.events = [services, settings, device = who.device.value](http::EventSink& sink) {
        return stream_pending(sink, device, services, settings);
    };
    co_return response;
}

Flow<http::Response> show_action(http::Request request, Services services, SharedSettings settings)
{
    std::string const id{request.path_parameters.value("id")};
    auto const who = co_await authenticate(request, services, settings);
    if (who.account.value.state == account::State::blocked) co_return fail(Outcome::account_blocked);
    auto const body = co_await json::parse_object(request.body);
    if (!body.empty()) co_return fail(Outcome::request_malformed, "an unknown member");

    auto stored = co_await action_of(who.account.value.id, id, services);
    auto const& device = who.device.value.id;
    if (stored.value.shown.empty() && !stored.value.claims.empty()) {
        auto const consent = co_await services.consents.find(who.account.value.id, stored.value.client);
        stored.value.claims =
            consent::recall(stored.value.claims, consent ? std::optional{consent->value} : std::nullopt);
    }
    auto bytes = stored.value.shown;
    if (bytes.empty()) bytes = shown_bytes(stored.value, device, services.random.bytes(tx_nonce_bytes));
    auto const shown = co_await action::show(stored.value, device, std::move(bytes), services.clock.now());
    if (stored.value.state != shown.state) {
        co_await services.actions.save(changed(stored, shown));
        tell(services, shown);
    }
    json::Object answer{{"tx", base64url(shown.shown)},
                        {"expires_at", numeric_date(shown.expires_at)},
                        {"state", word_of(shown.state)},
                        {"returned_elsewhere", shown.returned_elsewhere}};
    auto const back = co_await return_address(shown, services, settings);
    if (!back.empty()) answer["return"] = back;
    co_return signed_answer(answer, services, *settings);
}

// docs/device-protocol.md §5, the table of checks. Nothing is counted or changed before the signature is good.
Flow<http::Response> answer_action(http::Request request, Services services, SharedSettings settings)
{
    // 1 to 5: shape, phone, signature, account.
    auto const answer = co_await parse_answer(request.body);
    auto const [device, account, key] = co_await signer_of(
        answer.device, answer_statement(message_of(answer), answer.proof), answer.signature, services);
    if (account.value.state == account::State::blocked) co_return fail(Outcome::account_blocked);

    // 6: the action.
    auto const stored =
        co_await action_of(account.value.id, std::string{request.path_parameters.value("id")}, services);
    auto const& asked_action = stored.value;
    if (asked_action.device != answer.device) co_return fail(Outcome::action_of_other_device);

    // 7: the answer to this very answer was lost. With the proof, so that only who sent it can know it.
    using enum action::State;
    auto const is_answered =
        asked_action.state == approved || asked_action.state == returning || asked_action.state == refused;
    if (is_answered && is_record_of(co_await services.actions.record_of(asked_action), answer)) {
        if (asked_action.state == refused) co_return refused_answer(device.value, asked_action, answer);
        // Read after its action: the one above may be from before that very approval, with the ratchet that it used up.
        auto const after = co_await services.devices.find(answer.device);
        if (after && after->value.previous_ratchet == answer.ratchet)
            co_return co_await device::approved(asked_action, after->value, services, settings);
    }

    // 8: open, and what was signed is what was shown.
    auto const now = services.clock.now();
    if (now >= asked_action.expires_at) co_return fail(Outcome::action_expired);
    if (asked_action.state == waiting) co_return fail(Outcome::action_not_shown);
    // What was approved may still be refused while its page is not tied to it.
    auto const refusable = asked_action.state == returning && answer.decision == Decision::refuse;
    if (asked_action.state != shown && !refusable) co_return fail(Outcome::action_closed);
    if (!equal_in_constant_time(crypto::sha256(asked_action.shown), answer.shown))
        co_return fail(Outcome::action_not_shown, "other bytes than were shown");

    // 9: a second copy of this phone.
    Asked asked{answer, key, device, account, stored};
    auto const ratchet = ratchet_of(device.value, answer.ratchet);
    if (ratchet == Ratchet::unknown) {
        auto suspended = device.value;
        suspended.state = Device::State::suspended;
        co_await end_action(std::move(asked), action::Event::block, Outcome::device_clone_suspected, "none", suspended,
                            "clone_suspected", services, settings);
        co_await end_open_actions(std::move(suspended), Outcome::device_clone_suspected, services);
        co_return fail(Outcome::device_clone_suspected);
    }

    // 10: a refusal needs no more.
    action::VerifiedAnswer verified{.device = answer.device};
    if (answer.decision == Decision::refuse) co_return co_await refuse(std::move(asked), verified, services, settings);

    // 11 and 12: data, method and symbol, before the code, so that no try is taken for what can't succeed.
    verified.decision = action::VerifiedAnswer::Decision::approve;
    verified.symbol = answer.symbol;
    verified.granted_claims = answer.claims;
    auto const by_passkey = answer.method == "passkey";
    verified.acr = by_passkey ? action::assurance_substantial : action::assurance_low;
    if (!fits(answer.claims, asked_action.claims)) co_return fail(Outcome::claims_not_allowed);
    static_assert(action::needs_of(action::Matter::log_in) == action::Needs::either);
    if (asked_action.needs_passkey && !by_passkey) co_return fail(Outcome::passkey_needed);
    if (by_passkey && !device.value.passkey) co_return fail(Outcome::passkey_unknown);
    if (auto const fine = action::answer(asked_action, verified, settings->limits.return_lifetime, now); !fine) {
        if (fine.error().outcome != Outcome::symbol_wrong) co_return std::unexpected{fine.error()};
        co_await end_action(asked, action::Event::wrong_symbol, Outcome::symbol_wrong, "wrong", device.value,
                            "symbol_wrong", services, settings);
        co_return fail(Outcome::symbol_wrong);
    }

    // 13 and 14: the code or the fingerprint, and the approval.
    co_return co_await approve(std::move(asked), std::move(verified), ratchet, services, settings);
}

// ---- consents (D4) ------------------------------------------------------------------------------------------------

Flow<http::Response> list_consents(http::Request request, Services services, SharedSettings settings)
{
    auto const who = co_await authenticate(std::move(request), services, settings);
    auto const consents = co_await services.consents.list(who.account.value.id);
    json::Array list;
    for (auto const& consent : consents)
        list.push_back(json::Object{{"client", consent.client.text()},
                                    {"partner", partner_of(consent.partner_names, consent.partner_domain)},
                                    {"shared", texts_of(consent.shared)},
                                    {"kept_back", texts_of(consent.kept_back)},
                                    {"since", numeric_date(consent.since)},
                                    {"at", numeric_date(consent.at)}});
    co_return signed_answer({{"consents", std::move(list)}}, services, *settings);
}

Flow<http::Response> withdraw_consent(http::Request request, Services services, SharedSettings settings)
{
    auto const who = co_await authenticate(request, services, settings);
    auto const body = co_await json::parse_object(request.body);
    if (body.size() != 1) co_return fail(Outcome::request_malformed, "an unknown member");
    ClientId const client{co_await json::text(body, "client")};

    auto const consent = co_await services.consents.find(who.account.value.id, client);
    // Withdrawn already: the answer was lost.
    if (!consent || consent::is_withdrawn(consent->value))
        co_return signed_answer({{"state", "withdrawn"}}, services, *settings);
    json::Object detail{{"device", who.device.value.id.text()},
                        {"partner", partner_of(consent->value.partner_names, consent->value.partner_domain)}};
    HistoryEntry entry{.account = who.account.value.id,
                       .at = services.clock.now(),
                       .event = "consent_withdrawn",
                       .client = client,
                       .detail = json::write(detail)};
    co_await services.consents.withdraw(*consent, std::move(entry));
    services.log.event("consent_withdrawn", {{"client", client.text()}});
    co_return signed_answer({{"state", "withdrawn"}}, services, *settings);
}

namespace {

/// The sign-in whose page the phone went to. Fails: too_many_requests, entry_unknown, qr_too_old.
Flow<Stored<grant::SignIn>> claimed_sign_in(Claim claim, AccountId account, Services services, SharedSettings settings)
{
    auto const now = services.clock.now();
    auto const found_by = [&services](SignInId id) -> Flow<Stored<grant::SignIn>> {
        auto found = co_await services.sign_ins.find(std::move(id));
        if (!found) co_return fail(Outcome::entry_unknown, "no such sign-in");
        co_return *std::move(found);
    };
    switch (claim.by) {
    case Claim::By::scan:
    case Claim::By::address: {
        auto const value = co_await entry::parse_qr_value(claim.value);
        auto found = co_await found_by(value.sign_in);
        co_await entry::check_qr(found.value, value, now);
        co_return found;
    }
    case Claim::By::link: {
        auto const value = co_await entry::parse_link_value(claim.value);
        auto found = co_await found_by(value.sign_in);
        co_await entry::check_link(found.value, value);
        co_return found;
    }
    case Claim::By::code: break;
    }
    // Short codes alone can be guessed. Right ones count too, so that nobody learns which one was right at the limit.
    auto const& limits = settings->limits;
    auto const key = crypto::hmac_sha256(settings->counter_key, bytes_of("short codes of " + account.text()));
    auto const typed = co_await services.counters.add("short_code", key, limits.short_codes_window, now);
    if (typed > limits.short_codes_per_account) {
        auto const window = limits.short_codes_window;
        co_return fail_until(Outcome::too_many_requests, now - now.time_since_epoch() % window + window);
    }
    auto const code = co_await entry::parse_short_code(claim.value);
    auto found = co_await services.sign_ins.find_by_short_code(code);
    if (!found) co_return fail(Outcome::entry_unknown, "no such short code");
    co_return *std::move(found);
}

/// How a claim enters, and what has to tie the page to the phone. An address that opens the app proves no more than a
/// link does: whoever sends it on may have made it this very second. Only the app's own camera was at the page.
void enter_by(Claim::By by, Action& action)
{
    using enum action::Entry;
    switch (by) {
    case Claim::By::scan: action.entry = qr, action.tie = Tie::scan; return;
    case Claim::By::address: action.entry = qr, action.tie = Tie::symbol; return;
    case Claim::By::link: action.entry = link, action.tie = Tie::browser; return;
    case Claim::By::code: action.entry = code, action.tie = Tie::symbol; return;
    }
}

/// The action of that page for that phone: made now, or the one that it has already. Fails: entry_closed, entry_taken,
/// conflict.
Flow<Action> action_for(Stored<grant::SignIn> stored, Claim::By by, Device device, Services services,
                        SharedSettings settings)
{
    auto const now = services.clock.now();
    auto const& sign_in = stored.value;
    if (sign_in.state == grant::SignIn::State::finished || sign_in.outcome || now >= sign_in.expires_at)
        co_return fail(Outcome::entry_closed);
    if (sign_in.action) {
        auto const taken = co_await services.actions.find(*sign_in.action);
        if (!taken || !is_open(taken->value, now)) co_return fail(Outcome::entry_closed);
        // The answer to this phone's claim was lost, or it was opened again.
        if (taken->value.device == device.id) co_return taken->value;
        co_return fail(Outcome::entry_taken);
    }
    auto const client = co_await services.clients.find(sign_in.request.client);
    if (!client) co_return fail(Outcome::entry_closed, "the client was removed since");

    auto action = entry::new_action(sign_in, client->value, settings->limits, now, services.random);
    action = entry::with_symbols(std::move(action), {sign_in.symbol}, services.random);
    action.account = device.account;
    action.device = device.id;
    enter_by(by, action);
    // Whoever is first has it: the sign-in changes only if nobody else has changed it.
    co_await services.actions.start(action, changed(stored, entry::waiting_for(sign_in, action, settings->limits)));
    tell(services, action);
    services.log.event("entry_claimed", {{"by", std::string{name_of(by)}}, {"client", action.client.text()}});
    co_return action;
}

} // namespace

Flow<http::Response> claim(http::Request request, Services services, SharedSettings settings)
{
    auto const who = co_await authenticate(request, services, settings);
    if (who.account.value.state == account::State::blocked) co_return fail(Outcome::account_blocked);
    auto const asked = co_await parse_claim(request.body);
    auto stored = co_await claimed_sign_in(asked, who.account.value.id, services, settings);

    constexpr int most_rounds = 3;
    for (int round = 1;; ++round) {
        auto const action = co_await outcome_of(action_for(stored, asked.by, who.device.value, services, settings));
        if (action)
            co_return signed_answer({{"action", action->id.text()}, {"expires_at", numeric_date(action->expires_at)}},
                                    services, *settings);
        if (action.error().outcome != Outcome::conflict || round == most_rounds)
            co_return std::unexpected{action.error()};
        auto again = co_await services.sign_ins.find(stored.value.id);
        if (!again) co_return fail(Outcome::entry_closed);
        stored = *std::move(again);
    }
}

Flow<http::Response> match_action(http::Request request, Services services, SharedSettings settings)
{
    // Shape, phone, signature; nothing is changed before.
    auto const match = co_await parse_match(request.body);
    auto const who = co_await signer_of(match.device, match_statement(match), match.signature, services);
    auto const& account = who.account;
    if (account.value.state == account::State::blocked) co_return fail(Outcome::account_blocked);

    auto const stored =
        co_await action_of(account.value.id, std::string{request.path_parameters.value("id")}, services);
    if (stored.value.device != match.device) co_return fail(Outcome::action_of_other_device);
    auto const done = http::json(200, json::write(json::Object{{"state", "approved"}}));
    // The answer to this very match was lost, or the browser came back meanwhile.
    if (stored.value.state == action::State::approved && stored.value.tie == Tie::browser) {
        if (stored.value.tied == action::Tied::proven) co_return done;
        auto const record = co_await services.actions.record_of(stored.value);
        if (entry::is_completed_by(record, match.symbol, match.signature)) co_return done;
    }

    auto const now = services.clock.now();
    if (now >= stored.value.expires_at) co_return fail(Outcome::action_expired);
    if (stored.value.state != action::State::returning) co_return fail(Outcome::action_closed);
    if (!equal_in_constant_time(crypto::sha256(stored.value.shown), match.shown))
        co_return fail(Outcome::action_not_shown, "other bytes than were shown");

    auto const matched = action::match(stored.value, match.symbol, now);
    if (!matched && matched.error().outcome != Outcome::symbol_wrong) co_return std::unexpected{matched.error()};
    entry::Tying const tying{.tied = matched ? std::optional{action::Tied::matched} : std::nullopt,
                             .symbol = match.symbol,
                             .signature = match.signature,
                             .at = now};
    auto settled = matched
                       ? *matched
                       : co_await action::end(stored.value, action::Event::wrong_symbol, Outcome::symbol_wrong, now);
    settled.record = entry::tied_record(settled.record, tying, settings->record_key);
    auto entry = matched ? entry::approval(settled, now)
                         : history(who.device.value, settled, "symbol_wrong", now,
                                   {{"outcome", name_of(Outcome::symbol_wrong)}});
    co_await services.actions.settle(changed(stored, settled), std::move(entry));
    tell(services, settled);
    services.log.event(matched ? "action_approved" : "action_failed", {{"client", settled.client.text()}});
    if (!matched) co_return fail(Outcome::symbol_wrong);
    co_return done;
}

} // namespace symbolon::device

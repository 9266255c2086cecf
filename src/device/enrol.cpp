#include "device/enrol.hpp"

#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "device/authentication.hpp"
#include "device/bank_enrol.hpp"
#include "device/code_rules.hpp"
#include "device/enrolment_parts.hpp"
#include "device/fingerprint.hpp"
#include "device/messages.hpp"
#include "device/out_of_use.hpp"
#include "enrolment/identification_token.hpp"
#include "enrolment/phone_number.hpp"
#include "enrolment/sms_code.hpp"
#include "enrolment/steps.hpp"
#include "message/sms.hpp"

#include <algorithm>

namespace symbolon::device {

namespace {

using enrolment::Enrolment;
using ports::Services;
using ports::Stored;
using ports::Wakeups;
using State = enrolment::State;

constexpr int first_code_version = 1;

Bytes hash_of(SecretText const& secret) { return crypto::sha256(secret.reveal()); }

/// An enrolment that no token opens. A number that nobody is enrolling gets one, so that tries for it are counted and
/// answered in the same way, by the same code, as for a number that somebody is (D7).
Enrolment decoy(account::PhoneNumber const& number, Services const& services, Settings const& settings)
{
    auto const now = services.clock.now();
    Enrolment nobody;
    nobody.id = EnrolmentId{crypto::time_ordered_id(now, services.random)};
    nobody.state = State::token;
    nobody.browser_hash = services.random.bytes(32);
    nobody.phone_number = number;
    nobody.created_at = now;
    nobody.expires_at = now + settings.limits.identification_token_lifetime;
    nobody.token_hash = services.random.bytes(32);
    nobody.token_expires_at = nobody.expires_at;
    return nobody;
}

/// The enrolment that a typed token is for; without a version it is not in the store yet.
struct Meant {
    Enrolment enrolment;
    std::optional<std::int64_t> version;
};

/// Of the enrolments with a number, the one whose token was typed; else the newest, which counts the try.
Flow<Meant> meant_by(account::PhoneNumber number, Bytes typed_hash, Services services, SharedSettings settings)
{
    auto waiting = co_await services.enrolments.waiting_for_phone(number);
    std::erase_if(waiting, [now = services.clock.now()](auto const& one) { return now >= one.value.expires_at; });
    if (waiting.empty()) co_return Meant{decoy(number, services, *settings), std::nullopt};
    auto found = std::ranges::find_if(
        waiting, [&](auto const& one) { return equal_in_constant_time(one.value.token_hash, typed_hash); });
    if (found == waiting.end()) found = waiting.begin();
    co_return Meant{std::move(found->value), found->version};
}

/// One commit in both cases: a stranger's watch tells no more than the answer.
Flow<void> keep(Meant before, Enrolment after, Services services)
{
    if (before.version) co_await services.enrolments.save({std::move(after), *before.version});
    else co_await services.enrolments.add(std::move(after));
    co_return {};
}

Flow<json::Object> vault_key(Services services)
{
    auto const point = co_await services.vault.public_key();
    auto const key = co_await public_key_at(point);
    co_return key.jwk();
}

json::Object rules_of(Enrolment const& enrolment)
{
    auto const birth_date = enrolment.person ? enrolment.person->birth_date : std::string{};
    return write(code_rules(birth_date, enrolment.phone_number));
}

// ---- the last step
// ---------------------------------------------------------------------------------------------------

/// What the last step is made of.
struct Binding {
    Stored<Enrolment> stored;
    EnrolFinish finish;
    AccountId account;
    std::optional<account::Passkey> passkey;
    Bytes ratchet;

    [[nodiscard]] DeviceId device_id() const { return DeviceId{finish.device_key.thumbprint()}; }
};

/// What it gives.
struct Bound {
    Enrolment enrolment;
    account::Device device;
};

account::Device device_of(Binding const& binding, Instant now)
{
    return {.id = binding.device_id(),
            .account = binding.account,
            .state = account::Device::State::bound,
            .public_key = binding.finish.device_key.der(),
            .name = binding.finish.name,
            .ratchet = binding.ratchet,
            .previous_ratchet = {},
            .code_version = first_code_version,
            .passkey = binding.passkey,
            .passkey_challenge = {},
            .passkey_challenge_until = {},
            .bound_at = now,
            .last_seen_at = now};
}

ports::HistoryEntry entry_of(Binding const& binding, std::string event, json::Object detail, Instant now)
{
    detail["device"] = binding.device_id().text();
    detail["name"] = binding.finish.name;
    return {
        .account = binding.account, .at = now, .event = std::move(event), .client = {}, .detail = json::write(detail)};
}

std::optional<ports::Once> credential_of(Binding const& binding, Instant now)
{
    if (!binding.passkey) return std::nullopt;
    return use_of_credential(*binding.passkey, now);
}

/// What proved who the person is, for the history and for the vault.
std::string proof_of(Enrolment const& enrolment) { return enrolment::goes_through_bank(enrolment) ? "bank" : "card"; }

/// The code key of a phone that an account has moved to. The same again changes nothing. Fails, besides as the vault
/// does: device_unbound (the account has gone on to yet another phone, whose code is there already).
Flow<void> replace_code(Enrolment enrolment, EnrolFinish finish, Services services)
{
    auto const replaced = co_await outcome_of(services.vault.replace_code(
        enrolment.account.value_or(AccountId{}), DeviceId{finish.device_key.thumbprint()}, first_code_version,
        enrolment.device_nonce, finish.code_key, proof_of(enrolment), enrolment.move_number));
    if (!replaced && replaced.error().outcome == Outcome::moved_meanwhile) co_return fail(Outcome::device_unbound);
    co_return replaced;
}

/// E10: the number's operator gave it to somebody else, who has just proven to have it. The account that had it keeps
/// person, phone and code, and is reached by it no longer.
Flow<std::optional<ports::NumberLost>> who_loses(account::PhoneNumber number, AccountId winner, Services services)
{
    auto const other = co_await services.accounts.find_by_phone_number(number);
    if (!other || other->value.id == winner) co_return std::optional<ports::NumberLost>{};
    ports::HistoryEntry entry{
        .account = other->value.id, .at = services.clock.now(), .event = "number_lost", .client = {}, .detail = "{}"};
    co_return ports::NumberLost{.account = changed(*other, account::without_number(other->value)),
                                .entry = std::move(entry)};
}

/// enrolment::takes_number, by a look at the accounts where it may be told.
Flow<bool> takes_number(Enrolment enrolment, Services services)
{
    if (enrolment.state != State::code) co_return false;
    auto const reached = co_await services.accounts.find_by_phone_number(enrolment.phone_number);
    co_return enrolment::takes_number(enrolment, reached ? &reached->value : nullptr);
}

/// Somebody else changed what this was to change: one more look decides.
bool may_be_tried_again(Outcome outcome)
{
    return outcome == Outcome::conflict || outcome == Outcome::phone_number_taken;
}
constexpr int most_rounds = 3;

/// The store said no; else nobody knows what it did.
bool is_surely_not_done(Outcome outcome)
{
    return outcome != Outcome::store_failed && outcome != Outcome::unavailable && outcome != Outcome::internal;
}

void tell_of_loss(std::optional<ports::NumberLost> const& lost, Services const& services)
{
    if (!lost) return;
    services.wakeups.tell(Wakeups::of(lost->account.value.id));
    services.log.event("number_lost", {{"account", lost->account.value.id.text()}});
}

/// A4: the person's first phone. Fails: the failures of the vault, passkey_refused, already_a_holder,
/// phone_number_taken, conflict.
Flow<Bound> open_account(Binding binding, Services services)
{
    auto const now = services.clock.now();
    auto const& enrolment = binding.stored.value;
    co_await services.vault.register_code(binding.account, binding.device_id(), first_code_version,
                                          enrolment.device_nonce, binding.finish.code_key);
    auto const commit = [&]() -> Flow<Bound> {
        auto const device = device_of(binding, now);
        auto const account = enrolment::account_of(enrolment, binding.account, device.id, now);
        auto const done = co_await enrolment::bind_phone(enrolment, account.id, device.id, device.name, now);
        for (int round = 1;; ++round) {
            auto const lost = co_await who_loses(account.phone_number, account.id, services);
            auto const opened = co_await outcome_of(
                services.accounts.open(account, device, enrolment.contract, changed(binding.stored, done),
                                       entry_of(binding, "enrolled", json::Object{{"by", proof_of(enrolment)}}, now),
                                       lost, credential_of(binding, now)));
            if (opened) {
                tell_of_loss(lost, services);
                co_return Bound{.enrolment = done, .device = device};
            }
            if (round == most_rounds || !may_be_tried_again(opened.error().outcome))
                co_return std::unexpected{opened.error()};
        }
    };
    auto opened = co_await outcome_of(commit());
    if (!opened) {
        // The id is known to nobody else: what the vault has under it is of no use. Unless the account is there after
        // all, and only the answer of the store was lost: then the phone that asks again is told that it is done.
        if (is_surely_not_done(opened.error().outcome)) co_await outcome_of(services.vault.forget(binding.account));
        co_return std::unexpected{opened.error()};
    }
    services.log.event("enrolled", {{"account", binding.account.text()}});
    tell_of(enrolment.id, services);
    co_return *std::move(opened);
}

/// E3: who has the number that the account had, is told so. It may be a thief who brought the account away from there.
Flow<void> tell_number_before(account::PhoneNumber number, Language language, Services services,
                              SharedSettings settings)
{
    if (number.empty()) co_return {};
    auto const counted =
        co_await outcome_of(message::count_sms(number, settings->limits, settings->counter_key, services));
    auto text = settings->texts.text(language, "sms.number_changed");
    auto const sent =
        counted
            ? co_await outcome_of(services.messages.send_sms({.to = number, .text = std::move(text), .reference = {}}))
            : counted;
    if (!sent) services.log.failure("sms", sent.error(), {});
    co_return {};
}

/// E1, E3, E6, E7: the person's account comes to another phone, and gets another code. The phone before is out at once.
/// The store decides who of two phones was first; the vault follows, so that the code key is always the winner's.
/// Fails: the failures of the vault, passkey_refused, moved_meanwhile, new_number_needs_card,
/// other_source_than_enrolled, phone_number_taken.
Flow<Bound> move_account(Binding binding, Services services, SharedSettings settings)
{
    auto const now = services.clock.now();
    auto const& enrolment = binding.stored.value;
    // Without a permit the vault opens the seal, judges what is in it, and then finds that the account has a code.
    auto const judged = co_await outcome_of(services.vault.register_code(
        binding.account, binding.device_id(), first_code_version, enrolment.device_nonce, binding.finish.code_key));
    if (!judged && judged.error().outcome != Outcome::conflict) co_return std::unexpected{judged.error()};

    for (int round = 1;; ++round) {
        auto const before = co_await services.accounts.find(binding.account);
        if (!before) co_return fail(Outcome::moved_meanwhile, "the account is gone");
        co_await enrolment::check_moves(enrolment, before->value);
        co_await account::check_move(before->value, enrolment.source, now);
        auto const device = device_of(binding, now);
        auto const account = co_await enrolment::account_moved(enrolment, before->value, device.id, now);
        auto done = co_await enrolment::bind_phone(enrolment, account.id, device.id, device.name, now);
        done.move_number = account.move_number;
        done.number_before = before->value.phone_number;
        done.email_before = before->value.email;
        std::optional<Stored<account::Device>> old;
        if (before->value.device) old = co_await services.devices.find(*before->value.device);
        if (old) old->value.state = account::Device::State::unbound;
        auto const new_number = before->value.phone_number != account.phone_number;
        auto const lost = co_await who_loses(account.phone_number, account.id, services);
        auto const moved = co_await outcome_of(services.accounts.move(
            {.account = changed(*before, account),
             .device = device,
             .before = old,
             .contract_pdf = enrolment.contract,
             .enrolment = changed(binding.stored, done),
             .entry = entry_of(binding, "moved",
                               {{"by", enrolment.by_web_eid ? std::string{"web_eid"} : proof_of(enrolment)},
                                {"new_number", new_number}},
                               now),
             .number_lost = lost,
             .credential = credential_of(binding, now)}));
        if (!moved) {
            if (round < most_rounds && may_be_tried_again(moved.error().outcome)) continue;
            co_return std::unexpected{moved.error()};
        }
        services.log.event("moved", {{"account", account.id.text()}});
        services.wakeups.tell(Wakeups::of(account.id));
        tell_of_loss(lost, services);
        tell_of(enrolment.id, services);
        // What is done is done, even where the old phone can't be told now: with its next request it is.
        if (old) co_await outcome_of(end_open_actions(old->value, Outcome::device_unbound, services));
        // Before the vault is asked: where it is away the phone comes again, and is told that it is done.
        if (new_number)
            co_await tell_number_before(before->value.phone_number, before->value.language, services, settings);
        co_await replace_code(done, binding.finish, services);
        co_return Bound{.enrolment = done, .device = device};
    }
}

/// What sends the holder back to the card or the bank: it spoke for an account that is now another.
bool is_to_identify_again(Outcome outcome)
{
    return outcome == Outcome::already_a_holder || outcome == Outcome::moved_meanwhile ||
           outcome == Outcome::other_source_than_enrolled || outcome == Outcome::new_number_needs_card;
}

http::Response bound(Enrolment const& enrolment, account::Device const& device)
{
    return answer({{"account", json::Object{{"phone_number", enrolment.phone_number.e164()},
                                            {"language", name_of(enrolment.language)}}},
                   {"did", device.id.text()},
                   {"ratchet", crypto::base64url(device.ratchet)}});
}

} // namespace

Flow<http::Response> start_enrolment(http::Request request, Services services, SharedSettings settings)
{
    co_await check_rate("enrol_start", request, services, settings);
    auto const start = co_await parse_enrol_start(request.body);
    auto const number = co_await enrolment::parse_phone_number(start.calling_code, start.number);
    auto const typed_hash = hash_of(start.token);
    auto const meant = co_await meant_by(number, typed_hash, services, settings);
    auto const now = services.clock.now();

    auto judged = enrolment::judge_token(meant.enrolment, typed_hash, now, settings->limits);
    if (judged.failure) {
        co_await keep(meant, std::move(judged.enrolment), services);
        tell_of(meant.enrolment.id, services);
        // Which of the two it was, a stranger does not learn.
        if (judged.failure->outcome == Outcome::enrolment_expired)
            co_return fail(Outcome::identification_token_wrong, "the enrolment is over");
        co_return std::unexpected{*std::move(judged.failure)};
    }

    auto enrolment = std::move(judged.enrolment);
    auto const session = services.random.token();
    enrolment.phone_session_hash = hash_of(session);
    enrolment.device_nonce = services.random.bytes(nonce_bytes);
    auto to_send = co_await prepare_code(std::move(enrolment), services, settings);
    co_await keep(meant, to_send.enrolment, services);
    tell_of(meant.enrolment.id, services);

    auto const over_the_limit = to_send.over_the_limit;
    enrolment = co_await send_code(std::move(to_send), services, settings);
    co_return answer({{"session", session.reveal()},
                      {"nonce", crypto::base64url(enrolment.device_nonce)},
                      {"vault_key", co_await vault_key(services)},
                      {"language", name_of(enrolment.language)},
                      {"sms_sent", !over_the_limit && !enrolment.sms_lost},
                      {"sms_again_at", numeric_date(enrolment::sms_again_at(enrolment, settings->limits))}});
}

Flow<http::Response> give_sms_code(http::Request request, Services services, SharedSettings settings)
{
    auto const given = co_await parse_enrol_sms(request.body);
    auto const stored = co_await enrolment_of_session(given.session, services);
    auto const code = co_await enrolment::parse_sms_code(given.code.reveal());
    auto judged = enrolment::judge_sms_code(stored.value, crypto::sha256(code), services.clock.now(), settings->limits);
    co_await services.enrolments.save(changed(stored, judged.enrolment));
    tell_of(stored.value.id, services);
    if (judged.failure) co_return std::unexpected{*std::move(judged.failure)};
    json::Object answered{{"code_rules", rules_of(judged.enrolment)}};
    if (co_await takes_number(judged.enrolment, services)) answered["takes_number"] = true;
    co_return answer(answered);
}

Flow<http::Response> send_sms_again(http::Request request, Services services, SharedSettings settings)
{
    auto const session = co_await parse_enrol_session(request.body);
    auto const stored = co_await enrolment_of_session(session, services);
    auto const code = enrolment::sms_code(services.random.below(1'000'000));
    auto const enrolment =
        co_await enrolment::send_sms_code(stored.value, crypto::sha256(code), services.clock.now(), settings->limits);
    // Before the code that was sent is forgotten for another one.
    auto const counted = co_await outcome_of(
        message::count_sms(enrolment.phone_number, settings->limits, settings->counter_key, services));
    if (!counted) {
        // It used up a part of what all may have: no more than the enrolment's own limit lets it.
        auto noted = stored.value;
        noted.sms_sent_at = enrolment.sms_sent_at;
        if (counted.error().outcome == Outcome::sms_limit_of_number)
            co_await services.enrolments.save(changed(stored, std::move(noted)));
        co_return std::unexpected{counted.error()};
    }
    co_await services.enrolments.save(changed(stored, enrolment));
    CodeToSend const to_send{.enrolment = enrolment, .code = code, .is_due = true};
    auto const sent = co_await send_code(to_send, services, settings);
    if (sent.sms_lost) co_return fail(Outcome::sms_not_sent);
    co_return answer({{"sms_again_at", numeric_date(enrolment::sms_again_at(sent, settings->limits))}});
}

Flow<http::Response> enrolment_state(http::Request request, Services services, SharedSettings settings)
{
    auto const stored =
        co_await enrolment_of_session(SecretText{std::string{request.header("symbolon-enrolment")}}, services);
    auto const& enrolment = stored.value;
    // The app may have changed its language since.
    auto const language = accepted_language(request.header("accept-language"), enrolment.language);
    if (enrolment.state != State::done) co_await enrolment::check_open(enrolment, services.clock.now());
    if (enrolment.state == State::bank || enrolment.state == State::landed)
        co_return answer(bank_state(enrolment, language, *settings));

    auto const* step = "sms";
    if (enrolment.state == State::code) step = "code";
    if (enrolment.state == State::done) step = "done";
    json::Object state{{"step", step},
                       {"phone_number", enrolment.phone_number.e164()},
                       {"nonce", crypto::base64url(enrolment.device_nonce)},
                       {"vault_key", co_await vault_key(services)},
                       {"language", name_of(enrolment.language)},
                       {"sms_again_at", numeric_date(enrolment::sms_again_at(enrolment, settings->limits))}};
    if (enrolment.moves) state["moves"] = true;
    if (auto bank = bank_of(enrolment, *settings)) state["bank"] = *std::move(bank);
    if (co_await takes_number(enrolment, services)) state["takes_number"] = true;
    if (enrolment.state != State::sms) state["code_rules"] = rules_of(enrolment);
    else if (enrolment.sms_lost)
        state["sms_failure"] = json::Object{{"outcome", name_of(Outcome::sms_not_delivered)},
                                            {"text", settings->texts.text(language, Outcome::sms_not_delivered)}};
    co_return answer(state);
}

Flow<http::Response> finish_enrolment(http::Request request, Services services, SharedSettings settings)
{
    auto const finish = co_await parse_enrol_finish(request.body);
    auto const stored = co_await enrolment_of_session(finish.session, services);
    auto const& enrolment = stored.value;
    auto const now = services.clock.now();
    DeviceId const device_id{finish.device_key.thumbprint()};

    auto const repeated = enrolment.state == State::done && enrolment.device == device_id;
    if (!repeated) {
        co_await enrolment::check_open(enrolment, now);
        if (enrolment.state != State::code) co_return fail(Outcome::enrolment_step_wrong);
    }
    auto const signed_bytes = enrol_statement(enrolment.device_nonce, device_id, first_code_version, finish.code_key,
                                              finish.name, finish.passkey);
    if (!finish.device_key.verifies(crypto::SignatureAlgorithm::es256, signed_bytes, finish.signature))
        co_return fail(Outcome::device_signature_invalid);
    if (repeated) {
        // The answer was lost. Once the ratchet has moved, whoever repeats this is not the phone that moved it.
        auto const device = co_await services.devices.find(device_id);
        if (!device || !device->value.previous_ratchet.empty()) co_return fail(Outcome::enrolment_step_wrong);
        co_await check_device(device->value);
        // Or the vault was away after the store had done its part. Where it wasn't, this changes nothing.
        if (enrolment.moves) co_await replace_code(enrolment, finish, services);
        co_return bound(enrolment, device->value);
    }

    // Refused here, the phone can still go on without the fingerprint.
    std::optional<account::Passkey> passkey;
    if (!finish.passkey.empty())
        passkey = co_await judge_new_passkey(finish.passkey, enrolment.device_nonce, device_id, *settings, now);

    Binding binding{.stored = stored,
                    .finish = finish,
                    .account = enrolment.moves.value_or(AccountId{crypto::time_ordered_id(now, services.random)}),
                    .passkey = passkey,
                    .ratchet = services.random.bytes(ratchet_bytes)};
    auto const done = co_await outcome_of(enrolment.moves ? move_account(binding, services, settings)
                                                          : open_account(binding, services));
    if (done) co_return bound(done->enrolment, done->device);
    if (is_to_identify_again(done.error().outcome)) {
        auto const again = co_await (enrolment::goes_through_bank(enrolment)
                                         ? enrolment::identify_again(enrolment, done.error(), now)
                                         : enrolment::read_again(enrolment, done.error().outcome, now));
        co_await services.enrolments.save(changed(stored, again));
        tell_of(enrolment.id, services);
    }
    co_return std::unexpected{done.error()};
}

} // namespace symbolon::device

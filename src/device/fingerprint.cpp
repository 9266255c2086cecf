#include "device/fingerprint.hpp"

#include "account/ratchet.hpp"
#include "action/methods.hpp"
#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "device/authentication.hpp"
#include "device/messages.hpp"
#include "device/out_of_use.hpp"

#include <algorithm>

namespace symbolon::device {

namespace {

using account::Device;
using account::Ratchet;
using crypto::base64url;
using ports::HistoryEntry;
using ports::Services;

constexpr Seconds challenge_lifetime = 5min; // as long as a server nonce

Result<passkey::Credential> credential_of(account::Passkey const& kept)
{
    auto const algorithm = crypto::signature_algorithm_named(kept.algorithm);
    auto key = crypto::PublicKey::from_der(kept.public_key);
    if (!algorithm || !key) return fail(Outcome::data_damaged, "a passkey");
    return passkey::Credential{.id = kept.id,
                               .key = {*std::move(key), *algorithm},
                               .sign_count = static_cast<std::uint32_t>(kept.sign_count),
                               .backup_eligible = kept.backup_eligible,
                               .backed_up = kept.backed_up,
                               .aaguid = kept.aaguid};
}

HistoryEntry history(Device const& device, std::string event, Instant at)
{
    return {.account = device.account,
            .at = at,
            .event = std::move(event),
            .client = {},
            .detail = json::write(json::Object{{"device", device.id.text()}})};
}

Result<void> check_empty(std::string const& body)
{
    if (!TRY(json::parse_object(body)).empty()) return fail(Outcome::request_malformed, "an unknown member");
    return {};
}

http::Response turned_on(Device const& device)
{
    return http::json(200, json::write(json::Object{{"passkey", true}, {"ratchet", base64url(device.ratchet)}}));
}

} // namespace

Result<account::Passkey> judge_new_passkey(ByteView passkey, ByteView nonce, DeviceId const& device,
                                           Settings const& settings, Instant now)
{
    auto const registration = TRY(passkey::parse_registration(passkey));
    auto const credential = TRY(
        passkey::verify(registration, passkey_challenge(nonce, device), passkey::relying_party_at(settings.origin)));
    return account::Passkey{.id = credential.id,
                            .public_key = credential.key.key.der(),
                            .algorithm = std::string{name_of(credential.key.algorithm)},
                            .sign_count = credential.sign_count,
                            .backup_eligible = credential.backup_eligible,
                            .backed_up = credential.backed_up,
                            .aaguid = credential.aaguid,
                            .used_counts = {credential.sign_count},
                            .turned_on_by = {},
                            .registered_at = now};
}

ports::Once use_of_credential(account::Passkey const& passkey, Instant now)
{
    constexpr Seconds for_good = std::chrono::years{100};
    return {.kind = "passkey", .key = base64url(crypto::sha256(passkey.id)), .until = now + for_good};
}

bool may_be_late(account::Passkey const& passkey, std::int64_t sign_count, Ratchet ratchet)
{
    auto const& used = passkey.used_counts;
    return ratchet == Ratchet::previous && !used.empty() && sign_count > std::ranges::min(used) &&
           sign_count < passkey.sign_count && std::ranges::find(used, sign_count) == used.end();
}

Result<JudgedAssertion> judge_assertion(account::Passkey const& kept, ByteView proof, ByteView message,
                                        account::Ratchet ratchet, Settings const& settings)
{
    auto const assertion = TRY(passkey::parse_assertion(proof));
    auto const credential = TRY(credential_of(kept));
    auto const used = TRY(
        passkey::verify(assertion, credential, crypto::sha256(message), passkey::relying_party_at(settings.origin)));
    JudgedAssertion judged{.passkey = kept, .is_late = may_be_late(kept, used.sign_count, ratchet)};
    auto& next = judged.passkey;
    if (!judged.is_late) {
        if (!passkey::may_follow(credential.sign_count, used.sign_count)) return fail(Outcome::passkey_clone_suspected);
        next.sign_count = used.sign_count;
        next.backed_up = used.backed_up;
    }
    if (used.sign_count != 0) next.used_counts.push_back(used.sign_count);
    if (next.used_counts.size() > account::most_used_counts) next.used_counts.erase(next.used_counts.begin());
    return judged;
}

Flow<http::Response> open_passkey(http::Request request, Services services, SharedSettings settings)
{
    auto const who = co_await authenticate(request, services, settings);
    if (who.account.value.state == account::State::blocked) co_return fail(Outcome::account_blocked);
    co_await check_empty(request.body);

    auto device = who.device.value;
    device.passkey_challenge = services.random.bytes(nonce_bytes);
    device.passkey_challenge_until = services.clock.now() + challenge_lifetime;
    co_await services.devices.save(changed(who.device, device));
    co_return signed_answer({{"challenge", base64url(device.passkey_challenge)},
                             {"expires_at", numeric_date(device.passkey_challenge_until)}},
                            services, *settings);
}

// docs/device-protocol.md §5, POST /d/passkey/on. Nothing is counted or changed before the signature is good.
Flow<http::Response> turn_passkey_on(http::Request request, Services services, SharedSettings settings)
{
    static_assert(action::needs_of(action::Matter::turn_on_passkey) == action::Needs::code);

    // 1 to 5: shape, phone, signature, account.
    auto const on = co_await parse_passkey_on(request.body);
    auto const message = message_of(on);
    auto const signed_bytes = passkey_on_statement(message, on.proof);
    auto const who = co_await signer_of(on.device, signed_bytes, on.signature, services);
    auto const& device = who.device.value;
    auto const& account = who.account;
    if (account.value.state == account::State::blocked) co_return fail(Outcome::account_blocked);

    // 6: the answer to this very message was lost. 7: a challenge is good once, and for a while.
    auto const now = services.clock.now();
    auto const by = crypto::sha256(signed_bytes);
    if (device.passkey && device.passkey->turned_on_by == by && device.previous_ratchet == on.ratchet)
        co_return turned_on(device);
    if (device.passkey_challenge.empty() || !equal_in_constant_time(device.passkey_challenge, on.challenge) ||
        now >= device.passkey_challenge_until)
        co_return fail(Outcome::passkey_expired);

    // 8: a second copy of this phone.
    auto const ratchet = ratchet_of(device, on.ratchet);
    if (ratchet == Ratchet::unknown) {
        co_await suspend(who.device, history(device, "clone_suspected", now), services);
        co_return fail(Outcome::device_clone_suspected);
    }

    // 9: the passkey, before the code, so that no try is taken for what can't succeed.
    auto fresh = co_await judge_new_passkey(on.passkey, on.challenge, on.device, *settings, now);
    fresh.turned_on_by = by;

    // 10: the code.
    auto const judged = co_await outcome_of(
        services.vault.judge(account.value.id, on.device, passkey_on_name(on.challenge), message, on.proof));
    auto const blocked =
        judged ? !judged->right && judged->tries_left == 0 : judged.error().outcome == Outcome::code_blocked;
    if (blocked) {
        co_await block_account(account, history(device, "blocked", now), services);
        co_return fail(Outcome::code_blocked);
    }
    if (!judged) co_return std::unexpected{judged.error()};
    if (!judged->right) {
        co_await services.history.append(history(device, "code_wrong", now));
        co_return fail_with_tries(Outcome::code_wrong, judged->tries_left);
    }

    // 11: once, and for this account alone. In one commit: or a message that stopped half way, and came again, would
    // find its own credential taken.
    auto once = use_of_credential(fresh, now);
    auto changed_device = with_next_ratchet(device, ratchet, services.random.bytes(ratchet_bytes));
    changed_device.passkey = std::move(fresh);
    changed_device.passkey_challenge.clear();
    changed_device.last_seen_at = now;
    auto const is_first = co_await services.devices.save(changed(who.device, changed_device),
                                                         history(device, "passkey_on", now), std::move(once));
    if (!is_first) co_return fail(Outcome::passkey_refused, "the credential is known already");
    services.log.event("passkey_on", {});
    co_return turned_on(changed_device);
}

Flow<http::Response> turn_passkey_off(http::Request request, Services services, SharedSettings settings)
{
    auto const who = co_await authenticate(request, services, settings);
    co_await check_empty(request.body);
    auto device = who.device.value;
    if (device.passkey) {
        device.passkey.reset();
        device.passkey_challenge.clear();
        co_await services.devices.save(changed(who.device, device),
                                       history(device, "passkey_off", services.clock.now()));
        services.log.event("passkey_off", {});
    }
    co_return signed_answer({{"passkey", false}}, services, *settings);
}

} // namespace symbolon::device

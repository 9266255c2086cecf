#include "device/messages.hpp"

#include "base/ensure.hpp"
#include "base/text.hpp"
#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "crypto/push_encryption.hpp"
#include "passkey/ceremony.hpp"
#include "vault/statement.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>

namespace symbolon::device {

namespace {

using crypto::base64url;
using crypto::from_base64url;

constexpr std::size_t most_short_text = 64; // numbers, tokens, names of claims and symbols
constexpr std::size_t most_claims = 40;
constexpr std::size_t point_bytes = 65;
constexpr std::string_view scheme = "Symbolon-Device ";

/// The object of a request body that has these members, perhaps the optional ones, and no others.
Result<json::Object> body_with(std::string_view body, std::initializer_list<std::string_view> members,
                               std::initializer_list<std::string_view> optional = {})
{
    if (body.size() > most_body_bytes) return fail(Outcome::request_too_large);
    auto object = TRY(json::parse_object(body));
    for (auto const& member : object)
        if (std::ranges::count(members, std::string_view{member.key()}) == 0 &&
            std::ranges::count(optional, std::string_view{member.key()}) == 0)
            return fail(Outcome::request_malformed, "an unknown member");
    for (auto const member : members)
        if (!object.contains(member)) return fail(Outcome::request_malformed, "missing: " + std::string{member});
    return object;
}

Result<std::string> short_text(json::Object const& object, std::string_view name)
{
    auto text = TRY(json::text(object, name));
    if (text.size() > most_short_text) return fail(Outcome::request_malformed, "too long: " + std::string{name});
    return text;
}

Result<SecretText> secret_text(json::Object const& object, std::string_view name)
{
    return SecretText{TRY(short_text(object, name))};
}

/// The same, typed by a person: spaces around it mean nothing.
Result<SecretText> typed_text(json::Object const& object, std::string_view name)
{
    SecretText const typed{TRY(short_text(object, name))};
    return SecretText{std::string{trimmed(typed.reveal())}};
}

/// Bytes of one exact size.
Result<Bytes> bytes(json::Object const& object, std::string_view name, std::size_t size, Outcome otherwise)
{
    auto value = TRY(from_base64url(TRY(json::text(object, name))));
    if (value.size() != size) return fail(otherwise, "size of " + std::string{name});
    return value;
}

} // namespace

// ---- keys --------------------------------------------------------------------------------------------------------

SecretBytes code_key_seed(SecretBytes const& kh, DeviceId const& device, int code_version, SecretText const& code)
{
    // Version, did and code hold no zero byte, so where one ends is never in doubt.
    constexpr Byte zero = 0;
    auto input = to_bytes("pin-v1");
    auto const version = std::to_string(code_version);
    for (std::string_view const part : {device.text(), version}) {
        input.push_back(zero);
        append(input, bytes_of(part));
    }
    input.push_back(zero);
    append(input, bytes_of(code.reveal()));
    SecretBytes const whole{std::move(input)};
    return SecretBytes{crypto::hmac_sha256(kh, whole.reveal())};
}

crypto::PrivateKey code_key(SecretBytes const& kh, DeviceId const& device, int code_version, SecretText const& code)
{
    return crypto::PrivateKey::ed25519_from_seed(code_key_seed(kh, device, code_version, code));
}

Result<crypto::PublicKey> public_key_at(ByteView point)
{
    if (point.size() != point_bytes || point.front() != 4) return fail(Outcome::jwk_malformed, "point");
    return crypto::PublicKey::from_jwk({{"crv", "P-256"},
                                        {"kty", "EC"},
                                        {"x", base64url(point.subspan(1, 32))},
                                        {"y", base64url(point.subspan(33, 32))}});
}

Bytes raw_public_key(crypto::PublicKey const& ed25519)
{
    ENSURE(ed25519.type() == crypto::KeyType::ed25519);
    auto const der = ed25519.der(); // RFC 8410 §4: the key is the last 32 bytes
    return {der.end() - 32, der.end()};
}

// ---- signed requests ---------------------------------------------------------------------------------------------

Bytes request_statement(std::string_view method, std::string_view path, std::string_view nonce, ByteView body)
{
    auto const hash = crypto::sha256(body);
    return vault::statement("symbolon-request-v1", {bytes_of(method), bytes_of(path), bytes_of(nonce), hash});
}

std::string write(Authorization const& authorization)
{
    return std::string{scheme} + "did=" + authorization.device.text() + ", nonce=" + authorization.nonce +
           ", signature=" + base64url(authorization.signature);
}

Result<Authorization> parse_authorization(std::string_view header)
{
    constexpr auto refused = Outcome::device_signature_invalid;
    if (header.size() > 400 || !header.starts_with(scheme)) return fail(refused, "authorization header");
    header.remove_prefix(scheme.size());

    auto const value = [&header](std::string_view name, bool last) -> Result<std::string> {
        if (!header.starts_with(name)) return fail(refused, "authorization header");
        header.remove_prefix(name.size());
        auto const end = last ? header.size() : header.find(", ");
        if (end == std::string_view::npos) return fail(refused, "authorization header");
        std::string found{header.substr(0, end)};
        header.remove_prefix(last ? end : end + 2);
        if (!from_base64url(found)) return fail(refused, "authorization header");
        return found;
    };
    Authorization authorization;
    authorization.device = DeviceId{TRY(value("did=", false))};
    authorization.nonce = TRY(value("nonce=", false));
    authorization.signature = TRY(from_base64url(TRY(value("signature=", true))));
    if (authorization.signature.size() != signature_bytes) return fail(refused, "size of the signature");
    return authorization;
}

// ---- enrolment ---------------------------------------------------------------------------------------------------

std::string write(EnrolStart const& start)
{
    return json::write(
        json::Object{{"calling_code", start.calling_code}, {"number", start.number}, {"token", start.token.reveal()}});
}

Result<EnrolStart> parse_enrol_start(std::string_view body)
{
    auto const object = TRY(body_with(body, {"calling_code", "number", "token"}));
    EnrolStart start;
    start.calling_code = TRY(short_text(object, "calling_code"));
    start.number = TRY(short_text(object, "number"));
    start.token = TRY(typed_text(object, "token"));
    return start;
}

std::string write(EnrolSms const& sms)
{
    return json::write(json::Object{{"session", sms.session.reveal()}, {"code", sms.code.reveal()}});
}

Result<EnrolSms> parse_enrol_sms(std::string_view body)
{
    auto const object = TRY(body_with(body, {"session", "code"}));
    return EnrolSms{.session = TRY(secret_text(object, "session")), .code = TRY(typed_text(object, "code"))};
}

std::string write_enrol_session(SecretText const& session)
{
    return json::write(json::Object{{"session", session.reveal()}});
}

Result<SecretText> parse_enrol_session(std::string_view body)
{
    return secret_text(TRY(body_with(body, {"session"})), "session");
}

std::string write(EnrolBank const& begin)
{
    return json::write(
        json::Object{{"calling_code", begin.calling_code}, {"number", begin.number}, {"language", begin.language}});
}

Result<EnrolBank> parse_enrol_bank(std::string_view body)
{
    auto const object = TRY(body_with(body, {"calling_code", "number", "language"}));
    return EnrolBank{.calling_code = TRY(short_text(object, "calling_code")),
                     .number = TRY(short_text(object, "number")),
                     .language = TRY(short_text(object, "language"))};
}

std::string write(EnrolBankVisit const& visit)
{
    return json::write(json::Object{{"session", visit.session.reveal()}, {"bank", visit.bank}});
}

Result<EnrolBankVisit> parse_enrol_bank_visit(std::string_view body)
{
    auto const object = TRY(body_with(body, {"session", "bank"}));
    return EnrolBankVisit{.session = TRY(secret_text(object, "session")), .bank = TRY(short_text(object, "bank"))};
}

std::string write(PushSubscribed const& subscribed)
{
    return json::write(json::Object{{"endpoint", subscribed.endpoint},
                                    {"p256dh", base64url(subscribed.point)},
                                    {"auth", base64url(subscribed.auth)},
                                    {"language", name_of(subscribed.language)}});
}

Result<PushSubscribed> parse_push_subscription(std::string_view body)
{
    auto const object = TRY(body_with(body, {"endpoint", "p256dh", "auth", "language"}));
    auto const language = language_named(TRY(json::text(object, "language")));
    if (!language) return fail(Outcome::request_malformed, "language");
    PushSubscribed subscribed{
        .endpoint = TRY(json::text(object, "endpoint")),
        .point = TRY(bytes(object, "p256dh", crypto::push_point_bytes, Outcome::request_malformed)),
        .auth = TRY(bytes(object, "auth", crypto::push_auth_bytes, Outcome::request_malformed)),
        .language = *language,
    };
    if (!crypto::is_push_point(subscribed.point)) return fail(Outcome::request_malformed, "p256dh is no point");
    return subscribed;
}

Bytes enrol_statement(ByteView nonce, DeviceId const& device, int code_version, ByteView sealed_code_key,
                      std::string_view name, ByteView passkey)
{
    auto const version = std::to_string(code_version);
    auto const hash = crypto::sha256(sealed_code_key);
    return vault::statement("symbolon-enrol-v1",
                            {nonce, bytes_of(device.text()), bytes_of(version), hash, bytes_of(name), passkey});
}

std::string write(EnrolFinish const& finish)
{
    return json::write(json::Object{{"session", finish.session.reveal()},
                                    {"device_key", finish.device_key.jwk()},
                                    {"code_key", base64url(finish.code_key)},
                                    {"name", finish.name},
                                    {"passkey", base64url(finish.passkey)},
                                    {"signature", base64url(finish.signature)}});
}

Result<EnrolFinish> parse_enrol_finish(std::string_view body)
{
    auto const object = TRY(body_with(body, {"session", "device_key", "code_key", "name", "signature"}, {"passkey"}));
    EnrolFinish finish;
    finish.session = TRY(secret_text(object, "session"));
    auto const jwk = TRY(json::object(object, "device_key"));
    for (auto const& member : jwk)
        if (member.key() != "kty" && member.key() != "crv" && member.key() != "x" && member.key() != "y")
            return fail(Outcome::jwk_malformed, "a member that a device key does not have");
    finish.device_key = TRY(crypto::PublicKey::from_jwk(jwk));
    if (finish.device_key.type() != crypto::KeyType::ec_p256) return fail(Outcome::jwk_malformed, "not P-256");
    finish.code_key = TRY(bytes(object, "code_key", sealed_code_key_bytes, Outcome::proof_malformed));
    finish.name = TRY(displayable(TRY(json::text(object, "name")), most_name_characters));
    if (trimmed(finish.name).empty()) return fail(Outcome::request_malformed, "the phone has no name");
    // Apps of before the fingerprint don't send it.
    if (object.contains("passkey")) finish.passkey = TRY(from_base64url(TRY(json::text(object, "passkey"))));
    if (!finish.passkey.empty()) TRY(passkey::parse_registration(finish.passkey));
    finish.signature = TRY(bytes(object, "signature", signature_bytes, Outcome::request_malformed));
    return finish;
}

// ---- the fingerprint ---------------------------------------------------------------------------------------------

Bytes passkey_challenge(ByteView nonce, DeviceId const& device)
{
    return crypto::sha256(vault::statement("symbolon-passkey-v1", {nonce, bytes_of(device.text())}));
}

Bytes message_of(PasskeyOn const& on)
{
    auto const hash = crypto::sha256(on.passkey);
    return vault::statement("symbolon-passkey-on-v1", {on.challenge, bytes_of(on.device.text()), on.ratchet, hash});
}

Bytes passkey_on_statement(ByteView message, ByteView proof)
{
    auto const hash = crypto::sha256(proof);
    return vault::statement("symbolon-passkey-on-signature-v1", {message, hash});
}

ActionId passkey_on_name(ByteView challenge) { return ActionId{"passkey-on." + base64url(challenge)}; }

std::string write(PasskeyOn const& on)
{
    return json::write(json::Object{{"did", on.device.text()},
                                    {"challenge", base64url(on.challenge)},
                                    {"ratchet", base64url(on.ratchet)},
                                    {"passkey", base64url(on.passkey)},
                                    {"proof", base64url(on.proof)},
                                    {"signature", base64url(on.signature)}});
}

Result<PasskeyOn> parse_passkey_on(std::string_view body)
{
    auto const object = TRY(body_with(body, {"did", "challenge", "ratchet", "passkey", "proof", "signature"}));
    constexpr auto malformed = Outcome::request_malformed;
    PasskeyOn on;
    on.device = DeviceId{TRY(short_text(object, "did"))};
    on.challenge = TRY(bytes(object, "challenge", nonce_bytes, malformed));
    on.ratchet = TRY(bytes(object, "ratchet", ratchet_bytes, malformed));
    on.passkey = TRY(from_base64url(TRY(json::text(object, "passkey"))));
    TRY(passkey::parse_registration(on.passkey));
    on.proof = TRY(bytes(object, "proof", code_proof_bytes, Outcome::proof_malformed));
    on.signature = TRY(bytes(object, "signature", signature_bytes, malformed));
    return on;
}

// ---- claims ------------------------------------------------------------------------------------------------------

namespace {

constexpr std::array ways_to_claim{
    std::pair{Claim::By::scan, std::string_view{"scan"}},
    std::pair{Claim::By::address, std::string_view{"address"}},
    std::pair{Claim::By::link, std::string_view{"link"}},
    std::pair{Claim::By::code, std::string_view{"code"}},
};

} // namespace

std::string_view name_of(Claim::By by)
{
    return std::ranges::find(ways_to_claim, by, [](auto const& row) { return row.first; })->second;
}

std::string write(Claim const& claim)
{
    return json::write(json::Object{{"by", name_of(claim.by)}, {"value", claim.value}});
}

Result<Claim> parse_claim(std::string_view body)
{
    constexpr std::size_t longest_value = 200;
    auto const object = TRY(body_with(body, {"by", "value"}));
    auto const by = TRY(short_text(object, "by"));
    auto const way = std::ranges::find(ways_to_claim, std::string_view{by}, [](auto const& row) { return row.second; });
    if (way == ways_to_claim.end()) return fail(Outcome::request_malformed, "by");
    auto value = TRY(json::text(object, "value"));
    if (value.size() > longest_value) return fail(Outcome::request_malformed, "value");
    return Claim{.by = way->first, .value = std::move(value)};
}

Bytes match_statement(Match const& match)
{
    return vault::statement("symbolon-match-v1", {match.shown, bytes_of(match.device.text()), bytes_of(match.symbol)});
}

std::string write(Match const& match)
{
    return json::write(json::Object{{"did", match.device.text()},
                                    {"shown", base64url(match.shown)},
                                    {"symbol", match.symbol},
                                    {"signature", base64url(match.signature)}});
}

Result<Match> parse_match(std::string_view body)
{
    auto const object = TRY(body_with(body, {"did", "shown", "symbol", "signature"}));
    Match match;
    match.device = DeviceId{TRY(short_text(object, "did"))};
    match.shown = TRY(bytes(object, "shown", hash_bytes, Outcome::request_malformed));
    match.symbol = TRY(short_text(object, "symbol"));
    if (match.symbol.empty()) return fail(Outcome::request_malformed, "symbol");
    match.signature = TRY(bytes(object, "signature", signature_bytes, Outcome::request_malformed));
    return match;
}

// ---- answers -----------------------------------------------------------------------------------------------------

Bytes message_of(Answer const& answer)
{
    std::string_view const decision = answer.decision == Answer::Decision::approve ? "approve" : "refuse";
    auto const claims = vault::list_of(answer.claims);
    return vault::statement("symbolon-answer-v1",
                            {answer.shown, bytes_of(answer.device.text()), bytes_of(decision), bytes_of(answer.symbol),
                             bytes_of(answer.method), answer.ratchet, claims, bytes_of(answer.reason)});
}

Bytes answer_statement(ByteView message, ByteView proof)
{
    auto const hash = crypto::sha256(proof);
    return vault::statement("symbolon-answer-signature-v1", {message, hash});
}

std::string write(Answer const& answer)
{
    json::Array claims;
    for (auto const& claim : answer.claims) claims.emplace_back(claim);
    return json::write(json::Object{{"did", answer.device.text()},
                                    {"shown", base64url(answer.shown)},
                                    {"answer", answer.decision == Answer::Decision::approve ? "approve" : "refuse"},
                                    {"symbol", answer.symbol},
                                    {"method", answer.method},
                                    {"ratchet", base64url(answer.ratchet)},
                                    {"claims", std::move(claims)},
                                    {"reason", answer.reason},
                                    {"proof", base64url(answer.proof)},
                                    {"signature", base64url(answer.signature)}});
}

Result<Answer> parse_answer(std::string_view body)
{
    auto const object = TRY(body_with(
        body, {"did", "shown", "answer", "symbol", "method", "ratchet", "claims", "reason", "proof", "signature"}));
    constexpr auto malformed = Outcome::request_malformed;
    Answer answer;
    answer.device = DeviceId{TRY(short_text(object, "did"))};
    answer.shown = TRY(bytes(object, "shown", hash_bytes, malformed));
    auto const decision = TRY(short_text(object, "answer"));
    answer.symbol = TRY(short_text(object, "symbol"));
    answer.method = TRY(short_text(object, "method"));
    answer.ratchet = TRY(bytes(object, "ratchet", ratchet_bytes, malformed));
    auto const claims = TRY(json::array(object, "claims"));
    if (claims.size() > most_claims) return fail(malformed, "claims");
    for (auto const& claim : claims) {
        if (!claim.is_string() || claim.get_string().size() > most_short_text) return fail(malformed, "claims");
        answer.claims.emplace_back(claim.get_string());
    }
    answer.reason = TRY(short_text(object, "reason"));
    answer.proof = TRY(from_base64url(TRY(json::text(object, "proof"))));
    answer.signature = TRY(bytes(object, "signature", signature_bytes, malformed));

    if (decision == "approve") {
        answer.decision = Answer::Decision::approve;
        if (!answer.reason.empty()) return fail(malformed, "does not fit an approval");
        if (answer.method == "passkey") TRY(passkey::parse_assertion(answer.proof));
        else if (answer.method != "code") return fail(malformed, "method");
        else if (answer.proof.size() != code_proof_bytes) return fail(Outcome::proof_malformed, "size");
    } else if (decision == "refuse") {
        answer.decision = Answer::Decision::refuse;
        if (!answer.symbol.empty() || !answer.method.empty() || !answer.claims.empty() || !answer.proof.empty())
            return fail(malformed, "does not fit a refusal");
        if (!answer.reason.empty() && answer.reason != "not_me" && answer.reason != "changed_mind")
            return fail(malformed, "reason");
    } else {
        return fail(malformed, "answer");
    }
    return answer;
}

} // namespace symbolon::device

#pragma once

#include "base/bytes.hpp"
#include "base/id.hpp"
#include "base/json.hpp"
#include "base/language.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "crypto/key.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The messages of docs/device-protocol.md, as values, for both sides: what is signed, and how it is written in JSON.
namespace symbolon::device {

inline constexpr std::size_t nonce_bytes = 32;     ///< of an enrolment
inline constexpr std::size_t ratchet_bytes = 16;   ///<
inline constexpr std::size_t signature_bytes = 64; ///< ECDSA P-256 raw, Ed25519
inline constexpr std::size_t hash_bytes = 32;      ///< SHA-256
inline constexpr std::size_t sealed_code_key_bytes = 177;
inline constexpr std::size_t code_proof_bytes = 145;
inline constexpr std::size_t most_body_bytes = 8192;
inline constexpr std::size_t most_name_characters = 60;

// ---- keys (§2) ---------------------------------------------------------------------------------------------------

/// The code key: `kh` 32 bytes, `code` five ASCII digits.
crypto::PrivateKey code_key(SecretBytes const& kh, DeviceId const& device, int code_version, SecretText const& code);

/// The seed of that key, 32 bytes.
SecretBytes code_key_seed(SecretBytes const& kh, DeviceId const& device, int code_version, SecretText const& code);

/// A vault key for seals from its uncompressed point (65 bytes) and back. Fails with jwk_malformed.
Result<crypto::PublicKey> public_key_at(ByteView point);

/// The public key of an Ed25519 key, 32 bytes.
Bytes raw_public_key(crypto::PublicKey const& ed25519);

// ---- signed requests (§3) ------------------------------------------------------------------------------------------

/// x of a signed request. `path` as in the request line; `nonce` the text that the server gave.
Bytes request_statement(std::string_view method, std::string_view path, std::string_view nonce, ByteView body);

/// The Authorization header of a signed request.
struct Authorization {
    DeviceId device;
    std::string nonce;
    Bytes signature; ///< 64 bytes
};

std::string write(Authorization const& authorization);

/// Fails with device_signature_invalid: absent or not of the one form.
Result<Authorization> parse_authorization(std::string_view header);

// ---- enrolment (§4) ------------------------------------------------------------------------------------------------

struct EnrolStart {
    std::string calling_code;
    std::string number;
    SecretText token; ///< the identification token, without spaces around it
};
std::string write(EnrolStart const& start);
Result<EnrolStart> parse_enrol_start(std::string_view body); ///< Fails: json_malformed, request_malformed.

/// POST /d/enrol/sms, and /d/enrol/bank/landing with the code of that page.
struct EnrolSms {
    SecretText session;
    SecretText code;
};
std::string write(EnrolSms const& sms);
Result<EnrolSms> parse_enrol_sms(std::string_view body); ///< Fails: json_malformed, request_malformed.

/// {"session"}: POST /d/enrol/sms-again, /d/enrol/bank/again.
std::string write_enrol_session(SecretText const& session);
Result<SecretText> parse_enrol_session(std::string_view body); ///< Fails: json_malformed, request_malformed.

/// An enrolment through a bank: POST /d/enrol/bank.
struct EnrolBank {
    std::string calling_code;
    std::string number;
    std::string language; ///< not judged yet
};
std::string write(EnrolBank const& begin);
Result<EnrolBank> parse_enrol_bank(std::string_view body); ///< Fails: json_malformed, request_malformed.

/// POST /d/enrol/bank/visit.
struct EnrolBankVisit {
    SecretText session;
    std::string bank;
};
std::string write(EnrolBankVisit const& visit);
Result<EnrolBankVisit> parse_enrol_bank_visit(std::string_view body); ///< Fails: json_malformed, request_malformed.

struct EnrolFinish {
    SecretText session;
    crypto::PublicKey device_key;
    Bytes code_key; ///< sealed, 177 bytes
    std::string name;
    Bytes passkey;   ///< passkey::write(Registration); empty: the fingerprint stays off
    Bytes signature; ///< 64 bytes
};
/// x of the new phone's signature.
Bytes enrol_statement(ByteView nonce, DeviceId const& device, int code_version, ByteView sealed_code_key,
                      std::string_view name, ByteView passkey = {});
std::string write(EnrolFinish const& finish);
/// Fails: json_malformed, request_malformed, jwk_malformed, encoding_malformed.
Result<EnrolFinish> parse_enrol_finish(std::string_view body);

// ---- notifications (§5) --------------------------------------------------------------------------------------------

/// What a browser's push subscription says of itself (Push API, PushSubscriptionJSON).
struct PushSubscribed {
    std::string endpoint; ///< not judged yet: push::check_endpoint
    Bytes point;          ///< p256dh, on the curve
    Bytes auth;           ///< 16 bytes
    Language language = Language::fr;
};
std::string write(PushSubscribed const& subscribed);
/// Fails: json_malformed, request_malformed, encoding_malformed.
Result<PushSubscribed> parse_push_subscription(std::string_view body);

// ---- the fingerprint (§4, §5) --------------------------------------------------------------------------------------

/// What a new passkey signs. `nonce`: of the enrolment, or the challenge that the server gave; 32 bytes.
Bytes passkey_challenge(ByteView nonce, DeviceId const& device);

/// Turning the fingerprint on: POST /d/passkey/on.
struct PasskeyOn {
    DeviceId device;
    Bytes challenge; ///< 32 bytes, from /d/passkey/challenge
    Bytes ratchet;   ///< 16 bytes
    Bytes passkey;   ///< passkey::write(Registration)
    Bytes proof;     ///< of the code: sealed, 145 bytes
    Bytes signature; ///< 64 bytes
};
/// m: what the code key signs.
Bytes message_of(PasskeyOn const& on);
/// What the device key signs: m and the hash of the proof.
Bytes passkey_on_statement(ByteView message, ByteView proof);
/// The name under which the vault judges the code, in the place of an action's. No action has such a name.
ActionId passkey_on_name(ByteView challenge);
std::string write(PasskeyOn const& on);
/// Fails: json_malformed, request_malformed, encoding_malformed, proof_malformed, passkey_refused (its outer shape).
Result<PasskeyOn> parse_passkey_on(std::string_view body);

// ---- claims (§5) ---------------------------------------------------------------------------------------------------

/// A phone that went to a page and asks for its question.
struct Claim {
    enum class By : std::uint8_t {
        scan,    ///< the app's camera saw the QR code
        address, ///< the QR code's address opened the app
        link,    ///< the page's link opened the app
        code,    ///< the short code was typed
    };
    By by = By::scan;
    std::string value; ///< what stood in the QR code, in the link, or was typed
};
std::string_view name_of(Claim::By by);
std::string write(Claim const& claim);
/// Fails: json_malformed, request_malformed.
Result<Claim> parse_claim(std::string_view body);

/// The symbol that the holder picked after all, when the approval of a link did not come back to its page.
struct Match {
    DeviceId device;
    Bytes shown; ///< SHA-256 of the bytes that were shown
    std::string symbol;
    Bytes signature; ///< 64 bytes
};
/// What the device key signs.
Bytes match_statement(Match const& match);
std::string write(Match const& match);
/// Fails: json_malformed, request_malformed, encoding_malformed.
Result<Match> parse_match(std::string_view body);

// ---- answers (§5) --------------------------------------------------------------------------------------------------

struct Answer {
    enum class Decision : std::uint8_t { approve, refuse };

    DeviceId device;
    Bytes shown; ///< SHA-256 of the bytes that were shown
    Decision decision = Decision::refuse;
    std::string symbol;              ///< empty where refused, and where none is wanted
    std::string method;              ///< "code", "passkey"; empty where refused
    Bytes ratchet;                   ///< 16 bytes
    std::vector<std::string> claims; ///< granted; empty where refused
    std::string reason;              ///< of a refusal: empty, "not_me", "changed_mind"
    Bytes proof;     ///< code: sealed, 145 bytes; passkey: passkey::write(Assertion); empty where refused
    Bytes signature; ///< 64 bytes
};

/// m: what the code key signs, and of whose hash the passkey's challenge is made.
Bytes message_of(Answer const& answer);

/// What the device key signs: m and the hash of the proof.
Bytes answer_statement(ByteView message, ByteView proof);

std::string write(Answer const& answer);

/// Fails: json_malformed, request_malformed (a member is missing, unknown, or does not fit the decision),
/// encoding_malformed, proof_malformed.
Result<Answer> parse_answer(std::string_view body);

} // namespace symbolon::device

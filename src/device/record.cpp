#include "device/record.hpp"

#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"

namespace symbolon::device {

using crypto::base64url;

Bytes sign_record(Record const& record, crypto::SigningKey const& key)
{
    json::Object payload{
        {"v", 1},
        {"action", record.action.id.text()},
        {"account", record.device.account.text()},
        {"did", record.device.id.text()},
        {"device_key", record.device_key.jwk()},
        {"tx", base64url(record.action.shown)},
        {"m", base64url(message_of(record.answer))},
        {"proof_hash", base64url(crypto::sha256(record.answer.proof))},
        {"signature", base64url(record.answer.signature)},
        {"symbol", record.symbol},
        {"grant", base64url(record.grant)},
        {"state", record.state},
        {"tied", record.tied},
        {"at", numeric_date(record.at)},
    };
    // Where the fingerprint approved, its assertion is the evidence, as the vault's grant is for the code.
    if (record.answer.method == "passkey" && record.device.passkey) {
        payload["assertion"] = base64url(record.answer.proof);
        payload["passkey_key"] = base64url(record.device.passkey->public_key);
        payload["passkey_algorithm"] = record.device.passkey->algorithm;
    }
    return to_bytes(crypto::sign_jws(key, json::write(payload), "symbolon-record+jws"));
}

bool is_record_of(ByteView record, Answer const& answer)
{
    auto const jws = crypto::peek_jws(text_of(record));
    if (!jws) return false;
    auto const payload = json::parse_object(jws->payload);
    if (!payload) return false;
    auto const message = json::text(*payload, "m");
    auto const proof = json::text(*payload, "proof_hash");
    return message && proof && *message == base64url(message_of(answer)) &&
           *proof == base64url(crypto::sha256(answer.proof));
}

} // namespace symbolon::device

#include "crypto/jws.hpp"

#include "base/ensure.hpp"
#include "base/text.hpp"
#include "crypto/encoding.hpp"

#include <algorithm>

namespace symbolon::crypto {

namespace {

constexpr std::size_t longest_jws = 100'000;
constexpr std::size_t most_keys_in_a_set = 50;

struct Parts {
    std::string_view signing_input;
    Bytes signature;
    Jws jws;
};

std::unexpected<Failure> malformed(std::string detail) { return fail(Outcome::jws_malformed, std::move(detail)); }

/// RFC 7515 §5.2, steps 1 to 7.
Result<Parts> take_apart(std::string_view compact)
{
    if (compact.size() > longest_jws) return malformed("too long");
    auto const parts = split(compact, '.');
    if (parts.size() != 3) return malformed("not three parts");

    auto const header_text = from_base64url(parts[0]);
    auto const payload = from_base64url(parts[1]);
    auto signature = from_base64url(parts[2]);
    if (!header_text || !payload || !signature) return malformed("base64url");

    auto header = json::parse_object(text_of(*header_text));
    if (!header) return malformed("header");
    if (auto const algorithm = json::text(*header, "alg"); !algorithm) return malformed("alg");
    if (auto const key_id = json::optional_text(*header, "kid"); !key_id) return malformed("kid");
    // RFC 7515 §4.1.11: what `crit` names must be understood, and we understand no extension. RFC 7797 (b64) is one.
    if (header->contains("crit")) return malformed("crit");
    if (header->contains("b64")) return malformed("b64");

    return Parts{
        .signing_input = compact.substr(0, parts[0].size() + 1 + parts[1].size()),
        .signature = *std::move(signature),
        .jws = {.header = *std::move(header), .payload = string_of(*payload)},
    };
}

/// Whether the members of a JWK that say what it is for let it verify signatures (RFC 7517 §4.2, §4.3).
bool is_for_signatures(json::Object const& jwk)
{
    if (auto const* use = jwk.if_contains("use"); use != nullptr && (!use->is_string() || use->as_string() != "sig"))
        return false;
    if (auto const* operations = jwk.if_contains("key_ops"); operations != nullptr) {
        if (!operations->is_array()) return false;
        return std::ranges::any_of(operations->as_array(), [](json::Value const& each) {
            return each.is_string() && each.as_string() == "verify";
        });
    }
    return true;
}

std::optional<VerificationKey> verification_key(json::Object const& jwk)
{
    if (!is_for_signatures(jwk)) return std::nullopt;
    auto const key_id = json::optional_text(jwk, "kid");
    auto const algorithm_name = json::optional_text(jwk, "alg");
    if (!key_id || !algorithm_name) return std::nullopt;
    auto key = PublicKey::from_jwk(jwk);
    if (!key) return std::nullopt;

    std::optional<SignatureAlgorithm> algorithm;
    if (algorithm_name->has_value()) {
        algorithm = signature_algorithm_named(**algorithm_name);
        if (!algorithm || !fits(*algorithm, key->type())) return std::nullopt;
    }
    return VerificationKey{.key_id = key_id->value_or(""), .algorithm = algorithm, .key = *std::move(key)};
}

} // namespace

Result<std::vector<VerificationKey>> parse_jwk_set(std::string_view text)
{
    auto const set = json::parse_object(text);
    if (!set) return fail(Outcome::jwk_malformed, set.error().detail);
    auto const members = json::array(*set, "keys");
    if (!members) return fail(Outcome::jwk_malformed, "keys");
    if (members->size() > most_keys_in_a_set) return fail(Outcome::jwk_malformed, "too many keys");

    std::vector<VerificationKey> keys;
    for (auto const& member : *members) {
        if (!member.is_object()) return fail(Outcome::jwk_malformed, "a key is no object");
        // RFC 7517 §5: "Implementations SHOULD ignore JWKs within a JWK Set that use "kty" values that are not
        // understood by them, that are missing required members, or for which values are out of the supported ranges."
        if (auto key = verification_key(member.as_object())) keys.push_back(*std::move(key));
    }
    return keys;
}

std::string sign_jws(SigningKey const& key, std::string_view payload, std::string_view type)
{
    json::Object header;
    header["alg"] = name_of(key.algorithm);
    if (!key.key_id.empty()) header["kid"] = key.key_id;
    if (!type.empty()) header["typ"] = type;
    auto compact = base64url(bytes_of(json::write(header))) + '.' + base64url(bytes_of(payload));
    auto const signature = key.key.sign(key.algorithm, bytes_of(compact));
    return compact + '.' + base64url(signature);
}

Result<Jws> verify_jws(std::string_view compact, std::span<VerificationKey const> keys,
                       std::span<SignatureAlgorithm const> allowed)
{
    auto parts = TRY(take_apart(compact));

    // RFC 8725 §3.1: the header may only name what the caller already allows.
    auto const algorithm = signature_algorithm_named(TRY(json::text(parts.jws.header, "alg")));
    if (!algorithm || std::ranges::find(allowed, *algorithm) == allowed.end())
        return fail(Outcome::jws_algorithm_refused, "alg is not one of those registered");

    auto const key_id = TRY(json::optional_text(parts.jws.header, "kid"));
    bool any = false;
    for (auto const& key : keys) {
        if (!fits(*algorithm, key.key.type())) continue;
        if (key.algorithm && *key.algorithm != *algorithm) continue;
        // A key without a name may be the one that is meant.
        if (key_id && !key.key_id.empty() && key.key_id != *key_id) continue;
        any = true;
        if (key.key.verifies(*algorithm, bytes_of(parts.signing_input), parts.signature)) return std::move(parts.jws);
    }
    if (!any) return fail(Outcome::key_unknown, "no key of that name for that algorithm");
    return fail(Outcome::jws_signature_invalid);
}

Result<Jws> peek_jws(std::string_view compact) { return TRY(take_apart(compact)).jws; }

} // namespace symbolon::crypto

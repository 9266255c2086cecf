#include "passkey/authenticator.hpp"

#include "base/ensure.hpp"
#include "crypto/encoding.hpp"
#include "passkey/cbor.hpp"

#include <array>

namespace symbolon::passkey {

namespace {

using crypto::SignatureAlgorithm;
constexpr auto refused = Outcome::passkey_refused;

// COSE: labels of a key (RFC 9052 §7.1), and the values that we know.
constexpr std::int64_t label_kty = 1;
constexpr std::int64_t label_alg = 3;
constexpr std::int64_t kty_okp = 1;
constexpr std::int64_t kty_ec2 = 2;
constexpr std::int64_t kty_rsa = 3;
constexpr std::int64_t alg_es256 = -7;
constexpr std::int64_t alg_eddsa = -8;
constexpr std::int64_t alg_rs256 = -257;
constexpr std::int64_t crv_p256 = 1;
constexpr std::int64_t crv_ed25519 = 6;
// By key type: crv, x, y (EC2, OKP); n, e (RSA).
constexpr std::int64_t label_crv_or_n = -1;
constexpr std::int64_t label_x_or_e = -2;
constexpr std::int64_t label_y = -3;
constexpr std::size_t coordinate_bytes = 32;

// Flags (WebAuthn §6.1).
constexpr Byte flag_up = 0x01;
constexpr Byte flag_uv = 0x04;
constexpr Byte flag_be = 0x08;
constexpr Byte flag_bs = 0x10;
constexpr Byte flag_at = 0x40;
constexpr Byte flag_ed = 0x80;

constexpr std::size_t rp_id_hash_bytes = 32;
constexpr std::size_t aaguid_bytes = 16;
constexpr std::size_t most_credential_id_bytes = 1023; // §7.1

Result<std::int64_t> integer_of(Item const& key, std::int64_t label)
{
    auto const* item = key.member(label);
    if (item == nullptr || item->integer() == nullptr) return fail(refused, "COSE: a number is missing");
    return *item->integer();
}

Result<std::string> base64url_of(Item const& key, std::int64_t label, std::size_t size)
{
    auto const* item = key.member(label);
    if (item == nullptr || item->bytes() == nullptr) return fail(refused, "COSE: bytes are missing");
    if (size != 0 && item->bytes()->size() != size) return fail(refused, "COSE: length of a coordinate");
    return crypto::base64url(*item->bytes());
}

Result<CredentialKey> key_of(json::Object const& jwk, SignatureAlgorithm algorithm)
{
    auto key = crypto::PublicKey::from_jwk(jwk);
    if (!key) return fail(refused, "COSE: no such key");
    return CredentialKey{*std::move(key), algorithm};
}

Bytes bytes_of_jwk(json::Object const& jwk, std::string_view name)
{
    auto bytes = crypto::from_base64url(jwk.at(name).as_string());
    ENSURE(bytes.has_value());
    return *std::move(bytes);
}

/// Takes that many bytes off the front.
Result<ByteView> take(ByteView& from, std::size_t size)
{
    if (from.size() < size) return fail(refused, "authenticator data: too short");
    auto const taken = from.first(size);
    from = from.subspan(size);
    return taken;
}

std::uint32_t number_of(ByteView bytes)
{
    std::uint32_t number = 0;
    for (auto const byte : bytes) number = number << 8U | byte;
    return number;
}

void append_number(Bytes& to, std::uint32_t number, unsigned size)
{
    constexpr unsigned bits = 8;
    for (auto at = size; at > 0; --at) to.push_back(static_cast<Byte>(number >> bits * (at - 1)));
}

Result<AuthenticatorData::Attested> take_attested(ByteView& from)
{
    AuthenticatorData::Attested attested;
    auto const aaguid = TRY(take(from, aaguid_bytes));
    auto const size = number_of(TRY(take(from, 2)));
    if (size == 0 || size > most_credential_id_bytes) return fail(refused, "length of the credential id");
    auto const id = TRY(take(from, size));
    attested.aaguid.assign(aaguid.begin(), aaguid.end());
    attested.credential_id.assign(id.begin(), id.end());
    attested.key = TRY(take_cose_key(from));
    return attested;
}

} // namespace

Result<CredentialKey> take_cose_key(ByteView& from)
{
    auto const key = TRY(take_item(from, Form::canonical));
    if (key.map() == nullptr) return fail(refused, "COSE: no map");
    auto const members = key.map()->size();
    auto const kty = TRY(integer_of(key, label_kty));
    auto const alg = TRY(integer_of(key, label_alg));

    // "The COSE_Key-encoded credential public key MUST contain the "alg" parameter and MUST NOT contain any other
    // OPTIONAL parameters." (§6.5.1)
    if (kty == kty_ec2 && alg == alg_es256 && members == 5) {
        if (TRY(integer_of(key, label_crv_or_n)) != crv_p256) return fail(refused, "COSE: curve");
        return key_of({{"kty", "EC"},
                       {"crv", "P-256"},
                       {"x", TRY(base64url_of(key, label_x_or_e, coordinate_bytes))},
                       {"y", TRY(base64url_of(key, label_y, coordinate_bytes))}},
                      SignatureAlgorithm::es256);
    }
    if (kty == kty_okp && alg == alg_eddsa && members == 4) {
        if (TRY(integer_of(key, label_crv_or_n)) != crv_ed25519) return fail(refused, "COSE: curve");
        return key_of(
            {{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", TRY(base64url_of(key, label_x_or_e, coordinate_bytes))}},
            SignatureAlgorithm::eddsa);
    }
    if (kty == kty_rsa && alg == alg_rs256 && members == 4)
        return key_of({{"kty", "RSA"},
                       {"n", TRY(base64url_of(key, label_crv_or_n, 0))},
                       {"e", TRY(base64url_of(key, label_x_or_e, 0))}},
                      SignatureAlgorithm::rs256);
    return fail(refused, "COSE: an algorithm that was not offered, or other members than it has");
}

Bytes write_cose_key(CredentialKey const& key)
{
    auto const jwk = key.key.jwk();
    auto const row = [](std::int64_t label, auto value) { return Item::Member{Item{label}, Item{std::move(value)}}; };
    Item::Map map;
    switch (key.algorithm) {
    case SignatureAlgorithm::es256:
        map = {row(label_kty, kty_ec2), row(label_alg, alg_es256), row(label_crv_or_n, crv_p256),
               row(label_x_or_e, bytes_of_jwk(jwk, "x")), row(label_y, bytes_of_jwk(jwk, "y"))};
        break;
    case SignatureAlgorithm::eddsa:
        map = {row(label_kty, kty_okp), row(label_alg, alg_eddsa), row(label_crv_or_n, crv_ed25519),
               row(label_x_or_e, bytes_of_jwk(jwk, "x"))};
        break;
    case SignatureAlgorithm::rs256:
        map = {row(label_kty, kty_rsa), row(label_alg, alg_rs256), row(label_crv_or_n, bytes_of_jwk(jwk, "n")),
               row(label_x_or_e, bytes_of_jwk(jwk, "e"))};
        break;
    default: ENSURE(false);
    }
    return write(Item{std::move(map)});
}

bool verifies(CredentialKey const& key, ByteView data, ByteView signature)
{
    if (key.algorithm != SignatureAlgorithm::es256) return key.key.verifies(key.algorithm, data, signature);
    auto const raw = crypto::ecdsa_raw_from_der(signature, coordinate_bytes);
    return raw && key.key.verifies(key.algorithm, data, *raw);
}

Result<AuthenticatorData> parse_authenticator_data(ByteView bytes)
{
    AuthenticatorData data;
    auto const hash = TRY(take(bytes, rp_id_hash_bytes));
    data.rp_id_hash.assign(hash.begin(), hash.end());
    auto const flags = TRY(take(bytes, 1)).front();
    data.user_present = (flags & flag_up) != 0;
    data.user_verified = (flags & flag_uv) != 0;
    data.backup_eligible = (flags & flag_be) != 0;
    data.backed_up = (flags & flag_bs) != 0;
    data.sign_count = number_of(TRY(take(bytes, sizeof data.sign_count)));
    // §7.1, §7.2: "If the BE bit of the flags in authData is not set, verify that the BS bit is not set."
    if (data.backed_up && !data.backup_eligible) return fail(refused, "backed up, but not eligible for it");

    if ((flags & flag_at) != 0) data.attested = TRY(take_attested(bytes));
    if ((flags & flag_ed) != 0) {
        auto const extensions = TRY(take_item(bytes, Form::any));
        if (extensions.map() == nullptr) return fail(refused, "extensions");
    }
    if (!bytes.empty()) return fail(refused, "something behind the authenticator data");
    return data;
}

Bytes write(AuthenticatorData const& data)
{
    auto bytes = data.rp_id_hash;
    auto const flag = [](bool set, Byte bit) { return set ? bit : Byte{0}; };
    bytes.push_back(static_cast<Byte>(flag(data.user_present, flag_up) | flag(data.user_verified, flag_uv) |
                                      flag(data.backup_eligible, flag_be) | flag(data.backed_up, flag_bs) |
                                      flag(data.attested.has_value(), flag_at)));
    append_number(bytes, data.sign_count, sizeof data.sign_count);
    if (data.attested) {
        append(bytes, data.attested->aaguid);
        append_number(bytes, static_cast<std::uint32_t>(data.attested->credential_id.size()), 2);
        append(bytes, data.attested->credential_id);
        append(bytes, write_cose_key(data.attested->key));
    }
    return bytes;
}

} // namespace symbolon::passkey

#include "crypto/key.hpp"

#include "base/ensure.hpp"
#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "crypto/openssl.hpp"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace symbolon::crypto {

namespace {

using openssl::BigNumber;
using openssl::Key;
using ParameterBuilder = std::unique_ptr<OSSL_PARAM_BLD, openssl::Free<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, openssl::Free<OSSL_PARAM_free>>;

constexpr int fewest_rsa_bits = 2048;
constexpr int most_rsa_bits = 4096;
constexpr std::size_t most_exponent_bytes = 8; // an exponent may cost time, not more than this
constexpr std::size_t ed25519_bytes = 32;

struct Curve {
    KeyType type;
    std::string_view jwk_name;
    char const* group;
    std::size_t field_bytes;
};
constexpr Curve p256{KeyType::ec_p256, "P-256", "prime256v1", 32};
constexpr Curve p384{KeyType::ec_p384, "P-384", "secp384r1", 48};

// What stands before the key itself in the SubjectPublicKeyInfo of our two most frequent kinds (RFC 5480 §2.1.1,
// RFC 8410 §4). The decoder of OpenSSL 3.0 takes twice the time of a verification for each.
constexpr std::array<Byte, 26> p256_prefix{0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                           0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                           0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
constexpr std::array<Byte, 12> ed25519_prefix{0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
constexpr std::size_t p256_point_bytes = 65;
constexpr Byte uncompressed = 4; // SEC 1 §2.3.3

std::unexpected<Failure> malformed(std::string detail, std::source_location where = std::source_location::current())
{
    openssl::forget_errors();
    return fail(Outcome::jwk_malformed, std::move(detail), where);
}

Curve const& curve_of(KeyType type)
{
    ENSURE(type == KeyType::ec_p256 || type == KeyType::ec_p384);
    return type == KeyType::ec_p256 ? p256 : p384;
}

std::shared_ptr<EVP_PKEY> shared(Key key) { return {key.release(), EVP_PKEY_free}; }

/// What the key is, if it is one of ours and within our bounds.
Result<KeyType> judged_type(EVP_PKEY const* key)
{
    if (EVP_PKEY_is_a(key, "ED25519") == 1) return KeyType::ed25519;
    if (EVP_PKEY_is_a(key, "RSA") == 1) {
        auto const bits = EVP_PKEY_get_bits(key);
        if (bits < fewest_rsa_bits || bits > most_rsa_bits)
            return malformed("RSA of " + std::to_string(bits) + " bits");
        BIGNUM* modulus_raw = nullptr;
        BIGNUM* exponent_raw = nullptr;
        auto const have = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &modulus_raw) == 1 &&
                          EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent_raw) == 1;
        BigNumber const modulus{modulus_raw};
        BigNumber const exponent{exponent_raw};
        if (!have || BN_is_odd(modulus.get()) == 0) return malformed("RSA modulus");
        if (BN_is_odd(exponent.get()) == 0 || BN_is_one(exponent.get()) == 1 ||
            BN_num_bytes(exponent.get()) > static_cast<int>(most_exponent_bytes))
            return malformed("RSA exponent");
        return KeyType::rsa;
    }
    if (EVP_PKEY_is_a(key, "EC") == 1) {
        // A curve by its parameters can be made to look like a named one.
        int explicit_parameters = 0;
        if (EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &explicit_parameters) == 1 &&
            explicit_parameters != 0)
            return malformed("curve by parameters");
        std::array<char, 64> group{};
        if (EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) != 1) return malformed("curve");
        if (std::strcmp(group.data(), p256.group) == 0) return KeyType::ec_p256;
        if (std::strcmp(group.data(), p384.group) == 0) return KeyType::ec_p384;
        return malformed("curve");
    }
    return malformed("key type");
}

/// A member in base64url. Not the reason is told: it may be a secret.
Result<SecretBytes> octets(json::Object const& jwk, std::string_view name)
{
    auto const text = SecretText{TRY(json::text(jwk, name))};
    auto bytes = from_base64url(text.reveal());
    if (!bytes) return malformed("member '" + std::string{name} + "'");
    return SecretBytes{*std::move(bytes)};
}

/// RFC 7518 §2, Base64urlUInt: the fewest octets; ours are never zero.
Result<BigNumber> number(json::Object const& jwk, std::string_view name, std::size_t most_bytes)
{
    auto const bytes = TRY(octets(jwk, name));
    auto const& value = bytes.reveal();
    if (value.empty() || value.front() == 0 || value.size() > most_bytes)
        return malformed("member '" + std::string{name} + "'");
    BigNumber result{BN_secure_new()};
    ENSURE(result && BN_bin2bn(value.data(), static_cast<int>(value.size()), result.get()) != nullptr);
    return result;
}

Result<Key> key_from(char const* algorithm, int selection, OSSL_PARAM_BLD* builder)
{
    Parameters const parameters{OSSL_PARAM_BLD_to_param(builder)};
    openssl::KeyContext const context{EVP_PKEY_CTX_new_from_name(nullptr, algorithm, nullptr)};
    ENSURE(parameters && context);
    EVP_PKEY* key = nullptr;
    if (EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, selection, parameters.get()) != 1)
        return malformed(algorithm);
    return Key{key};
}

Result<Curve> curve_named(std::string_view name)
{
    if (name == p256.jwk_name) return p256;
    if (name == p384.jwk_name) return p384;
    return malformed("crv");
}

/// 0x04 ‖ x ‖ y (SEC 1 §2.3.3). RFC 7518 §6.2.1.2: the length of each is that of the field.
Result<Bytes> point(json::Object const& jwk, Curve const& curve)
{
    auto const x = TRY(octets(jwk, "x"));
    auto const y = TRY(octets(jwk, "y"));
    if (x.reveal().size() != curve.field_bytes || y.reveal().size() != curve.field_bytes)
        return malformed("length of a coordinate");
    Bytes result{4};
    append(result, x.reveal());
    append(result, y.reveal());
    return result;
}

/// What follows the prefix, if the whole has that form and length.
std::optional<ByteView> after(ByteView prefix, ByteView whole, std::size_t size)
{
    if (whole.size() != prefix.size() + size || !std::ranges::equal(whole.first(prefix.size()), prefix))
        return std::nullopt;
    return whole.subspan(prefix.size());
}

/// The P-256 key with an uncompressed point; null where that lies elsewhere than on the curve.
Key p256_at(ByteView point)
{
    static Key const of_the_curve = [] {
        Key const some{EVP_EC_gen(p256.group)};
        Key empty{EVP_PKEY_new()};
        ENSURE(some && empty && EVP_PKEY_copy_parameters(empty.get(), some.get()) == 1);
        return empty;
    }();
    Key key{EVP_PKEY_dup(of_the_curve.get())};
    ENSURE(key);
    if (EVP_PKEY_set1_encoded_public_key(key.get(), point.data(), point.size()) != 1) return nullptr;
    return key;
}

bool public_half_is_sound(EVP_PKEY* key)
{
    openssl::KeyContext const context{EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr)};
    ENSURE(context);
    return EVP_PKEY_public_check_quick(context.get()) == 1;
}

bool halves_belong_together(EVP_PKEY* key)
{
    openssl::KeyContext const context{EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr)};
    ENSURE(context);
    return EVP_PKEY_check(context.get()) == 1;
}

Bytes fixed_bytes(EVP_PKEY const* key, char const* name, std::size_t size)
{
    BIGNUM* raw = nullptr;
    ENSURE(EVP_PKEY_get_bn_param(key, name, &raw) == 1);
    BigNumber const value{raw};
    Bytes bytes(size);
    ENSURE(BN_bn2binpad(value.get(), bytes.data(), static_cast<int>(size)) == static_cast<int>(size));
    return bytes;
}

/// Of the point of a key on that curve, each as long as the field.
std::pair<Bytes, Bytes> coordinates(EVP_PKEY const* key, Curve const& curve)
{
    // As a rule the point is there as 0x04 ‖ x ‖ y (SEC 1 §2.3.3), which is a tenth of the work of two big numbers.
    std::array<Byte, 1 + 2 * p384.field_bytes> point{};
    std::size_t size = 0;
    auto const have = EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(), &size);
    if (have == 1 && size == 1 + 2 * curve.field_bytes && point.front() == uncompressed) {
        auto const* x = point.data() + 1;
        auto const* y = x + curve.field_bytes;
        return {Bytes{x, y}, Bytes{y, y + curve.field_bytes}};
    }
    return {fixed_bytes(key, OSSL_PKEY_PARAM_EC_PUB_X, curve.field_bytes),
            fixed_bytes(key, OSSL_PKEY_PARAM_EC_PUB_Y, curve.field_bytes)};
}

Bytes shortest_bytes(EVP_PKEY const* key, char const* name)
{
    BIGNUM* raw = nullptr;
    ENSURE(EVP_PKEY_get_bn_param(key, name, &raw) == 1);
    BigNumber const value{raw};
    Bytes bytes(static_cast<std::size_t>(BN_num_bytes(value.get())));
    ENSURE(BN_bn2bin(value.get(), bytes.data()) == static_cast<int>(bytes.size()));
    return bytes;
}

constexpr std::array private_members{"d", "p", "q", "dp", "dq", "qi", "oth", "k"};

struct AlgorithmRow {
    SignatureAlgorithm algorithm;
    std::string_view name;
    KeyType key;
    HashAlgorithm hash;
};
// RFC 7518 §3.1, RFC 8037 §3.1. The hash of EdDSA is its own affair.
constexpr std::array algorithms{
    AlgorithmRow{SignatureAlgorithm::es256, "ES256", KeyType::ec_p256, HashAlgorithm::sha256},
    AlgorithmRow{SignatureAlgorithm::es384, "ES384", KeyType::ec_p384, HashAlgorithm::sha384},
    AlgorithmRow{SignatureAlgorithm::rs256, "RS256", KeyType::rsa, HashAlgorithm::sha256},
    AlgorithmRow{SignatureAlgorithm::ps256, "PS256", KeyType::rsa, HashAlgorithm::sha256},
    AlgorithmRow{SignatureAlgorithm::eddsa, "EdDSA", KeyType::ed25519, HashAlgorithm::sha512},
};

AlgorithmRow const& row(SignatureAlgorithm algorithm)
{
    auto const& found = algorithms.at(static_cast<std::size_t>(algorithm));
    ENSURE(found.algorithm == algorithm);
    return found;
}

EVP_MD const* digest_for(SignatureAlgorithm algorithm)
{
    return algorithm == SignatureAlgorithm::eddsa ? nullptr : openssl::digest(row(algorithm).hash);
}

bool set_padding(EVP_PKEY_CTX* context, SignatureAlgorithm algorithm)
{
    switch (algorithm) {
    case SignatureAlgorithm::rs256: return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
    case SignatureAlgorithm::ps256:
        // RFC 7518 §3.5: "The size of the salt value is the same size as the hash function output", the mask's hash is
        // the same.
        return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
    case SignatureAlgorithm::es256:
    case SignatureAlgorithm::es384:
    case SignatureAlgorithm::eddsa: return true;
    }
    return false;
}

bool is_ecdsa(SignatureAlgorithm algorithm)
{
    return algorithm == SignatureAlgorithm::es256 || algorithm == SignatureAlgorithm::es384;
}

} // namespace

std::string_view name_of(SignatureAlgorithm algorithm) { return row(algorithm).name; }

std::optional<SignatureAlgorithm> signature_algorithm_named(std::string_view name)
{
    for (auto const& each : algorithms)
        if (each.name == name) return each.algorithm;
    return std::nullopt;
}

bool fits(SignatureAlgorithm algorithm, KeyType type) { return row(algorithm).key == type; }

// ---- public --------------------------------------------------------------------------------------------------------

Result<PublicKey> PublicKey::from_jwk(json::Object const& jwk)
{
    // Whoever sends the private half has lost the key.
    for (auto const* name : private_members)
        if (jwk.contains(name)) return malformed("private member");

    auto const type = json::text(jwk, "kty");
    if (!type) return malformed("kty");
    ParameterBuilder const builder{OSSL_PARAM_BLD_new()};
    ENSURE(builder);

    if (*type == "EC") {
        auto const curve_name = json::text(jwk, "crv");
        if (!curve_name) return malformed("crv");
        auto const curve = TRY(curve_named(*curve_name));
        auto const coordinates = point(jwk, curve);
        if (!coordinates) return malformed("point");
        OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.group, 0);
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, coordinates->data(),
                                         coordinates->size());
        auto key = TRY(key_from("EC", EVP_PKEY_PUBLIC_KEY, builder.get()));
        if (!public_half_is_sound(key.get())) return malformed("point");
        return PublicKey{shared(std::move(key)), curve.type};
    }
    if (*type == "RSA") {
        auto const modulus = number(jwk, "n", most_rsa_bits / 8);
        auto const exponent = number(jwk, "e", most_exponent_bytes);
        if (!modulus || !exponent) return malformed("RSA numbers");
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus->get());
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent->get());
        auto key = TRY(key_from("RSA", EVP_PKEY_PUBLIC_KEY, builder.get()));
        auto const judged = TRY(judged_type(key.get()));
        return PublicKey{shared(std::move(key)), judged};
    }
    if (*type == "OKP") {
        auto const curve_name = json::text(jwk, "crv");
        if (!curve_name || *curve_name != "Ed25519") return malformed("crv");
        auto const x = octets(jwk, "x");
        if (!x || x->reveal().size() != ed25519_bytes) return malformed("x");
        Key key{EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, x->reveal().data(), x->reveal().size())};
        if (!key) return malformed("x");
        return PublicKey{shared(std::move(key)), KeyType::ed25519};
    }
    return malformed("kty");
}

Result<PublicKey> PublicKey::from_der(ByteView subject_public_key_info)
{
    if (auto const raw = after(ed25519_prefix, subject_public_key_info, ed25519_bytes)) {
        Key key{EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, raw->data(), raw->size())};
        if (!key) return malformed("public key");
        return PublicKey{shared(std::move(key)), KeyType::ed25519};
    }
    auto const point = after(p256_prefix, subject_public_key_info, p256_point_bytes);
    if (point && point->front() == uncompressed) {
        // Its group has a prime order and this form can't say "infinity": what lies on the curve is sound.
        auto key = p256_at(*point);
        if (!key) return malformed("public key");
        return PublicKey{shared(std::move(key)), KeyType::ec_p256};
    }
    auto const* at = subject_public_key_info.data();
    Key key{d2i_PUBKEY(nullptr, &at, static_cast<long>(subject_public_key_info.size()))};
    if (!key || at != subject_public_key_info.data() + subject_public_key_info.size())
        return malformed("SubjectPublicKeyInfo");
    auto const type = TRY(judged_type(key.get()));
    if (type != KeyType::ed25519 && !public_half_is_sound(key.get())) return malformed("public key");
    return PublicKey{shared(std::move(key)), type};
}

json::Object PublicKey::jwk() const
{
    ENSURE(!empty());
    json::Object jwk;
    switch (type_) {
    case KeyType::ec_p256:
    case KeyType::ec_p384: {
        auto const& curve = curve_of(type_);
        auto const [x, y] = coordinates(key_.get(), curve);
        jwk["crv"] = curve.jwk_name;
        jwk["kty"] = "EC";
        jwk["x"] = base64url(x);
        jwk["y"] = base64url(y);
        break;
    }
    case KeyType::rsa:
        jwk["e"] = base64url(shortest_bytes(key_.get(), OSSL_PKEY_PARAM_RSA_E));
        jwk["kty"] = "RSA";
        jwk["n"] = base64url(shortest_bytes(key_.get(), OSSL_PKEY_PARAM_RSA_N));
        break;
    case KeyType::ed25519: {
        Bytes x(ed25519_bytes);
        std::size_t size = x.size();
        ENSURE(EVP_PKEY_get_raw_public_key(key_.get(), x.data(), &size) == 1 && size == x.size());
        jwk["crv"] = "Ed25519";
        jwk["kty"] = "OKP";
        jwk["x"] = base64url(x);
        break;
    }
    }
    return jwk;
}

Bytes PublicKey::der() const
{
    ENSURE(!empty());
    unsigned char* out = nullptr;
    auto const size = i2d_PUBKEY(key_.get(), &out);
    ENSURE(size > 0);
    Bytes der{out, out + size};
    OPENSSL_free(out);
    return der;
}

std::string PublicKey::thumbprint() const { return base64url(sha256(json::write(jwk()))); }

bool PublicKey::verifies(SignatureAlgorithm algorithm, ByteView data, ByteView signature) const
{
    if (empty() || !fits(algorithm, type_)) return false;

    Bytes der;
    if (is_ecdsa(algorithm)) {
        auto converted = ecdsa_der_from_raw(signature, curve_of(type_).field_bytes);
        if (!converted) return false;
        der = *std::move(converted);
        signature = der;
    }
    if (signature.size() > static_cast<std::size_t>(EVP_PKEY_get_size(key_.get()))) return false;
    // RFC 8017 §8.1.2, §8.2.2: exactly as long as the modulus.
    if (type_ == KeyType::rsa && signature.size() != static_cast<std::size_t>(EVP_PKEY_get_size(key_.get())))
        return false;

    openssl::DigestContext const context{EVP_MD_CTX_new()};
    ENSURE(context);
    EVP_PKEY_CTX* key_context = nullptr; // owned by `context`
    ENSURE(EVP_DigestVerifyInit(context.get(), &key_context, digest_for(algorithm), nullptr, key_.get()) == 1);
    ENSURE(set_padding(key_context, algorithm));
    auto const good =
        EVP_DigestVerify(context.get(), signature.data(), signature.size(), data.data(), data.size()) == 1;
    if (!good) openssl::forget_errors();
    return good;
}

// ---- private -------------------------------------------------------------------------------------------------------

PrivateKey PrivateKey::generate(KeyType type, int rsa_bits)
{
    Key key;
    switch (type) {
    case KeyType::ec_p256:
    case KeyType::ec_p384: key.reset(EVP_EC_gen(curve_of(type).group)); break;
    case KeyType::rsa:
        ENSURE(rsa_bits >= fewest_rsa_bits && rsa_bits <= most_rsa_bits);
        key.reset(EVP_RSA_gen(static_cast<unsigned>(rsa_bits)));
        break;
    case KeyType::ed25519: key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")); break;
    }
    ENSURE(key);
    return PrivateKey{shared(std::move(key)), type};
}

Result<PrivateKey> PrivateKey::from_der(SecretBytes const& pkcs8)
{
    auto const& bytes = pkcs8.reveal();
    auto const* at = bytes.data();
    openssl::Pkcs8 const info{d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(bytes.size()))};
    if (!info || at != bytes.data() + bytes.size()) return malformed("PKCS#8");
    Key key{EVP_PKCS82PKEY(info.get())};
    if (!key) return malformed("PKCS#8");
    auto const type = TRY(judged_type(key.get()));
    return PrivateKey{shared(std::move(key)), type};
}

Result<PrivateKey> PrivateKey::from_jwk(json::Object const& jwk)
{
    auto const type = json::text(jwk, "kty");
    if (!type) return malformed("kty");
    ParameterBuilder const builder{OSSL_PARAM_BLD_new()};
    ENSURE(builder);

    if (*type == "EC") {
        auto const curve_name = json::text(jwk, "crv");
        if (!curve_name) return malformed("crv");
        auto const curve = TRY(curve_named(*curve_name));
        auto const coordinates = point(jwk, curve);
        auto const secret = octets(jwk, "d");
        if (!coordinates || !secret || secret->reveal().size() != curve.field_bytes) return malformed("EC members");
        BigNumber const d{BN_secure_new()};
        ENSURE(d && BN_bin2bn(secret->reveal().data(), static_cast<int>(curve.field_bytes), d.get()) != nullptr);
        OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.group, 0);
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, coordinates->data(),
                                         coordinates->size());
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, d.get());
        auto key = TRY(key_from("EC", EVP_PKEY_KEYPAIR, builder.get()));
        if (!halves_belong_together(key.get())) return malformed("the halves differ");
        return PrivateKey{shared(std::move(key)), curve.type};
    }
    if (*type == "RSA") {
        struct Member {
            char const* name;
            char const* parameter;
        };
        constexpr std::array members{
            Member{"n", OSSL_PKEY_PARAM_RSA_N},          Member{"e", OSSL_PKEY_PARAM_RSA_E},
            Member{"d", OSSL_PKEY_PARAM_RSA_D},          Member{"p", OSSL_PKEY_PARAM_RSA_FACTOR1},
            Member{"q", OSSL_PKEY_PARAM_RSA_FACTOR2},    Member{"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},
            Member{"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2}, Member{"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1},
        };
        if (jwk.contains("oth")) return malformed("more than two primes");
        std::vector<BigNumber> numbers;
        for (auto const& member : members) {
            auto value = number(jwk, member.name, most_rsa_bits / 8);
            if (!value) return malformed("RSA numbers");
            OSSL_PARAM_BLD_push_BN(builder.get(), member.parameter, value->get());
            numbers.push_back(*std::move(value)); // the builder only points to it
        }
        auto key = TRY(key_from("RSA", EVP_PKEY_KEYPAIR, builder.get()));
        auto const judged = TRY(judged_type(key.get()));
        if (!halves_belong_together(key.get())) return malformed("the halves differ");
        return PrivateKey{shared(std::move(key)), judged};
    }
    if (*type == "OKP") {
        auto const curve_name = json::text(jwk, "crv");
        if (!curve_name || *curve_name != "Ed25519") return malformed("crv");
        auto const seed = octets(jwk, "d");
        auto const x = octets(jwk, "x");
        if (!seed || !x || seed->reveal().size() != ed25519_bytes) return malformed("OKP members");
        auto key = ed25519_from_seed(*seed);
        if (base64url(x->reveal()) != key.public_key().jwk().at("x").as_string()) return malformed("the halves differ");
        return key;
    }
    return malformed("kty");
}

PrivateKey PrivateKey::ed25519_from_seed(SecretBytes const& seed)
{
    ENSURE(seed.reveal().size() == ed25519_bytes);
    Key key{EVP_PKEY_new_raw_private_key_ex(nullptr, "ED25519", nullptr, seed.reveal().data(), ed25519_bytes)};
    ENSURE(key);
    return PrivateKey{shared(std::move(key)), KeyType::ed25519};
}

SecretBytes PrivateKey::der() const
{
    ENSURE(!empty());
    openssl::Pkcs8 const info{EVP_PKEY2PKCS8(key_.get())};
    ENSURE(info);
    unsigned char* out = nullptr;
    auto const size = i2d_PKCS8_PRIV_KEY_INFO(info.get(), &out);
    ENSURE(size > 0);
    SecretBytes der{Bytes{out, out + size}};
    OPENSSL_clear_free(out, static_cast<std::size_t>(size));
    return der;
}

PublicKey PrivateKey::public_key() const
{
    ENSURE(!empty());
    OSSL_PARAM* raw = nullptr;
    ENSURE(EVP_PKEY_todata(key_.get(), EVP_PKEY_PUBLIC_KEY, &raw) == 1);
    Parameters const parameters{raw};
    openssl::KeyContext const context{EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr)};
    ENSURE(context && EVP_PKEY_fromdata_init(context.get()) == 1);
    EVP_PKEY* half = nullptr;
    ENSURE(EVP_PKEY_fromdata(context.get(), &half, EVP_PKEY_PUBLIC_KEY, parameters.get()) == 1);
    return PublicKey{shared(Key{half}), type_};
}

Bytes PrivateKey::sign(SignatureAlgorithm algorithm, ByteView data) const
{
    ENSURE(!empty() && fits(algorithm, type_));
    openssl::DigestContext const context{EVP_MD_CTX_new()};
    ENSURE(context);
    EVP_PKEY_CTX* key_context = nullptr; // owned by `context`
    ENSURE(EVP_DigestSignInit(context.get(), &key_context, digest_for(algorithm), nullptr, key_.get()) == 1);
    ENSURE(set_padding(key_context, algorithm));
    Bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(key_.get())));
    std::size_t size = signature.size();
    ENSURE(EVP_DigestSign(context.get(), signature.data(), &size, data.data(), data.size()) == 1);
    signature.resize(size);
    if (!is_ecdsa(algorithm)) return signature;
    auto raw = ecdsa_raw_from_der(signature, curve_of(type_).field_bytes);
    ENSURE(raw.has_value());
    return *std::move(raw);
}

// ---- ECDSA-Sig-Value -----------------------------------------------------------------------------------------------

Result<Bytes> ecdsa_der_from_raw(ByteView raw, std::size_t field_bytes)
{
    // RFC 7518 §3.4: "the signature ... MUST be a 64-octet sequence", for P-384 96.
    if (raw.size() != 2 * field_bytes) return fail(Outcome::jws_signature_invalid, "length");
    openssl::EcdsaSignature const value{ECDSA_SIG_new()};
    BigNumber r{BN_bin2bn(raw.data(), static_cast<int>(field_bytes), nullptr)};
    BigNumber s{BN_bin2bn(raw.data() + field_bytes, static_cast<int>(field_bytes), nullptr)};
    ENSURE(value && r && s);
    ENSURE(ECDSA_SIG_set0(value.get(), r.release(), s.release()) == 1);
    unsigned char* out = nullptr;
    auto const size = i2d_ECDSA_SIG(value.get(), &out);
    ENSURE(size > 0);
    Bytes der{out, out + size};
    OPENSSL_free(out);
    return der;
}

Result<Bytes> ecdsa_raw_from_der(ByteView der, std::size_t field_bytes)
{
    auto const* at = der.data();
    openssl::EcdsaSignature const value{d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()))};
    if (!value || at != der.data() + der.size()) {
        openssl::forget_errors();
        return fail(Outcome::jws_signature_invalid, "DER");
    }
    auto const* r = ECDSA_SIG_get0_r(value.get());
    auto const* s = ECDSA_SIG_get0_s(value.get());
    auto const size = static_cast<int>(field_bytes);
    if (BN_is_negative(r) != 0 || BN_is_negative(s) != 0 || BN_num_bytes(r) > size || BN_num_bytes(s) > size)
        return fail(Outcome::jws_signature_invalid, "range");
    Bytes raw(2 * field_bytes);
    ENSURE(BN_bn2binpad(r, raw.data(), size) == size);
    ENSURE(BN_bn2binpad(s, raw.data() + field_bytes, size) == size);
    return raw;
}

} // namespace symbolon::crypto

#pragma once

#include "base/bytes.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "crypto/random.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct evp_pkey_st;

namespace symbolon::crypto {

/// What a key is; also what it can sign with.
enum class KeyType { ec_p256, ec_p384, rsa, ed25519 };

/// JSON Web Algorithms that sign (RFC 7518 §3.1, RFC 8037). "none" and the symmetric ones are not among them.
enum class SignatureAlgorithm { es256, es384, rs256, ps256, eddsa };

std::string_view name_of(SignatureAlgorithm algorithm); ///< "ES256"
std::optional<SignatureAlgorithm> signature_algorithm_named(std::string_view name);

/// Whether a key of that type signs with that algorithm (ES256 with P-256 and so on).
bool fits(SignatureAlgorithm algorithm, KeyType type);

/// A public key, parsed once and then cheap to copy and to use from any thread.
class PublicKey {
public:
    PublicKey() = default;

    /// A JSON Web Key (RFC 7517, RFC 7518 §6, RFC 8037). RSA keys of 2048 to 4096 bits; points must lie on their curve.
    /// Fails with jwk_malformed.
    static Result<PublicKey> from_jwk(json::Object const& jwk);
    /// SubjectPublicKeyInfo, DER (RFC 5280 §4.1). Fails with jwk_malformed.
    static Result<PublicKey> from_der(ByteView subject_public_key_info);

    [[nodiscard]] KeyType type() const { return type_; }
    [[nodiscard]] json::Object jwk() const;       ///< only the members that RFC 7638 §3.2 names, in its order
    [[nodiscard]] Bytes der() const;              ///< SubjectPublicKeyInfo
    [[nodiscard]] std::string thumbprint() const; ///< RFC 7638 with SHA-256, base64url
    [[nodiscard]] bool empty() const { return key_ == nullptr; }

    /// Whether `signature` (JWS form: raw r‖s for ECDSA, RFC 7518 §3.4) is this key's over `data`.
    [[nodiscard]] bool verifies(SignatureAlgorithm algorithm, ByteView data, ByteView signature) const;

    [[nodiscard]] evp_pkey_st* native() const { return key_.get(); }

private:
    friend class PrivateKey;
    PublicKey(std::shared_ptr<evp_pkey_st> key, KeyType type) : key_{std::move(key)}, type_{type} {}
    std::shared_ptr<evp_pkey_st> key_;
    KeyType type_ = KeyType::ec_p256;
};

class PrivateKey {
public:
    PrivateKey() = default;

    static PrivateKey generate(KeyType type, int rsa_bits = 2048);
    /// PKCS#8, DER, not encrypted (RFC 5208 §5). Fails with jwk_malformed.
    static Result<PrivateKey> from_der(SecretBytes const& pkcs8);
    /// A private JSON Web Key (RFC 7518 §6.2.2, §6.3.2 with its CRT members, RFC 8037 §2), whose halves belong
    /// together. Fails with jwk_malformed.
    static Result<PrivateKey> from_jwk(json::Object const& jwk);
    /// An Ed25519 key from its 32-byte seed (RFC 8032 §5.1.5).
    static PrivateKey ed25519_from_seed(SecretBytes const& seed);

    [[nodiscard]] KeyType type() const { return type_; }
    [[nodiscard]] SecretBytes der() const; ///< PKCS#8
    [[nodiscard]] PublicKey public_key() const;
    [[nodiscard]] bool empty() const { return key_ == nullptr; }

    /// A signature in JWS form.
    [[nodiscard]] Bytes sign(SignatureAlgorithm algorithm, ByteView data) const;

    [[nodiscard]] evp_pkey_st* native() const { return key_.get(); }

private:
    PrivateKey(std::shared_ptr<evp_pkey_st> key, KeyType type) : key_{std::move(key)}, type_{type} {}
    std::shared_ptr<evp_pkey_st> key_;
    KeyType type_ = KeyType::ec_p256;
};

/// Raw r‖s (each `field_bytes` long) from and to ECDSA-Sig-Value DER (RFC 3279 §2.2.3). Both fail with
/// jws_signature_invalid.
Result<Bytes> ecdsa_der_from_raw(ByteView raw, std::size_t field_bytes);
Result<Bytes> ecdsa_raw_from_der(ByteView der, std::size_t field_bytes);

} // namespace symbolon::crypto

#pragma once

#include "base/json.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "crypto/key.hpp"
#include "crypto/random.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

/// JSON Web Encryption, compact serialization only (RFC 7516 §7.1), to one recipient with a key pair.
namespace symbolon::crypto {

/// How the content key comes to the recipient (RFC 7518 §4.3, §4.6). The PKCS #1 v1.5 and password ones are not among
/// them.
enum class KeyManagement { rsa_oaep_256, ecdh_es, ecdh_es_a256kw };

/// How the content is encrypted (RFC 7518 §5.2.3, §5.3).
enum class ContentEncryption { a256gcm, a128cbc_hs256 };

std::string_view name_of(KeyManagement management); ///< "RSA-OAEP-256"
std::string_view name_of(ContentEncryption encryption);
std::optional<KeyManagement> key_management_named(std::string_view name);
std::optional<ContentEncryption> content_encryption_named(std::string_view name);

/// Whether content keys come to a key of that type that way.
bool fits(KeyManagement management, KeyType type);

/// A key of ours that others encrypt to.
struct DecryptionKey {
    std::string key_id;
    PrivateKey key; ///< RSA, P-256 or P-384
};

struct Jwe {
    json::Object header;
    SecretText plain;
};

/// The header and plain text of a JWE that was encrypted to one of `keys`; `kid` narrows them. `crit`, `zip` (RFC 8725
/// §3.6) and JSON serializations are refused. What is wrong after the header is told in one word, and a content key
/// that does not open goes the same way as one that is wrong (RFC 7516 §11.5).
///
/// Fails, first match wins: jwe_malformed, jwe_algorithm_refused, key_unknown, jwe_decryption_failed.
Result<Jwe> decrypt_jwe(std::string_view compact, std::span<DecryptionKey const> keys);

/// Whom a JWE is for, and how.
struct EncryptionKey {
    std::string key_id; ///< empty: no kid
    KeyManagement management = KeyManagement::rsa_oaep_256;
    ContentEncryption encryption = ContentEncryption::a256gcm;
    PublicKey key; ///< fits(management, key.type())
};

/// A compact JWE of `plain`, with alg, enc, kid and, where given, cty ("JWT" for a nested one, RFC 7519 §5.2).
std::string encrypt_jwe(EncryptionKey const& to, std::string_view plain, std::string_view content_type, Random& random);

} // namespace symbolon::crypto

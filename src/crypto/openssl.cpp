#include "crypto/openssl.hpp"

#include "base/ensure.hpp"

#include <openssl/err.h>

namespace symbolon::crypto::openssl {

namespace {

EVP_MD* fetched(char const* name)
{
    auto* found = EVP_MD_fetch(nullptr, name, nullptr);
    ENSURE(found != nullptr);
    return found;
}

} // namespace

EVP_MD const* digest(HashAlgorithm algorithm)
{
    static EVP_MD const* const sha1 = fetched("SHA1");
    static EVP_MD const* const sha256 = fetched("SHA256");
    static EVP_MD const* const sha384 = fetched("SHA384");
    static EVP_MD const* const sha512 = fetched("SHA512");
    switch (algorithm) {
    case HashAlgorithm::sha1: return sha1;
    case HashAlgorithm::sha256: return sha256;
    case HashAlgorithm::sha384: return sha384;
    case HashAlgorithm::sha512: return sha512;
    }
    ENSURE(false);
}

EVP_CIPHER const* aes_128_gcm()
{
    static EVP_CIPHER const* const cipher = EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr);
    ENSURE(cipher != nullptr);
    return cipher;
}

EVP_CIPHER const* aes_256_gcm()
{
    static EVP_CIPHER const* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
    ENSURE(cipher != nullptr);
    return cipher;
}

EVP_MAC* hmac()
{
    static EVP_MAC* const mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    ENSURE(mac != nullptr);
    return mac;
}

EVP_KDF* hkdf()
{
    static EVP_KDF* const kdf = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
    ENSURE(kdf != nullptr);
    return kdf;
}

void forget_errors() { ERR_clear_error(); }

} // namespace symbolon::crypto::openssl

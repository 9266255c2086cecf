#pragma once

#include "base/bytes.hpp"
#include "crypto/hash.hpp"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/x509.h>

#include <memory>

/// OpenSSL's objects with owners, and the algorithms fetched once: only for the .cpp files of this folder.
namespace symbolon::crypto::openssl {

template <auto free>
struct Free {
    template <class T>
    void operator()(T* object) const
    {
        free(object);
    }
};

using BigNumber = std::unique_ptr<BIGNUM, Free<BN_clear_free>>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Free<EVP_CIPHER_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, Free<ECDSA_SIG_free>>;
using KdfContext = std::unique_ptr<EVP_KDF_CTX, Free<EVP_KDF_CTX_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using MacContext = std::unique_ptr<EVP_MAC_CTX, Free<EVP_MAC_CTX_free>>;
using Pkcs8 = std::unique_ptr<PKCS8_PRIV_KEY_INFO, Free<PKCS8_PRIV_KEY_INFO_free>>;

/// Fetching by name takes a lock and a search; these live as long as the program.
EVP_MD const* digest(HashAlgorithm algorithm);
EVP_CIPHER const* aes_128_gcm();
EVP_CIPHER const* aes_256_gcm();
EVP_MAC* hmac();
EVP_KDF* hkdf();

/// Leaves no error of ours behind for the next one who asks this thread's queue.
void forget_errors();

} // namespace symbolon::crypto::openssl

#include "crypto/hash.hpp"

#include "base/ensure.hpp"
#include "crypto/openssl.hpp"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <array>

namespace symbolon::crypto {

Bytes hash(HashAlgorithm algorithm, ByteView data)
{
    auto const* digest = openssl::digest(algorithm);
    Bytes out(static_cast<std::size_t>(EVP_MD_get_size(digest)));
    ENSURE(EVP_Digest(data.data(), data.size(), out.data(), nullptr, digest, nullptr) == 1);
    return out;
}

Bytes sha256(ByteView data) { return hash(HashAlgorithm::sha256, data); }

namespace {

/// Knows its hash already, and no key.
openssl::MacContext hmac_sha256_context()
{
    openssl::MacContext context{EVP_MAC_CTX_new(openssl::hmac())};
    std::array<char, 7> digest_name{"SHA256"};
    std::array const parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest_name.data(), 0),
        OSSL_PARAM_construct_end(),
    };
    ENSURE(context && EVP_MAC_CTX_set_params(context.get(), parameters.data()) == 1);
    return context;
}

} // namespace

Bytes hmac_sha256(SecretBytes const& key, ByteView data)
{
    // Finding the hash by its name costs more than the MAC of a short text.
    thread_local auto const without_key = hmac_sha256_context();
    openssl::MacContext const context{EVP_MAC_CTX_dup(without_key.get())};
    ENSURE(context);
    // A null key means "the one before" to OpenSSL; an empty key is a key all the same.
    static constexpr Byte no_bytes{};
    auto const* key_data = key.empty() ? &no_bytes : key.reveal().data();
    ENSURE(EVP_MAC_init(context.get(), key_data, key.reveal().size(), nullptr) == 1);
    ENSURE(EVP_MAC_update(context.get(), data.data(), data.size()) == 1);
    Bytes out(32);
    std::size_t size = 0;
    ENSURE(EVP_MAC_final(context.get(), out.data(), &size, out.size()) == 1 && size == out.size());
    return out;
}

SecretBytes hkdf_sha256(SecretBytes const& input_key, ByteView salt, std::string_view info, std::size_t size_bytes)
{
    ENSURE(size_bytes > 0 && size_bytes <= 255UZ * 32);
    openssl::KdfContext const context{EVP_KDF_CTX_new(openssl::hkdf())};
    ENSURE(context);
    std::array<char, 7> digest_name{"SHA256"};
    // OpenSSL takes inputs through pointers that aren't const; it doesn't write to them.
    auto octets = [](char const* name, ByteView bytes) {
        return OSSL_PARAM_construct_octet_string(name, const_cast<Byte*>(bytes.data()), bytes.size());
    };
    std::array<OSSL_PARAM, 5> parameters{};
    std::size_t count = 0;
    parameters[count++] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest_name.data(), 0);
    parameters[count++] = octets(OSSL_KDF_PARAM_KEY, input_key.reveal());
    // RFC 5869 §2.2: no salt is the same as zeros.
    if (!salt.empty()) parameters[count++] = octets(OSSL_KDF_PARAM_SALT, salt);
    if (!info.empty()) parameters[count++] = octets(OSSL_KDF_PARAM_INFO, bytes_of(info));
    parameters[count] = OSSL_PARAM_construct_end();
    Bytes out(size_bytes);
    ENSURE(EVP_KDF_derive(context.get(), out.data(), out.size(), parameters.data()) == 1);
    return SecretBytes{std::move(out)};
}

Bytes pbkdf2_sha256(ByteView password, ByteView salt, int iterations, std::size_t size_bytes)
{
    ENSURE(iterations > 0 && size_bytes > 0);
    Bytes out(size_bytes);
    auto const text = text_of(password);
    ENSURE(PKCS5_PBKDF2_HMAC(text.data(), static_cast<int>(text.size()), salt.data(), static_cast<int>(salt.size()),
                             iterations, openssl::digest(HashAlgorithm::sha256), static_cast<int>(size_bytes),
                             out.data()) == 1);
    return out;
}

} // namespace symbolon::crypto

#include "crypto/p256.hpp"

#include "base/ensure.hpp"

#include <openssl/core_names.h>

#include <array>

namespace symbolon::crypto::p256 {

Bytes point_of(EVP_PKEY const* key)
{
    Bytes point(point_bytes);
    std::size_t size = 0;
    ENSURE(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(), &size) == 1);
    ENSURE(size == point_bytes && point.front() == 4);
    return point;
}

openssl::Key key_at(ByteView point)
{
    if (point.size() != point_bytes || point.front() != 4) return nullptr;
    openssl::KeyContext const context{EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr)};
    ENSURE(context && EVP_PKEY_fromdata_init(context.get()) == 1);
    std::array<char, 11> group{"prime256v1"};
    std::array parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, const_cast<Byte*>(point.data()), point.size()),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY* raw = nullptr;
    auto const made = EVP_PKEY_fromdata(context.get(), &raw, EVP_PKEY_PUBLIC_KEY, parameters.data()) == 1;
    openssl::Key key{raw};
    openssl::KeyContext const check{made ? EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr) : nullptr};
    if (!check || EVP_PKEY_public_check_quick(check.get()) != 1) {
        openssl::forget_errors();
        return nullptr;
    }
    return key;
}

SecretBytes shared_secret(EVP_PKEY* own, EVP_PKEY* other)
{
    openssl::KeyContext const context{EVP_PKEY_CTX_new_from_pkey(nullptr, own, nullptr)};
    ENSURE(context && EVP_PKEY_derive_init(context.get()) == 1);
    ENSURE(EVP_PKEY_derive_set_peer_ex(context.get(), other, 0) == 1);
    Bytes secret(32);
    std::size_t size = secret.size();
    ENSURE(EVP_PKEY_derive(context.get(), secret.data(), &size) == 1 && size == secret.size());
    return SecretBytes{std::move(secret)};
}

} // namespace symbolon::crypto::p256

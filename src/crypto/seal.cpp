#include "crypto/seal.hpp"

#include "base/ensure.hpp"
#include "crypto/gcm.hpp"
#include "crypto/hash.hpp"
#include "crypto/openssl.hpp"

#include <openssl/core_names.h>

#include <array>

namespace symbolon::crypto {

namespace {

constexpr std::size_t point_bytes = 65; // SEC 1 §2.3.3, uncompressed
constexpr std::string_view purpose = "symbolon-seal-v1";

Bytes point_of(EVP_PKEY const* key)
{
    Bytes point(point_bytes);
    std::size_t size = 0;
    ENSURE(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(), &size) == 1);
    ENSURE(size == point_bytes && point.front() == 4);
    return point;
}

/// NIST SP 800-56A §5.7.1.2: the x coordinate of the shared point, 32 bytes.
SecretBytes shared_secret(EVP_PKEY* own, EVP_PKEY* other)
{
    openssl::KeyContext const context{EVP_PKEY_CTX_new_from_pkey(nullptr, own, nullptr)};
    ENSURE(context && EVP_PKEY_derive_init(context.get()) == 1);
    ENSURE(EVP_PKEY_derive_set_peer_ex(context.get(), other, 0) == 1); // both were checked when they were made
    Bytes secret(32);
    std::size_t size = secret.size();
    ENSURE(EVP_PKEY_derive(context.get(), secret.data(), &size) == 1 && size == secret.size());
    return SecretBytes{std::move(secret)};
}

struct KeyAndNonce {
    SecretBytes drawn; ///< key ‖ nonce

    [[nodiscard]] ByteView key() const { return ByteView{drawn.reveal()}.first(gcm::key_bytes); }
    [[nodiscard]] ByteView nonce() const { return ByteView{drawn.reveal()}.subspan(gcm::key_bytes); }
};

KeyAndNonce key_and_nonce(SecretBytes const& secret, ByteView ephemeral, ByteView recipient)
{
    Bytes salt{ephemeral.begin(), ephemeral.end()};
    append(salt, recipient);
    return {hkdf_sha256(secret, salt, purpose, gcm::key_bytes + gcm::nonce_bytes)};
}

openssl::Key key_at(ByteView point)
{
    openssl::KeyContext const context{EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr)};
    ENSURE(context && EVP_PKEY_fromdata_init(context.get()) == 1);
    std::array<char, 11> group{"prime256v1"};
    std::array parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, const_cast<Byte*>(point.data()), point.size()),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY* raw = nullptr;
    if (EVP_PKEY_fromdata(context.get(), &raw, EVP_PKEY_PUBLIC_KEY, parameters.data()) != 1) return nullptr;
    openssl::Key key{raw};
    openssl::KeyContext const check{EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr)};
    if (!check || EVP_PKEY_public_check_quick(check.get()) != 1) return nullptr;
    return key;
}

} // namespace

Bytes seal_to(PublicKey const& recipient, ByteView plain, ByteView associated_data)
{
    ENSURE(!recipient.empty() && recipient.type() == KeyType::ec_p256);
    auto const ephemeral = PrivateKey::generate(KeyType::ec_p256);
    auto sealed = point_of(ephemeral.native());
    auto const secret = shared_secret(ephemeral.native(), recipient.native());
    auto const under = key_and_nonce(secret, sealed, point_of(recipient.native()));
    gcm::encrypt(under.key(), under.nonce(), plain, associated_data, sealed);
    return sealed;
}

Result<SecretBytes> open_seal(PrivateKey const& recipient, ByteView sealed, ByteView associated_data)
{
    ENSURE(!recipient.empty() && recipient.type() == KeyType::ec_p256);
    if (sealed.size() < point_bytes + gcm::tag_bytes) return fail(Outcome::seal_invalid, "too short");
    auto const point = sealed.first(point_bytes);
    auto const ephemeral = point.front() == 4 ? key_at(point) : nullptr;
    if (!ephemeral) {
        openssl::forget_errors();
        return fail(Outcome::seal_invalid, "point");
    }
    auto const secret = shared_secret(recipient.native(), ephemeral.get());
    auto const under = key_and_nonce(secret, point, point_of(recipient.native()));
    auto opened = gcm::decrypt(under.key(), under.nonce(), sealed.subspan(point_bytes), associated_data);
    if (!opened) return fail(Outcome::seal_invalid, "the tag does not fit");
    return *std::move(opened);
}

} // namespace symbolon::crypto

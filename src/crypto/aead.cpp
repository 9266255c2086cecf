#include "crypto/aead.hpp"

#include "base/ensure.hpp"
#include "crypto/gcm.hpp"
#include "crypto/openssl.hpp"

#include <limits>

namespace symbolon::crypto {

namespace gcm {

namespace {

int size_of(ByteView bytes)
{
    ENSURE(bytes.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max()));
    return static_cast<int>(bytes.size());
}

} // namespace

void encrypt(ByteView key, ByteView nonce, ByteView plain, ByteView associated_data, Bytes& to)
{
    ENSURE((key.size() == key_bytes || key.size() == short_key_bytes) && nonce.size() == nonce_bytes);
    openssl::CipherContext const context{EVP_CIPHER_CTX_new()};
    ENSURE(context);
    auto const* const cipher = key.size() == key_bytes ? openssl::aes_256_gcm() : openssl::aes_128_gcm();
    ENSURE(EVP_EncryptInit_ex2(context.get(), cipher, key.data(), nonce.data(), nullptr) == 1);
    int written = 0;
    if (!associated_data.empty())
        ENSURE(EVP_EncryptUpdate(context.get(), nullptr, &written, associated_data.data(), size_of(associated_data)) ==
               1);
    auto const begin = to.size();
    to.resize(begin + plain.size() + tag_bytes);
    if (!plain.empty()) {
        ENSURE(EVP_EncryptUpdate(context.get(), &to[begin], &written, plain.data(), size_of(plain)) == 1);
        ENSURE(written == size_of(plain));
    }
    ENSURE(EVP_EncryptFinal_ex(context.get(), &to[begin + plain.size()], &written) == 1);
    ENSURE(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, tag_bytes, &to[begin + plain.size()]) == 1);
}

std::optional<SecretBytes> decrypt(ByteView key, ByteView nonce, ByteView sealed, ByteView associated_data)
{
    ENSURE(key.size() == key_bytes && nonce.size() == nonce_bytes);
    if (sealed.size() < tag_bytes) return std::nullopt;
    auto const cipher_text = sealed.first(sealed.size() - tag_bytes);
    Bytes tag{sealed.end() - tag_bytes, sealed.end()};

    openssl::CipherContext const context{EVP_CIPHER_CTX_new()};
    ENSURE(context);
    ENSURE(EVP_DecryptInit_ex2(context.get(), openssl::aes_256_gcm(), key.data(), nonce.data(), nullptr) == 1);
    int written = 0;
    if (!associated_data.empty())
        ENSURE(EVP_DecryptUpdate(context.get(), nullptr, &written, associated_data.data(), size_of(associated_data)) ==
               1);
    Bytes plain(cipher_text.size());
    if (!cipher_text.empty())
        ENSURE(EVP_DecryptUpdate(context.get(), plain.data(), &written, cipher_text.data(), size_of(cipher_text)) == 1);
    // The whole tag, always: a shorter one would be easier to guess.
    ENSURE(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, tag_bytes, tag.data()) == 1);
    SecretBytes opened{std::move(plain)};
    Byte nothing{};
    if (EVP_DecryptFinal_ex(context.get(), &nothing, &written) != 1) {
        openssl::forget_errors();
        return std::nullopt;
    }
    return opened;
}

} // namespace gcm

Bytes seal_with_key(SecretBytes const& key, ByteView plain, ByteView associated_data, Random& random)
{
    Bytes sealed;
    sealed.reserve(gcm::nonce_bytes + plain.size() + gcm::tag_bytes);
    sealed.resize(gcm::nonce_bytes);
    random.fill(sealed);
    auto const nonce = sealed;
    gcm::encrypt(key.reveal(), nonce, plain, associated_data, sealed);
    return sealed;
}

Result<SecretBytes> open_with_key(SecretBytes const& key, ByteView sealed, ByteView associated_data)
{
    if (sealed.size() < gcm::nonce_bytes + gcm::tag_bytes) return fail(Outcome::data_damaged, "too short");
    auto opened =
        gcm::decrypt(key.reveal(), sealed.first(gcm::nonce_bytes), sealed.subspan(gcm::nonce_bytes), associated_data);
    if (!opened) return fail(Outcome::data_damaged, "the tag does not fit");
    return *std::move(opened);
}

} // namespace symbolon::crypto

#include "crypto/seal.hpp"

#include "base/ensure.hpp"
#include "crypto/gcm.hpp"
#include "crypto/hash.hpp"
#include "crypto/p256.hpp"

namespace symbolon::crypto {

namespace {

using p256::point_bytes;
constexpr std::string_view purpose = "symbolon-seal-v1";

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

} // namespace

Bytes seal_to(PublicKey const& recipient, ByteView plain, ByteView associated_data)
{
    ENSURE(!recipient.empty() && recipient.type() == KeyType::ec_p256);
    auto const ephemeral = PrivateKey::generate(KeyType::ec_p256);
    auto sealed = p256::point_of(ephemeral.native());
    auto const secret = p256::shared_secret(ephemeral.native(), recipient.native());
    auto const under = key_and_nonce(secret, sealed, p256::point_of(recipient.native()));
    gcm::encrypt(under.key(), under.nonce(), plain, associated_data, sealed);
    return sealed;
}

Result<SecretBytes> open_seal(PrivateKey const& recipient, ByteView sealed, ByteView associated_data)
{
    ENSURE(!recipient.empty() && recipient.type() == KeyType::ec_p256);
    if (sealed.size() < point_bytes + gcm::tag_bytes) return fail(Outcome::seal_invalid, "too short");
    auto const point = sealed.first(point_bytes);
    auto const ephemeral = p256::key_at(point);
    if (!ephemeral) return fail(Outcome::seal_invalid, "point");
    auto const secret = p256::shared_secret(recipient.native(), ephemeral.get());
    auto const under = key_and_nonce(secret, point, p256::point_of(recipient.native()));
    auto opened = gcm::decrypt(under.key(), under.nonce(), sealed.subspan(point_bytes), associated_data);
    if (!opened) return fail(Outcome::seal_invalid, "the tag does not fit");
    return *std::move(opened);
}

} // namespace symbolon::crypto

#include "crypto/push_encryption.hpp"

#include "base/ensure.hpp"
#include "crypto/gcm.hpp"
#include "crypto/hash.hpp"
#include "crypto/p256.hpp"

namespace symbolon::crypto {

namespace {

using namespace std::string_view_literals;

static_assert(push_point_bytes == p256::point_bytes);

// RFC 8291 §4: one record, and services need not take more than 4096 bytes in all.
constexpr std::uint32_t record_size = 4096;
constexpr std::size_t header_bytes = push_salt_bytes + 4 + 1 + push_point_bytes;
constexpr std::size_t most_plain_bytes = record_size - header_bytes - gcm::tag_bytes - 1;
static_assert(most_plain_bytes == 3993);

constexpr Byte last_record = 2; // RFC 8188 §2: the delimiter of the last record

/// RFC 8188 §2.1: salt ‖ rs ‖ idlen ‖ keyid; RFC 8291 §4: the keyid is the sender's point.
Bytes header_of(ByteView salt, ByteView point)
{
    Bytes header{salt.begin(), salt.end()};
    for (int shift = 24; shift >= 0; shift -= 8) header.push_back(static_cast<Byte>(record_size >> shift));
    header.push_back(static_cast<Byte>(point.size()));
    append(header, point);
    return header;
}

/// RFC 8291 §3.3 and §3.4: the input keying material of RFC 8188.
SecretBytes keying_material(PushReceiver const& receiver, SecretBytes const& shared, ByteView sender_point)
{
    std::string info{"WebPush: info\0"sv};
    info += text_of(receiver.point);
    info += text_of(sender_point);
    return hkdf_sha256(shared, receiver.auth.reveal(), info, 32);
}

} // namespace

Bytes push_point(PublicKey const& key)
{
    ENSURE(!key.empty() && key.type() == KeyType::ec_p256);
    return p256::point_of(key.native());
}

bool is_push_point(ByteView point) { return p256::key_at(point) != nullptr; }

Result<Bytes> encrypt_push_with(PushReceiver const& receiver, ByteView plain, std::size_t padded_bytes,
                                PrivateKey const& ephemeral, ByteView salt)
{
    ENSURE(plain.size() <= padded_bytes && padded_bytes <= most_plain_bytes);
    ENSURE(receiver.auth.reveal().size() == push_auth_bytes && salt.size() == push_salt_bytes);
    ENSURE(!ephemeral.empty() && ephemeral.type() == KeyType::ec_p256);
    auto const key = p256::key_at(receiver.point);
    if (!key) return fail(Outcome::jwk_malformed, "point");

    auto const point = p256::point_of(ephemeral.native());
    auto const shared = p256::shared_secret(ephemeral.native(), key.get());
    auto const material = keying_material(receiver, shared, point);
    // RFC 8188 §2.2 and §2.3; there is one record, whose sequence number 0 leaves the nonce as it is.
    auto const content_key = hkdf_sha256(material, salt, "Content-Encoding: aes128gcm\0"sv, gcm::short_key_bytes);
    auto const nonce = hkdf_sha256(material, salt, "Content-Encoding: nonce\0"sv, gcm::nonce_bytes);

    Bytes record{plain.begin(), plain.end()};
    record.push_back(last_record);
    record.resize(padded_bytes + 1);
    auto body = header_of(salt, point);
    gcm::encrypt(content_key.reveal(), nonce.reveal(), record, {}, body);
    return body;
}

Result<Bytes> encrypt_push(PushReceiver const& receiver, ByteView plain, std::size_t padded_bytes, Random& random)
{
    auto const ephemeral = PrivateKey::generate(KeyType::ec_p256);
    auto const salt = random.bytes(push_salt_bytes);
    return encrypt_push_with(receiver, plain, padded_bytes, ephemeral, salt);
}

} // namespace symbolon::crypto

#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "crypto/key.hpp"
#include "crypto/random.hpp"

/// Encryption of push messages for one browser (RFC 8291, with the content coding aes128gcm of RFC 8188).
namespace symbolon::crypto {

inline constexpr std::size_t push_point_bytes = 65; ///< p256dh: an uncompressed point of P-256
inline constexpr std::size_t push_auth_bytes = 16;  ///< RFC 8291 §3.2: the authentication secret
inline constexpr std::size_t push_salt_bytes = 16;  ///< RFC 8188 §2.1

/// To whom: what the browser's subscription says (Push API, getKey).
struct PushReceiver {
    Bytes point;      ///< p256dh
    SecretBytes auth; ///< 16 bytes
};

/// The point of a P-256 key, as `p256dh` and VAPID's `k` carry it: 65 bytes.
Bytes push_point(PublicKey const& key);

/// Whether 65 bytes are an uncompressed point on the curve.
bool is_push_point(ByteView point);

/// The body of a push message: header (salt, record size 4096, our point) and one record (RFC 8291 §4). The plain text
/// is filled with zeros up to `padded_bytes`, so that its length tells nothing (RFC 8188 §2); it must not be longer,
/// and padded_bytes at most 3993.
///
/// Fails with jwk_malformed: the receiver's point is none.
Result<Bytes> encrypt_push(PushReceiver const& receiver, ByteView plain, std::size_t padded_bytes, Random& random);

/// The same with a key and a salt (16 bytes) that are used for this message alone.
Result<Bytes> encrypt_push_with(PushReceiver const& receiver, ByteView plain, std::size_t padded_bytes,
                                PrivateKey const& ephemeral, ByteView salt);

} // namespace symbolon::crypto

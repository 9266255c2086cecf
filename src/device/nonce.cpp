#include "device/nonce.hpp"

#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "vault/statement.hpp"

namespace symbolon::device {

namespace {

constexpr std::size_t time_bytes = 8;
constexpr std::size_t mac_bytes = 16;

Bytes nonce_of(SecretBytes const& key, std::int64_t time)
{
    Bytes nonce;
    for (int shift = 56; shift >= 0; shift -= 8) nonce.push_back(static_cast<Byte>(time >> shift));
    auto const mac = crypto::hmac_sha256(key, vault::statement("symbolon-device-nonce-v1", {nonce}));
    append(nonce, ByteView{mac}.first(mac_bytes));
    return nonce;
}

} // namespace

std::string make_nonce(SecretBytes const& key, Instant now)
{
    return crypto::base64url(nonce_of(key, numeric_date(now)));
}

Result<void> check_nonce(SecretBytes const& key, std::string_view nonce, Instant now, Seconds lifetime)
{
    auto const bytes = crypto::from_base64url(nonce);
    if (!bytes || bytes->size() != time_bytes + mac_bytes) return fail(Outcome::device_nonce_needed, "shape");
    std::uint64_t time = 0;
    for (auto const byte : ByteView{*bytes}.first(time_bytes)) time = time << 8 | byte;
    if (!equal_in_constant_time(nonce_of(key, static_cast<std::int64_t>(time)), *bytes))
        return fail(Outcome::device_nonce_needed, "another server's");
    auto const made_at = instant_of(static_cast<std::int64_t>(time));
    // Another node's clock may be a little ahead.
    if (now >= made_at + lifetime || made_at > now + lifetime) return fail(Outcome::device_nonce_needed, "too old");
    return {};
}

} // namespace symbolon::device

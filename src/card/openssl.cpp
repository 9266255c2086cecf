#include "card/openssl.hpp"

#include "card/tlv.hpp"

#include <openssl/err.h>
#include <openssl/rsa.h>

#include <array>
#include <ctime>

namespace symbolon::card {

ErrorsLeftAlone::ErrorsLeftAlone() { ERR_set_mark(); }
ErrorsLeftAlone::~ErrorsLeftAlone() { ERR_pop_to_mark(); }

std::optional<Instant> instant_from(ASN1_TIME const* time)
{
    std::tm parts{};
    if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
    std::chrono::year_month_day const date{std::chrono::year{parts.tm_year + 1900},
                                           std::chrono::month{static_cast<unsigned>(parts.tm_mon + 1)},
                                           std::chrono::day{static_cast<unsigned>(parts.tm_mday)}};
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days{date} + std::chrono::hours{parts.tm_hour} + std::chrono::minutes{parts.tm_min} +
           Seconds{parts.tm_sec};
}

std::string oid_text(ASN1_OBJECT const* object)
{
    std::array<char, 128> text{};
    auto const size = OBJ_obj2txt(text.data(), static_cast<int>(text.size()), object, 1);
    if (size <= 0 || static_cast<std::size_t>(size) >= text.size()) return {};
    return std::string{text.data(), static_cast<std::size_t>(size)};
}

std::optional<ByteView> der_value_before_zeros(ByteView padded)
{
    auto const* at = padded.data();
    long length = 0;
    int tag = 0;
    int kind = 0;
    if (padded.empty() || padded.size() > 1024UL * 1024) return std::nullopt;
    auto const result = ASN1_get_object(&at, &length, &tag, &kind, static_cast<long>(padded.size()));
    // 0x80: an error; 0x01: an indefinite length, which DER has not (X.690 §10.1).
    if ((result & 0x80) != 0 || (result & 0x01) != 0 || length < 0) return std::nullopt;
    auto const size = static_cast<std::size_t>(at - padded.data()) + static_cast<std::size_t>(length);
    if (size > padded.size() || size_without_zeros(padded.subspan(size)) != 0) return std::nullopt;
    return padded.first(size);
}

bool verifies(EVP_PKEY* key, EVP_MD const* digest, ByteView data, ByteView signature)
{
    ErrorsLeftAlone const guard;
    DigestContextOwner const context{EVP_MD_CTX_new()};
    return context && EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key) == 1 &&
           EVP_DigestVerify(context.get(), signature.data(), signature.size(), data.data(), data.size()) == 1;
}

bool verifies_digest(EVP_PKEY* key, EVP_MD const* digest_kind, ByteView digest, ByteView signature)
{
    ErrorsLeftAlone const guard;
    KeyContextOwner const context{EVP_PKEY_CTX_new(key, nullptr)};
    if (!context || EVP_PKEY_verify_init(context.get()) != 1) return false;
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
        EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) != 1)
        return false;
    return EVP_PKEY_CTX_set_signature_md(context.get(), digest_kind) == 1 &&
           EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest.data(), digest.size()) == 1;
}

} // namespace symbolon::card

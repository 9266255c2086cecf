#include "card/register_signatures.hpp"

#include "base/secret.hpp"
#include "card/openssl.hpp"
#include "card/tlv.hpp"
#include "crypto/hash.hpp"

namespace symbolon::card {

namespace {

/// Whether a signature file holds the Register's signature over `data`. What follows the signature is zeros.
bool is_signed(Certificate const& national_register, ByteView data, ByteView signature_file, Sha1 sha1)
{
    auto* key = X509_get0_pubkey(national_register.x509());
    if (national_register.key_type() == KeyType::p384) {
        auto const signature = der_value_before_zeros(signature_file);
        return signature && verifies(key, EVP_sha384(), data, *signature);
    }

    auto const size = static_cast<std::size_t>(EVP_PKEY_get_size(key));
    if (signature_file.size() < size || size_without_zeros(signature_file.subspan(size)) != 0) return false;
    auto const signature = signature_file.first(size);
    return verifies(key, EVP_sha256(), data, signature) ||
           (sha1 == Sha1::accepted && verifies(key, EVP_sha1(), data, signature));
}

bool has_hash(ByteView data, ByteView expected, Sha1 sha1)
{
    using crypto::HashAlgorithm;
    switch (expected.size()) {
    case 20: return sha1 == Sha1::accepted && equal_in_constant_time(crypto::hash(HashAlgorithm::sha1, data), expected);
    case 32: return equal_in_constant_time(crypto::hash(HashAlgorithm::sha256, data), expected);
    case 48: return equal_in_constant_time(crypto::hash(HashAlgorithm::sha384, data), expected);
    default: return false;
    }
}

} // namespace

Result<void> check_register_signatures(CardReading const& reading, Certificate const& national_register, Sha1 sha1)
{
    if (!is_signed(national_register, reading.identity, reading.identity_signature, sha1))
        return fail(Outcome::identity_signature_invalid);

    ByteView const address{reading.address};
    auto const fields = address.first(size_without_zeros(address));
    Bytes covered{fields.begin(), fields.end()};
    append(covered, reading.identity_signature);
    if (!is_signed(national_register, covered, reading.address_signature, sha1))
        return fail(Outcome::address_signature_invalid);
    return {};
}

Result<void> check_hashes(CardReading const& reading, IdentityFile const& identity, Sha1 sha1)
{
    if (!has_hash(reading.photo, identity.photo_hash, sha1)) return fail(Outcome::photo_hash_mismatch);

    // Only 1.8 cards have a key of their own; a file without a hash, or the other way round, was put together by
    // somebody.
    if (identity.card_key_hash.empty() != reading.card_key.empty())
        return fail(Outcome::card_key_hash_mismatch, "only one of them is there");
    if (!reading.card_key.empty() && !has_hash(reading.card_key, identity.card_key_hash, Sha1::refused))
        return fail(Outcome::card_key_hash_mismatch);
    return {};
}

} // namespace symbolon::card

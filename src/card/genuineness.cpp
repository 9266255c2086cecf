#include "card/genuineness.hpp"

#include "card/openssl.hpp"
#include "crypto/key.hpp"

namespace symbolon::card {

namespace {

constexpr std::size_t p384_field_bytes = 48;

/// EF 4040. Nothing: no P-384 key.
KeyOwner parse_card_key(ByteView der)
{
    ErrorsLeftAlone const guard;
    auto const* at = der.data();
    KeyOwner key{d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size()))};
    if (!key || at != der.data() + der.size() || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_EC) return nullptr;
    std::array<char, 64> group{};
    if (EVP_PKEY_get_group_name(key.get(), group.data(), group.size(), nullptr) != 1) return nullptr;
    return std::string_view{group.data()} == SN_secp384r1 ? std::move(key) : nullptr;
}

/// What the card gave, in the form that is verified and kept. Nothing: not of the right length for the key.
std::optional<Bytes> signature_of_card(Certificate const& leaf, ByteView raw)
{
    switch (leaf.key_type()) {
    case KeyType::rsa_2048:
        if (raw.size() != 256) return std::nullopt;
        return Bytes{raw.begin(), raw.end()};
    case KeyType::p384: {
        auto der = crypto::ecdsa_der_from_raw(raw, p384_field_bytes);
        if (!der) return std::nullopt;
        return std::move(*der);
    }
    default: return std::nullopt;
    }
}

bool leaf_signed(Certificate const& leaf, ByteView digest, ByteView signature)
{
    auto const* kind = contract_digest_for(leaf) == ContractDigest::sha384 ? EVP_sha384() : EVP_sha256();
    return digest.size() == static_cast<std::size_t>(EVP_MD_get_size(kind)) &&
           verifies_digest(X509_get0_pubkey(leaf.x509()), kind, digest, signature);
}

} // namespace

Result<void> check_card_key_answer(ByteView card_key, Challenge const& challenge, ByteView answer)
{
    auto const key = parse_card_key(card_key);
    if (!key) return fail(Outcome::card_not_genuine, "EF 4040 is no P-384 key");
    auto const signature = crypto::ecdsa_der_from_raw(answer, p384_field_bytes);
    if (!signature) return fail(Outcome::card_not_genuine, "the answer is no signature");

    // The card takes the 48 bytes as the digest.
    if (!verifies_digest(key.get(), EVP_sha384(), challenge_for_card_key(challenge), *signature))
        return fail(Outcome::card_not_genuine);
    return {};
}

Result<void> check_authentication_answer(Certificate const& authentication, Challenge const& challenge, ByteView answer)
{
    if (authentication.key_type() != KeyType::rsa_2048 || answer.size() != 256)
        return fail(Outcome::card_not_genuine, "the answer is no signature");
    if (!leaf_signed(authentication, challenge_for_authentication_key(challenge), answer))
        return fail(Outcome::card_not_genuine);
    return {};
}

ContractDigest contract_digest_for(Certificate const& signature_certificate)
{
    return signature_certificate.key_type() == KeyType::p384 ? ContractDigest::sha384 : ContractDigest::sha256;
}

Result<Bytes> verify_contract_signature(Certificate const& signature, Certificate const& authentication,
                                        ByteView digest, ByteView raw_signature)
{
    if (!signature.key_usage_is_exactly(KU_NON_REPUDIATION))
        return fail(Outcome::contract_not_signed_by_signature_key, "the certificate is not for signatures");

    auto made = signature_of_card(signature, raw_signature);
    if (made && leaf_signed(signature, digest, *made)) return std::move(*made);

    auto const made_by_authentication = signature_of_card(authentication, raw_signature);
    if (made_by_authentication && leaf_signed(authentication, digest, *made_by_authentication))
        return fail(Outcome::contract_not_signed_by_signature_key);
    return fail(Outcome::contract_signature_invalid);
}

} // namespace symbolon::card

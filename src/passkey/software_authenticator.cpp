#include "passkey/software_authenticator.hpp"

#include "base/ensure.hpp"
#include "base/json.hpp"
#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "passkey/cbor.hpp"

namespace symbolon::passkey {

namespace {

constexpr std::size_t aaguid_bytes = 16;
constexpr std::size_t coordinate_bytes = 32;

Bytes client_data(std::string_view type, ByteView challenge, RelyingParty const& party)
{
    // §5.8.1.1: browsers write these members, in this order.
    return to_bytes(json::write(json::Object{{"type", type},
                                             {"challenge", crypto::base64url(challenge)},
                                             {"origin", party.origin},
                                             {"crossOrigin", false}}));
}

AuthenticatorData data_of(SoftwareAuthenticator const& authenticator, RelyingParty const& party)
{
    return {.rp_id_hash = crypto::sha256(party.id),
            .user_present = authenticator.user_present,
            .user_verified = authenticator.user_verified,
            .backup_eligible = authenticator.backup_eligible,
            .backed_up = authenticator.backed_up,
            .sign_count = authenticator.sign_count,
            .attested = {}};
}

crypto::KeyType key_type_of(crypto::SignatureAlgorithm algorithm)
{
    if (algorithm == crypto::SignatureAlgorithm::eddsa) return crypto::KeyType::ed25519;
    if (algorithm == crypto::SignatureAlgorithm::rs256) return crypto::KeyType::rsa;
    return crypto::KeyType::ec_p256;
}

} // namespace

SoftwareAuthenticator new_authenticator(Bytes id, crypto::SignatureAlgorithm algorithm)
{
    return {.credential_id = std::move(id),
            .key = crypto::PrivateKey::generate(key_type_of(algorithm)),
            .algorithm = algorithm};
}

Registration register_with(SoftwareAuthenticator const& authenticator, ByteView challenge, RelyingParty const& party)
{
    auto data = data_of(authenticator, party);
    data.attested = AuthenticatorData::Attested{.aaguid = Bytes(aaguid_bytes, 0),
                                                .credential_id = authenticator.credential_id,
                                                .key = {authenticator.key.public_key(), authenticator.algorithm}};
    Item::Map object;
    object.push_back({Item{std::string{"fmt"}}, Item{std::string{"none"}}});
    object.push_back({Item{std::string{"attStmt"}}, Item{Item::Map{}}});
    object.push_back({Item{std::string{"authData"}}, Item{write(data)}});
    return {.attestation_object = write(Item{std::move(object)}),
            .client_data = client_data("webauthn.create", challenge, party)};
}

Assertion sign_with(SoftwareAuthenticator& authenticator, ByteView challenge, RelyingParty const& party)
{
    if (authenticator.counts) ++authenticator.sign_count;
    Assertion assertion{.credential_id = authenticator.credential_id,
                        .authenticator_data = write(data_of(authenticator, party)),
                        .client_data = client_data("webauthn.get", challenge, party),
                        .signature = {}};
    auto signed_bytes = assertion.authenticator_data;
    append(signed_bytes, crypto::sha256(assertion.client_data));
    assertion.signature = authenticator.key.sign(authenticator.algorithm, signed_bytes);
    if (authenticator.algorithm == crypto::SignatureAlgorithm::es256) {
        auto der = crypto::ecdsa_der_from_raw(assertion.signature, coordinate_bytes);
        ENSURE(der.has_value());
        assertion.signature = *std::move(der);
    }
    return assertion;
}

} // namespace symbolon::passkey

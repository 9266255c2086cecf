#include "passkey/ceremony.hpp"

#include "base/ensure.hpp"
#include "base/json.hpp"
#include "base/secret.hpp"
#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "passkey/cbor.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <array>

namespace symbolon::passkey {

namespace {

constexpr std::size_t most_field_bytes = 8192;
constexpr std::size_t length_bytes = 4;

/// list(fields) of docs/device-protocol.md §1.
Bytes list_of(std::initializer_list<ByteView> fields)
{
    Bytes bytes;
    for (auto const field : fields) {
        for (auto shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<Byte>(field.size() >> shift));
        append(bytes, field);
    }
    return bytes;
}

/// Its fields again. Fails with `otherwise`.
template <std::size_t count>
Result<std::array<Bytes, count>> fields_of(ByteView bytes, Outcome otherwise)
{
    std::array<Bytes, count> fields;
    for (auto& field : fields) {
        if (bytes.size() < length_bytes) return fail(otherwise, "fields of a passkey");
        std::size_t size = 0;
        for (auto const byte : bytes.first(length_bytes)) size = size << 8U | byte;
        bytes = bytes.subspan(length_bytes);
        if (size > most_field_bytes || size > bytes.size()) return fail(otherwise, "fields of a passkey");
        field.assign(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
        bytes = bytes.subspan(size);
    }
    if (!bytes.empty()) return fail(otherwise, "fields of a passkey");
    return fields;
}

/// Steps 5 to 12 of §7.1 and §7.2: what the browser says that it did. Gives the hash of it.
Result<Bytes> check_client_data(ByteView client_data, std::string_view type, ByteView challenge,
                                RelyingParty const& party, Outcome refused)
{
    // "UTF-8 decode": a byte order mark is no part of the text.
    auto text = text_of(client_data);
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
    auto const object = json::parse_object(text);
    if (!object) return fail(refused, "client data: no JSON object");

    auto const is = [&](std::string_view name, std::string_view value) {
        auto const member = json::text(*object, name);
        return member && *member == value;
    };
    if (!is("type", type)) return fail(refused, "client data: type");
    auto const signed_challenge = json::text(*object, "challenge");
    if (!signed_challenge ||
        !equal_in_constant_time(bytes_of(*signed_challenge), bytes_of(crypto::base64url(challenge))))
        return fail(refused, "client data: challenge");
    if (!is("origin", party.origin)) return fail(refused, "client data: origin");
    // We are never framed by another origin.
    auto const crosses = json::optional_boolean(*object, "crossOrigin");
    if (!crosses || crosses->value_or(false)) return fail(refused, "client data: crossOrigin");
    if (object->contains("topOrigin")) return fail(refused, "client data: topOrigin");
    return crypto::sha256(client_data);
}

/// Steps 13 to 17 of §7.1, 14 to 18 of §7.2.
Result<void> check_authenticator(AuthenticatorData const& data, RelyingParty const& party, Outcome refused)
{
    if (!equal_in_constant_time(data.rp_id_hash, crypto::sha256(party.id))) return fail(refused, "relying party");
    if (!data.user_present) return fail(refused, "nobody was present");
    if (!data.user_verified) return fail(refused, "the holder was not verified");
    return {};
}

/// §8.2 "packed", self attestation: the new key signs for itself.
Result<void> check_self_attestation(Item const& statement, ByteView authenticator_data, ByteView client_data_hash,
                                    CredentialKey const& key)
{
    constexpr auto refused = Outcome::passkey_refused;
    auto const* algorithm = statement.member("alg");
    auto const* signature = statement.member("sig");
    if (statement.map()->size() != 2 || algorithm == nullptr || signature == nullptr || signature->bytes() == nullptr)
        return fail(refused, "attestation: another statement than packed by the key itself");
    // "Validate that alg matches the algorithm of the credentialPublicKey in authenticatorData."
    auto const cose = write_cose_key(key);
    auto const cose_key = TRY(read_item(cose, Form::canonical));
    constexpr std::int64_t label_alg = 3;
    if (*algorithm != *cose_key.member(label_alg)) return fail(refused, "attestation: algorithm");
    Bytes signed_bytes{authenticator_data.begin(), authenticator_data.end()};
    append(signed_bytes, client_data_hash);
    if (!verifies(key, signed_bytes, *signature->bytes())) return fail(refused, "attestation: signature");
    return {};
}

} // namespace

RelyingParty relying_party_at(std::string origin)
{
    auto const url = boost::urls::parse_uri(origin);
    ENSURE(url.has_value());
    return {.origin = std::move(origin), .id = std::string{url->host()}};
}

Bytes write(Registration const& registration)
{
    return list_of({registration.attestation_object, registration.client_data});
}

Result<Registration> parse_registration(ByteView bytes)
{
    auto fields = TRY(fields_of<2>(bytes, Outcome::passkey_refused));
    return Registration{.attestation_object = std::move(fields[0]), .client_data = std::move(fields[1])};
}

// Web Authentication Level 3, 7.1 Registering a New Credential.
Result<Credential> verify(Registration const& registration, ByteView challenge, RelyingParty const& party)
{
    constexpr auto refused = Outcome::passkey_refused;
    // Steps 5 to 12.
    auto const hash = TRY(check_client_data(registration.client_data, "webauthn.create", challenge, party, refused));

    // 13: "Perform CBOR decoding on the attestationObject field [...] to obtain the attestation statement format fmt,
    // the authenticator data authData, and the attestation statement attStmt."
    auto const object = TRY(read_item(registration.attestation_object, Form::any));
    auto const* format = object.member("fmt");
    auto const* bytes = object.member("authData");
    auto const* statement = object.member("attStmt");
    if (format == nullptr || format->text() == nullptr || bytes == nullptr || bytes->bytes() == nullptr ||
        statement == nullptr || statement->map() == nullptr)
        return fail(refused, "attestation object");
    auto const data = TRY(parse_authenticator_data(*bytes->bytes()));

    // 14 to 17, and the flags of 18, which parse_authenticator_data saw to.
    TRY(check_authenticator(data, party, refused));

    // 20: the algorithm is one that was offered: take_cose_key knows no other. 25: so is the id's length.
    if (!data.attested) return fail(refused, "no credential");
    auto const& attested = *data.attested;

    // 21 to 24: the attestation.
    if (*format->text() == "packed") TRY(check_self_attestation(*statement, *bytes->bytes(), hash, attested.key));
    else if (*format->text() != "none" || !statement->map()->empty()) return fail(refused, "attestation: not none");

    return Credential{.id = attested.credential_id,
                      .key = attested.key,
                      .sign_count = data.sign_count,
                      .backup_eligible = data.backup_eligible,
                      .backed_up = data.backed_up,
                      .aaguid = attested.aaguid};
}

Bytes write(Assertion const& assertion)
{
    return list_of({assertion.credential_id, assertion.authenticator_data, assertion.client_data, assertion.signature});
}

Result<Assertion> parse_assertion(ByteView bytes)
{
    auto fields = TRY(fields_of<4>(bytes, Outcome::proof_malformed));
    return Assertion{.credential_id = std::move(fields[0]),
                     .authenticator_data = std::move(fields[1]),
                     .client_data = std::move(fields[2]),
                     .signature = std::move(fields[3])};
}

// Web Authentication Level 3, 7.2 Verifying an Authentication Assertion.
Result<Credential> verify(Assertion const& assertion, Credential const& credential, ByteView challenge,
                          RelyingParty const& party)
{
    constexpr auto refused = Outcome::passkey_wrong;
    // 5, 6: who is to be authenticated was known before; the credential must be theirs.
    if (!equal_in_constant_time(assertion.credential_id, credential.id)) return fail(refused, "another credential");

    // 7 to 13, and the hash of 20.
    auto const hash = TRY(check_client_data(assertion.client_data, "webauthn.get", challenge, party, refused));

    // 14 to 18.
    auto const data = parse_authenticator_data(assertion.authenticator_data);
    if (!data) return fail(refused, data.error().detail);
    TRY(check_authenticator(*data, party, refused));
    // 6.1: "the authenticator MUST NOT set the AT flag" for assertions.
    if (data->attested) return fail(refused, "a credential in an assertion");
    // 19: what can be backed up, and what can't, stays so.
    if (data->backup_eligible != credential.backup_eligible) return fail(refused, "backup eligibility");

    // 21: "verify that sig is a valid signature over the binary concatenation of authData and hash".
    auto signed_bytes = assertion.authenticator_data;
    append(signed_bytes, hash);
    if (!verifies(credential.key, signed_bytes, assertion.signature)) return fail(refused, "signature");

    // 23: "Update credentialRecord with new state values".
    auto kept = credential;
    kept.sign_count = data->sign_count;
    kept.backed_up = data->backed_up;
    return kept;
}

} // namespace symbolon::passkey

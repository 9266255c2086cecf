#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "crypto/key.hpp"

#include <optional>
#include <string>

namespace symbolon::passkey {

/// A credential's public key, from a COSE_Key (RFC 9052 §7, RFC 9053 §7, RFC 8230).
struct CredentialKey {
    crypto::PublicKey key;
    crypto::SignatureAlgorithm algorithm = crypto::SignatureAlgorithm::es256;
};

/// The algorithms that we offer, as COSE names them: ES256 (-7), EdDSA with Ed25519 (-8), RS256 (-257).
///
/// Takes the COSE_Key at the beginning of `from`, which then begins behind it. Strict: canonical CBOR, the members of
/// its key type and no others, points of full length on their curve. Fails with passkey_refused.
Result<CredentialKey> take_cose_key(ByteView& from);

/// The same key as a COSE_Key.
Bytes write_cose_key(CredentialKey const& key);

/// Whether `signature` is the credential's over `data`. The form is WebAuthn's (§6.5.5): ECDSA as DER.
bool verifies(CredentialKey const& key, ByteView data, ByteView signature);

/// Authenticator data (§6.1).
struct AuthenticatorData {
    /// What an authenticator says of a credential that it made (§6.5.1).
    struct Attested {
        Bytes aaguid;        ///< 16 bytes
        Bytes credential_id; ///< 1 to 1023 bytes
        CredentialKey key;
    };

    Bytes rp_id_hash;                 ///< 32 bytes
    bool user_present = false;        ///< UP
    bool user_verified = false;       ///< UV
    bool backup_eligible = false;     ///< BE: may be copied to other devices by its maker's cloud
    bool backed_up = false;           ///< BS: has been
    std::uint32_t sign_count = 0;     ///< 0: this authenticator doesn't count
    std::optional<Attested> attested; ///< AT
};

/// Fails with passkey_refused: too short, something behind it, extensions that are no map, BS without BE.
Result<AuthenticatorData> parse_authenticator_data(ByteView bytes);

/// The bytes of it, without extensions.
Bytes write(AuthenticatorData const& data);

} // namespace symbolon::passkey

#pragma once

#include "passkey/ceremony.hpp"

namespace symbolon::passkey {

/// An authenticator and a browser in one, without a person or hardware: for phones without a screen, and for tests. It
/// keeps one credential.
struct SoftwareAuthenticator {
    Bytes credential_id;
    crypto::PrivateKey key;
    crypto::SignatureAlgorithm algorithm = crypto::SignatureAlgorithm::es256;
    std::uint32_t sign_count = 0;
    bool counts = true;        ///< else its counter stays 0, as that of synced passkeys
    bool user_verified = true; ///< what it will say
    bool user_present = true;  ///< likewise
    bool backup_eligible = false;
    bool backed_up = false;
};

/// A new credential. `id`: 16 bytes or more of chance. The key fits the algorithm.
SoftwareAuthenticator new_authenticator(Bytes id,
                                        crypto::SignatureAlgorithm algorithm = crypto::SignatureAlgorithm::es256);

/// What a browser would say of it: attestation "none".
Registration register_with(SoftwareAuthenticator const& authenticator, ByteView challenge, RelyingParty const& party);

/// A use of it: its counter goes on.
Assertion sign_with(SoftwareAuthenticator& authenticator, ByteView challenge, RelyingParty const& party);

} // namespace symbolon::passkey

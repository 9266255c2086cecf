#pragma once

#include "passkey/authenticator.hpp"

#include <string>

namespace symbolon::passkey {

/// Whom a credential is for: the one page that may use it.
struct RelyingParty {
    std::string origin; ///< "https://phone.example"
    std::string id;     ///< "phone.example"
};

/// The relying party whose id is the whole host of its origin.
RelyingParty relying_party_at(std::string origin);

/// A credential as the server keeps it (§4 "credential record").
struct Credential {
    Bytes id;
    CredentialKey key;
    std::uint32_t sign_count = 0;
    bool backup_eligible = false;
    bool backed_up = false;
    Bytes aaguid; ///< the authenticator's model, as it says itself; 16 bytes, often zeros
};

// ---- a new credential -------------------------------------------------------------------------------------------

/// What navigator.credentials.create() gave.
struct Registration {
    Bytes attestation_object;
    Bytes client_data; ///< clientDataJSON
};

/// As one byte string (docs/device-protocol.md §4 "passkey").
Bytes write(Registration const& registration);
Result<Registration> parse_registration(ByteView bytes); ///< Fails with passkey_refused.

/// §7.1 Registering a New Credential, with user verification. `challenge`: the bytes that were asked to be signed.
///
/// Attestation: "none", and "packed" signed by the credential itself, which says no more. Any other format is refused:
/// we ask for none, and believe no statement that we can't judge. Fails with passkey_refused.
Result<Credential> verify(Registration const& registration, ByteView challenge, RelyingParty const& party);

// ---- a use of it --------------------------------------------------------------------------------------------------

/// What navigator.credentials.get() gave.
struct Assertion {
    Bytes credential_id;
    Bytes authenticator_data;
    Bytes client_data; ///< clientDataJSON
    Bytes signature;
};

/// As one byte string (docs/device-protocol.md §5).
Bytes write(Assertion const& assertion);
Result<Assertion> parse_assertion(ByteView bytes); ///< Fails with proof_malformed.

/// §7.2 Verifying an Authentication Assertion, with user verification, up to and without step 22 (the counter). Gives
/// the credential as it must be kept: its counter and backup state of now. Fails with passkey_wrong.
Result<Credential> verify(Assertion const& assertion, Credential const& credential, ByteView challenge,
                          RelyingParty const& party);

/// §7.2 step 22: whether the counter of an assertion may follow the one that is kept. Where not, two copies of the
/// credential exist, or the authenticator forgets.
constexpr bool may_follow(std::uint32_t kept, std::uint32_t signed_count)
{
    return (kept == 0 && signed_count == 0) || signed_count > kept;
}

static_assert(may_follow(0, 0), "an authenticator that doesn't count is believed");
static_assert(!may_follow(7, 7) && !may_follow(7, 6), "a count that stands still or goes back is no fresh one");
static_assert(!may_follow(7, 0), "who counted once can't stop");

} // namespace symbolon::passkey

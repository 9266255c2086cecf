#pragma once

#include "base/flow.hpp"
#include "base/json.hpp"
#include "base/secret.hpp"
#include "ports/services.hpp"

/// The check that a person is there (A1): ALTCHA's challenge, version 2, with PBKDF2/SHA-256. The browser searches the
/// counter whose derived key begins with a prefix; that costs a sender of thousands of forms what it costs a person
/// once.
namespace symbolon::page {

struct PersonCheck {
    SecretBytes key;           ///< 32 bytes: signs challenges, so that none is kept before it is solved
    int cost = 5000;           ///< iterations of PBKDF2 for one counter
    std::string prefix = "00"; ///< hexadecimal; each digit makes the search 16 times as long
    Seconds lifetime = 20min;
};

/// A challenge: {"parameters": {algorithm, cost, expiresAt, keyLength, keyPrefix, nonce, salt}, "signature"}. The
/// signature is HMAC-SHA-256 over the parameters as JSON with sorted names, hexadecimal.
json::Object make_challenge(PersonCheck const& check, crypto::Random& random, Instant now);

/// Judges {"challenge": as it was given, "solution": {"counter", "derivedKey"}}: ours, in time, solved, and used for
/// the first time. Fails with person_check_failed, whatever is wrong.
Flow<void> judge_person_check(json::Object answer, PersonCheck const& check, ports::Services services);

} // namespace symbolon::page

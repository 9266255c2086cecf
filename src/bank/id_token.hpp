#pragma once

#include "bank/settings.hpp"
#include "base/instant.hpp"

#include <span>
#include <string_view>

namespace symbolon::bank {

inline constexpr std::size_t longest_id_token = 32UZ * 1024;
inline constexpr Seconds clock_skew = 60s;
inline constexpr Seconds oldest_id_token = 10min; ///< since it was issued: it is asked for when it is needed

inline constexpr Seconds longest_since_login = 15min; ///< a visit, from the bank's login page to its end

/// What an ID token must be for. Views of what outlives the call.
struct Expected {
    Registration const& bank;
    std::string_view nonce;
    Keys const& ours;
    std::span<crypto::VerificationKey const> theirs; ///< the bank's, for signatures
};

/// An ID token that is a bank's, for us and for one visit.
struct IdToken {
    json::Object claims;
    std::string signed_token; ///< the JWS, out of its envelope
    crypto::VerificationKey signed_by;
};

/// Opens an ID token where it is encrypted, and judges it (OpenID Connect Core 1.0 §3.1.3.7).
///
/// Fails: bank_answer_invalid, the detail says at which step; key_unknown (the bank may have a new key: its set is to
/// be asked for again).
Result<IdToken> judge_id_token(std::string_view compact, Expected const& expected, Instant now);

/// What the claims say of the person, by this bank's names. What is absent or null is empty. Fails with
/// bank_answer_invalid: a claim of another type.
Result<enrolment::BankAnswer> answer_in(IdToken const& token, Registration const& bank);

} // namespace symbolon::bank

#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "grant/request.hpp"

namespace symbolon::grant {

/// What a holder let a partner have: a code first, tokens once it is redeemed (RFC 6749 §1.3.1).
struct Grant {
    enum class State : std::uint8_t { issued, redeemed, revoked };

    GrantId id;
    State state = State::issued;
    ClientId client;
    AccountId account;
    ActionId action;
    std::string redirect_uri;
    std::string nonce;
    std::string code_challenge;
    std::vector<std::string> scopes;
    std::vector<std::string> id_token_claims; ///< names that the holder granted
    std::vector<std::string> userinfo_claims;
    std::string acr;          ///< what the client is told
    std::string achieved_acr; ///< how it was approved; empty in a grant from when there was one level for both
    Instant auth_time;        ///< when the holder approved
    Bytes code_hash;          ///< SHA-256 of the code
    Instant created_at;
    Instant expires_at;      ///< of the code
    Bytes access_token_hash; ///< SHA-256; empty before it is redeemed
    Instant access_token_expires_at;
};

} // namespace symbolon::grant

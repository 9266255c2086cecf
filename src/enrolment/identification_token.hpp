#pragma once

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"
#include "enrolment/enrolment.hpp"
#include "enrolment/judged.hpp"

#include <functional>
#include <string>
#include <string_view>

/// The identification token: what the computer shows and the holder types on the phone (design.md §3, 6).
namespace symbolon::enrolment {

/// Its 53 signs. Not among them: 0 O o, 1 l I i, 2 5 (like Z S), and small letters that are only smaller than their
/// capitals (c s u v x z).
inline constexpr std::string_view token_signs = "ABCDEFGHJKLMNPQRSTUVWXYZ" // 24
                                                "abdefghjkmnpqrtwy"        // 17
                                                "346789"                   // 6
                                                "+-*?=#";                  // 6

/// The token of 8 signs that a stream of random bytes stands for: at least one capital, one small letter and one of
/// `+ - * ? = #`, each such token equally likely, over 2^45 of them. `block(n)` gives the n-th 32 bytes of the stream;
/// the same stream gives the same token, so that a reload can show it though the store keeps its hash alone.
std::string identification_token(std::function<Bytes(std::uint32_t n)> const& block);

/// The enrolment with a fresh token: `token_hash` is SHA-256 of its text. Earlier phone sessions go on.
/// Fails, first match wins: the failures of check_open; enrolment_step_wrong (no contract yet, or done already);
/// tries_used_up (not before open_at).
Result<Enrolment> give_token(Enrolment enrolment, Bytes token_hash, Instant now, Limits const& limits);

/// A phone typed a token. `typed_hash` is SHA-256 of what was typed (spaces around it dropped, case kept).
///
/// The enrolment must be stored as it comes back, failed or not. When it succeeds the state is sms: send a code
/// (sms_code.hpp) and open a phone session.
///
/// Fails, first match wins: the failures of check_open; enrolment_step_wrong; tries_used_up with open_at (the right
/// token too); identification_token_wrong with tries_left; identification_token_expired (the token was right).
Judged judge_token(Enrolment enrolment, ByteView typed_hash, Instant now, Limits const& limits);

} // namespace symbolon::enrolment

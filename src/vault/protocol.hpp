#pragma once

#include "base/bytes.hpp"
#include "base/id.hpp"
#include "base/result.hpp"
#include "crypto/key.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

/// What the server and the vault say to each other over a Unix socket (docs/vault.md): frames of bounded size, each a
/// request or its reply. Pure: bytes to values and back.
namespace symbolon::vault {

inline constexpr std::size_t most_frame_bytes = 16UZ * 1024;

/// The vault's public keys.
struct AskKeys {};

/// A code key for an account: the first one, or, with a permit, one that takes the place of another.
struct RegisterCode {
    AccountId account;
    DeviceId device;
    int code_version = 1;
    Bytes nonce;           ///< that the code key signed (docs/device-protocol.md §4 "e")
    Bytes sealed_code_key; ///< 177 bytes
    std::string reason;    ///< of a replacement: "card", "bank", "code_change"; empty for the first
    std::int64_t move = 0; ///< of a replacement: higher than of all before; 0: from a server that doesn't say
    Bytes permit;          ///< of a replacement: the server's Ed25519 signature over permit_statement
};

/// Takes a try, then looks whether the code was right.
struct JudgeCode {
    AccountId account;
    DeviceId device;
    ActionId action;
    Bytes message; ///< m
    Bytes proof;   ///< sealed
};

/// Forgets a code key for good. The account can get another one with a permit only.
struct ForgetCode {
    AccountId account;
};

/// How many tries an account has left.
struct AskTries {
    AccountId account;
};

using Request = std::variant<AskKeys, RegisterCode, JudgeCode, ForgetCode, AskTries>;

struct Reply {
    std::optional<Outcome> outcome; ///< set: the request failed, and nothing else is
    bool right = false;             ///< JudgeCode
    int tries_left = 0;             ///< JudgeCode, AskTries
    Bytes grant;                    ///< JudgeCode, when right
    Bytes seal_point;               ///< AskKeys: P-256, uncompressed, 65 bytes
    Bytes grant_key;                ///< AskKeys: Ed25519, SubjectPublicKeyInfo
};

/// What the server signs to let a code key take the place of another. `move` 0 is signed as servers did that said
/// none.
Bytes permit_statement(AccountId const& account, DeviceId const& device, int code_version, std::string_view reason,
                       ByteView nonce, std::int64_t move = 0);

/// The request with its permit.
RegisterCode permitted(RegisterCode request, crypto::PrivateKey const& permits);

struct NumberedRequest {
    std::uint64_t number = 0;
    Request request;
};
struct NumberedReply {
    std::uint64_t number = 0;
    Reply reply;
};

/// A whole frame: its length as 4 bytes, then the number and the content.
Bytes encode(NumberedRequest const& request);
Bytes encode(NumberedReply const& reply);

/// The content of a frame, without its length. Fails with request_malformed.
Result<NumberedRequest> decode_request(ByteView content);
Result<NumberedReply> decode_reply(ByteView content);

/// Takes the first whole frame's content off `buffer`, if it is there. Fails with request_malformed: a frame that is
/// too long.
Result<std::optional<Bytes>> take_frame(Bytes& buffer);

} // namespace symbolon::vault

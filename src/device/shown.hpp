#pragma once

#include "action/action.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"

#include <map>
#include <string>
#include <vector>

namespace symbolon::device {

/// "shared", "kept_back", or empty.
std::string_view name_of(action::RequestedClaim::Before before);

/// What a phone shows of an action (docs/device-protocol.md §5 "tx"), read from the bytes that it signs.
struct Shown {
    struct Claim {
        std::string name;
        bool required = false;
        std::string before; ///< "shared", "kept_back", or empty: not asked before
    };
    ActionId action;
    DeviceId device;
    std::vector<std::pair<std::string, std::string>> partner_names; ///< language, name; at least one
    std::string partner_domain;
    std::string verb; ///< "log_in"
    std::vector<Claim> claims;
    std::string browser;
    std::string place;          ///< empty where it is not known
    std::string entry;          ///< "number", "code", "qr", "link"
    bool needs_passkey = false; ///< the code alone is not enough
    Instant created_at;
    Instant expires_at;
    std::vector<std::string> symbols; ///< six; none where the camera saw the page

    /// Whether one of the symbols is part of an approval. A link is approved without, and may need it afterwards.
    [[nodiscard]] bool wants_symbol() const { return entry != "link" && !symbols.empty(); }
};

/// The bytes of an action for one phone. `nonce`: 16 bytes, so that no two are alike.
Bytes shown_bytes(action::Action const& action, DeviceId const& device, ByteView nonce);

/// What a phone does with the bytes before it draws. Fails: json_malformed, request_malformed (a version, verb or entry
/// that this program does not know, or a member out of its bounds).
Result<Shown> parse_shown(ByteView bytes);

} // namespace symbolon::device

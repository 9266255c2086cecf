#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace symbolon::card_reader {

/// `symbolon-eid://HOST[:PORT]/TICKET` (docs/reader-protocol.md).
struct Link {
    std::string origin; ///< "https://id.example": where to send, and what the card's answer is bound to
    std::string host;   ///< with the port where it isn't the usual one: what the holder is shown
    std::string ticket;
};

/// Whether a loopback host is spoken to without TLS. Any other host never is.
enum class Loopback : std::uint8_t { plain, tls };

/// Fails: request_malformed.
Result<Link> parse_link(std::string_view text, Loopback loopback);

} // namespace symbolon::card_reader

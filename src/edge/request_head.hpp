#pragma once

#include "base/http.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The head of an HTTP/1.1 request (RFC 9112 §2 to §6): what a lenient parser would repair and two programs in a row
/// could read differently is refused here. Pure functions over text.
namespace symbolon::edge {

using Headers = std::vector<std::pair<std::string, std::string>>; ///< names in small letters

/// The bytes up to and with the empty line. Every line ends with CRLF; no line is folded (RFC 9112 §5.2), no name is
/// followed by a space (§5.1); at most 100 fields. Fails: request_malformed, header_block_too_large.
Result<void> check_header_block(std::string_view block);

/// How long the body is and for whom the request is. One Content-Length of digits, or Transfer-Encoding: chunked, never
/// both (RFC 9112 §6.1, §6.3); one Host where HTTP/1.1 asks for it (§3.2); fields that decide something stand once.
/// `minor_version` is 0 or 1. Fails: request_malformed.
Result<void> check_framing(Headers const& headers, int minor_version);

/// A request-target, taken apart and decoded.
struct Target {
    std::string path; ///< begins with '/', or is "*"
    http::Parameters query;
};

/// Origin-form, absolute-form (its authority is dropped), or "*" (RFC 9112 §3.2). A path is UTF-8 without control
/// characters, backslashes, encoded slashes and dot segments: nobody who is honest needs them here.
/// Fails: request_malformed.
Result<Target> parse_target(std::string_view target);

/// A W3C Trace Context §3.2 traceparent of version 00.
bool is_traceparent(std::string_view text);

} // namespace symbolon::edge

#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <string>
#include <string_view>

/// RFC 4648, strict: no white space, no wrong padding, no bits left over. Each decode fails with encoding_malformed.
namespace symbolon::crypto {

std::string base64url(ByteView bytes); ///< §5, without padding
Result<Bytes> from_base64url(std::string_view text);

std::string base64(ByteView bytes); ///< §4, with padding
Result<Bytes> from_base64(std::string_view text);

std::string hex(ByteView bytes); ///< small letters
Result<Bytes> from_hex(std::string_view text);

} // namespace symbolon::crypto

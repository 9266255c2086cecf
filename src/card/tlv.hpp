#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <vector>

namespace symbolon::card {

struct TlvField {
    Byte tag = 0;
    ByteView value; ///< into the file that was read
};

/// The fields of an identity or address file, in their order, which must be ascending; each tag stands once.
///
/// One byte of tag; a length, where bytes FF add up until one is less than FF; the value. Tag 00 (the version of the
/// file's structure, 2 bytes) is taken in the first place only; from there on a zero begins the padding, which is zeros
/// to the end.
///
/// `most_bytes` bounds the fields without the padding. Fails: card_data_malformed.
///
/// Source: ID and address file description v5.0.
Result<std::vector<TlvField>> parse_tlv(ByteView file, std::size_t most_bytes);

/// How many bytes the fields of a file take, up to the padding: what the Register's signature over an address covers.
std::size_t size_without_zeros(ByteView file);

} // namespace symbolon::card

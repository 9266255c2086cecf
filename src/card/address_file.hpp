#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <string>

namespace symbolon::card {

/// EF 4033: where the holder lives, UTF-8 as the Register wrote it. Empty for who has no address in Belgium.
struct AddressFile {
    std::string street_and_number;
    std::string zip;
    std::string municipality;
};

/// Reads EF 4033. Fails: card_data_malformed.
///
/// Source: ID and address file description v5.0.
Result<AddressFile> parse_address_file(ByteView file);

} // namespace symbolon::card

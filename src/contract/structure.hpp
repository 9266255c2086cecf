#pragma once

#include "contract/contract.hpp"

#include <array>
#include <span>

/// The PDF's structure around the pages: what makes it readable by machines and ready for a signature (ISO 32000-1
/// §12.8).
namespace symbolon::contract {

/// Two runs of bytes of a file: everything but the place of the signature (ISO 32000-1 §12.8.1, ByteRange).
struct SignedRanges {
    ByteView before;
    ByteView after;
};

/// Title, language and version; nothing of a signature.
Bytes with_metadata(ByteView pages, Language language, std::string const& title);

/// The same with a signature field whose place for the CMS holds `place_bytes` zeros, and a Document Security Store.
Bytes with_signature_field(ByteView pages, Language language, std::string const& title, Instant signing_time,
                           std::vector<Bytes> const& certificates, std::vector<Bytes> const& ocsp_answers,
                           std::size_t place_bytes);

/// What the signature covers. Fails with data_damaged: no empty place, or more than one.
Result<SignedRanges> signed_ranges(ByteView pdf);

/// The file with the CMS in its empty place. Fails with data_damaged: no empty place, or too small.
Result<Bytes> with_cms(Bytes pdf, ByteView cms);

} // namespace symbolon::contract

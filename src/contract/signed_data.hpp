#pragma once

#include "contract/contract.hpp"
#include "contract/structure.hpp"

/// CMS SignedData (RFC 5652 §5) whose signature comes from a card, through OpenSSL.
namespace symbolon::contract {

/// The attributes to sign over a detached content: content-type, message-digest, signing-certificate-v2 (RFC 5035). DER
/// of their SET OF (RFC 5652 §5.4: what is signed). Fails: certificate_malformed, certificate_key_unsupported.
Result<Bytes> make_signed_attributes(SignedRanges const& content, ByteView signer_certificate);

/// The SignedData over those attributes with the card's signature and the certificates, DER. The signature is checked.
/// Fails as complete() in contract.hpp.
Result<Bytes> make_signed_data(SignedRanges const& content, ByteView signed_attributes, Signer const& signer,
                               ByteView signature, ByteView authentication_certificate);

} // namespace symbolon::contract

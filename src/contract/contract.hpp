#pragma once

#include "base/bytes.hpp"
#include "base/instant.hpp"
#include "base/language.hpp"
#include "base/result.hpp"
#include "base/texts.hpp"
#include "crypto/hash.hpp"

#include <filesystem>
#include <string>
#include <vector>

/// The contract between holder and operator: a PDF that the holder's card signs (PAdES, ETSI EN 319 142-1, baseline B).
namespace symbolon::contract {

/// Where the letters come from: TrueType files that have the letters of European names.
struct Fonts {
    std::filesystem::path regular = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf";
    std::filesystem::path bold = "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf";
};

/// What the contract says, besides its wording (catalogue "contract").
struct ContractData {
    Language language = Language::fr;
    std::string operator_name;
    std::string holder_name; ///< UTF-8, as on the card
    std::string birth_date;  ///< ISO 8601, as far as it is known: "1985-07-30"
    std::string card_number;
    std::string phone_number; ///< E.164
    std::string email;
    bool location_consent = false;
    bool is_test_pki = false; ///< the pages then say so
    std::string reference;    ///< of the enrolment: the contract's id
    Instant at;
};

/// Whose card is to sign. Certificates are DER (RFC 5280).
struct Signer {
    Bytes certificate;        ///< of the signature key: RSA 2048 (card 1.7) or P-384 (card 1.8)
    std::vector<Bytes> chain; ///< from its issuer to the root, as far as they are known
};

/// The certificates that stand one after another in `chain`, DER. What is no certificate ends the list.
std::vector<Bytes> split_certificates(ByteView chain);

/// A contract with everything in it but the signature's value.
struct PreparedContract {
    Bytes pdf;               ///< whole, with a signature field and an empty place for the CMS
    Bytes signed_attributes; ///< DER SET OF Attribute (RFC 5652 §5.3): what the card signs
};

/// What the card gets to sign.
struct SignatureDigest {
    crypto::HashAlgorithm algorithm; ///< sha256 for RSA, sha384 for P-384
    Bytes value;
};

/// The pages without any signature: for reading before signing. The same input gives the same bytes.
/// Fails with configuration_invalid: the fonts can't be read.
Result<Bytes> draft(ContractData const& data, Texts const& texts, Fonts const& fonts);

/// The contract made ready for one card: pages, signature field, certificates and the answers about their status
/// (Document Security Store, EN 319 142-1 §5.4), and the attributes to sign: content-type, message-digest,
/// signing-certificate-v2 (EN 319 122-1 §5). The time that the signer claims is `data.at`. The same input gives the
/// same bytes.
///
/// `ocsp_answers`: OCSPResponse (RFC 6960 §4.2.1), DER. Fails, first match wins: configuration_invalid (fonts),
/// certificate_malformed, certificate_key_unsupported.
Result<PreparedContract> prepare(ContractData const& data, Signer const& signer, std::vector<Bytes> const& ocsp_answers,
                                 Texts const& texts, Fonts const& fonts);

/// The digest of the signed attributes, for the signer's card. Fails: certificate_malformed,
/// certificate_key_unsupported.
Result<SignatureDigest> digest_to_sign(ByteView signed_attributes, ByteView signer_certificate);

/// Puts the card's signature into its place: `signature` is what the card gave over digest_to_sign, r‖s (96 bytes) or
/// PKCS#1 v1.5 (256 bytes). `authentication_certificate`: of the same card, to tell its other key; may be empty.
///
/// Fails, first match wins: certificate_malformed, certificate_key_unsupported, contract_not_signed_by_signature_key
/// (the authentication key signed), contract_signature_invalid, data_damaged (pdf and attributes are not of one
/// prepare()).
Result<Bytes> complete(PreparedContract const& prepared, Signer const& signer, ByteView signature,
                       ByteView authentication_certificate);

} // namespace symbolon::contract

#pragma once

#include "base/bytes.hpp"

#include <array>
#include <string>

namespace symbolon::card {

// The most that a card file may have once its padding is off (eid-card.md §7, item 2), and what a reading may carry
// with it.
inline constexpr std::size_t max_certificate_bytes = 4096;
inline constexpr std::size_t max_photo_bytes = 16UZ * 1024;
inline constexpr std::size_t max_identity_bytes = 1024;
inline constexpr std::size_t max_address_bytes = 512;
inline constexpr std::size_t max_signature_bytes = 512;
inline constexpr std::size_t max_padding_bytes = 4096; ///< zeros that a file may have behind its content

/// What was read from a card beside its holder, byte for byte and with the padding: the signatures of the National
/// Register cover some of the padding. Nothing in it has been judged. Which file each one is: Belgian eID card
/// content 4.01 and 5.4.
struct CardReading {
    Bytes identity;           ///< EF 4031
    Bytes identity_signature; ///< EF 4032
    Bytes address;            ///< EF 4033
    Bytes address_signature;  ///< EF 4034
    Bytes photo;              ///< EF 4035, JPEG
    Bytes card_data;          ///< GET CARD DATA, 28 bytes (31 with the counters that 1.8 adds)
    Bytes card_key;           ///< EF 4040, SubjectPublicKeyInfo of the card's own key; empty before 1.8

    Bytes authentication_certificate; ///< EF 5038; empty or zeros: not issued
    Bytes signature_certificate;      ///< EF 5039; empty or zeros: not issued
    Bytes ca_certificate;             ///< EF 503A
    Bytes root_certificate;           ///< EF 503B, kept as evidence, never trusted
    Bytes register_certificate;       ///< EF 503C, of the National Register (RRN)

    Bytes internal_authenticate;    ///< 1.8: the card key's r‖s over challenge_for_card_key
    Bytes authentication_signature; ///< 1.7: the authentication key's PKCS#1 v1.5 signature over
                                    ///< challenge_for_authentication_key
};

/// What the server asked the card to answer: once, for one session, by whoever opened the link of one origin.
struct Challenge {
    std::array<Byte, 48> bytes{};
    std::string origin; ///< RFC 6454 §6.2 of the server: "https://id.example"; default ports left out
};

/// SHA-384(challenge ‖ origin): what a 1.8 card answers with INTERNAL AUTHENTICATE, 48 bytes. The origin is in it so
/// that one server can't pass another's challenge on to the holder and use the answer there.
std::array<Byte, 48> challenge_for_card_key(Challenge const& challenge);

/// SHA-256(challenge ‖ origin): what the authentication key of a 1.7 card signs, 32 bytes.
std::array<Byte, 32> challenge_for_authentication_key(Challenge const& challenge);

} // namespace symbolon::card

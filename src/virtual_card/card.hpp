#pragma once

#include "virtual_card/persona.hpp"
#include "virtual_card/pki.hpp"

#include <compare>
#include <map>

namespace symbolon::virtual_card {

/// Where an elementary file lies: its directory (3F00, DF00, DF01) and its identifier.
struct FilePath {
    std::uint16_t directory = 0;
    std::uint16_t file = 0;
    friend auto operator<=>(FilePath const&, FilePath const&) = default;
};

namespace files {
inline constexpr FilePath directory{0x3F00, 0x2F00};
inline constexpr FilePath object_directory{0xDF00, 0x5031};
inline constexpr FilePath token_info{0xDF00, 0x5032};
inline constexpr FilePath authentication_objects{0xDF00, 0x5034};
inline constexpr FilePath private_keys{0xDF00, 0x5035};
inline constexpr FilePath certificates{0xDF00, 0x5037};
inline constexpr FilePath authentication_certificate{0xDF00, 0x5038};
inline constexpr FilePath signature_certificate{0xDF00, 0x5039};
inline constexpr FilePath ca_certificate{0xDF00, 0x503A};
inline constexpr FilePath root_certificate{0xDF00, 0x503B};
inline constexpr FilePath register_certificate{0xDF00, 0x503C};
inline constexpr FilePath identity{0xDF01, 0x4031};
inline constexpr FilePath identity_signature{0xDF01, 0x4032};
inline constexpr FilePath address{0xDF01, 0x4033};
inline constexpr FilePath address_signature{0xDF01, 0x4034};
inline constexpr FilePath photo{0xDF01, 0x4035};
inline constexpr FilePath basic_key{0xDF01, 0x4040};
} // namespace files

/// Everything that a personalised card holds.
struct Card {
    std::string persona;
    Generation generation = Generation::v18;
    std::map<FilePath, Bytes> files;
    Bytes card_data; ///< the 28 bytes of GET CARD DATA
    Key authentication_key;
    Key signature_key;
    Key basic_key; ///< 1.8 only
    std::string pin;
    int pin_tries = 3;

    /// The chip's serial number, 16 bytes.
    [[nodiscard]] Bytes chip_serial() const { return {card_data.begin(), card_data.begin() + 16}; }
};

/// The serial number of a persona's certificate: the same at every issue, 16 bytes beginning with 10 00.
Serial certificate_serial(Persona const& persona, Use use);

/// A card for the persona, issued by the PKI as of `now`. Its certificates' standings go into `pki.standings`.
/// `photos` is the folder of the photos (data/photos). Fails with configuration_invalid: no such photo, a field too
/// long for its tag.
Result<Card> issue(Persona const& persona, Pki& pki, std::filesystem::path const& photos, Instant now);

/// Puts what the persona's certificates are said to be into the table that the responder answers from.
void record_standings(Persona const& persona, Standings& standings);

/// The certificate at the start of a card file, cut to its DER length; empty where the file holds none.
Bytes certificate_in(ByteView file);

/// Writes the card into a folder (files and private keys), and reads it back. Both fail with configuration_invalid.
Result<void> save_card(Card const& card, std::filesystem::path const& folder);
Result<Card> load_card(std::filesystem::path const& folder);

/// Writes only what a power cycle must not lose: the PIN and the tries that are left.
Result<void> save_pin(std::string_view pin, int tries, std::filesystem::path const& folder);

} // namespace symbolon::virtual_card

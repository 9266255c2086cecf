#pragma once

#include "virtual_card/card.hpp"

#include <cstdint>
#include <optional>

namespace symbolon::virtual_card {

/// ISO 7816-4 status words, as the Belpic applet uses them (eid-card.md §3).
namespace sw {
inline constexpr std::uint16_t ok = 0x9000;
inline constexpr std::uint16_t tries_left = 0x63C0; ///< plus the tries
inline constexpr std::uint16_t wrong_length = 0x6700;
inline constexpr std::uint16_t logical_channel_unsupported = 0x6881;
inline constexpr std::uint16_t not_a_record_file = 0x6981;
inline constexpr std::uint16_t security_not_satisfied = 0x6982;
inline constexpr std::uint16_t pin_blocked = 0x6983;
inline constexpr std::uint16_t conditions_not_satisfied = 0x6985;
inline constexpr std::uint16_t no_current_file = 0x6986;
inline constexpr std::uint16_t wrong_data = 0x6A80;
inline constexpr std::uint16_t file_not_found = 0x6A82;
inline constexpr std::uint16_t record_not_found = 0x6A83;
inline constexpr std::uint16_t wrong_p1_p2 = 0x6A86;
inline constexpr std::uint16_t lc_inconsistent = 0x6A87;
inline constexpr std::uint16_t reference_not_found = 0x6A88;
inline constexpr std::uint16_t wrong_parameters = 0x6B00;
inline constexpr std::uint16_t wrong_le = 0x6C00;      ///< plus the right one
inline constexpr std::uint16_t bytes_waiting = 0x6100; ///< plus how many; 00 means 256
inline constexpr std::uint16_t unknown_instruction = 0x6D00;
inline constexpr std::uint16_t unknown_class = 0x6E00;
} // namespace sw

/// The card's key references.
inline constexpr Byte authentication_key_reference = 0x82;
inline constexpr Byte signature_key_reference = 0x83;

/// The Belpic applet of generation 1.7 or 1.8: a command APDU in, a response APDU out. It knows neither reader nor
/// clock; chance is only in signatures and in GET CHALLENGE. Tries of the PIN outlive a reset; everything else that a
/// session gains does not.
///
/// T=0 only: a command is 4 bytes, or a header with P3 and that many bytes; a stray Le after the data is overlooked,
/// and answers longer than the protocol carries wait for GET RESPONSE.
class CardCore {
public:
    /// `most_internal_authentications`: how often the basic key signs between two right PINs.
    explicit CardCore(Card card, int most_internal_authentications = 5000);

    /// Answer to reset.
    [[nodiscard]] ByteView atr() const;

    /// Power on, power off, warm reset: rights, selected file and security environment are gone.
    void reset();

    /// The answer to one command: data and status word, at most 258 bytes. Any bytes may come in.
    Bytes transmit(ByteView command);

    /// What must be kept between sessions.
    [[nodiscard]] std::string const& pin() const { return card_.pin; }
    [[nodiscard]] int pin_tries() const { return card_.pin_tries; }
    [[nodiscard]] Card const& card() const { return card_; }

private:
    struct Command {
        Byte cla, ins, p1, p2;
        std::size_t le; ///< 1 to 256, where the instruction gives data back
        ByteView data;
        Byte p3;
    };

    /// MANAGE SECURITY ENVIRONMENT: what the next signature is made with.
    struct Environment {
        Byte algorithm, key;
    };

    Bytes dispatch(Command const& command);
    Bytes select(Command const& command);
    Bytes select_application(Command const& command);
    bool select_file(std::uint16_t id);
    Bytes read_binary(Command const& command);
    Bytes read_record(Command const& command);
    Bytes verify(Command const& command);
    Bytes change_pin(Command const& command);
    Bytes set_environment(Command const& command);
    Bytes compute_signature(Command const& command);
    Bytes internal_authenticate(Command const& command);
    Bytes get_challenge(Command const& command);
    Bytes get_response(Command const& command);
    Bytes get_card_data(Command const& command);
    Bytes log_off(Command const& command);

    /// Compares and counts; grants the right that the environment asks for, or drops all of them.
    std::uint16_t try_pin(ByteView block);
    void drop_rights();
    [[nodiscard]] bool may_sign(Byte key) const;
    /// Keeps `data` for GET RESPONSE and says how much there is.
    Bytes announce(Bytes data);
    [[nodiscard]] bool is_18() const { return card_.generation == Generation::v18; }

    Card card_;
    std::uint16_t current_directory_ = 0x3F00;
    std::optional<FilePath> current_file_;
    std::optional<Environment> environment_;
    Bytes waiting_; ///< for GET RESPONSE

    // "PIN once": key 82, from a VERIFY that was not spent on 83, until a reset, LOG OFF or a wrong PIN.
    bool authentication_right_ = false;
    // "PIN just before": key 83, from a VERIFY while the environment points at 83; counts the commands since.
    std::optional<int> commands_since_verify_;
    int most_internal_authentications_;
    int internal_authentications_ = 0; ///< since the last right PIN
};

/// The PIN block of GlobalPlatform: nibble 2, nibble length, digits, F. `pin`: 4 to 12 digits.
Bytes pin_block(std::string_view pin);

} // namespace symbolon::virtual_card

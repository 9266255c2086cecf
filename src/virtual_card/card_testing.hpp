#pragma once

#include "virtual_card/card.hpp"
#include "virtual_card/card_core.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// What tests of this and of other folders use: a PKI with cards of all personas, and the replay of recorded APDUs.
namespace symbolon::virtual_card {

/// 2026-03-01 12:00 UTC.
inline constexpr auto bench_noon = Instant{Seconds{1'772'366'400}};

/// A PKI as of `now` and the personas of data/personas.toml.
struct Bench {
    Pki pki;
    std::vector<Persona> personas;
    std::filesystem::path photos;
    Instant now;

    [[nodiscard]] Persona const& persona(std::string_view name) const;
    /// A new card of that persona.
    Card card(std::string_view name);
};

/// `source_dir`: the root of the source tree, whose data/ is read.
Bench make_bench(std::filesystem::path const& source_dir, Instant now = bench_noon);

/// One line pair of a recording.
///
///     ! persona lotte          which card this was recorded with (first line)
///     ! reset                  power cycle
///     > 00A4040C0F…            a command, in hex; blanks are for the eye, # begins a comment
///     < 9000                   its answer; [96] stands for any 96 bytes, ... for any bytes
struct Exchange {
    int line = 0;
    bool reset = false;
    Bytes command;
    std::string expected; ///< as written, without comment and blanks
};

struct Recording {
    std::string persona;
    std::vector<Exchange> exchanges;
};

/// Fails with configuration_invalid: file, line and what is expected.
Result<Recording> read_recording(std::filesystem::path const& file);

/// Whether an answer is what a recording expects.
bool answers(std::string_view expected, ByteView answer);

/// Sends a recording to a card. Gives every difference as "line N: > command: expected …, got …"; none: all as
/// recorded.
std::vector<std::string> replay(Recording const& recording, CardCore& card);

std::string hex_of(ByteView bytes);       ///< capitals
Bytes bytes_of_hex(std::string_view hex); ///< blanks are overlooked; anything else that is no hex ends the test program

} // namespace symbolon::virtual_card

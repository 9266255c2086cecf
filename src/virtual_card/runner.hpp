#pragma once

#include "virtual_card/pki_folder.hpp"

#include <functional>

namespace symbolon::virtual_card {

struct RunOptions {
    Folders folders;
    std::string persona;        ///< what is in the reader at the start; empty: nothing
    std::uint16_t port = 35963; ///< where vpcd listens
    std::string control;        ///< where commands come from (Control); empty: nowhere
    std::string
        own_reader; ///< a path: start a reader of our own and give its clients this socket; empty: use the machine's
    bool pin_pad = false;         ///< our own reader has keys for the PIN (pin_pad_reader.cpp)
    std::function<Instant()> now; ///< for cards that are issued on the way
};

/// Keeps a card in the virtual reader until SIGTERM, SIGINT or the command `quit`. Prints "ready" when it listens for
/// commands and, if there is a persona, the reader has seen its card.
///
/// Commands, a line each, and what is answered:
///
///     insert NAME    ok NAME              once the reader has seen it; or "waiting NAME" if there is no reader yet
///     remove         ok
///     status         card NAME present TRIES, card NAME waiting TRIES, or empty
///     quit           ok
///     anything       error WHAT
///
/// Fails: not_found (no such persona), configuration_invalid, reader_service_missing.
Result<void> run_card(RunOptions const& options);

} // namespace symbolon::virtual_card

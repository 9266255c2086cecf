#pragma once

#include "base/result.hpp"
#include "card_reader/transceiver.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Readers and cards through PC/SC (winscard.h of pcsc-lite). Beside the reader only: the server links nothing of this.
namespace symbolon::card_reader {

using Sleep = std::function<void(std::chrono::milliseconds)>;

/// Where the search for a card is.
enum class Waiting : std::uint8_t { for_reader, for_card };

/// What the holder has connected.
class Readers {
public:
    /// `sleep` lets time pass; `others_may_take` is how long another program may keep the card to itself before this
    /// one gives up with card_in_use. Fails: reader_service_missing.
    static Result<Readers> connect(Sleep sleep, std::chrono::milliseconds others_may_take = std::chrono::seconds{20});

    Readers(Readers&&) noexcept;
    Readers& operator=(Readers&&) = delete;
    Readers(Readers const&) = delete;
    Readers& operator=(Readers const&) = delete;
    ~Readers();

    /// A card in a reader whose name contains `reader_name` (empty: any). A Belgian identity card, by its answer to
    /// reset, goes before others, then one that has its applet. Another card, or one that doesn't answer, is taken only
    /// where no reader is empty. Waits for up to `patience`, and says through `waiting` what for.
    ///
    /// One may search in slices: a card that answered that it has no applet is not disturbed again in later calls,
    /// until it leaves its reader. One that could not be asked, because another program had it or it failed, is asked
    /// again.
    ///
    /// Fails: reader_service_missing, reader_missing, card_missing, card_in_use, card_unresponsive.
    Result<std::unique_ptr<Transceiver>> find_card(std::string_view reader_name, std::chrono::seconds patience,
                                                   std::function<void(Waiting)> const& waiting);

private:
    struct State;
    explicit Readers(std::unique_ptr<State> state);

    std::unique_ptr<State> state_;
};

/// The outcome of an error of PC/SC.
Outcome outcome_of_pcsc(long error);

/// PIN_VERIFY_STRUCTURE (PC/SC part 10, §2.5.2) for a PIN of 4 to 12 digits in a block of the Belgian card.
Bytes pin_verify_structure(ByteView verify_template);

} // namespace symbolon::card_reader

#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <chrono>

namespace symbolon::card_reader {

/// A card that answers command APDUs (ISO 7816-4): over PC/SC, from a recording, or a virtual one.
///
/// Every method fails with: card_removed, card_in_use, card_unresponsive, reader_missing, reader_service_missing.
class Transceiver {
public:
    Transceiver() = default;
    Transceiver(Transceiver const&) = delete;
    Transceiver& operator=(Transceiver const&) = delete;
    virtual ~Transceiver() = default;

    /// The answer: data, SW1, SW2; at least two bytes.
    virtual Result<Bytes> transmit(ByteView command) = 0;

    /// Between the two nobody else talks with the card. A card that was reset by somebody before is connected anew, so
    /// what was selected or unlocked earlier counts for nothing.
    virtual Result<void> begin_transaction() { return {}; }
    virtual void end_transaction() noexcept {}

    /// Whether the reader has keys of its own for the PIN (PC/SC part 10, FEATURE_VERIFY_PIN_DIRECT).
    [[nodiscard]] virtual bool has_pin_pad() const { return false; }

    /// The holder types the PIN on the reader, which puts it into this VERIFY. Gives the card's status word, or the
    /// reader's own: 6400 timeout, 6401 cancelled, 6403 too short or too long.
    virtual Result<Bytes> verify_on_pin_pad(ByteView verify_template)
    {
        (void)verify_template;
        return fail(Outcome::card_unresponsive, "no PIN pad");
    }

    /// Waits, where there is something to wait for.
    virtual void pause(std::chrono::milliseconds) {}
};

/// A transaction as a scope.
class Transaction {
public:
    static Result<Transaction> begin(Transceiver& card)
    {
        TRY(card.begin_transaction());
        return Transaction{card};
    }
    Transaction(Transaction&& other) noexcept : card_{std::exchange(other.card_, nullptr)} {}
    Transaction(Transaction const&) = delete;
    Transaction& operator=(Transaction const&) = delete;
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction()
    {
        if (card_ != nullptr) card_->end_transaction();
    }

private:
    explicit Transaction(Transceiver& card) : card_{&card} {}

    Transceiver* card_;
};

} // namespace symbolon::card_reader

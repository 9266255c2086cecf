#pragma once

#include "virtual_card/card_core.hpp"

#include <functional>
#include <optional>

/// The card's side of vpcd's socket protocol (eid-card.md §9): the virtual reader of vsmartcard listens, the card
/// connects.
namespace symbolon::virtual_card {

/// The messages in a stream: a length of 16 bits, most significant byte first, then that many bytes.
class Framing {
public:
    void feed(ByteView bytes);
    /// The next whole message.
    std::optional<Bytes> next();

private:
    Bytes buffer_;
};

/// A message as it goes over the wire. At most 65535 bytes.
Bytes framed(ByteView message);

/// What the card answers to a message of the reader. One byte is a control code, of which only 04 (give the ATR) is
/// answered; anything else is a command APDU.
std::optional<Bytes> answer_message(CardCore& card, ByteView message);

/// A slot of the reader, at 127.0.0.1 and a port. Inserting a card connects, removing it closes the connection; a
/// connection that is refused or lost is tried again, so that reader and card may start in any order.
///
/// Not for several threads: the owner polls `descriptor()` and calls `readable()`, and calls `connect()` now and then.
class Slot {
public:
    /// `pin_changed` is called before the answer that tells about it leaves.
    Slot(std::uint16_t port, std::function<void(CardCore const&)> pin_changed);
    ~Slot();
    Slot(Slot const&) = delete;
    Slot& operator=(Slot const&) = delete;

    void insert(CardCore card);
    void remove();

    /// The card in the slot, if any.
    [[nodiscard]] CardCore const* card() const { return card_ ? &*card_ : nullptr; }
    /// To be polled for reading; -1: not connected.
    [[nodiscard]] int descriptor() const { return descriptor_; }
    /// Whether the reader's clients see the card: pcscd has powered it, and has looked for it again since.
    [[nodiscard]] bool seen() const { return atrs_since_power_ > 1; }

    /// Connects if there is a card and no connection. Whether there is a connection now.
    bool connect();
    /// Reads what has come and answers it; drops the connection if the reader has gone.
    void readable();

private:
    void disconnect();
    bool send(ByteView message) const;

    std::uint16_t port_;
    std::function<void(CardCore const&)> pin_changed_;
    std::optional<CardCore> card_;
    Framing framing_;
    int descriptor_ = -1;
    bool powered_ = false;
    int atrs_since_power_ = 0;
};

} // namespace symbolon::virtual_card

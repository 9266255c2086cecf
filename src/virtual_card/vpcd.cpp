#include "virtual_card/vpcd.hpp"

#include "base/ensure.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace symbolon::virtual_card {

namespace {

enum class Control : Byte { power_off = 0x00, power_on = 0x01, reset = 0x02, give_atr = 0x04 };

constexpr std::size_t read_bytes = 4096;

} // namespace

void Framing::feed(ByteView bytes) { append(buffer_, bytes); }

std::optional<Bytes> Framing::next()
{
    if (buffer_.size() < 2) return std::nullopt;
    auto const size = std::size_t{buffer_[0]} << 8U | buffer_[1];
    if (buffer_.size() < 2 + size) return std::nullopt;
    auto const begin = buffer_.begin() + 2;
    auto const end = begin + static_cast<std::ptrdiff_t>(size);
    Bytes message{begin, end};
    buffer_.erase(buffer_.begin(), end);
    return message;
}

Bytes framed(ByteView message)
{
    ENSURE(message.size() <= 0xFFFF);
    Bytes out{static_cast<Byte>(message.size() >> 8U), static_cast<Byte>(message.size())};
    append(out, message);
    return out;
}

std::optional<Bytes> answer_message(CardCore& card, ByteView message)
{
    if (message.size() != 1) return card.transmit(message);
    switch (Control{message[0]}) {
    case Control::power_off:
    case Control::power_on:
    case Control::reset: card.reset(); return std::nullopt;
    case Control::give_atr: return Bytes{card.atr().begin(), card.atr().end()};
    }
    return std::nullopt; // answering an unknown code would put the two sides out of step
}

Slot::Slot(std::uint16_t port, std::function<void(CardCore const&)> pin_changed)
    : port_{port},
      pin_changed_{std::move(pin_changed)}
{}

Slot::~Slot() { disconnect(); }

void Slot::insert(CardCore card)
{
    remove();
    card_.emplace(std::move(card));
}

void Slot::remove()
{
    disconnect();
    card_.reset();
}

void Slot::disconnect()
{
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
    framing_ = {};
    powered_ = false;
    atrs_since_power_ = 0;
    if (card_) card_->reset(); // out of the reader, out of power
}

bool Slot::connect()
{
    if (descriptor_ >= 0) return true;
    if (!card_) return false;
    auto const socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket < 0) return false;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket, reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0) {
        ::close(socket);
        return false;
    }
    int const on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    descriptor_ = socket;
    return true;
}

void Slot::readable()
{
    if (descriptor_ < 0) return;
    // vpcd sends length and body apart: without an immediate acknowledgement of the first, Nagle's algorithm holds the
    // second back for 40 ms. The kernel forgets the option, so it is set before every read.
    int const on = 1;
    ::setsockopt(descriptor_, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
    std::array<Byte, read_bytes> bytes{};
    auto const size = ::recv(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0) return disconnect();
    ::setsockopt(descriptor_, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);

    framing_.feed(ByteView{bytes}.first(static_cast<std::size_t>(size)));
    while (auto const message = framing_.next()) {
        if (message->size() == 1 && Control{message->front()} == Control::power_on) powered_ = true;
        auto const tries = card_->pin_tries();
        auto const pin = card_->pin();
        auto const answer = answer_message(*card_, *message);
        if (card_->pin_tries() != tries || card_->pin() != pin) pin_changed_(*card_);
        if (!answer) continue;
        if (!send(*answer)) return disconnect();
        if (message->size() == 1 && powered_) ++atrs_since_power_;
    }
}

bool Slot::send(ByteView message) const
{
    auto const out = framed(message);
    for (std::size_t sent = 0; sent < out.size();) {
        auto const n = ::send(descriptor_, out.data() + sent, out.size() - sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        sent += static_cast<std::size_t>(n);
    }
    return true;
}

} // namespace symbolon::virtual_card

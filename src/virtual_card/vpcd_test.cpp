#include "virtual_card/card_testing.hpp"
#include "virtual_card/vpcd.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace symbolon::virtual_card {
namespace {

Bench& bench()
{
    static auto made = make_bench(SYMBOLON_SOURCE_DIR);
    return made;
}

TEST(Framing, finds_messages_however_the_stream_is_cut)
{
    auto stream = framed(bytes_of_hex("04"));
    append(stream, framed(bytes_of_hex("80E400001C")));
    append(stream, framed({}));
    for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
        Framing framing;
        std::vector<std::string> messages;
        for (std::size_t at = 0; at < stream.size(); at += piece) {
            framing.feed(ByteView{stream}.subspan(at, std::min(piece, stream.size() - at)));
            while (auto const message = framing.next()) messages.push_back(hex_of(*message));
        }
        EXPECT_EQ(messages, (std::vector<std::string>{"04", "80E400001C", ""})) << "in pieces of " << piece;
    }
}

TEST(Vpcd, answers_no_control_code_but_the_request_for_the_ATR)
{
    auto card = CardCore{bench().card("bruno")};
    for (auto const* const silent : {"00", "01", "02", "03", "05", "FF"})
        EXPECT_FALSE(answer_message(card, bytes_of_hex(silent))) << silent;
    EXPECT_EQ(hex_of(answer_message(card, bytes_of_hex("04")).value()), "3B9813400AA503010101AD1311");
    EXPECT_EQ(hex_of(answer_message(card, {}).value()), "6700");
    EXPECT_EQ(hex_of(answer_message(card, Bytes(65535, 0x00)).value()), "6700");
}

TEST(Vpcd, forgets_the_PIN_when_the_reader_switches_power)
{
    auto card = CardCore{bench().card("bruno")};
    auto const verify = bytes_of_hex("0020000108241234FFFFFFFFFF");
    auto const ask = bytes_of_hex("0020000100");
    for (auto const* const control : {"00", "01", "02"}) {
        EXPECT_EQ(hex_of(answer_message(card, verify).value()), "9000");
        EXPECT_EQ(hex_of(answer_message(card, ask).value()), "9000");
        answer_message(card, bytes_of_hex(control));
        EXPECT_EQ(hex_of(answer_message(card, ask).value()), "63C3");
    }
}

/// The reader's end: listens, and speaks when the card has connected.
class FakeReader {
public:
    FakeReader() : listener_{::socket(AF_INET, SOCK_STREAM, 0)}
    {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        ::listen(listener_, 1);
        socklen_t size = sizeof address;
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
        port_ = ntohs(address.sin_port);
    }
    ~FakeReader()
    {
        hang_up();
        ::close(listener_);
    }
    FakeReader(FakeReader const&) = delete;
    FakeReader& operator=(FakeReader const&) = delete;

    std::uint16_t port() const { return port_; }
    void accept() { connection_ = ::accept(listener_, nullptr, nullptr); }
    void hang_up()
    {
        if (connection_ >= 0) ::close(connection_);
        connection_ = -1;
    }
    void say(ByteView message) const
    {
        auto const out = framed(message);
        ::send(connection_, out.data(), out.size(), MSG_NOSIGNAL);
    }
    /// The next message; empty when the card has hung up.
    Bytes hear() const
    {
        std::array<Byte, 2> head{};
        if (::recv(connection_, head.data(), 2, MSG_WAITALL) != 2) return {};
        Bytes message(std::size_t{head[0]} << 8U | head[1]);
        ::recv(connection_, message.data(), message.size(), MSG_WAITALL);
        return message;
    }

private:
    int listener_;
    int connection_ = -1;
    std::uint16_t port_ = 0;
};

TEST(Slot, connects_when_a_card_is_inserted_and_hangs_up_when_it_is_removed)
{
    FakeReader reader;
    Slot slot{reader.port(), [](CardCore const&) {}};
    EXPECT_FALSE(slot.connect()) << "an empty slot stays away";
    slot.insert(CardCore{bench().card("bruno")});
    ASSERT_TRUE(slot.connect());
    reader.accept();
    for (auto const* const message : {"04", "01", "04"}) {
        EXPECT_FALSE(slot.seen());
        reader.say(bytes_of_hex(message));
        slot.readable();
        if (std::string_view{message} == "04") EXPECT_EQ(reader.hear().size(), 13U);
    }
    EXPECT_FALSE(slot.seen());
    reader.say(bytes_of_hex("04"));
    slot.readable();
    EXPECT_TRUE(slot.seen());
    slot.remove();
    reader.hear(); // the last ATR
    EXPECT_TRUE(reader.hear().empty());
    EXPECT_EQ(slot.card(), nullptr);
    EXPECT_FALSE(slot.connect());
}

TEST(Slot, comes_back_when_the_reader_does)
{
    FakeReader reader;
    Slot slot{reader.port(), [](CardCore const&) {}};
    slot.insert(CardCore{bench().card("bruno")});
    ASSERT_TRUE(slot.connect());
    reader.accept();
    reader.hang_up();
    slot.readable();
    EXPECT_EQ(slot.descriptor(), -1);
    ASSERT_TRUE(slot.connect());
    reader.accept();
    reader.say(bytes_of_hex("04"));
    slot.readable();
    EXPECT_EQ(reader.hear().size(), 13U);
}

TEST(Slot, tells_of_a_changed_PIN_state_before_it_answers)
{
    FakeReader reader;
    std::vector<int> tries;
    Slot slot{reader.port(), [&](CardCore const& card) { tries.push_back(card.pin_tries()); }};
    slot.insert(CardCore{bench().card("bruno")});
    slot.connect();
    reader.accept();
    for (auto const* const apdu :
         {"0020000108249999FFFFFFFFFF", "0020000100", "0020000108241234FFFFFFFFFF", "0020000108241234FFFFFFFFFF"}) {
        reader.say(bytes_of_hex(apdu));
        slot.readable();
        EXPECT_EQ(reader.hear().size(), 2U);
    }
    EXPECT_EQ(tries, (std::vector{2, 3}));
}

} // namespace
} // namespace symbolon::virtual_card

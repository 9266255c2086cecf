#include "card_reader/link.hpp"

#include <gtest/gtest.h>

namespace symbolon::card_reader {
namespace {

constexpr std::string_view ticket = "dGhpcy1pcy1hLXRpY2tldA";

std::string origin(std::string_view authority, Loopback loopback = Loopback::plain)
{
    auto const link = parse_link("symbolon-eid://" + std::string{authority} + "/" + std::string{ticket}, loopback);
    if (!link) return "refused: " + link.error().detail;
    EXPECT_EQ(link->ticket, ticket);
    return link->origin;
}

TEST(Link, names_an_origin_over_TLS)
{
    EXPECT_EQ(origin("id.example"), "https://id.example");
    EXPECT_EQ(origin("ID.Example"), "https://id.example");
    EXPECT_EQ(origin("id.example:443"), "https://id.example");
    EXPECT_EQ(origin("id.example:8443"), "https://id.example:8443");
    EXPECT_EQ(origin("192.168.1.10"), "https://192.168.1.10");
    EXPECT_EQ(origin("[2001:db8::1]:8443"), "https://[2001:db8::1]:8443");
}

TEST(Link, speaks_plainly_with_this_machine_alone)
{
    EXPECT_EQ(origin("localhost:8400"), "http://localhost:8400");
    EXPECT_EQ(origin("LOCALHOST:80"), "http://localhost");
    EXPECT_EQ(origin("127.0.0.1:8400"), "http://127.0.0.1:8400");
    EXPECT_EQ(origin("[::1]:8400"), "http://[::1]:8400");
    EXPECT_EQ(origin("localhost:8400", Loopback::tls), "https://localhost:8400");
    for (auto const* const other : {"localhost.example", "127.0.0.2", "[::2]", "xlocalhost"})
        EXPECT_TRUE(origin(other).starts_with("https://")) << other;
}

TEST(Link, is_refused_when_it_could_mean_something_else)
{
    for (auto const* const authority :
         {"", "user@id.example", "id.example:0", "id.example:65536", "id.example:1:2", "127.0.0.1.example",
          "[::1].example", "id example", "id.example?x", "id.example#x", "id.example\\evil.example", "id%2eexample",
          "[::1", "::1]", "-:80:80", "\u00EDd.example"}) {
        auto const got = origin(authority);
        EXPECT_TRUE(got.starts_with("refused")) << authority << ": " << got;
    }
    auto const refused = [](std::string const& text) { return !parse_link(text, Loopback::plain).has_value(); };
    EXPECT_TRUE(refused(""));
    EXPECT_TRUE(refused("https://id.example/" + std::string{ticket}));
    EXPECT_TRUE(refused("symbolon-eid:id.example/" + std::string{ticket}));
    EXPECT_TRUE(refused("symbolon-eid://id.example"));
    EXPECT_TRUE(refused("symbolon-eid://id.example/"));
    EXPECT_TRUE(refused("symbolon-eid://id.example/short"));
    EXPECT_TRUE(refused("symbolon-eid://id.example/" + std::string(129, 'a')));
    EXPECT_TRUE(refused("symbolon-eid://id.example/" + std::string{ticket} + "/../x"));
    EXPECT_TRUE(refused("symbolon-eid://id.example/" + std::string{ticket} + "?x=1"));
    EXPECT_TRUE(refused("symbolon-eid://id.example/" + std::string{ticket} + "\n"));
    EXPECT_TRUE(refused("symbolon-eid://" + std::string(300, 'a') + "/" + std::string{ticket}));
}

} // namespace
} // namespace symbolon::card_reader

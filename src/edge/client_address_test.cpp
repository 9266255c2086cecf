#include "edge/client_address.hpp"

#include <gtest/gtest.h>

namespace symbolon::edge {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

TEST(ClientAddress, is_the_peers_where_the_peer_is_a_stranger)
{
    auto const proxies = TrustedProxies::of({"10.0.0.7"}, ForwardedHeader::x_forwarded_for).value();
    EXPECT_EQ(proxies.address_of("192.0.2.1", {{"x-forwarded-for", "198.51.100.1"}}), "192.0.2.1");
    EXPECT_EQ(TrustedProxies{}.address_of("127.0.0.1", {{"x-forwarded-for", "198.51.100.1"}}), "127.0.0.1");
}

TEST(ClientAddress, is_the_last_one_that_is_not_ours_where_the_peer_is_our_proxy)
{
    auto const proxies =
        TrustedProxies::of({"10.0.0.0/8", "fd00::/8", "127.0.0.1"}, ForwardedHeader::x_forwarded_for).value();
    struct Case {
        std::string_view peer;
        Headers headers;
        std::string_view expected;
    };
    for (auto const& [peer, headers, expected] : {
             Case{"10.0.0.7", {{"x-forwarded-for", "198.51.100.1"}}, "198.51.100.1"},
             Case{"10.0.0.7", {{"x-forwarded-for", "1.2.3.4, 198.51.100.1, 10.1.1.1"}}, "198.51.100.1"},
             Case{"10.0.0.7", {{"x-forwarded-for", "1.2.3.4"}, {"x-forwarded-for", "198.51.100.1"}}, "198.51.100.1"},
             Case{"::ffff:10.0.0.7", {{"x-forwarded-for", "198.51.100.1"}}, "198.51.100.1"},
             Case{"fd00::1", {{"x-forwarded-for", "2001:DB8:0::1"}}, "2001:db8::1"},
             Case{"10.0.0.7", {{"x-forwarded-for", "198.51.100.1:4711"}}, "198.51.100.1"},
             Case{"10.0.0.7", {{"x-forwarded-for", "[2001:db8::1]:80"}}, "2001:db8::1"},
             Case{"10.0.0.7", {{"x-forwarded-for", "1.2.3.4, nonsense"}}, "10.0.0.7"},
             Case{"10.0.0.7", {{"x-forwarded-for", ""}}, "10.0.0.7"},
             Case{"10.0.0.7", {}, "10.0.0.7"},
             Case{"10.0.0.7", {{"x-forwarded-for", "10.0.0.9"}}, "10.0.0.9"},
             Case{"10.0.0.7", {{"forwarded", "for=198.51.100.1"}}, "10.0.0.7"},
             Case{"", {{"x-forwarded-for", "198.51.100.1"}}, "198.51.100.1"},
             Case{"", {}, "local"},
         })
        EXPECT_EQ(proxies.address_of(peer, headers), expected)
            << peer << ' ' << (headers.empty() ? "" : headers.back().second);
}

TEST(ClientAddress, is_read_from_the_one_header_that_our_proxy_writes)
{
    auto const proxies = TrustedProxies::of({"10.0.0.7"}, ForwardedHeader::forwarded).value();
    Headers const both{{"x-forwarded-for", "1.2.3.4"},
                       {"forwarded", "for=5.6.7.8, For=\"[2001:db8::1]:4711\";proto=https;by=10.0.0.7"}};
    EXPECT_EQ(proxies.address_of("10.0.0.7", both), "2001:db8::1");
}

TEST(TrustedProxies, say_which_entry_is_wrong)
{
    for (auto const* text : {"10.0.0", "10.0.0.0/33", "nginx", "", "fd00::/129"}) {
        auto const proxies = TrustedProxies::of({"10.0.0.1", text}, ForwardedHeader::forwarded);
        ASSERT_FALSE(proxies) << text;
        EXPECT_NE(proxies.error().detail.find(text), std::string::npos);
    }
}

TEST(CountedAs, one_address_is_a_network_of_64_bits_in_ipv6)
{
    EXPECT_EQ(counted_as("192.0.2.1"), "192.0.2.1");
    EXPECT_EQ(counted_as("2001:db8::1"), counted_as("2001:db8::ffff:1"));
    EXPECT_NE(counted_as("2001:db8::1"), counted_as("2001:db8:0:1::1"));
}

TEST(PublicAddress, is_one_that_others_may_send_us_to)
{
    for (auto const* address : {"1.1.1.1", "193.191.245.4", "100.128.0.1", "172.32.0.1", "2606:4700::1111"})
        EXPECT_TRUE(is_public_address(address)) << address;
    for (auto const* address : {"127.0.0.1",
                                "127.1.2.3",
                                "0.0.0.0",
                                "10.1.2.3",
                                "100.64.0.1",
                                "169.254.169.254",
                                "172.16.0.1",
                                "172.31.255.255",
                                "192.168.1.1",
                                "192.0.2.1",
                                "198.18.0.1",
                                "224.0.0.1",
                                "255.255.255.255",
                                "::",
                                "::1",
                                "::ffff:127.0.0.1",
                                "::ffff:10.0.0.1",
                                "64:ff9b::7f00:1",
                                "fc00::1",
                                "fd12::1",
                                "fe80::1",
                                "fe80::1%1",
                                "ff02::1",
                                "2001:db8::1",
                                "2002:7f00:1::",
                                "",
                                "localhost",
                                "1.1.1",
                                "0x7f000001"})
        EXPECT_FALSE(is_public_address(address)) << address;
}

} // namespace
} // namespace symbolon::edge

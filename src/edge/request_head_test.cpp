#include "edge/request_head.hpp"

#include <gtest/gtest.h>

namespace symbolon::edge {
namespace {

std::string outcome_of(Result<void> const& result)
{
    return result ? "good" : std::string{name_of(result.error().outcome)};
}

TEST(HeaderBlock, is_refused_where_two_programs_could_read_it_differently)
{
    struct Case {
        std::string_view block;
        std::string_view expected;
    };
    using namespace std::literals;
    for (auto const& [block, expected] : {
             Case{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "good"},
             Case{"GET / HTTP/1.1\r\nHost:a\r\nX: \t b \r\n\r\n", "good"},
             Case{"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", "request_malformed"},
             Case{"GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", "request_malformed"},
             Case{"GET / HTTP/1.1\r\nHost: a\r\n X: b\r\n\r\n", "request_malformed"},
             Case{"GET / HTTP/1.1\r\n\tHost: a\r\n\r\n", "request_malformed"},
             Case{"GET / HTTP/1.1\r\nHost : a\r\n\r\n", "request_malformed"},
             Case{"GET / HTTP/1.1\r\nHost\r\n\r\n", "request_malformed"},
             Case{"GET / HTTP/1.1\r\n: a\r\n\r\n", "request_malformed"},
             Case{"GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n"sv, "request_malformed"},
             Case{"GET / HTTP/1.1", "request_malformed"},
         })
        EXPECT_EQ(outcome_of(check_header_block(block)), expected) << block;

    std::string many = "GET / HTTP/1.1\r\n";
    for (int i = 0; i < 101; ++i) many += "X: y\r\n";
    EXPECT_EQ(outcome_of(check_header_block(many + "\r\n")), "header_block_too_large");
}

TEST(Framing, never_leaves_open_where_a_body_ends)
{
    struct Case {
        Headers headers;
        std::string_view expected;
        int minor_version = 1;
    };
    std::pair<std::string, std::string> const host{"host", "id.example:8400"};
    for (auto const& [headers, expected, minor_version] : {
             Case{{host}, "good"},
             Case{{host, {"content-length", "5"}}, "good"},
             Case{{host, {"transfer-encoding", "chunked"}}, "good"},
             Case{{host, {"transfer-encoding", "Chunked"}}, "good"},
             Case{{host, {"expect", "100-Continue"}}, "good"},
             Case{{}, "good", 0},
             Case{{host, {"content-length", "5"}, {"transfer-encoding", "chunked"}}, "request_malformed"},
             Case{{host, {"content-length", "5"}, {"content-length", "5"}}, "request_malformed"},
             Case{{host, {"content-length", "5, 5"}}, "request_malformed"},
             Case{{host, {"content-length", "+5"}}, "request_malformed"},
             Case{{host, {"content-length", "0x5"}}, "request_malformed"},
             Case{{host, {"content-length", ""}}, "request_malformed"},
             Case{{host, {"content-length", "-1"}}, "request_malformed"},
             Case{{host, {"content-length", "99999999999999999999"}}, "request_malformed"},
             Case{{host, {"transfer-encoding", "chunked"}, {"transfer-encoding", "chunked"}}, "request_malformed"},
             Case{{host, {"transfer-encoding", "gzip, chunked"}}, "request_malformed"},
             Case{{host, {"transfer-encoding", "chunked, identity"}}, "request_malformed"},
             Case{{host, {"transfer-encoding", "identity"}}, "request_malformed"},
             Case{{host, {"transfer-encoding", "xchunked"}}, "request_malformed"},
             Case{{host, {"transfer-encoding", "chunked"}}, "request_malformed", 0},
             Case{{}, "request_malformed"},
             Case{{host, host}, "request_malformed"},
             Case{{{"host", ""}}, "request_malformed"},
             Case{{{"host", "a b"}}, "request_malformed"},
             Case{{{"host", "a/b"}}, "request_malformed"},
             Case{{{"host", "user@a"}}, "request_malformed"},
             Case{{host, {"authorization", "a"}, {"authorization", "b"}}, "request_malformed"},
             Case{{host, {"origin", "a"}, {"origin", "b"}}, "request_malformed"},
             Case{{host, {"content-type", "a"}, {"content-type", "b"}}, "request_malformed"},
             Case{{host, {"expect", "200-maybe"}}, "request_malformed"},
         })
        EXPECT_EQ(outcome_of(check_framing(headers, minor_version)), expected)
            << (headers.empty() ? "" : headers.back().first + ": " + headers.back().second);
}

TEST(Target, is_decoded_once_and_its_query_taken_apart)
{
    auto const target = parse_target("/sign-in/caf%C3%A9%20x?lang=fr&a=1+2").value();
    EXPECT_EQ(target.path, "/sign-in/café x");
    EXPECT_EQ(target.query.value("lang"), "fr");
    EXPECT_EQ(target.query.value("a"), "1 2");
    EXPECT_EQ(parse_target("/").value().path, "/");
    EXPECT_EQ(parse_target("/a//b/").value().path, "/a//b/");
    EXPECT_EQ(parse_target("/%2541").value().path, "/%41");
    EXPECT_EQ(parse_target("/?a=/b/../c%2f").value().query.value("a"), "/b/../c/");
    EXPECT_EQ(parse_target("*").value().path, "*");
}

TEST(Target, may_be_absolute_and_loses_its_authority)
{
    EXPECT_EQ(parse_target("http://id.example:8400/jwks?x=1").value().path, "/jwks");
    EXPECT_EQ(parse_target("HTTPS://id.example").value().path, "/");
    EXPECT_EQ(parse_target("http://id.example?x=1").value().query.value("x"), "1");
}

TEST(Target, that_plays_tricks_is_refused)
{
    for (std::string_view const target : {"",
                                          "jwks",
                                          "//../x",
                                          "/../etc/passwd",
                                          "/a/./b",
                                          "/a/%2e%2e/b",
                                          "/a/.%2E",
                                          "/%2e",
                                          "/a%2fb",
                                          "/a%2Fb",
                                          "/a%5cb",
                                          "/a\\b",
                                          "/a%00b",
                                          "/a%0d%0aX",
                                          "/a%7f",
                                          "/%",
                                          "/%zz",
                                          "/%f",
                                          "/%ff",
                                          "/a#b",
                                          "/caf\xc3\xa9",
                                          "/a b",
                                          "/?a=%",
                                          "/?a=%ff",
                                          "/?a=%00",
                                          "http:///x",
                                          "http://user@id.example/",
                                          "ftp://id.example/",
                                          "id.example:443",
                                          "**"})
        EXPECT_FALSE(parse_target(target)) << target;
}

TEST(Traceparent, is_the_one_of_the_w3c)
{
    EXPECT_TRUE(is_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
    for (std::string_view const text : {"", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
                                        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
                                        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                                        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                                        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                                        "00-0af7651916cd43dd8448eb211c8031\n--b7ad6b7169203331-01"})
        EXPECT_FALSE(is_traceparent(text)) << text;
}

} // namespace
} // namespace symbolon::edge

#include "base/http.hpp"

#include <gtest/gtest.h>

namespace symbolon {
namespace {

TEST(Parameters, are_decoded_once_with_plus_as_a_space)
{
    auto const parameters = http::parse_parameters("a=1+2&b=%C3%A9%2B&c&d=x%3Dy=z").value();
    EXPECT_EQ(parameters.value("a"), "1 2");
    EXPECT_EQ(parameters.value("b"), "é+");
    EXPECT_EQ(parameters.find("c"), "");
    EXPECT_EQ(parameters.value("d"), "x=y=z");
    EXPECT_FALSE(parameters.find("e"));
}

TEST(Parameters, with_broken_encoding_or_bytes_that_are_no_text_are_refused)
{
    for (auto const* text : {"a=%", "a=%zz", "a=%ff", "a=%00", "%c3=1"})
        EXPECT_FALSE(http::parse_parameters(text)) << text;
    std::string many;
    for (int i = 0; i < 300; ++i) many += "a=1&";
    EXPECT_FALSE(http::parse_parameters(many));
}

TEST(Paths, are_of_a_pattern_part_by_part)
{
    auto const found = http::match_path("/d/actions/{id}/show", "/d/actions/a1/show");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->value("id"), "a1");
    EXPECT_EQ(http::match_path("/{a}/{b}", "/1/2")->value("b"), "2");
    EXPECT_TRUE(http::match_path("/d/me", "/d/me"));
    for (auto const* other : {"/d/actions//show", "/d/actions/a1", "/d/actions/a1/show/", "/d/actions/a1/hide",
                              "d/actions/a1/show", "/d/actions/a/1/show", ""})
        EXPECT_FALSE(http::match_path("/d/actions/{id}/show", other)) << other;
    EXPECT_FALSE(http::match_path("/{}", "/a")) << "a part without a name stands for itself";
}

TEST(Parameters, that_stand_twice_are_named)
{
    EXPECT_EQ(http::parse_parameters("a=1&b=2&a=3")->repeated_name(), "a");
    EXPECT_FALSE(http::parse_parameters("a=1&b=2")->repeated_name());
}

TEST(Parameters, are_added_to_a_query_that_is_kept)
{
    http::Parameters const parameters{{{"code", "a b&c"}}};
    EXPECT_EQ(http::with_parameters("https://rp.example/cb", parameters), "https://rp.example/cb?code=a%20b%26c");
    EXPECT_EQ(http::with_parameters("https://rp.example/cb?x=1", parameters),
              "https://rp.example/cb?x=1&code=a%20b%26c");
}

TEST(Request, finds_one_cookie_among_many)
{
    http::Request const request{.headers = {{"cookie", "a=1; __Host-b=two=2;c=3"}}};
    EXPECT_EQ(request.cookie("__Host-b"), "two=2");
    EXPECT_EQ(request.cookie("c"), "3");
    EXPECT_FALSE(request.cookie("b"));
}

TEST(Request, with_cookies_but_without_word_of_its_origin_is_not_ours)
{
    EXPECT_TRUE((http::Request{.headers = {{"origin", "https://id.example"}}}.comes_from("https://id.example")));
    EXPECT_FALSE((http::Request{.headers = {{"origin", "https://evil.example"}}}.comes_from("https://id.example")));
    EXPECT_FALSE((http::Request{.headers = {{"origin", "null"}}}.comes_from("https://id.example")));
    EXPECT_FALSE((http::Request{.headers = {{"sec-fetch-site", "cross-site"}}}.comes_from("https://id.example")));
    EXPECT_FALSE((http::Request{.headers = {{"cookie", "a=1"}}}.comes_from("https://id.example")));
    EXPECT_TRUE((http::Request{}.comes_from("https://id.example")));
}

TEST(Url, tells_host_and_origin_apart_from_what_imitates_them)
{
    EXPECT_EQ(http::parse_url("HTTPS://Id.Example:8443/a?b#c")->origin(), "https://id.example:8443");
    EXPECT_TRUE(http::parse_url("http://[::1]:8400/")->is_loopback());
    EXPECT_EQ(http::parse_url("http://[::1]:8400/")->origin(), "http://[::1]:8400");
    EXPECT_TRUE(http::parse_url("http://127.0.0.1:9/")->is_loopback());
    EXPECT_TRUE(http::parse_url("http://127.255.255.254/")->is_loopback());
    for (auto const* const text :
         {"http://localhost.evil.example/", "http://127.evil.example/", "http://127.1.evil.example:9/cb",
          "http://127.0.0.1.evil.example:9", "http://126.0.0.1/", "http://[::2]/", "http://[::ffff:8.8.8.8]/"})
        if (auto const url = http::parse_url(text)) EXPECT_FALSE(url->is_loopback()) << text;
    EXPECT_TRUE(http::parse_url("https://id.example@evil.example/")->has_user_info);
    EXPECT_FALSE(http::parse_url("/relative"));
    for (auto const* const text : {"http://127.0.0.1.evil.example/", "http://127.0.0.1x/", "http://[::1].evil.example/",
                                   "http://1.2.3.4.5/", "http://id.example:80:81/", "http://127.0.0.1:80evil.example/"})
        EXPECT_FALSE(http::parse_url(text)) << text;
    EXPECT_TRUE(http::parse_url("http://id.example"));
    EXPECT_TRUE(http::parse_url("http://id.example?a"));
}

} // namespace
} // namespace symbolon

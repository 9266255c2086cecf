#include "edge/router.hpp"

#include <gtest/gtest.h>

namespace symbolon::edge {
namespace {

http::Route row(std::string method, std::string pattern)
{
    return {std::move(method), std::move(pattern),
            [](http::Request) -> Flow<http::Response> { co_return http::no_content(); }};
}

http::Routes rows()
{
    http::Routes routes;
    for (auto const& [method, pattern] : {std::pair{"GET", "/"},
                                          {"GET", "/sign-in/{id}"},
                                          {"POST", "/sign-in/{id}"},
                                          {"GET", "/sign-in/{id}/events"},
                                          {"GET", "/sign-in/help"},
                                          {"POST", "/d/{kind}/{id}"},
                                          {"POST", "/d/actions/{id}"},
                                          {"POST", "/token"},
                                          {"OPTIONS", "/token"}})
        routes.push_back(row(method, pattern));
    return routes;
}

TEST(Router, finds_the_row_of_method_and_path)
{
    Router const router{rows()};
    auto const pattern = [&](std::string_view method, std::string_view path) -> std::string {
        auto const match = router.match(method, path);
        return match.route == nullptr ? "" : match.route->method + ' ' + match.route->pattern;
    };
    EXPECT_EQ(pattern("GET", "/"), "GET /");
    EXPECT_EQ(pattern("POST", "/sign-in/x"), "POST /sign-in/{id}");
    EXPECT_EQ(pattern("GET", "/sign-in/x/events"), "GET /sign-in/{id}/events");
    EXPECT_EQ(pattern("HEAD", "/sign-in/x"), "GET /sign-in/{id}");
    EXPECT_EQ(pattern("GET", "/sign-in/help"), "GET /sign-in/help") << "a part written out goes first";
    EXPECT_EQ(pattern("POST", "/d/actions/7"), "POST /d/actions/{id}") << "a part written out goes first";
    EXPECT_EQ(pattern("POST", "/d/other/7"), "POST /d/{kind}/{id}");
    EXPECT_EQ(pattern("GET", "/sign-in/"), "") << "a part in braces is not empty";
    EXPECT_EQ(pattern("GET", "/sign-in/x/"), "");
    EXPECT_EQ(pattern("GET", "/sign-in/{id}/other"), "");
    EXPECT_EQ(pattern("GET", "/Sign-In/x"), "");
    EXPECT_EQ(pattern("get", "/"), "") << "methods are case-sensitive";
}

TEST(Router, gives_the_parts_in_braces)
{
    Router const router{rows()};
    auto const match = router.match("POST", "/d/a b/7");
    EXPECT_EQ(match.path_parameters.value("kind"), "a b");
    EXPECT_EQ(match.path_parameters.value("id"), "7");
}

TEST(Router, tells_what_a_path_allows)
{
    Router const router{rows()};
    EXPECT_EQ(router.match("DELETE", "/sign-in/x").allow, "GET, POST, HEAD, OPTIONS");
    EXPECT_EQ(router.match("DELETE", "/sign-in/x").route, nullptr);
    EXPECT_EQ(router.match("GET", "/token").allow, "OPTIONS, POST");
    EXPECT_EQ(router.match("GET", "/nowhere").allow, "");
}

TEST(Router, keeps_its_rows_when_it_moves)
{
    Router router{rows()};
    Router const moved{std::move(router)};
    ASSERT_NE(moved.match("GET", "/sign-in/help").route, nullptr);
    EXPECT_EQ(moved.match("GET", "/sign-in/help").route->pattern, "/sign-in/help");
}

TEST(RouterDeathTest, does_not_take_two_rows_for_one_request)
{
    auto routes = rows();
    routes.push_back(row("GET", "/sign-in/{id}"));
    EXPECT_DEATH(Router{routes}, "added");
}

} // namespace
} // namespace symbolon::edge

#include "edge/router.hpp"
#include "edge/static_files.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace symbolon::edge {
namespace {

class StaticFiles : public ::testing::Test {
protected:
    std::filesystem::path directory =
        std::filesystem::temp_directory_path() / ("symbolon-static-" + std::to_string(::getpid()) + '-' +
                                                  ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::optional<Router> router;

    void SetUp() override { std::filesystem::create_directories(directory); }
    void TearDown() override { std::filesystem::remove_all(directory); }

    void write(std::string const& path, std::string const& content)
    {
        std::filesystem::create_directories((directory / path).parent_path());
        std::ofstream{directory / path} << content;
    }

    http::Response get(std::string const& path, std::vector<std::pair<std::string, std::string>> headers = {})
    {
        if (!router) {
            auto routes = static_routes(directory);
            EXPECT_TRUE(routes) << routes.error().detail;
            router.emplace(*std::move(routes));
        }
        auto const match = router->match("GET", path);
        http::Response missing;
        missing.status = 404;
        if (match.route == nullptr) return missing;
        http::Request request;
        request.method = "GET";
        request.path = path;
        request.headers = std::move(headers);
        return run_now(match.route->handler(request)).value();
    }

    static std::string header(http::Response const& response, std::string_view name)
    {
        for (auto const& [header_name, value] : response.headers)
            if (header_name == name) return value;
        return {};
    }
};

TEST_F(StaticFiles, are_served_with_their_type_and_asked_again_by_tag)
{
    write("assets/sign-in.css", "body {}");
    auto const first = get("/assets/sign-in.css");
    EXPECT_EQ(first.status, 200);
    EXPECT_EQ(first.body, "body {}");
    EXPECT_EQ(header(first, "Content-Type"), "text/css; charset=utf-8");
    EXPECT_EQ(header(first, "Cache-Control"), "no-cache");
    auto const tag = header(first, "ETag");
    for (auto const& asked : {tag, "W/" + tag, "\"other\", " + tag, std::string{"*"}}) {
        auto const again = get("/assets/sign-in.css", {{"if-none-match", asked}});
        EXPECT_EQ(again.status, 304) << asked;
        EXPECT_TRUE(again.body.empty());
        EXPECT_EQ(header(again, "ETag"), tag);
    }
    EXPECT_EQ(get("/assets/sign-in.css", {{"if-none-match", "\"other\""}}).status, 200);
}

TEST_F(StaticFiles, with_a_hash_in_their_name_never_change)
{
    for (auto const* name : {"assets/index-BqZ3x9aK.js", "assets/index-BqZ3x9aK.js.map", "assets/index-abcdefgh.js",
                             "assets/side-settings.js", "assets/symbols.svg", "app/sw.js", "app/x-BqZ3x9aK.js"})
        write(name, "x");
    auto const caching = [&](std::string const& path) { return header(get(path), "Cache-Control"); };
    EXPECT_EQ(caching("/assets/index-BqZ3x9aK.js"), "public, max-age=31536000, immutable");
    EXPECT_EQ(caching("/assets/index-BqZ3x9aK.js.map"), "public, max-age=31536000, immutable");
    for (auto const* path : {"/assets/index-abcdefgh.js", "/assets/side-settings.js", "/assets/symbols.svg",
                             "/app/sw.js", "/app/x-BqZ3x9aK.js"})
        EXPECT_EQ(caching(path), "no-cache") << path;
}

TEST_F(StaticFiles, go_compressed_to_whoever_takes_it)
{
    write("assets/app.js", "long");
    write("assets/app.js.gz", "short");
    auto const compressed = get("/assets/app.js", {{"accept-encoding", "br, gzip;q=0.5"}});
    EXPECT_EQ(compressed.body, "short");
    EXPECT_EQ(header(compressed, "Content-Encoding"), "gzip");
    EXPECT_EQ(header(compressed, "Vary"), "Accept-Encoding");
    EXPECT_EQ(header(compressed, "Content-Type"), "text/javascript; charset=utf-8");
    for (auto const* accepts : {"", "br", "gzip;q=0", "gzip;q=0.0"}) {
        auto const plain = get("/assets/app.js", {{"accept-encoding", accepts}});
        EXPECT_EQ(plain.body, "long") << accepts;
        EXPECT_EQ(header(plain, "Vary"), "Accept-Encoding");
        EXPECT_NE(header(plain, "ETag"), header(compressed, "ETag"));
    }
    EXPECT_EQ(get("/assets/app.js.gz").status, 404);
}

TEST_F(StaticFiles, of_a_directory_answer_with_its_index)
{
    write("fr/enrol/index.html", "inscription");
    EXPECT_EQ(get("/fr/enrol/").body, "inscription");
    EXPECT_EQ(header(get("/fr/enrol/"), "Content-Type"), "text/html; charset=utf-8");
    EXPECT_EQ(header(get("/fr/enrol"), "Location"), "/fr/enrol/");
    EXPECT_EQ(get("/fr/enrol/index.html").status, 404);
    EXPECT_EQ(get("/fr/").status, 404);
}

TEST_F(StaticFiles, F5_begin_in_the_language_of_the_browser)
{
    for (auto const* language : {"fr", "nl", "de", "en"}) write(std::string{language} + "/index.html", language);
    EXPECT_EQ(header(get("/", {{"accept-language", "nl-BE,fr;q=0.5"}}), "Location"), "/nl/");
    EXPECT_EQ(header(get("/"), "Location"), "/fr/");
    EXPECT_EQ(header(get("/"), "Vary"), "Accept-Language");
}

TEST_F(StaticFiles, of_the_phone_begin_with_the_app)
{
    write("app/index.html", "app");
    write("app/manifest.webmanifest", "{}");
    EXPECT_EQ(header(get("/"), "Location"), "/app/");
    EXPECT_EQ(header(get("/app/manifest.webmanifest"), "Content-Type"), "application/manifest+json");
}

TEST_F(StaticFiles, end_at_their_directory)
{
    write("a.txt", "a");
    write(".secret", "s");
    write(".git/config", "s");
    std::filesystem::create_symlink("/etc/passwd", directory / "passwd.txt");
    std::filesystem::create_directory_symlink("/etc", directory / "etc");
    for (auto const* path :
         {"/passwd.txt", "/etc/passwd", "/.secret", "/.git/config", "/../a.txt", "/A.txt", "//a.txt"})
        EXPECT_EQ(get(path).status, 404) << path;
    EXPECT_EQ(get("/a.txt").body, "a");
}

TEST_F(StaticFiles, that_are_not_there_are_an_operators_mistake)
{
    auto const routes = static_routes(directory / "nowhere");
    ASSERT_FALSE(routes);
    EXPECT_EQ(routes.error().outcome, Outcome::configuration_invalid);
    EXPECT_NE(routes.error().detail.find("nowhere"), std::string::npos);
}

} // namespace
} // namespace symbolon::edge

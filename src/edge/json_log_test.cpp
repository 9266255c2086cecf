#include "base/json.hpp"
#include "edge/json_log.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <unistd.h>

namespace symbolon::edge {
namespace {

std::vector<std::string> lines_of(LogSettings settings, std::function<void(ports::Log&)> const& write)
{
    settings.file =
        std::filesystem::temp_directory_path() / ("symbolon-log-" + std::to_string(::getpid()) + '-' +
                                                  ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove(settings.file);
    {
        auto const log = make_log(settings);
        EXPECT_TRUE(log);
        write(**log);
    }
    std::vector<std::string> lines;
    std::ifstream stream{settings.file};
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    std::filesystem::remove(settings.file);
    return lines;
}

TEST(Log, is_an_object_a_line)
{
    auto const lines = lines_of({}, [](ports::Log& log) {
        log.event("enrolment_done", {{"client", "shop"}, {"odd", "a\"b\nc %v {} \\"}});
        log.failure("request_failed", fail(Outcome::store_failed, "disk full").error(), {{"route", "/token"}});
    });
    ASSERT_EQ(lines.size(), 2U);
    auto const event = json::parse_object(lines[0]).value();
    EXPECT_EQ(json::text(event, "event").value(), "enrolment_done");
    EXPECT_EQ(json::text(event, "level").value(), "info");
    EXPECT_EQ(json::text(event, "client").value(), "shop");
    EXPECT_EQ(json::text(event, "odd").value(), "a\"b\nc %v {} \\");
    EXPECT_EQ(json::text(event, "time").value().size(), std::string_view{"2026-11-22T04:50:50.123Z"}.size());

    auto const failure = json::parse_object(lines[1]).value();
    EXPECT_EQ(json::text(failure, "level").value(), "error");
    EXPECT_EQ(json::text(failure, "outcome").value(), "store_failed");
    EXPECT_EQ(json::text(failure, "detail").value(), "disk full");
    EXPECT_EQ(json::text(failure, "route").value(), "/token");
    EXPECT_NE(json::text(failure, "source").value().find("json_log_test.cpp:"), std::string::npos);
}

TEST(Log, names_a_field_once_and_the_last_value_counts)
{
    auto const lines =
        lines_of({}, [](ports::Log& log) { log.event("request", {{"client", "one"}, {"client", "two"}}); });
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(json::text(json::parse_object(lines[0]).value(), "client").value(), "two");
}

TEST(Log, holds_what_its_level_asks_for)
{
    auto const write = [](ports::Log& log) {
        log.event("request", {});
        log.failure("request_failed", fail(Outcome::not_found).error(), {});
        log.failure("request_failed", fail(Outcome::internal).error(), {});
    };
    EXPECT_EQ(lines_of({.level = LogLevel::info}, write).size(), 3U);
    EXPECT_EQ(lines_of({.level = LogLevel::error}, write).size(), 1U);
    EXPECT_EQ(lines_of({.level = LogLevel::none}, write).size(), 0U);
}

TEST(Log, for_people_keeps_a_line_a_line)
{
    auto const lines = lines_of({.format = LogFormat::text},
                                [](ports::Log& log) { log.event("request", {{"detail", "a\nfaked line"}}); });
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_TRUE(lines[0].ends_with("info request detail=a?faked line")) << lines[0];
}

TEST(Log, goes_on_in_a_new_file_where_the_one_before_was_moved_away)
{
    auto const file = std::filesystem::temp_directory_path() / ("symbolon-moved-log-" + std::to_string(::getpid()));
    auto const moved = file.string() + ".1";
    auto const lines = [](std::filesystem::path const& of) {
        std::ifstream stream{of};
        std::vector<std::string> all;
        for (std::string line; std::getline(stream, line);) all.push_back(line);
        return all;
    };
    auto const log = make_log({.file = file});
    ASSERT_TRUE(log);
    (*log)->event("one", {});
    std::filesystem::rename(file, moved);
    (*log)->event("two", {});
    (*log)->reopen();
    (*log)->event("three", {});
    EXPECT_EQ(lines(moved).size(), 2U);
    auto const after = lines(file);
    ASSERT_EQ(after.size(), 1U);
    EXPECT_NE(after.front().find("\"three\""), std::string::npos);
    std::filesystem::remove(file);
    std::filesystem::remove(moved);
}

TEST(Log, that_can_not_be_written_is_an_operators_mistake)
{
    auto const log = make_log({.file = "/dev/null/symbolon.log"});
    ASSERT_FALSE(log);
    EXPECT_EQ(log.error().outcome, Outcome::configuration_invalid);
}

} // namespace
} // namespace symbolon::edge

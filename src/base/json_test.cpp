#include "base/json.hpp"

#include <gtest/gtest.h>

namespace symbolon {
namespace {

TEST(Json, refuses_a_name_that_stands_twice_in_one_object)
{
    EXPECT_FALSE(json::parse(R"({"a":1,"a":2})"));
    EXPECT_FALSE(json::parse(R"({"b":{"a":1,"\u0061":2}})")) << "the same name, written with an escape";
    EXPECT_TRUE(json::parse(R"({"a":{"a":1},"b":{"a":2}})"));
}

TEST(Json, refuses_what_is_too_deep_or_goes_on_after_the_end)
{
    EXPECT_FALSE(json::parse(std::string(100'000, '[')));
    EXPECT_FALSE(json::parse("{} {}"));
    EXPECT_FALSE(json::parse(""));
    EXPECT_FALSE(json::parse("{\"a\":\"\xff\"}"));
}

TEST(Json, reads_long_names_and_strings_whole)
{
    auto const name = std::string(5000, 'n');
    auto const object = json::parse_object("{\"" + name + "\":\"" + std::string(9000, 'v') + "\"}");
    ASSERT_TRUE(object);
    EXPECT_EQ(json::text(*object, name).value().size(), 9000U);
}

TEST(Json, names_the_member_that_is_missing_or_of_another_type)
{
    auto const object = json::parse_object(R"({"a":1})").value();
    EXPECT_EQ(json::text(object, "a").error().detail, "member 'a'");
    EXPECT_EQ(json::integer(object, "a").value(), 1);
    EXPECT_EQ(json::optional_text(object, "b").value(), std::nullopt);
    EXPECT_FALSE(json::optional_text(object, "a"));
}

TEST(Json, a_text_that_is_appended_reads_back_as_it_was)
{
    using namespace std::string_view_literals;
    for (auto const view : {""sv, "plain"sv, "é ✓ /"sv, "\""sv, "\\"sv, "a\nb\tc"sv, "\0\x1f\x7f"sv}) {
        std::string const text{view};
        std::string json = "{\"a\":";
        json::append_text(json, text);
        json += '}';
        auto const object = json::parse_object(json);
        ASSERT_TRUE(object) << json;
        EXPECT_EQ(json::text(*object, "a").value(), text);
    }
}

} // namespace
} // namespace symbolon

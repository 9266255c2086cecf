// A challenge and its solution that the npm package altcha-lib (2.8.0) made, with a key of 32 letters and digits.

#include "base/text.hpp"
#include "device/world_testing.hpp"
#include "page/person_check.hpp"

#include <gtest/gtest.h>

namespace symbolon::page {
namespace {

constexpr std::string_view challenge_of_package =
    R"({"parameters":{"algorithm":"PBKDF2/SHA-256","cost":10,"expiresAt":1893456000,"keyLength":32,"keyPrefix":"00",)"
    R"("nonce":"bb8e8cc9e2b1aa536367be6c586a9648","salt":"4131df63e2c5a1153dedcdc1d7d806c4"},)"
    R"("signature":"f82fc75684467b758d1aced5b3655f885971bb911bfc2ddaf2189290271cc730"})";
constexpr std::string_view solution_of_package =
    R"({"counter":1003,"derivedKey":"007cebe2002b1132abcdb393d86cd1c50ee9fad91c3dfdebd58cd33b737d6987","time":12.5})";
constexpr std::string_view key_of_package = "0123456789abcdef0123456789abcdef";
Instant const end_of_package = instant_of(1893456000);

Bytes bytes(std::string_view text) { return {text.begin(), text.end()}; }

json::Object parsed(std::string_view text) { return json::parse(text).value().as_object(); }

json::Object answer_of_package()
{
    return {{"challenge", parsed(challenge_of_package)}, {"solution", parsed(solution_of_package)}};
}

/// A server with the package's key.
struct Judge {
    device::testing::World world;
    PersonCheck check{.key = SecretBytes{bytes(key_of_package)}, .cost = 10, .prefix = "00", .lifetime = 20min};

    explicit Judge(Instant now = end_of_package - 20min) { world.clock.at = now; }

    bool accepts(json::Object const& answer) const
    {
        auto const judged = run_now(judge_person_check(answer, check, world.services));
        EXPECT_TRUE(judged || judged.error().outcome == Outcome::person_check_failed);
        return judged.has_value();
    }
};

TEST(PersonCheck, A1_takes_what_the_package_made_and_solved_once)
{
    Judge judge;
    EXPECT_TRUE(judge.accepts(answer_of_package()));
    EXPECT_FALSE(judge.accepts(answer_of_package())) << "used before";
}

TEST(PersonCheck, A1_ends_with_the_second_that_the_challenge_names)
{
    EXPECT_TRUE(Judge{end_of_package - 1s}.accepts(answer_of_package()));
    EXPECT_FALSE(Judge{end_of_package}.accepts(answer_of_package()));
}

TEST(PersonCheck, A1_refuses_a_challenge_that_another_key_signed)
{
    Judge judge;
    judge.check.key = SecretBytes{Bytes(32, 7)};
    EXPECT_FALSE(judge.accepts(answer_of_package()));
}

TEST(PersonCheck, A1_refuses_a_challenge_in_which_anything_was_changed_added_or_left_out)
{
    auto const parameters = parsed(challenge_of_package).at("parameters").as_object();
    for (auto const& parameter : parameters) {
        auto const parameters_of = [](json::Object& answer) -> json::Object& {
            return answer.at("challenge").as_object().at("parameters").as_object();
        };
        auto changed = answer_of_package();
        auto& value = parameters_of(changed).at(parameter.key());
        if (value.is_string()) {
            auto& text = value.as_string();
            text.back() = text.back() == '0' ? '1' : '0';
        } else {
            value = value.as_int64() + 1;
        }
        EXPECT_FALSE(Judge{}.accepts(changed)) << parameter.key();

        auto shorter = answer_of_package();
        parameters_of(shorter).erase(parameter.key());
        EXPECT_FALSE(Judge{}.accepts(shorter)) << parameter.key();
    }
    auto longer = answer_of_package();
    longer.at("challenge").as_object().at("parameters").as_object()["data"] = json::Object{{"a", 1}};
    EXPECT_FALSE(Judge{}.accepts(longer));
}

TEST(PersonCheck, A1_refuses_another_counter_or_key_than_the_one_that_was_looked_for)
{
    for (auto const& [name, value] : std::initializer_list<std::pair<char const*, json::Value>>{
             {"counter", 1004},
             {"counter", 1003.5},
             {"counter", "1003"},
             {"counter", (1LL << 32) + 1003},
             {"derivedKey", "007cebe2002b1132abcdb393d86cd1c50ee9fad91c3dfdebd58cd33b737d6988"},
             {"derivedKey", "007CEBE2002B1132ABCDB393D86CD1C50EE9FAD91C3DFDEBD58CD33B737D6987"},
             {"derivedKey", ""}}) {
        auto wrong = answer_of_package();
        wrong.at("solution").as_object()[name] = value;
        EXPECT_FALSE(Judge{}.accepts(wrong)) << name << ' ' << json::write(wrong.at("solution").as_object());
    }
}

} // namespace
} // namespace symbolon::page

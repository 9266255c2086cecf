#include "action/symbols.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace symbolon::action {
namespace {

class SymbolDraws : public testing::Test {
protected:
    std::mt19937 engine{7}; // NOLINT: the same draws in each run
    std::function<std::uint32_t(std::uint32_t)> below = [this](std::uint32_t bound) {
        return std::uniform_int_distribution<std::uint32_t>{0, bound - 1}(engine);
    };
};

TEST_F(SymbolDraws, hold_six_different_symbols_that_may_meet_and_the_right_one_among_them)
{
    for (int i = 0; i < 2000; ++i) {
        auto const draw = draw_symbols({"anchor", "moon"}, below);
        ASSERT_EQ(std::set(draw.shown.begin(), draw.shown.end()).size(), symbols_in_a_draw);
        EXPECT_EQ(std::ranges::count(draw.shown, draw.right), 1);
        EXPECT_EQ(std::ranges::count(draw.shown, "anchor"), 0) << "the last right one";
        EXPECT_EQ(std::ranges::count(draw.shown, "moon"), 0) << "the last right one";
        for (auto const& left : draw.shown)
            for (auto const& right : draw.shown)
                if (left != right) EXPECT_TRUE(may_meet(left, right)) << left << ' ' << right;
    }
}

TEST_F(SymbolDraws, put_the_right_one_at_every_place_and_use_every_symbol)
{
    std::map<std::ptrdiff_t, int> places;
    std::map<std::string, int> rights;
    constexpr int draws = 6000;
    for (int i = 0; i < draws; ++i) {
        auto const draw = draw_symbols({""}, below);
        ++places[std::ranges::find(draw.shown, draw.right) - draw.shown.begin()];
        ++rights[draw.right];
    }
    ASSERT_EQ(places.size(), symbols_in_a_draw);
    for (auto const& [place, count] : places) EXPECT_NEAR(count, draws / 6.0, 150) << place;
    EXPECT_EQ(rights.size(), all_symbols().size());
}

TEST(Symbols, are_24_with_a_name_in_each_language)
{
    EXPECT_EQ(all_symbols().size(), 24U);
    for (auto const& id : all_symbols())
        for (auto const language : all_languages) EXPECT_FALSE(symbol_name(id, language).empty());
    EXPECT_EQ(symbol_name("boat", Language::nl), "boot");
    EXPECT_FALSE(may_meet("boat", "tree")) << "boot and boom sound alike";
    EXPECT_FALSE(may_meet("tree", "boat"));
    EXPECT_FALSE(may_meet("boat", "boat"));
    EXPECT_TRUE(may_meet("boat", "dog"));
}

} // namespace
} // namespace symbolon::action

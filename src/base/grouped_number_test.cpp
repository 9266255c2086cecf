#include "base/grouped_number.hpp"

#include <gtest/gtest.h>

namespace symbolon {
namespace {

/// With spaces that one can see.
std::string shown(std::string_view e164)
{
    auto text = grouped_number(e164);
    for (std::size_t at{}; (at = text.find("\u00A0", at)) != std::string::npos;) text.replace(at, 2, "_");
    return text;
}

TEST(GroupedNumber, is_how_people_of_the_country_write_it_on_one_line)
{
    EXPECT_EQ(shown("+32470123456"), "+32_470_12_34_56");
    EXPECT_EQ(shown("+352621123456"), "+352_621_12_34_56");
    EXPECT_EQ(shown("+4915112345678"), "+49_151_12_34_56_78");
    EXPECT_EQ(shown("+33612345678"), "+33_6_12_34_56_78");
    EXPECT_EQ(shown("+31612345678"), "+31_6_12_34_56_78");
    EXPECT_EQ(shown("+491511234567"), "+49_151_12_34_567");
}

TEST(GroupedNumber, is_what_came_where_no_grouping_is_known)
{
    for (std::string_view const other : {"+819012345678", "+1", "+32", "+32470", "", "0470123456", "+32470a123456"})
        EXPECT_EQ(grouped_number(other), other);
}

} // namespace
} // namespace symbolon

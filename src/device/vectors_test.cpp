#include "device/vectors.hpp"

#include <fstream>
#include <sstream>

namespace symbolon::device {
namespace {

std::string why(Result<void> const& result) { return result ? "" : result.error().detail; }

TEST(DeviceVectors, the_published_file_is_what_this_program_does)
{
    std::ifstream const file{SYMBOLON_SOURCE_DIR "/docs/device-protocol-vectors.json"};
    std::ostringstream text;
    text << file.rdbuf();
    auto const vectors = json::parse_object(text.str());
    ASSERT_TRUE(vectors);
    EXPECT_EQ(why(check_vectors(*vectors)), "");
}

TEST(DeviceVectors, new_ones_pass_the_same_checks) { EXPECT_EQ(why(check_vectors(make_vectors())), ""); }

TEST(DeviceVectors, a_changed_one_is_noticed)
{
    auto vectors = make_vectors();
    vectors.at("approve").as_object().at("body").as_object().at("symbol") = "cow";
    EXPECT_EQ(why(check_vectors(vectors)), "differs: m");
}

} // namespace
} // namespace symbolon::device

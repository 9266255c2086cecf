#include "crypto/encoding.hpp"

#include <gtest/gtest.h>

namespace symbolon::crypto {
namespace {

struct Pair {
    std::string_view plain;
    std::string_view encoded;
};

// RFC 4648 §10.
constexpr std::array vectors{
    Pair{"", ""},
    Pair{"f", "Zg=="},
    Pair{"fo", "Zm8="},
    Pair{"foo", "Zm9v"},
    Pair{"foob", "Zm9vYg=="},
    Pair{"fooba", "Zm9vYmE="},
    Pair{"foobar", "Zm9vYmFy"},
};

TEST(Base64, agrees_with_the_vectors_of_rfc_4648)
{
    for (auto const& [plain, encoded] : vectors) {
        EXPECT_EQ(base64(bytes_of(plain)), encoded);
        EXPECT_EQ(string_of(from_base64(encoded).value()), plain);
        auto const bare = encoded.substr(0, encoded.find('='));
        EXPECT_EQ(base64url(bytes_of(plain)), bare);
        EXPECT_EQ(string_of(from_base64url(bare).value()), plain);
    }
}

TEST(Base64, keeps_every_byte)
{
    Bytes all;
    for (int i = 0; i < 256; ++i) all.push_back(static_cast<Byte>(i));
    for (std::size_t size = 0; size <= all.size(); ++size) {
        auto const part = ByteView{all}.last(size);
        EXPECT_TRUE(std::ranges::equal(from_base64url(base64url(part)).value(), part));
        EXPECT_TRUE(std::ranges::equal(from_base64(base64(part)).value(), part));
        EXPECT_TRUE(std::ranges::equal(from_hex(hex(part)).value(), part));
    }
}

TEST(Base64url, has_one_spelling_for_each_value)
{
    for (std::string_view const wrong : {"Zg==", "Zg=", "Z", "Zh", "Zm9", "Zm9vY", " Zm9v", "Zm9v\n", "Zm 9v", "Zm9+",
                                         "Zm9/", "Zm9v.", "Zm9v\xc3\xa9", "AB", "AAB"}) {
        SCOPED_TRACE(wrong);
        auto const decoded = from_base64url(wrong);
        ASSERT_FALSE(decoded);
        EXPECT_EQ(decoded.error().outcome, Outcome::encoding_malformed);
    }
}

TEST(Base64, has_one_spelling_for_each_value)
{
    for (std::string_view const wrong :
         {"Zg", "Zg=", "Zg===", "Z===", "====", "Zh==", "Zm9=", "Zm9v\n", "Zm=v", "Zg==Zg==", "Zm9-", "Zm9_"}) {
        SCOPED_TRACE(wrong);
        EXPECT_FALSE(from_base64(wrong));
    }
}

TEST(Hex, refuses_half_a_byte_and_foreign_signs)
{
    EXPECT_EQ(hex(Bytes{0, 0x7f, 0xff}), "007fff");
    EXPECT_EQ(from_hex("007FfF").value(), (Bytes{0, 0x7f, 0xff}));
    for (std::string_view const wrong : {"0", "0g", " 0", "0x00"}) EXPECT_FALSE(from_hex(wrong)) << wrong;
}

} // namespace
} // namespace symbolon::crypto

#include "crypto/encoding.hpp"
#include "crypto/push_encryption.hpp"

#include <gtest/gtest.h>

namespace symbolon::crypto {
namespace {

Bytes decoded(std::string_view text) { return from_base64url(text).value(); }

// RFC 8291 Appendix A.
constexpr std::string_view plain_text = "When I grow up, I want to be a watermelon";
constexpr std::string_view receiver_point =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
constexpr std::string_view message = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_"
                                     "c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
                                     "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";

PushReceiver receiver()
{
    return {.point = decoded(receiver_point), .auth = SecretBytes{decoded("BTBZMqHH6r4Tts7J_aSIgg")}};
}

PrivateKey sender()
{
    auto const point =
        decoded("BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8");
    return PrivateKey::from_jwk({{"kty", "EC"},
                                 {"crv", "P-256"},
                                 {"x", base64url(ByteView{point}.subspan(1, 32))},
                                 {"y", base64url(ByteView{point}.subspan(33, 32))},
                                 {"d", "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"}})
        .value();
}

TEST(PushEncryption, gives_the_message_of_RFC_8291_Appendix_A)
{
    auto const body = encrypt_push_with(receiver(), bytes_of(plain_text), plain_text.size(), sender(),
                                        decoded("DGv6ra1nlYgDCS1FRnbzlw"));
    ASSERT_TRUE(body);
    EXPECT_EQ(base64url(*body), message);
}

TEST(PushEncryption, gives_bodies_of_one_size_whatever_they_say)
{
    auto const random = system_random();
    constexpr std::size_t padded = 1024;
    constexpr std::size_t around = 16 + 4 + 1 + 65 + 1 + 16; // header, delimiter, tag
    for (auto const size : {0UZ, 1UZ, 500UZ, padded}) {
        auto const body = encrypt_push(receiver(), Bytes(size, 'x'), padded, *random);
        ASSERT_TRUE(body);
        EXPECT_EQ(body->size(), padded + around) << size;
    }
}

TEST(PushEncryption, uses_another_key_and_salt_each_time)
{
    auto const random = system_random();
    auto const first = encrypt_push(receiver(), bytes_of(plain_text), 100, *random).value();
    auto const second = encrypt_push(receiver(), bytes_of(plain_text), 100, *random).value();
    EXPECT_FALSE(std::ranges::equal(ByteView(first).first(16), ByteView(second).first(16)));
    EXPECT_FALSE(std::ranges::equal(ByteView(first).subspan(21, 65), ByteView(second).subspan(21, 65)));
}

TEST(PushEncryption, refuses_points_that_are_none)
{
    auto const random = system_random();
    auto off_the_curve = decoded(receiver_point);
    off_the_curve.back() ^= 1;
    auto compressed = decoded(receiver_point);
    compressed.resize(33);
    compressed.front() = 2;
    for (auto const& point : {off_the_curve, compressed, Bytes{}, Bytes(65, 0), Bytes(65, 4), Bytes{0}}) {
        auto it = receiver();
        it.point = point;
        auto const body = encrypt_push(it, bytes_of(plain_text), 100, *random);
        ASSERT_FALSE(body);
        EXPECT_EQ(body.error().outcome, Outcome::jwk_malformed);
        EXPECT_FALSE(is_push_point(point));
    }
    EXPECT_TRUE(is_push_point(receiver().point));
}

TEST(PushEncryption, writes_points_as_they_are_read)
{
    EXPECT_EQ(base64url(push_point(sender().public_key())),
              "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8");
}

} // namespace
} // namespace symbolon::crypto

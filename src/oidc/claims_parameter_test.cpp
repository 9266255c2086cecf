#include "oidc/claims_parameter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace symbolon::oidc {
namespace {

using ::testing::ElementsAre;

TEST(ClaimsParameter, is_read_as_OpenID_Connect_5_5_shows_it)
{
    auto const claims = parse_claims_parameter(R"({
      "userinfo": {"given_name": {"essential": true}, "nickname": null, "email": {"essential": true},
                   "http://example.info/claims/groups": null},
      "id_token": {"auth_time": {"essential": true},
                   "acr": {"values": ["urn:mace:incommon:iap:silver", "x"]},
                   "sub": {"value": "248289761001", "purpose": "not understood"}},
      "unheard_of": 5})");
    ASSERT_TRUE(claims) << claims.error().detail;
    ASSERT_EQ(claims->userinfo.size(), 4U);
    EXPECT_EQ(claims->userinfo[0].name, "given_name");
    EXPECT_TRUE(claims->userinfo[0].essential);
    EXPECT_FALSE(claims->userinfo[1].essential);
    ASSERT_EQ(claims->id_token.size(), 3U);
    EXPECT_THAT(claims->id_token[1].values, ElementsAre(R"("urn:mace:incommon:iap:silver")", R"("x")"));
    EXPECT_THAT(claims->id_token[2].values, ElementsAre(R"("248289761001")"));
}

TEST(ClaimsParameter, may_be_empty)
{
    EXPECT_TRUE(parse_claims_parameter("{}"));
    EXPECT_TRUE(parse_claims_parameter(R"({"id_token":null,"userinfo":{}})"));
}

TEST(ClaimsParameter, is_refused_when_it_is_not_of_that_form)
{
    auto many = std::string{R"({"id_token":{)"};
    for (int i = 0; i < 101; ++i) many += (i > 0 ? ",\"c" : "\"c") + std::to_string(i) + "\":null";
    many += "}}";
    for (auto const& text : {
             std::string{},
             std::string{"null"},
             std::string{"[]"},
             std::string{"\"id_token\""},
             std::string{"{\"id_token\":[]}"},
             std::string{"{\"id_token\":\"name\"}"},
             std::string{"{\"id_token\":{\"name\":true}}"},
             std::string{"{\"id_token\":{\"name\":\"essential\"}}"},
             std::string{"{\"id_token\":{\"name\":{\"essential\":\"true\"}}}"},
             std::string{"{\"id_token\":{\"name\":{\"values\":\"x\"}}}"},
             std::string{"{\"id_token\":{\"name\":null,\"name\":null}}"},
             std::string{"{\"id_token\":{\"\":null}}"},
             std::string{"{\"id_token\":{}} trailing"},
             "{\"id_token\":{\"" + std::string(201, 'n') + "\":null}}",
             std::string(20'000, ' ') + "{}",
             std::string(10'000, '['),
             many,
         }) {
        auto const claims = parse_claims_parameter(text);
        ASSERT_FALSE(claims) << text.substr(0, 100);
        EXPECT_EQ(claims.error().outcome, Outcome::claims_malformed) << text.substr(0, 100);
    }
}

} // namespace
} // namespace symbolon::oidc

#include "oidc/oidc_testing.hpp"
#include "oidc/subject.hpp"
#include "oidc/userinfo.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace symbolon::oidc {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Userinfo : public ::testing::Test {
protected:
    testing::Site site;

    std::string token_for(std::string const& client = "shop", std::vector<std::string> claims = {"name", "email"})
    {
        auto const code = "code " + std::to_string(++codes);
        site.give_code(code, client, std::move(claims));
        auto const answer = site.send(site.token_request(code, client));
        return json::text(json::parse_object(answer->body).value(), "access_token").value();
    }
    http::Response get(std::string const& authorization, std::string const& query = "")
    {
        http::Parameters headers;
        if (!authorization.empty()) headers.add("authorization", authorization);
        return site.get("/userinfo" + query, headers).value();
    }
    static std::string challenge(http::Response const& response)
    {
        return testing::header(response, "WWW-Authenticate");
    }
    int codes = 0;
};

TEST_F(Userinfo, gives_the_subject_and_the_claims_that_were_granted_and_no_others)
{
    auto const answer = get("Bearer " + token_for("shop", {"name", "birthdate"}));
    ASSERT_EQ(answer.status, 200);
    EXPECT_EQ(testing::header(answer, "Content-Type"), "application/json");
    auto const claims = json::parse_object(answer.body).value();
    EXPECT_EQ(claims.size(), 3U) << answer.body;
    EXPECT_EQ(json::text(claims, "sub"), subject_of(site.holder, site.client("shop"), site.provider));
    EXPECT_EQ(claims.at("name"), "Jan Pieter Janssens");
    EXPECT_EQ(claims.at("birthdate"), "1985-07-30");
}

TEST_F(Userinfo, is_signed_for_a_client_that_registered_so)
{
    auto const answer = get("Bearer " + token_for("bank", {"name", "picture"}));
    ASSERT_EQ(answer.status, 200);
    EXPECT_EQ(testing::header(answer, "Content-Type"), "application/jwt");
    std::string algorithm;
    auto const claims = testing::verified_payload(site.provider, answer.body, &algorithm);
    EXPECT_EQ(algorithm, "ES256");
    EXPECT_EQ(claims.at("iss"), "https://id.example");
    EXPECT_EQ(claims.at("aud"), "bank");
    EXPECT_EQ(claims.at("picture"), "data:image/jpeg;base64,/9j/");
}

TEST_F(Userinfo, takes_the_token_from_the_header_or_from_a_form_but_never_from_the_query)
{
    auto const token = token_for();
    EXPECT_EQ(get("bearer " + token).status, 200) << "schemes ignore case";
    http::Parameters form;
    form.add("access_token", token);
    EXPECT_EQ(site.post("/userinfo", form)->status, 200);
    http::Parameters headers;
    headers.add("authorization", "Bearer " + token);
    EXPECT_EQ(site.post("/userinfo", {}, headers)->status, 200);

    EXPECT_EQ(get("", "?access_token=" + token).status, 401);
    EXPECT_EQ(get("Bearer " + token, "?access_token=" + token).status, 400);
    auto const both = site.post("/userinfo", form, headers).value();
    EXPECT_EQ(both.status, 400);
    EXPECT_THAT(challenge(both), HasSubstr("error=\"invalid_request\""));

    http::Request json_body;
    json_body.method = "POST";
    json_body.path = "/userinfo";
    json_body.headers = {{"content-type", "application/json"}};
    json_body.body = R"({"access_token":")" + token + "\"}";
    EXPECT_EQ(site.ask(json_body)->status, 401);
}

TEST_F(Userinfo, refuses_as_RFC_6750_3_says)
{
    auto const nothing = get("");
    EXPECT_EQ(nothing.status, 401);
    EXPECT_THAT(challenge(nothing), HasSubstr("Bearer realm="));
    EXPECT_THAT(challenge(nothing), Not(HasSubstr("error="))) << "no error where there was no token";
    EXPECT_EQ(get("Basic abc").status, 401);

    for (auto const& token : {std::string{"unheard-of"}, std::string(5000, 'a')}) {
        auto const answer = get("Bearer " + token);
        EXPECT_EQ(answer.status, 401);
        EXPECT_THAT(challenge(answer), HasSubstr("error=\"invalid_token\""));
        EXPECT_EQ(json::parse_object(answer.body)->at("error"), "invalid_token");
    }
    for (std::string const malformed :
         {"Bearer ", "Bearer a b", "Bearer \"quoted\"", "Bearer ===", "Bearer caf\xc3\xa9"}) {
        auto const answer = get(malformed);
        EXPECT_EQ(answer.status, 400) << malformed;
        EXPECT_THAT(challenge(answer), HasSubstr("error=\"invalid_request\"")) << malformed;
    }
}

TEST_F(Userinfo, ends_with_the_token_s_hour)
{
    auto const token = token_for();
    site.clock.at += 1h - 1s;
    EXPECT_EQ(get("Bearer " + token).status, 200);
    site.clock.at += 1s;
    EXPECT_EQ(get("Bearer " + token).status, 401);
}

TEST_F(Userinfo, takes_no_code_and_no_ID_token_for_an_access_token)
{
    site.give_code("a-code");
    EXPECT_EQ(get("Bearer a-code").status, 401);
    auto const answer = site.send(site.token_request("a-code"));
    auto const id_token = json::text(json::parse_object(answer->body).value(), "id_token").value();
    EXPECT_EQ(get("Bearer " + id_token).status, 401);
}

} // namespace
} // namespace symbolon::oidc

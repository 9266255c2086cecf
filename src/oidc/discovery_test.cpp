#include "oidc/discovery.hpp"
#include "oidc/oidc_testing.hpp"

#include <gtest/gtest.h>

namespace symbolon::oidc {
namespace {

class Discovery : public ::testing::Test {
protected:
    testing::Site site;
    json::Object document = discovery(site.provider);

    [[nodiscard]] bool lists(std::string_view member, std::string_view value) const
    {
        return std::ranges::count(document.at(member).as_array(), json::Value(value)) == 1;
    }
};

TEST_F(Discovery, has_every_member_that_its_specifications_require)
{
    for (auto const* const member : {"issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint",
                                     "jwks_uri", "response_types_supported", "subject_types_supported",
                                     "id_token_signing_alg_values_supported", "scopes_supported", "claims_supported"})
        EXPECT_TRUE(document.contains(member)) << member;
    EXPECT_EQ(document.at("issuer"), "https://id.example");
    EXPECT_TRUE(lists("id_token_signing_alg_values_supported", "RS256")) << "must be there (Discovery 1.0, 3)";
    EXPECT_TRUE(lists("id_token_signing_alg_values_supported", "ES256")) << "and once";
}

TEST_F(Discovery, names_only_addresses_that_answer)
{
    for (auto const* const member : {"token_endpoint", "userinfo_endpoint", "jwks_uri"}) {
        std::string const url{document.at(member).as_string()};
        ASSERT_TRUE(url.starts_with(testing::Site::issuer));
        auto const path = url.substr(testing::Site::issuer.size());
        auto const got = site.get(path);
        auto const posted = site.post(path, {});
        EXPECT_TRUE(got || posted) << member;
    }
}

TEST_F(Discovery, says_what_is_refused)
{
    EXPECT_EQ(document.at("request_parameter_supported"), false);
    EXPECT_EQ(document.at("request_uri_parameter_supported"), false);
    EXPECT_EQ(json::write(document.at("code_challenge_methods_supported")), R"(["S256"])");
    EXPECT_EQ(json::write(document.at("response_types_supported")), R"(["code"])");
    EXPECT_EQ(document.at("authorization_response_iss_parameter_supported"), true);
}

TEST_F(Discovery, is_open_to_scripts_of_every_origin)
{
    for (auto const* const path :
         {"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/jwks"}) {
        auto const answer = site.get(path).value();
        EXPECT_EQ(answer.status, 200) << path;
        EXPECT_EQ(testing::header(answer, "Access-Control-Allow-Origin"), "*") << path;
        EXPECT_EQ(testing::header(answer, "Content-Type"), "application/json") << path;
    }
    http::Request asked_before;
    asked_before.method = "OPTIONS";
    asked_before.path = "/userinfo";
    auto const answer = site.ask(asked_before).value();
    EXPECT_EQ(answer.status, 204);
    EXPECT_NE(testing::header(answer, "Access-Control-Allow-Headers").find("Authorization"), std::string::npos);
}

TEST_F(Discovery, gives_the_public_half_of_every_key_and_nothing_private)
{
    auto const answer = site.get("/jwks").value();
    auto const set = json::parse_object(answer.body).value();
    ASSERT_EQ(set.at("keys").as_array().size(), 3U) << "an old key's signatures are still about";
    for (auto const& key : set.at("keys").as_array()) {
        for (auto const* const member : {"kty", "kid", "use", "alg"}) EXPECT_TRUE(key.as_object().contains(member));
        for (auto const* const secret : {"d", "p", "q", "dp", "dq", "qi", "k"})
            EXPECT_FALSE(key.as_object().contains(secret)) << secret;
    }
    auto const read = crypto::parse_jwk_set(answer.body);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->size(), 3U);
}

TEST_F(Discovery, follows_a_rotation_while_the_program_runs)
{
    using enum crypto::SignatureAlgorithm;
    auto const key = [](std::string name) {
        return crypto::SigningKey{.key_id = std::move(name),
                                  .algorithm = es256,
                                  .key = crypto::PrivateKey::generate(crypto::KeyType::ec_p256)};
    };
    auto const begin = site.clock.at;
    site.provider.use_keys({{.key = key("old"), .signs_until = begin + 1h, .published_until = begin + 24h},
                            {.key = key("new"), .signs_from = begin + 1h}});
    auto const published = [&] {
        std::vector<std::string> names;
        auto const set = json::parse_object(site.get("/jwks")->body).value();
        for (auto const& each : set.at("keys").as_array()) names.emplace_back(each.at("kid").as_string());
        return names;
    };
    auto const signs = [&] { return site.provider.signing_key("ES256", site.clock.at)->key_id; };

    EXPECT_EQ(published(), (std::vector<std::string>{"old", "new"})) << "known before it signs";
    EXPECT_EQ(signs(), "old");
    site.clock.at = begin + 1h;
    EXPECT_EQ(published(), (std::vector<std::string>{"new", "old"}));
    EXPECT_EQ(signs(), "new");
    site.clock.at = begin + 24h;
    EXPECT_EQ(published(), std::vector<std::string>{"new"});
    EXPECT_EQ(site.provider.own_verification_keys().size(), 2U) << "what the old one signed was signed here";
}

} // namespace
} // namespace symbolon::oidc

#include "oidc/authorization_request.hpp"
#include "oidc/id_token.hpp"
#include "oidc/oidc_testing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace symbolon::oidc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::string const challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"; // RFC 7636, appendix B

/// A request that is good in every way, and one with a parameter changed: an empty value takes it away.
http::Parameters request(std::vector<std::pair<std::string, std::string>> const& changes = {})
{
    std::vector<std::pair<std::string, std::string>> pairs{{"response_type", "code"},
                                                           {"client_id", "shop"},
                                                           {"redirect_uri", "https://shop.example/cb"},
                                                           {"scope", "openid profile"},
                                                           {"state", "s-1"},
                                                           {"nonce", "n-1"},
                                                           {"code_challenge", challenge},
                                                           {"code_challenge_method", "S256"}};
    for (auto const& [name, value] : changes) {
        std::erase_if(pairs, [&](auto const& pair) { return pair.first == name; });
        if (!value.empty()) pairs.emplace_back(name, value);
    }
    return http::Parameters{pairs};
}

class AuthorizationRequests : public ::testing::Test {
protected:
    testing::Site site;
    partner::Client client = site.client("shop");

    std::string outcome(http::Parameters const& parameters)
    {
        auto const checked = check_request(parameters, client, "https://shop.example/cb", site.provider);
        return checked ? "" : std::string{name_of(checked.error().outcome)};
    }
    std::string outcome(std::vector<std::pair<std::string, std::string>> const& changes)
    {
        return outcome(request(changes));
    }

    std::string error(std::vector<std::pair<std::string, std::string>> const& changes)
    {
        auto const checked = check_request(request(changes), client, "https://shop.example/cb", site.provider);
        return checked ? "" : std::string{row_of(checked.error().outcome).oauth_error};
    }
};

TEST_F(AuthorizationRequests, keep_what_the_answer_needs)
{
    auto const checked = check_request(request({{"ui_locales", "es nl-BE de"},
                                                {"login_hint", "+32470123456"},
                                                {"max_age", "3600"},
                                                {"scope", "email openid unheard_of profile"},
                                                {"acr_values", "a b"}}),
                                       client, "https://shop.example/cb", site.provider);
    ASSERT_TRUE(checked) << checked.error().detail;
    EXPECT_EQ(checked->client.text(), "shop");
    EXPECT_EQ(checked->redirect_uri, "https://shop.example/cb");
    EXPECT_EQ(checked->state, "s-1");
    EXPECT_EQ(checked->nonce, "n-1");
    EXPECT_EQ(checked->code_challenge, challenge);
    EXPECT_THAT(checked->scopes, ElementsAre("openid", "profile", "email"));
    EXPECT_THAT(checked->ui_locales, ElementsAre(Language::nl, Language::de));
    EXPECT_THAT(checked->acr_values, ElementsAre("a", "b"));
    EXPECT_EQ(checked->login_hint, "+32470123456");
    EXPECT_EQ(checked->max_age, Seconds{3600});
}

TEST_F(AuthorizationRequests, are_refused_with_the_error_of_RFC_6749_and_OpenID_Connect)
{
    EXPECT_EQ(error({}), "");
    EXPECT_EQ(error({{"response_type", ""}}), "invalid_request");
    EXPECT_EQ(error({{"response_type", "token"}}), "unsupported_response_type");
    EXPECT_EQ(error({{"response_type", "code id_token"}}), "unsupported_response_type");
    EXPECT_EQ(error({{"response_type", "none"}}), "unsupported_response_type");
    EXPECT_EQ(error({{"response_mode", "query"}}), "");
    EXPECT_EQ(error({{"response_mode", "fragment"}}), "invalid_request");
    EXPECT_EQ(error({{"response_mode", "form_post"}}), "invalid_request");
    EXPECT_EQ(error({{"scope", ""}}), "invalid_scope");
    EXPECT_EQ(error({{"scope", "profile email"}}), "invalid_scope");
    EXPECT_EQ(error({{"scope", "OPENID"}}), "invalid_scope");
    EXPECT_EQ(error({{"scope", "openid \"quoted\""}}), "invalid_scope");
    EXPECT_EQ(error({{"scope", "openid caf\xc3\xa9"}}), "invalid_scope");
    EXPECT_EQ(error({{"request", "eyJhbGciOiJub25lIn0.e30."}}), "request_not_supported");
    EXPECT_EQ(error({{"request_uri", "https://shop.example/request"}}), "request_uri_not_supported");
    EXPECT_EQ(error({{"registration", "{}"}}), "registration_not_supported");
    EXPECT_EQ(error({{"prompt", "none"}}), "login_required");
    EXPECT_EQ(error({{"prompt", "none login"}}), "invalid_request");
    EXPECT_EQ(error({{"prompt", "dance"}}), "invalid_request");
    EXPECT_EQ(error({{"prompt", "login consent select_account"}}), "");
    EXPECT_EQ(error({{"max_age", "0"}}), "");
    EXPECT_EQ(error({{"max_age", "-1"}}), "invalid_request");
    EXPECT_EQ(error({{"max_age", "1h"}}), "invalid_request");
    EXPECT_EQ(error({{"max_age", "99999999999999999999"}}), "invalid_request");
    EXPECT_EQ(error({{"claims", "no json"}}), "invalid_request");
    EXPECT_EQ(error({{"id_token_hint", "no.jwt.at_all"}}), "invalid_request");
    EXPECT_EQ(error({{"state", std::string(4097, 's')}}), "invalid_request");
    EXPECT_EQ(error({{"state", std::string(4096, 's')}}), "");
    EXPECT_EQ(error({{"nonce", std::string(1025, 'n')}}), "invalid_request");
    EXPECT_EQ(error({{"acr_values", std::string(2049, 'a')}}), "invalid_request");
    EXPECT_EQ(error({{"display", "popup"}, {"resource", "x"}, {"unheard_of", "y"}}), "");
}

TEST_F(AuthorizationRequests, must_not_repeat_a_parameter_that_is_known)
{
    for (auto const* const name : {"scope", "state", "nonce", "response_type", "code_challenge", "prompt", "claims"}) {
        auto parameters = request();
        parameters.add(name, "a");
        parameters.add(name, "a");
        EXPECT_EQ(outcome(parameters), "parameter_repeated") << name;
    }
    auto parameters = request();
    parameters.add("resource", "https://a.example");
    parameters.add("resource", "https://b.example");
    EXPECT_EQ(outcome(parameters), "") << "RFC 8707 repeats it, and it means nothing here";
}

TEST_F(AuthorizationRequests, need_a_challenge_by_S256)
{
    EXPECT_EQ(outcome({{"code_challenge", ""}, {"code_challenge_method", ""}}), "challenge_missing");
    EXPECT_EQ(outcome({{"code_challenge", ""}}), "challenge_missing");
    EXPECT_EQ(outcome({{"code_challenge_method", ""}}), "challenge_method_unsupported") << "means plain";
    EXPECT_EQ(outcome({{"code_challenge_method", "plain"}}), "challenge_method_unsupported");
    EXPECT_EQ(outcome({{"code_challenge_method", "s256"}}), "challenge_method_unsupported");
    EXPECT_EQ(outcome({{"code_challenge", challenge + "="}}), "request_malformed");
    EXPECT_EQ(outcome({{"code_challenge", challenge.substr(1)}}), "request_malformed");
    EXPECT_EQ(outcome({{"code_challenge", "a" + challenge}}), "request_malformed");

    client.requires_pkce = false;
    EXPECT_EQ(outcome({{"code_challenge", ""}, {"code_challenge_method", ""}}), "");
    EXPECT_EQ(outcome({{"code_challenge", ""}}), "challenge_missing") << "a method without its challenge";
    client.authentication = partner::ClientAuthentication::none;
    EXPECT_EQ(outcome({{"code_challenge", ""}, {"code_challenge_method", ""}}), "challenge_missing")
        << "public clients have nothing else";
}

TEST_F(AuthorizationRequests, may_name_the_person_and_the_level_that_the_answer_must_have)
{
    auto const asks = [&](std::string const& claims) {
        return check_request(request({{"claims", claims}}), client, "https://shop.example/cb", site.provider);
    };
    EXPECT_THAT(requested_subjects(asks(R"({"userinfo":{"sub":{"value":"abc"}}})").value()), ElementsAre("\"abc\""));
    EXPECT_THAT(requested_subjects(asks(R"({"id_token":{"sub":null}})").value()), IsEmpty());

    auto const low = R"("http://eidas.europa.eu/LoA/low")";
    auto const high = R"("http://eidas.europa.eu/LoA/high")";
    auto const acr = [&](std::string const& values, std::string const& essential) {
        return asks(R"({"id_token":{"acr":{"essential":)" + essential + R"(,"values":[)" + values + "]}}}");
    };
    EXPECT_TRUE(acr(high, "false")) << "a wish";
    EXPECT_TRUE(acr(std::string{high} + ',' + low, "true"));
    EXPECT_TRUE(acr("", "true"));
    EXPECT_TRUE(acr(R"("http://eidas.europa.eu/LoA/substantial")", "true")) << "what a fingerprint gives";
    auto const unmet = acr(high, "true");
    ASSERT_FALSE(unmet);
    EXPECT_EQ(row_of(unmet.error().outcome).oauth_error, "unmet_authentication_requirements");
}

TEST_F(AuthorizationRequests, keep_of_the_claims_parameter_what_means_something_here)
{
    std::string claims = R"({"id_token":{)";
    for (int i = 0; i < 90; ++i) claims += R"("https://claims.example/)" + std::to_string(i) + R"(":null,)";
    claims += R"("sub":null,"auth_time":{"essential":true},"birthdate":{"essential":true,"value":"1985-07-30"},)"
              R"("acr":{"essential":true,"values":["http://eidas.europa.eu/LoA/low",")" +
              std::string(5000, 'x') + R"("]}},"userinfo":{"email":null,"shoe_size":null}})";
    auto const kept = check_request(request({{"claims", claims}}), client, "https://shop.example/cb", site.provider);
    ASSERT_TRUE(kept) << kept.error().detail;
    std::vector<std::string> names;
    for (auto const& claim : kept->id_token_claims) {
        names.push_back(claim.name);
        EXPECT_EQ(claim.values.size(), claim.name == "acr" ? 1U : 0U) << claim.name;
        EXPECT_EQ(claim.essential, claim.name != "sub") << claim.name;
    }
    EXPECT_THAT(names, UnorderedElementsAre("sub", "auth_time", "birthdate", "acr"));
    ASSERT_EQ(kept->userinfo_claims.size(), 1U);
    EXPECT_EQ(kept->userinfo_claims.front().name, "email");

    // Who is nobody's subject is kept as nobody, not as anybody.
    claims = R"({"id_token":{"sub":{"value":")" + std::string(9000, 'x') + R"("}}})";
    auto const nobody = check_request(request({{"claims", claims}}), client, "https://shop.example/cb", site.provider);
    ASSERT_EQ(requested_subjects(nobody.value()).size(), 1U);
    EXPECT_LT(requested_subjects(*nobody).front().size(), 100U);
}

TEST_F(AuthorizationRequests, take_a_hint_only_from_a_token_that_this_client_got_here)
{
    grant::Grant grant;
    grant.account = site.holder;
    auto const account = run_now(site.store.accounts().find(site.holder)).value()->value;
    auto const token_for = [&](std::string const& id) {
        return id_token(grant, account, site.client(id), "token", site.provider, site.clock.at - 24h * 365).value();
    };
    auto const checked = check_request(request({{"id_token_hint", token_for("shop")}}), client,
                                       "https://shop.example/cb", site.provider);
    ASSERT_TRUE(checked) << checked.error().detail;
    EXPECT_EQ(requested_subjects(*checked).size(), 1U) << "though it expired long ago";
    EXPECT_EQ(outcome({{"id_token_hint", token_for("poster")}}), "request_malformed");
    auto forged = token_for("shop");
    forged.back() = forged.back() == 'A' ? 'Q' : 'A';
    EXPECT_EQ(outcome({{"id_token_hint", forged}}), "request_malformed");
}

// ---- before the redirect URI is trusted

TEST_F(AuthorizationRequests, go_only_to_a_redirect_URI_that_is_registered_sign_by_sign)
{
    auto const outcome_of_uri = [&](std::string const& uri) {
        auto const trusted = trusted_redirect_uri(request({{"redirect_uri", uri}}), client);
        return trusted ? *trusted == uri ? "" : "changed" : std::string{name_of(trusted.error().outcome)};
    };
    EXPECT_EQ(outcome_of_uri("https://shop.example/cb"), "");
    EXPECT_EQ(outcome_of_uri("https://shop.example/cb?tenant=1"), "");
    EXPECT_EQ(outcome_of_uri(""), "redirect_uri_missing");
    for (auto const* const uri : {
             "https://shop.example/cb/",
             "https://shop.example/CB",
             "https://SHOP.example/cb",
             "HTTPS://shop.example/cb",
             "http://shop.example/cb",
             "https://shop.example:443/cb",
             "https://shop.example:8443/cb",
             "https://shop.example/cb?",
             "https://shop.example/cb?x=1",
             "https://shop.example/cb?tenant=1&x=1",
             "https://shop.example/cb?tenant=2",
             "https://shop.example/cb#",
             "https://shop.example/cb#x",
             "https://user@shop.example/cb",
             "https://shop.example@evil.example/cb",
             "https://shop.example.evil.example/cb",
             "https://evil.example/cb",
             "https://shop.example/cb/../cb",
             "https://shop.example/%63b",
             "https://shop.example//cb",
             "https://shop.example\\@evil.example/cb",
             " https://shop.example/cb",
             "https://shop.example/cb ",
             "https://shop.example/cb\r\nSet-Cookie: a=b",
             "//shop.example/cb",
             "/cb",
             "javascript:alert(1)",
             "https://shop.example/c",
         })
        EXPECT_EQ(outcome_of_uri(uri), "redirect_uri_mismatch") << uri;

    client.redirect_uris = {"https://shop.example/cb#x"};
    EXPECT_EQ(outcome_of_uri("https://shop.example/cb#x"), "redirect_uri_mismatch") << "registered by mistake";
    auto twice = request();
    twice.add("redirect_uri", "https://shop.example/cb");
    EXPECT_EQ(trusted_redirect_uri(twice, client).error().outcome, Outcome::parameter_repeated);
}

TEST_F(AuthorizationRequests, RFC_8252_7_3_of_an_app_may_come_back_to_any_port_of_a_loopback_address)
{
    auto const is_taken = [&](std::string const& uri) {
        auto const trusted = trusted_redirect_uri(request({{"redirect_uri", uri}}), client);
        return trusted && *trusted == uri;
    };
    client.redirect_uris = {"http://127.0.0.1/cb", "http://[::1]:8080/cb?a=b", "http://localhost:9/cb",
                            "https://127.0.0.1/secure"};
    for (auto const* const uri :
         {"http://127.0.0.1:51004/cb", "http://127.0.0.1:1/cb", "http://[::1]:51004/cb?a=b", "http://[::1]/cb?a=b"}) {
        client.authentication = partner::ClientAuthentication::none;
        EXPECT_TRUE(is_taken(uri)) << uri;
        client.authentication = partner::ClientAuthentication::client_secret_basic;
        EXPECT_FALSE(is_taken(uri)) << uri;
    }
    client.authentication = partner::ClientAuthentication::none;
    for (auto const* const uri :
         {"http://127.0.0.1:51004/CB", "http://127.0.0.1:51004/cb/", "http://127.0.0.1:51004/cb?x",
          "http://127.0.0.1:/cb", "http://127.0.0.1:510045/cb", "http://127.0.0.1:80@evil.example/cb",
          "http://127.0.0.1:80.evil.example/cb", "http://127.0.0.1.evil.example/cb", "http://127.0.0.1@evil.example/cb",
          "http://127.0.0.1:51004#/cb", "http://127.0.0.1:-1/cb", "http://127.0.0.2/cb", "http://[::1]:51004/cb",
          "http://[::1]:51004/cb?a=c", "http://localhost:51004/cb", "https://127.0.0.1:51004/secure",
          "http://127.0.0.1:51004", "http://127.0.0.1:"})
        EXPECT_FALSE(is_taken(uri)) << uri;
}

TEST_F(AuthorizationRequests, name_their_client_once)
{
    EXPECT_EQ(client_named(request()).value().text(), "shop");
    EXPECT_EQ(client_named(request({{"client_id", ""}})).error().outcome, Outcome::client_unknown);
    EXPECT_EQ(client_named(request({{"client_id", std::string(256, 'c')}})).error().outcome, Outcome::client_unknown);
    auto twice = request();
    twice.add("client_id", "shop");
    EXPECT_EQ(client_named(twice).error().outcome, Outcome::parameter_repeated);
}

} // namespace
} // namespace symbolon::oidc

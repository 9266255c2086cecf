#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "oidc/oidc_testing.hpp"
#include "oidc/redemption.hpp"
#include "oidc/subject.hpp"
#include "oidc/token.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace symbolon::oidc {
namespace {

using ::testing::StartsWith;
using testing::TokenRequest;

auto const noon = store::testing::noon;

// ---- the rule

std::string refusal(std::string const& client_id, Instant now, std::string const& redirect_uri,
                    std::string const& verifier)
{
    grant::Grant grant;
    grant.client = ClientId{"shop"};
    grant.expires_at = noon + 60s;
    grant.redirect_uri = "https://shop.example/cb";
    grant.code_challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"; // RFC 7636, appendix B
    partner::Client client;
    client.id = ClientId{client_id};
    CodeRedemption const request{.code = {}, .redirect_uri = redirect_uri, .code_verifier = verifier};
    auto const checked = check_redemption(grant, request, client, now);
    return checked ? "" : std::string{name_of(checked.error().outcome)};
}

TEST(CodeRedemption, is_refused_for_the_first_reason_that_holds)
{
    std::string const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    // clang-format off
    //                client  now         redirect_uri                verifier
    EXPECT_EQ(refusal("shop", noon,       "https://shop.example/cb",  verifier), "");
    EXPECT_EQ(refusal("shop", noon + 59s, "https://shop.example/cb",  verifier), "");
    EXPECT_EQ(refusal("bank", noon + 60s, "https://shop.example/cb/", "guess"),  "code_of_other_client");
    EXPECT_EQ(refusal("shop", noon + 60s, "https://shop.example/cb/", "guess"),  "code_expired");
    EXPECT_EQ(refusal("shop", noon,       "https://shop.example/cb/", "guess"),  "code_redirect_uri_mismatch");
    EXPECT_EQ(refusal("shop", noon,       "https://shop.example/cb",  "guess"),  "verifier_mismatch");
    EXPECT_EQ(refusal("shop", noon,       "https://shop.example/cb",  ""),       "verifier_mismatch");
    // clang-format on
}

TEST(CodeRedemption, needs_the_verifier_of_its_challenge)
{
    auto const challenge_of = [](std::string const& verifier) { return crypto::base64url(crypto::sha256(verifier)); };
    auto const answers = [&](std::string const& verifier) {
        return answers_challenge(verifier, challenge_of(verifier));
    };
    EXPECT_TRUE(answers(std::string(43, 'a')));
    EXPECT_TRUE(answers(std::string(128, '~')));
    EXPECT_FALSE(answers(std::string(42, 'a'))) << "too short to be a secret";
    EXPECT_FALSE(answers(std::string(129, 'a')));
    EXPECT_FALSE(answers(std::string(42, 'a') + '+')) << "a sign that RFC 7636 does not have";
    EXPECT_FALSE(answers(std::string(42, 'a') + '\n'));
    EXPECT_FALSE(answers_challenge(std::string(43, 'a'), challenge_of(std::string(43, 'b'))));
    EXPECT_FALSE(answers_challenge(challenge_of("x"), challenge_of("x"))) << "plain";
    EXPECT_TRUE(answers_challenge("", ""));
    EXPECT_FALSE(answers_challenge(std::string(43, 'a'), "")) << "somebody stripped the challenge on the way";
}

// ---- the endpoint

class TokenEndpoint : public ::testing::Test {
protected:
    testing::Site site;

    struct Answer {
        int status;
        json::Object body;
        http::Response response;
        std::string error() const { return body.contains("error") ? std::string{body.at("error").as_string()} : ""; }
        std::string text(std::string_view name) const { return json::text(body, name).value_or(""); }
    };

    Answer send(TokenRequest const& request)
    {
        auto response = site.send(request);
        EXPECT_TRUE(response);
        return {response->status, json::parse_object(response->body).value(), *response};
    }

    /// A request with one parameter changed; an empty value takes it away.
    static TokenRequest changed(TokenRequest request, std::string const& name, std::string const& value)
    {
        auto pairs = request.form.pairs();
        std::erase_if(pairs, [&](auto const& pair) { return pair.first == name; });
        if (!value.empty()) pairs.emplace_back(name, value);
        request.form = http::Parameters{pairs};
        return request;
    }
    TokenRequest changed_request(std::string const& name, std::string const& value, std::string const& client = "shop")
    {
        return changed(site.token_request("code-1", client), name, value);
    }

    int userinfo_status(std::string const& access_token)
    {
        http::Parameters headers;
        headers.add("authorization", "Bearer " + access_token);
        return site.get("/userinfo", headers)->status;
    }
};

TEST_F(TokenEndpoint, gives_tokens_for_a_code_to_each_kind_of_client)
{
    for (std::string const client : {"shop", "poster", "bank", "app", "old"}) {
        site.give_code("code of " + client, client);
        auto const answer = send(site.token_request("code of " + client, client));
        ASSERT_EQ(answer.status, 200) << client << ' ' << answer.response.body;
        EXPECT_EQ(answer.text("token_type"), "Bearer");
        EXPECT_EQ(answer.body.at("expires_in"), 3600);
        EXPECT_EQ(answer.text("scope"), "openid profile email");
        EXPECT_EQ(answer.text("access_token").size(), 43U);
        EXPECT_FALSE(answer.body.contains("refresh_token"));
        EXPECT_EQ(testing::header(answer.response, "Cache-Control"), "no-store");
        EXPECT_EQ(testing::header(answer.response, "Pragma"), "no-cache");
        EXPECT_EQ(testing::header(answer.response, "Content-Type"), "application/json;charset=UTF-8");
        EXPECT_EQ(testing::header(answer.response, "Access-Control-Allow-Origin"), "*");
        EXPECT_EQ(userinfo_status(answer.text("access_token")), 200);
    }
}

TEST_F(TokenEndpoint, signs_an_ID_token_of_OpenID_Connect_2)
{
    site.give_code("code-1");
    auto const answer = send(site.token_request("code-1"));
    std::string algorithm;
    auto const claims = testing::verified_payload(site.provider, answer.text("id_token"), &algorithm);
    EXPECT_EQ(algorithm, "ES256");
    EXPECT_EQ(claims.at("iss"), "https://id.example");
    EXPECT_EQ(claims.at("aud"), "shop");
    EXPECT_EQ(json::text(claims, "sub"), subject_of(site.holder, site.client("shop"), site.provider));
    EXPECT_EQ(claims.at("iat"), numeric_date(noon));
    EXPECT_EQ(claims.at("exp"), numeric_date(noon + 5min));
    EXPECT_EQ(claims.at("auth_time"), numeric_date(noon - 5s));
    EXPECT_EQ(claims.at("nonce"), "n-1");
    EXPECT_EQ(claims.at("acr"), "http://eidas.europa.eu/LoA/low");
    EXPECT_EQ(json::write(claims.at("amr")), R"(["mfa","swk","pin"])");
    auto digest = crypto::sha256(answer.text("access_token"));
    digest.resize(16);
    EXPECT_EQ(json::text(claims, "at_hash"), crypto::base64url(digest));
    EXPECT_FALSE(claims.contains("name")) << "a scope's claims are given at userinfo (5.4)";

    site.give_code("code-2", "bank");
    auto const rsa = send(site.token_request("code-2", "bank"));
    (void)testing::verified_payload(site.provider, rsa.text("id_token"), &algorithm);
    EXPECT_EQ(algorithm, "RS256") << "as the client registered";
}

TEST_F(TokenEndpoint, refuses_with_the_errors_of_RFC_6749_5_2)
{
    site.give_code("code-1");
    struct Case {
        std::string name, value, error;
        int status;
    };
    for (auto const& [name, value, error, status] : std::vector<Case>{
             {"grant_type", "", "invalid_request", 400},
             {"grant_type", "client_credentials", "unsupported_grant_type", 400},
             {"grant_type", "password", "unsupported_grant_type", 400},
             {"grant_type", "refresh_token", "unsupported_grant_type", 400},
             {"code", "", "invalid_request", 400},
             {"code", "unheard-of", "invalid_grant", 400},
             {"code", std::string(5000, 'c'), "invalid_grant", 400},
             {"redirect_uri", "", "invalid_request", 400},
             {"redirect_uri", "https://shop.example/cb/", "invalid_grant", 400},
             {"redirect_uri", "https://shop.example/cb?tenant=1", "invalid_grant", 400},
             {"code_verifier", "", "invalid_grant", 400},
             {"code_verifier", std::string(43, 'x'), "invalid_grant", 400},
             {"client_id", "nobody", "invalid_client", 401},
         }) {
        auto const answer = send(changed_request(name, value));
        EXPECT_EQ(answer.error(), error) << name << '=' << value;
        EXPECT_EQ(answer.status, status) << name << '=' << value;
        EXPECT_EQ(testing::header(answer.response, "Cache-Control"), "no-store");
    }
    auto wrong_secret = site.token_request("code-1");
    wrong_secret.authorization = "Basic " + crypto::base64(bytes_of("shop:wrong"));
    auto const answer = send(wrong_secret);
    EXPECT_EQ(answer.error(), "invalid_client");
    EXPECT_EQ(answer.status, 401);
    EXPECT_THAT(testing::header(answer.response, "WWW-Authenticate"), StartsWith("Basic "));
    EXPECT_EQ(send(site.token_request("code-1")).status, 200) << "nothing of this used the code up";
}

TEST_F(TokenEndpoint, refuses_a_body_that_is_no_form_and_a_parameter_twice)
{
    http::Request request;
    request.method = "POST";
    request.path = "/token";
    request.headers = {{"content-type", "application/json"}};
    request.body = "{}";
    auto answer = site.ask(request);
    EXPECT_EQ(answer->status, 400);
    EXPECT_EQ(json::parse_object(answer->body)->at("error"), "invalid_request");
    request.headers = {{"content-type", "application/x-www-form-urlencoded"}};
    for (auto const* const body : {"grant_type=%zz", "a=%ff", "code=%00", "&&&&", "=", "code=1&code=2"}) {
        request.body = body;
        answer = site.ask(request);
        EXPECT_TRUE(answer->status == 400 || answer->status == 401) << body;
    }
    site.give_code("code-1");
    auto twice = site.token_request("code-1");
    twice.form.add("code", "code-1");
    EXPECT_EQ(send(twice).error(), "invalid_request");
    auto unknown_twice = site.token_request("code-1");
    unknown_twice.form.add("resource", "a");
    unknown_twice.form.add("resource", "b");
    EXPECT_EQ(send(unknown_twice).status, 200);
}

TEST_F(TokenEndpoint, takes_back_the_first_tokens_when_a_code_is_used_twice)
{
    site.give_code("code-1");
    auto const first = send(site.token_request("code-1"));
    ASSERT_EQ(first.status, 200);
    EXPECT_EQ(userinfo_status(first.text("access_token")), 200);

    auto const second = send(site.token_request("code-1"));
    EXPECT_EQ(second.error(), "invalid_grant");
    EXPECT_THAT(second.text("error_description"), StartsWith("code_used"));
    EXPECT_EQ(userinfo_status(first.text("access_token")), 401);
    EXPECT_EQ(send(site.token_request("code-1")).error(), "invalid_grant") << "and a third time";
}

TEST_F(TokenEndpoint, takes_back_tokens_also_when_the_second_use_comes_late)
{
    site.give_code("code-1");
    auto const first = send(site.token_request("code-1"));
    site.clock.at += 10min;
    EXPECT_EQ(send(site.token_request("code-1")).error(), "invalid_grant");
    EXPECT_EQ(userinfo_status(first.text("access_token")), 401);
}

TEST_F(TokenEndpoint, tells_who_repeats_an_assertion_nothing_and_leaves_the_tokens)
{
    site.give_code("code-1", "bank");
    auto const request = site.token_request("code-1", "bank");
    auto const first = send(request);
    ASSERT_EQ(first.status, 200) << first.response.body;

    auto const again = send(request);
    EXPECT_EQ(again.error(), "invalid_client");
    EXPECT_THAT(again.text("error_description"), StartsWith("client_assertion_replayed"));
    EXPECT_EQ(userinfo_status(first.text("access_token")), 200);

    EXPECT_EQ(send(site.token_request("code-1", "bank")).error(), "invalid_grant") << "with another assertion";
    EXPECT_EQ(userinfo_status(first.text("access_token")), 401);
}

TEST_F(TokenEndpoint, takes_an_assertion_once_whatever_else_was_wrong_with_its_request)
{
    for (std::string const wrong : {"code", "redirect_uri", "code_verifier"}) {
        for (std::string const value : {"", "something else"}) {
            auto const code = ("code for " + wrong).append(value);
            site.give_code(code, "bank");
            auto const request = site.token_request(code, "bank");
            EXPECT_EQ(send(changed(request, wrong, value)).status, 400) << wrong << '=' << value;
            EXPECT_EQ(send(request).error(), "invalid_client") << wrong << '=' << value;
            EXPECT_EQ(send(site.token_request(code, "bank")).status, 200) << "the code is still good";
        }
    }
}

TEST_F(TokenEndpoint, lets_no_other_client_use_a_code_nor_take_its_tokens_back)
{
    site.give_code("code-1", "shop");
    auto const stolen = send(site.token_request("code-1", "poster"));
    EXPECT_EQ(stolen.error(), "invalid_grant");
    EXPECT_THAT(stolen.text("error_description"), StartsWith("code_of_other_client"));
    auto const first = send(site.token_request("code-1", "shop"));
    EXPECT_EQ(first.status, 200);
    EXPECT_EQ(send(site.token_request("code-1", "poster")).error(), "invalid_grant");
    EXPECT_EQ(userinfo_status(first.text("access_token")), 200);
}

TEST_F(TokenEndpoint, gives_nothing_for_a_code_that_is_a_minute_old)
{
    site.give_code("code-1");
    site.clock.at += 60s;
    EXPECT_EQ(send(site.token_request("code-1")).error(), "invalid_grant");
}

TEST_F(TokenEndpoint, E8_gives_nothing_once_the_account_is_not_active)
{
    site.give_code("code-1");
    site.set_account_state(account::State::deactivated);
    EXPECT_EQ(send(site.token_request("code-1")).error(), "invalid_grant");
    site.set_account_state(account::State::active);
    auto const given = send(site.token_request("code-1"));
    EXPECT_EQ(given.status, 200);
    site.set_account_state(account::State::blocked);
    EXPECT_EQ(userinfo_status(given.text("access_token")), 401);
}

TEST_F(TokenEndpoint, writes_no_code_token_or_secret_into_the_log)
{
    site.give_code("code-1");
    auto const first = send(site.token_request("code-1"));
    (void)send(site.token_request("code-1"));
    ASSERT_FALSE(site.log.lines.empty());
    for (auto const& line : site.log.lines) {
        EXPECT_EQ(line.find("code-1"), std::string::npos) << line;
        EXPECT_EQ(line.find(first.text("access_token")), std::string::npos) << line;
        EXPECT_EQ(line.find(testing::Site::verifier), std::string::npos) << line;
    }
}

// ---- subjects

TEST(Subjects, are_pairwise_stable_and_say_nothing)
{
    testing::Site site;
    auto shop = site.client("shop");
    auto const subject = subject_of(site.holder, shop, site.provider);
    EXPECT_EQ(subject.size(), 36U);
    EXPECT_TRUE(std::ranges::all_of(subject, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }));
    EXPECT_EQ(subject, subject_of(site.holder, shop, site.provider));
    EXPECT_NE(subject, subject_of(AccountId{"another"}, shop, site.provider));
    EXPECT_NE(subject, subject_of(site.holder, site.client("bank"), site.provider));
    auto same_sector = site.client("bank");
    same_sector.sector_identifier = shop.sector_identifier;
    EXPECT_EQ(subject, subject_of(site.holder, same_sector, site.provider));

    shop.sector_identifier.clear();
    auto by_host = shop;
    by_host.sector_identifier = "shop.example";
    EXPECT_EQ(subject_of(site.holder, shop, site.provider), subject_of(site.holder, by_host, site.provider))
        << "the host of the redirect URI";
}

} // namespace
} // namespace symbolon::oidc

#include "crypto/encoding.hpp"
#include "oidc/client_authentication.hpp"
#include "oidc/oidc_testing.hpp"

#include <gtest/gtest.h>

namespace symbolon::oidc {
namespace {

using json::Object;
using testing::TokenRequest;

class ClientAuthentications : public ::testing::Test {
protected:
    testing::Site site;

    /// The client that a request is from, or the outcome.
    std::string judge(TokenRequest const& sent)
    {
        http::Request request;
        if (!sent.authorization.empty()) request.headers.emplace_back("authorization", sent.authorization);
        auto const credentials = client_credentials(request, sent.form);
        if (!credentials) return std::string{name_of(credentials.error().outcome)};
        auto const client = run_now(authenticate_client(*credentials, site.provider, site.services()));
        if (!client) return std::string{name_of(client.error().outcome)};
        auto const used = run_now(use_assertion(*client, site.services()));
        return used ? client->get().id.text() : std::string{name_of(used.error().outcome)};
    }

    std::string judge_basic(std::string const& pair) { return judge({.form = {}, .authorization = basic(pair)}); }

    static std::string basic(std::string const& pair) { return "Basic " + crypto::base64(bytes_of(pair)); }

    static TokenRequest with(std::vector<http::Parameters::Pair> pairs)
    {
        return {.form = http::Parameters{std::move(pairs)}, .authorization = {}};
    }

    std::string judge_assertion(std::string const& assertion)
    {
        return judge(with({{"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
                           {"client_assertion", assertion}}));
    }
    std::string judge_claims(std::function<void(Object&)> const& change)
    {
        return judge_assertion(site.assertion(change));
    }
};

TEST_F(ClientAuthentications, succeed_by_each_method_for_the_client_that_registered_it)
{
    for (auto const* const client : {"shop", "poster", "bank", "app"})
        EXPECT_EQ(judge(site.token_request("code", client)), client);
}

TEST_F(ClientAuthentications, by_Basic_decode_id_and_secret_as_a_form_does)
{
    std::string const encoded = "a+secret+of+256+bits+%2b+some%25+signs";
    EXPECT_EQ(judge_basic("shop:" + encoded), "shop");
    EXPECT_EQ(judge_basic("sh%6Fp:" + encoded), "shop");
    EXPECT_EQ(judge({.form = {}, .authorization = "bAsIc  " + crypto::base64(bytes_of("shop:" + encoded))}), "shop");
    EXPECT_EQ(judge_basic("shop:" + std::string{testing::Site::secret}), "client_authentication_failed")
        << "not encoded";
    EXPECT_EQ(judge_basic("shop:wrong"), "client_authentication_failed");
    EXPECT_EQ(judge_basic("shop:"), "client_authentication_failed");
    EXPECT_EQ(judge_basic("nobody:" + encoded), "client_authentication_failed");
    EXPECT_EQ(judge_basic("shop"), "client_authentication_failed");
    EXPECT_EQ(judge_basic(":" + encoded), "client_authentication_missing");
    EXPECT_EQ(judge_basic("shop:%zz"), "client_authentication_failed");
    EXPECT_EQ(judge_basic("shop:a&b=c"), "client_authentication_failed");
    EXPECT_EQ(judge_basic("shop:" + std::string(513, 'x')), "client_authentication_failed");
    EXPECT_EQ(judge_basic(std::string{"sh\0p:x", 6}), "client_authentication_failed");
    EXPECT_EQ(judge_basic("\xff\xfe:x"), "client_authentication_failed");
    EXPECT_EQ(judge({.form = {}, .authorization = "Basic ###"}), "client_authentication_failed");
    EXPECT_EQ(judge({.form = {}, .authorization = "Basic"}), "client_authentication_failed");
    EXPECT_EQ(judge({.form = {}, .authorization = "Bearer abc"}), "client_authentication_failed");
}

TEST_F(ClientAuthentications, are_refused_by_another_method_than_the_registered_one)
{
    std::string const secret{testing::Site::secret};
    EXPECT_EQ(judge(with({{"client_id", "shop"}, {"client_secret", secret}})), "client_authentication_failed");
    EXPECT_EQ(judge(with({{"client_id", "shop"}})), "client_authentication_failed");
    EXPECT_EQ(judge(with({{"client_id", "bank"}})), "client_authentication_failed");
    EXPECT_EQ(judge(with({{"client_id", "app"}, {"client_secret", secret}})), "client_authentication_failed");
    EXPECT_EQ(judge_basic("poster:a+secret+of+256+bits+%2b+some%25+signs"), "client_authentication_failed");
    EXPECT_EQ(judge_claims([](Object& claims) { claims["iss"] = claims["sub"] = "shop"; }),
              "client_authentication_failed");
}

TEST_F(ClientAuthentications, use_exactly_one_method)
{
    auto both = site.token_request("code", "shop");
    both.form.add("client_secret", std::string{testing::Site::secret});
    EXPECT_EQ(judge(both), "client_authentication_repeated");
    auto with_assertion = site.token_request("code", "poster");
    with_assertion.form.add("client_assertion", site.assertion());
    EXPECT_EQ(judge(with_assertion), "client_authentication_repeated");
    EXPECT_EQ(judge({}), "client_authentication_missing");

    http::Request twice;
    twice.headers = {{"authorization", basic("shop:x")}, {"authorization", basic("shop:x")}};
    EXPECT_EQ(client_credentials(twice, {}).error().outcome, Outcome::client_authentication_repeated);
}

TEST_F(ClientAuthentications, whose_client_id_contradicts_the_credentials_fail)
{
    auto request = site.token_request("code", "shop");
    request.form.add("client_id", "shop");
    EXPECT_EQ(judge(request), "shop");
    auto other = site.token_request("code", "shop");
    other.form.add("client_id", "bank");
    EXPECT_EQ(judge(other), "client_authentication_failed");
    auto assertion = with({{"client_id", "shop"},
                           {"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
                           {"client_assertion", site.assertion()}});
    EXPECT_EQ(judge(assertion), "client_authentication_failed");
}

TEST_F(ClientAuthentications, by_assertion_hold_for_this_provider_now_and_once)
{
    auto const now = numeric_date(site.clock.at);
    auto const set = [&](std::string const& name, json::Value const& value) {
        return judge_claims([&](Object& claims) { claims[name] = value; });
    };
    auto const without = [&](std::string const& name) {
        return judge_claims([&](Object& claims) { claims.erase(name); });
    };
    std::string const issuer{testing::Site::issuer};

    EXPECT_EQ(set("aud", json::Value(issuer)), "bank");
    EXPECT_EQ(set("aud", json::Value(issuer + "/token")), "bank");
    EXPECT_EQ(set("aud", json::Array{issuer}), "bank");
    EXPECT_EQ(set("aud", json::Array{issuer, "https://other.example"}), "client_assertion_invalid");
    EXPECT_EQ(set("aud", json::Array{"https://other.example"}), "client_assertion_invalid");
    EXPECT_EQ(set("aud", json::Array{issuer, json::Array{issuer}}), "client_assertion_invalid");
    EXPECT_EQ(set("aud", json::Array{}), "client_assertion_invalid");
    EXPECT_EQ(set("aud", json::Value(issuer + "/")), "client_assertion_invalid");
    EXPECT_EQ(set("aud", json::Value(issuer + "/authorize")), "client_assertion_invalid");
    EXPECT_EQ(set("aud", json::Value("https://other.example")), "client_assertion_invalid");
    EXPECT_EQ(set("aud", json::Value(5)), "client_assertion_invalid");
    EXPECT_EQ(without("aud"), "client_assertion_invalid");

    EXPECT_EQ(set("iss", json::Value("shop")), "client_assertion_invalid");
    EXPECT_EQ(without("iss"), "client_assertion_invalid");
    EXPECT_EQ(without("sub"), "client_assertion_invalid");

    EXPECT_EQ(without("exp"), "client_assertion_invalid");
    EXPECT_EQ(set("exp", json::Value(now)), "bank") << "30 s of skew";
    EXPECT_EQ(set("exp", json::Value(now - 30)), "client_assertion_expired");
    EXPECT_EQ(set("exp", json::Value(now + 3630)), "bank");
    EXPECT_EQ(set("exp", json::Value(now + 3631)), "client_assertion_invalid");
    EXPECT_EQ(set("exp", json::Value(static_cast<double>(now) + 60.5)), "bank");
    EXPECT_EQ(set("exp", json::Value(1e300)), "client_assertion_invalid");
    EXPECT_EQ(set("exp", json::Value(std::to_string(now + 60))), "client_assertion_invalid");
    EXPECT_EQ(set("exp", json::Value(-1)), "client_assertion_invalid");
    EXPECT_EQ(set("nbf", json::Value(now + 30)), "bank");
    EXPECT_EQ(set("nbf", json::Value(now + 31)), "client_assertion_invalid");
    EXPECT_EQ(set("iat", json::Value(now + 31)), "client_assertion_invalid");
    EXPECT_EQ(set("iat", json::Value("today")), "client_assertion_invalid");
    EXPECT_EQ(without("iat"), "bank");

    EXPECT_EQ(without("jti"), "client_assertion_invalid");
    EXPECT_EQ(set("jti", json::Value("")), "client_assertion_invalid");
    EXPECT_EQ(set("jti", json::Value(std::string(256, 'j'))), "client_assertion_invalid");
    EXPECT_EQ(set("jti", json::Value("once")), "bank");
    EXPECT_EQ(set("jti", json::Value("once")), "client_assertion_replayed");
}

// Both of ours identify nobody else: openid-client 5 sends them so.
TEST_F(ClientAuthentications, RFC_7523_3_by_assertion_may_name_issuer_and_token_endpoint_together)
{
    std::string const issuer{testing::Site::issuer};
    auto const audience = [&](json::Array const& names) {
        return judge_claims([&](Object& claims) { claims["aud"] = names; });
    };
    EXPECT_EQ(audience({issuer, issuer + "/token"}), "bank");
    EXPECT_EQ(audience({issuer + "/token", issuer}), "bank");
    EXPECT_EQ(audience({issuer, issuer + "/token", "https://other.example"}), "client_assertion_invalid");
}

TEST_F(ClientAuthentications, by_assertion_are_signed_by_a_registered_key)
{
    auto const tampered = [](std::string assertion) {
        auto& sign = assertion.at(assertion.size() - 20);
        sign = sign == 'A' ? 'B' : 'A';
        return assertion;
    };
    EXPECT_EQ(judge_assertion(tampered(site.assertion())), "client_assertion_invalid");
    auto const other_key = crypto::PrivateKey::generate(crypto::KeyType::ec_p256);
    auto const payload = crypto::peek_jws(site.assertion()).value().payload;
    EXPECT_EQ(judge_assertion(crypto::sign_jws({.key_id = "bank-1", .key = other_key}, payload)),
              "client_assertion_invalid");
    EXPECT_EQ(judge_assertion(crypto::base64url(bytes_of(R"({"alg":"none"})")) + '.' +
                              crypto::base64url(bytes_of(payload)) + '.'),
              "client_assertion_invalid");
    EXPECT_EQ(judge_assertion(crypto::base64url(bytes_of(R"({"alg":"HS256"})")) + '.' +
                              crypto::base64url(bytes_of(payload)) + '.' + crypto::base64url(Bytes(32, 1))),
              "client_assertion_invalid");
    for (auto const* const nonsense : {"", "a.b.c", "....", "eyJhbGciOiJFUzI1NiJ9.e30.AA", "\xff"})
        EXPECT_NE(judge_assertion(nonsense), "bank") << nonsense;
    EXPECT_EQ(judge_assertion(std::string(9000, 'a')), "client_assertion_invalid");
}

TEST_F(ClientAuthentications, by_assertion_take_no_JWT_that_was_made_for_something_else)
{
    EXPECT_EQ(judge_assertion(site.assertion({}, "JWT")), "bank");
    EXPECT_EQ(judge_assertion(site.assertion({}, "client-authentication+jwt")), "bank");
    EXPECT_EQ(judge_assertion(site.assertion({}, "dpop+jwt")), "client_assertion_invalid");
    EXPECT_EQ(judge_assertion(site.assertion({}, "oauth-authz-req+jwt")), "client_assertion_invalid");
    EXPECT_EQ(judge(with({{"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"},
                          {"client_assertion", site.assertion()}})),
              "client_assertion_invalid");
    EXPECT_EQ(judge(with({{"client_assertion", site.assertion()}})), "client_assertion_invalid");
}

TEST_F(ClientAuthentications, use_new_keys_as_soon_as_they_are_registered)
{
    EXPECT_EQ(judge_assertion(site.assertion()), "bank");
    auto bank = site.client("bank");
    site.bank_key = crypto::PrivateKey::generate(crypto::KeyType::ec_p256);
    EXPECT_EQ(judge_assertion(site.assertion()), "client_assertion_invalid");
    bank.jwks = json::write(Object{{"keys", json::Array{site.bank_key.public_key().jwk()}}});
    site.save(bank);
    EXPECT_EQ(judge_assertion(site.assertion()), "bank");
    bank.jwks = "no key set";
    site.save(bank);
    EXPECT_EQ(judge_assertion(site.assertion()), "client_assertion_invalid");
}

} // namespace
} // namespace symbolon::oidc

#include "app/registration.hpp"
#include "base/json.hpp"
#include "crypto/hash.hpp"
#include "crypto/key.hpp"
#include "store/store_testing.hpp"

#include <gtest/gtest.h>

namespace symbolon::app {
namespace {

Registration shop()
{
    return {.names = {{Language::en, "Shop"}, {Language::fr, "Magasin"}},
            .redirect_uris = {"https://shop.example/cb", "https://shop.example/other?x=1"}};
}

Result<Registered> registered(Registration const& registration)
{
    store::testing::RepeatableRandom random{1};
    return register_client(registration, random, store::testing::noon);
}

std::string jwk_set(json::Object const& key) { return R"({"keys":[)" + json::write(key) + "]}"; }

TEST(Registration, makes_a_client_whose_secret_is_told_once)
{
    auto const made = registered(shop()).value();
    ASSERT_TRUE(made.secret);
    EXPECT_EQ(made.secret->reveal().size(), 43U);
    EXPECT_EQ(made.client.secret_hash, crypto::sha256(made.secret->reveal()));
    EXPECT_EQ(made.client.names.at(Language::fr), "Magasin");
    EXPECT_EQ(made.client.domain, "shop.example");
    EXPECT_EQ(made.client.sector_identifier, "shop.example");
    EXPECT_EQ(made.client.redirect_uris.size(), 2U);
    EXPECT_TRUE(made.client.requires_pkce);
    EXPECT_FALSE(made.client.id.empty());
}

TEST(Registration, a_client_with_keys_or_without_a_secret_gets_none)
{
    auto with_keys = shop();
    with_keys.token_endpoint_auth_method = "private_key_jwt";
    with_keys.jwks = jwk_set(crypto::PrivateKey::generate(crypto::KeyType::ec_p256).public_key().jwk());
    EXPECT_FALSE(registered(with_keys)->secret);
    EXPECT_TRUE(registered(with_keys)->client.secret_hash.empty());
    auto in_the_open = shop();
    in_the_open.token_endpoint_auth_method = "none";
    EXPECT_FALSE(registered(in_the_open)->secret);
}

TEST(Registration, takes_no_private_key_even_beside_a_public_one)
{
    auto const key = crypto::PrivateKey::generate(crypto::KeyType::ec_p256).public_key().jwk();
    auto leaked = key;
    leaked["d"] = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";
    auto registration = shop();
    registration.token_endpoint_auth_method = "private_key_jwt";
    registration.jwks = json::write(json::Object{{"keys", json::Array{key, leaked}}});
    auto const made = registered(registration);
    ASSERT_FALSE(made);
    EXPECT_NE(made.error().detail.find("private key"), std::string::npos);
    EXPECT_EQ(made.error().detail.find("jpsQ"), std::string::npos);
    registration.jwks = json::write(json::Object{{"keys", json::Array{key, key}}});
    EXPECT_TRUE(registered(registration));
}

TEST(Registration, of_apps_that_listen_on_loopback_alone_makes_each_a_sector_of_its_own)
{
    auto app = shop();
    app.token_endpoint_auth_method = "none";
    store::testing::RepeatableRandom random{1};
    for (auto const& uris : std::vector<std::vector<std::string>>{
             {"http://127.0.0.1/cb"}, {"http://127.0.0.1/cb", "http://[::1]/cb"}, {"http://localhost:8403/cb"}}) {
        app.redirect_uris = uris;
        auto const one = register_client(app, random, store::testing::noon);
        auto const other = register_client(app, random, store::testing::noon);
        ASSERT_TRUE(one && other) << uris.size();
        EXPECT_EQ(one->client.sector_identifier, one->client.id.text());
        EXPECT_NE(one->client.sector_identifier, other->client.sector_identifier);
    }
    app.redirect_uris = {"http://127.0.0.1/cb", "https://shop.example/cb"};
    EXPECT_EQ(registered(app)->client.sector_identifier, "shop.example");
    app.redirect_uris = {"http://127.0.0.1/cb"};
    app.sector_identifier = "shop.example";
    EXPECT_EQ(registered(app)->client.sector_identifier, "shop.example");
}

TEST(Registration, takes_no_keys_with_which_no_assertion_could_ever_be_signed)
{
    using crypto::KeyType;
    auto const key = [](KeyType type, std::string_view algorithm = {}) {
        auto jwk = crypto::PrivateKey::generate(type).public_key().jwk();
        if (!algorithm.empty()) jwk["alg"] = algorithm;
        return jwk;
    };
    auto registration = shop();
    auto const is_taken = [&](json::Array keys) {
        registration.jwks = json::write(json::Object{{"keys", std::move(keys)}});
        auto const made = registered(registration);
        if (!made) EXPECT_NE(made.error().detail.find("ES256, PS256, RS256, EdDSA"), std::string::npos);
        return made.has_value();
    };
    registration.token_endpoint_auth_method = "private_key_jwt";
    EXPECT_FALSE(is_taken({key(KeyType::ec_p384)}));
    EXPECT_FALSE(is_taken({key(KeyType::ec_p384, "ES384")}));
    EXPECT_TRUE(is_taken({key(KeyType::ec_p384), key(KeyType::ec_p256)}));
    EXPECT_TRUE(is_taken({key(KeyType::rsa)}));
    EXPECT_TRUE(is_taken({key(KeyType::rsa, "PS256")}));
    EXPECT_TRUE(is_taken({key(KeyType::ed25519, "EdDSA")}));
    registration.token_endpoint_auth_method = "client_secret_basic";
    EXPECT_TRUE(is_taken({key(KeyType::ec_p384)})) << "which signs nothing here";
}

TEST(Registration, changes_what_is_given_and_no_subject_of_anybody)
{
    store::testing::RepeatableRandom random{2};
    auto const before = registered(shop())->client;
    auto const after = change_client(before, {.redirect_uris = {"https://new.example/cb"}, .new_secret = true}, random);
    ASSERT_TRUE(after) << after.error().detail;
    EXPECT_EQ(after->client.redirect_uris, std::vector<std::string>{"https://new.example/cb"});
    EXPECT_EQ(after->client.sector_identifier, "shop.example");
    EXPECT_EQ(after->client.secret_hash, crypto::sha256(after->secret->reveal()));
    EXPECT_NE(after->client.secret_hash, before.secret_hash);
    EXPECT_EQ(after->client.names, before.names);

    auto with_keys = shop();
    with_keys.token_endpoint_auth_method = "private_key_jwt";
    with_keys.jwks = jwk_set(crypto::PrivateKey::generate(crypto::KeyType::ec_p256).public_key().jwk());
    auto const signer = registered(with_keys)->client;
    auto const fresh = jwk_set(crypto::PrivateKey::generate(crypto::KeyType::ec_p256).public_key().jwk());
    EXPECT_EQ(change_client(signer, {.redirect_uris = {}, .jwks = fresh}, random)->client.jwks, fresh);

    auto const refused = [&](RegistrationChange const& change) {
        auto const changed = change_client(signer, change, random);
        return changed ? "" : changed.error().detail;
    };
    EXPECT_NE(refused({}).find("nothing to change"), std::string::npos);
    EXPECT_NE(refused({.redirect_uris = {}, .jwks = {}, .new_secret = true}).find("has no secret"), std::string::npos);
    EXPECT_NE(refused({.redirect_uris = {"http://shop.example/"}}), "");
    EXPECT_NE(refused({.redirect_uris = {}, .jwks = "{}"}), "");
}

TEST(Registration, is_refused_with_what_is_wrong)
{
    auto const refusal = [](auto change) {
        auto registration = shop();
        change(registration);
        auto const made = registered(registration);
        return made ? std::string{"was accepted"} : made.error().detail;
    };
    using R = Registration;
    auto const uri = [&](std::string text) { return refusal([&](R& it) { it.redirect_uris = {text}; }); };
    EXPECT_NE(uri("http://shop.example/cb").find("must be https"), std::string::npos);
    EXPECT_NE(uri("https://shop.example/cb#x").find("fragment"), std::string::npos);
    EXPECT_NE(uri("https://user@shop.example/cb").find("user"), std::string::npos);
    EXPECT_NE(uri("/cb").find("absolute"), std::string::npos);
    EXPECT_NE(uri("javascript:alert(1)"), "was accepted");
    EXPECT_NE(uri("https://*.shop.example/cb"), "was accepted");
    EXPECT_NE(uri("https:///cb"), "was accepted");
    EXPECT_NE(uri("http://127.evil.example/cb"), "was accepted");
    EXPECT_EQ(uri("http://localhost:8403/cb"), "was accepted");
    EXPECT_EQ(uri("http://127.0.0.1/cb"), "was accepted");
    EXPECT_NE(refusal([](R& it) { it.redirect_uris.clear(); }), "was accepted");
    EXPECT_NE(refusal([](R& it) { it.redirect_uris.emplace_back("https://other.example/cb"); }).find("sector"),
              std::string::npos);
    EXPECT_EQ(refusal([](R& it) {
                  it.redirect_uris.emplace_back("https://other.example/cb");
                  it.sector_identifier = "shop.example";
              }),
              "was accepted");
    EXPECT_NE(refusal([](R& it) { it.sector_identifier = "https://shop.example/"; }), "was accepted");
    EXPECT_NE(refusal([](R& it) { it.domain = "shop.example/path"; }), "was accepted");
    EXPECT_NE(refusal([](R& it) { it.names.clear(); }), "was accepted");
    EXPECT_NE(refusal([](R& it) { it.names[Language::nl] = "  "; }), "was accepted");
    EXPECT_NE(refusal([](R& it) { it.names[Language::nl] = std::string(61, 'x'); }), "was accepted");
    EXPECT_NE(refusal([](R& it) { it.names[Language::nl] = "shop\u202eknab"; }), "was accepted");
    EXPECT_NE(refusal([](R& it) { it.token_endpoint_auth_method = "client_secret_jwt"; }), "was accepted");
    EXPECT_NE(refusal([](R& it) { it.token_endpoint_auth_method = "private_key_jwt"; }).find("JWK"), std::string::npos);
    EXPECT_NE(refusal([](R& it) { it.jwks = "{}"; }), "was accepted");
    EXPECT_NE(refusal([](R& it) { it.jwks = R"({"keys":[{"kty":"oct","k":"c2VjcmV0"}]})"; }), "was accepted");
    EXPECT_NE(refusal([](R& it) { it.id_token_signed_response_alg = "none"; }), "was accepted");
    EXPECT_NE(refusal([](R& it) { it.userinfo_signed_response_alg = "HS256"; }), "was accepted");
    EXPECT_NE(refusal([](R& it) { it.claims = {"shoe_size"}; }), "was accepted");
    EXPECT_EQ(refusal([](R& it) { it.claims = {"national_number"}; }), "was accepted");
}

} // namespace
} // namespace symbolon::app

#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "crypto/jws.hpp"

#include <gtest/gtest.h>

namespace symbolon::crypto {
namespace {

constexpr std::string_view payload_of_rfc_7515 =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

std::vector<SignatureAlgorithm> const all{SignatureAlgorithm::es256, SignatureAlgorithm::es384,
                                          SignatureAlgorithm::rs256, SignatureAlgorithm::ps256,
                                          SignatureAlgorithm::eddsa};

std::string part(std::string_view text) { return base64url(bytes_of(text)); }

Outcome refusal(std::string_view compact, std::span<VerificationKey const> keys,
                std::span<SignatureAlgorithm const> allowed = all)
{
    auto const verified = verify_jws(compact, keys, allowed);
    EXPECT_FALSE(verified);
    return verified ? Outcome::internal : verified.error().outcome;
}

TEST(Jws, agrees_with_rfc_7515_a_2_and_a_3_and_rfc_8037_a_4)
{
    auto const keys = parse_jwk_set(R"({"keys":[
        {"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"},
        {"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
        {"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})")
                          .value();
    ASSERT_EQ(keys.size(), 3U);

    auto const payload = std::string{payload_of_rfc_7515};
    auto const rs256 =
        verify_jws("eyJhbGciOiJSUzI1NiJ9." + payload +
                       ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_"
                       "O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_"
                       "nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-"
                       "eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN"
                       "_IoypGlUPQGe77Rw",
                   keys, all);
    ASSERT_TRUE(rs256);
    EXPECT_EQ(rs256->payload, "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}");

    EXPECT_TRUE(
        verify_jws("eyJhbGciOiJFUzI1NiJ9." + payload +
                       ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
                   keys, all));

    auto const eddsa =
        verify_jws("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
                   "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
                   keys, all);
    ASSERT_TRUE(eddsa);
    EXPECT_EQ(eddsa->payload, "Example of Ed25519 signing");
}

class SignedJws : public testing::Test {
protected:
    SigningKey const key{
        .key_id = "one", .algorithm = SignatureAlgorithm::es256, .key = PrivateKey::generate(KeyType::ec_p256)};
    std::vector<VerificationKey> const keys{{.key_id = "one", .algorithm = {}, .key = key.key.public_key()}};

    // A JWS with that header, signed as it should be.
    [[nodiscard]] std::string signed_with_header(std::string_view header) const
    {
        auto const input = part(header) + '.' + part("{}");
        return input + '.' + base64url(key.key.sign(key.algorithm, bytes_of(input)));
    }
};

TEST_F(SignedJws, carries_its_header_and_payload)
{
    auto const compact = sign_jws(key, R"({"iss":"us"})", "JWT");
    auto const verified = verify_jws(compact, keys, all);
    ASSERT_TRUE(verified);
    EXPECT_EQ(json::write(verified->header), R"({"alg":"ES256","kid":"one","typ":"JWT"})");
    EXPECT_EQ(verified->payload, R"({"iss":"us"})");
    EXPECT_EQ(peek_jws(compact)->payload, verified->payload);
}

TEST_F(SignedJws, is_refused_under_an_algorithm_that_was_not_registered)
{
    auto const compact = sign_jws(key, "{}");
    EXPECT_EQ(refusal(compact, keys, {}), Outcome::jws_algorithm_refused);
    EXPECT_EQ(refusal(compact, keys, std::vector{SignatureAlgorithm::rs256, SignatureAlgorithm::es384}),
              Outcome::jws_algorithm_refused);
}

TEST_F(SignedJws, alg_none_is_no_signature)
{
    for (std::string_view const none : {"none", "None", "NONE", "nOnE", ""}) {
        auto const header = part(R"({"alg":")" + std::string{none} + "\"}");
        EXPECT_EQ(refusal(header + '.' + part("{}") + '.', keys), Outcome::jws_algorithm_refused);
        EXPECT_EQ(refusal(header + '.' + part("{}") + ".AAAA", keys), Outcome::jws_algorithm_refused);
    }
}

TEST_F(SignedJws, a_public_key_is_no_hmac_secret)
{
    auto const input = part(R"({"alg":"HS256","kid":"one"})") + '.' + part("{}");
    for (auto const& secret : {key.key.public_key().der(), to_bytes(json::write(key.key.public_key().jwk()))}) {
        auto const mac = hmac_sha256(SecretBytes{secret}, bytes_of(input));
        EXPECT_EQ(refusal(input + '.' + base64url(mac), keys), Outcome::jws_algorithm_refused);
    }
}

TEST_F(SignedJws, a_key_in_the_header_is_not_believed)
{
    auto const stranger = PrivateKey::generate(KeyType::ec_p256);
    auto const input =
        part(R"({"alg":"ES256","jwk":)" + json::write(stranger.public_key().jwk()) + "}") + '.' + part("{}");
    EXPECT_EQ(refusal(input + '.' + base64url(stranger.sign(SignatureAlgorithm::es256, bytes_of(input))), keys),
              Outcome::jws_signature_invalid);
}

TEST_F(SignedJws, is_refused_when_its_header_asks_for_more_than_we_do)
{
    ASSERT_TRUE(verify_jws(signed_with_header(R"({"alg":"ES256"})"), keys, all));
    for (std::string_view const header : {
             R"({"alg":"ES256","crit":["b64"],"b64":false})",
             R"({"alg":"ES256","crit":[]})",
             R"({"alg":"ES256","crit":["exp"],"exp":1})",
             R"({"alg":"ES256","b64":true})",
             R"({"alg":"none","alg":"ES256"})",
             R"({"alg":"ES256","alg":"ES256"})",
             R"({"alg":"ES256","\u0061lg":"none"})",
             R"({"alg":["ES256"]})",
             R"({"alg":null})",
             R"({})",
             R"([])",
             R"("ES256")",
             R"({"alg":"ES256","kid":1})",
             R"({"alg":"ES256"} {})",
             R"({"alg":"ES256")",
             "",
         }) {
        EXPECT_EQ(refusal(signed_with_header(header), keys), Outcome::jws_malformed) << header;
        EXPECT_FALSE(peek_jws(signed_with_header(header))) << header;
    }
}

TEST_F(SignedJws, has_one_spelling)
{
    auto const compact = sign_jws(key, "{}");
    auto const dot = compact.find('.');
    auto const last = compact.rfind('.');
    for (auto const& wrong : {
             std::string{},
             std::string{"."},
             std::string{".."},
             std::string{"..."},
             compact.substr(0, last), // two parts
             compact + ".",           // four
             compact + ".AAAA.AAAA",  // five: a JWE
             " " + compact,
             compact + "\n",
             compact + "=",
             compact.substr(0, dot) + "=" + compact.substr(dot),
             std::string{R"({"payload":"e30","signatures":[]})"},
             std::string(200'000, 'A') + "..",
         })
        EXPECT_EQ(refusal(wrong, keys), Outcome::jws_malformed) << wrong.substr(0, 80);

    // The last sign of a 64-byte signature holds four bits that mean nothing: they must be zero.
    auto respelled = compact;
    ASSERT_NE(std::string_view{"AQgw"}.find(respelled.back()), std::string_view::npos);
    ++respelled.back();
    EXPECT_EQ(refusal(respelled, keys), Outcome::jws_malformed);
}

TEST_F(SignedJws, is_refused_when_a_part_is_changed_or_its_signature_has_another_length)
{
    auto const compact = sign_jws(key, "{}");
    auto const last = compact.rfind('.');
    auto const signature = from_base64url(std::string_view{compact}.substr(last + 1)).value();
    auto const with = [&](ByteView other) { return compact.substr(0, last + 1) + base64url(other); };
    auto longer = signature;
    longer.push_back(0);
    auto const der = ecdsa_der_from_raw(signature, 32).value();
    for (auto const& other : {Bytes{}, Bytes(64, 0), Bytes(signature.begin(), signature.end() - 1), longer, der})
        EXPECT_EQ(refusal(with(other), keys), Outcome::jws_signature_invalid);

    auto const dot = compact.find('.');
    EXPECT_EQ(refusal(compact.substr(0, dot + 1) + part("{ }") + compact.substr(last), keys),
              Outcome::jws_signature_invalid);
}

TEST_F(SignedJws, is_refused_when_no_key_has_its_name_and_algorithm)
{
    EXPECT_EQ(refusal(sign_jws(key, "{}"), {}), Outcome::key_unknown);
    EXPECT_EQ(refusal(signed_with_header(R"({"alg":"ES256","kid":"two"})"), keys), Outcome::key_unknown);
    EXPECT_TRUE(verify_jws(signed_with_header(R"({"alg":"ES256"})"), keys, all)) << "a name is not required";

    std::vector<VerificationKey> nameless{{.key_id = "", .algorithm = {}, .key = key.key.public_key()}};
    EXPECT_TRUE(verify_jws(sign_jws(key, "{}"), nameless, all));

    auto const rsa = PrivateKey::generate(KeyType::rsa);
    std::vector<VerificationKey> const restricted{
        {.key_id = "one", .algorithm = SignatureAlgorithm::ps256, .key = rsa.public_key()}};
    SigningKey const with_rs256{.key_id = "one", .algorithm = SignatureAlgorithm::rs256, .key = rsa};
    SigningKey const with_ps256{.key_id = "one", .algorithm = SignatureAlgorithm::ps256, .key = rsa};
    EXPECT_EQ(refusal(sign_jws(with_rs256, "{}"), restricted), Outcome::key_unknown);
    EXPECT_TRUE(verify_jws(sign_jws(with_ps256, "{}"), restricted, all));
}

TEST_F(SignedJws, may_be_of_any_of_several_keys_of_one_name)
{
    std::vector<VerificationKey> several{
        {.key_id = "one", .algorithm = {}, .key = PrivateKey::generate(KeyType::ec_p256).public_key()},
        {.key_id = "one", .algorithm = {}, .key = PrivateKey::generate(KeyType::ed25519).public_key()}};
    EXPECT_EQ(refusal(sign_jws(key, "{}"), several), Outcome::jws_signature_invalid);
    several.push_back(keys.front());
    EXPECT_TRUE(verify_jws(sign_jws(key, "{}"), several, all));
}

TEST(JwkSet, passes_over_keys_that_do_not_verify_signatures)
{
    auto const jwk = [](std::string_view more) {
        auto object = PrivateKey::generate(KeyType::ec_p256).public_key().jwk();
        auto const members = json::parse_object(more).value();
        for (auto const& member : members) object[member.key()] = member.value();
        return object;
    };
    json::Array members;
    for (std::string_view const passed_over :
         {R"({"use":"enc"})", R"({"use":1})", R"({"key_ops":["encrypt"]})", R"({"key_ops":"verify"})",
          R"({"alg":"ECDH-ES"})", R"({"alg":"HS256"})", R"({"alg":"none"})", R"({"alg":"ES384"})", R"({"alg":7})",
          R"({"kid":7})", R"({"kty":"oct","k":"c2VjcmV0"})", R"({"kty":"unheard-of"})",
          R"({"d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"})", R"({"x":"AAAA"})", R"({"crv":"P-521"})"})
        members.push_back(jwk(passed_over));
    members.push_back(jwk(R"({"kid":"kept","use":"sig","alg":"ES256","key_ops":["verify"],"x5t":"ignored"})"));
    json::Object set;
    set["keys"] = members;

    auto const keys = parse_jwk_set(json::write(set)).value();
    ASSERT_EQ(keys.size(), 1U);
    EXPECT_EQ(keys.front().key_id, "kept");
    EXPECT_EQ(keys.front().algorithm, SignatureAlgorithm::es256);
}

TEST(JwkSet, is_an_object_with_an_array_of_objects)
{
    EXPECT_TRUE(parse_jwk_set(R"({"keys":[]})")->empty());
    std::string many = R"({"keys":[)";
    for (int i = 0; i < 51; ++i) many += i == 0 ? "{}" : ",{}";
    many += "]}";
    for (std::string_view const wrong :
         {std::string_view{""}, std::string_view{"[]"}, std::string_view{"{}"}, std::string_view{R"({"keys":{}})"},
          std::string_view{R"({"keys":[1]})"}, std::string_view{R"({"keys":[],"keys":[]})"}, std::string_view{many}}) {
        auto const keys = parse_jwk_set(wrong);
        ASSERT_FALSE(keys) << wrong;
        EXPECT_EQ(keys.error().outcome, Outcome::jwk_malformed);
    }
}

} // namespace
} // namespace symbolon::crypto

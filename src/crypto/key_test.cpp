#include "crypto/encoding.hpp"
#include "crypto/key.hpp"
#include "crypto/seal.hpp"

#include <gtest/gtest.h>

namespace symbolon::crypto {
namespace {

json::Object object(std::string_view text) { return json::parse_object(text).value(); }

// RFC 7638 §3.1.
constexpr std::string_view rsa_jwk =
    R"({"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"})";
// RFC 7515 A.3.1.
constexpr std::string_view p256_private_jwk =
    R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"})";
// RFC 8037 A.1.
constexpr std::string_view ed25519_private_jwk =
    R"({"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";

json::Object p256_jwk()
{
    auto jwk = object(p256_private_jwk);
    jwk.erase("d");
    return jwk;
}

PrivateKey key_of(KeyType type)
{
    // RSA keys are slow to find; one serves all tests.
    static auto const rsa = PrivateKey::generate(KeyType::rsa);
    return type == KeyType::rsa ? rsa : PrivateKey::generate(type);
}

constexpr std::array all_types{KeyType::ec_p256, KeyType::ec_p384, KeyType::rsa, KeyType::ed25519};
constexpr std::array all_algorithms{SignatureAlgorithm::es256, SignatureAlgorithm::es384, SignatureAlgorithm::rs256,
                                    SignatureAlgorithm::ps256, SignatureAlgorithm::eddsa};

TEST(Thumbprint, agrees_with_rfc_7638_and_rfc_8037)
{
    EXPECT_EQ(PublicKey::from_jwk(object(rsa_jwk))->thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    EXPECT_EQ(PrivateKey::from_jwk(object(ed25519_private_jwk))->public_key().thumbprint(),
              "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

TEST(Key, keeps_to_one_written_form)
{
    for (auto const type : all_types) {
        auto const key = key_of(type);
        auto const half = key.public_key();
        EXPECT_EQ(key.type(), type);
        EXPECT_EQ(half.type(), type);
        EXPECT_EQ(json::write(PublicKey::from_jwk(half.jwk())->jwk()), json::write(half.jwk()));
        EXPECT_EQ(PublicKey::from_der(half.der())->thumbprint(), half.thumbprint());
        EXPECT_EQ(PrivateKey::from_der(key.der())->public_key().thumbprint(), half.thumbprint());
        EXPECT_FALSE(half.jwk().contains("d"));
    }
    EXPECT_EQ(json::write(PrivateKey::from_jwk(object(p256_private_jwk))->public_key().jwk()),
              R"({"crv":"P-256","kty":"EC","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
              R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})");
}

// RFC 8032 §7.1, test 1 and 2.
TEST(Ed25519, agrees_with_rfc_8032)
{
    struct Case {
        std::string_view seed, message, signature;
    };
    for (auto const& each : {Case{"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "",
                                  "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
                                  "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
                             Case{"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "72",
                                  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                                  "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"}}) {
        auto const key = PrivateKey::ed25519_from_seed(SecretBytes{from_hex(each.seed).value()});
        auto const message = from_hex(each.message).value();
        EXPECT_EQ(hex(key.sign(SignatureAlgorithm::eddsa, message)), each.signature);
        EXPECT_TRUE(key.public_key().verifies(SignatureAlgorithm::eddsa, message, from_hex(each.signature).value()));
    }
}

TEST(Signature, holds_for_its_algorithm_key_and_data_alone)
{
    auto const data = bytes_of("the texts that were shown");
    for (auto const algorithm : all_algorithms) {
        SCOPED_TRACE(name_of(algorithm));
        EXPECT_EQ(signature_algorithm_named(name_of(algorithm)), algorithm);
        for (auto const type : all_types) {
            if (!fits(algorithm, type)) continue;
            auto const key = key_of(type);
            auto const half = key.public_key();
            auto const signature = key.sign(algorithm, data);
            EXPECT_TRUE(half.verifies(algorithm, data, signature));
            EXPECT_FALSE(half.verifies(algorithm, bytes_of("other texts"), signature));
            for (auto const other : all_algorithms)
                EXPECT_EQ(half.verifies(other, data, signature), other == algorithm);
            auto const stranger = PrivateKey::generate(type).public_key();
            EXPECT_FALSE(stranger.verifies(algorithm, data, signature));
            for (std::size_t i = 0; i < signature.size(); i += 7) {
                auto changed = signature;
                changed[i] ^= 0x10;
                EXPECT_FALSE(half.verifies(algorithm, data, changed));
            }
            for (auto const size : {std::size_t{0}, std::size_t{1}, signature.size() - 1}) {
                EXPECT_FALSE(half.verifies(algorithm, data, ByteView{signature}.first(size)));
            }
            auto longer = signature;
            longer.push_back(0);
            EXPECT_FALSE(half.verifies(algorithm, data, longer));
            EXPECT_FALSE(half.verifies(algorithm, data, Bytes(signature.size(), 0)));
        }
    }
}

TEST(Ecdsa, signatures_are_raw_and_never_der)
{
    for (auto const& [type, algorithm, field] :
         {std::tuple{KeyType::ec_p256, SignatureAlgorithm::es256, std::size_t{32}},
          std::tuple{KeyType::ec_p384, SignatureAlgorithm::es384, std::size_t{48}}}) {
        auto const key = PrivateKey::generate(type);
        auto const half = key.public_key();
        for (int i = 0; i < 50; ++i) { // some r or s begin with a zero, which the raw form keeps
            auto const raw = key.sign(algorithm, bytes_of("x"));
            ASSERT_EQ(raw.size(), 2 * field);
            auto const der = ecdsa_der_from_raw(raw, field).value();
            EXPECT_EQ(ecdsa_raw_from_der(der, field).value(), raw);
            EXPECT_FALSE(half.verifies(algorithm, bytes_of("x"), der));
        }
        EXPECT_FALSE(half.verifies(algorithm, bytes_of("x"), Bytes(2 * field, 0xff)));
    }
    EXPECT_FALSE(ecdsa_der_from_raw(Bytes(63, 1), 32));
    EXPECT_FALSE(ecdsa_der_from_raw(Bytes(65, 1), 32));
    EXPECT_FALSE(ecdsa_raw_from_der(from_hex("3006020101020101ff").value(), 32)) << "more follows";
    EXPECT_FALSE(ecdsa_raw_from_der(from_hex("30060201ff020101").value(), 32)) << "negative";
    EXPECT_FALSE(ecdsa_raw_from_der({}, 32));
}

TEST(Jwk, refuses_what_is_not_a_sound_public_key)
{
    auto const with = [](json::Object jwk, std::string_view name, auto const& value) {
        jwk[name] = value;
        return jwk;
    };
    auto const without = [](json::Object jwk, std::string_view name) {
        jwk.erase(name);
        return jwk;
    };
    auto const rsa = object(rsa_jwk);
    auto const modulus = from_base64url(json::text(rsa, "n").value()).value();
    auto even = modulus;
    even.back() ^= 1;
    Bytes padded{0};
    append(padded, modulus);
    auto const coordinate = from_base64url(json::text(p256_jwk(), "x").value()).value();
    Bytes longer{0};
    append(longer, coordinate);

    for (auto const& jwk : {
             json::Object{},
             with(p256_jwk(), "kty", "oct"),
             with(p256_jwk(), "kty", 1),
             with(p256_jwk(), "crv", "P-384"),
             with(p256_jwk(), "crv", "secp256k1"),
             with(p256_jwk(), "y", json::text(p256_jwk(), "x").value()), // off the curve
             with(p256_jwk(), "x", base64url(Bytes(32, 0xff))),          // beyond the field
             with(p256_jwk(), "x", base64url(longer)),
             with(p256_jwk(), "x", base64url(ByteView{coordinate}.first(31))),
             with(p256_jwk(), "x", json::text(p256_jwk(), "x").value() + "="),
             with(with(p256_jwk(), "x", base64url(Bytes(32, 0))), "y", base64url(Bytes(32, 0))),
             without(p256_jwk(), "y"),
             object(p256_private_jwk),
             object(ed25519_private_jwk),
             with(rsa, "d", "AQAB"),
             with(rsa, "p", "AQAB"),
             with(rsa, "n", base64url(even)),
             with(rsa, "n", base64url(padded)),
             with(rsa, "n", base64url(ByteView{modulus}.first(128))), // 1024 bits
             with(rsa, "n", base64url(Bytes(1024, 0xff))),            // 8192 bits
             with(rsa, "e", ""),
             with(rsa, "e", "AQ"),   // 1
             with(rsa, "e", "Ag"),   // 2
             with(rsa, "e", "AQAA"), // even
             with(rsa, "e", "AAEAAQ"),
             with(rsa, "e", base64url(Bytes(9, 0xff))),
             without(rsa, "e"),
             object(R"({"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})"),
             object(R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHUQ"})"),
         }) {
        auto const key = PublicKey::from_jwk(jwk);
        ASSERT_FALSE(key) << json::write(jwk);
        EXPECT_EQ(key.error().outcome, Outcome::jwk_malformed);
    }
    EXPECT_TRUE(PublicKey::from_jwk(with(rsa, "e", "Aw"))); // 3
    EXPECT_TRUE(PublicKey::from_jwk(p256_jwk()));
}

TEST(Jwk, private_halves_must_belong_to_the_public_ones)
{
    auto other = object(p256_private_jwk);
    other["d"] = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LE";
    EXPECT_FALSE(PrivateKey::from_jwk(other));
    other["d"] = base64url(Bytes(32, 0));
    EXPECT_FALSE(PrivateKey::from_jwk(other));
    other = object(ed25519_private_jwk);
    other["d"] = base64url(Bytes(32, 1));
    EXPECT_FALSE(PrivateKey::from_jwk(other));
    EXPECT_FALSE(PrivateKey::from_jwk(p256_jwk()));
    EXPECT_FALSE(PrivateKey::from_jwk(object(rsa_jwk)));
}

TEST(Der, refuses_other_keys_and_what_follows)
{
    auto der = PrivateKey::generate(KeyType::ec_p256).public_key().der();
    EXPECT_TRUE(PublicKey::from_der(der));
    for (std::size_t size = 0; size < der.size(); ++size) EXPECT_FALSE(PublicKey::from_der(ByteView{der}.first(size)));
    der.push_back(0);
    EXPECT_FALSE(PublicKey::from_der(der));
    der.pop_back();
    der.back() ^= 1;
    EXPECT_FALSE(PublicKey::from_der(der)) << "off the curve";
    // secp256k1's generator under its own name.
    EXPECT_FALSE(PublicKey::from_der(from_hex("3056301006072a8648ce3d020106052b8104000a03420004"
                                              "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
                                              "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8")
                                         .value()));
    EXPECT_FALSE(PrivateKey::from_der(SecretBytes{Bytes{0x30, 0x00}}));
    EXPECT_FALSE(PrivateKey::from_der(SecretBytes{}));
}

TEST(Seal, opens_only_for_its_recipient_and_purpose)
{
    auto const recipient = PrivateKey::generate(KeyType::ec_p256);
    auto const sealed = seal_to(recipient.public_key(), bytes_of("82914"), bytes_of("action 7"));
    EXPECT_EQ(sealed.size(), 65U + 5U + 16U);
    EXPECT_EQ(string_of(open_seal(recipient, sealed, bytes_of("action 7"))->reveal()), "82914");
    EXPECT_NE(sealed, seal_to(recipient.public_key(), bytes_of("82914"), bytes_of("action 7")));

    EXPECT_FALSE(open_seal(recipient, sealed, bytes_of("action 8")));
    EXPECT_FALSE(open_seal(PrivateKey::generate(KeyType::ec_p256), sealed, bytes_of("action 7")));
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        auto changed = sealed;
        changed[i] ^= 1;
        auto const opened = open_seal(recipient, changed, bytes_of("action 7"));
        ASSERT_FALSE(opened) << i;
        EXPECT_EQ(opened.error().outcome, Outcome::seal_invalid);
    }
    for (std::size_t size = 0; size < sealed.size(); ++size)
        EXPECT_FALSE(open_seal(recipient, ByteView{sealed}.first(size), bytes_of("action 7")));
}

} // namespace
} // namespace symbolon::crypto

#include "base/text.hpp"
#include "crypto/encoding.hpp"
#include "crypto/jwe.hpp"

#include <gtest/gtest.h>

namespace symbolon::crypto {
namespace {

// Keys and objects made with the npm package jose; those of RFC 7520 stand beside their test. Of invented people.
// clang-format off
constexpr std::string_view rsa_jwk = R"({"kty":"RSA","n":"uFGExdAgAFyxopXcUruy4yAQnCHPKH-McuodklRzt0QCCJ4A_wo55ApFQ3UCh8bDSFSGsuih34sDXuDjxrQP1svIl7wiDAfKwAQUTuG4CsWvTM0CtTiSaT3lycccVypuVnKYLZnHMxYCO4BCAzWeB5N9b4UiKwqMKE0hGAbHtyvZgxT4bv5yMpkjM4P46ysB0hfSift2OQznCNhaZCSb5Np0iVBXgxSJhC3O5nd9mUe-QiA_hRZjNQXO0d3DVIMg5z71cE2ygvFedPwqlHwiLrOwOLDOQbogr5kzznu9eToEkTO2JSoOI4Wzn9wq2ze40i1G-Om-A_o9Lwo7RheWzw","e":"AQAB","d":"E0sVJs-eSetp_KbLJS3Yj8Wvd2hiks6nGPBAoCyO4EQSImzHleqwHJqmnWUGGshHcK7IWrnXF9spQykvLoFylv1Fxfw_ZBr8shS7O3aNGTOQIe3jtqxxRurfvrtE0Cr02b-tBjjujP5kxW2re0KFhC2AF8hLx02XVjCcojMzfIzA-LXRkou5ezhwN0cyDD-qsHi9SCYOqKMua3W4Xs2vail3-fGML9-wtEGLs8AxhrdEn6MFHXhr4zPVh74Unm-jgAIa9AauaXOCo-9Nd_cCUb2vqDclSRT3O2Jb7JCPB7-kpSc-ah1X2Qy0myRPNeyyOsjpIoH1GyylKqnpzB0xIQ","p":"4iOxR2_TafWi0NmfUV1d81XI82vo_h7JlpdWxRspI-RY3d4W-wG-AerOS2zIA0eJJKSlh7S46ZFBpKFN1YP3-SKnTdYCfU-n3B0ATmDeJuFd91cJqagyh1KV0S978XK_RUB7EntsNhhZ5HAHuzPs5SgyphBQYwVI5wWD6a00DD0","q":"0KghLji9BLHrS_Fs47sdjajP7PdvgnN1WvFtI6uS5Wxlch6NxPEljBRJ3u4e74mxCoFHyduAzT7ejvao2ABzMyAvWlmZL4XpYAgzVi74zXKnBdWbS2bXvvdzENxU5YoJb5MmqxNvQQqNq14R2RrU5ZiL31NcndN87f8qf_HkY_s","dp":"U4qiDGUIckWXj5ZF4BYhBisz4JGF8pNHH8Xq_Ugqa6MJHXXVgYdEPYsUCRM31NZRmOLmb_rYsRjDamFY0r89FaGysvOT2d1agtuH6GyqxSxOvXg_DpkfiZR92lizbiBY_ulyTgKgmF9onhaxFHx7ULEH_Qdb2yjxpL8J24LsDnU","dq":"iIv-askmqVPlr6UmpUFmbbXznBexGaWFPyaPTbCSSSFOogfsrt1AvRLp5MHf7NIm0cEYwbir6aUi8Fvq0rA4s1R0qKPJ45e2yemT7up-V7SYKPFI12dN-OLmojoONMjItAOQYpQtUlsdqu-8rl8ow7e4kUV0brRgJT-_CEu8MtE","qi":"n3NahnyfUALWM9Xx7M9zoZCzVjZXnSm8I_er2VJ52cCAawns5l-2lo2i71z0GnVis5i1GhRhzFd6kGzMSk-e10Jv3h8lgbA5aafvq8yi-G9EAQyCVKPHihT7HbngirquRrafpCxoV-3N4rFEgHuXYLyRN2dc0lEHA-H-5wXwI3w"})";
constexpr std::string_view p256_jwk = R"({"kty":"EC","x":"tqUOWMkF-VAuv8jCyJ9e9vZUMgAhchVD6tF2P77e2_0","y":"jAyK_yvesT92m9kPgmPgcFN-JsQncIwhS9CDw2N7RSc","crv":"P-256","d":"ykgpTiAxgmavtkhnXjCYwdRwGUQf3pH52Lwnf92C3eM"})";
constexpr std::string_view p384_jwk = R"({"kty":"EC","x":"YcMrikVlcSjVJQ4rb34A0BqYvAMlkHyd-EjzRA_16XNdnyDtn0c2XWiyr_jkI13h","y":"BcEHJKWBcWC7PozWmE0Bj7zSkJvnAqs_mAQhAAD4z0QUn6xOdInqUUxoQze4z6v6","crv":"P-384","d":"fUWKJmQSEygRijxuus1NhowjL-zfUo5XRyHn3RX5q4-jfQ7n_PuZz-0asBnLX5Bb"})";

struct Foreign {
    std::string_view jwk;
    std::string_view algorithm;
    std::string_view encryption;
    std::string_view compact;
};
constexpr std::array foreign{
    Foreign{rsa_jwk, "RSA-OAEP-256", "A256GCM",
            "eyJhbGciOiJSU0EtT0FFUC0yNTYiLCJlbmMiOiJBMjU2R0NNIiwiY3R5IjoiSldUIn0.X3jhjWpnKB0Dv-aYYQi1YSR-BV05epRPwKUH0yLv9eMPWkgBQbSAatk8N86RVEChY9uBjWtHjb3soO_GsyHU4S5O6ZV4TNpnAQyQYmBOopNaFS0ygF-z2MRCevYBTjspvsKfMtoiPAJwhh3ahW4diVruJrylNQh39NX84ognlCYB3SLM5VAARzlrHXhLjyd_mweLSLqtWcj1BiZyFNN34c8yHQTaeYquxe9xrujmf1AglxFhn04vcf1ONw_kVEvAivpjVgUfNGO2uEuJF4XiclCAjhsg0d-_oicxn6U73olIi7iyAHmEBXT36JM7W0qQD6JqtNlnH_TyfDRkH6HXdA.zkmHqHz3zNndLn2a.OmHLQctAmXj3.raFPbiIy6sVzqalIJEyRDw"},
    Foreign{rsa_jwk, "RSA-OAEP-256", "A128CBC-HS256",
            "eyJhbGciOiJSU0EtT0FFUC0yNTYiLCJlbmMiOiJBMTI4Q0JDLUhTMjU2IiwiY3R5IjoiSldUIn0.eBVHVvi3biEF-EPud1cruhDsNkvkUrk4vy3TBq9qIVmB8QEojJoZeIa7IRdU-pZJEvB8kaavgaGkMNyUGPXsyYBjnZjccAuzIC9VovBefPfn8aVc0GNAtKc1258zs76v3PZ-TBLtGLAzDkjWelhDp6I7F3gmhAewLykM8dFBeo0cQrg0ty0Q8nWNrHhEg0uZ4F7px4nyrO65Z41uIjA8odOqrt6YoShbiHEkKAlLVUqACSZ-HxvpO8_-f7smKlHMnDSaSZ__EmIO3OtcCA0e1vSgT4daZdxjYVhZFT5guGJ80AeKeYag9IcII7aWup03AcfPBsiWvaZkBr3di3IsLA.iTsD0-RyH50VjpNw3ANNmQ.V9SHYU72Q8n1SXHA0unKzg.Y_gnrgTF-0RzP4MKcbsD7w"},
    Foreign{p256_jwk, "ECDH-ES", "A256GCM",
            "eyJhbGciOiJFQ0RILUVTIiwiZW5jIjoiQTI1NkdDTSIsImN0eSI6IkpXVCIsImVwayI6eyJ4IjoicXZtT3h2TGlpeUVNNWtoSEYwX29EVTFZUjRhMG5Fdkt0UTF1SzY5YlhqNCIsImNydiI6IlAtMjU2Iiwia3R5IjoiRUMiLCJ5IjoiME9jdEhtaTZreXhWZ0o0V1h2X0EwbmxjMEYtblVCcW1FUklpTGo2LXNESSJ9LCJhcHUiOiJZbUZ1YXciLCJhcHYiOiJjM2x0WW05c2IyNCJ9..1NDJFpagQfRE2bnO.JZgpP99Lzzvw.1V5TBeREsv6Ggu5pvwltvQ"},
    Foreign{p256_jwk, "ECDH-ES", "A128CBC-HS256",
            "eyJhbGciOiJFQ0RILUVTIiwiZW5jIjoiQTEyOENCQy1IUzI1NiIsImN0eSI6IkpXVCIsImVwayI6eyJ4Ijoic2N0LXNHOXhGbDlGYUdiR1p2R05ZU2tINVBuZVFORGhEYl9mbVRiU3Y4RSIsImNydiI6IlAtMjU2Iiwia3R5IjoiRUMiLCJ5IjoiWEpmQW1jWUQwenVUdFdOWk1pRHJ0OXBfbTNpS0F4YXVVX0lXOWFkOGEyYyJ9fQ..A1ftcFZSf0chI03FOtbh_w.umUkXrafN0TOqv1BPFKDrQ.foODrt2xe9lSdKbC3oDo4g"},
    Foreign{p256_jwk, "ECDH-ES+A256KW", "A256GCM",
            "eyJhbGciOiJFQ0RILUVTK0EyNTZLVyIsImVuYyI6IkEyNTZHQ00iLCJjdHkiOiJKV1QiLCJlcGsiOnsieCI6IlZVV0dMV0g4Y3k0VGlmdnFBZExHNzNScXRTbzRXblZvNFktRjVHLVdvZjAiLCJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieSI6IlZ0V0RYdVpYaU5DeHVrYmY5cVVTWGlLd3pxNlVRUm5GWVZ1YXhTdDZpQW8ifSwiYXB1IjoiWW1GdWF3IiwiYXB2IjoiYzNsdFltOXNiMjQifQ.iZE4Kb4e9wCZdufUw60l61Yxrh0PktyS24ZymSP6wUvqw0ZgvN86kA.mroV-TwV8lTg-lr7.GfuRaWIyRaJO.Ow26QLeqL66Mfqm5VmoDbg"},
    Foreign{p256_jwk, "ECDH-ES+A256KW", "A128CBC-HS256",
            "eyJhbGciOiJFQ0RILUVTK0EyNTZLVyIsImVuYyI6IkExMjhDQkMtSFMyNTYiLCJjdHkiOiJKV1QiLCJlcGsiOnsieCI6Ii1ycGpRSVF5b3hneU12UFFFcG4zOG95ZEhRTGZKZEctdXU3S1ZUMG54ODAiLCJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieSI6IkVnUGNxVlNXWGlfT0ktMnU3d1NjcmVYcVlBbGZEZG9ZRmEzTXpwWFppSzgifX0.8dicSnrSauvYS9HwlOmyghxahUX1yyhZ6XlwtRB1MYdLk-36HkGDog.SgYna7jXvydO6Ys4_Oe-6w.1nKKQQaI1LhWFCL8Oli9Ew.H4PrqHhZ_71Yulo0-RRXag"},
    Foreign{p384_jwk, "ECDH-ES+A256KW", "A256GCM",
            "eyJhbGciOiJFQ0RILUVTK0EyNTZLVyIsImVuYyI6IkEyNTZHQ00iLCJjdHkiOiJKV1QiLCJlcGsiOnsieCI6IndydVN6dDRGc3FRbjhuN3g0S0NxQ1BIajkySUh0c3VwQ3U0XzFqZlZJMk5obGZudWVtNVlRRUFvazR5R2NmMHYiLCJjcnYiOiJQLTM4NCIsImt0eSI6IkVDIiwieSI6Imdmem5ZNlpJVlVnTlloRnNKdE9MSTk5S2dMNWdPeERmMklFazB4LUVrQkp3UFczT2kzRXc4OEVkNktyN2NmQ3AifSwiYXB1IjoiWW1GdWF3IiwiYXB2IjoiYzNsdFltOXNiMjQifQ._Xx9MUFF_WYZ9vOIci8llXIhUIH3lz1x84Wll50aT1j7AHK2LUtJyg.UDoNNSpF0ftbJjyA.JBzOyEo7uO-m.p8ui5nJHI5ndX_yV-ghDqA"},
    Foreign{p384_jwk, "ECDH-ES+A256KW", "A128CBC-HS256",
            "eyJhbGciOiJFQ0RILUVTK0EyNTZLVyIsImVuYyI6IkExMjhDQkMtSFMyNTYiLCJjdHkiOiJKV1QiLCJlcGsiOnsieCI6ImI4SThvRFF5akhDQUFCZHRacTBxcks1Z0tEcGdVZjlvWmZreEdwT1RDckdRV0VpMFhwTkoyRVJEdmJ0WkM5bm0iLCJjcnYiOiJQLTM4NCIsImt0eSI6IkVDIiwieSI6ImlsVzZjcVRmTWtxQWJxT0h2aV9sRmN1MzV3dWZBMjNYdTVMSVJKdGtZNGE1WE85QXRRY1FCQlE3Ym80NTVhS2wifX0.uGSA6Qhyitr952WYZtI9FxTSVdZRYF282l-kpai2pGnTokJjsmQ2tg.Yp_FlNfKAhYz-qJKPjquaA.fQKS87LMjOM7aEvWwbPMLw.vdmf2PuRIY-Qh4RKQYbzJw"},
};
// clang-format on

PrivateKey key_of(std::string_view jwk) { return PrivateKey::from_jwk(json::parse_object(jwk).value()).value(); }

DecryptionKey decryption_key(std::string_view jwk, std::string key_id = {})
{
    return {.key_id = std::move(key_id), .key = key_of(jwk)};
}

std::string opened(std::string_view compact, std::vector<DecryptionKey> const& keys)
{
    auto const jwe = decrypt_jwe(compact, keys);
    return jwe ? jwe->plain.reveal() : std::string{name_of(jwe.error().outcome)};
}

TEST(Jwe, agrees_with_rfc_7520_5_5)
{
    auto const key = decryption_key(
        R"({"kty":"EC","kid":"meriadoc.brandybuck@buckland.example","use":"enc","crv":"P-256",
            "x":"Ze2loSV3wrroKUN_4zhwGhCqo3Xhu1td4QjeQ5wIVR0","y":"HlLtdXARY_f55A3fnzQbPcm6hgr34Mp8p-nuzQCE0Zw",
            "d":"r_kHyZ-a06rmxM3yESK84r1otSg-aQcVStkRhA-iCM8"})");
    auto const plain = opened(
        "eyJhbGciOiJFQ0RILUVTIiwia2lkIjoibWVyaWFkb2MuYnJhbmR5YnVja0BidWNrbGFuZC5leGFtcGxlIiwiZXBrIjp7Imt0eSI6IkVDIiwi"
        "Y3J2IjoiUC0yNTYiLCJ4IjoibVBVS1RfYkFXR0hJaGcwVHBqanFWc1AxclhXUXVfdndWT0hIdE5rZFlvQSIsInkiOiI4QlFBc0ltR2VBUzQ2"
        "ZnlXdzVNaFlmR1RUMElqQnBGdzJTUzM0RHY0SXJzIn0sImVuYyI6IkExMjhDQkMtSFMyNTYifQ..yc9N8v5sYyv3iGQT926IUg."
        "BoDlwPnTypYq-ivjmQvAYJLb5Q6l-F3LIgQomlz87yW4OPKbWE1zSTEFjDfhU9IPIOSA9Bml4m7iDFwA-1ZXvHteLDtw4R1XRGMEsDIqAYts"
        "kTTmzmzNa-_q4F_evAPUmwlO-ZG45Mnq4uhM1fm_D9rBtWolqZSF3xGNNkpOMQKF1Cl8i8wjzRli7-IXgyirlKQsbhhqRzkv8IcY6aHl24j0"
        "3C-AR2le1r7URUhArM79BY8soZU0lzwI-sD5PZ3l4NDCCei9XkoIAfsXJWmySPoeRb2Ni5UZL4mYpvKDiwmyzGd65KqVw7MsFfI_K767G9C9"
        "Azp73gKZD0DyUn1mn0WW5LmyX_yJ-3AROq8p1WZBfG-ZyJ6195_JGG2m9Csg.WCCkNa-x4BeB9hIDIfFuhg",
        {key});
    EXPECT_TRUE(plain.starts_with("You can trust us to stick with you through thick and thin")) << plain;
    EXPECT_TRUE(plain.ends_with("We are your friends, Frodo.")) << plain;
}

TEST(Jwe, of_another_implementation_opens)
{
    for (auto const& each : foreign) {
        SCOPED_TRACE(std::string{each.algorithm} + ' ' + std::string{each.encryption});
        EXPECT_EQ(opened(each.compact, {decryption_key(each.jwk)}), "who it is");
        EXPECT_EQ(opened(each.compact, {{.key_id = "other", .key = PrivateKey::generate(key_of(each.jwk).type())},
                                        decryption_key(each.jwk, "second")}),
                  "who it is")
            << "it names no key: any may be meant";
    }
}

TEST(Jwe, of_our_own_opens_with_its_key_alone)
{
    auto const random = system_random();
    for (auto const& each : foreign) {
        auto const management = key_management_named(each.algorithm).value();
        auto const encryption = content_encryption_named(each.encryption).value();
        auto const key = decryption_key(each.jwk, "one");
        EncryptionKey const to{"one", management, encryption, key.key.public_key()};
        for (auto const& plain : {std::string{}, std::string{"x"}, std::string(16, 'x'), std::string(5000, 'x')}) {
            auto const compact = encrypt_jwe(to, plain, "JWT", *random);
            EXPECT_EQ(opened(compact, {key}), plain);
            auto const jwe = decrypt_jwe(compact, std::span{&key, 1});
            EXPECT_EQ(json::text(jwe->header, "cty"), "JWT");
            EXPECT_EQ(opened(compact, {{.key_id = "one", .key = PrivateKey::generate(key.key.type())}}),
                      "jwe_decryption_failed");
            EXPECT_EQ(opened(compact, {{.key_id = "two", .key = key.key}}), "key_unknown");
        }
    }
}

TEST(Jwe, with_a_part_changed_does_not_open)
{
    for (auto const& each : foreign) {
        auto const parts = split(each.compact, '.');
        for (std::size_t changed = 1; changed < parts.size(); ++changed) {
            std::string compact;
            for (std::size_t i = 0; i < parts.size(); ++i) {
                auto bytes = from_base64url(parts[i]).value();
                if (i == changed && !bytes.empty()) bytes.back() ^= 1;
                if (i == changed && bytes.empty()) bytes.push_back(0);
                compact += (i == 0 ? "" : ".") + base64url(bytes);
            }
            EXPECT_EQ(opened(compact, {decryption_key(each.jwk)}), "jwe_decryption_failed")
                << each.algorithm << ' ' << each.encryption << ", part " << changed;
        }
        auto const shorter = std::string{each.compact.substr(0, each.compact.rfind('.') + 1)};
        EXPECT_EQ(opened(shorter, {decryption_key(each.jwk)}), "jwe_decryption_failed") << "no tag at all";
        auto const tag = from_base64url(parts[4]).value();
        EXPECT_EQ(opened(shorter + base64url(ByteView{tag}.first(8)), {decryption_key(each.jwk)}),
                  "jwe_decryption_failed")
            << "half a tag";
    }
}

std::string with_header(std::string_view header)
{
    return base64url(bytes_of(header)) + ".AAAA.AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA";
}

TEST(Jwe, that_is_none_is_refused_before_any_key_is_used)
{
    std::vector const keys{decryption_key(rsa_jwk), decryption_key(p256_jwk)};
    for (auto const& text :
         {std::string{}, std::string{"a.b.c"}, std::string{"...."}, std::string{"a.b.c.d.e.f"},
          std::string(200'000, 'a'), with_header("{"), with_header("[]"), with_header(R"({"alg":"RSA-OAEP-256"})"),
          with_header(R"({"enc":"A256GCM"})"), with_header(R"({"alg":"RSA-OAEP-256","enc":1})"),
          with_header(R"({"alg":"RSA-OAEP-256","alg":"RSA-OAEP-256","enc":"A256GCM"})"),
          with_header(R"({"alg":"RSA-OAEP-256","enc":"A256GCM","crit":["exp"]})"),
          with_header(R"({"alg":"RSA-OAEP-256","enc":"A256GCM","zip":"DEF"})"),
          with_header(R"({"alg":"RSA-OAEP-256","enc":"A256GCM","kid":7})"),
          with_header(R"({"alg":"ECDH-ES","enc":"A256GCM"})"),
          with_header(R"({"alg":"ECDH-ES","enc":"A256GCM","epk":{}})"),
          // an invalid curve point
          with_header(R"({"alg":"ECDH-ES","enc":"A256GCM","epk":{"kty":"EC","crv":"P-256",)"
                      R"("x":"Ze2loSV3wrroKUN_4zhwGhCqo3Xhu1td4QjeQ5wIVR0",)"
                      R"("y":"HlLtdXARX_f55A3fnzQbPcm6hgr34Mp8p-nuzQCE0Zw"}})"),
          with_header(R"({"alg":"ECDH-ES","enc":"A256GCM","apu":"=","epk":{"kty":"EC","crv":"P-256",)"
                      R"("x":"Ze2loSV3wrroKUN_4zhwGhCqo3Xhu1td4QjeQ5wIVR0",)"
                      R"("y":"HlLtdXARY_f55A3fnzQbPcm6hgr34Mp8p-nuzQCE0Zw"}})")})
        EXPECT_EQ(opened(text, keys), "jwe_malformed") << text.substr(0, 100);
    for (auto const* const header :
         {R"({"alg":"RSA1_5","enc":"A256GCM"})", R"({"alg":"RSA-OAEP","enc":"A256GCM"})",
          R"({"alg":"dir","enc":"A256GCM"})", R"({"alg":"none","enc":"A256GCM"})",
          R"({"alg":"PBES2-HS256+A128KW","enc":"A256GCM","p2c":1000000000})",
          R"({"alg":"RSA-OAEP-256","enc":"A128GCM"})", R"({"alg":"RSA-OAEP-256","enc":"none"})"})
        EXPECT_EQ(opened(with_header(header), keys), "jwe_algorithm_refused") << header;
    EXPECT_EQ(opened(with_header(R"({"alg":"RSA-OAEP-256","enc":"A256GCM"})"), {decryption_key(p256_jwk)}),
              "key_unknown");
    EXPECT_EQ(opened(with_header(R"({"alg":"RSA-OAEP-256","enc":"A256GCM"})"), keys), "jwe_decryption_failed");
}

} // namespace
} // namespace symbolon::crypto

#include "virtual_card/card_core.hpp"
#include "virtual_card/card_testing.hpp"
#include "virtual_card/openssl.hpp"

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

namespace symbolon::virtual_card {
namespace {

Bench& bench()
{
    static auto made = make_bench(SYMBOLON_SOURCE_DIR);
    return made;
}

class Recordings : public testing::TestWithParam<char const*> {};

TEST_P(Recordings, are_answered_as_written)
{
    auto const recording = read_recording(std::filesystem::path{SYMBOLON_SOURCE_DIR} / "src/virtual_card/recordings" /
                                          (std::string{GetParam()} + ".apdu"));
    ASSERT_TRUE(recording) << recording.error().detail;
    ASSERT_FALSE(recording->exchanges.empty());
    auto card = CardCore{bench().card(recording->persona)};
    for (auto const& difference : replay(*recording, card)) ADD_FAILURE() << difference;
}

INSTANTIATE_TEST_SUITE_P(CardCore, Recordings,
                         testing::Values("files-18", "card-data-18", "pin-18", "sign-18", "sign-17",
                                         "internal-authenticate-18", "malformed", "clients-17", "minor-18",
                                         "records-long-18"),
                         [](auto const& row) {
                             std::string name = row.param;
                             std::ranges::replace(name, '-', '_');
                             return name;
                         });

// ---- what a recording can't show: that the signatures are right
// --------------------------------------------------------

Bytes const right_pin = [] {
    auto command = bytes_of_hex("0020000108");
    append(command, pin_block("1234"));
    return command;
}();

Bytes command(std::string_view header, ByteView data)
{
    auto bytes = bytes_of_hex(header);
    bytes.push_back(static_cast<Byte>(data.size()));
    append(bytes, data);
    return bytes;
}

/// A signature by the card with that algorithm and key, fetched whole.
Bytes signature_by(CardCore& card, Byte algorithm, Byte key, ByteView data)
{
    EXPECT_EQ(hex_of(card.transmit(command("002241B6", Bytes{0x04, 0x80, algorithm, 0x84, key}))), "9000");
    EXPECT_EQ(hex_of(card.transmit(right_pin)), "9000");
    auto const announced = card.transmit(command("002A9E9A", data));
    EXPECT_EQ(announced.at(0), 0x61);
    auto answer = card.transmit(Bytes{0x00, 0xC0, 0x00, 0x00, announced.at(1)});
    EXPECT_EQ(hex_of(ByteView{answer}.last(2)), "9000");
    answer.resize(answer.size() - 2);
    return answer;
}

Key public_key_of(CardCore const& card, FilePath file)
{
    auto const certificate = parse_certificate(certificate_in(card.card().files.at(file)));
    return Key{X509_get_pubkey(certificate.get()), &EVP_PKEY_free};
}

bool verifies_rsa(Key const& key, EVP_MD const* md, bool pss, ByteView signature, ByteView digest)
{
    auto const context = KeyContext{EVP_PKEY_CTX_new(key.get(), nullptr)};
    EVP_PKEY_verify_init(context.get());
    EVP_PKEY_CTX_set_rsa_padding(context.get(), pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING);
    if (md != nullptr) EVP_PKEY_CTX_set_signature_md(context.get(), md);
    if (pss) EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), EVP_MD_get_size(md));
    return EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest.data(), digest.size()) == 1;
}

bool verifies_ec(Key const& key, ByteView raw, ByteView digest)
{
    if (raw.size() != 96) return false;
    auto* const signature = ECDSA_SIG_new();
    ECDSA_SIG_set0(signature, BN_bin2bn(raw.data(), 48, nullptr), BN_bin2bn(raw.data() + 48, 48, nullptr));
    auto const der = der_of<&i2d_ECDSA_SIG>(signature);
    ECDSA_SIG_free(signature);
    auto const context = KeyContext{EVP_PKEY_CTX_new(key.get(), nullptr)};
    EVP_PKEY_verify_init(context.get());
    return EVP_PKEY_verify(context.get(), der.data(), der.size(), digest.data(), digest.size()) == 1;
}

TEST(CardCore, a_17_card_signs_with_every_algorithm_of_the_table)
{
    struct Row {
        Byte algorithm;
        EVP_MD const* md;
        bool pss;
    };
    auto card = CardCore{bench().card("bruno")};
    for (auto const& [algorithm, md, pss] :
         {Row{0x02, EVP_sha1(), false}, Row{0x04, EVP_md5(), false}, Row{0x08, EVP_sha256(), false},
          Row{0x10, EVP_sha1(), true}, Row{0x20, EVP_sha256(), true}}) {
        auto const hash = digest(md, to_bytes("what is signed"));
        for (auto const& [reference, file] :
             {std::pair{authentication_key_reference, files::authentication_certificate},
              std::pair{signature_key_reference, files::signature_certificate}}) {
            auto const signature = signature_by(card, algorithm, reference, hash);
            EXPECT_EQ(signature.size(), 256U);
            EXPECT_TRUE(verifies_rsa(public_key_of(card, file), md, pss, signature, hash)) << int{algorithm};
        }
    }
    // 01: the caller brings the DigestInfo, and what comes out is an ordinary SHA-256 signature.
    auto const hash = digest(EVP_sha256(), to_bytes("what is signed"));
    auto info = bytes_of_hex("3031300D060960864801650304020105000420");
    append(info, hash);
    EXPECT_TRUE(verifies_rsa(public_key_of(card, files::authentication_certificate), EVP_sha256(), false,
                             signature_by(card, 0x01, authentication_key_reference, info), hash));
}

TEST(CardCore, an_18_card_signs_with_every_algorithm_of_the_table)
{
    struct Row {
        Byte algorithm;
        EVP_MD const* md;
    };
    auto card = CardCore{bench().card("lotte")};
    for (auto const& [algorithm, md] :
         {Row{0x01, EVP_sha256()}, Row{0x02, EVP_sha384()}, Row{0x04, EVP_sha512()}, Row{0x08, EVP_sha3_256()},
          Row{0x10, EVP_sha3_384()}, Row{0x20, EVP_sha3_512()}, Row{0x40, EVP_sha1()}, Row{0x40, EVP_sha224()},
          Row{0x40, EVP_sha256()}, Row{0x40, EVP_sha384()}, Row{0x40, EVP_sha512()}}) {
        auto const hash = digest(md, to_bytes("what is signed"));
        for (auto const& [reference, file] :
             {std::pair{authentication_key_reference, files::authentication_certificate},
              std::pair{signature_key_reference, files::signature_certificate}})
            EXPECT_TRUE(verifies_ec(public_key_of(card, file), signature_by(card, algorithm, reference, hash), hash))
                << int{algorithm};
    }
}

/// r ‖ s of INTERNAL AUTHENTICATE over a challenge of 48 bytes.
Bytes proof_of(CardCore& card, ByteView challenge)
{
    auto data = bytes_of_hex("9430");
    append(data, challenge);
    EXPECT_EQ(hex_of(card.transmit(command("00880281", data))), "6160");
    auto answer = card.transmit(bytes_of_hex("00C0000060"));
    answer.resize(answer.size() - 2);
    return answer;
}

Key basic_key_in_file(CardCore const& card)
{
    auto const& file = card.card().files.at(files::basic_key);
    auto const* at = file.data();
    return Key{d2i_PUBKEY(nullptr, &at, static_cast<long>(file.size())), &EVP_PKEY_free};
}

TEST(CardCore, proves_its_basic_key_over_the_challenge_as_it_is)
{
    auto card = CardCore{bench().card("lotte")};
    auto const challenge = Bytes(48, 0xA7);
    EXPECT_TRUE(verifies_ec(basic_key_in_file(card), proof_of(card, challenge), challenge));
}

TEST(CardCore, gives_its_answer_also_to_clients_that_keep_the_class_of_their_command)
{
    auto card = CardCore{bench().card("lotte")};
    auto challenge = bytes_of_hex("9430");
    append(challenge, Bytes(48, 0xA7));
    EXPECT_EQ(hex_of(card.transmit(command("00880281", challenge))), "6160");
    EXPECT_EQ(card.transmit(bytes_of_hex("80C0000060")).size(), 0x60U + 2);
    EXPECT_EQ(hex_of(card.transmit(bytes_of_hex("80C0000060"))), "6985") << "nothing is left";
}

TEST(CardCore, A7_a_clone_can_prove_none_of_its_keys)
{
    auto const challenge = Bytes(48, 0xA7);
    auto clone = CardCore{bench().card("cloned")};
    EXPECT_FALSE(verifies_ec(basic_key_in_file(clone), proof_of(clone, challenge), challenge));
    EXPECT_FALSE(verifies_ec(public_key_of(clone, files::authentication_certificate),
                             signature_by(clone, 0x02, authentication_key_reference, challenge), challenge));
    auto clone_17 = CardCore{bench().card("cloned-17")};
    auto const hash = digest(EVP_sha256(), challenge);
    EXPECT_FALSE(verifies_rsa(public_key_of(clone_17, files::authentication_certificate), EVP_sha256(), false,
                              signature_by(clone_17, 0x08, authentication_key_reference, hash), hash));
}

TEST(CardCore, answers_INTERNAL_AUTHENTICATE_so_many_times_between_two_PINs)
{
    constexpr int most = 3;
    auto card = CardCore{bench().card("lotte"), most};
    auto data = bytes_of_hex("9430");
    data.resize(50);
    auto const ask = command("00880281", data);
    for (int i = 0; i < most; ++i) ASSERT_EQ(card.transmit(ask).at(0), 0x61) << i;
    EXPECT_EQ(hex_of(card.transmit(ask)), "6985");
    EXPECT_EQ(hex_of(card.transmit(right_pin)), "9000");
    EXPECT_EQ(hex_of(card.transmit(ask)), "6160");
}

TEST(CardCore, A7_tells_a_blocked_PIN_and_the_last_try)
{
    auto blocked = CardCore{bench().card("blocked-pin")};
    EXPECT_EQ(hex_of(blocked.transmit(bytes_of_hex("0020000100"))), "6983");
    EXPECT_EQ(hex_of(blocked.transmit(right_pin)), "6983");
    auto last = CardCore{bench().card("last-try")};
    EXPECT_EQ(hex_of(last.transmit(bytes_of_hex("0020000100"))), "63C1");
    EXPECT_EQ(hex_of(last.transmit(bytes_of_hex("0020000108249999FFFFFFFFFF"))), "6983");
    EXPECT_EQ(last.pin_tries(), 0);
}

TEST(CardCore, takes_a_PIN_of_twelve_digits)
{
    auto card = CardCore{bench().card("long-pin")};
    EXPECT_EQ(hex_of(card.transmit(command("00200001", pin_block("123456789012")))), "9000");
    EXPECT_EQ(hex_of(pin_block("123456789012")), "2C123456789012FF");
    EXPECT_EQ(hex_of(pin_block("1234")), "241234FFFFFFFFFF");
    EXPECT_EQ(hex_of(pin_block("12345")), "2512345FFFFFFFFF");
}

TEST(CardCore, gives_the_ATR_of_its_generation)
{
    EXPECT_EQ(hex_of(CardCore{bench().card("bruno")}.atr()), "3B9813400AA503010101AD1311");
    EXPECT_EQ(hex_of(CardCore{bench().card("nadia")}.atr()), "3B9813400AA503010101AD1311");
    EXPECT_EQ(hex_of(CardCore{bench().card("lotte")}.atr()), "3B7F96000080318065B085040120120FFF829000");
}

TEST(Recording, says_where_it_is_malformed)
{
    auto const file = std::filesystem::temp_directory_path() / "symbolon-recording-test.apdu";
    for (auto const* text : {"> 00\n> 00\n", "< 9000\n", "> 0\n< 9000\n", "hello\n"}) {
        ASSERT_TRUE(write_file(file, bytes_of(text)));
        auto const read = read_recording(file);
        ASSERT_FALSE(read) << text;
        EXPECT_EQ(read.error().outcome, Outcome::configuration_invalid);
    }
    std::filesystem::remove(file);
}

TEST(Recording, matches_what_it_wrote_and_nothing_else)
{
    EXPECT_TRUE(answers("9000", bytes_of_hex("9000")));
    EXPECT_FALSE(answers("9000", bytes_of_hex("900000")));
    EXPECT_FALSE(answers("9000", bytes_of_hex("90")));
    EXPECT_TRUE(answers("[2]9000", bytes_of_hex("12349000")));
    EXPECT_FALSE(answers("[3]9000", bytes_of_hex("12349000")));
    EXPECT_TRUE(answers("12...9000", bytes_of_hex("1234569000")));
    EXPECT_FALSE(answers("12...9000", bytes_of_hex("1234566982")));
    EXPECT_FALSE(answers("12...9000", bytes_of_hex("1290")));
}

} // namespace
} // namespace symbolon::virtual_card

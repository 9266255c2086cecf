#include "crypto/aead.hpp"
#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "crypto/random.hpp"

#include <gtest/gtest.h>

#include <set>

namespace symbolon::crypto {
namespace {

SecretBytes secret(std::string_view text_in_hex) { return SecretBytes{from_hex(text_in_hex).value()}; }

// FIPS 180-4, the examples for "abc".
TEST(Hash, agrees_with_the_examples_of_fips_180)
{
    auto const of = [](HashAlgorithm algorithm) { return hex(hash(algorithm, bytes_of("abc"))); };
    EXPECT_EQ(of(HashAlgorithm::sha1), "a9993e364706816aba3e25717850c26c9cd0d89d");
    EXPECT_EQ(of(HashAlgorithm::sha256), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(of(HashAlgorithm::sha384), "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
                                         "8086072ba1e7cc2358baeca134c825a7");
    EXPECT_EQ(of(HashAlgorithm::sha512), "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                                         "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
    EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Hmac, agrees_with_rfc_4231)
{
    EXPECT_EQ(hex(hmac_sha256(SecretBytes{Bytes(20, 0x0b)}, bytes_of("Hi There"))),
              "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    EXPECT_EQ(hex(hmac_sha256(SecretBytes{to_bytes("Jefe")}, bytes_of("what do ya want for nothing?"))),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(hex(hmac_sha256(SecretBytes{Bytes(131, 0xaa)},
                              bytes_of("Test Using Larger Than Block-Size Key - Hash Key First"))),
              "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    EXPECT_EQ(hex(hmac_sha256(SecretBytes{}, {})), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Hkdf, agrees_with_rfc_5869)
{
    EXPECT_EQ(hex(hkdf_sha256(SecretBytes{Bytes(22, 0x0b)}, from_hex("000102030405060708090a0b0c").value(),
                              "\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9", 42)
                      .reveal()),
              "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
    // A.3: neither salt nor info.
    EXPECT_EQ(hex(hkdf_sha256(SecretBytes{Bytes(22, 0x0b)}, {}, "", 42).reveal()),
              "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

// The AES-256-GCM test case 16 of the GCM specification (McGrew, Viega), with its 12-byte nonce.
TEST(Pbkdf2, agrees_with_rfc_7914)
{
    EXPECT_EQ(hex(pbkdf2_sha256(bytes_of("passwd"), bytes_of("salt"), 1, 64)),
              "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
              "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783");
    EXPECT_EQ(hex(pbkdf2_sha256(bytes_of("Password"), bytes_of("NaCl"), 80'000, 64)),
              "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"
              "a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d");
}

TEST(Aead, opens_the_known_ciphertext)
{
    auto const key = secret("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
    auto const sealed = from_hex("cafebabefacedbaddecaf888"
                                 "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                                 "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
                                 "76fc6ece0f4e1768cddf8853bb2d551b")
                            .value();
    auto const opened = open_with_key(key, sealed, from_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2").value());
    ASSERT_TRUE(opened);
    EXPECT_EQ(hex(opened->reveal()), "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                                     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
}

TEST(Aead, refuses_every_changed_bit_place_key_and_length)
{
    auto const random = system_random();
    SecretBytes const key{random->bytes(32)};
    auto const sealed = seal_with_key(key, bytes_of("Jansen"), bytes_of("person/1"), *random);
    EXPECT_EQ(string_of(open_with_key(key, sealed, bytes_of("person/1"))->reveal()), "Jansen");

    EXPECT_FALSE(open_with_key(key, sealed, bytes_of("person/2")));
    EXPECT_FALSE(open_with_key(SecretBytes{random->bytes(32)}, sealed, bytes_of("person/1")));
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        auto changed = sealed;
        changed[i] ^= 1;
        auto const opened = open_with_key(key, changed, bytes_of("person/1"));
        ASSERT_FALSE(opened);
        EXPECT_EQ(opened.error().outcome, Outcome::data_damaged);
    }
    for (std::size_t size = 0; size < sealed.size(); ++size)
        EXPECT_FALSE(open_with_key(key, ByteView{sealed}.first(size), bytes_of("person/1"))) << size;
}

TEST(Aead, seals_nothing_and_draws_a_nonce_each_time)
{
    auto const random = system_random();
    SecretBytes const key{random->bytes(32)};
    auto const once = seal_with_key(key, {}, {}, *random);
    EXPECT_NE(once, seal_with_key(key, {}, {}, *random));
    EXPECT_TRUE(open_with_key(key, once, {})->empty());
}

TEST(Random, is_even_below_a_bound)
{
    // A generator that counts: every value of four bytes' last place once.
    class Counting final : public Random {
    public:
        void fill(std::span<Byte> bytes) override
        {
            std::ranges::fill(bytes, Byte{0});
            bytes.back() = next_++;
        }

    private:
        Byte next_ = 0;
    } counting;
    std::map<std::uint32_t, int> seen;
    for (int i = 0; i < 256; ++i) ++seen[counting.below(16)];
    EXPECT_EQ(seen.size(), 16U);
    for (auto const& [value, count] : seen) EXPECT_EQ(count, 16) << value;
}

TEST(Random, draws_again_where_a_remainder_would_favour_small_values)
{
    class Scripted final : public Random {
    public:
        void fill(std::span<Byte> bytes) override { std::ranges::fill(bytes, next_++ == 0 ? Byte{0xff} : Byte{0}); }

    private:
        int next_ = 0;
    } scripted;
    EXPECT_EQ(scripted.below(3), 0U); // 0xffffffff is above the largest multiple of three
}

TEST(Random, gives_tokens_of_256_bits_and_ids_that_lie_together)
{
    auto const random = system_random();
    EXPECT_EQ(random->token().reveal().size(), 43U);
    EXPECT_FALSE(random->token().equals(random->token()));

    auto const now = instant_of(1'790'000'000);
    std::set<std::string> ids;
    for (int i = 0; i < 100; ++i) ids.insert(time_ordered_id(now, *random));
    EXPECT_EQ(ids.size(), 100U);
    for (auto const& id : ids) {
        EXPECT_EQ(id.size(), 22U);
        EXPECT_EQ(id.substr(0, 8), ids.begin()->substr(0, 8)) << "the same second";
    }
    auto const bytes = from_base64url(*ids.begin()).value();
    std::uint64_t milliseconds = 0;
    for (std::size_t i = 0; i < 6; ++i) milliseconds = milliseconds << 8U | bytes[i];
    EXPECT_EQ(milliseconds, 1'790'000'000'000U);
}

} // namespace
} // namespace symbolon::crypto

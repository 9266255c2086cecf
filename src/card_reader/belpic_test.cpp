#include "card/certificate.hpp"
#include "card/genuineness.hpp"
#include "card_reader/belpic.hpp"
#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "virtual_card/card_core.hpp"
#include "virtual_card/persona.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <sstream>

namespace symbolon::card_reader {
namespace {

namespace vc = virtual_card;

/// Plays a recording: lines of "> command" and "< answer" in hexadecimal, with comments behind `#`. Whatever else is
/// sent, or sent in another order, is a failure of the test.
class Recording final : public Transceiver {
public:
    explicit Recording(std::string const& text)
    {
        std::istringstream lines{text};
        for (std::string line; std::getline(lines, line);) {
            line = line.substr(0, line.find('#'));
            Bytes bytes;
            std::istringstream words{line};
            std::string direction;
            if (!(words >> direction)) continue;
            for (std::string word; words >> word;) append(bytes, crypto::from_hex(word).value());
            exchanges_.emplace_back(direction.at(0), bytes);
        }
    }

    Result<Bytes> transmit(ByteView command) override
    {
        auto const sent = crypto::hex(command);
        if (at_ == exchanges_.size()) {
            ADD_FAILURE() << "not in the recording: " << sent;
            return fail(Outcome::card_removed);
        }
        EXPECT_EQ(sent, crypto::hex(exchanges_[at_].second)) << "exchange " << at_ / 2;
        auto answer = exchanges_.at(at_ + 1).second;
        at_ += 2;
        if (answer.empty()) return fail(Outcome::card_removed);
        return answer;
    }

    Result<void> begin_transaction() override
    {
        ++open_transactions;
        return {};
    }
    void end_transaction() noexcept override { --open_transactions; }
    [[nodiscard]] bool has_pin_pad() const override { return true; }
    Result<Bytes> verify_on_pin_pad(ByteView verify_template) override { return transmit(verify_template); }
    void pause(std::chrono::milliseconds) override { ++pauses; }

    [[nodiscard]] bool is_at_its_end() const { return at_ == exchanges_.size(); }

    int open_transactions = 0;
    int pauses = 0;

private:
    std::vector<std::pair<char, Bytes>> exchanges_;
    std::size_t at_ = 0;
};

std::string const select_ok = "> 00a404 0c 0f a000000030290570 00ad13100101ff   # SELECT the applet\n"
                              "< 9000\n";

CardData card_data(Generation generation)
{
    CardData data{Bytes(28, 0), generation};
    data.bytes[21] = generation == Generation::v1_8 ? 0x18 : 0x17;
    data.bytes[23] = generation == Generation::v1_8 ? 0x01 : 0x03;
    return data;
}

std::string const sixteen = "00112233445566778899aabbccddeeff";
Bytes const digest32(32, 0xAB);
Bytes const digest48(48, 0xCD);

std::string repeated(std::string_view hex, int times)
{
    std::string text;
    for (int i = 0; i < times; ++i) text += hex;
    return text;
}

std::string name(auto const& result) { return result ? "ok" : std::string{name_of(result.error().outcome)}; }

TEST(Apdu, writes_a_PIN_as_nibbles)
{
    EXPECT_EQ(crypto::hex(verify(SecretText{"1234"}).reveal()), "00200001082"
                                                                "41234ffffffffff");
    EXPECT_EQ(crypto::hex(verify(SecretText{"12345"}).reveal()), "0020000108"
                                                                 "2512345fffffffff");
    EXPECT_EQ(crypto::hex(verify(SecretText{"123456789012"}).reveal()), "0020000108"
                                                                        "2c123456789012ff");
}

TEST(Apdu, knows_a_PIN_by_its_digits)
{
    EXPECT_TRUE(is_pin("1234"));
    EXPECT_TRUE(is_pin("000000000000"));
    for (auto const* const text : {"", "123", "1234567890123", "12a4", "1234 ", "-1234", "١٢٣٤"})
        EXPECT_FALSE(is_pin(text)) << text;
}

TEST(Apdu, reads_the_status_word)
{
    EXPECT_EQ(parse_response({}).error().outcome, Outcome::card_unresponsive);
    EXPECT_EQ(parse_response(Bytes{0x90}).error().outcome, Outcome::card_unresponsive);
    EXPECT_EQ(parse_response(Bytes{1, 2, 0x90, 0x00})->data, (Bytes{1, 2}));
    EXPECT_EQ(parse_response(Bytes{0x61, 0x00})->waiting_bytes(), 256U);
    EXPECT_EQ(parse_response(Bytes{0x6C, 0x1C})->right_length(), 28U);
    EXPECT_EQ(parse_response(Bytes{0x63, 0xC2})->tries_left(), 2);
    EXPECT_EQ(parse_response(Bytes{0x63, 0x00})->tries_left(), std::nullopt);
}

TEST(Atr, tells_a_Belgian_card)
{
    auto const is_one = [](char const* hex) { return is_belgian_atr(crypto::from_hex(hex).value()); };
    EXPECT_TRUE(is_one("3b989440"
                       "0aa503010101ad1310"))
        << "1.0";
    EXPECT_TRUE(is_one("3b981340"
                       "0aa503010101ad1311"))
        << "1.1 to 1.7";
    EXPECT_TRUE(is_one("3b7f96000080318065b085040120120fff829000")) << "1.8";
    EXPECT_FALSE(is_one("3b7f96000080318065b085040120120fff829001"));
    EXPECT_FALSE(is_one("3b981340"
                        "0aa503010101ad14"));
    EXPECT_FALSE(is_one("3b981340"
                        "0aa503010101ae1311"));
    EXPECT_FALSE(is_one("3b"));
    EXPECT_FALSE(is_belgian_atr({}));
}

/// How GET CARD DATA ends when that is its answer.
std::string card_data_verdict(std::string const& answer)
{
    Recording recording{select_ok + "> 80e40000 1c   # GET CARD DATA\n< " + answer + "\n"};
    BelpicCard card{recording};
    return name(card.card_data());
}

TEST(Belpic, takes_the_length_that_the_card_says)
{
    Recording recording{select_ok +
                        "> 80e40000 1c   # GET CARD DATA\n"
                        "< 6c1f\n"
                        "> 80e40000 1f\n"
                        "< " +
                        sixteen + "a503010000 18 0001 00 00 02 0f 03ffff 9000\n"};
    BelpicCard card{recording};
    EXPECT_EQ(name(card.card_data()), "ok");
    EXPECT_TRUE(recording.is_at_its_end());
    EXPECT_EQ(recording.open_transactions, 0);
}

TEST(Belpic, tells_the_generations_apart)
{
    EXPECT_EQ(card_data_verdict(sixteen + "a503010000 17 0003 00 21 01 0f 9000"), "ok");
    EXPECT_EQ(card_data_verdict(sixteen + "a503010000 18 0001 00 00 02 0f 9000"), "ok");
    EXPECT_EQ(card_data_verdict(sixteen + "a503010000 11 0003 00 21 01 0f 9000"), "card_generation_unsupported");
    EXPECT_EQ(card_data_verdict(sixteen + "a503010000 19 0003 00 21 01 0f 9000"), "card_generation_unsupported");
    EXPECT_EQ(card_data_verdict(sixteen + "a503010000 17 0003 00 21 01 9000"), "card_unresponsive") << "27 bytes";
    EXPECT_EQ(card_data_verdict("6d00"), "card_unresponsive");
}

TEST(Belpic, A7_a_card_without_the_applet_is_not_Belgian)
{
    Recording recording{"> 00a4040c0f a00000003029057000ad13100101ff\n< 6a82\n"};
    BelpicCard card{recording};
    EXPECT_EQ(name(card.card_data()), "card_not_belgian");
}

TEST(Belpic, A7_a_card_that_is_pulled_out_ends_the_reading)
{
    Recording recording{select_ok + "> 00a4080c04 df014031\n< 9000\n> 00b00000f8\n<\n"};
    BelpicCard card{recording};
    EXPECT_EQ(name(card.read_files(card_data(Generation::v1_8))), "card_removed");
    EXPECT_EQ(recording.open_transactions, 0);
}

TEST(Belpic, signs_with_1_7_in_the_order_that_the_card_wants)
{
    Recording recording{select_ok +
                        "> 00200001 00                        # VERIFY without data: how many tries?\n"
                        "< 63c3\n"
                        "> 00a4080c 02 df00                   # SELECT DF(BELPIC)\n"
                        "< 9000\n"
                        "> 002241b6 05 0480088483             # MSE: PKCS#1 with SHA-256, key 83\n"
                        "< 9000\n"
                        "> 00200001 08 241234ffffffffff       # VERIFY\n"
                        "< 9000\n"
                        "> 002a9e9a 20 " +
                        repeated("ab", 32) +
                        "   # PSO: COMPUTE DIGITAL SIGNATURE\n"
                        "< 6100\n"
                        "> 00c00000 00                        # GET RESPONSE, 256 bytes\n"
                        "< " +
                        repeated("5a", 256) +
                        "9000\n"
                        "> 80e60000 00                        # LOG OFF\n"
                        "< 9000\n"};
    BelpicCard card{recording};
    auto const signature =
        card.sign(card_data(Generation::v1_7), KeyReference::signature, digest32, SecretText{"1234"}, LastTry::refuse);
    ASSERT_TRUE(signature) << name(signature);
    EXPECT_EQ(*signature, Bytes(256, 0x5A));
    EXPECT_TRUE(recording.is_at_its_end());
    EXPECT_EQ(recording.open_transactions, 0);
}

TEST(Belpic, signs_with_1_8_with_the_PIN_typed_on_the_reader)
{
    Recording recording{select_ok +
                        "> 80e40001 1f                        # GET CARD DATA with the tries\n"
                        "< " +
                        repeated("00", 28) +
                        "02ffff 9000\n"
                        "> 00a4080c 02 df00\n"
                        "< 9000\n"
                        "> 002241b6 05 0480028482             # MSE: ECDSA with SHA-384, key 82\n"
                        "< 9000\n"
                        "> 00200001 08 20ffffffffffffff       # the reader puts the PIN in\n"
                        "< 9000\n"
                        "> 002a9e9a 30 " +
                        repeated("cd", 48) +
                        "\n"
                        "< 6160\n"
                        "> 00c00000 60\n"
                        "< " +
                        repeated("5a", 96) +
                        "9000\n"
                        "> 80e60000 00\n"
                        "< 9000\n"};
    BelpicCard card{recording};
    auto const signature =
        card.sign(card_data(Generation::v1_8), KeyReference::authentication, digest48, PinOnReader{}, LastTry::refuse);
    ASSERT_TRUE(signature) << name(signature);
    EXPECT_EQ(signature->size(), 96U);
    EXPECT_TRUE(recording.is_at_its_end());
}

/// How signing ends when VERIFY is answered so.
Result<Bytes> sign_with_verify_answer(std::string const& tries, std::string const& answer,
                                      LastTry last_try = LastTry::refuse)
{
    std::string text = select_ok + "> 0020000100\n< " + tries + "\n";
    if (!answer.empty())
        text += "> 00a4080c02 df00\n< 9000\n> 002241b605 0480088483\n< 9000\n> 0020000108 241234ffffffffff\n< " +
                answer + "\n";
    Recording recording{text};
    BelpicCard card{recording};
    auto result =
        card.sign(card_data(Generation::v1_7), KeyReference::signature, digest32, SecretText{"1234"}, last_try);
    EXPECT_TRUE(recording.is_at_its_end()) << "nothing is sent after a wrong PIN";
    return result;
}

TEST(Belpic, A7_a_wrong_PIN_tells_how_many_tries_are_left)
{
    EXPECT_EQ(name(sign_with_verify_answer("63c3", "63c2")), "pin_wrong");
    EXPECT_EQ(sign_with_verify_answer("63c3", "63c2").error().tries_left, 2);
    EXPECT_EQ(sign_with_verify_answer("63c2", "63c1").error().tries_left, 1);
    EXPECT_EQ(name(sign_with_verify_answer("63c1", "63c0", LastTry::confirmed)), "pin_blocked");
    EXPECT_EQ(name(sign_with_verify_answer("63c1", "6983", LastTry::confirmed)), "pin_blocked");
    EXPECT_EQ(name(sign_with_verify_answer("63c3", "6a80")), "pin_malformed");
    EXPECT_EQ(name(sign_with_verify_answer("63c3", "6401")), "cancelled");
    EXPECT_EQ(name(sign_with_verify_answer("63c3", "6f00")), "card_unresponsive");
}

TEST(Belpic, A7_the_last_try_is_not_spent_without_a_word)
{
    EXPECT_EQ(name(sign_with_verify_answer("63c1", "")), "pin_last_try");
    EXPECT_EQ(sign_with_verify_answer("63c1", "").error().tries_left, 1);
    EXPECT_EQ(name(sign_with_verify_answer("6983", "", LastTry::confirmed)), "pin_blocked");
    EXPECT_EQ(name(sign_with_verify_answer("63c0", "", LastTry::confirmed)), "pin_blocked");
}

TEST(Belpic, sends_nothing_for_a_PIN_that_cannot_be_one)
{
    Recording recording{""};
    BelpicCard card{recording};
    EXPECT_EQ(name(card.sign(card_data(Generation::v1_7), KeyReference::signature, digest32, SecretText{"12a4"},
                             LastTry::refuse)),
              "pin_malformed");
}

/// The virtual card without a reader.
class Core final : public Transceiver {
public:
    explicit Core(vc::Card card) : core{std::move(card)} {}
    Result<Bytes> transmit(ByteView command) override
    {
        if (before_each) before_each();
        return core.transmit(command);
    }

    vc::CardCore core;
    std::function<void()> before_each;
};

constexpr auto noon = Instant{Seconds{1'772'366'400}}; // 2026-03-01 12:00 UTC
std::string const source_dir = SYMBOLON_SOURCE_DIR;

vc::Card virtual_card_of(std::string_view persona)
{
    static auto pki = vc::make_pki({.now = noon, .rsa_keys = source_dir + "/data/virtual_pki"});
    static auto const personas = vc::load_personas(source_dir + "/data/personas.toml").value();
    return vc::issue(vc::persona_named(personas, persona).value(), pki, source_dir + "/data/photos", noon).value();
}

TEST(BelpicWithCore, reads_every_file_to_its_last_byte)
{
    for (auto const* const persona : {"lotte", "bruno", "nadia", "kid"}) {
        auto const made = virtual_card_of(persona);
        Core core{made};
        BelpicCard card{core};
        auto const data = card.card_data();
        ASSERT_TRUE(data) << name(data);
        EXPECT_EQ(data->bytes, made.card_data);
        auto const reading = card.read_files(*data);
        ASSERT_TRUE(reading) << persona << ": " << reading.error().detail;
        EXPECT_EQ(reading->identity, made.files.at(vc::files::identity));
        EXPECT_EQ(reading->identity_signature, made.files.at(vc::files::identity_signature));
        EXPECT_EQ(reading->address, made.files.at(vc::files::address));
        EXPECT_EQ(reading->address_signature, made.files.at(vc::files::address_signature));
        EXPECT_EQ(reading->photo, made.files.at(vc::files::photo));
        EXPECT_EQ(reading->authentication_certificate, made.files.at(vc::files::authentication_certificate));
        EXPECT_EQ(reading->signature_certificate, made.files.at(vc::files::signature_certificate));
        EXPECT_EQ(reading->ca_certificate, made.files.at(vc::files::ca_certificate));
        EXPECT_EQ(reading->root_certificate, made.files.at(vc::files::root_certificate));
        EXPECT_EQ(reading->register_certificate, made.files.at(vc::files::register_certificate));
        EXPECT_EQ(reading->card_key.empty(), data->generation == Generation::v1_7);
    }
}

TEST(BelpicWithCore, reads_files_whose_end_is_the_end_of_a_block)
{
    auto made = virtual_card_of("lotte");
    for (auto const size : {0xF8UZ, 2 * 0xF8UZ, 0xF8UZ + 1, 0xF8UZ - 1, 1UZ}) {
        made.files[vc::files::photo] = Bytes(size, 0x42);
        Core core{made};
        BelpicCard card{core};
        EXPECT_EQ(card.read_files(*card.card_data())->photo.size(), size);
    }
}

TEST(BelpicWithCore, answers_a_challenge_with_the_cards_own_key)
{
    Core core{virtual_card_of("lotte")};
    BelpicCard card{core};
    auto const reading = card.read_files(*card.card_data());
    card::Challenge const challenge{.bytes = {}, .origin = "https://id.example"};
    auto const answer = card.answer_with_card_key(card::challenge_for_card_key(challenge));
    ASSERT_TRUE(answer) << name(answer);
    EXPECT_TRUE(card::check_card_key_answer(reading->card_key, challenge, *answer));
}

TEST(BelpicWithCore, A2_signs_what_the_signature_certificate_verifies)
{
    for (auto const* const persona : {"lotte", "bruno"}) {
        Core core{virtual_card_of(persona)};
        BelpicCard card{core};
        auto const data = *card.card_data();
        auto const reading = *card.read_files(data);
        auto const signature_certificate = *card::Certificate::parse(reading.signature_certificate);
        auto const authentication_certificate = *card::Certificate::parse(reading.authentication_certificate);
        auto const digest = crypto::hash(data.generation == Generation::v1_8 ? crypto::HashAlgorithm::sha384
                                                                             : crypto::HashAlgorithm::sha256,
                                         bytes_of("a contract"));
        for (int again = 0; again < 2; ++again) {
            auto const signature =
                card.sign(data, KeyReference::signature, digest, SecretText{"1234"}, LastTry::refuse);
            ASSERT_TRUE(signature) << persona << ": " << signature.error().detail;
            EXPECT_TRUE(
                card::verify_contract_signature(signature_certificate, authentication_certificate, digest, *signature));
        }
    }
}

TEST(BelpicWithCore, A7_counts_the_tries_as_the_card_does)
{
    for (auto const* const persona : {"lotte", "bruno"}) {
        Core core{virtual_card_of(persona)};
        BelpicCard card{core};
        auto const data = *card.card_data();
        auto const& digest = data.generation == Generation::v1_8 ? digest48 : digest32;
        auto const sign = [&](char const* pin, LastTry last_try) {
            return card.sign(data, KeyReference::signature, digest, SecretText{pin}, last_try);
        };
        EXPECT_EQ(card.pin_tries_left(data), 3) << persona;
        EXPECT_EQ(sign("9999", LastTry::refuse).error().tries_left, 2);
        EXPECT_EQ(card.pin_tries_left(data), 2);
        EXPECT_EQ(sign("9999", LastTry::refuse).error().tries_left, 1);
        EXPECT_EQ(name(sign("1234", LastTry::refuse)), "pin_last_try");
        EXPECT_EQ(card.pin_tries_left(data), 1) << "no try was spent";
        EXPECT_EQ(name(sign("1234", LastTry::confirmed)), "ok");
        EXPECT_EQ(card.pin_tries_left(data), 3) << "the right one gives them back";
        for (int i = 0; i < 3; ++i) (void)sign("9999", LastTry::confirmed);
        EXPECT_EQ(name(sign("1234", LastTry::confirmed)), "pin_blocked") << persona;
        EXPECT_EQ(card.pin_tries_left(data), 0);
    }
}

TEST(BelpicWithCore, works_after_somebody_else_selected_something_and_reset_the_card)
{
    Core core{virtual_card_of("lotte")};
    BelpicCard card{core};
    auto const data = *card.card_data();
    (void)core.core.transmit(Bytes{0x00, 0xA4, 0x08, 0x0C, 0x04, 0xDF, 0x01, 0x40, 0x35});
    core.core.reset();
    EXPECT_EQ(name(card.sign(data, KeyReference::signature, digest48, SecretText{"1234"}, LastTry::refuse)), "ok");
}

// ---- cards and readers that do it in another way, or wrong
// ---------------------------------------------------------

/// The virtual card behind somebody who changes what it says.
class Odd final : public Transceiver {
public:
    using Change = std::function<Bytes(ByteView command, vc::CardCore& core)>;
    explicit Odd(Change change) : core{virtual_card_of("lotte")}, change_{std::move(change)} {}

    Result<Bytes> transmit(ByteView command) override
    {
        ++exchanges;
        return change_(command, core);
    }

    vc::CardCore core;
    int exchanges = 0;

private:
    Change change_;
};

bool is_read_binary(ByteView command) { return command.size() == 5 && command[1] == 0xB0; }

/// READ BINARY with another Le, as a reader sends it that obeys 6Cxx by itself.
Bytes read_by_reader(ByteView command, vc::CardCore& core, Byte most)
{
    Bytes sent{command.begin(), command.end()};
    if (sent[4] == 0 || sent[4] > most) sent[4] = most;
    auto answer = core.transmit(sent);
    if (answer.size() != 2 || answer[0] != 0x6C) return answer;
    sent[4] = answer[1];
    return core.transmit(sent);
}

TEST(OddCard, that_gives_less_than_was_asked_for_is_read_to_its_last_byte)
{
    for (Byte const most : {Byte{0x80}, Byte{0xC9}, Byte{0xF8}}) {
        Odd card{[most](ByteView command, vc::CardCore& core) {
            return is_read_binary(command) ? read_by_reader(command, core, most) : core.transmit(command);
        }};
        auto const reading = BelpicCard{card}.read_files(card_data(Generation::v1_8));
        ASSERT_TRUE(reading) << reading.error().detail;
        auto const& files = card.core.card().files;
        EXPECT_EQ(reading->identity, files.at(vc::files::identity)) << int{most};
        EXPECT_EQ(reading->photo, files.at(vc::files::photo)) << int{most};
        EXPECT_EQ(reading->signature_certificate, files.at(vc::files::signature_certificate)) << int{most};
        EXPECT_EQ(reading->card_key, files.at(vc::files::basic_key)) << int{most};
    }
}

TEST(OddCard, that_says_where_a_file_ends_is_read_to_its_last_byte)
{
    Odd card{[](ByteView command, vc::CardCore& core) {
        if (!is_read_binary(command)) return core.transmit(command);
        auto asked = core.transmit(command);
        if (asked.at(0) != 0x6C) return asked;
        auto answer = read_by_reader(command, core, 0xF8);
        answer[answer.size() - 2] = 0x62;
        answer[answer.size() - 1] = 0x82;
        return answer;
    }};
    auto const reading = BelpicCard{card}.read_files(card_data(Generation::v1_8));
    ASSERT_TRUE(reading) << reading.error().detail;
    EXPECT_EQ(reading->identity, card.core.card().files.at(vc::files::identity));
    EXPECT_EQ(reading->photo, card.core.card().files.at(vc::files::photo));
}

TEST(OddCard, whose_files_or_answers_never_end_is_left)
{
    auto const answered = [](std::string_view hex) {
        return [bytes = crypto::from_hex(hex).value()](ByteView command, vc::CardCore& core) {
            auto const asked = is_read_binary(command) || command[1] == 0x88 || command[1] == 0xC0;
            return asked ? bytes : core.transmit(command);
        };
    };
    for (auto const& endless : {repeated("00", 248) + "9000", repeated("00", 256) + "9000", std::string{"009000"},
                                std::string{"9000"}, std::string{"6110"}, std::string{"006110"}, std::string{"6c01"},
                                std::string{"6282"}, std::string{"6b00"}, std::string{"6f00"}}) {
        Odd card{answered(endless)};
        EXPECT_EQ(name(BelpicCard{card}.has_signature_certificate(card_data(Generation::v1_8))), "card_unresponsive")
            << endless;
        EXPECT_EQ(name(BelpicCard{card}.answer_with_card_key(digest48)), "card_unresponsive") << endless;
        EXPECT_LT(card.exchanges, 200) << endless;
    }
}

TEST(OddCard, that_does_not_tell_its_tries_there_is_asked_in_another_way)
{
    Odd card{[](ByteView command, vc::CardCore& core) {
        auto answer = core.transmit(command);
        if (command[1] == 0xE4 && command[3] == 0x01) answer.at(28) = 0xFF;
        return answer;
    }};
    card.core.transmit(crypto::from_hex("0020000108241111ffffffffff").value());
    card.core.transmit(crypto::from_hex("0020000108241111ffffffffff").value());
    EXPECT_EQ(BelpicCard{card}.pin_tries_left(card_data(Generation::v1_8)).value(), 1);
    EXPECT_EQ(name(BelpicCard{card}.sign(card_data(Generation::v1_8), KeyReference::signature, digest48,
                                         SecretText{"1111"}, LastTry::refuse)),
              "pin_last_try");
    EXPECT_EQ(card.core.pin_tries(), 1);
}

TEST(OddCard, that_loses_its_power_in_the_middle_signs_nothing_and_costs_no_try)
{
    for (Byte const before : {Byte{0x22}, Byte{0x20}, Byte{0x2A}, Byte{0xC0}}) {
        Odd card{[before](ByteView command, vc::CardCore& core) {
            if (command[1] == before) core.reset();
            return core.transmit(command);
        }};
        auto const signature = BelpicCard{card}.sign(card_data(Generation::v1_8), KeyReference::signature, digest48,
                                                     SecretText{"1234"}, LastTry::refuse);
        EXPECT_EQ(name(signature), before == 0x22 ? "ok" : "card_unresponsive") << int{before};
        EXPECT_EQ(card.core.pin_tries(), 3) << int{before};
    }
}

} // namespace
} // namespace symbolon::card_reader

#include "virtual_card/card.hpp"
#include "virtual_card/card_testing.hpp"
#include "virtual_card/openssl.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <unistd.h>

namespace symbolon::virtual_card {
namespace {

Bench& bench()
{
    static auto made = make_bench(SYMBOLON_SOURCE_DIR);
    return made;
}

/// One card a persona: issuing takes signatures.
Card const& card_of(std::string_view persona)
{
    static std::map<std::string, Card, std::less<>> issued;
    auto const found = issued.find(persona);
    return found != issued.end() ? found->second : issued.emplace(persona, bench().card(persona)).first->second;
}

/// The fields of a TLV file (eid-card.md §4).
std::map<Byte, std::string> fields(Bytes const& file)
{
    std::map<Byte, std::string> out;
    for (std::size_t at = 0; at + 1 < file.size() && file[at] != 0;) {
        auto const tag = file[at++];
        std::size_t length = 0;
        while (file[at] == 0xFF) length += file[at++];
        length += file[at++];
        out[tag] = string_of(ByteView{file}.subspan(at, length));
        at += length;
    }
    return out;
}

std::map<Byte, std::string> identity(std::string_view persona)
{
    return fields(card_of(persona).files.at(files::identity));
}

bool verifies(ByteView register_file, EVP_MD const* md, ByteView data, ByteView signature)
{
    auto const certificate = parse_certificate(certificate_in(register_file));
    auto const context = DigestContext{EVP_MD_CTX_new()};
    EVP_DigestVerifyInit(context.get(), nullptr, md, nullptr, X509_get0_pubkey(certificate.get()));
    return EVP_DigestVerify(context.get(), signature.data(), signature.size(), data.data(), data.size()) == 1;
}

ByteView der_part(Bytes const& file)
{
    if (file.size() < 2 || file[0] != 0x30) return file; // RSA: the whole file
    return ByteView{file}.first(std::size_t{2} + file[1]);
}

Bytes stripped(Bytes file)
{
    while (!file.empty() && file.back() == 0) file.pop_back();
    return file;
}

struct Signed {
    bool identity, address;
};

/// eid-card.md §5, to the letter.
Signed signatures_of(std::string_view persona)
{
    auto const& card = card_of(persona);
    auto const& f = card.files;
    auto const* const md =
        card.generation == Generation::v17 ? (bench().persona(persona).sha1 ? EVP_sha1() : EVP_sha256()) : EVP_sha384();
    auto const ec = card.generation != Generation::v17;
    auto const& identity_signature = f.at(files::identity_signature);
    auto const& address_signature = f.at(files::address_signature);
    auto signed_address = stripped(f.at(files::address));
    append(signed_address, identity_signature);
    return {.identity = verifies(f.at(files::register_certificate), md, f.at(files::identity),
                                 ec ? der_part(identity_signature) : ByteView{identity_signature}),
            .address = verifies(f.at(files::register_certificate), md, signed_address,
                                ec ? der_part(address_signature) : ByteView{address_signature})};
}

bool photo_fits(std::string_view persona)
{
    auto const& card = card_of(persona);
    auto const hash = fields(card.files.at(files::identity)).at(0x11);
    auto const* const md = hash.size() == 48 ? EVP_sha384() : hash.size() == 32 ? EVP_sha256() : EVP_sha1();
    return string_of(digest(md, card.files.at(files::photo))) == hash;
}

TEST(Personas, are_all_issued_each_with_its_own_chip_and_certificates)
{
    std::map<std::string, std::string> owners;
    for (auto const& persona : bench().personas) {
        auto const card = issue(persona, bench().pki, bench().photos, bench().now);
        ASSERT_TRUE(card) << persona.name << ": " << card.error().detail;
        for (auto const& unique :
             {hex_of(card->chip_serial()), hex_of(certificate_serial(persona, Use::authentication)),
              hex_of(certificate_serial(persona, Use::signature)), fields(card->files.at(files::identity)).at(0x01)}) {
            EXPECT_TRUE(owners.emplace(unique, persona.name).second) << persona.name << " and " << owners[unique];
        }
        EXPECT_FALSE(persona.shows.empty()) << persona.name;
        EXPECT_LT(card->files.at(files::identity).size(), 512U);
    }
}

TEST(Personas, stand_in_the_docs_with_what_they_show)
{
    auto const docs = string_of(*read_file(SYMBOLON_SOURCE_DIR "/docs/virtual-card.md"));
    for (auto const& persona : bench().personas)
        EXPECT_NE(docs.find(fmt::format("| `{}` | {} |", persona.name, persona.shows)), std::string::npos)
            << persona.name;
}

TEST(Personas, have_identities_that_are_signed_unless_they_show_otherwise)
{
    for (auto const& persona : bench().personas) {
        auto const [identity_good, address_good] = signatures_of(persona.name);
        EXPECT_EQ(identity_good, !persona.faults.identity_signature_wrong) << persona.name;
        EXPECT_EQ(address_good, !persona.faults.address_signature_wrong && !persona.faults.address_of_other_card)
            << persona.name;
        EXPECT_EQ(photo_fits(persona.name), !persona.faults.photo_of_other_card) << persona.name;
    }
}

TEST(Personas, of_1_8_sign_for_their_basic_key_unless_they_show_otherwise)
{
    for (auto const* const name : {"lotte", "cloned", "wrong-key-hash"}) {
        auto const& card = card_of(name);
        auto const& key = card.files.at(files::basic_key);
        EXPECT_EQ(key.size(), 120U);
        EXPECT_EQ(string_of(digest(EVP_sha384(), key)) == fields(card.files.at(files::identity)).at(0x1A),
                  name != std::string{"wrong-key-hash"});
    }
    EXPECT_FALSE(card_of("bruno").files.contains(files::basic_key));
    EXPECT_FALSE(identity("nadia").contains(0x1A));
}

TEST(Personas, carry_what_the_file_says)
{
    auto const lotte = identity("lotte");
    EXPECT_EQ(lotte.at(0x03), "25.01.2025");
    EXPECT_EQ(lotte.at(0x04), "25.01.2035");
    EXPECT_EQ(lotte.at(0x06), "85073099833");
    EXPECT_EQ(lotte.at(0x07), "Vermeersch-Test");
    EXPECT_EQ(lotte.at(0x08), "Lotte Margriet");
    EXPECT_EQ(lotte.at(0x0C), "30 JUL  1985");
    EXPECT_EQ(lotte.at(0x0D), "V");
    EXPECT_EQ(lotte.at(0x0F), "1");
    EXPECT_EQ(identity("bruno").at(0x0C), "09 MARS 1971");
    EXPECT_EQ(identity("amelie").at(0x07), "D'Œuvré-Cœurjolly");
    EXPECT_EQ(identity("longest-names").at(0x07).size(), 90U);
    EXPECT_EQ(identity("longest-names").at(0x08).size(), 75U);
    EXPECT_EQ(identity("single-name").at(0x08), "");
    EXPECT_EQ(identity("foreigner").at(0x0F), "31");
    EXPECT_EQ(identity("foreigner").at(0x01), "B999000201");
}

TEST(Personas, write_birth_dates_as_the_language_does)
{
    EXPECT_EQ(identity("jurgen").at(0x0C), "13.MÄR.1996");
    EXPECT_EQ(identity("unknown-birth-day").at(0x0C), "1971");
    EXPECT_EQ(identity("known-birth-month").at(0x0C), "JUL 1984");
    for (auto const& persona : bench().personas) EXPECT_LE(identity(persona.name).at(0x0C).size(), 12U) << persona.name;
}

TEST(NationalNumber, has_the_check_digits_of_its_century)
{
    // The examples of eid-card.md §4.
    EXPECT_EQ(national_number({.birth = BirthDate{1985, 7, 30}, .sequence = 1}, bench_noon), "85073000160");
    EXPECT_EQ(national_number({.birth = BirthDate{2003, 6, 15}, .sequence = 1}, bench_noon), "03061500171");
    EXPECT_EQ(national_number({.birth = BirthDate{1903, 6, 15}, .sequence = 1}, bench_noon), "03061500142");
    EXPECT_EQ(national_number({.birth = BirthDate{1971, 0, 0}, .sequence = 985}, bench_noon).substr(0, 9), "710000985");
    EXPECT_EQ(national_number({.birth = BirthDate{1988, 9, 17}, .sequence = 986, .bis = true}, bench_noon).substr(0, 6),
              "884917");
}

TEST(Personas, are_as_old_as_they_say_on_the_day_of_issue)
{
    auto const age = [](std::string_view name) {
        auto const birth = birth_date(bench().persona(name), bench_noon);
        auto const had_birthday = birth.month < 3 || (birth.month == 3 && birth.day <= 1); // bench_noon is 1 March 2026
        return 2026 - birth.year - (had_birthday ? 0 : 1);
    };
    EXPECT_EQ(age("kid"), 8);
    EXPECT_EQ(age("minor-15"), 15);
    EXPECT_EQ(age("minor-16"), 16);
    EXPECT_EQ(age("minor-17"), 17);
    EXPECT_EQ(age("turns-18-soon"), 17);
    EXPECT_EQ(age("young-adult"), 18);
    EXPECT_EQ(age("no-signature-certificate"), 18);
    EXPECT_EQ(birth_date(bench().persona("turns-18-soon"), bench_noon), (BirthDate{2008, 3, 21}));
}

TEST(Personas, without_certificates_have_zeros_and_no_entry)
{
    auto const& teenager = card_of("minor-16");
    EXPECT_EQ(teenager.files.at(files::signature_certificate), Bytes(2500));
    EXPECT_FALSE(certificate_in(teenager.files.at(files::authentication_certificate)).empty());
    auto const directory = string_of(teenager.files.at(files::certificates));
    EXPECT_NE(directory.find("Authentication"), std::string::npos);
    EXPECT_EQ(directory.find("Signature"), std::string::npos);
    auto const& kid = card_of("kid");
    EXPECT_EQ(kid.files.at(files::authentication_certificate), Bytes(2500));
    EXPECT_EQ(string_of(kid.files.at(files::certificates)).find("Authentication"), std::string::npos);
}

TEST(Personas, have_the_standing_that_the_file_says)
{
    bench().card("suspended");
    bench().card("never-activated");
    bench().card("signature-revoked");
    bench().card("wrong-responder");
    auto const standing = [](std::string_view name, Use use) {
        return bench().pki.standings.by_serial.at(certificate_serial(bench().persona(name), use));
    };
    EXPECT_EQ(standing("suspended", Use::authentication).status, CertificateStatus::suspended);
    EXPECT_EQ(standing("never-activated", Use::signature).status, CertificateStatus::suspended);
    EXPECT_EQ(standing("signature-revoked", Use::authentication).status, CertificateStatus::good);
    EXPECT_EQ(standing("signature-revoked", Use::signature).status, CertificateStatus::revoked);
    EXPECT_EQ(standing("wrong-responder", Use::authentication), (Standing{CertificateStatus::good, Conduct::stranger}));
}

TEST(Card, re_keyed_has_RSA_leaves_under_an_EC_CA_and_register)
{
    auto const& card = card_of("nadia");
    auto const leaf = parse_certificate(certificate_in(card.files.at(files::authentication_certificate)));
    auto const ca = parse_certificate(certificate_in(card.files.at(files::ca_certificate)));
    EXPECT_EQ(EVP_PKEY_get_base_id(X509_get0_pubkey(leaf.get())), EVP_PKEY_RSA);
    EXPECT_EQ(EVP_PKEY_get_base_id(X509_get0_pubkey(ca.get())), EVP_PKEY_EC);
    EXPECT_EQ(X509_verify(leaf.get(), X509_get0_pubkey(ca.get())), 1);
    EXPECT_EQ(card.files.at(files::identity_signature).size(), 256U) << "EC signature in a file of 256 bytes";
}

TEST(Card, files_have_the_sizes_of_real_cards)
{
    for (auto const* const name : {"lotte", "bruno", "nadia"}) {
        auto const& card = card_of(name);
        EXPECT_EQ(card.files.at(files::object_directory).size(), 36U);
        EXPECT_EQ(card.files.at(files::certificates).size(), 176U);
        EXPECT_EQ(card.card_data.size(), 28U);
        auto const& leaf = card.files.at(files::authentication_certificate);
        EXPECT_EQ(leaf.size(), certificate_in(leaf).size() + 1100);
    }
}

TEST(Card, comes_back_from_disk_with_its_PIN_state)
{
    auto const folder = std::filesystem::temp_directory_path() / fmt::format("symbolon-card-{}", ::getpid());
    auto const& card = card_of("lotte");
    ASSERT_TRUE(save_card(card, folder));
    ASSERT_TRUE(save_pin("98765", 2, folder));
    auto const read = load_card(folder);
    ASSERT_TRUE(read) << read.error().detail;
    EXPECT_EQ(read->files, card.files);
    EXPECT_EQ(read->card_data, card.card_data);
    EXPECT_EQ(read->pin, "98765");
    EXPECT_EQ(read->pin_tries, 2);
    EXPECT_EQ(EVP_PKEY_eq(read->basic_key.get(), card.basic_key.get()), 1);
    ASSERT_TRUE(write_file(folder / "pin", bytes_of("1234 7\n")));
    EXPECT_FALSE(load_card(folder));
    std::filesystem::remove_all(folder);
    EXPECT_FALSE(load_card(folder));
}

struct Refused {
    char const* text;
    char const* detail; ///< how the refusal ends
};

TEST(PersonaFile, is_refused_with_line_and_what_is_expected)
{
    auto const file = std::filesystem::temp_directory_path() / fmt::format("symbolon-personas-{}.toml", ::getpid());
    for (auto const& [text, detail] :
         {Refused{"[a]\nsurname = \"A\"\ncard_number = \"9990000101\"\ncolour = \"red\"\n", ":4: colour: no such key"},
          Refused{"[a]\nsurname = 5\n", ":2: surname: expected a text"},
          Refused{"[a]\nsurname = \"A\"\ncard_number = \"12\"\n", ":3: card_number: expected ten digits"},
          Refused{"[a]\nsurname = \"A\"\ncard_number = \"9990000101\"\nbirth = \"1985-13-01\"\n",
                  ":4: birth: expected YYYY-MM-DD"},
          Refused{"[a]\nsurname = \"A\"\ncard_number = \"9990000101\"\nage = 200\n",
                  ":4: age: expected a whole number from 0 to 120"},
          Refused{"[a]\nsurname = \"A\"\ncard_number = \"9990000101\"\nfaults = [\"lame\"]\n",
                  ":4: faults: expected names of faults, such as \"cloned\""},
          Refused{"[a]\nsurname = \"A\"\ncard_number = \"9990000101\"\npin = \"12a4\"\n",
                  ":4: pin: expected 4 to 12 digits"},
          Refused{"[a]\nlike = \"b\"\n", ":1: a: like: no such table above"},
          Refused{"a = 1\n", ":1: a: expected a table"},
          Refused{"[A]\n", ":1: A: expected a name of small letters, digits and hyphens"}}) {
        ASSERT_TRUE(write_file(file, bytes_of(text)));
        auto const read = load_personas(file);
        ASSERT_FALSE(read) << text;
        EXPECT_EQ(read.error().outcome, Outcome::configuration_invalid);
        EXPECT_EQ(read.error().detail, file.string() + detail);
    }
    ASSERT_TRUE(write_file(file, bytes_of("[a\n")));
    EXPECT_FALSE(load_personas(file));
    std::filesystem::remove(file);
    EXPECT_FALSE(load_personas(file));
}

TEST(Card, is_not_issued_with_a_field_too_long_for_its_tag)
{
    auto persona = bench().persona("lotte");
    persona.surname = std::string(91, 'x');
    auto const refused = issue(persona, bench().pki, bench().photos, bench().now);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().outcome, Outcome::configuration_invalid);
}

} // namespace
} // namespace symbolon::virtual_card

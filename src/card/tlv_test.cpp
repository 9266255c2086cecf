#include "card/address_file.hpp"
#include "card/identity_file.hpp"
#include "card/tlv.hpp"

#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <string>

namespace symbolon::card {
namespace {

using namespace std::string_literals;

/// "01=abc 07=de", or how the file is refused.
std::string read(std::string const& file, std::size_t most_bytes = 1024)
{
    auto const fields = parse_tlv(bytes_of(file), most_bytes);
    if (!fields) return std::string{name_of(fields.error().outcome)};
    std::string text;
    for (auto const& field : *fields) {
        if (!text.empty()) text += ' ';
        text += std::to_string(field.tag) + "=" + string_of(field.value);
    }
    return text;
}

TEST(Tlv, gives_each_field_up_to_the_padding)
{
    EXPECT_EQ(read("\x01\x03"s + "abc" + "\x07\x02"s + "de"), "1=abc 7=de");
    EXPECT_EQ(read("\x01\x03"s + "abc" + "\x00\x00\x00\x00"s), "1=abc");
    EXPECT_EQ(read("\x01\x00\x02\x01"s + "x"), "1= 2=x") << "an empty value is not an absent one";
    EXPECT_EQ(read("\x00\x02\x00\x05\x01\x01"s + "a"), "0="s + "\x00\x05"s + " 1=a") << "the structure's version";
    EXPECT_EQ(read(""), "");
    EXPECT_EQ(read(std::string(117, '\0')), "") << "a file never written";
}

TEST(Tlv, adds_up_the_length_bytes_from_FF_on)
{
    EXPECT_EQ(read("\x01\xFE"s + std::string(254, 'a')), "1=" + std::string(254, 'a'));
    EXPECT_EQ(read("\x01\xFF\x00"s + std::string(255, 'a')), "1=" + std::string(255, 'a'));
    EXPECT_EQ(read("\x01\xFF\xFF\x05"s + std::string(515, 'a')), "1=" + std::string(515, 'a'));
}

TEST(Tlv, refuses_what_is_cut_off_or_out_of_order)
{
    auto const refused = "card_data_malformed";
    EXPECT_EQ(read("\x01"s), refused) << "no length";
    EXPECT_EQ(read("\x01\xFF"s), refused) << "length cut off";
    EXPECT_EQ(read("\x01\x05"s + "abcd"), refused) << "value cut off";
    EXPECT_EQ(read(std::string("\x01") + std::string(2000, '\xFF')), refused) << "an endless length";
    EXPECT_EQ(read("\x01\x01"s + "a" + "\x01\x01"s + "b"), refused) << "a tag twice";
    EXPECT_EQ(read("\x02\x01"s + "a" + "\x01\x01"s + "b"), refused) << "descending tags";
    EXPECT_EQ(read("\x01\x01"s + "a" + "\x00\x02\x00\x05"s), refused) << "the version in the middle";
    EXPECT_EQ(read("\x01\x01"s + "a" + "\x00\x00\x01"s), refused) << "something behind the padding";
    EXPECT_EQ(read("\x01\x14"s + std::string(20, 'a'), 20), refused) << "longer than a file may be";
    EXPECT_EQ(read("\x01\x01"s + "a" + std::string(6000, '\0')), refused) << "more padding than a card holds";
}

TEST(AddressFile, gives_street_zip_and_municipality)
{
    auto const file = "\x01\x14"s + "Wetstraat 16 bus 2b " + "\x02\x04"s + "1000" + "\x03\x06"s + "Li\xC3\xA8ge" +
                      std::string(60, '\0');
    auto const address = parse_address_file(bytes_of(file));
    ASSERT_TRUE(address);
    EXPECT_EQ(address->street_and_number, "Wetstraat 16 bus 2b ");
    EXPECT_EQ(address->zip, "1000");
    EXPECT_EQ(address->municipality, "Li\xC3\xA8ge");
}

TEST(AddressFile, refuses_text_that_is_no_text)
{
    for (auto const& file : {"\x03\x02\xC3\x28"s, "\x03\x03"s + "a\nb", "\x02\x07"s + "1234567"}) {
        auto const address = parse_address_file(bytes_of(file));
        ASSERT_FALSE(address);
        EXPECT_EQ(address.error().outcome, Outcome::card_data_malformed);
    }
}

/// An identity file of an invented person, with some fields changed.
std::string identity(std::initializer_list<std::pair<char const, std::string>> changes)
{
    std::map<char, std::string> fields{
        {'\x01', "591234567829"}, // 5912345678 mod 97 = 29
        {'\x02', std::string(16, 'C')},
        {'\x03', "01.02.2022"},
        {'\x04', "01.02.2032"},
        {'\x05', "Gent"},
        {'\x06', "85073000160"},
        {'\x07', "Voorbeeld"},
        {'\x08', "An Bea"},
        {'\x09', "C"},
        {'\x0A', "Belg"},
        {'\x0B', "Gent"},
        {'\x0C', "30 JUL  1985"},
        {'\x0D', "V"},
        {'\x0E', ""},
        {'\x0F', "1"},
        {'\x11', std::string(48, 'h')},
        {'\x1A', std::string(48, 'k')},
    };
    for (auto const& [tag, value] : changes)
        if (value == "absent") fields.erase(tag);
        else fields[tag] = value;
    std::string file;
    for (auto const& [tag, value] : fields) file += tag + std::string(1, static_cast<char>(value.size())) + value;
    return file;
}

std::string refusal(std::initializer_list<std::pair<char const, std::string>> changes)
{
    auto const file = identity(changes);
    auto const result = parse_identity_file(bytes_of(file));
    return result ? "accepted" : std::string{name_of(result.error().outcome)};
}

TEST(IdentityFile, gives_typed_values)
{
    auto const text = identity({});
    auto const file = parse_identity_file(bytes_of(text));
    ASSERT_TRUE(file) << file.error().detail;
    EXPECT_EQ(file->surname, "Voorbeeld");
    EXPECT_EQ(file->given_names, "An Bea");
    EXPECT_EQ(file->third_initial, "C");
    EXPECT_EQ(file->national_number.text(), "85073000160");
    EXPECT_EQ(file->birth_date.iso(), "1985-07-30");
    EXPECT_EQ(file->sex, Sex::female);
    EXPECT_EQ(file->document_type, DocumentType::belgian_citizen);
    EXPECT_EQ(file->valid_from, std::chrono::year{2022} / 2 / 1);
    EXPECT_EQ(file->valid_until, std::chrono::year{2032} / 2 / 1);
    EXPECT_EQ(file->chip_number[15], 'C');
    EXPECT_EQ(file->card_key_hash.size(), 48U);
}

TEST(IdentityFile, accepts_what_cards_differ_in)
{
    EXPECT_EQ(refusal({{'\x08', ""}, {'\x09', ""}}), "accepted") << "a person of one name";
    EXPECT_EQ(refusal({{'\x1A', "absent"}, {'\x11', std::string(32, 'h')}}), "accepted") << "before 1.8";
    EXPECT_EQ(refusal({{'\x0F', "11"}, {'\x01', "B123456789"}}), "accepted") << "a foreigner's card";
    EXPECT_EQ(refusal({{'\x0F', "6"}}), "accepted") << "a Kids-ID is read; whether it may enrol is another question";
    EXPECT_EQ(refusal({{'\x14', ""}}), "accepted") << "a tag whose presence is all";
    EXPECT_EQ(refusal({{'\x7F', "new"}}), "accepted") << "a tag of tomorrow";
}

TEST(IdentityFile, refuses_each_field_that_is_not_what_it_should_be)
{
    for (auto const tag : {'\x01', '\x02', '\x03', '\x04', '\x07', '\x0C', '\x0D', '\x0F', '\x11'})
        EXPECT_EQ(refusal({{tag, "absent"}}), "card_data_malformed") << int{tag};
    EXPECT_EQ(refusal({{'\x06', "absent"}}), "national_number_invalid");
    EXPECT_EQ(refusal({{'\x06', "85073000161"}}), "national_number_invalid");
    EXPECT_EQ(refusal({{'\x01', "591234567899"}}), "card_data_malformed") << "check digits";
    EXPECT_EQ(refusal({{'\x01', "59123456784"}}), "card_data_malformed");
    EXPECT_EQ(refusal({{'\x02', std::string(15, 'C')}}), "card_data_malformed");
    EXPECT_EQ(refusal({{'\x03', "31.02.2022"}}), "card_data_malformed");
    EXPECT_EQ(refusal({{'\x03', "1.02.2022"}}), "card_data_malformed");
    EXPECT_EQ(refusal({{'\x03', "01-02-2022"}}), "card_data_malformed");
    EXPECT_EQ(refusal({{'\x07', "\xC3\x28"}}), "card_data_malformed");
    EXPECT_EQ(refusal({{'\x07', "a\xE2\x80\xAE"
                                "b"}}),
              "card_data_malformed")
        << "text that turns the direction";
    EXPECT_EQ(refusal({{'\x0D', "X"}}), "card_data_malformed");
    EXPECT_EQ(refusal({{'\x0F', "x"}}), "card_data_malformed");
    EXPECT_EQ(refusal({{'\x0F', "99"}}), "document_type_not_allowed");
    EXPECT_EQ(refusal({{'\x11', std::string(16, 'h')}}), "card_data_malformed");
    EXPECT_EQ(refusal({{'\x1A', std::string(32, 'k')}}), "card_data_malformed");
}

std::string birth_date(std::string_view text)
{
    auto const date = parse_birth_date(text);
    return date ? date->iso() : "refused";
}

TEST(BirthDate, is_read_in_the_language_of_the_card)
{
    EXPECT_EQ(birth_date("03 MEI 2001"), "2001-05-03");
    EXPECT_EQ(birth_date("30 JUL  1985"), "1985-07-30");
    EXPECT_EQ(birth_date("1 JAN 1971"), "1971-01-01");
    EXPECT_EQ(birth_date("13.AUG. 1996"), "1996-08-13");
    EXPECT_EQ(birth_date("07.M\xC3\x84R.1960"), "1960-03-07");
    EXPECT_EQ(birth_date("29 FEV  2000"), "2000-02-29");
    EXPECT_EQ(birth_date("15 AOUT 1999"), "1999-08-15");
    EXPECT_EQ(birth_date("31 DEZ 1950"), "1950-12-31");

    for (auto const* const names :
         {"JAN FEV MARS AVR MAI JUIN JUIL AOUT SEPT OCT NOV DEC", "JAN FEB MAAR APR MEI JUN JUL AUG SEP OKT NOV DEC",
          "JAN FEB M\xC3\x84R APR MAI JUN JUL AUG SEP OKT NOV DEZ"}) {
        std::istringstream words{names};
        unsigned month = 0;
        for (std::string name; words >> name;) {
            auto const date = parse_birth_date("01 " + name + " 1980");
            ASSERT_TRUE(date) << name;
            EXPECT_EQ(static_cast<unsigned>(*date->month), ++month) << name;
        }
        EXPECT_EQ(month, 12U);
    }
}

TEST(BirthDate, keeps_how_much_of_it_is_known)
{
    EXPECT_EQ(birth_date("1971"), "1971");
    EXPECT_EQ(birth_date("        1971"), "1971");
    EXPECT_EQ(birth_date("   MAI 1971"), "1971-05");
    EXPECT_EQ(parse_birth_date("1971")->latest(), std::chrono::year{1971} / 12 / 31);
    EXPECT_EQ(parse_birth_date("FEB 1972")->latest(), std::chrono::year{1972} / 2 / 29);
    EXPECT_EQ(parse_birth_date("1971")->full(), std::nullopt);
}

TEST(BirthDate, is_refused_when_it_is_none)
{
    for (auto const* const text : {"", "   ", "03 MEI", "03 XXX 2001", "31 FEB 2001", "00 JAN 2001", "3 3 MEI 2001",
                                   "03 MEI 01", "03-MEI-2001", "-3 MEI 2001", "03 MEI 20010", "03 MEI 1700"})
        EXPECT_EQ(birth_date(text), "refused") << text;
}

} // namespace
} // namespace symbolon::card

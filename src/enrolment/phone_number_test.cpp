#include "base/outcome.hpp"
#include "enrolment/phone_number.hpp"

#include <gtest/gtest.h>

namespace symbolon::enrolment {
namespace {

/// The number, or the name of the outcome.
std::string read(std::string_view calling_code, std::string_view typed)
{
    auto const number = parse_phone_number(calling_code, typed);
    return number ? number->e164() : std::string{name_of(number.error().outcome)};
}

TEST(PhoneNumber, A1_ends_as_one_number_however_it_is_typed)
{
    for (auto const* typed : {
             "470123456",
             "0470123456",
             "0470 12 34 56",
             "0470/12.34.56",
             "0470-123-456",
             "(0470) 12 34 56",
             " 0470 123 456 ",
             "+32470123456",
             "+32 470 12 34 56",
             "+32 (0)470 12 34 56",
             "0032470123456",
             "0032 (0) 470 123456",
             "32470123456",
             "+320470123456",
             "0470\u00A012\u202F34\u200956",
             "0470\u201112\u201334\u201056",
         }) {
        EXPECT_EQ(read("32", typed), "+32470123456") << typed;
    }
}

TEST(PhoneNumber, A1_follows_the_rules_of_each_country)
{
    struct Case {
        char const* code;
        char const* typed;
        char const* number;
    };
    for (auto const& c : {
             Case{"33", "06 12 34 56 78", "+33612345678"},    Case{"33", "6 12 34 56 78", "+33612345678"},
             Case{"31", "06-12345678", "+31612345678"},       Case{"352", "621 123 456", "+352621123456"},
             Case{"49", "0151 23456789", "+4915123456789"},   Case{"39", "320 123 4567", "+393201234567"},
             Case{"36", "06 20 123 4567", "+36201234567"},    Case{"370", "8 612 34567", "+37061234567"},
             Case{"370", "0 612 34567", "+37061234567"},      Case{"44", "07400 123456", "+447400123456"},
             Case{"1", "(212) 555-0123", "+12125550123"},     Case{"1", "1-212-555-0123", "+12125550123"},
             Case{"212", "0612-345678", "+212612345678"},     Case{"90", "0532 123 45 67", "+905321234567"},
             Case{"41", "079 123 45 67", "+41791234567"},     Case{"47", "406 12 345", "+4740612345"},
             Case{"225", "01 23 45 67 89", "+2250123456789"}, Case{"420", "601 123 456", "+420601123456"},
             Case{"+32", "0470123456", "+32470123456"},       Case{" 32 ", "0470123456", "+32470123456"},
         })
        EXPECT_EQ(read(c.code, c.typed), c.number) << c.code << ' ' << c.typed;
}

TEST(PhoneNumber, typed_whole_goes_before_the_calling_code_that_was_chosen)
{
    EXPECT_EQ(read("32", "+33 6 12 34 56 78"), "+33612345678");
    EXPECT_EQ(read("32", "0033612345678"), "+33612345678");
    EXPECT_EQ(read("32", "+999 123456"), "calling_code_unknown");
}

TEST(PhoneNumber, that_is_no_mobile_phone_is_refused_with_that_reason)
{
    EXPECT_EQ(read("32", "02 555 12 34"), "phone_number_not_mobile");
    EXPECT_EQ(read("33", "01 42 68 53 00"), "phone_number_not_mobile");
}

TEST(PhoneNumber, that_is_none_is_refused)
{
    for (std::string const typed :
         {"", " ", "0", "+", "++32470123456", "0470", "0470 12 34 5", "0470 12 34 567", "0470a123456", "32+470123456",
          "0470123456;x", "٠٤٧٠١٢٣٤٥٦", "0470\n123456", "<script>", "+32", "0032", "999999999999999999999"})
        EXPECT_EQ(read("32", typed), "phone_number_invalid") << typed;
    EXPECT_EQ(read("32", std::string(100'000, '4')), "phone_number_invalid");
    EXPECT_EQ(read("32", std::string("0470\0"
                                     "123456",
                                     11)),
              "phone_number_invalid");
}

TEST(PhoneNumber, with_a_calling_code_that_is_not_served_is_refused)
{
    for (auto const* code : {"", "0", "850", "3", "322", "+", "++32", "be", "32;1"})
        EXPECT_EQ(read(code, "0470123456"), "calling_code_unknown") << code;
}

TEST(PhoneNumber, reads_back_to_itself)
{
    for (auto const* number : {"+32470123456", "+33612345678", "+36201234567", "+393201234567", "+12125550123",
                               "+2250123456789", "+4915123456789"}) {
        EXPECT_EQ(read("32", number), number);
        auto const national = national_form(account::PhoneNumber{number});
        for (auto const code : calling_codes())
            if (std::string_view{number}.substr(1).starts_with(code)) EXPECT_EQ(read(code, national), number);
    }
    EXPECT_EQ(national_form(account::PhoneNumber{"+32470123456"}), "0470123456");
}

TEST(CallingCodes, hold_none_that_begins_another)
{
    auto const codes = calling_codes();
    EXPECT_GE(codes.size(), 50U);
    for (auto const& one : codes)
        for (auto const& other : codes)
            if (&one != &other) EXPECT_FALSE(one.starts_with(other)) << one << ' ' << other;
    for (auto const* needed : {"32", "33", "31", "49", "352", "44", "41", "1", "212", "90", "47", "354", "423"})
        EXPECT_NE(std::ranges::find(codes, needed), codes.end()) << needed;
}

} // namespace
} // namespace symbolon::enrolment

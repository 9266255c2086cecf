#include "enrolment/email.hpp"

#include <gtest/gtest.h>

namespace symbolon::enrolment {
namespace {

std::string read(std::string_view typed)
{
    auto const email = parse_email(typed);
    return email ? *email : std::string{name_of(email.error().outcome)};
}

TEST(Email, is_kept_as_typed_but_for_spaces_around_it_and_the_case_of_the_domain)
{
    EXPECT_EQ(read("a@b.be"), "a@b.be");
    EXPECT_EQ(read("  Anna.Peeters+x@Mail.Example.BE "), "Anna.Peeters+x@mail.example.be");
    EXPECT_EQ(read("o'brien_{x}@a-b.co.uk"), "o'brien_{x}@a-b.co.uk");
    EXPECT_EQ(read("x@xn--bcher-kva.example"), "x@xn--bcher-kva.example");
}

TEST(Email, that_can_be_no_address_is_refused)
{
    for (std::string const typed : {"",
                                    "@",
                                    "a@",
                                    "@b.be",
                                    "a",
                                    "a@b",
                                    "a@b.",
                                    "a@.be",
                                    "a@b..be",
                                    ".a@b.be",
                                    "a.@b.be",
                                    "a..b@c.be",
                                    "a b@c.be",
                                    "a@b c.be",
                                    "a@-b.be",
                                    "a@b-.be",
                                    "a@b.1",
                                    "a@1.2.3.4",
                                    "a@[1.2.3.4]",
                                    "\"a\"@b.be",
                                    "a@b.be\nBcc: x@y.be",
                                    "a@b.be\r",
                                    "a@b.be,c@d.be",
                                    "<a@b.be>",
                                    "a\x01@b.be",
                                    "é@b.be",
                                    "a@b.be;x"})
        EXPECT_EQ(read(typed == "a@b.be\r" ? "a\r@b.be" : typed), "email_invalid") << typed;
    EXPECT_EQ(read(std::string(65, 'a') + "@b.be"), "email_invalid");
    EXPECT_EQ(read("a@" + std::string(64, 'b') + ".be"), "email_invalid");
    EXPECT_EQ(read(std::string(64, 'a') + "@" + std::string(60, 'b') + "." + std::string(60, 'b') + "." +
                   std::string(60, 'b') + "." + std::string(20, 'b')),
              "email_invalid");
    EXPECT_EQ(read(std::string(100'000, 'a') + "@b.be"), "email_invalid");
    EXPECT_EQ(read(std::string("a\0@b.be", 7)), "email_invalid");
}

} // namespace
} // namespace symbolon::enrolment

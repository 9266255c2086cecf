#include "base/brussels.hpp"
#include "page/bank_end_page.hpp"

#include <gmock/gmock.h>

namespace symbolon::page {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Texts const texts;

std::string page(ports::BankEnd const& end, bool is_test_system = false)
{
    return bank_end_page(end, Limits{}, is_test_system, texts);
}

ports::BankEnd landed(Language language = Language::en)
{
    return {.language = language,
            .number = account::PhoneNumber{"+32470123456"},
            .code = "908172",
            .failure = std::nullopt};
}

ports::BankEnd failed(Failure failure, Language language = Language::en)
{
    return {.language = language, .number = {}, .code = {}, .failure = std::move(failure)};
}

TEST(BankEndPage, names_the_whole_number_and_warns_before_it_shows_the_code)
{
    for (auto const language : all_languages) {
        auto const html = page(landed(language));
        auto const number = html.find("+32\u00A0470\u00A012\u00A034\u00A056");
        auto const warning = html.find(texts.text(language, "bank_end.warning"));
        auto const code = html.find("908172");
        EXPECT_LT(number, warning) << name_of(language);
        EXPECT_LT(warning, code) << name_of(language);
        EXPECT_NE(code, std::string::npos);
        EXPECT_THAT(html, HasSubstr("<html lang=\"" + std::string{name_of(language)} + '"'));
        EXPECT_THAT(html, Not(HasSubstr("id=\"error\"")));
    }
}

TEST(BankEndPage, shows_six_digits_well_spaced_and_spells_them_for_who_listens)
{
    auto const html = page(landed());
    EXPECT_THAT(html, HasSubstr("<span>908</span><span>172</span>"));
    EXPECT_THAT(html, HasSubstr("<span class=\"visually-hidden\">9 0 8 1 7 2</span>"));
}

TEST(BankEndPage, has_no_script_no_form_and_no_link)
{
    for (auto const& html : {page(landed()), page(failed(fail(Outcome::bank_cancelled).error()))})
        for (auto const* part : {"<script", "<form", "<a ", "<img", "style=", "onclick"})
            EXPECT_THAT(html, Not(HasSubstr(part)));
}

TEST(BankEndPage, says_what_went_wrong_and_where_to_go_on)
{
    for (auto const language : all_languages) {
        auto const html = page(failed(fail(Outcome::bank_cancelled).error(), language));
        EXPECT_THAT(html, HasSubstr(texts.text(language, Outcome::bank_cancelled)));
        EXPECT_THAT(html, HasSubstr("<code id=\"error\">bank_cancelled</code>"));
        EXPECT_THAT(html, HasSubstr(texts.text(language, "bank_end.go_on")));
        EXPECT_THAT(html, Not(HasSubstr("landing-code")));
    }
}

TEST(BankEndPage, B3_names_the_data_that_are_out_of_date)
{
    auto const html =
        page(failed(fail_about(Outcome::bank_data_outdated, {"document_valid_until", "address", "<b>"}).error()));
    EXPECT_THAT(html, HasSubstr(texts.text(Language::en, "bank_end.field.document_valid_until")));
    EXPECT_THAT(html, HasSubstr(texts.text(Language::en, "bank_end.field.address")));
    EXPECT_THAT(html, Not(HasSubstr("<b>"))) << "what has no name of ours is left out";
    auto const since = fail_about(Outcome::bank_data_outdated, {"document_valid_until since 2026-08-31"}).error();
    EXPECT_THAT(page(failed(since)), HasSubstr("until when your identity card is valid (since 31 August 2026)"));
}

TEST(BankEndPage, C1_says_from_which_day_it_is_possible)
{
    auto const birthday = start_of_day_in_brussels(std::chrono::year{2027} / 3 / 5);
    auto const failure = fail_until(Outcome::too_young, birthday).error();
    EXPECT_THAT(page(failed(failure)), HasSubstr("It is possible from 5 March 2027."));
    EXPECT_THAT(page(failed(failure, Language::de)), HasSubstr("5. März 2027"));
    auto const other = fail_until(Outcome::bank_unreachable, birthday).error();
    EXPECT_THAT(page(failed(other)), Not(HasSubstr("2027")));
}

TEST(BankEndPage, says_that_it_is_a_test_system_where_it_is_one)
{
    auto const sentence = texts.text(Language::en, "sign_in.test_system");
    EXPECT_THAT(page(landed(), true), HasSubstr(sentence));
    EXPECT_THAT(page(landed()), Not(HasSubstr(sentence)));
}

} // namespace
} // namespace symbolon::page

#include "base/texts.hpp"

#include <gtest/gtest.h>

#include <set>

namespace symbolon {
namespace {

constexpr std::array greetings{
    TextFile{"page", Language::fr, R"({"hello": "Bonjour {name}", "deep": {"down": "ici"}})"},
    TextFile{"page", Language::nl, R"({"hello": "Dag {name}", "deep": {"down": "hier"}})"},
    TextFile{"page", Language::de, R"({"hello": "{name}, guten Tag", "deep": {"down": "da"}})"},
    TextFile{"page", Language::en, R"({"hello": "Hello {name}", "deep": {"down": "here"}})"},
};

TEST(Texts, stand_in_the_language_asked_with_their_values_in_place)
{
    Texts const texts{greetings};
    EXPECT_EQ(texts.text(Language::de, "page.hello", {{"name", "Ada"}}), "Ada, guten Tag");
    EXPECT_EQ(texts.text(Language::nl, "page.deep.down"), "hier");
}

TEST(Texts, do_not_interpret_their_values)
{
    Texts const texts{greetings};
    EXPECT_EQ(texts.text(Language::en, "page.hello", {{"name", "{name}"}}), "Hello {name}");
}

TEST(TextsDeathTest, end_the_program_when_asked_for_what_is_not_there)
{
    Texts const texts{greetings};
    EXPECT_DEATH((void)texts.text(Language::en, "page.goodbye"), "page.goodbye");
    EXPECT_DEATH((void)texts.text(Language::en, "page.hello"), "lacks name");
    EXPECT_DEATH((void)texts.text(Language::en, "page.deep.down", {{"name", "Ada"}}), "too many");
}

TEST(TextsDeathTest, must_be_the_same_in_the_four_languages)
{
    auto without_german = std::vector<TextFile>(greetings.begin(), greetings.end());
    without_german.erase(without_german.begin() + 2);
    EXPECT_DEATH(Texts{without_german}, "missing in de: page");

    auto other_value = std::vector<TextFile>(greetings.begin(), greetings.end());
    other_value[3].json = R"({"hello": "Hello {nom}", "deep": {"down": "here"}})";
    EXPECT_DEATH(Texts{other_value}, "other values in en: page.hello");

    auto broken = std::vector<TextFile>(greetings.begin(), greetings.end());
    broken[0].json = R"({"hello": )";
    EXPECT_DEATH(Texts{broken}, "texts/page.fr.json");
}

TEST(Texts, built_in_have_the_same_keys_and_placeholders_in_the_four_languages)
{
    Texts const texts; // a difference would end the program
    for (auto const& file : embedded_text_files()) EXPECT_FALSE(file.json.empty()) << file.catalogue;
}

TEST(Texts, F5_every_outcome_has_its_sentence_in_the_four_languages)
{
    Texts const texts;
    std::set<std::string> names;
    for (auto const& row : all_outcomes()) {
        auto const key = "outcomes." + std::string{row.name};
        names.insert(key);
        ASSERT_TRUE(texts.knows(key)) << "texts/outcomes.*.json lack " << row.name;
        for (auto const language : all_languages) EXPECT_FALSE(texts.text(language, row.outcome).empty()) << key;
    }
    for (auto const key : texts.keys())
        if (key.starts_with("outcomes.")) EXPECT_TRUE(names.contains(std::string{key})) << "no outcome: " << key;
}

TEST(Language, is_the_best_of_ours_that_the_browser_accepts)
{
    struct Case {
        std::string_view header;
        Language expected;
    };
    for (auto const& [header, expected] : {
             Case{"", Language::fr},
             Case{"nl", Language::nl},
             Case{"nl-BE,nl;q=0.9,en;q=0.8", Language::nl},
             Case{"en;q=0.7, de-DE;q=0.9 , fr;q=0.5", Language::de},
             Case{"es, pt;q=0.9, EN-gb;q=0.3", Language::en},
             Case{"*", Language::fr},
             Case{"es", Language::fr},
             Case{"nl;q=0, en;q=0.001", Language::en},
             Case{"nl;q=0", Language::fr},
             Case{"de;q=1.5, en", Language::en},
             Case{"de;q=0.5;x=1, en;q=0.1", Language::en},
             Case{"de; Q=0.5, en;q=0.1", Language::de},
             Case{"en,de", Language::en},
             Case{"english", Language::fr},
             Case{",,;;,=q", Language::fr},
         })
        EXPECT_EQ(accepted_language(header), expected) << header;
    EXPECT_EQ(accepted_language("es", Language::nl), Language::nl);
}

TEST(Language, has_a_name_that_leads_back_to_it)
{
    for (auto const language : all_languages) EXPECT_EQ(language_named(name_of(language)), language);
    EXPECT_FALSE(language_named("FR"));
    EXPECT_FALSE(language_named(""));
}

} // namespace
} // namespace symbolon

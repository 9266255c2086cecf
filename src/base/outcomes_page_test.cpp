#include "base/outcome.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace symbolon {
namespace {

std::string page()
{
    std::ifstream const stream{SYMBOLON_SOURCE_DIR "/docs/outcomes.md"};
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
}

TEST(OutcomesPage, has_a_section_for_each_outcome_with_its_status_and_error)
{
    auto const text = page();
    for (auto const& row : all_outcomes()) {
        auto const heading = "\n### " + std::string{row.name} + "\n";
        auto const at = text.find(heading);
        ASSERT_NE(at, std::string::npos) << row.name << ": run node scripts/outcomes_page.mjs";
        auto const section =
            text.substr(at + heading.size(), text.find("\n#", at + heading.size()) - at - heading.size());
        EXPECT_NE(section.find("HTTP " + std::to_string(row.http_status)), std::string::npos) << row.name;
        if (!row.oauth_error.empty()) {
            EXPECT_NE(section.find('`' + std::string{row.oauth_error} + '`'), std::string::npos) << row.name;
        }
    }
}

} // namespace
} // namespace symbolon

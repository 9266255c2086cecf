// The arrows between folders, read from the includes themselves (style.md "The shape").

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>

namespace symbolon {
namespace {

namespace fs = std::filesystem;

using Names = std::set<std::string>;

// Whom a folder may include besides itself.
std::map<std::string, Names> const allowed{
    {"base", {}},
    {"crypto", {"base"}},
    // rules
    {"account", {"base"}},
    {"action", {"base", "account"}},
    {"enrolment", {"base", "account"}},
    {"partner", {"base"}},
    {"grant", {"base"}},
    {"consent", {"base", "account", "partner", "grant", "action"}},
    {"ports", {"base", "crypto", "account", "action", "enrolment", "partner", "grant", "consent"}},
    {"entry", {"base", "crypto", "account", "action", "partner", "grant", "consent", "ports"}},
    // protocols
    {"card", {"base", "crypto", "enrolment"}},
    {"contract", {"base", "crypto"}},
    {"oidc", {"base", "crypto", "account", "action", "enrolment", "partner", "grant", "consent", "ports", "entry"}},
    {"bank", {"base", "crypto", "account", "enrolment", "ports"}},
    {"push", {"base", "crypto", "account", "action", "ports"}},
    {"passkey", {"base", "crypto"}},
    {"message", {"base", "crypto", "account", "enrolment", "ports"}},
    {"device",
     {"base", "crypto", "account", "action", "enrolment", "partner", "grant", "consent", "ports", "vault", "push",
      "passkey", "entry", "message"}},
    {"vault", {"base", "crypto"}},
    {"page",
     {"base", "crypto", "account", "action", "enrolment", "partner", "grant", "consent", "ports", "entry", "card",
      "contract", "oidc"}},
    // beside the reader, the test card, and a phone without a screen
    {"card_reader", {"base", "crypto", "card"}},
    {"virtual_card", {"base", "crypto"}},
    {"phone", {"base", "crypto", "device"}},
};

// store, edge and sim implement what protocols ask for; app knows everyone.
Names const implementers{"store", "edge", "sim", "app"};

fs::path const source = fs::path{SYMBOLON_SOURCE_DIR} / "src";

bool is_test(fs::path const& file)
{
    auto const name = file.filename().string();
    return name.find("_test.cpp") != std::string::npos || name.find("_testing.") != std::string::npos;
}

bool is_source(fs::path const& file) { return file.extension() == ".cpp" || file.extension() == ".hpp"; }

std::string folder_of(fs::path const& file) { return fs::relative(file, source).begin()->string(); }

template <class Visit>
void each_line_of_each_source(Visit visit)
{
    int files = 0;
    for (auto const& entry : fs::recursive_directory_iterator{source}) {
        if (!entry.is_regular_file() || !is_source(entry.path()) || is_test(entry.path())) continue;
        ++files;
        std::ifstream stream{entry.path()};
        for (std::string line; std::getline(stream, line);) visit(entry.path(), line);
    }
    ASSERT_GT(files, 50) << "the sources are where the test looks";
}

TEST(Includes, point_from_app_to_protocols_to_rules_to_base_and_never_back)
{
    std::regex const include{R"(^\s*#\s*include\s+\"([a-z_]+)/)"};
    each_line_of_each_source([&](fs::path const& file, std::string const& line) {
        std::smatch match;
        if (!std::regex_search(line, match, include)) return;
        auto const from = folder_of(file);
        auto const to = match[1].str();
        // "embedded/…": a file of ours as an array (cmake/symbolon.cmake), which includes nothing.
        if (from == to || to == "embedded") return;
        if (implementers.contains(from)) {
            EXPECT_TRUE(to != "app" && (to != "sim" || from == "app")) << file << " includes " << to;
            return;
        }
        auto const row = allowed.find(from);
        ASSERT_NE(row, allowed.end()) << "src/" << from << " has no row in this test";
        EXPECT_TRUE(row->second.contains(to)) << file << " includes " << to;
    });
}

TEST(Includes, take_time_and_chance_from_the_arguments_outside_of_app_and_crypto)
{
    std::regex const stray{
        R"((system_clock|steady_clock|high_resolution_clock)::now|random_device|std::rand\b|sleep_for|RAND_bytes|\btime\((NULL|nullptr|0)\))"};
    each_line_of_each_source([&](fs::path const& file, std::string const& line) {
        auto const folder = folder_of(file);
        if (folder == "app" || folder == "crypto") return;
        EXPECT_FALSE(std::regex_search(line, stray)) << file << ": " << line;
    });
}

} // namespace
} // namespace symbolon

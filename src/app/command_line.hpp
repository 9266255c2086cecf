#pragma once

#include <CLI/CLI.hpp>

#include <optional>

namespace symbolon::app {

/// Of every program: the command line is wrong.
inline constexpr int wrong_use = 2;

/// Reads the command line. Gives the exit status where the program ends with that: 0 after --help and --version,
/// wrong_use after a mistake, which is told on standard error.
inline std::optional<int> end_of_command_line(CLI::App& program, int argc, char** argv)
{
    try {
        program.parse(argc, argv);
        return std::nullopt;
    } catch (CLI::ParseError const& error) {
        return program.exit(error) == 0 ? 0 : wrong_use;
    }
}

} // namespace symbolon::app

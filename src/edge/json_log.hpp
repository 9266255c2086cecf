#pragma once

#include "ports/log.hpp"

#include <filesystem>
#include <memory>

namespace symbolon::edge {

enum class LogLevel { debug, info, warning, error, none };
enum class LogFormat {
    json, ///< a JSON object a line, for machines
    text, ///< for a person at a terminal
};

struct LogSettings {
    LogLevel level = LogLevel::info;
    LogFormat format = LogFormat::json;
    std::filesystem::path file; ///< empty: standard error
};

/// A log whose file can be moved away.
class Log : public ports::Log {
public:
    /// Goes on in the file of its name: made anew where it was moved.
    virtual void reopen() = 0;
};

/// The structured log (ports/log.hpp), a line an event:
///
///     {"time":"2026-11-22T04:50:50.123Z","level":"info","event":"request","route":"/token","status":"200"}
///
/// A failure adds "outcome", "detail" and "source"; its level is error where the outcome's status is 500 or more, else
/// info. Safe from any thread. Fails with configuration_invalid: the file can't be opened.
Result<std::unique_ptr<Log>> make_log(LogSettings const& settings);

} // namespace symbolon::edge

// The one unit that knows spdlog.

#include "edge/json_log.hpp"

#include "base/json.hpp"

#include <spdlog/details/file_helper.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>
#include <mutex>
#include <span>

namespace symbolon::edge {

namespace {

spdlog::level::level_enum level_of(LogLevel level)
{
    switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
    case LogLevel::none: return spdlog::level::off;
    }
    return spdlog::level::info;
}

class FileSink final : public spdlog::sinks::base_sink<std::mutex> {
public:
    explicit FileSink(std::string const& file) { file_.open(file); }

    void reopen()
    {
        std::scoped_lock const lock{mutex_};
        file_.reopen(false);
    }

protected:
    void sink_it_(spdlog::details::log_msg const& message) override
    {
        spdlog::memory_buf_t formatted;
        formatter_->format(message, formatted);
        file_.write(formatted);
    }
    void flush_() override { file_.flush(); }

private:
    spdlog::details::file_helper file_;
};

class Lines final : public Log {
public:
    /// `file`: the sink where it is one.
    Lines(spdlog::sink_ptr sink, std::shared_ptr<FileSink> file, LogSettings const& settings)
        : logger_{"symbolon", std::move(sink)},
          file_{std::move(file)},
          format_{settings.format}
    {
        auto const* pattern = format_ == LogFormat::json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
                                                         : "%Y-%m-%d %H:%M:%S.%e %l %v";
        logger_.set_formatter(std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc));
        logger_.set_level(level_of(settings.level));
        logger_.flush_on(spdlog::level::info);
    }

    void reopen() override
    {
        if (file_ == nullptr) return;
        try {
            file_->reopen();
        } catch (spdlog::spdlog_ex const&) { // NOLINT(bugprone-empty-catch)
            // Each line that can't be written is told on standard error.
        }
    }

    void event(std::string_view name, Fields fields) override { write(spdlog::level::info, name, fields); }

    void failure(std::string_view name, Failure const& failure, Fields fields) override
    {
        auto const& row = row_of(failure.outcome);
        auto const level = row.http_status >= 500 ? spdlog::level::err : spdlog::level::info;
        if (!logger_.should_log(level)) return;
        fields.emplace_back("outcome", row.name);
        if (!failure.detail.empty()) fields.emplace_back("detail", failure.detail);
        fields.emplace_back("source",
                            std::string{failure.where.file_name()} + ':' + std::to_string(failure.where.line()));
        write(level, name, fields);
    }

private:
    void write(spdlog::level::level_enum level, std::string_view name, Fields const& fields)
    {
        if (!logger_.should_log(level)) return;
        std::string line;
        if (format_ == LogFormat::json) {
            // Time and level stand before, in the same braces.
            line = "\"event\":";
            json::append_text(line, name);
            for (auto left = std::span{fields}; !left.empty(); left = left.subspan(1)) {
                auto const& [field, value] = left.front();
                // A name stands once in an object; the last one counts.
                if (std::ranges::count(left.subspan(1), field, &Fields::value_type::first) > 0) continue;
                line += ',';
                json::append_text(line, field);
                line += ':';
                json::append_text(line, value);
            }
        } else {
            line = name;
            for (auto const& [field, value] : fields) {
                line += ' ' + std::string{field} + '=';
                for (auto const c : value) line += static_cast<unsigned char>(c) < 0x20 ? '?' : c; // one line stays one
            }
        }
        logger_.log(level, spdlog::string_view_t{line});
    }

    spdlog::logger logger_;
    std::shared_ptr<FileSink> file_;
    LogFormat format_;
};

} // namespace

Result<std::unique_ptr<Log>> make_log(LogSettings const& settings)
{
    try {
        if (settings.file.empty())
            return std::make_unique<Lines>(std::make_shared<spdlog::sinks::stderr_sink_mt>(), nullptr, settings);
        auto file = std::make_shared<FileSink>(settings.file.string());
        return std::make_unique<Lines>(file, file, settings);
    } catch (spdlog::spdlog_ex const& error) {
        return fail(Outcome::configuration_invalid, std::string{"the log can't be written: "} + error.what());
    }
}

} // namespace symbolon::edge

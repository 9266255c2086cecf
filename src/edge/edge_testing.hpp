#pragma once

#include "edge/raw_client_testing.hpp"
#include "edge/server.hpp"

#include <mutex>
#include <string>

namespace symbolon::edge::testing {

class FixedClock final : public ports::Clock {
public:
    [[nodiscard]] Instant now() const override { return Instant{1'790'000'000s}; }
};

/// What was logged, as text.
class KeptLog final : public ports::Log {
public:
    void event(std::string_view name, Fields fields) override { keep(name, fields); }
    void failure(std::string_view name, Failure const& failure, Fields fields) override
    {
        fields.emplace_back("outcome", name_of(failure.outcome));
        fields.emplace_back("detail", failure.detail);
        keep(name, fields);
    }

    std::string text()
    {
        std::scoped_lock const lock{mutex_};
        return text_;
    }

private:
    void keep(std::string_view name, Fields const& fields)
    {
        std::scoped_lock const lock{mutex_};
        text_ += name;
        for (auto const& [field, value] : fields) text_ += ' ' + std::string{field} + '=' + value;
        text_ += '\n';
    }

    std::mutex mutex_;
    std::string text_;
};

} // namespace symbolon::edge::testing

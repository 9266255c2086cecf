#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace symbolon::ports {

/// The structured log of operations. Fields carry no personal data, no secrets, no numbers of people.
class Log {
public:
    using Fields = std::vector<std::pair<std::string_view, std::string>>;

    virtual ~Log() = default;

    /// Something worth a line: "enrolment_done", {{"client", "shop"}}.
    virtual void event(std::string_view name, Fields fields) = 0;

    /// A request that ended badly, with its outcome, detail and source line.
    virtual void failure(std::string_view name, Failure const& failure, Fields fields) = 0;
};

} // namespace symbolon::ports

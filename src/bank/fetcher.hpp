#pragma once

#include "base/flow.hpp"
#include "base/http.hpp"

#include <string>

namespace symbolon::bank {

inline constexpr std::size_t max_answer_bytes = 64UZ * 1024;

/// What a bank's server answered.
struct Answer {
    int status = 0;
    std::string content_type;
    std::string body;
};

/// Who asks the banks' servers. https only, plain http where the configuration names a bank on this machine; no
/// redirects. Any status is an answer. Both fail: upstream_unreachable (nothing was sent), unavailable (something was,
/// but no whole answer came: too late, broken off), bank_answer_invalid (it is longer than max_answer_bytes).
class Fetcher {
public:
    virtual ~Fetcher() = default;

    virtual Flow<Answer> get(std::string url) = 0;

    /// application/x-www-form-urlencoded.
    virtual Flow<Answer> post(std::string url, http::Parameters form) = 0;
};

} // namespace symbolon::bank

#pragma once

#include "base/instant.hpp"
#include "base/outcome.hpp"

#include <expected>
#include <optional>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

namespace symbolon {

/// Why something ended badly.
struct Failure {
    Outcome outcome;
    std::string detail;                ///< for operators; no personal data, no secrets
    std::source_location where;        ///< the line that said so
    std::optional<int> tries_left;     ///< told to the person where it has a meaning
    std::optional<Instant> open_at;    ///< when the same step opens again
    std::vector<std::string> fields{}; ///< what it is about, told to the person: "address", "document_number"
};

/// A value, or why there is none.
template <class T>
using Result = std::expected<T, Failure>;

[[nodiscard]] inline std::unexpected<Failure> fail(Outcome outcome, std::string detail = {},
                                                   std::source_location where = std::source_location::current())
{
    return std::unexpected{Failure{outcome, std::move(detail), where, {}, {}}};
}

/// A failure that tells how many tries are left.
[[nodiscard]] inline std::unexpected<Failure>
fail_with_tries(Outcome outcome, int tries_left, std::source_location where = std::source_location::current())
{
    return std::unexpected{Failure{outcome, {}, where, tries_left, {}}};
}

/// A failure that tells when the step opens again.
[[nodiscard]] inline std::unexpected<Failure> fail_until(Outcome outcome, Instant open_at,
                                                         std::source_location where = std::source_location::current())
{
    return std::unexpected{Failure{outcome, {}, where, {}, open_at}};
}

/// A failure that names the data it is about.
[[nodiscard]] inline std::unexpected<Failure> fail_about(Outcome outcome, std::vector<std::string> fields,
                                                         std::source_location where = std::source_location::current())
{
    return std::unexpected{Failure{outcome, {}, where, {}, {}, std::move(fields)}};
}

namespace detail {

template <class T>
T take(Result<T>&& result)
{
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

} // namespace detail

} // namespace symbolon

/// The value of a Result, or the end of this function with its failure. In a flow, `co_await` does the same.
#define TRY(...) TRY_AS(TRY_JOINED(try_result_, __COUNTER__), __VA_ARGS__)

// A name of its own for each, so that one may stand inside another.
#define TRY_AS(name, ...)                                                                                              \
    ({                                                                                                                 \
        auto name = (__VA_ARGS__);                                                                                     \
        if (!name.has_value()) return std::unexpected{std::move(name).error()};                                        \
        ::symbolon::detail::take(std::move(name));                                                                     \
    })
#define TRY_JOINED(left, right) TRY_JOINED_AGAIN(left, right)
#define TRY_JOINED_AGAIN(left, right) left##right

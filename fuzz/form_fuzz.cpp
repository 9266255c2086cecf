// links: base
#include "base/http.hpp"
#include "base/json.hpp"

#include <algorithm>
#include <cstdlib>

using namespace symbolon;

namespace {

/// Boost.JSON 1.81 reads fractions and large numbers only nearly; none of our protocols has any.
bool has_double(json::Value const& value)
{
    auto const in_member = [](auto const& member) { return has_double(member.value()); };
    if (value.is_array()) return std::ranges::any_of(value.as_array(), has_double);
    if (value.is_object()) return std::ranges::any_of(value.as_object(), in_member);
    return value.is_double();
}

} // namespace

/// A query, a form, a URL or JSON from outside; what is accepted and written again reads the same.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    std::string_view const text{reinterpret_cast<char const*>(data), size};
    if (auto const parameters = http::parse_parameters(text)) {
        auto const again = http::parse_parameters(http::write_parameters(*parameters));
        if (!again || again->pairs() != parameters->pairs()) std::abort();
        (void)parameters->repeated_name();
    }
    if (auto const value = json::parse(text); value && !has_double(*value)) {
        auto const written = json::write(*value);
        auto const again = json::parse(written);
        if (!again || json::write(*again) != written) std::abort();
    }
    if (auto const url = http::parse_url(text)) {
        (void)url->origin();
        (void)url->is_loopback();
    }
    return 0;
}

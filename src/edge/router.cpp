#include "edge/router.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace symbolon::edge {

Router::Router(http::Routes routes) : routes_{std::move(routes)}
{
    for (auto const& route : routes_) {
        ENSURE(route.handler != nullptr && route.pattern.starts_with('/'));
        auto const parts = split(route.pattern, '/');
        auto* methods = &plain_[route.pattern];
        if (std::ranges::any_of(parts, http::in_braces)) {
            plain_.erase(route.pattern);
            std::vector<std::string> const wanted{parts.begin(), parts.end()};
            auto found = std::ranges::find(with_braces_, wanted, &Pattern::parts);
            if (found == with_braces_.end()) {
                // Before the first one that is less special.
                auto const before = std::ranges::find_if(with_braces_, [&](Pattern const& other) {
                    return std::ranges::lexicographical_compare(wanted, other.parts, {}, http::in_braces,
                                                                http::in_braces);
                });
                found = with_braces_.insert(before, Pattern{wanted, {}});
            }
            methods = &found->methods;
        }
        auto const added = methods->emplace(route.method, &route).second;
        ENSURE(added);
    }
}

Router::Match Router::match_in(Methods const& methods, std::string_view method)
{
    Match match;
    auto found = methods.find(method);
    if (found == methods.end() && method == "HEAD") found = methods.find("GET");
    if (found != methods.end()) match.route = found->second;
    for (auto const& [name, route] : methods) match.allow += (match.allow.empty() ? "" : ", ") + name;
    if (methods.contains("GET") && !methods.contains("HEAD")) match.allow += ", HEAD";
    if (!methods.contains("OPTIONS")) match.allow += ", OPTIONS";
    return match;
}

Router::Match Router::match(std::string_view method, std::string_view path) const
{
    if (auto const found = plain_.find(path); found != plain_.end()) return match_in(found->second, method);
    auto const parts = split(path, '/');
    for (auto const& pattern : with_braces_) {
        auto parameters = http::match_path(pattern.parts, parts);
        if (!parameters) continue;
        auto match = match_in(pattern.methods, method);
        match.path_parameters = *std::move(parameters);
        return match;
    }
    return {};
}

} // namespace symbolon::edge

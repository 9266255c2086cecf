#pragma once

#include "base/http.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace symbolon::edge {

/// An origin's table: which handler answers which method and path.
class Router {
public:
    /// Two rows for the same method and pattern are our own mistake.
    explicit Router(http::Routes routes);
    Router(Router const&) = delete;
    Router& operator=(Router const&) = delete;
    Router(Router&&) = default;
    Router& operator=(Router&&) = default;
    ~Router() = default;

    struct Match {
        http::Route const* route = nullptr; ///< null: no row
        http::Parameters path_parameters;
        std::string allow; ///< RFC 9110 §10.2.1: what the path's rows answer; empty: nothing has that path
    };

    /// The row for a request. A part written out goes before a part in braces. HEAD is answered by the row for GET.
    [[nodiscard]] Match match(std::string_view method, std::string_view path) const;

    [[nodiscard]] http::Routes const& routes() const { return routes_; }

private:
    using Methods = std::map<std::string, http::Route const*, std::less<>>;
    struct Pattern {
        std::vector<std::string> parts;
        Methods methods;
    };
    [[nodiscard]] static Match match_in(Methods const& methods, std::string_view method);

    http::Routes routes_;
    std::map<std::string, Methods, std::less<>> plain_; ///< patterns without braces, by path
    std::vector<Pattern> with_braces_;                  ///< the more special first
};

} // namespace symbolon::edge

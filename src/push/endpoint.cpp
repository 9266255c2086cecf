#include "push/endpoint.hpp"

#include "base/http.hpp"

#include <algorithm>

namespace symbolon::push {

namespace {

constexpr std::size_t longest_endpoint = 2048;

http::Url const* usable(Result<http::Url> const& url)
{
    if (!url || url->host.empty() || url->has_user_info || url->has_fragment) return nullptr;
    return &*url;
}

bool fits(std::string_view pattern, std::string_view host)
{
    if (!pattern.starts_with("*.")) return host == pattern;
    auto const below = pattern.substr(1); // with its dot
    return host.size() > below.size() && host.ends_with(below);
}

} // namespace

std::vector<std::string> default_hosts()
{
    return {"updates.push.services.mozilla.com", "fcm.googleapis.com", "*.push.apple.com", "*.notify.windows.com"};
}

bool is_host_pattern(std::string const& text)
{
    auto const name = text.starts_with("*.") ? text.substr(2) : text;
    if (name.find_first_of("/?#@*") != std::string::npos || name.ends_with('.')) return false;
    auto const parsed = http::parse_url("https://" + name);
    auto const* const url = usable(parsed);
    if (url == nullptr || !url->path.empty() || url->origin() != "https://" + name) return false;
    // A name of one label would let in a whole top-level domain, or a machine of the operator's own network.
    if (url->is_loopback()) return name == text && !url->port.empty();
    return url->port.empty() && name.find('.') != std::string::npos;
}

Result<Endpoint> check_endpoint(std::string_view text, std::span<std::string const> hosts)
{
    if (text.size() > longest_endpoint) return fail(Outcome::push_endpoint_refused, "too long");
    auto const parsed = http::parse_url(text);
    auto const* const url = usable(parsed);
    if (url == nullptr) return fail(Outcome::push_endpoint_refused, "no URL of a push service");

    auto const has_own_port = !url->port.empty() && !(url->scheme == "https" && url->port == "443");
    auto const host = has_own_port ? url->host + ':' + url->port : url->host;
    if (url->scheme != "https" && !(url->scheme == "http" && url->is_loopback() && has_own_port))
        return fail(Outcome::push_endpoint_refused, "not https");
    if (std::ranges::none_of(hosts, [&](auto const& pattern) { return fits(pattern, host); }))
        return fail(Outcome::push_endpoint_refused, "a host that is not on the list");
    return Endpoint{.origin = url->scheme + "://" + host, .host = host};
}

} // namespace symbolon::push

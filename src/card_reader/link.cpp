#include "card_reader/link.hpp"

#include "base/http.hpp"
#include "base/text.hpp"

#include <algorithm>

namespace symbolon::card_reader {

namespace {

constexpr std::string_view scheme = "symbolon-eid://";
constexpr std::size_t longest_host = 255;

bool is_ticket(std::string_view text)
{
    auto const base64url = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    };
    return text.size() >= 16 && text.size() <= 128 && std::ranges::all_of(text, base64url);
}

/// Letters, digits, dots and hyphens, or an IPv6 address in brackets; then perhaps a port. Nothing that could turn the
/// URL into another one.
bool is_host(std::string_view text)
{
    auto const plain = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
               c == ':' || c == '[' || c == ']';
    };
    return !text.empty() && text.size() <= longest_host && std::ranges::all_of(text, plain);
}

} // namespace

Result<Link> parse_link(std::string_view text, Loopback loopback)
{
    auto const refused = [](char const* why) { return fail(Outcome::request_malformed, why); };

    if (!equal_ignoring_case(text.substr(0, scheme.size()), scheme)) return refused("not a symbolon-eid link");
    auto const rest = text.substr(scheme.size());
    auto const slash = rest.find('/');
    if (slash == std::string_view::npos) return refused("no ticket");
    auto const authority = rest.substr(0, slash);
    auto ticket = rest.substr(slash + 1);
    if (ticket.ends_with('/')) ticket.remove_suffix(1); // some desktops add one
    if (!is_host(authority)) return refused("host");
    if (!is_ticket(ticket)) return refused("ticket");

    auto const as_https = http::parse_url("https://" + std::string{authority} + "/");
    if (!as_https || as_https->has_user_info || as_https->host.empty()) return refused("host");
    auto const& host = as_https->host;
    auto const& port = as_https->port;
    if (!port.empty() && (port.size() > 5 || std::stoi(port) < 1 || std::stoi(port) > 65535)) return refused("port");
    auto const is_loopback = host == "localhost" || host == "127.0.0.1" || host == "::1";
    auto const is_plain = is_loopback && loopback == Loopback::plain;

    auto shown = host.find(':') == std::string::npos ? host : "[" + host + "]";
    auto const usual_port = is_plain ? "80" : "443";
    if (!port.empty() && port != usual_port) shown += ":" + port;
    return Link{(is_plain ? "http://" : "https://") + shown, shown, std::string{ticket}};
}

} // namespace symbolon::card_reader

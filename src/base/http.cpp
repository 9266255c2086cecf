#include "base/http.hpp"

#include "base/text.hpp"

#include <boost/url/encode.hpp>
#include <boost/url/ipv4_address.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/parse_query.hpp>
#include <boost/url/pct_string_view.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>
#include <boost/url/url.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <set>

namespace urls = boost::urls;

namespace symbolon::http {

namespace {

constexpr std::size_t most_parameters = 200;

std::string encode(std::string_view text) { return urls::encode(text, urls::unreserved_chars); }

Result<std::string> decode(std::string_view text)
{
    auto const checked = urls::make_pct_string_view(text);
    if (checked.has_error()) return fail(Outcome::request_malformed, "percent-encoding");
    urls::encoding_opts options;
    options.space_as_plus = true;
    auto decoded = checked->decode(options);
    if (!is_utf8(decoded) || decoded.find('\0') != std::string::npos)
        return fail(Outcome::request_malformed, "a parameter is not UTF-8 text");
    return decoded;
}

} // namespace

bool in_braces(std::string_view part) { return part.size() > 2 && part.front() == '{' && part.back() == '}'; }

std::optional<Parameters> match_path(std::span<std::string const> pattern, std::span<std::string_view const> path)
{
    if (pattern.size() != path.size()) return std::nullopt;
    Parameters parameters;
    for (std::size_t at = 0; at < pattern.size(); ++at) {
        std::string_view const part = pattern[at];
        if (in_braces(part)) {
            if (path[at].empty()) return std::nullopt;
            parameters.add(std::string{part.substr(1, part.size() - 2)}, std::string{path[at]});
        } else if (part != path[at]) {
            return std::nullopt;
        }
    }
    return parameters;
}

std::optional<Parameters> match_path(std::string_view pattern, std::string_view path)
{
    auto const parts = split(pattern, '/');
    std::vector<std::string> const wanted{parts.begin(), parts.end()};
    return match_path(wanted, split(path, '/'));
}

std::optional<std::string_view> Parameters::find(std::string_view name) const
{
    auto const found = std::ranges::find(pairs_, name, &Pair::first);
    if (found == pairs_.end()) return std::nullopt;
    return found->second;
}

std::optional<std::string_view> Parameters::repeated_name() const
{
    std::set<std::string_view> seen;
    for (auto const& [name, value] : pairs_)
        if (!seen.insert(name).second) return name;
    return std::nullopt;
}

std::string_view Request::header(std::string_view name) const
{
    auto const found = std::ranges::find(headers, name, &std::pair<std::string, std::string>::first);
    return found == headers.end() ? std::string_view{} : std::string_view{found->second};
}

std::size_t Request::header_count(std::string_view name) const
{
    return static_cast<std::size_t>(std::ranges::count(headers, name, &std::pair<std::string, std::string>::first));
}

std::optional<std::string> Request::cookie(std::string_view name) const
{
    for (auto const& [header_name, text] : headers) {
        if (header_name != "cookie") continue;
        for (auto const part : split(text, ';')) {
            auto const pair = trimmed(part);
            auto const equals = pair.find('=');
            if (equals != std::string_view::npos && pair.substr(0, equals) == name)
                return std::string{pair.substr(equals + 1)};
        }
    }
    return std::nullopt;
}

Result<Parameters> Request::form() const
{
    auto type = header("content-type");
    type = trimmed(type.substr(0, type.find(';')));
    if (!equal_ignoring_case(type, "application/x-www-form-urlencoded")) return fail(Outcome::content_type_unsupported);
    return parse_parameters(body);
}

bool Request::comes_from(std::string_view our_origin) const
{
    if (auto const sent = header("origin"); !sent.empty()) return sent == our_origin;
    if (auto const site = header("sec-fetch-site"); !site.empty()) return site == "same-origin" || site == "none";
    return header("cookie").empty();
}

Response json(int status, std::string body)
{
    Response response{.status = status, .headers = {}, .body = std::move(body), .events = {}};
    response.with("Content-Type", "application/json").with("Cache-Control", "no-store");
    return response;
}

Response html(int status, std::string body)
{
    Response response{.status = status, .headers = {}, .body = std::move(body), .events = {}};
    response.with("Content-Type", "text/html; charset=utf-8").with("Cache-Control", "no-store");
    return response;
}

Response no_content() { return {.status = 204, .headers = {{"Cache-Control", "no-store"}}, .body = {}, .events = {}}; }

Response see_other(std::string location)
{
    Response response{.status = 303, .headers = {}, .body = {}, .events = {}};
    response.with("Location", std::move(location)).with("Cache-Control", "no-store");
    return response;
}

Result<Parameters> parse_parameters(std::string_view encoded)
{
    Parameters parameters;
    if (encoded.empty()) return parameters;
    auto const parts = split(encoded, '&');
    if (parts.size() > most_parameters) return fail(Outcome::request_malformed, "too many parameters");
    for (auto const part : parts) {
        if (part.empty()) continue;
        auto const equals = part.find('=');
        auto name = TRY(decode(part.substr(0, equals)));
        auto value = equals == std::string_view::npos ? std::string{} : TRY(decode(part.substr(equals + 1)));
        parameters.add(std::move(name), std::move(value));
    }
    return parameters;
}

std::string write_parameters(Parameters const& parameters)
{
    std::string text;
    for (auto const& [name, value] : parameters.pairs()) {
        if (!text.empty()) text += '&';
        text += encode(name) + '=' + encode(value);
    }
    return text;
}

std::string with_parameters(std::string_view uri, Parameters const& parameters)
{
    std::string text{uri};
    text += uri.find('?') == std::string_view::npos ? '?' : '&';
    return text + write_parameters(parameters);
}

std::string cookie(std::string_view name, std::string_view value, std::optional<Seconds> max_age)
{
    auto text = std::string{name} + '=' + std::string{value} + "; Path=/; Secure; HttpOnly; SameSite=Lax";
    if (max_age) text += "; Max-Age=" + std::to_string(max_age->count());
    return text;
}

std::string Url::origin() const
{
    auto const shown = host.find(':') == std::string::npos ? host : '[' + host + ']';
    return scheme + "://" + shown + (port.empty() ? "" : ':' + port);
}

bool Url::is_loopback() const
{
    // A name may begin with "127." too, and anybody can have such a name.
    auto const address = urls::parse_ipv4_address(host);
    return host == "localhost" || host == "::1" || (address.has_value() && address->is_loopback());
}

Result<Url> parse_url(std::string_view text)
{
    auto const parsed = urls::parse_uri(text);
    if (parsed.has_error()) return fail(Outcome::request_malformed, "not an absolute URL");
    // RFC 3986 §3.3: behind an authority a path begins with a slash. Boost.URL 1.81 takes
    // "http://127.0.0.1.evil.example/" for the host 127.0.0.1 and the path ".evil.example/"; whoever connects then
    // would not.
    if (parsed->has_authority() && !parsed->encoded_path().empty() && !parsed->encoded_path().starts_with('/'))
        return fail(Outcome::request_malformed, "not an absolute URL");
    urls::url copy{*parsed};
    copy.normalize_scheme().normalize_authority();
    auto const host =
        copy.host_type() == urls::host_type::ipv6 ? copy.host_ipv6_address().to_string() : copy.host_address();
    return Url{.scheme = std::string{copy.scheme()},
               .host = std::string{host},
               .port = std::string{copy.port()},
               .path = std::string{copy.encoded_path()},
               .has_fragment = copy.has_fragment(),
               .has_user_info = copy.has_userinfo()};
}

} // namespace symbolon::http

#include "edge/request_head.hpp"

#include "base/text.hpp"

#include <boost/url/pct_string_view.hpp>

#include <algorithm>
#include <array>

namespace symbolon::edge {

namespace {

constexpr std::size_t most_fields = 100;

// Fields of which two would mean that somebody chooses which one we see.
constexpr std::array<std::string_view, 9> stand_once{"authorization", "content-length", "content-type",
                                                     "dpop",          "expect",         "host",
                                                     "origin",        "sec-fetch-site", "traceparent"};

std::unexpected<Failure> malformed(std::string detail, std::source_location where = std::source_location::current())
{
    return fail(Outcome::request_malformed, std::move(detail), where);
}

bool is_host_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view{".-_:[]"}.contains(c);
}

bool is_small_hex(std::string_view text)
{
    return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Result<std::string> decode_part(std::string_view part)
{
    auto const checked = boost::urls::make_pct_string_view(part);
    if (checked.has_error()) return malformed("percent-encoding of the path");
    auto decoded = checked->decode();
    if (decoded == "." || decoded == "..") return malformed("dot segment in the path");
    for (auto const c : decoded) {
        auto const byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f || c == '/' || c == '\\') return malformed("character in the path");
    }
    if (!is_utf8(decoded)) return malformed("path is no UTF-8");
    return decoded;
}

} // namespace

Result<void> check_header_block(std::string_view block)
{
    std::size_t lines = 0;
    while (!block.empty()) {
        auto const end = block.find("\r\n");
        if (end == std::string_view::npos) return malformed("line without its end");
        auto const line = block.substr(0, end);
        block.remove_prefix(end + 2);
        if (line.find_first_of(std::string_view{"\r\n\0", 3}) != std::string_view::npos)
            return malformed("bare CR, LF or NUL in the head");
        if (lines > 0 && !line.empty()) {
            if (line[0] == ' ' || line[0] == '\t') return malformed("folded line");
            auto const colon = line.find(':');
            if (colon == std::string_view::npos || colon == 0) return malformed("header field without a name");
            if (line[colon - 1] == ' ' || line[colon - 1] == '\t') return malformed("space before a colon");
        }
        if (++lines > most_fields + 2) return fail(Outcome::header_block_too_large, "too many header fields");
    }
    return {};
}

Result<void> check_framing(Headers const& headers, int minor_version)
{
    auto const count = [&](std::string_view name) {
        return std::ranges::count(headers, name, &std::pair<std::string, std::string>::first);
    };
    auto const value = [&](std::string_view name) -> std::string_view {
        return std::ranges::find(headers, name, &std::pair<std::string, std::string>::first)->second;
    };

    for (auto const name : stand_once)
        if (count(name) > 1) return malformed("header field twice: " + std::string{name});

    if (count("content-length") == 1) {
        auto const length = value("content-length");
        if (!is_digits(length) || length.size() > 15) return malformed("Content-Length");
        if (count("transfer-encoding") != 0) return malformed("Content-Length beside Transfer-Encoding");
    }
    if (count("transfer-encoding") != 0) {
        if (minor_version == 0) return malformed("Transfer-Encoding in HTTP/1.0");
        if (count("transfer-encoding") > 1 || !equal_ignoring_case(value("transfer-encoding"), "chunked"))
            return malformed("Transfer-Encoding other than chunked");
    }
    if (count("host") == 0) {
        if (minor_version != 0) return malformed("no Host");
    } else if (value("host").empty() || !std::ranges::all_of(value("host"), is_host_character)) {
        return malformed("Host");
    }
    if (count("expect") == 1 && !equal_ignoring_case(value("expect"), "100-continue")) return malformed("Expect");
    return {};
}

Result<Target> parse_target(std::string_view target)
{
    for (auto const c : target)
        if (c <= 0x20 || c >= 0x7f || c == '#') return malformed("character in the request target");
    if (target == "*") return Target{.path = "*", .query = {}};

    for (std::string_view const scheme : {"http://", "https://"}) {
        if (!equal_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
        auto const rest = target.substr(scheme.size());
        auto const authority = rest.substr(0, rest.find_first_of("/?"));
        if (authority.empty() || !std::ranges::all_of(authority, is_host_character)) return malformed("authority");
        target = rest.substr(authority.size());
        if (target.empty()) return Target{.path = "/", .query = {}};
        if (target[0] == '?') return Target{.path = "/", .query = TRY(http::parse_parameters(target.substr(1)))};
        break;
    }
    if (target.empty() || target[0] != '/') return malformed("request target");

    auto const question = target.find('?');
    Target result;
    for (auto const part : split(target.substr(1, question == std::string_view::npos ? question : question - 1), '/'))
        result.path += '/' + TRY(decode_part(part));
    if (question != std::string_view::npos) result.query = TRY(http::parse_parameters(target.substr(question + 1)));
    return result;
}

bool is_traceparent(std::string_view text)
{
    auto const parts = split(text, '-');
    return text.size() == 55 && parts.size() == 4 && parts[0] == "00" && parts[1].size() == 32 &&
           parts[2].size() == 16 && parts[3].size() == 2 && std::ranges::all_of(parts, is_small_hex) &&
           parts[1].find_first_not_of('0') != std::string_view::npos &&
           parts[2].find_first_not_of('0') != std::string_view::npos;
}

} // namespace symbolon::edge

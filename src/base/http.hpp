#pragma once

#include "base/flow.hpp"
#include "base/instant.hpp"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// HTTP as the protocols see it: plain values. What reads and writes the wire is src/edge.
namespace symbolon::http {

/// Names and values in their order, as a query, a form or a set of cookies gives them. Names may repeat.
class Parameters {
public:
    using Pair = std::pair<std::string, std::string>;

    Parameters() = default;
    explicit Parameters(std::vector<Pair> pairs) : pairs_{std::move(pairs)} {}

    void add(std::string name, std::string value) { pairs_.emplace_back(std::move(name), std::move(value)); }

    /// The value of the first pair of that name.
    [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;

    /// The same, empty where there is none.
    [[nodiscard]] std::string_view value(std::string_view name) const
    {
        return find(name).value_or(std::string_view{});
    }

    /// A name that stands twice, if any (RFC 6749 §3.1: parameters must not be included more than once).
    [[nodiscard]] std::optional<std::string_view> repeated_name() const;

    [[nodiscard]] std::vector<Pair> const& pairs() const { return pairs_; }
    [[nodiscard]] bool empty() const { return pairs_.empty(); }

private:
    std::vector<Pair> pairs_;
};

/// Which of Symbolon's origins was asked (design.md §1).
enum class Origin { id, phone, desk };

struct Request {
    Origin origin = Origin::id;
    std::string method;                                       ///< in capitals
    std::string path;                                         ///< decoded, begins with '/', no query
    Parameters query;                                         ///< decoded
    Parameters path_parameters;                               ///< of the route: "id" for /sign-in/{id}; not empty
    std::vector<std::pair<std::string, std::string>> headers; ///< names in small letters
    std::string body;                                         ///< whole, bounded by the edge
    std::string remote_address; ///< of the person's machine: the proxy's word where the proxy is ours

    /// The value of a header, its name in small letters. Empty where it is absent.
    [[nodiscard]] std::string_view header(std::string_view name) const;

    /// How often a header stands there.
    [[nodiscard]] std::size_t header_count(std::string_view name) const;

    /// A cookie of the request (RFC 6265 §4.2).
    [[nodiscard]] std::optional<std::string> cookie(std::string_view name) const;

    /// The parameters of an application/x-www-form-urlencoded body. Fails: content_type_unsupported, request_malformed.
    [[nodiscard]] Result<Parameters> form() const;

    /// Whether the browser says that a page of `our_origin` ("https://id.example") sent this (Origin, Sec-Fetch-Site).
    /// A request without both headers is no browser's, or an old one's: it counts as the same origin only without
    /// cookies.
    [[nodiscard]] bool comes_from(std::string_view our_origin) const;
};

/// Where a stream of server-sent events goes (HTML Living Standard §9.2). Fails with `cancelled` when the reader has
/// gone.
class EventSink {
public:
    virtual ~EventSink() = default;

    /// Sends one event; `data` is one line.
    virtual Flow<void> send(std::string event, std::string data) = 0;
};

struct Response {
    int status = 200;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;

    /// If set, the body is a stream of events: runs after the headers have left, until it ends or the reader goes.
    std::function<Flow<void>(EventSink&)> events;

    Response& with(std::string name, std::string value)
    {
        headers.emplace_back(std::move(name), std::move(value));
        return *this;
    }
};

/// What answers requests: a flow per request. A Failure becomes the answer that its outcome's row says (edge).
using Handler = std::function<Flow<Response>(Request)>;

/// One row of an origin's table of what it answers: each protocol gives its rows, src/app puts them together.
struct Route {
    std::string method;  ///< "GET" answers HEAD too
    std::string pattern; ///< "/sign-in/{id}/events": a part in braces stands for any one part of the path
    Handler handler;
    std::size_t body_bytes = 0; ///< the most that a body may have; 0: limits.request_body_bytes
};
using Routes = std::vector<Route>;

/// Whether a part of a pattern is one in braces.
bool in_braces(std::string_view part);

/// What stands for the parts in braces, by their names, if the path is of that pattern (Route::pattern). Nothing empty
/// stands for one.
std::optional<Parameters> match_path(std::string_view pattern, std::string_view path);

/// The same of a pattern and a path that were split at their slashes.
std::optional<Parameters> match_path(std::span<std::string const> pattern, std::span<std::string_view const> path);

Response json(int status, std::string body);
Response html(int status, std::string body);
Response no_content();

/// 303 See Other: the browser goes there with GET.
Response see_other(std::string location);

/// Parses a query or a form body: names and values percent-decoded, `+` as a space (WHATWG URL §5.1).
/// Fails with request_malformed: a broken percent-encoding, bytes that are no UTF-8, a NUL, over 200 parameters.
Result<Parameters> parse_parameters(std::string_view encoded);

/// Writes pairs in the form of application/x-www-form-urlencoded.
std::string write_parameters(Parameters const& parameters);

/// A redirect URI with parameters added to its query (RFC 6749 §4.1.2: an existing query is kept).
std::string with_parameters(std::string_view uri, Parameters const& parameters);

/// A Set-Cookie value: name=value; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age (seconds; none: the browser's
/// session).
std::string cookie(std::string_view name, std::string_view value, std::optional<Seconds> max_age = {});

/// An absolute URL taken apart (RFC 3986 §3), as far as we need it.
struct Url {
    std::string scheme; ///< small letters
    std::string host;   ///< small letters, without brackets
    std::string port;   ///< as written, or empty
    std::string path;
    bool has_fragment = false;
    bool has_user_info = false;

    [[nodiscard]] std::string origin() const; ///< scheme://host[:port]
    [[nodiscard]] bool is_loopback() const;   ///< localhost, 127.0.0.0/8, ::1
};

/// Fails with request_malformed.
Result<Url> parse_url(std::string_view text);

} // namespace symbolon::http

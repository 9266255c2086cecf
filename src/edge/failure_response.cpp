#include "edge/failure_response.hpp"

#include "base/failure_json.hpp"
#include "base/text.hpp"

#include <algorithm>

namespace symbolon::edge {

namespace {

/// A person is looking: the browser goes to a page, or an old one prefers a page.
bool wants_page(http::Request const& request)
{
    auto const accept = request.header("accept");
    if (accept.find("text/html") == std::string_view::npos) return false;
    auto const mode = request.header("sec-fetch-mode");
    return mode.empty() || mode == "navigate";
}

std::string page(Failure const& failure, Reader const& reader, Texts const& texts, bool is_test_system)
{
    auto const language = reader.language;
    std::string text =
        "<!doctype html>\n<html lang=\"" + std::string{name_of(language)} +
        "\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<title>" +
        escape_html(texts.text(language, "edge.title")) + "</title>\n";
    if (reader.origin == http::Origin::id) text += "<link rel=\"stylesheet\" href=\"/assets/sign-in.css\">\n";
    text += "<main>\n";
    if (is_test_system) text += "<p role=\"note\">" + escape_html(texts.text(language, "edge.test_system")) + "</p>\n";
    text += "<h1>" + escape_html(texts.text(language, "edge.title")) + "</h1>\n<p role=\"alert\">" +
            escape_html(texts.text(language, failure.outcome)) + "</p>\n<p><code id=\"error\">" +
            std::string{name_of(failure.outcome)} + "</code></p>\n</main>\n</html>\n";
    return text;
}

} // namespace

Reader reader_of(http::Request const& request)
{
    auto const asked = language_named(request.query.value("lang"));
    return {.origin = request.origin,
            .language = asked ? *asked : accepted_language(request.header("accept-language")),
            .is_person = wants_page(request)};
}

http::Response failure_response(Failure const& failure, Reader const& reader, Texts const& texts, Instant now,
                                bool is_test_system)
{
    auto const language = reader.language;
    auto const status = row_of(failure.outcome).http_status;
    auto response = reader.is_person ? http::html(status, page(failure, reader, texts, is_test_system))
                                     : http::json(status, json::write(failure_object(failure, language, texts)));
    response.with("Content-Language", std::string{name_of(language)}).with("Vary", "Accept, Accept-Language");
    if (failure.open_at)
        response.with("Retry-After", std::to_string(std::max<std::int64_t>(0, (*failure.open_at - now).count())));
    else if (status == 503) response.with("Retry-After", "5");
    // RFC 9110 §15.5.2: a 401 names a scheme. Protocols with schemes of their own answer for themselves.
    if (status == 401)
        response.with("WWW-Authenticate", reader.origin == http::Origin::phone ? "Symbolon-Device" : "Bearer");
    return response;
}

} // namespace symbolon::edge

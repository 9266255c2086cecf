#include "card_reader/server.hpp"

#include "base/text.hpp"

#include <curl/curl.h>

#include <memory>

namespace symbolon::card_reader {

namespace {

constexpr std::size_t most_answer_bytes = 256UZ * 1024;
constexpr long connect_timeout_seconds = 10;
constexpr long timeout_seconds = 30;
constexpr std::size_t longest_sentence = 500;

using Curl = std::unique_ptr<CURL, decltype([](CURL* curl) { curl_easy_cleanup(curl); })>;
using Headers = std::unique_ptr<curl_slist, decltype([](curl_slist* list) { curl_slist_free_all(list); })>;

/// libcurl's callback: anything but the whole size ends the transfer.
std::size_t collect(char* data, std::size_t one, std::size_t size, void* into)
{
    auto& body = *static_cast<std::string*>(into);
    if (body.size() + size > most_answer_bytes) return 0;
    body.append(data, one * size);
    return one * size;
}

ServerFailure unreachable(std::string detail)
{
    return {.kind = ServerFailure::Kind::unreachable, .detail = std::move(detail)};
}
ServerFailure no_protocol(std::string detail)
{
    return {.kind = ServerFailure::Kind::no_protocol, .detail = std::move(detail)};
}

} // namespace

ServerResult<json::Object> judge_answer(long status, std::string_view body)
{
    if (status == 204) return json::Object{};
    auto const object = json::parse_object(body);
    if (status == 200) {
        if (!object) return std::unexpected{no_protocol("no JSON object")};
        return *object;
    }
    if (!object || status < 400) return std::unexpected{no_protocol("HTTP " + std::to_string(status))};

    auto const outcome = json::text(*object, "outcome");
    if (!outcome || outcome->size() > 64 || !displayable(*outcome, 64))
        return std::unexpected{no_protocol("HTTP " + std::to_string(status))};
    ServerFailure refusal{.kind = ServerFailure::Kind::refused, .outcome = *outcome};
    // Somebody else's text on this terminal: no control characters.
    if (auto const text = json::optional_text(*object, "text"); text && *text && displayable(**text, longest_sentence))
        refusal.text = **text;
    if (auto const tries = json::optional_integer(*object, "tries_left");
        tries && *tries && **tries >= 0 && **tries < 100)
        refusal.tries_left = static_cast<int>(**tries);
    return std::unexpected{std::move(refusal)};
}

HttpServer::HttpServer(std::string origin, std::string ca_file, Language language)
    : origin_{std::move(origin)},
      ca_file_{std::move(ca_file)},
      language_{language}
{}

ServerResult<json::Object> HttpServer::post(std::string_view path, json::Object const& body)
{
    static auto const initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
    Curl const curl{curl_easy_init()};
    if (initialised != CURLE_OK || !curl) return std::unexpected{unreachable("libcurl")};

    auto const url = origin_ + std::string{path};
    auto const text = json::write(body);
    std::string answer;
    auto const language = "Accept-Language: " + std::string{name_of(language_)};
    Headers headers{curl_slist_append(nullptr, "Content-Type: application/json")};
    for (auto const* const header : {"Accept: application/json", language.c_str(), "Expect:"})
        headers.reset(curl_slist_append(headers.release(), header));

    auto* const handle = curl.get();
    curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
    // parse_link() made the origin: plain http is there for loopback alone.
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!ca_file_.empty()) curl_easy_setopt(handle, CURLOPT_CAINFO, ca_file_.c_str());
    // Card files don't go through whatever proxy the environment names when they stay on this machine.
    if (origin_.starts_with("http://")) curl_easy_setopt(handle, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, connect_timeout_seconds);
    curl_easy_setopt(handle, CURLOPT_TIMEOUT, timeout_seconds);
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_USERAGENT, "symbolon-eid/0.1.0");
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, text.c_str());
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(text.size()));
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &collect);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, &answer);

    auto const error = curl_easy_perform(handle);
    if (error != CURLE_OK) return std::unexpected{unreachable(curl_easy_strerror(error))};
    long status = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    return judge_answer(status, answer);
}

} // namespace symbolon::card_reader

#include "phone/curl_transport.hpp"

#include "base/http.hpp"
#include "base/text.hpp"

#include <curl/curl.h>

#include <mutex>

namespace symbolon::phone {

namespace {

constexpr std::size_t most_answer_bytes = 256UZ * 1024;
constexpr long patience_s = 30;

struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Headers = std::unique_ptr<curl_slist, FreeList>;

void add(Headers& to, std::string const& line)
{
    // The list's first element stays the first: only an empty list changes hands.
    auto* const longer = curl_slist_append(to.get(), line.c_str());
    if (to == nullptr) to.reset(longer);
}

/// Server-sent events, line by line.
class EventReader {
public:
    void take(std::string_view part, std::function<void(std::string, std::string)> const& on_event)
    {
        unread_ += part;
        for (auto end = unread_.find('\n'); end != std::string::npos; end = unread_.find('\n')) {
            auto line = unread_.substr(0, end);
            unread_.erase(0, end + 1);
            if (line.ends_with('\r')) line.pop_back();
            if (line.empty()) {
                if (!data_.empty()) on_event(event_, data_);
                event_.clear();
                data_.clear();
            } else if (line.starts_with("event:")) {
                event_ = trimmed(std::string_view{line}.substr(6));
            } else if (line.starts_with("data:")) {
                data_ += trimmed(std::string_view{line}.substr(5));
            }
        }
    }
    [[nodiscard]] std::size_t size_bytes() const { return unread_.size() + data_.size(); }

private:
    std::string unread_;
    std::string event_;
    std::string data_;
};

} // namespace

/// One request and what has come of its answer.
struct CurlTransport::Exchange {
    Reply reply;
    CURL* handle = nullptr;
    EventReader events;
    std::function<void(std::string, std::string)> on_event; ///< empty: the answer is read whole
    std::function<bool()> go_on;

    [[nodiscard]] bool is_stream() const
    {
        char const* type = nullptr;
        curl_easy_getinfo(handle, CURLINFO_CONTENT_TYPE, &type);
        return on_event && type != nullptr && std::string_view{type}.starts_with("text/event-stream");
    }

    static std::size_t body(char const* data, std::size_t /*one*/, std::size_t size, void* self)
    {
        auto& exchange = *static_cast<Exchange*>(self);
        std::string_view const part{data, size};
        if (exchange.is_stream()) {
            exchange.events.take(part, exchange.on_event);
            return exchange.events.size_bytes() <= most_answer_bytes ? size : 0;
        }
        if (exchange.reply.body.size() + size > most_answer_bytes) return 0;
        exchange.reply.body += part;
        return size;
    }

    static std::size_t header(char const* data, std::size_t /*one*/, std::size_t size, void* self)
    {
        std::string_view const line{data, size};
        auto const colon = line.find(':');
        if (colon != std::string_view::npos) {
            auto value = line.substr(colon + 1);
            while (value.ends_with('\n') || value.ends_with('\r')) value.remove_suffix(1);
            static_cast<Exchange*>(self)->reply.headers.emplace_back(in_small_letters(line.substr(0, colon)),
                                                                     trimmed(value));
        }
        return size;
    }

    static int progress(void* self, curl_off_t /*1*/, curl_off_t /*2*/, curl_off_t /*3*/, curl_off_t /*4*/)
    {
        auto const& exchange = *static_cast<Exchange*>(self);
        return exchange.go_on && !exchange.go_on() ? 1 : 0;
    }
};

Result<std::string> parse_origin(std::string_view url)
{
    auto const parsed = TRY(http::parse_url(url));
    auto const loopback = parsed.scheme == "http" && parsed.is_loopback();
    if ((parsed.scheme != "https" && !loopback) || parsed.has_user_info || parsed.has_fragment ||
        (!parsed.path.empty() && parsed.path != "/"))
        return fail(Outcome::request_malformed, "the server is https://HOST[:PORT], or http:// on this machine");
    return parsed.origin();
}

void CurlTransport::Close::operator()(void* handle) const { curl_easy_cleanup(handle); }

CurlTransport::CurlTransport(ServerAddress server) : server_{std::move(server)}
{
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    handle_.reset(curl_easy_init());
}

CurlTransport::~CurlTransport() = default;

Result<void> CurlTransport::perform(Call const& call, Exchange& exchange)
{
    CURL* const handle = handle_.get();
    curl_easy_reset(handle); // connections are kept
    exchange.handle = handle;
    auto const url = server_.url + call.path;
    Headers headers;
    add(headers, "Accept-Language: " + server_.language);
    add(headers, "Expect:");
    for (auto const& [name, value] : call.headers) {
        auto line = name;
        line.append(": ").append(value);
        add(headers, line);
    }
    if (call.method == "POST") {
        add(headers, "Content-Type: application/json");
        curl_easy_setopt(handle, CURLOPT_POST, 1L);
        curl_easy_setopt(handle, CURLOPT_POSTFIELDS, call.body.data());
        curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
    }
    curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(handle, CURLOPT_PROXY, "");
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, 10L);
    if (!server_.ca_file.empty()) curl_easy_setopt(handle, CURLOPT_CAINFO, server_.ca_file.c_str());
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &Exchange::body);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, &exchange);
    curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, &Exchange::header);
    curl_easy_setopt(handle, CURLOPT_HEADERDATA, &exchange);
    if (exchange.on_event) {
        curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, &Exchange::progress);
        curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &exchange);
        // The server's heartbeat comes several times within that.
        curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, 3 * patience_s);
    } else {
        curl_easy_setopt(handle, CURLOPT_TIMEOUT, patience_s);
    }

    auto const result = curl_easy_perform(handle);
    long status = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    exchange.reply.status = static_cast<int>(status);
    if (result != CURLE_OK) return fail(Outcome::upstream_unreachable, curl_easy_strerror(result));
    return {};
}

Flow<device::Transport::Reply> CurlTransport::send(Call call)
{
    Exchange exchange;
    co_await perform(call, exchange);
    co_return std::move(exchange.reply);
}

Result<device::Transport::Reply>
CurlTransport::stream(Call const& call, std::function<void(std::string event, std::string data)> const& on_event,
                      std::function<bool()> const& go_on)
{
    Exchange exchange;
    exchange.on_event = on_event;
    exchange.go_on = go_on;
    TRY(perform(call, exchange));
    return std::move(exchange.reply);
}

} // namespace symbolon::phone

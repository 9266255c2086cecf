// The one unit that knows libcurl.

#include "edge/http_client.hpp"

#include "base/http.hpp"
#include "base/text.hpp"
#include "edge/client_address.hpp"
#include "edge/loop.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <curl/curl.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <netinet/in.h>
#include <sys/socket.h>

namespace symbolon::edge {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr auto patience_to_connect = std::chrono::milliseconds{5s};

void initialise_curl()
{
    static auto const status = curl_global_init(CURL_GLOBAL_DEFAULT);
    ENSURE(status == CURLE_OK);
}

std::string text_of(sockaddr const& address)
{
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (address.sa_family == AF_INET)
        ::inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in const&>(address).sin_addr, text.data(), text.size());
    else if (address.sa_family == AF_INET6)
        ::inet_ntop(AF_INET6, &reinterpret_cast<sockaddr_in6 const&>(address).sin6_addr, text.data(), text.size());
    return text.data();
}

/// One request under way.
struct Transfer {
    Transfer(OutgoingRequest r, bool local) : request{std::move(r)}, may_be_local{local} {}
    Transfer(Transfer const&) = delete;
    Transfer& operator=(Transfer const&) = delete;
    ~Transfer()
    {
        curl_slist_free_all(headers);
        curl_easy_cleanup(easy);
    }

    OutgoingRequest request;
    bool may_be_local;
    bool was_refused = false; ///< an address that is not asked
    bool was_too_long = false;
    OutgoingAnswer answer;
    CURL* easy = curl_easy_init();
    curl_slist* headers = nullptr;
    std::optional<Finish<OutgoingAnswer>> finish;
};

std::size_t take_body(char const* data, std::size_t size, std::size_t count, void* pointer)
{
    auto& transfer = *static_cast<Transfer*>(pointer);
    if (transfer.answer.body.size() + size * count > transfer.request.most_answer_bytes) {
        transfer.was_too_long = true;
        return CURL_WRITEFUNC_ERROR;
    }
    transfer.answer.body.append(data, size * count);
    return size * count;
}

curl_socket_t open_socket(void* pointer, curlsocktype /*purpose*/, curl_sockaddr* address)
{
    auto& transfer = *static_cast<Transfer*>(pointer);
    if (!transfer.may_be_local && !is_public_address(text_of(address->addr))) {
        transfer.was_refused = true;
        return CURL_SOCKET_BAD;
    }
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

template <class T>
void set(CURL* easy, CURLoption option, T value)
{
    auto const status = curl_easy_setopt(easy, option, value);
    ENSURE(status == CURLE_OK);
}

void prepare(Transfer& transfer)
{
    auto* easy = transfer.easy;
    auto const& request = transfer.request;
    ENSURE(easy != nullptr);
    bool const http_too = transfer.may_be_local || request.schemes == OutgoingRequest::Schemes::http_too;
    set(easy, CURLOPT_URL, request.url.c_str());
    set(easy, CURLOPT_PROTOCOLS_STR, http_too ? "http,https" : "https");
    set(easy, CURLOPT_FOLLOWLOCATION, 0L);
    set(easy, CURLOPT_PROXY, "");
    set(easy, CURLOPT_NOSIGNAL, 1L);
    set(easy, CURLOPT_USERAGENT, "symbolon");
    set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.patience.count()));
    set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::min(request.patience, patience_to_connect).count()));
    set(easy, CURLOPT_WRITEFUNCTION, &take_body);
    set(easy, CURLOPT_WRITEDATA, &transfer);
    set(easy, CURLOPT_OPENSOCKETFUNCTION, &open_socket);
    set(easy, CURLOPT_OPENSOCKETDATA, &transfer);
    set(easy, CURLOPT_PRIVATE, &transfer);
    if (request.method == "POST") {
        set(easy, CURLOPT_POST, 1L);
        set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
        set(easy, CURLOPT_POSTFIELDS, request.body.data());
    }
    for (auto const& [name, value] : request.headers) {
        ENSURE((name + value).find_first_of("\r\n") == std::string::npos);
        transfer.headers = curl_slist_append(transfer.headers, (name + ": ").append(value).c_str());
    }
    transfer.headers = curl_slist_append(transfer.headers, "Expect:"); // bodies are short
    set(easy, CURLOPT_HTTPHEADER, transfer.headers);
}

Result<OutgoingAnswer> judge(Transfer& transfer, CURLcode code)
{
    if (code == CURLE_OK) {
        long status = 0;
        char const* type = nullptr;
        curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(transfer.easy, CURLINFO_CONTENT_TYPE, &type);
        transfer.answer.status = static_cast<int>(status);
        curl_off_t retry_after = 0;
        curl_easy_getinfo(transfer.easy, CURLINFO_RETRY_AFTER, &retry_after);
        transfer.answer.retry_after = Seconds{std::max<curl_off_t>(0, retry_after)};
        transfer.answer.content_type = type == nullptr ? "" : type;
        return std::move(transfer.answer);
    }
    if (transfer.was_refused) return fail(Outcome::upstream_unreachable, "an address that is not asked");
    if (transfer.was_too_long) return fail(transfer.request.when_too_long, "an answer that is too long");
    curl_off_t until_sent = 0;
    curl_easy_getinfo(transfer.easy, CURLINFO_PRETRANSFER_TIME_T, &until_sent);
    return fail(until_sent == 0 ? Outcome::upstream_unreachable : Outcome::unavailable, curl_easy_strerror(code));
}

} // namespace

/// libcurl's transfers of one loop. Touched on that loop's thread alone.
class HttpClient::Multi : public std::enable_shared_from_this<Multi> {
public:
    explicit Multi(Loop& loop) : loop_{loop}, timer_{loop.context()}
    {
        ENSURE(multi_ != nullptr);
        curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &socket_changed);
        curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
        curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &timer_changed);
        curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
    }
    Multi(Multi const&) = delete;
    Multi& operator=(Multi const&) = delete;
    ~Multi()
    {
        // Those that wait are gone by now; connections that are kept for later close here.
        curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, nullptr);
        curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, nullptr);
        for (auto const& [descriptor, watched] : watched_) watched->descriptor.release();
        curl_multi_cleanup(multi_);
    }

    void add(Transfer& transfer)
    {
        auto const status = curl_multi_add_handle(multi_, transfer.easy);
        ENSURE(status == CURLM_OK);
    }
    void remove(Transfer& transfer) { curl_multi_remove_handle(multi_, transfer.easy); }

    Loop& loop() { return loop_; }

private:
    struct Watched {
        explicit Watched(Loop& loop, curl_socket_t socket) : descriptor{loop.context(), socket} {}

        asio::posix::stream_descriptor descriptor;
        int wants = CURL_POLL_NONE;
        bool waits_to_read = false;
        bool waits_to_write = false;
        bool is_gone = false;
    };

    static int socket_changed(CURL* /*easy*/, curl_socket_t socket, int what, void* self, void* /*per_socket*/)
    {
        static_cast<Multi*>(self)->watch(socket, what);
        return 0;
    }
    static int timer_changed(CURLM* /*multi*/, long milliseconds, void* self)
    {
        static_cast<Multi*>(self)->set_timer(milliseconds);
        return 0;
    }

    void watch(curl_socket_t socket, int what)
    {
        auto const found = watched_.find(socket);
        if (what == CURL_POLL_REMOVE) {
            if (found == watched_.end()) return;
            found->second->is_gone = true;
            found->second->descriptor.release(); // libcurl closes it
            watched_.erase(found);
            return;
        }
        auto const watched = found != watched_.end()
                                 ? found->second
                                 : watched_.emplace(socket, std::make_shared<Watched>(loop_, socket)).first->second;
        watched->wants = what;
        wait(watched, socket);
    }

    void wait(std::shared_ptr<Watched> const& watched, curl_socket_t socket)
    {
        if ((watched->wants & CURL_POLL_IN) != 0 && !std::exchange(watched->waits_to_read, true))
            watched->descriptor.async_wait(asio::posix::descriptor_base::wait_read,
                                           [self = shared_from_this(), watched, socket](error_code error) {
                                               watched->waits_to_read = false;
                                               self->ready(watched, socket, CURL_CSELECT_IN, error);
                                           });
        if ((watched->wants & CURL_POLL_OUT) != 0 && !std::exchange(watched->waits_to_write, true))
            watched->descriptor.async_wait(asio::posix::descriptor_base::wait_write,
                                           [self = shared_from_this(), watched, socket](error_code error) {
                                               watched->waits_to_write = false;
                                               self->ready(watched, socket, CURL_CSELECT_OUT, error);
                                           });
    }

    void ready(std::shared_ptr<Watched> const& watched, curl_socket_t socket, int what, error_code error)
    {
        if (watched->is_gone || error == asio::error::operation_aborted) return;
        auto const wanted = what == CURL_CSELECT_IN ? CURL_POLL_IN : CURL_POLL_OUT;
        if ((watched->wants & wanted) != 0) act(socket, error ? CURL_CSELECT_ERR : what);
        if (!watched->is_gone) wait(watched, socket);
    }

    void set_timer(long milliseconds)
    {
        timer_.cancel();
        if (milliseconds < 0) return;
        timer_.expires_after(std::chrono::milliseconds{milliseconds});
        timer_.async_wait([self = shared_from_this()](error_code error) {
            if (!error) self->act(CURL_SOCKET_TIMEOUT, 0);
        });
    }

    void act(curl_socket_t socket, int what)
    {
        int running = 0;
        curl_multi_socket_action(multi_, socket, what, &running);
        int left = 0;
        while (auto const* message = curl_multi_info_read(multi_, &left)) {
            if (message->msg != CURLMSG_DONE) continue;
            auto const code = message->data.result;
            char* pointer = nullptr;
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &pointer);
            auto& transfer = *reinterpret_cast<Transfer*>(pointer);
            auto const finish = *std::exchange(transfer.finish, std::nullopt);
            // The flow goes on outside of libcurl's call, since it may ask something else at once.
            asio::post(loop_.context(),
                       [finish, result = judge(transfer, code)]() mutable { finish(std::move(result)); });
        }
    }

    Loop& loop_;
    asio::steady_timer timer_;
    std::map<curl_socket_t, std::shared_ptr<Watched>> watched_;
    CURLM* multi_ = curl_multi_init();
};

HttpClient::HttpClient(Loops& loops, std::vector<std::string> local_hosts) : local_hosts_{std::move(local_hosts)}
{
    initialise_curl();
    for (auto const& loop : loops.impl().loops) multis_.push_back(std::make_shared<Multi>(*loop));
}

HttpClient::~HttpClient()
{
    // Each is given back on its own loop, or with it.
    for (auto& multi : multis_) {
        auto& context = multi->loop().context();
        asio::post(context, [last = std::move(multi)] {});
    }
}

Flow<OutgoingAnswer> HttpClient::send(OutgoingRequest request)
{
    auto const url = co_await http::parse_url(request.url);
    auto const port = !url.port.empty() ? url.port : url.scheme == "https" ? "443" : "80";
    auto const host = url.host.find(':') == std::string::npos ? url.host : '[' + url.host + ']';
    bool const local = std::ranges::find(local_hosts_, host + ':' + port) != local_hosts_.end();
    if (url.has_user_info) co_return fail(Outcome::upstream_unreachable, "a URL with a user name");
    if (url.scheme != "https" &&
        (url.scheme != "http" || (!local && request.schemes == OutgoingRequest::Schemes::https)))
        co_return fail(Outcome::upstream_unreachable, "a URL that is not https");

    auto const multi = multis_.at(Loop::current().index());
    Transfer transfer{std::move(request), local};
    prepare(transfer);
    // A flow that is destroyed takes its request back.
    struct Added {
        Multi& multi;
        Transfer& transfer;
        Added(Multi& m, Transfer& t) : multi{m}, transfer{t} { multi.add(transfer); }
        Added(Added const&) = delete;
        Added& operator=(Added const&) = delete;
        ~Added() { multi.remove(transfer); }
    };
    Added const added{*multi, transfer};
    co_return co_await wait_for<OutgoingAnswer>(
        [&transfer](Finish<OutgoingAnswer> finish) { transfer.finish = std::move(finish); });
}

namespace {

class Fetcher final : public card::RevocationFetcher {
public:
    explicit Fetcher(HttpClient& client) : client_{client} {}

    Flow<Bytes> post_ocsp(std::string url, Bytes request) override
    {
        OutgoingRequest outgoing{.method = "POST",
                                 .url = std::move(url),
                                 .headers = {{"Content-Type", "application/ocsp-request"}},
                                 .body = string_of(request),
                                 .most_answer_bytes = card::max_ocsp_response_bytes,
                                 .patience = 10s,
                                 .schemes = OutgoingRequest::Schemes::http_too};
        return fetch(std::move(outgoing));
    }

    Flow<Bytes> get_crl(std::string url) override
    {
        OutgoingRequest outgoing{.method = "GET",
                                 .url = std::move(url),
                                 .headers = {},
                                 .body = {},
                                 .most_answer_bytes = card::max_crl_bytes,
                                 .patience = 30s,
                                 .schemes = OutgoingRequest::Schemes::http_too};
        return fetch(std::move(outgoing));
    }

    Flow<Bytes> get_certificate(std::string url) override
    {
        OutgoingRequest outgoing{.method = "GET",
                                 .url = std::move(url),
                                 .headers = {},
                                 .body = {},
                                 .most_answer_bytes = card::max_certificate_bytes,
                                 .patience = 10s,
                                 .schemes = OutgoingRequest::Schemes::http_too};
        return fetch(std::move(outgoing));
    }

private:
    // Answers are signed by their authorities, so plain http is as good here as it is in the certificates.
    Flow<Bytes> fetch(OutgoingRequest request)
    {
        auto const answer = co_await outcome_of(client_.send(std::move(request)));
        if (!answer) co_return fail(Outcome::revocation_unreachable, answer.error().detail);
        if (answer->status != 200)
            co_return fail(Outcome::revocation_unreachable, "status " + std::to_string(answer->status));
        co_return to_bytes(answer->body);
    }

    HttpClient& client_;
};

class BankFetcher final : public bank::Fetcher {
public:
    explicit BankFetcher(HttpClient& client) : client_{client} {}

    Flow<bank::Answer> get(std::string url) override
    {
        OutgoingRequest request{.method = "GET",
                                .url = std::move(url),
                                .headers = {{"Accept", "application/json"}},
                                .body = {},
                                .most_answer_bytes = bank::max_answer_bytes,
                                .when_too_long = Outcome::bank_answer_invalid,
                                .patience = 5s};
        return send(std::move(request));
    }

    Flow<bank::Answer> post(std::string url, http::Parameters form) override
    {
        OutgoingRequest request{
            .method = "POST",
            .url = std::move(url),
            .headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}},
            .body = http::write_parameters(form),
            .most_answer_bytes = bank::max_answer_bytes,
            .when_too_long = Outcome::bank_answer_invalid,
            .patience = 10s};
        return send(std::move(request));
    }

private:
    Flow<bank::Answer> send(OutgoingRequest request)
    {
        auto answer = co_await client_.send(std::move(request));
        co_return bank::Answer{
            .status = answer.status, .content_type = std::move(answer.content_type), .body = std::move(answer.body)};
    }

    HttpClient& client_;
};

} // namespace

std::unique_ptr<card::RevocationFetcher> revocation_fetcher(HttpClient& client)
{
    return std::make_unique<Fetcher>(client);
}

std::unique_ptr<bank::Fetcher> bank_fetcher(HttpClient& client) { return std::make_unique<BankFetcher>(client); }

} // namespace symbolon::edge

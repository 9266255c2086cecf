#include "virtual_card/pki_server.hpp"

#include <boost/asio/impl/src.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/src.hpp>
#include <boost/url/parse.hpp>
#include <fmt/format.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <sys/socket.h>
#include <sys/time.h>
#include <thread>

/// The one unit of this folder that knows Asio and Beast, and holds their code.
namespace symbolon::virtual_card {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

constexpr auto patience = std::chrono::seconds{5};
constexpr std::uint32_t longest_header_bytes = 16 * 1024;
constexpr std::uint64_t longest_body_bytes = std::uint64_t{16} * 1024;
constexpr int most_connections = 64;

struct Server {
    Folders const& folders;
    Pki const& pki;
    std::function<Instant()> const& now;
    std::atomic<int> connections = 0;
    std::mutex mutex; ///< held while a conversation leaves
    std::condition_variable changed;

    PkiAnswer answer(http::request<http::string_body> const& request) const
    {
        auto const standings = standings_of(folders);
        if (!standings) {
            std::fprintf(stderr, "symbolon-card: %s\n", standings.error().detail.c_str());
            return {.status = 500};
        }
        auto const method = request.method_string();
        auto const target = request.target();
        return answer_http(pki, *standings, {method.data(), method.size()}, {target.data(), target.size()},
                           bytes_of(request.body()), now());
    }

    /// One request, one answer, and the connection closes: nobody keeps a thread.
    void converse(tcp::socket socket) const
    {
        beast::error_code error;
        timeval const limit{.tv_sec = patience.count(), .tv_usec = 0};
        ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        http::request_parser<http::string_body> parser;
        parser.header_limit(longest_header_bytes);
        parser.body_limit(longest_body_bytes);
        beast::flat_buffer buffer;
        http::read(socket, buffer, parser, error);
        if (error == http::error::body_limit || error == http::error::header_limit)
            return reply(socket, {.status = 413}, 11);
        if (error) return;
        reply(socket, answer(parser.get()), parser.get().version());
    }

    static void reply(tcp::socket& socket, PkiAnswer const& answer, unsigned version)
    {
        http::response<http::string_body> response{static_cast<http::status>(answer.status), version};
        if (!answer.content_type.empty()) response.set(http::field::content_type, answer.content_type);
        response.set(http::field::cache_control, "no-store");
        response.keep_alive(false);
        response.body() = string_of(answer.body);
        response.prepare_payload();
        beast::error_code error;
        http::write(socket, response, error);
        socket.shutdown(tcp::socket::shutdown_send, error);
    }
};

} // namespace

Result<std::uint16_t> port_of(std::string_view base_url)
{
    auto const url = boost::urls::parse_uri({base_url.data(), base_url.size()});
    if (!url || url->port_number() == 0) return fail(Outcome::configuration_invalid, "the PKI's address names no port");
    return url->port_number();
}

Result<void> serve_pki(Folders const& folders, std::uint16_t port, std::function<Instant()> const& now)
{
    auto const pki = TRY(load_pki(folders.pki));
    static_cast<void>(TRY(standings_of(folders)));

    asio::io_context context;
    tcp::acceptor acceptor{context};
    beast::error_code error;
    auto const endpoint = tcp::endpoint{asio::ip::address_v4::loopback(), port};
    acceptor.open(endpoint.protocol());
    acceptor.set_option(tcp::acceptor::reuse_address{true});
    acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(tcp::acceptor::max_listen_connections, error);
    if (error) return fail(Outcome::configuration_invalid, fmt::format("127.0.0.1:{}: {}", port, error.message()));
    std::printf("listening on 127.0.0.1:%d\n", acceptor.local_endpoint().port());
    std::fflush(stdout);

    Server server{folders, pki, now};
    asio::signal_set ends{context, SIGTERM, SIGINT};
    ends.async_wait([&](beast::error_code, int) { context.stop(); });
    std::function<void()> accept = [&] {
        acceptor.async_accept([&](beast::error_code failed, tcp::socket socket) {
            if (!failed && server.connections < most_connections) {
                ++server.connections;
                socket.native_non_blocking(false);
                std::thread{[&server, peer = std::move(socket)]() mutable {
                    server.converse(std::move(peer));
                    std::scoped_lock const lock{server.mutex};
                    --server.connections;
                    server.changed.notify_all();
                }}.detach();
            }
            accept();
        });
    };
    accept();
    context.run();
    // Threads that still talk end within their patience; they hold references to what lives here.
    std::unique_lock lock{server.mutex};
    server.changed.wait(lock, [&] { return server.connections == 0; });
    return {};
}

} // namespace symbolon::virtual_card

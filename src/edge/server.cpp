// The one unit that instantiates Beast: connections, requests and answers on the wire.

#include "edge/server.hpp"

#include "base/text.hpp"
#include "crypto/encoding.hpp"
#include "edge/failure_response.hpp"
#include "edge/loop.hpp"
#include "edge/request_head.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/chunk_encode.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <latch>
#include <mutex>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

namespace symbolon::edge {

namespace asio = boost::asio;
namespace wire = boost::beast::http;
using boost::system::error_code;

namespace {

using Loop_executor = asio::io_context::executor_type;
template <class T>
using Async = asio::awaitable<T, Loop_executor>;
constexpr auto use = asio::as_tuple(asio::use_awaitable_t<Loop_executor>{});

using Socket = asio::basic_stream_socket<asio::generic::stream_protocol, Loop_executor>;
using Timer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Loop_executor>;

constexpr std::size_t read_block_bytes = 8UZ * 1024;
constexpr std::size_t most_unread_bytes = 256UZ * 1024; ///< taken from a client that we have already answered
constexpr auto linger = 2s;

/// How many connections and streams an address has, over all loops.
class Counts {
public:
    /// Whether one more is allowed; if so it counts until leave().
    bool enter(std::string const& address, std::size_t most)
    {
        std::scoped_lock const lock{mutex_};
        auto& count = counts_[address];
        if (count >= most) return false;
        ++count;
        return true;
    }
    void leave(std::string const& address)
    {
        std::scoped_lock const lock{mutex_};
        auto const found = counts_.find(address);
        if (--found->second == 0) counts_.erase(found);
    }

private:
    std::mutex mutex_;
    std::unordered_map<std::string, std::size_t> counts_;
};

/// Leaves Counts when it goes.
class Place {
public:
    Place() = default;
    Place(Counts& counts, std::string address) : counts_{&counts}, address_{std::move(address)} {}
    Place(Place const&) = delete;
    Place& operator=(Place const&) = delete;
    Place(Place&& other) noexcept : counts_{std::exchange(other.counts_, nullptr)}, address_{std::move(other.address_)}
    {}
    Place& operator=(Place&& other) noexcept
    {
        std::swap(counts_, other.counts_);
        std::swap(address_, other.address_);
        return *this;
    }
    ~Place()
    {
        if (counts_ != nullptr) counts_->leave(address_);
    }

private:
    Counts* counts_ = nullptr;
    std::string address_;
};

/// A listener as the connections see it.
struct Site {
    http::Origin origin;
    bool is_https;
    Router const* router;
};

/// A handler's flow, from its start to its end.
template <class T>
struct RunningFlow {
    Flow<T> flow;
    bool ended = false;
    std::function<void()> on_end; ///< from within the flow, which must not be destroyed there
};
using Running = RunningFlow<http::Response>;
using RunningEvents = RunningFlow<void>;

class EventStream;
struct Connection;

/// What one loop has of the server. Touched on that loop's thread alone.
struct PerLoop {
    explicit PerLoop(Loop& l) : loop{l} {}

    Loop& loop;
    std::vector<std::function<void()>> close_acceptors;
    std::set<Connection*> connections;
    std::set<std::shared_ptr<Running>> left_behind; ///< flows whose client has its answer (timed out)
    bool stopping = false;
};

struct Connection : std::enable_shared_from_this<Connection> {
    Connection(Socket accepted, PerLoop& l, Site const& s, std::string p)
        : socket{std::move(accepted)},
          wake{l.loop.context()},
          loop{l},
          site{s},
          peer{std::move(p)},
          watch{l.loop.context()}
    {
        error_code error;
        socket.non_blocking(true, error);
        if (error) socket.close(error); // or one slow reader would hold the loop
        loop.connections.insert(this);
    }
    Connection(Connection const&) = delete;
    Connection& operator=(Connection const&) = delete;
    ~Connection() { loop.connections.erase(this); }

    /// Ends whatever the connection waits for.
    void abort()
    {
        aborted = true;
        wake.cancel();
        error_code ignored;
        socket.close(ignored); // NOLINT(bugprone-unused-return-value): nobody is left to be told
    }

    /// Reads and writes from now on end with operation_aborted after that time, until the next call.
    void give(Timer::duration time)
    {
        timed_out = false;
        deadline = Timer::clock_type::now() + time;
        if (!looks_at || *looks_at > *deadline) look_at(*deadline);
    }
    void take_all_the_time() { deadline.reset(); }

    Socket socket;
    Timer wake; ///< what a connection that waits for its flow sleeps on
    std::optional<Timer::time_point> deadline;
    bool timed_out = false;
    PerLoop& loop;
    Site const& site;
    std::string peer;    ///< empty: a Unix socket's
    std::string address; ///< its address, as far as no proxy says another
    bool is_of_proxy = false;
    Place place;
    std::string in; ///< read and not used yet
    bool idle = true;
    bool aborted = false;
    EventStream* events = nullptr;
    bool reader_is_watched = false;

private:
    /// Looks at the deadline when it is reached as it stands now. Mostly it has moved on by then, which costs nothing:
    /// a timer that was set anew at each step of each request would.
    void look_at(Timer::time_point when)
    {
        looks_at = when;
        watch.expires_at(when);
        watch.async_wait([weak = weak_from_this()](error_code error) {
            auto const alive = weak.lock();
            if (error || !alive) return;
            alive->looks_at.reset();
            if (!alive->deadline) return;
            auto const now = Timer::clock_type::now();
            if (*alive->deadline > now) {
                alive->look_at(*alive->deadline);
                return;
            }
            alive->timed_out = true;
            alive->socket.cancel(error);
            // What had been done just before was not cancelled, and may be followed by more under the same deadline.
            alive->look_at(now + 250ms);
        });
    }

    Timer watch;
    std::optional<Timer::time_point> looks_at; ///< what the watch is set to
};

/// The reader's end of a stream of events.
class EventStream final : public http::EventSink {
public:
    explicit EventStream(Connection& connection) : connection_{connection} { connection_.events = this; }
    EventStream(EventStream const&) = delete;
    EventStream& operator=(EventStream const&) = delete;
    ~EventStream() override { connection_.events = nullptr; }

    Flow<void> send(std::string event, std::string data) override
    {
        // HTML Living Standard §9.2.6: a field per line.
        std::string text = "event: " + event + '\n';
        for (auto const line : split(data, '\n')) text += "data: " + std::string{trimmed_end(line)} + '\n';
        text += '\n';
        co_await wait_for<void>([this, &text](Finish<void> finish) {
            if (over) return finish(fail(Outcome::cancelled, "the reader has gone"));
            waiting.push_back({std::move(text), std::move(finish)});
            connection_.wake.cancel();
        });
        co_return {};
    }

    void end()
    {
        over = true;
        connection_.wake.cancel();
    }

    struct Waiting {
        std::string text;
        Finish<void> finish;
    };
    std::deque<Waiting> waiting;
    bool over = false; ///< the reader has gone, or the server stops

private:
    static std::string_view trimmed_end(std::string_view line)
    {
        return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
    }

    Connection& connection_;
};

/// A request as far as the connection needs it when the handler has taken it.
struct Asked {
    Reader reader;
    std::string address;      ///< of the person's machine
    std::string trace;        ///< W3C Trace Context §3.2.2.3 trace-id: this request in every log
    std::string method = "-"; ///< one of those we know
    std::string route = "-";  ///< the pattern; never the path itself
    bool is_head = false;
    bool is_sound = false; ///< its head is what the specification wants
    bool waits_for_go_on = false;
    bool keeps_alive = false;
    unsigned version = 11;
};

/// Starts a flow on the loop that we are on.
template <class T>
void start(std::shared_ptr<RunningFlow<T>> const& running)
{
    running->flow.start([weak = std::weak_ptr{running}] {
        auto const alive = weak.lock();
        if (!alive) return;
        alive->ended = true;
        if (alive->on_end) std::exchange(alive->on_end, nullptr)();
    });
}

std::string permissions_of(http::Origin origin)
{
    // The phone app scans codes and uses passkeys; no other page asks for anything of the machine.
    return origin == http::Origin::phone
               ? "camera=(self), publickey-credentials-get=(self), publickey-credentials-create=(self), "
                 "geolocation=(), "
                 "microphone=(), payment=(), usb=()"
               : "camera=(), geolocation=(), microphone=(), payment=(), usb=(), publickey-credentials-get=(), "
                 "publickey-credentials-create=()";
}

constexpr std::string_view page_policy =
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; "
    "require-trusted-types-for 'script'; trusted-types app";
constexpr std::string_view image_policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

bool is_sendable(std::string_view text) { return text.find_first_of(std::string_view{"\r\n\0", 3}) == text.npos; }

/// RFC 9110 §5.6.7.
std::string http_date(Instant at)
{
    constexpr std::array<char const*, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array<char const*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    auto const day = std::chrono::floor<std::chrono::days>(at);
    std::chrono::year_month_day const date{day};
    std::chrono::hh_mm_ss const time{at - day};
    std::array<char, 32> text{};
    auto const length =
        std::snprintf(text.data(), text.size(), "%s, %02u %s %04d %02d:%02d:%02d GMT",
                      days.at(std::chrono::weekday{day}.c_encoding()), static_cast<unsigned>(date.day()),
                      months.at(static_cast<unsigned>(date.month()) - 1), static_cast<int>(date.year()),
                      static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                      static_cast<int>(time.seconds().count()));
    return {text.data(), static_cast<std::size_t>(length)};
}

/// The message as it goes over the wire.
std::string serialized(wire::response<wire::string_body> const& message, bool head_alone)
{
    wire::response_serializer<wire::string_body, wire::fields> serializer{message};
    serializer.split(true); // the head first
    std::string bytes;
    bytes.reserve(1024 + message.body().size());
    error_code error;
    while (!error && !(head_alone ? serializer.is_header_done() : serializer.is_done())) {
        serializer.next(error, [&](error_code&, auto const& buffers) {
            std::size_t size = 0;
            for (auto const part : boost::beast::buffers_range_ref(buffers)) {
                bytes.append(static_cast<char const*>(part.data()), part.size());
                size += part.size();
            }
            serializer.consume(size);
        });
    }
    ENSURE(!error); // a body in memory can't fail
    return bytes;
}

std::string detail_of(std::exception const& exception)
{
    return std::string{typeid(exception).name()} + ": " +
           std::string{std::string_view{exception.what()}.substr(0, 200)};
}

} // namespace

struct Server::Impl {
    explicit Impl(ServerParts p) : parts{std::move(p)}
    {
        for (auto const& loop : parts.loops.impl().loops) loops.push_back(std::make_unique<PerLoop>(*loop));
    }

    // ---- what all loops share
    ServerParts parts;
    std::vector<std::unique_ptr<PerLoop>> loops;
    std::deque<Site> sites; ///< stay in their place
    std::vector<std::string> socket_files;
    Counts connections_by_address;
    Counts streams_by_address;
    std::atomic<std::size_t> open = 0;
    std::mutex mutex;
    std::condition_variable all_closed;
    bool stopped = false;

    Limits const& limits() const { return parts.limits; }

    // ---- accepting
    template <class Protocol>
    Async<void> accept(PerLoop& loop, std::shared_ptr<asio::basic_socket_acceptor<Protocol, Loop_executor>> acceptor,
                       Site const& site);
    template <class Protocol>
    void begin_to_accept(PerLoop& loop, asio::basic_socket_acceptor<Protocol, Loop_executor> acceptor,
                         Site const& site);
    Result<std::uint16_t> listen_tcp(asio::ip::tcp::endpoint endpoint, Site const& site, std::string const& shown);
    Result<std::uint16_t> listen_unix(std::string const& path, Site const& site);

    // ---- one connection
    Async<void> serve(std::shared_ptr<Connection> connection);
    Async<void> turn_away(std::shared_ptr<Connection> connection);
    Async<bool> one_request(Connection& connection);
    Async<Result<std::string>> read_head(Connection& connection) const;
    Result<http::Response> understand(Connection& connection, Result<std::string> head,
                                      wire::request_parser<wire::string_body>& parser, http::Request& request,
                                      Asked& asked, Router::Match& match);
    Async<Result<std::string>> read_body(Connection& connection, wire::request_parser<wire::string_body>& parser,
                                         Asked const& asked, Router::Match const& match) const;
    Async<Result<http::Response>> handle(Connection& connection, http::Route const& route, http::Request request) const;
    Async<bool> send(Connection& connection, Asked const& asked, http::Response response, bool keeps_alive) const;
    Async<void> stream_events(Connection& connection, Asked const& asked, http::Response response);
    Async<void> watch_reader(std::shared_ptr<Connection> connection);
    Async<void> close_gently(Connection& connection);

    void add_headers(http::Response& response, Site const& site) const;
    Result<http::Response> without_traps(Result<http::Response> response);
    void tell(Connection const& connection, Asked const& asked, int status, std::optional<Failure> const& failure,
              std::chrono::nanoseconds took);

    bool allows_another(std::string const& peer, Place& place);
};

// ---- accepting ------------------------------------------------------------------------------------------------

bool Server::Impl::allows_another(std::string const& peer, Place& place)
{
    if (open.load() > limits().open_connections) return false;
    // A proxy's connections are many people's: its own bound is the one in all.
    if (peer.empty() || parts.proxies.trusts(peer)) return true;
    auto const key = counted_as(peer);
    if (!connections_by_address.enter(key, limits().open_connections_per_address)) return false;
    place = Place{connections_by_address, key};
    return true;
}

template <class Protocol>
Async<void> Server::Impl::accept(PerLoop& loop,
                                 std::shared_ptr<asio::basic_socket_acceptor<Protocol, Loop_executor>> acceptor,
                                 Site const& site)
{
    Timer pause{loop.loop.context()};
    for (;;) {
        auto [error, socket] = co_await acceptor->async_accept(use);
        if (!acceptor->is_open()) co_return;
        if (error) {
            // A client that left while it was queued is its own affair; no descriptors left is ours.
            if (error != asio::error::connection_aborted) {
                parts.log.failure("accept_failed", fail(Outcome::unavailable, error.message()).error(), {});
                pause.expires_after(100ms);
                co_await pause.async_wait(use);
            }
            continue;
        }
        std::string peer;
        if constexpr (std::is_same_v<Protocol, asio::ip::tcp>) {
            auto const endpoint = socket.remote_endpoint(error);
            if (error) continue;
            peer = endpoint.address().to_string();
            socket.set_option(asio::ip::tcp::no_delay{true}, error);
        }
        ++open;
        auto connection = std::make_shared<Connection>(Socket{std::move(socket)}, loop, site, std::move(peer));
        connection->address = parts.proxies.address_of(connection->peer, {});
        connection->is_of_proxy = connection->peer.empty() || parts.proxies.trusts(connection->peer);
        bool const allowed = allows_another(connection->peer, connection->place);
        asio::co_spawn(loop.loop.context(), allowed ? serve(std::move(connection)) : turn_away(std::move(connection)),
                       [this](std::exception_ptr const& exception) {
                           if (--open == 0) {
                               std::scoped_lock const lock{mutex};
                               all_closed.notify_all();
                           }
                           // Only our own mistake or the end of memory comes here.
                           if (exception)
                               parts.log.failure("connection_failed",
                                                 fail(Outcome::internal, "exception in a connection").error(), {});
                       });
    }
}

template <class Protocol>
void Server::Impl::begin_to_accept(PerLoop& loop, asio::basic_socket_acceptor<Protocol, Loop_executor> acceptor,
                                   Site const& site)
{
    auto shared = std::make_shared<asio::basic_socket_acceptor<Protocol, Loop_executor>>(std::move(acceptor));
    asio::post(loop.loop.context(), [this, &loop, &site, shared] {
        loop.close_acceptors.emplace_back([shared] {
            error_code ignored;
            shared->close(ignored); // NOLINT(bugprone-unused-return-value): it is gone either way
        });
        asio::co_spawn(loop.loop.context(), accept<Protocol>(loop, shared, site), [](std::exception_ptr const& e) {
            if (e) std::rethrow_exception(e); // a server that no longer accepts should end
        });
    });
}

Result<std::uint16_t> Server::Impl::listen_tcp(asio::ip::tcp::endpoint endpoint, Site const& site,
                                               std::string const& shown)
{
    using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Loop_executor>;
    using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;
    auto const cannot = [&](error_code const& error) {
        return fail(Outcome::configuration_invalid, "cannot listen on " + shown + ": " + error.message());
    };
    error_code error;
    auto const open_at = [&](Acceptor& acceptor, bool shares) {
        acceptor.open(endpoint.protocol(), error);
        if (!error) acceptor.set_option(asio::socket_base::reuse_address{true}, error);
        if (!error && shares) acceptor.set_option(ReusePort{true}, error);
        if (!error) acceptor.bind(endpoint, error);
    };
    if (endpoint.port() != 0) {
        // SO_REUSEPORT would let a second server of the same user take half of the connections. So ask once without.
        Acceptor probe{loops[0]->loop.context()};
        open_at(probe, false);
        if (error) return cannot(error);
    }
    for (auto const& loop : loops) {
        Acceptor acceptor{loop->loop.context()};
        open_at(acceptor, true);
        if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
        if (!error) endpoint = acceptor.local_endpoint(error); // the port that the system chose
        if (error) return cannot(error);
        begin_to_accept<asio::ip::tcp>(*loop, std::move(acceptor), site);
    }
    return endpoint.port();
}

Result<std::uint16_t> Server::Impl::listen_unix(std::string const& path, Site const& site)
{
    using Protocol = asio::local::stream_protocol;
    auto const cannot = [&](std::string const& why) {
        return fail(Outcome::configuration_invalid, "cannot listen on unix:" + path + ": " + why);
    };
    if (path.size() > 100) return cannot("the path is longer than 100 characters");
    struct stat status{};
    if (::lstat(path.c_str(), &status) == 0) {
        if (!S_ISSOCK(status.st_mode)) return cannot("there is a file of that name");
        error_code error;
        asio::basic_stream_socket<Protocol, Loop_executor> probe{loops[0]->loop.context()};
        probe.connect(Protocol::endpoint{path}, error);
        if (!error) return cannot("another process listens there");
        ::unlink(path.c_str()); // left behind by one that ended badly
    }
    error_code error;
    asio::basic_socket_acceptor<Protocol, Loop_executor> first{loops[0]->loop.context()};
    first.open(Protocol{}, error);
    if (!error) first.bind(Protocol::endpoint{path}, error);
    if (error) return cannot(error.message());
    socket_files.push_back(path);
    ::chmod(path.c_str(), 0660);
    first.listen(asio::socket_base::max_listen_connections, error);
    if (error) return cannot(error.message());
    // The other loops take from the same queue.
    for (std::size_t index = 1; index < loops.size(); ++index) {
        asio::basic_socket_acceptor<Protocol, Loop_executor> other{loops[index]->loop.context()};
        auto const copy = ::dup(first.native_handle());
        if (copy < 0) return cannot("no descriptor left");
        other.assign(Protocol{}, copy, error);
        if (error) return cannot(error.message());
        begin_to_accept<Protocol>(*loops[index], std::move(other), site);
    }
    begin_to_accept<Protocol>(*loops[0], std::move(first), site);
    return std::uint16_t{0};
}

// ---- one connection -------------------------------------------------------------------------------------------

Async<void> Server::Impl::serve(std::shared_ptr<Connection> connection)
{
    // Requests that came together leave others their turn in between.
    while (co_await one_request(*connection))
        if (!connection->in.empty()) co_await asio::post(connection->loop.loop.context(), use);
    co_await close_gently(*connection);
}

Async<void> Server::Impl::turn_away(std::shared_ptr<Connection> connection)
{
    Asked asked;
    asked.reader.origin = connection->site.origin;
    auto const failure = fail(Outcome::too_many_connections, "connections of one address or in all").error();
    auto response = failure_response(failure, asked.reader, parts.texts, parts.clock.now(), parts.is_test_system);
    tell(*connection, asked, response.status, failure, {});
    co_await send(*connection, asked, std::move(response), false);
    co_await close_gently(*connection);
}

/// Reads until the empty line. Fails with `cancelled` when the client has gone or was idle for long: nothing to answer.
Async<Result<std::string>> Server::Impl::read_head(Connection& connection) const
{
    auto& in = connection.in;
    auto const most = limits().header_block_bytes;
    std::size_t searched = 0;
    bool begun = false;
    for (;;) {
        // RFC 9112 §2.2: empty lines before a request are ignored.
        if (searched == 0)
            while (in.starts_with("\r\n")) in.erase(0, 2);
        if (auto const end = in.find("\r\n\r\n", searched); end != std::string::npos) {
            if (end + 4 > most) co_return fail(Outcome::header_block_too_large);
            auto head = in.substr(0, end + 4);
            in.erase(0, end + 4);
            co_return head;
        }
        // What can't become a header block any more need not be waited for.
        if (auto const bare = in.find('\n'); bare != std::string::npos && (bare == 0 || in[bare - 1] != '\r'))
            co_return fail(Outcome::request_malformed, "bare LF in the head");
        if (in.size() >= most) co_return fail(Outcome::header_block_too_large);
        searched = in.size() < 3 ? 0 : in.size() - 3;

        connection.idle = in.empty();
        if (connection.idle && connection.loop.stopping) co_return fail(Outcome::cancelled);
        if (connection.idle) connection.give(limits().idle_timeout);
        else if (!std::exchange(begun, true)) connection.give(limits().header_timeout);
        auto const had = in.size();
        in.resize(std::min(most, had + read_block_bytes));
        auto const [error, count] =
            co_await connection.socket.async_read_some(asio::buffer(in.data() + had, in.size() - had), use);
        in.resize(had + count);
        connection.idle = false;
        if (error && connection.timed_out && had > 0) co_return fail(Outcome::request_timed_out, "header block");
        if (error == asio::error::eof && had > 0) co_return fail(Outcome::request_malformed, "the head ends early");
        if (error) co_return fail(Outcome::cancelled);
    }
}

/// Answers one request. Gives whether another may follow on this connection.
Async<bool> Server::Impl::one_request(Connection& connection)
{
    auto head = co_await read_head(connection);
    connection.take_all_the_time();
    if (!head && head.error().outcome == Outcome::cancelled) co_return false;
    auto const began = parts.stopwatch();

    wire::request_parser<wire::string_body> parser;
    http::Request request;
    Asked asked;
    Router::Match match;
    auto answer = understand(connection, std::move(head), parser, request, asked, match);
    asked.reader = reader_of(request); // as far as it was understood

    Result<std::string> body;
    if (answer && !parser.is_done()) body = co_await read_body(connection, parser, asked, match);
    connection.take_all_the_time();
    if (!body && body.error().outcome == Outcome::cancelled) co_return false;
    if (!body) answer = std::unexpected{body.error()};
    bool const was_read_whole = asked.is_sound && parser.is_done(); // so we know where the next one begins
    if (answer && match.route != nullptr) {
        request.body = *std::move(body);
        answer = co_await handle(connection, *match.route, std::move(request));
    }
    if (connection.aborted) co_return false;

    Place stream_place;
    answer = without_traps(std::move(answer));
    if (answer && answer->events && !asked.is_head) {
        auto const key = counted_as(asked.address);
        if (streams_by_address.enter(key, limits().event_streams_per_address))
            stream_place = Place{streams_by_address, key};
        else answer = fail(Outcome::too_many_connections, "event streams of one address");
    }
    std::optional<Failure> failure;
    http::Response response;
    if (answer) {
        response = *std::move(answer);
    } else {
        failure = std::move(answer).error();
        response = failure_response(*failure, asked.reader, parts.texts, parts.clock.now(), parts.is_test_system);
    }
    if (match.route == nullptr && !match.allow.empty()) response.with("Allow", match.allow);

    if (response.events && !asked.is_head) {
        tell(connection, asked, response.status, failure, parts.stopwatch() - began);
        co_await stream_events(connection, asked, std::move(response));
        co_return false;
    }
    auto const status = response.status;
    auto const keeps_alive = asked.keeps_alive && was_read_whole && !connection.loop.stopping;
    auto const sent = co_await send(connection, asked, std::move(response), keeps_alive);
    tell(connection, asked, status, failure, parts.stopwatch() - began);
    co_return sent&& keeps_alive;
}

/// From the head to the row that answers. Gives what is answered where no row does.
Result<http::Response> Server::Impl::understand(Connection& connection, Result<std::string> head,
                                                wire::request_parser<wire::string_body>& parser, http::Request& request,
                                                Asked& asked, Router::Match& match)
{
    request.origin = connection.site.origin;
    asked.address = connection.address;
    auto const chance = crypto::hex(parts.random.bytes(24));
    asked.trace = chance.substr(0, 32);

    auto const block = TRY(std::move(head));
    TRY(check_header_block(block));
    parser.header_limit(static_cast<std::uint32_t>(limits().header_block_bytes));
    parser.body_limit(boost::none); // read_body() judges
    error_code error;
    auto const used = parser.put(asio::buffer(block), error);
    if (error) return fail(Outcome::request_malformed, error.message());
    if (!parser.is_header_done() || used != block.size()) return fail(Outcome::request_malformed, "header block");

    auto const& message = parser.get();
    for (auto const& field : message)
        request.headers.emplace_back(in_small_letters(field.name_string()), std::string{field.value()});
    request.method = std::string{message.method_string()};
    if (connection.is_of_proxy) asked.address = parts.proxies.address_of(connection.peer, request.headers);
    request.remote_address = asked.address;
    asked.version = message.version();
    asked.is_head = request.method == "HEAD";
    TRY(check_framing(request.headers, static_cast<int>(message.version() % 10)));
    asked.keeps_alive = parser.keep_alive();
    asked.waits_for_go_on = asked.version == 11 && !request.header("expect").empty();

    if (auto const given = request.header("traceparent"); is_traceparent(given)) {
        asked.trace = std::string{given.substr(3, 32)};
    } else {
        std::erase_if(request.headers, [](auto const& header) { return header.first == "traceparent"; });
        request.headers.emplace_back("traceparent", "00-" + asked.trace + '-' + chance.substr(32) + "-00");
    }

    constexpr std::array<std::string_view, 7> known{"GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH"};
    if (std::ranges::find(known, request.method) == known.end()) return fail(Outcome::method_unknown);
    asked.method = request.method;
    auto target = TRY(parse_target(std::string_view{message.target()}));
    if (target.path == "*" && request.method != "OPTIONS") return fail(Outcome::request_malformed, "request target");
    asked.is_sound = true;
    request.path = std::move(target.path);
    request.query = std::move(target.query);
    if (request.path == "*") return http::no_content();

    match = connection.site.router->match(request.method, request.path);
    if (match.allow.empty()) return fail(Outcome::not_found);
    if (match.route == nullptr && request.method != "OPTIONS") return fail(Outcome::method_not_allowed);
    request.path_parameters = std::move(match.path_parameters);
    if (match.route != nullptr) asked.route = match.route->pattern;
    return http::no_content();
}

/// Reads a body that there is. Fails: request_too_large, request_malformed, request_timed_out, cancelled.
Async<Result<std::string>> Server::Impl::read_body(Connection& connection,
                                                   wire::request_parser<wire::string_body>& parser, Asked const& asked,
                                                   Router::Match const& match) const
{
    auto const most_bytes =
        match.route != nullptr && match.route->body_bytes != 0 ? match.route->body_bytes : limits().request_body_bytes;
    if (auto const announced = parser.content_length(); announced && *announced > most_bytes)
        co_return fail(Outcome::request_too_large);
    auto& in = connection.in;
    // RFC 9110 §10.1.1: a client that waits is told to go on, unless its body is already here.
    if (asked.waits_for_go_on && in.empty()) {
        constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
        connection.give(limits().write_timeout);
        auto const [error, count] = co_await asio::async_write(connection.socket, asio::buffer(go_on), use);
        if (error) co_return fail(Outcome::cancelled);
    }
    parser.body_limit(most_bytes);
    parser.eager(true);
    connection.give(limits().body_timeout);
    // Chunk headers, extensions and trailers are bounded too: with all of them a body may take this much of the wire.
    auto wire_bytes_left = most_bytes * 2 + limits().header_block_bytes;
    for (;;) {
        error_code error;
        if (!in.empty()) {
            auto const used = parser.put(asio::buffer(in), error);
            in.erase(0, used);
        }
        if (error == wire::error::body_limit) co_return fail(Outcome::request_too_large);
        if (error && error != wire::error::need_more)
            co_return fail(Outcome::request_malformed, "body: " + error.message());
        if (parser.is_done()) co_return std::move(parser.get().body());
        if (in.size() >= limits().header_block_bytes || wire_bytes_left == 0)
            co_return fail(Outcome::request_malformed, "chunk header or trailer");

        auto const had = in.size();
        in.resize(had + std::min(wire_bytes_left, read_block_bytes));
        auto const [read_error, count] =
            co_await connection.socket.async_read_some(asio::buffer(in.data() + had, in.size() - had), use);
        in.resize(had + count);
        wire_bytes_left -= count;
        if (read_error && connection.timed_out) co_return fail(Outcome::request_timed_out, "body");
        if (read_error == asio::error::eof) co_return fail(Outcome::request_malformed, "the body ends early");
        if (read_error) co_return fail(Outcome::cancelled);
    }
}

/// Runs the handler's flow on this loop until it ends, or gives up waiting for it.
Async<Result<http::Response>> Server::Impl::handle(Connection& connection, http::Route const& route,
                                                   http::Request request) const
{
    auto const running = std::make_shared<Running>();
    auto& loop = connection.loop;
    auto& wake = connection.wake;
    try {
        running->flow = route.handler(std::move(request));
        start(running);
    } catch (std::exception const& exception) {
        co_return fail(Outcome::internal, detail_of(exception));
    }
    if (!running->ended) {
        wake.expires_after(limits().request_timeout);
        running->on_end = [&wake] { wake.cancel(); };
    }
    while (!running->ended && !connection.aborted) {
        auto const [cancelled] = co_await wake.async_wait(use);
        if (cancelled || running->ended || connection.aborted) continue;
        // The client gets its answer; the flow goes on to its end without it.
        loop.left_behind.insert(running);
        running->on_end = [&loop, left = std::weak_ptr{running}] {
            asio::post(loop.loop.context(), [&loop, left] { loop.left_behind.erase(left.lock()); });
        };
        co_return fail(Outcome::unavailable, "the handler took longer than request_timeout");
    }
    running->on_end = nullptr;
    if (!running->ended) co_return fail(Outcome::cancelled); // aborted
    try {
        co_return running->flow.take();
    } catch (std::exception const& exception) {
        co_return fail(Outcome::internal, detail_of(exception));
    }
}

Async<bool> Server::Impl::send(Connection& connection, Asked const& asked, http::Response response,
                               bool keeps_alive) const
{
    if (response.events) response.with("Content-Type", "text/event-stream"); // of a HEAD
    add_headers(response, connection.site);
    wire::response<wire::string_body> message{static_cast<wire::status>(response.status), asked.version};
    for (auto const& [name, value] : response.headers) message.insert(name, value);
    message.keep_alive(keeps_alive);
    bool const has_no_body = response.status == 204 || response.status == 304;
    if (!has_no_body && !response.events) message.content_length(response.body.size());
    if (!has_no_body) message.body() = std::move(response.body);

    // In one piece: Beast's own writing gives the kernel a dozen, and costs more than the copy.
    auto const bytes = serialized(message, asked.is_head);
    // The kernel mostly takes all of it at once, and there is nothing to wait for.
    error_code error;
    auto const taken = connection.socket.write_some(asio::buffer(bytes), error);
    if (error && error != asio::error::would_block) co_return false;
    if (taken == bytes.size()) co_return true;
    connection.give(limits().write_timeout + std::chrono::seconds{bytes.size() / 4096});
    auto const [failed, rest] = co_await asio::async_write(connection.socket, asio::buffer(bytes) + taken, use);
    co_return !failed;
}

/// RFC 9112 §9.6: what the client still sends is taken for a moment, or its machine would throw our answer away.
Async<void> Server::Impl::close_gently(Connection& connection)
{
    auto& socket = connection.socket;
    error_code error;
    if (!socket.is_open()) co_return;
    socket.shutdown(asio::socket_base::shutdown_send, error);
    connection.give(linger);
    std::array<char, 4096> discarded{};
    for (std::size_t total = 0; !error && total < most_unread_bytes;) {
        auto const [read_error, count] = co_await connection.socket.async_read_some(asio::buffer(discarded), use);
        error = read_error;
        total += count;
    }
    socket.close(error);
}

// ---- streams of events ----------------------------------------------------------------------------------------

/// Reads what a client should not send while it listens, to see when it goes.
Async<void> Server::Impl::watch_reader(std::shared_ptr<Connection> connection)
{
    std::array<char, 1024> discarded{};
    for (std::size_t total = 0; total < most_unread_bytes;) {
        auto const [error, count] = co_await connection->socket.async_read_some(asio::buffer(discarded), use);
        if (error) break;
        total += count;
    }
    connection->reader_is_watched = false;
    if (connection->events != nullptr) connection->events->end();
    connection->wake.cancel();
}

Async<void> Server::Impl::stream_events(Connection& connection, Asked const& asked, http::Response response)
{
    auto& socket = connection.socket;
    auto& wake = connection.wake;
    bool const chunked = asked.version == 11;

    response.with("Content-Type", "text/event-stream").with("X-Accel-Buffering", "no"); // the latter for nginx
    add_headers(response, connection.site);
    wire::response<wire::empty_body> message{static_cast<wire::status>(response.status), asked.version};
    for (auto const& [name, value] : response.headers) message.insert(name, value);
    message.chunked(chunked);
    message.keep_alive(false);

    auto const write = [&](std::string text) -> Async<bool> {
        connection.give(limits().write_timeout);
        error_code error;
        if (chunked)
            std::tie(error, std::ignore) =
                co_await asio::async_write(socket, wire::make_chunk(asio::buffer(text)), use);
        else std::tie(error, std::ignore) = co_await asio::async_write(socket, asio::buffer(text), use);
        connection.take_all_the_time();
        co_return !error;
    };

    connection.reader_is_watched = true;
    asio::co_spawn(connection.loop.loop.context(), watch_reader(connection.shared_from_this()), asio::detached);

    connection.give(limits().write_timeout);
    wire::response_serializer<wire::empty_body> serializer{message};
    auto const [head_error, head_bytes] = co_await wire::async_write_header(socket, serializer, use);
    bool reader_is_there = !head_error && co_await write("retry: 2000\n\n");

    {
        auto const sink = std::make_shared<EventStream>(connection);
        Timer lifetime{connection.loop.loop.context(), limits().event_stream_lifetime};
        lifetime.async_wait([weak = std::weak_ptr{sink}](error_code error) {
            if (auto const alive = weak.lock(); alive && !error) alive->end();
        });
        if (connection.loop.stopping || !connection.reader_is_watched) sink->end();

        auto const running = std::make_shared<RunningEvents>();
        running->on_end = [&wake] { wake.cancel(); };
        std::optional<Failure> failure;
        if (reader_is_there && !sink->over) {
            try {
                running->flow = response.events(*sink);
                start(running);
            } catch (std::exception const& exception) {
                failure = fail(Outcome::internal, detail_of(exception)).error();
            }
        }
        while (reader_is_there && !sink->over && !failure) {
            if (!sink->waiting.empty()) {
                auto next = std::move(sink->waiting.front());
                sink->waiting.pop_front();
                reader_is_there = co_await write(std::move(next.text));
                next.finish(reader_is_there ? Result<void>{} : fail(Outcome::cancelled, "the reader has gone"));
                continue;
            }
            if (running->ended) break;
            wake.expires_after(limits().event_heartbeat);
            auto const [cancelled] = co_await wake.async_wait(use);
            if (!cancelled) reader_is_there = co_await write(":\n\n");
        }
        // Whoever still sends is told; whoever waits for something else is destroyed where it stands.
        sink->over = true;
        for (auto& left : std::exchange(sink->waiting, {}))
            left.finish(fail(Outcome::cancelled, "the reader has gone"));
        running->on_end = nullptr;
        if (running->ended) {
            try {
                if (auto result = running->flow.take(); !result) failure = std::move(result).error();
            } catch (std::exception const& exception) {
                failure = fail(Outcome::internal, detail_of(exception)).error();
            }
        }
        if (failure && failure->outcome != Outcome::cancelled) {
            tell(connection, asked, row_of(failure->outcome).http_status, failure, {});
            auto const body = failure_response(*failure, {asked.reader.origin, asked.reader.language, false},
                                               parts.texts, parts.clock.now(), parts.is_test_system)
                                  .body;
            reader_is_there = reader_is_there && co_await write("event: failure\ndata: " + body + "\n\n");
        }
        lifetime.cancel();
    }

    error_code error;
    if (reader_is_there && chunked && connection.reader_is_watched) {
        connection.give(limits().write_timeout);
        co_await asio::async_write(socket, wire::make_chunk_last(), use);
        connection.take_all_the_time();
    }
    socket.shutdown(asio::socket_base::shutdown_send, error);
    wake.expires_after(linger);
    while (connection.reader_is_watched) {
        auto const [cancelled] = co_await wake.async_wait(use);
        if (!cancelled) socket.close(error); // ends the watching read
    }
    socket.close(error);
}

// ---- answers --------------------------------------------------------------------------------------------------

void Server::Impl::add_headers(http::Response& response, Site const& site) const
{
    auto const find = [&](std::string_view name) -> std::string_view {
        for (auto const& header : response.headers)
            if (equal_ignoring_case(header.first, name)) return header.second;
        return {};
    };
    auto const add = [&](std::string_view name, std::string_view value) {
        if (find(name).empty()) response.with(std::string{name}, std::string{value});
    };
    auto const type = find("Content-Type");
    if (type.starts_with("text/html")) add("Content-Security-Policy", page_policy);
    if (type.starts_with("image/svg+xml")) add("Content-Security-Policy", image_policy);
    add("X-Content-Type-Options", "nosniff");
    add("Referrer-Policy", "no-referrer");
    add("Cross-Origin-Opener-Policy", "same-origin");
    add("Cross-Origin-Resource-Policy", "same-origin");
    add("Permissions-Policy", permissions_of(site.origin));
    if (site.is_https) add("Strict-Transport-Security", "max-age=31536000");
    add("Cache-Control", "no-store");
    add("Date", http_date(parts.clock.now()));
}

/// An answer that would break the wire is our own mistake, and must not leave.
Result<http::Response> Server::Impl::without_traps(Result<http::Response> answer)
{
    if (!answer) return answer;
    if (answer->status < 200 || answer->status > 599) return fail(Outcome::internal, "a status out of range");
    for (auto const& [name, value] : answer->headers)
        if (name.empty() || !is_sendable(name) || !is_sendable(value))
            return fail(Outcome::internal, "an answer's header with a line break: " + name.substr(0, 40));
    return answer;
}

void Server::Impl::tell(Connection const& connection, Asked const& asked, int status,
                        std::optional<Failure> const& failure, std::chrono::nanoseconds took)
{
    constexpr std::array<std::string_view, 3> origins{"id", "phone", "desk"};
    auto const fields = [&] {
        using std::chrono::duration_cast, std::chrono::microseconds;
        return ports::Log::Fields{{"request", asked.trace},
                                  {"origin", std::string{origins.at(static_cast<std::size_t>(connection.site.origin))}},
                                  {"method", asked.method},
                                  {"route", asked.route},
                                  {"status", std::to_string(status)},
                                  {"microseconds", std::to_string(duration_cast<microseconds>(took).count())}};
    };
    if (failure) parts.log.failure("request_failed", *failure, fields());
    else if (parts.logs_requests) parts.log.event("request", fields());
}

// ---- the server -----------------------------------------------------------------------------------------------

Server::Server(ServerParts parts) : impl_{std::make_unique<Impl>(std::move(parts))} {}

Server::~Server() { stop(0ms); }

Result<std::uint16_t> Server::listen(Listener listener)
{
    auto const& address = listener.address;
    auto const& site =
        impl_->sites.emplace_back(Site{listener.origin, listener.base_url.starts_with("https://"), &listener.router});
    if (address.starts_with("unix:")) return impl_->listen_unix(address.substr(5), site);

    auto const colon = address.rfind(':');
    auto const port = colon == std::string::npos ? std::string{} : address.substr(colon + 1);
    auto host = address.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    error_code error;
    auto const ip = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, error);
    if (error || !is_digits(port) || port.size() > 5 || std::stoul(port) > 65535)
        return fail(Outcome::configuration_invalid,
                    "not an address to listen on: " + address + " (expected 127.0.0.1:PORT, [::1]:PORT or unix:PATH)");
    return impl_->listen_tcp({ip, static_cast<std::uint16_t>(std::stoul(port))}, site, address);
}

void Server::stop(std::chrono::milliseconds grace)
{
    auto& impl = *impl_;
    if (std::exchange(impl.stopped, true)) return;
    // Gives back when every loop has done it, and what was queued there before.
    auto const on_each_loop = [&](std::function<void(PerLoop&)> const& work) {
        auto const done = std::make_shared<std::latch>(static_cast<std::ptrdiff_t>(impl.loops.size()));
        for (auto const& loop : impl.loops)
            asio::post(loop->loop.context(), [&loop, work, done] {
                work(*loop);
                done->count_down();
            });
        done->wait();
    };
    auto const wait_until_closed = [&](auto const&... at_most) {
        std::unique_lock lock{impl.mutex};
        auto const closed = [&] { return impl.open == 0; };
        if constexpr (sizeof...(at_most) == 0) impl.all_closed.wait(lock, closed);
        else impl.all_closed.wait_for(lock, at_most..., closed);
    };
    on_each_loop([](PerLoop& loop) {
        loop.stopping = true;
        for (auto const& close : loop.close_acceptors) close();
        loop.close_acceptors.clear();
        auto const connections = loop.connections; // ending one changes the set
        for (auto* connection : connections) {
            if (connection->events != nullptr) connection->events->end();
            else if (connection->idle) connection->abort();
        }
    });
    wait_until_closed(grace);
    on_each_loop([](PerLoop& loop) {
        auto const connections = loop.connections;
        for (auto* connection : connections) connection->abort();
        loop.left_behind.clear();
    });
    wait_until_closed();
    on_each_loop([](PerLoop& loop) { ENSURE(loop.connections.empty()); });
    for (auto const& file : impl.socket_files) ::unlink(file.c_str());
}

std::size_t Server::open_connections() const { return impl_->open; }

} // namespace symbolon::edge

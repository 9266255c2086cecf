#include "base/json.hpp"
#include "edge/edge_testing.hpp"
#include "edge/server.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <latch>
#include <mutex>
#include <thread>

namespace symbolon::edge {
namespace {

using testing::FixedClock;
using testing::KeptLog;
using testing::RawClient;

/// A place in a handler where it waits until the test lets it go on.
class Gate {
public:
    Flow<void> pass()
    {
        co_await wait_for<void>([this](Finish<void> finish) {
            std::scoped_lock const lock{mutex_};
            loop_ = Executor::current();
            finish_ = std::move(finish);
            ++reached_;
            changed_.notify_all();
        });
        co_return {};
    }
    void wait_until_reached(int times = 1)
    {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [&] { return reached_ >= times; });
    }
    void open()
    {
        std::scoped_lock const lock{mutex_};
        loop_->post([finish = *std::exchange(finish_, std::nullopt)] { finish({}); });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<Finish<void>> finish_;
    Executor* loop_ = nullptr;
    int reached_ = 0;
};

/// Counts its destructions, so that a test sees that what a flow held was given back.
class Ending {
public:
    void count()
    {
        std::scoped_lock const lock{mutex_};
        ++count_;
        changed_.notify_all();
    }
    void wait_for_one()
    {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [&] { return count_ > 0; });
    }
    int so_far()
    {
        std::scoped_lock const lock{mutex_};
        return count_;
    }

    struct Guard {
        Ending* ending;
        explicit Guard(Ending& e) : ending{&e} {}
        Guard(Guard const&) = delete;
        Guard& operator=(Guard const&) = delete;
        ~Guard() { ending->count(); }
    };

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int count_ = 0;
};

class EdgeServer : public ::testing::Test {
protected:
    Limits limits;
    Texts texts;
    KeptLog log;
    FixedClock clock;
    std::unique_ptr<crypto::Random> random = crypto::system_random();
    TrustedProxies proxies;
    Gate gate;
    Ending ending;
    std::atomic<int> events_failed_with_cancelled = 0;
    std::string base_url = "https://id.example";
    http::Origin origin = http::Origin::id;
    Router router{routes()};
    std::unique_ptr<Loops> loops = std::make_unique<Loops>(2);
    std::unique_ptr<Server> server;
    std::uint16_t port = 0;

    void TearDown() override
    {
        if (server) server->stop(0ms);
        server.reset();
        loops.reset();
    }

    void begin(std::string const& address = "127.0.0.1:0")
    {
        server = std::make_unique<Server>(ServerParts{.loops = *loops,
                                                      .limits = limits,
                                                      .texts = texts,
                                                      .log = log,
                                                      .clock = clock,
                                                      .random = *random,
                                                      .stopwatch = [] { return 0ns; },
                                                      .proxies = std::move(proxies)});
        auto const listening =
            server->listen({.address = address, .origin = origin, .base_url = base_url, .router = router});
        ASSERT_TRUE(listening) << listening.error().detail;
        port = *listening;
    }

    RawClient::Answer ask(std::string_view bytes) const
    {
        RawClient client{port};
        auto answer = client.ask(bytes);
        EXPECT_TRUE(answer) << bytes.substr(0, 200);
        return answer.value_or(RawClient::Answer{});
    }

    static std::string outcome_in(RawClient::Answer const& answer)
    {
        return json::text(json::parse_object(answer.body).value_or(json::Object{}), "outcome").value_or(answer.body);
    }

    http::Routes routes()
    {
        http::Routes rows;
        rows.push_back({"GET", "/hello/{name}", [](http::Request request) -> Flow<http::Response> {
                            co_return http::json(200, std::string{request.path_parameters.value("name")});
                        }});
        rows.push_back({"POST", "/echo", [](http::Request request) -> Flow<http::Response> {
                            co_return http::json(200, request.body);
                        }});
        rows.push_back({"POST", "/eid/read",
                        [](http::Request request) -> Flow<http::Response> {
                            co_return http::json(200, std::to_string(request.body.size()));
                        },
                        128UZ * 1024});
        rows.push_back({"GET", "/where", [](http::Request request) -> Flow<http::Response> {
                            co_return http::json(200, request.remote_address);
                        }});
        rows.push_back({"GET", "/header/{name}", [](http::Request request) -> Flow<http::Response> {
                            co_return http::json(200,
                                                 std::string{request.header(request.path_parameters.value("name"))});
                        }});
        rows.push_back({"GET", "/page",
                        [](http::Request) -> Flow<http::Response> { co_return http::html(200, "<!doctype html>"); }});
        rows.push_back({"GET", "/big", [](http::Request) -> Flow<http::Response> {
                            co_return http::json(200, std::string(8UZ * 1024 * 1024, 'x'));
                        }});
        rows.push_back({"GET", "/code", [](http::Request) -> Flow<http::Response> {
                            co_await Result<int>{fail_with_tries(Outcome::code_wrong, 2)};
                            co_return http::no_content();
                        }});
        rows.push_back({"GET", "/later", [](http::Request) -> Flow<http::Response> {
                            co_return fail_until(Outcome::sms_too_soon, Instant{1'790'000'030s});
                        }});
        rows.push_back({"GET", "/throws", [](http::Request) -> Flow<http::Response> {
                            throw std::runtime_error{"a library did"};
                            co_return http::no_content();
                        }});
        rows.push_back({"GET", "/throws-at-once", [](http::Request const&) -> Flow<http::Response> {
                            throw std::runtime_error{"before the flow"};
                        }});
        rows.push_back({"GET", "/trap", [](http::Request) -> Flow<http::Response> {
                            auto response = http::no_content();
                            response.with("Location", "/\r\nSet-Cookie: a=b");
                            co_return response;
                        }});
        rows.push_back({"GET", "/waits", [this](http::Request) -> Flow<http::Response> {
                            Ending::Guard const guard{ending};
                            co_await gate.pass();
                            co_return http::json(200, "waited");
                        }});
        rows.push_back({"GET", "/events", [this](http::Request) -> Flow<http::Response> {
                            http::Response response;
                            response.events = [this](EventSinkRef sink) { return tell_events(sink); };
                            co_return response;
                        }});
        rows.push_back({"GET", "/flood", [this](http::Request) -> Flow<http::Response> {
                            http::Response response;
                            response.events = [this](EventSinkRef sink) { return flood(sink); };
                            co_return response;
                        }});
        rows.push_back({"GET", "/broken-events", [](http::Request) -> Flow<http::Response> {
                            http::Response response;
                            response.events = [](EventSinkRef) -> Flow<void> { co_return fail(Outcome::store_failed); };
                            co_return response;
                        }});
        return rows;
    }

    using EventSinkRef = http::EventSink&;

    Flow<void> tell_events(EventSinkRef sink)
    {
        Ending::Guard const guard{ending};
        co_await sink.send("state", R"({"at":1})");
        co_await gate.pass();
        co_await sink.send("state", "two\nlines");
        co_return {};
    }

    Flow<void> flood(EventSinkRef sink)
    {
        Ending::Guard const guard{ending};
        for (;;) {
            auto const sent = co_await outcome_of(sink.send("state", std::string(64UZ * 1024, 'x')));
            if (sent) continue;
            if (sent.error().outcome == Outcome::cancelled) ++events_failed_with_cancelled;
            co_return std::unexpected{sent.error()};
        }
    }
};

std::string get(std::string_view target, std::string_view more = {})
{
    return "GET " + std::string{target} + " HTTP/1.1\r\nHost: id.example\r\n" + std::string{more} + "\r\n";
}

TEST_F(EdgeServer, answers_a_request)
{
    begin();
    auto const answer = ask(get("/hello/ada"));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "ada");
    EXPECT_EQ(answer.header("content-length"), "3");
    EXPECT_EQ(answer.header("date"), "Mon, 21 Sep 2026 14:13:20 GMT");
}

TEST_F(EdgeServer, puts_the_security_headers_on_every_answer)
{
    begin();
    for (auto const* target : {"/hello/ada", "/nowhere", "/code", "/throws", "/page", "/%00"}) {
        auto const answer = ask(get(target));
        EXPECT_EQ(answer.header("x-content-type-options"), "nosniff") << target;
        EXPECT_EQ(answer.header("referrer-policy"), "no-referrer") << target;
        EXPECT_EQ(answer.header("cross-origin-opener-policy"), "same-origin") << target;
        EXPECT_NE(answer.header("permissions-policy").find("camera=()"), std::string::npos) << target;
        EXPECT_EQ(answer.header("cache-control"), "no-store") << target;
        EXPECT_EQ(answer.header("strict-transport-security"), "max-age=31536000") << target;
        EXPECT_EQ(answer.header("server"), "") << target;
    }
    auto const policy = ask(get("/page")).header("content-security-policy");
    for (auto const* rule : {"default-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'",
                             "require-trusted-types-for 'script'", "trusted-types app"})
        EXPECT_NE(policy.find(rule), std::string::npos) << rule;
    EXPECT_EQ(policy.find("unsafe"), std::string::npos);
}

TEST_F(EdgeServer, promises_https_only_where_it_has_it)
{
    base_url = "http://localhost:8400";
    begin();
    EXPECT_EQ(ask(get("/hello/ada")).header("strict-transport-security"), "");
}

TEST_F(EdgeServer, keeps_a_connection_and_answers_pipelined_requests_in_their_order)
{
    begin();
    RawClient client{port};
    client.send(get("/hello/1") + "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n2\r\n" + get("/hello/3") +
                "\r\n\r\n" + get("/hello/4", "Connection: close\r\n"));
    EXPECT_EQ(client.read_answer()->body, "1");
    EXPECT_EQ(client.read_answer()->body, "2\r\n");
    EXPECT_EQ(client.read_answer()->body, "3");
    EXPECT_EQ(client.read_answer()->body, "4");
    EXPECT_TRUE(client.is_closed_by_server());
}

TEST_F(EdgeServer, reads_a_request_that_comes_byte_by_byte)
{
    begin();
    RawClient client{port};
    for (auto const c : std::string{
             "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\n\r\n"})
        client.send(std::string(1, c));
    EXPECT_EQ(client.read_answer()->body, "abc");
    EXPECT_EQ(client.ask(get("/hello/next"))->body, "next");
}

TEST_F(EdgeServer, closes_after_an_http_1_0_request_unless_asked)
{
    begin();
    RawClient client{port};
    EXPECT_EQ(client.ask("GET /hello/a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")->body, "a");
    EXPECT_EQ(client.ask("GET /hello/b HTTP/1.0\r\n\r\n")->body, "b");
    EXPECT_TRUE(client.is_closed_by_server());
}

TEST_F(EdgeServer, answers_a_client_that_has_ended_its_side)
{
    begin();
    RawClient client{port};
    client.send(get("/hello/half"));
    client.end_sending();
    EXPECT_EQ(client.read_answer()->body, "half");
}

TEST_F(EdgeServer, answers_head_like_get_without_the_body)
{
    begin();
    RawClient client{port};
    client.send("HEAD /hello/ada HTTP/1.1\r\nHost: a\r\n\r\n" + get("/hello/next"));
    auto const answer = client.read_answer(true);
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->header("content-length"), "3");
    EXPECT_EQ(client.read_answer()->body, "next");
    client.send("HEAD /events HTTP/1.1\r\nHost: a\r\n\r\n" + get("/hello/next"));
    EXPECT_EQ(client.read_answer(true)->header("content-type"), "text/event-stream");
    EXPECT_EQ(client.read_answer()->body, "next");
    EXPECT_EQ(ending.so_far(), 0) << "no stream was begun";
}

TEST_F(EdgeServer, tells_a_client_that_waits_to_go_on)
{
    begin();
    RawClient client{port};
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(client.read_answer()->status, 100);
    EXPECT_EQ(client.ask("abc")->body, "abc");

    auto const answer = ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(answer.status, 413) << "not told to send what is too much";
}

TEST_F(EdgeServer, refuses_malformed_requests_with_one_clear_answer_and_closes)
{
    begin();
    struct Case {
        std::string bytes;
        std::string_view outcome = "request_malformed";
    };
    using namespace std::literals;
    auto const post = [](std::string const& fields) { return "POST /echo HTTP/1.1\r\nHost: a\r\n" + fields; };
    for (auto const& [bytes, outcome] : {
             Case{"GET /hello/a HTTP/1.1\r\n\r\n"}, // no Host
             Case{"GET /hello/a HTTP/1.1\nHost: a\n\n"},
             Case{"GET /hello/a HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"},
             Case{"GET /hello/a\r\n\r\n"},
             Case{"GET /hello/a HTTP/1.1\r\nHost: a\r\n"},
             Case{post("Content-Length: 3\r\n\r\nab")},
             Case{"GET /hello/a HTTP/2.0\r\nHost: a\r\n\r\n"},
             Case{"GET /hello/a HTTP/1.1 \r\nHost: a\r\n\r\n"},
             Case{"GET  /hello/a HTTP/1.1\r\nHost: a\r\n\r\n"},
             Case{"GET hello HTTP/1.1\r\nHost: a\r\n\r\n"},
             Case{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
             Case{"\x16\x03\x01\x02\r\n\r\n"},
             Case{"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n"},
             Case{"GET /hello/%00 HTTP/1.1\r\nHost: a\r\n\r\n"},
             Case{"GET /hello/..%2f..%2fetc HTTP/1.1\r\nHost: a\r\n\r\n"},
             Case{"GET /hello/../x HTTP/1.1\r\nHost: a\r\n\r\n"},
             Case{"GET * HTTP/1.1\r\nHost: a\r\n\r\n"},
             Case{"GET /hello/a?x=%ff HTTP/1.1\r\nHost: a\r\n\r\n"},
             Case{"G\0T / HTTP/1.1\r\nHost: a\r\n\r\n"s},
             Case{"GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"s},
             Case{"GET / HTTP/1.1\r\nHost: a\r\nX y: b\r\n\r\n"},
             Case{"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n"}, // folded
             Case{post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")},
             Case{post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n")},
             Case{post("Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc")},
             Case{post("Content-Length: 3, 3\r\n\r\nabc")},
             Case{post("Content-Length: -3\r\n\r\nabc")},
             Case{post("Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")},
             Case{post("Transfer-Encoding: identity\r\n\r\nabc")},
             Case{post("Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n")},
             Case{post("Transfer-Encoding:\x0b chunked\r\n\r\n0\r\n\r\n")},
             Case{post("Transfer-Encoding: chunked\r\n\r\nxyz\r\n")},
             Case{post("Transfer-Encoding: chunked\r\n\r\n3\r\nabcde\r\n")},
             Case{post("Transfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n")},
             Case{post("Transfer-Encoding: chunked\r\n\r\n-1\r\n")},
             Case{post("Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n")},
             Case{post("Transfer-Encoding: chunked\r\n\r\n3;" + std::string(20'000, 'x'))},
             Case{post("Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + std::string(20'000, 'x'))},
             Case{"BREW /hello/a HTTP/1.1\r\nHost: a\r\n\r\n", "method_unknown"},
             Case{"CONNECT id.example:443 HTTP/1.1\r\nHost: a\r\n\r\n", "method_unknown"},
             Case{"TRACE /hello/a HTTP/1.1\r\nHost: a\r\n\r\n", "method_unknown"},
             Case{"GET /" + std::string(20'000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", "header_block_too_large"},
             Case{get("/hello/a", "X: " + std::string(17'000, 'a') + "\r\n"), "header_block_too_large"},
             Case{std::string(17'000, 'a'), "header_block_too_large"},
             Case{post("Content-Length: 65537\r\n\r\n"), "request_too_large"},
             Case{post("Content-Length: 999999999999999\r\n\r\n"), "request_too_large"},
             Case{post("Transfer-Encoding: chunked\r\n\r\n10001\r\n"), "request_too_large"},
         }) {
        RawClient client{port};
        client.send(bytes);
        client.end_sending();
        auto const answer = client.read_answer();
        ASSERT_TRUE(answer) << bytes.substr(0, 200);
        EXPECT_EQ(outcome_in(*answer), outcome) << bytes.substr(0, 200);
        EXPECT_EQ(answer->status, row_of(outcome_named(outcome).value()).http_status);
        EXPECT_EQ(answer->header("connection"), "close") << bytes.substr(0, 200);
        EXPECT_TRUE(client.is_closed_by_server());
    }
    EXPECT_EQ(ask(get("/hello/ada")).body, "ada") << "others are served as before";
}

TEST_F(EdgeServer, never_takes_the_rest_of_a_refused_request_for_another_one)
{
    begin();
    for (auto const* target : {"/nowhere", "/hello/a", "/%00"}) {
        RawClient client{port};
        auto const smuggled = get("/hello/smuggled");
        client.send("POST " + std::string{target} + " HTTP/1.1\r\nHost: a\r\nContent-Length: " +
                    std::to_string(smuggled.size()) + "\r\n\r\n" + smuggled);
        EXPECT_TRUE(client.read_answer()) << target;
        EXPECT_FALSE(client.read_answer()) << target;
        EXPECT_TRUE(client.is_closed_by_server()) << target;
    }
}

TEST_F(EdgeServer, does_not_take_trailers_for_header_fields)
{
    begin();
    RawClient client{port};
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nAuthorization: x\r\n\r\n");
    EXPECT_EQ(client.read_answer()->status, 200);
    EXPECT_EQ(client.ask(get("/header/authorization"))->body, "");
}

TEST_F(EdgeServer, takes_bodies_up_to_the_bound_of_the_row)
{
    begin();
    auto const post = [](std::string const& target, std::size_t size) {
        return "POST " + target + " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
               std::string(size, 'x');
    };
    EXPECT_EQ(ask(post("/echo", 64UZ * 1024)).status, 200);
    EXPECT_EQ(ask(post("/echo", 64UZ * 1024 + 1)).status, 413);
    EXPECT_EQ(ask(post("/eid/read", 128UZ * 1024)).body, "131072");
    EXPECT_EQ(ask(post("/eid/read", 128UZ * 1024 + 1)).status, 413);
    EXPECT_EQ(ask(get("/hello/ada", "X: " + std::string(16'000, 'x') + "\r\n")).status, 200);
}

TEST_F(EdgeServer, says_what_a_path_allows)
{
    begin();
    auto const refused = ask("DELETE /hello/ada HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(refused.status, 405);
    EXPECT_EQ(refused.header("allow"), "GET, HEAD, OPTIONS");
    auto const options = ask("OPTIONS /hello/ada HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(options.status, 204);
    EXPECT_EQ(options.header("allow"), "GET, HEAD, OPTIONS");
    EXPECT_EQ(ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").status, 204);
    EXPECT_EQ(outcome_in(ask(get("/nowhere"))), "not_found");
}

TEST_F(EdgeServer, turns_a_failure_into_the_answer_of_its_row)
{
    begin();
    auto const answer = ask(get("/code", "Accept-Language: de\r\n"));
    EXPECT_EQ(answer.status, 403);
    EXPECT_EQ(answer.header("content-type"), "application/json");
    EXPECT_EQ(answer.header("content-language"), "de");
    auto const object = json::parse_object(answer.body).value();
    EXPECT_EQ(json::text(object, "outcome").value(), "code_wrong");
    EXPECT_EQ(json::text(object, "text").value(), texts.text(Language::de, Outcome::code_wrong));
    EXPECT_EQ(json::text(object, "way_out").value(), "correct_it");
    EXPECT_EQ(json::integer(object, "tries_left").value(), 2);
    EXPECT_FALSE(object.contains("open_at"));

    auto const later = ask(get("/later?lang=nl", "Accept-Language: de\r\n"));
    EXPECT_EQ(later.header("content-language"), "nl");
    EXPECT_EQ(later.header("retry-after"), "30");
    EXPECT_EQ(json::integer(json::parse_object(later.body).value(), "open_at").value(), 1'790'000'030);
}

TEST_F(EdgeServer, shows_a_person_a_page_and_a_program_json)
{
    begin();
    auto const page =
        ask(get("/code", "Accept: text/html,*/*;q=0.8\r\nSec-Fetch-Mode: navigate\r\nAccept-Language: en\r\n"));
    EXPECT_EQ(page.status, 403);
    EXPECT_EQ(page.header("content-type"), "text/html; charset=utf-8");
    EXPECT_NE(page.body.find("<code id=\"error\">code_wrong</code>"), std::string::npos);
    EXPECT_NE(page.body.find("<html lang=\"en\">"), std::string::npos);
    EXPECT_EQ(ask(get("/code", "Accept: text/html\r\nSec-Fetch-Mode: cors\r\n")).header("content-type"),
              "application/json");
    EXPECT_EQ(ask(get("/code", "Accept: */*\r\n")).header("content-type"), "application/json");
}

TEST_F(EdgeServer, logs_what_a_handler_throws_and_says_internal)
{
    begin();
    EXPECT_EQ(outcome_in(ask(get("/throws"))), "internal");
    EXPECT_EQ(outcome_in(ask(get("/throws-at-once"))), "internal");
    EXPECT_EQ(ask(get("/throws")).body.find("library"), std::string::npos) << "nothing of it leaves";
    server->stop(0ms); // a line may be written after its answer has left
    EXPECT_NE(log.text().find("a library did"), std::string::npos);
    EXPECT_NE(log.text().find("before the flow"), std::string::npos);
}

TEST_F(EdgeServer, never_lets_a_line_break_into_a_header)
{
    begin();
    auto const answer = ask(get("/trap"));
    EXPECT_EQ(outcome_in(answer), "internal");
    EXPECT_EQ(answer.header("set-cookie"), "");
}

TEST_F(EdgeServer, logs_routes_and_never_paths_queries_or_headers)
{
    begin();
    ask(get("/hello/marie?number=0470123456", "Cookie: secret\r\nAuthorization: secret\r\n"));
    ask(get("/nowhere/marie?number=0470123456"));
    ask("MARIE /hello/marie HTTP/1.1\r\nHost: marie\r\n\r\n");
    server->stop(0ms); // a line may be written after its answer has left
    auto const text = log.text();
    EXPECT_NE(text.find("route=/hello/{name} status=200"), std::string::npos) << text;
    for (auto const* word : {"marie", "MARIE", "0470", "secret"}) EXPECT_EQ(text.find(word), std::string::npos) << text;
}

TEST_F(EdgeServer, passes_a_traceparent_on_or_makes_one)
{
    begin();
    auto const given = std::string{"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"};
    EXPECT_EQ(ask(get("/header/traceparent", "traceparent: " + given + "\r\n")).body, given);
    for (auto const* more : {"", "traceparent: nonsense\r\n"}) {
        auto const made = ask(get("/header/traceparent", more)).body;
        EXPECT_EQ(made.size(), given.size()) << made;
        EXPECT_NE(made, given);
    }
    server->stop(0ms);
    EXPECT_NE(log.text().find("request=0af7651916cd43dd8448eb211c80319c"), std::string::npos);
}

TEST_F(EdgeServer, believes_a_forwarded_address_from_its_own_proxy_alone)
{
    begin();
    EXPECT_EQ(ask(get("/where", "X-Forwarded-For: 198.51.100.1\r\n")).body, "127.0.0.1");
    server.reset();
    proxies = TrustedProxies::of({"127.0.0.1"}, ForwardedHeader::x_forwarded_for).value();
    begin();
    EXPECT_EQ(ask(get("/where", "X-Forwarded-For: 203.0.113.5, 198.51.100.1\r\n")).body, "198.51.100.1");
}

TEST_F(EdgeServer, speaks_on_a_unix_socket_whose_peer_is_a_proxy)
{
    auto const path =
        std::filesystem::temp_directory_path() / ("symbolon-edge-" + std::to_string(::getpid()) + ".sock");
    begin("unix:" + path.string());
    RawClient client{path.string()};
    EXPECT_EQ(client.ask(get("/where", "X-Forwarded-For: 198.51.100.1\r\n"))->body, "198.51.100.1");

    Server second{ServerParts{.loops = *loops,
                              .limits = limits,
                              .texts = texts,
                              .log = log,
                              .clock = clock,
                              .random = *random,
                              .stopwatch = [] { return 0ns; },
                              .proxies = {}}};
    auto const refused = second.listen({.address = "unix:" + path.string(), .router = router});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().detail.find("another process listens there"), std::string::npos);
    client.close();
    server->stop(0ms);
    EXPECT_FALSE(std::filesystem::exists(path)) << "the socket's file goes with the server";
}

TEST_F(EdgeServer, says_that_a_port_is_taken)
{
    begin();
    auto const refused = server->listen({.address = "127.0.0.1:" + std::to_string(port), .router = router});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().outcome, Outcome::configuration_invalid);
    EXPECT_NE(refused.error().detail.find("cannot listen on 127.0.0.1:" + std::to_string(port)), std::string::npos);
    for (auto const* address : {"", "8400", "127.0.0.1", "127.0.0.1:70000", "example.com:80", "127.0.0.1:x"})
        EXPECT_FALSE(server->listen({.address = address, .router = router})) << address;
}

TEST_F(EdgeServer, waits_for_a_flow_and_then_answers)
{
    begin();
    RawClient client{port};
    client.send(get("/waits") + get("/hello/next"));
    gate.wait_until_reached();
    EXPECT_EQ(ask(get("/hello/other")).body, "other") << "nobody else waits";
    gate.open();
    EXPECT_EQ(client.read_answer()->body, "waited");
    EXPECT_EQ(client.read_answer()->body, "next");
}

TEST_F(EdgeServer, runs_a_flow_to_its_end_when_its_client_has_gone)
{
    begin();
    RawClient client{port};
    client.send(get("/waits"));
    gate.wait_until_reached();
    client.reset();
    EXPECT_EQ(ending.so_far(), 0) << "half of a flow is nobody's wish";
    gate.open();
    ending.wait_for_one();
}

TEST_F(EdgeServer, gives_up_waiting_for_a_flow_but_lets_it_end)
{
    limits.request_timeout = 1s;
    begin();
    RawClient client{port};
    client.send(get("/waits") + get("/hello/next"));
    auto const answer = client.read_answer();
    EXPECT_EQ(answer->status, 503);
    EXPECT_EQ(ending.so_far(), 0);
    EXPECT_EQ(client.read_answer()->body, "next");
    gate.open();
    ending.wait_for_one();
}

TEST_F(EdgeServer, does_not_wait_for_slow_senders)
{
    limits.header_timeout = 1s;
    limits.body_timeout = 1s;
    begin();
    RawClient slow_head{port};
    RawClient slow_body{port};
    slow_head.send("GET / HTTP/1.1\r\nHost");
    slow_body.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na");
    auto const head_answer = slow_head.read_answer();
    ASSERT_TRUE(head_answer);
    EXPECT_EQ(outcome_in(*head_answer), "request_timed_out");
    auto const body_answer = slow_body.read_answer();
    ASSERT_TRUE(body_answer);
    EXPECT_EQ(body_answer->status, 408);
}

TEST_F(EdgeServer, closes_a_connection_on_which_nothing_is_asked)
{
    limits.idle_timeout = 1s;
    begin();
    RawClient silent{port};
    EXPECT_TRUE(silent.is_closed_by_server());
}

TEST_F(EdgeServer, does_not_wait_for_a_reader_that_takes_nothing)
{
    limits.write_timeout = 1s;
    begin();
    RawClient client{port};
    // Answers to more than the sockets hold; none is read.
    for (int i = 0; i < 16; ++i)
        if (!client.send(get("/flood"))) break;
    ending.wait_for_one();
    EXPECT_EQ(events_failed_with_cancelled, 1);
}

TEST_F(EdgeServer, bounds_the_connections_of_one_address)
{
    limits.open_connections_per_address = 2;
    begin();
    RawClient first{port};
    RawClient second{port};
    EXPECT_EQ(first.ask(get("/hello/1"))->body, "1");
    EXPECT_EQ(second.ask(get("/hello/2"))->body, "2");
    {
        RawClient third{port};
        auto const answer = third.read_answer();
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->status, 503);
        EXPECT_EQ(outcome_in(*answer), "too_many_connections");
        EXPECT_TRUE(third.is_closed_by_server());
    }
    first.send(get("/hello/1", "Connection: close\r\n"));
    EXPECT_TRUE(first.is_closed_by_server());
    first.close();
    while (server->open_connections() > 1) std::this_thread::yield();
    EXPECT_EQ(ask(get("/hello/4")).body, "4") << "a place that was left is free";
}

TEST_F(EdgeServer, bounds_the_connections_in_all_but_not_those_of_its_proxy_by_address)
{
    limits.open_connections_per_address = 1;
    limits.open_connections = 3;
    proxies = TrustedProxies::of({"127.0.0.1"}, ForwardedHeader::x_forwarded_for).value();
    begin();
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 3; ++i) {
        clients.push_back(std::make_unique<RawClient>(port));
        EXPECT_EQ(clients.back()->ask(get("/hello/a"))->body, "a");
    }
    RawClient fourth{port};
    EXPECT_EQ(outcome_in(*fourth.read_answer()), "too_many_connections");
}

TEST_F(EdgeServer, streams_events_as_they_come)
{
    begin();
    RawClient client{port};
    client.send(get("/events"));
    auto const head = client.read_answer_head();
    EXPECT_EQ(head->status, 200);
    EXPECT_EQ(head->header("content-type"), "text/event-stream");
    EXPECT_EQ(head->header("cache-control"), "no-store");
    EXPECT_EQ(head->header("transfer-encoding"), "chunked");
    EXPECT_EQ(client.read_chunk(), "retry: 2000\n\n");
    EXPECT_EQ(client.read_chunk(), "event: state\ndata: {\"at\":1}\n\n");
    gate.wait_until_reached();
    gate.open();
    EXPECT_EQ(client.read_chunk(), "event: state\ndata: two\ndata: lines\n\n");
    EXPECT_EQ(client.read_chunk(), std::nullopt) << "the flow has ended";
    EXPECT_TRUE(client.is_closed_by_server());
}

TEST_F(EdgeServer, keeps_a_stream_alive_with_heartbeats)
{
    limits.event_heartbeat = 1s;
    begin();
    RawClient client{port};
    client.send(get("/events"));
    client.read_answer_head();
    client.read_chunk();
    client.read_chunk();
    EXPECT_EQ(client.read_chunk(), ":\n\n");
    EXPECT_EQ(client.read_chunk(), ":\n\n");
}

TEST_F(EdgeServer, ends_a_stream_after_its_time_so_that_readers_connect_again)
{
    limits.event_stream_lifetime = 1s;
    begin();
    RawClient client{port};
    client.send(get("/events"));
    client.read_answer_head();
    client.read_chunk();
    client.read_chunk();
    EXPECT_EQ(client.read_chunk(), std::nullopt);
    ending.wait_for_one();
}

TEST_F(EdgeServer, destroys_a_streams_flow_where_it_waits_when_the_reader_goes)
{
    begin();
    {
        RawClient client{port};
        client.send(get("/events"));
        gate.wait_until_reached();
        client.reset();
    }
    ending.wait_for_one();
    RawClient polite{port};
    polite.send(get("/events"));
    gate.wait_until_reached(2);
    polite.close();
    while (ending.so_far() < 2) std::this_thread::yield();
    gate.open(); // the wait is over for nobody
    EXPECT_EQ(ask(get("/hello/ada")).body, "ada");
}

TEST_F(EdgeServer, tells_a_flow_that_sends_that_its_reader_has_gone)
{
    begin();
    {
        RawClient client{port};
        client.send(get("/flood"));
        client.read_answer_head();
        // The flow begins when the reader is known to be there: two chunks, the time to come again and its first event.
        ASSERT_TRUE(client.read_chunk());
        ASSERT_TRUE(client.read_chunk());
        client.reset();
    }
    ending.wait_for_one();
    while (server->open_connections() > 0) std::this_thread::yield();
    EXPECT_EQ(events_failed_with_cancelled, 1);
}

TEST_F(EdgeServer, opens_no_stream_for_a_reader_that_has_gone_by_then)
{
    begin();
    {
        RawClient client{port};
        client.send(get("/flood"));
        client.reset();
    }
    while (server->open_connections() > 0) std::this_thread::yield();
    EXPECT_EQ(ask(get("/hello/ada")).body, "ada");
}

TEST_F(EdgeServer, tells_the_reader_of_a_stream_that_failed)
{
    begin();
    RawClient client{port};
    client.send(get("/broken-events"));
    client.read_answer_head();
    client.read_chunk();
    auto const chunk = client.read_chunk().value_or("");
    EXPECT_TRUE(chunk.starts_with("event: failure\ndata: {\"outcome\":\"store_failed\"")) << chunk;
}

TEST_F(EdgeServer, bounds_the_streams_of_one_address)
{
    limits.event_streams_per_address = 1;
    begin();
    {
        RawClient first{port};
        first.send(get("/events"));
        gate.wait_until_reached();
        RawClient second{port};
        EXPECT_EQ(outcome_in(*second.ask(get("/events"))), "too_many_connections");
        EXPECT_EQ(second.ask(get("/hello/ada"))->body, "ada") << "other requests are not concerned";
    }
    while (server->open_connections() > 0) std::this_thread::yield();
    RawClient third{port};
    third.send(get("/events"));
    EXPECT_EQ(third.read_answer_head()->status, 200);
}

TEST_F(EdgeServer, stops_without_breaking_off_what_is_under_way)
{
    begin();
    RawClient idle{port};
    EXPECT_EQ(idle.ask(get("/hello/ada"))->body, "ada");
    RawClient reader{port};
    reader.send(get("/events"));
    gate.wait_until_reached(1);
    RawClient busy{port};
    busy.send(get("/waits"));
    gate.wait_until_reached(2);

    std::jthread const stopping{[&] { server->stop(20s); }};
    EXPECT_TRUE(idle.is_closed_by_server());
    EXPECT_TRUE(reader.is_closed_by_server());
    gate.open();
    auto const answer = busy.read_answer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->body, "waited");
    EXPECT_EQ(answer->header("connection"), "close");
}

TEST_F(EdgeServer, ends_what_does_not_end_by_itself_when_the_grace_is_over)
{
    begin();
    RawClient busy{port};
    busy.send(get("/waits"));
    gate.wait_until_reached();
    server->stop(0ms);
    EXPECT_EQ(ending.so_far(), 1) << "what the flow held was given back";
    EXPECT_TRUE(busy.is_closed_by_server());
}

TEST_F(EdgeServer, serves_many_clients_at_once)
{
    begin();
    std::vector<std::jthread> threads;
    threads.reserve(8);
    std::atomic<int> right = 0;
    for (int thread = 0; thread < 8; ++thread)
        threads.emplace_back([&, thread] {
            RawClient client{port};
            for (int i = 0; i < 50; ++i) {
                auto const name = std::to_string(thread * 1000 + i);
                auto const answer = client.ask(get("/hello/" + name));
                if (answer && answer->body == name) ++right;
            }
        });
    threads.clear();
    EXPECT_EQ(right, 400);
}

// ---- wake-ups and timers ------------------------------------------------------------------------------------------

TEST(Wakeups, tell_whoever_watches_the_topic_and_miss_nothing_between_two_waits)
{
    Loops loops{2};
    FixedClock clock;
    auto const wakeups = local_wakeups(clock);
    std::latch watching{1};
    auto const told = [&]() -> Flow<int> {
        auto const watch = wakeups->watch("sign_in/1");
        wakeups->tell("sign_in/1");
        wakeups->tell("sign_in/2");
        int count = co_await watch->next(clock.now() + 60s) ? 1 : 0; // told before it was asked
        watching.count_down();
        count += co_await watch->next(clock.now() + 60s) ? 1 : 0; // told from another thread
        count += co_await watch->next(clock.now()) ? 100 : 0;     // nobody tells in no time
        co_return count;
    };
    std::jthread const teller{[&] {
        watching.wait();
        wakeups->tell("sign_in/1");
    }};
    EXPECT_EQ(run_on<int>(loops.at(0), told).value(), 2);
    wakeups->tell("sign_in/1"); // nobody is there any more
}

TEST(Pause, ends)
{
    Loops loops{1};
    auto const result = run_on<int>(loops.at(0), []() -> Flow<int> {
        co_await pause_for(1ms);
        co_return 7;
    });
    EXPECT_EQ(result.value(), 7);
}

} // namespace
} // namespace symbolon::edge

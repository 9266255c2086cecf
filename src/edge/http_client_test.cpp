#include "edge/edge_testing.hpp"
#include "edge/http_client.hpp"
#include "edge/sms_gateway.hpp"

#include <gtest/gtest.h>

namespace symbolon::edge {
namespace {

using testing::FixedClock;
using testing::KeptLog;

/// Asks a server of our own in the same process.
class OutgoingHttp : public ::testing::Test {
protected:
    Limits limits;
    Texts texts;
    KeptLog log;
    FixedClock clock;
    std::unique_ptr<crypto::Random> random = crypto::system_random();
    std::atomic<int> asked = 0;
    int answers_with_503 = 0;
    int status = 202;
    std::mutex mutex;
    http::Request last;
    Router router{routes()};
    Loops loops{2};
    Server server{{.loops = loops,
                   .limits = limits,
                   .texts = texts,
                   .log = log,
                   .clock = clock,
                   .random = *random,
                   .stopwatch = [] { return 0ns; },
                   .proxies = {}}};
    std::string host =
        "127.0.0.1:" + std::to_string(server.listen({.address = "127.0.0.1:0", .router = router}).value());
    HttpClient client{loops, {host}};

    http::Routes routes()
    {
        http::Routes rows;
        auto const answer = [this](http::Request request) -> Flow<http::Response> {
            std::scoped_lock const lock{mutex};
            auto response = http::json(asked++ < answers_with_503 ? 503 : status, request.body);
            last = std::move(request);
            co_return response;
        };
        rows.push_back({"GET", "/sendsms", answer});
        rows.push_back({"GET", "/ok", [](http::Request) -> Flow<http::Response> { co_return http::json(200, "ok"); }});
        rows.push_back({"POST", "/ocsp", [this](http::Request request) -> Flow<http::Response> {
                            std::scoped_lock const lock{mutex};
                            last = request;
                            co_return http::json(200, request.body + request.body);
                        }});
        rows.push_back({"GET", "/long", [](http::Request) -> Flow<http::Response> {
                            co_return http::json(200, std::string(100'000, 'x'));
                        }});
        rows.push_back(
            {"GET", "/elsewhere", [](http::Request) -> Flow<http::Response> { co_return http::see_other("/ok"); }});
        rows.push_back({"GET", "/never", [](http::Request) -> Flow<http::Response> {
                            co_await pause_for(20s);
                            co_return http::no_content();
                        }});
        return rows;
    }

    Result<OutgoingAnswer> ask(std::string const& url, std::size_t loop = 0)
    {
        return run_on<OutgoingAnswer>(loops.at(loop), [&] {
            OutgoingRequest request;
            request.url = url;
            request.patience = 2s;
            return client.send(std::move(request));
        });
    }

    Result<void> send_sms(std::string const& text, std::string const& reference = "")
    {
        auto const gateway = sms_gateway(client,
                                         {.url = "http://" + host + "/sendsms",
                                          .user = "symbolon",
                                          .password = SecretText{"p&w"},
                                          .sender = "Symbolon",
                                          .report_url = report_url},
                                         log);
        return run_on<void>(loops.at(0),
                            [&] { return gateway->send_sms({account::PhoneNumber{"+32470123456"}, text, reference}); });
    }
    std::string report_url;
};

TEST_F(OutgoingHttp, asks_banks_with_forms_and_follows_them_nowhere)
{
    auto const fetcher = bank_fetcher(client);
    auto const posted = run_on<bank::Answer>(loops.at(0), [&] {
        http::Parameters form;
        form.add("state", "a b&c");
        return fetcher->post("http://" + host + "/ocsp", std::move(form));
    });
    ASSERT_TRUE(posted);
    EXPECT_EQ(posted->status, 200);
    EXPECT_EQ(last.header("content-type"), "application/x-www-form-urlencoded");
    EXPECT_EQ(last.form()->value("state"), "a b&c");
    EXPECT_TRUE(posted->content_type.starts_with("application/json"));

    auto const get = [&](std::string const& path) {
        return run_on<bank::Answer>(loops.at(1), [&] { return fetcher->get("http://" + host + path); });
    };
    EXPECT_EQ(get("/ok")->body, "ok");
    EXPECT_EQ(get("/elsewhere")->status, 303);
    EXPECT_EQ(get("/long").error().outcome, Outcome::bank_answer_invalid) << "more than a bank has to say";
    auto const elsewhere =
        run_on<bank::Answer>(loops.at(0), [&] { return fetcher->get("http://localhost:1/.well-known"); });
    EXPECT_EQ(elsewhere.error().outcome, Outcome::upstream_unreachable) << "a host of this machine that is no bank's";
}

TEST_F(OutgoingHttp, gives_what_came_back)
{
    for (std::size_t loop = 0; loop < 2; ++loop) {
        auto const answer = ask("http://" + host + "/ok", loop);
        ASSERT_TRUE(answer) << answer.error().detail;
        EXPECT_EQ(answer->status, 200);
        EXPECT_EQ(answer->body, "ok");
        EXPECT_EQ(answer->content_type, "application/json");
    }
    EXPECT_EQ(ask("http://" + host + "/nowhere")->status, 404);
}

TEST_F(OutgoingHttp, follows_no_redirect)
{
    auto const answer = ask("http://" + host + "/elsewhere");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 303);
}

TEST_F(OutgoingHttp, does_not_ask_machines_of_private_networks)
{
    HttpClient strict{loops, {}};
    auto const port = host.substr(host.find(':'));
    for (auto const& url : {"https://127.0.0.1" + port + "/ok", "https://localhost" + port + "/ok",
                            "https://[::1]" + port + "/ok", "https://[::ffff:127.0.0.1]" + port + "/ok",
                            "https://2130706433" + port + "/ok", "https://0x7f.1" + port + "/ok",
                            std::string{"https://10.0.0.1/ok"}, std::string{"https://169.254.169.254/latest"}}) {
        auto const answer = run_on<OutgoingAnswer>(loops.at(0), [&] {
            OutgoingRequest request;
            request.url = url;
            return strict.send(std::move(request));
        });
        ASSERT_FALSE(answer) << url;
        EXPECT_EQ(answer.error().outcome, Outcome::upstream_unreachable) << url;
        EXPECT_EQ(answer.error().detail, "an address that is not asked") << url;
    }
    EXPECT_EQ(asked, 0);
}

TEST_F(OutgoingHttp, speaks_https_and_nothing_else_to_strangers)
{
    HttpClient strict{loops, {}};
    for (auto const* url : {"http://example.com/", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/",
                            "https://user:password@example.com/", "example.com", ""}) {
        auto const answer = run_on<OutgoingAnswer>(loops.at(0), [&] {
            OutgoingRequest request;
            request.url = url;
            return strict.send(std::move(request));
        });
        EXPECT_FALSE(answer) << url;
    }
}

TEST_F(OutgoingHttp, takes_no_more_than_was_asked_for)
{
    auto const answer = ask("http://" + host + "/long");
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().outcome, Outcome::unavailable);
}

TEST_F(OutgoingHttp, does_not_wait_for_ever)
{
    auto const late = ask("http://" + host + "/never");
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().outcome, Outcome::unavailable) << "it may have been heard";
    server.stop(0ms);
    auto const gone = ask("http://" + host + "/ok");
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().outcome, Outcome::upstream_unreachable);
}

TEST_F(OutgoingHttp, is_taken_back_when_its_flow_is_destroyed)
{
    std::optional<Flow<OutgoingAnswer>> flow;
    auto const start = [&]() -> Flow<int> {
        OutgoingRequest request;
        request.url = "http://" + host + "/never";
        flow = client.send(std::move(request));
        flow->start([] {});
        co_await pause_for(50ms);
        flow.reset();
        co_return 1;
    };
    EXPECT_EQ(run_on<int>(loops.at(0), start).value(), 1);
    EXPECT_EQ(ask("http://" + host + "/ok")->body, "ok");
}

TEST_F(OutgoingHttp, asks_responders_over_plain_http)
{
    auto const fetcher = revocation_fetcher(client);
    auto const answer =
        run_on<Bytes>(loops.at(0), [&] { return fetcher->post_ocsp("http://" + host + "/ocsp", Bytes{1, 0, 2}); });
    EXPECT_EQ(answer.value(), (Bytes{1, 0, 2, 1, 0, 2}));
    EXPECT_EQ(last.header("content-type"), "application/ocsp-request");
    auto const missing = run_on<Bytes>(loops.at(0), [&] { return fetcher->get_crl("http://" + host + "/nowhere"); });
    EXPECT_EQ(missing.error().outcome, Outcome::revocation_unreachable);
}

TEST_F(OutgoingHttp, hands_an_sms_to_the_gateway)
{
    ASSERT_TRUE(send_sms("Votre code est 123456 & rien d'autre, à bientôt"));
    EXPECT_EQ(last.query.value("username"), "symbolon");
    EXPECT_EQ(last.query.value("password"), "p&w");
    EXPECT_EQ(last.query.value("from"), "Symbolon");
    EXPECT_EQ(last.query.value("to"), "+32470123456");
    EXPECT_EQ(last.query.value("text"), "Votre code est 123456 & rien d'autre, à bientôt");
    EXPECT_EQ(last.query.value("coding"), "2") << "ô is not in GSM-7";
    EXPECT_EQ(last.query.value("charset"), "UTF-8");
    EXPECT_EQ(log.text().find("0470"), std::string::npos);
    EXPECT_EQ(log.text().find("32470"), std::string::npos);
}

TEST_F(OutgoingHttp, asks_for_delivery_reports_where_there_is_somewhere_to_send_them)
{
    ASSERT_TRUE(send_sms("code", "ab-_9"));
    EXPECT_FALSE(last.query.find("dlr-url"));
    report_url = "http://127.0.0.1:8400/sms/report";
    ASSERT_TRUE(send_sms("code"));
    EXPECT_FALSE(last.query.find("dlr-url")) << "nobody would know what it is about";
    ASSERT_TRUE(send_sms("code", "ab-_9"));
    EXPECT_EQ(last.query.value("dlr-url"), "http://127.0.0.1:8400/sms/report?reference=ab-_9&status=%d");
    EXPECT_EQ(last.query.value("dlr-mask"), "31");
}

TEST_F(OutgoingHttp, does_not_say_of_an_sms_that_it_was_not_sent_when_nobody_knows)
{
    server.stop(0ms);
    EXPECT_EQ(send_sms("code").error().outcome, Outcome::sms_not_sent) << "nobody heard it";
}

TEST_F(OutgoingHttp, tries_an_sms_again_where_that_may_help)
{
    answers_with_503 = 1;
    EXPECT_TRUE(send_sms("code"));
    EXPECT_EQ(asked, 2);
}

TEST_F(OutgoingHttp, does_not_try_an_sms_again_that_the_gateway_refused)
{
    for (int const refusal : {400, 401, 403, 404}) {
        status = refusal;
        asked = 0;
        auto const sent = send_sms("code");
        ASSERT_FALSE(sent);
        EXPECT_EQ(sent.error().outcome, Outcome::sms_not_sent);
        EXPECT_EQ(asked, 1) << refusal;
    }
}

TEST_F(OutgoingHttp, sends_no_sms_that_does_not_fit_one)
{
    EXPECT_EQ(send_sms(std::string(161, 'x')).error().outcome, Outcome::sms_not_sent);
    EXPECT_EQ(send_sms("").error().outcome, Outcome::sms_not_sent);
    EXPECT_EQ(asked, 0);
}

TEST(SmsForm, is_gsm_7_where_every_sign_is_in_it)
{
    struct Case {
        std::string_view text;
        int coding;
        std::size_t units;
    };
    for (auto const& [text, coding, units] : {
             Case{"Code 123456", 0, 11},
             Case{"à é ü ñ ß", 0, 9},
             Case{"5 €", 0, 4},
             Case{"[x]", 0, 5},
             Case{"ç", 2, 1},
             Case{"ê", 2, 1},
             Case{"’", 2, 1},
             Case{"🙂", 2, 2},
         }) {
        auto const form = sms_form(text);
        ASSERT_TRUE(form);
        EXPECT_EQ(form->coding, coding) << text;
        EXPECT_EQ(form->units, units) << text;
    }
    EXPECT_FALSE(sms_form("\xff"));
    EXPECT_EQ(sms_form("")->units, 0U);
}

} // namespace
} // namespace symbolon::edge

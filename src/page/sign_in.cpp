#include "page/sign_in.hpp"

#include "enrolment/phone_number.hpp"
#include "entry/browser_name.hpp"
#include "entry/offer.hpp"
#include "oidc/authorize.hpp"
#include "oidc/sign_in.hpp"
#include "page/sign_in_page.hpp"

namespace symbolon::page {

namespace {

using http::Request;
using http::Response;
using oidc::FoundSignIn;
using ports::Services;
using At = oidc::Standing::At;

constexpr std::size_t longest_identifier = 40;

SignInId id_of(Request const& request) { return SignInId{std::string{request.path_parameters.value("id")}}; }

std::optional<Language> asked_language(Request const& request) { return language_named(request.query.value("lang")); }

std::string path_of(SignInId const& id) { return "/sign-in/" + id.text(); }

/// The page of a sign-in, in the language that the URL asked for.
Response to_page(Request const& request)
{
    auto const lang = asked_language(request);
    return http::see_other(path_of(id_of(request)) + (lang ? "?lang=" + std::string{name_of(*lang)} : ""));
}

Response page(int status, std::string html)
{
    auto response = http::html(status, std::move(html));
    // `no-referrer` would make browsers send forms with "Origin: null"; the id in our URLs stays here all the same.
    response.with("Referrer-Policy", "same-origin");
    return response;
}

SignInFrame frame_of(FoundSignIn const& found, Request const& request, SignInPages const& pages)
{
    auto const lang = asked_language(request);
    auto const language = lang.value_or(found.sign_in.value.language);
    return {.language = language,
            .path = path_of(found.sign_in.value.id),
            .lang = lang,
            .partner = found.client.name_in(language),
            .domain = found.client.domain,
            .is_test_system = pages.is_test_system};
}

/// No coroutine: of the request it keeps nothing that it hasn't copied.
Flow<FoundSignIn> found_by(Request const& request, Services services)
{
    return oidc::find_sign_in(id_of(request), request.cookie(oidc::browser_cookie), services);
}

/// The number that the partner says the person has, where it can be read as one.
std::string prefilled(std::string const& login_hint)
{
    return enrolment::parse_phone_number("32", login_hint) ? login_hint : std::string{};
}

/// Remembers which way this browser came in the last time (D3), and nothing else.
constexpr std::string_view way_cookie = "__Host-symbolon-way";
constexpr Seconds way_remembered = std::chrono::days{400};

Way way_of(action::Entry entry)
{
    switch (entry) {
    case action::Entry::qr:
    case action::Entry::code: return Way::qr;
    case action::Entry::link: return Way::link;
    case action::Entry::number:
    case action::Entry::ciba: return Way::number;
    }
    return Way::number;
}

/// A browser on a phone says so (Client Hints, and every phone's User-Agent).
bool is_on_a_phone(Request const& request)
{
    auto const hint = request.header("sec-ch-ua-mobile");
    if (!hint.empty()) return hint == "?1";
    auto const agent = request.header("user-agent");
    return agent.contains("Mobi") || agent.contains("Android");
}

Offer offer_of(grant::SignIn const& sign_in, Request const& request, SignInPages const& pages)
{
    if (!entry::offers(sign_in)) return {};
    auto const last = request.cookie(way_cookie);
    auto const otherwise = is_on_a_phone(request) ? Way::link : Way::qr;
    return {.first = last ? way_named(*last).value_or(otherwise) : otherwise,
            .short_code = entry::grouped_short_code(sign_in.short_code),
            .link = pages.app_url + "#link=" + entry::link_value(sign_in)};
}

Waiting waiting_of(FoundSignIn const& found, At at, SignInPages const& pages)
{
    auto const& sign_in = found.sign_in.value;
    auto const& action = found.action->value;
    Waiting waiting{.entry = action.entry,
                    .typed_hint = sign_in.typed_hint,
                    .asked_at = action.created_at,
                    .expires_at = action.expires_at};
    if (at == At::shown) waiting.at = Waiting::At::shown;
    if (at == At::returning) waiting.at = Waiting::At::returning;
    if (action.tie == action::Tie::symbol || at == At::returning) waiting.symbol = sign_in.symbol;
    if (entry::offers(sign_in)) waiting.link = pages.app_url + "#link=" + entry::link_value(sign_in);
    return waiting;
}

Flow<Response> show(Request request, SignInPages const& pages, Services services)
{
    auto const found = co_await found_by(request, services);
    auto const now = services.clock.now();
    auto const standing = found.standing(now);
    auto const& sign_in = found.sign_in.value;
    auto const frame = frame_of(found, request, pages);

    switch (standing.at) {
    case At::form: {
        auto const offer = offer_of(sign_in, request, pages);
        if (request.query.value("by") == "code" && !offer.short_code.empty())
            co_return page(200, code_page(frame, offer, pages.texts));
        NumberForm const form{.identifier = prefilled(sign_in.request.login_hint), .error = {}};
        co_return page(200, form_page(frame, form, offer, pages.texts));
    }
    case At::waiting:
    case At::shown:
    case At::returning: {
        auto response = page(200, waiting_page(frame, waiting_of(found, standing.at, pages), now, pages.texts));
        auto const way = name_of(way_of(found.action->value.entry));
        if (request.cookie(way_cookie) != way)
            response.with("Set-Cookie", http::cookie(way_cookie, way, way_remembered));
        co_return response;
    }
    case At::approved: {
        auto const why = request.query.value("returned").empty() ? Leaving::approved : Leaving::returned;
        co_return page(200, leaving_page(frame, why, pages.texts));
    }
    case At::ended:
        if (standing.outcome == Outcome::sign_in_cancelled)
            co_return page(200, leaving_page(frame, Leaving::cancelled, pages.texts));
        co_return page(200, ended_page(frame, standing.outcome.value(), pages.texts));
    case At::finished: break;
    }
    co_return fail(Outcome::sign_in_finished);
}

/// The number that was typed. Fails: phone_number_invalid, phone_number_not_mobile, calling_code_unknown.
Result<account::PhoneNumber> number_of(http::Parameters const& form)
{
    auto const typed = form.value("identifier");
    if (typed.size() > longest_identifier) return fail(Outcome::phone_number_invalid);
    return enrolment::parse_phone_number(form.find("calling_code").value_or("32"), typed);
}

bool is_about_what_was_typed(Outcome outcome)
{
    return outcome == Outcome::phone_number_invalid || outcome == Outcome::phone_number_not_mobile ||
           outcome == Outcome::calling_code_unknown || outcome == Outcome::too_many_requests;
}

Flow<void> ask(FoundSignIn found, http::Parameters form, Request request, SignInPages const& pages, Services services)
{
    oidc::Question question;
    question.number = co_await number_of(form);
    question.address = request.remote_address;
    question.browser = entry::browser_name(request.header("user-agent"));
    co_await oidc::ask_phone(std::move(found), std::move(question), pages.provider, services);
    co_return {};
}

Flow<Response> act(Request request, SignInPages const& pages, Services services)
{
    if (!request.comes_from(pages.provider.issuer())) co_return fail(Outcome::origin_refused);
    auto const form = co_await request.form();
    auto const found = co_await found_by(request, services);

    auto work = form.find("cancel")    ? oidc::cancel_sign_in(found, services)
                : form.find("restart") ? oidc::ask_again(found, services)
                                       : ask(found, form, request, pages, services);
    auto const done = co_await outcome_of(std::move(work));
    if (done) co_return to_page(request);

    auto const outcome = done.error().outcome;
    // Another tab or click was faster: the page says where things are now.
    if (outcome == Outcome::conflict) co_return to_page(request);
    if (!is_about_what_was_typed(outcome)) co_return std::unexpected{done.error()};
    NumberForm const again{.calling_code = std::string{form.find("calling_code").value_or("32")},
                           .identifier = std::string{form.value("identifier").substr(0, longest_identifier)},
                           .error = outcome};
    co_return page(row_of(outcome).http_status, form_page(frame_of(found, request, pages), again,
                                                          offer_of(found.sign_in.value, request, pages), pages.texts));
}

/// A browser that fetches ahead, or somebody who only wants the headers: nobody is on the way yet.
bool only_looks(Request const& request)
{
    return request.method == "HEAD" || request.header("sec-purpose").contains("prefetch") ||
           request.header("purpose") == "prefetch";
}

Flow<Response> go_on(Request request, SignInPages const& pages, Services services)
{
    if (only_looks(request)) co_return fail(Outcome::unavailable, "looking ahead");
    auto found = co_await found_by(request, services);
    auto const way = co_await outcome_of(oidc::way_back(std::move(found), pages.provider, services));
    if (!way && way.error().outcome == Outcome::conflict) co_return to_page(request);
    auto const location = co_await way;
    if (!location) co_return to_page(request);
    co_return http::see_other(*location);
}

Flow<Response> events(Request request, SignInPages const& pages, Services services)
{
    auto const found = co_await found_by(request, services);
    Response response;
    auto const id = found.sign_in.value.id;
    response.events = [id, &pages, services](http::EventSink& sink) {
        return oidc::tell_standing(id, pages.app_url, pages.provider, services, sink);
    };
    co_return response;
}

/// A phone sends its browser here, with the proof behind `#`, which stays in the browser.
Flow<Response> show_return(Request request, SignInPages const& pages, Services services)
{
    auto const found = co_await outcome_of(found_by(request, services));
    auto const path = path_of(id_of(request));
    if (!found && found.error().outcome != Outcome::sign_in_of_other_browser) co_return std::unexpected{found.error()};
    auto const language = asked_language(request).value_or(accepted_language(request.header("accept-language")));
    std::optional<SignInFrame> frame;
    if (found) frame = frame_of(*found, request, pages);
    co_return page(200,
                   return_page(path, frame, frame ? frame->language : language, pages.is_test_system, pages.texts));
}

Flow<Response> come_back(Request request, SignInPages const& pages, Services services)
{
    if (!request.comes_from(pages.provider.issuer())) co_return fail(Outcome::origin_refused);
    auto const form = co_await request.form();
    oidc::Return back{.sign_in = id_of(request),
                      .browser = request.cookie(oidc::browser_cookie),
                      .proof = std::string{form.value("proof")}};
    constexpr int most_rounds = 3;
    for (int round = 1;; ++round) {
        auto const returned = co_await outcome_of(oidc::come_back(back, pages.record_key, services));
        // The phone said something at the same moment: what holds now is looked at again.
        if (!returned && returned.error().outcome == Outcome::conflict && round < most_rounds) continue;
        if (!returned) co_return std::unexpected{returned.error()};
        if (*returned == oidc::Returned::here) co_return http::see_other(path_of(back.sign_in) + "?returned=1");
        auto const language = accepted_language(request.header("accept-language"));
        co_return page(200, return_page(path_of(back.sign_in), {}, language, pages.is_test_system, pages.texts));
    }
}

using Handle = Flow<Response> (*)(Request, SignInPages const&, Services);

Flow<Response> authorize(Request request, SignInPages const& pages, Services services)
{
    return oidc::authorize(std::move(request), pages.provider, services);
}

/// Whoever looks at this is a person: what goes wrong is a page, in the language that can be told from the request.
Flow<Response> page_or_failure(Handle handle, Request request, SignInPages const& pages, Services services)
{
    auto const language = asked_language(request).value_or(accepted_language(request.header("accept-language")));
    auto answered = co_await outcome_of(handle(std::move(request), pages, services));
    if (answered) co_return *std::move(answered);
    auto const& failure = answered.error();
    services.log.failure("sign_in_page_refused", failure, {});
    if (failure.outcome == Outcome::sign_in_finished)
        co_return page(row_of(failure.outcome).http_status, finished_page(language, pages.is_test_system, pages.texts));
    co_return page(row_of(failure.outcome).http_status,
                   error_page(language, failure.outcome, pages.is_test_system, pages.texts));
}

/// OpenID clients that log in in a window of their own look whether it was closed, and it gives them the result: they
/// lose hold of it under another policy than this. Our pages never touch their opener.
Flow<Response> answered_with_a_page(Handle handle, Request request, SignInPages const& pages, Services services)
{
    auto answer = co_await page_or_failure(handle, std::move(request), pages, services);
    answer.with("Cross-Origin-Opener-Policy", "unsafe-none");
    co_return answer;
}

} // namespace

http::Routes sign_in_routes(SignInPages const& pages, Services services)
{
    auto const handler = [&pages, services](Handle handle) -> http::Handler {
        return [handle, &pages, services](Request request) {
            return answered_with_a_page(handle, std::move(request), pages, services);
        };
    };
    http::Handler const stream = [&pages, services](Request request) {
        return events(std::move(request), pages, services);
    };
    return {
        {.method = "GET", .pattern = "/authorize", .handler = handler(authorize)},
        {.method = "POST", .pattern = "/authorize", .handler = handler(authorize)},
        {.method = "GET", .pattern = "/sign-in/{id}", .handler = handler(show)},
        {.method = "POST", .pattern = "/sign-in/{id}", .handler = handler(act)},
        {.method = "GET", .pattern = "/sign-in/{id}/continue", .handler = handler(go_on)},
        {.method = "GET", .pattern = "/sign-in/{id}/return", .handler = handler(show_return)},
        {.method = "POST", .pattern = "/sign-in/{id}/return", .handler = handler(come_back)},
        {.method = "GET", .pattern = "/sign-in/{id}/events", .handler = stream},
    };
}

} // namespace symbolon::page

#include "page/sign_in.hpp"

#include "enrolment/phone_number.hpp"
#include "oidc/authorize.hpp"
#include "oidc/sign_in.hpp"
#include "page/browser_name.hpp"
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

Flow<FoundSignIn> found_by(Request request, Services services)
{
    return oidc::find_sign_in(id_of(request), request.cookie(oidc::browser_cookie), services);
}

/// The number that the partner says the person has, where it can be read as one.
std::string prefilled(std::string const& login_hint)
{
    return enrolment::parse_phone_number("32", login_hint) ? login_hint : std::string{};
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
        NumberForm const form{.identifier = prefilled(sign_in.request.login_hint), .error = {}};
        co_return page(200, form_page(frame, form, pages.texts));
    }
    case At::waiting:
    case At::shown: {
        Waiting const waiting{.symbol = sign_in.symbol,
                              .typed_hint = sign_in.typed_hint,
                              .is_shown = standing.at == At::shown,
                              .asked_at = found.action->value.created_at,
                              .expires_at = found.action->value.expires_at};
        co_return page(200, waiting_page(frame, waiting, now, pages.texts));
    }
    case At::approved: co_return page(200, leaving_page(frame, Leaving::approved, pages.texts));
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
    question.browser = browser_name(request.header("user-agent"));
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
    co_return page(row_of(outcome).http_status, form_page(frame_of(found, request, pages), again, pages.texts));
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
    response.events = [id, &provider = pages.provider, services](http::EventSink& sink) {
        return oidc::tell_standing(id, provider, services, sink);
    };
    co_return response;
}

using Handle = Flow<Response> (*)(Request, SignInPages const&, Services);

Flow<Response> authorize(Request request, SignInPages const& pages, Services services)
{
    return oidc::authorize(std::move(request), pages.provider, services);
}

/// Whoever looks at this is a person: what goes wrong is a page, in the language that can be told from the request.
Flow<Response> answered_with_a_page(Handle handle, Request request, SignInPages const& pages, Services services)
{
    auto const language = asked_language(request).value_or(accepted_language(request.header("accept-language")));
    auto answered = co_await outcome_of(handle(std::move(request), pages, services));
    if (answered) co_return *std::move(answered);
    auto const& failure = answered.error();
    services.log.failure("sign_in_page_refused", failure, {});
    co_return page(row_of(failure.outcome).http_status,
                   error_page(language, failure.outcome, pages.is_test_system, pages.texts));
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
        {.method = "GET", .pattern = "/sign-in/{id}/events", .handler = stream},
    };
}

} // namespace symbolon::page

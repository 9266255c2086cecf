#include "page/enrolment.hpp"

#include "crypto/hash.hpp"
#include "enrolment/email.hpp"
#include "enrolment/phone_number.hpp"
#include "enrolment/steps.hpp"
#include "page/enrolment_state.hpp"
#include "page/papers.hpp"

namespace symbolon::page {

namespace {

using enrolment::Enrolment;
using enrolment::State;
using http::Request;
using http::Response;
using ports::Services;
using ports::Wakeups;

constexpr std::size_t most_number_characters = 48;
constexpr Seconds longest_without_a_look = 30s;

// ---- what requests have in common ----------------------------------------------------------------------------------

Response answer(int status, json::Object const& object)
{
    auto response = http::json(status, json::write(object));
    response.with("Cache-Control", "no-store");
    return response;
}

/// A click on our own page, without anything to say but which button it was.
Flow<StoredEnrolment> clicked(Request request, EnrolmentMeans const& means, Services services)
{
    if (!request.comes_from(means.id_url)) co_return fail(Outcome::origin_refused);
    co_await json_body(request, {});
    auto found = co_await enrolment_of(std::move(request), services);
    co_return std::move(found);
}

// ---- beginning (A1) ------------------------------------------------------------------------------------------------

/// What was typed, before it is judged.
struct Typed {
    std::string calling_code;
    std::string number;
    std::string email;
    std::string language;
    bool location_consent = false;
    json::Object person_check;
};

Result<Typed> parse_typed(Request const& request)
{
    auto const object =
        TRY(json_body(request, {"calling_code", "number", "email", "language", "location_consent", "person_check"}));
    return Typed{.calling_code = TRY(json::text(object, "calling_code")),
                 .number = TRY(json::text(object, "number")),
                 .email = TRY(json::text(object, "email")),
                 .language = TRY(json::text(object, "language")),
                 .location_consent = TRY(json::boolean(object, "location_consent")),
                 .person_check = TRY(json::object(object, "person_check"))};
}

/// A failure that stands beside the field that it is about.
struct FieldFailure {
    std::string_view field;
    Failure failure;
};

/// An enrolment of what was typed, or the first field that is wrong, in the order of the form.
std::expected<Enrolment, FieldFailure> judge_typed(Typed const& typed, std::vector<std::string> const& calling_codes)
{
    Enrolment enrolment;
    auto const number = typed.number.size() > most_number_characters
                            ? Result<account::PhoneNumber>{fail(Outcome::phone_number_invalid)}
                            : enrolment::parse_phone_number(typed.calling_code, typed.number);
    if (!number) {
        auto const about_code = number.error().outcome == Outcome::calling_code_unknown;
        return std::unexpected{FieldFailure{about_code ? "calling_code" : "number", number.error()}};
    }
    // A number that was typed whole goes before the code beside it, so the number itself is asked.
    auto const is_of = [&](std::string const& code) { return number->e164().starts_with('+' + code); };
    if (!calling_codes.empty() && std::ranges::none_of(calling_codes, is_of))
        return std::unexpected{FieldFailure{"calling_code", fail(Outcome::calling_code_unknown).error()}};
    auto const email = enrolment::parse_email(typed.email);
    if (!email) return std::unexpected{FieldFailure{"email", email.error()}};
    auto const language = language_named(typed.language);
    if (!language) return std::unexpected{FieldFailure{"language", Failure{Outcome::language_unknown, {}, {}, {}, {}}}};
    enrolment.phone_number = *number;
    enrolment.email = *email;
    enrolment.language = *language;
    enrolment.location_consent = typed.location_consent;
    return enrolment;
}

Response field_answer(FieldFailure const& wrong, Request const& request, EnrolmentMeans const& means)
{
    auto const& row = row_of(wrong.failure.outcome);
    auto const language = language_of(request, Language::fr);
    return answer(row.http_status, {{"outcome", row.name},
                                    {"text", means.texts.text(language, row.outcome)},
                                    {"way_out", name_of(row.way_out)},
                                    {"field", wrong.field}});
}

/// Who begins anew in the same browser leaves the old one behind: its number waits for no token any more.
Flow<void> end_earlier(Request request, Services services)
{
    auto const earlier = co_await outcome_of(enrolment_of(std::move(request), services));
    if (!earlier) co_return {};
    auto const now = services.clock.now();
    auto const ended = enrolment::cancel(earlier->value, Outcome::cancelled, now);
    if (ended) co_await outcome_of(services.enrolments.save(changed(*earlier, *ended)));
    co_return {};
}

/// POST /enrolment
Flow<Response> begin(Request request, EnrolmentMeans const& means, Services services)
{
    if (!request.comes_from(means.id_url)) co_return fail(Outcome::origin_refused);
    co_await check_rate(request, "enrolment", means, services);
    auto const typed = co_await parse_typed(request);
    auto judged = judge_typed(typed, means.calling_codes);
    if (!judged) co_return field_answer(judged.error(), request, means);
    co_await judge_person_check(typed.person_check, means.person_check, services);
    co_await end_earlier(request, services);

    auto const now = services.clock.now();
    auto const cookie = services.random.token();
    auto enrolment = *std::move(judged);
    enrolment.id = EnrolmentId{crypto::time_ordered_id(now, services.random)};
    enrolment.browser_hash = crypto::sha256(cookie.reveal());
    enrolment.created_at = now;
    enrolment.expires_at = now + means.limits.enrolment_lifetime;
    enrolment = co_await with_new_link(std::move(enrolment), means, now, services.random);
    co_await services.enrolments.add(enrolment);
    services.log.event("enrolment_begun", {});

    auto response = state_answer(201, enrolment, request, means, services);
    response.with("Set-Cookie", http::cookie(enrolment_cookie, cookie.reveal(), means.limits.enrolment_lifetime));
    co_return std::move(response);
}

/// GET /enrolment/person-check
Flow<Response> person_check(EnrolmentMeans const& means, Services services)
{
    co_return answer(200, make_challenge(means.person_check, services.random, services.clock.now()));
}

// ---- looking -------------------------------------------------------------------------------------------------------

/// The state as the page is told it, with what only the store knows.
Flow<json::Object> told_state(Enrolment enrolment, Language language, EnrolmentMeans const& means, Services services)
{
    auto state = state_of(enrolment, language, services.clock.now(), means);
    if (enrolment.state == State::code) {
        auto const reached = co_await services.accounts.find_by_phone_number(enrolment.phone_number);
        if (enrolment::takes_number(enrolment, reached ? &reached->value : nullptr)) state["takes_number"] = true;
    }
    co_return std::move(state);
}

/// GET /enrolment
Flow<Response> show(Request request, EnrolmentMeans const& means, Services services)
{
    auto const found = co_await enrolment_of(request, services);
    auto const language = language_of(request, found.value.language);
    co_return answer(200, co_await told_state(found.value, language, means, services));
}

Flow<void> tell_state(EnrolmentId id, Language language, EnrolmentMeans const& means, Services services,
                      http::EventSink& sink)
{
    auto const watch = services.wakeups.watch(Wakeups::of(id));
    auto const ends_at = services.clock.now() + means.limits.event_stream_lifetime;
    std::string last;
    for (;;) {
        auto const found = co_await services.enrolments.find(id);
        auto const now = services.clock.now();
        if (!found || now >= found->value.expires_at || now >= ends_at) co_return {};
        auto state = json::write(co_await told_state(found->value, language, means, services));
        if (state != last) co_await sink.send("state", state);
        last = std::move(state);
        if (found->value.state == State::ended || found->value.state == State::undone) co_return {};
        auto const latest = std::min(ends_at, now + longest_without_a_look);
        co_await watch->next(changes_at(found->value, now, means, latest));
    }
}

/// GET /enrolment/events
Flow<Response> events(Request request, EnrolmentMeans const& means, Services services)
{
    auto const found = co_await enrolment_of(request, services);
    auto const language = language_of(request, found.value.language);
    Response response;
    response.events = [id = found.value.id, language, &means, services](http::EventSink& sink) {
        return tell_state(id, language, means, services, sink);
    };
    co_return std::move(response);
}

/// The contract as it is now: pages to read before signing, then the signed file.
Flow<Bytes> contract_of(Enrolment enrolment, EnrolmentMeans const& means, Services services)
{
    switch (enrolment.state) {
    case State::review:
    case State::sign: co_return co_await papers_of(means)->draft(contract_data(enrolment, means, services.clock.now()));
    case State::token:
    case State::sms:
    case State::code:
        if (enrolment.by_web_eid) co_return fail(Outcome::enrolment_step_wrong, "nothing was signed");
        co_return enrolment.contract;
    case State::done: {
        auto const kept = co_await services.contracts.find(enrolment.account.value(), enrolment.contract_id);
        if (!kept) co_return fail(Outcome::not_found);
        co_return *kept;
    }
    case State::card:
    case State::ended:
    case State::undone:
    case State::bank:
    case State::landed: break;
    }
    co_return fail(Outcome::enrolment_step_wrong);
}

/// GET /enrolment/contract.pdf
Flow<Response> contract_file(Request request, EnrolmentMeans const& means, Services services)
{
    auto const found = co_await enrolment_of(std::move(request), services);
    auto const pdf = co_await contract_of(found.value, means, services);
    Response response;
    response.body = string_of(pdf);
    response.with("Content-Type", "application/pdf")
        .with("Content-Disposition", "inline; filename=\"symbolon-contract.pdf\"")
        .with("Cache-Control", "no-store");
    co_return std::move(response);
}

// ---- the buttons
// -----------------------------------------------------------------------------------------------------

/// Makes the contract that is signed, and the link to sign it with. A second time (the link ended) makes it anew, so
/// that the date in it is the day on which it is signed.
Flow<StoredEnrolment> to_sign(StoredEnrolment found, EnrolmentMeans const& means, Services services)
{
    auto const now = services.clock.now();
    auto const& before = found.value;
    co_await enrolment::check_open(before, now);
    if (before.state != State::review && before.state != State::sign) co_return fail(Outcome::enrolment_step_wrong);
    auto const papers = papers_of(means);
    auto const ocsp_answers = co_await papers->signing_status(signer_of(before), services.random.bytes(32), now);
    auto const prepared = co_await papers->prepare(contract_data(before, means, now), signer_of(before), ocsp_answers);
    auto updated = co_await update(
        before.id,
        [&](Enrolment enrolment) -> Result<Enrolment> {
            enrolment = TRY(enrolment::fix_contract(std::move(enrolment), prepared.pdf, prepared.signed_attributes,
                                                    before.contract_id, now));
            return with_new_link(std::move(enrolment), means, now, services.random);
        },
        services);
    co_return std::move(updated);
}

/// POST /enrolment/link
Flow<Response> new_link(Request request, EnrolmentMeans const& means, Services services)
{
    auto const found = co_await clicked(request, means, services);
    if (found.value.state == State::sign) {
        auto const signing = co_await to_sign(found, means, services);
        co_return state_answer(200, signing.value, request, means, services);
    }
    auto const linked = co_await update(
        found.value.id,
        [&](Enrolment enrolment) {
            enrolment.outcome.reset();
            enrolment.outcome_open_at.reset();
            return with_new_link(std::move(enrolment), means, services.clock.now(), services.random);
        },
        services);
    co_return state_answer(200, linked.value, request, means, services);
}

/// POST /enrolment/sign
Flow<Response> sign(Request request, EnrolmentMeans const& means, Services services)
{
    auto const found = co_await clicked(request, means, services);
    auto const signing = co_await to_sign(found, means, services);
    co_return state_answer(200, signing.value, request, means, services);
}

/// POST /enrolment/token
Flow<Response> new_token(Request request, EnrolmentMeans const& means, Services services)
{
    auto const found = co_await clicked(request, means, services);
    auto const fresh = co_await update(
        found.value.id,
        [&](Enrolment enrolment) { return with_new_token(std::move(enrolment), means, services.clock.now()); },
        services);
    co_return state_answer(200, fresh.value, request, means, services);
}

/// POST /enrolment/cancel
Flow<Response> cancel(Request request, EnrolmentMeans const& means, Services services)
{
    auto const found = co_await clicked(request, means, services);
    auto const ended = co_await update(
        found.value.id,
        [&](Enrolment enrolment) {
            return enrolment::cancel(std::move(enrolment), Outcome::cancelled, services.clock.now());
        },
        services);
    services.log.event("enrolment_cancelled", {});
    co_return state_answer(200, ended.value, request, means, services);
}

/// POST /enrolment/undo
Flow<Response> undo(Request request, EnrolmentMeans const& means, Services services)
{
    auto const found = co_await clicked(request, means, services);
    auto const now = services.clock.now();
    auto const undone = co_await enrolment::undo(found.value, now, means.limits);
    auto const account = co_await services.accounts.find(found.value.account.value());
    auto const device = co_await services.devices.find(found.value.device.value());
    if (!account || !device) co_return fail(Outcome::data_damaged, "a finished enrolment without its account");
    if (account->value.device != device->value.id) co_return fail(Outcome::moved_meanwhile);
    ports::HistoryEntry const entry{
        .account = account->value.id, .at = now, .event = "enrolment_undone", .client = {}, .detail = "{}"};
    auto const after = changed(found, undone);
    if (found.value.moves) {
        // The account stays its holder's, without a phone: the next one comes with the card.
        auto const back = changed(*account, enrolment::account_before_move(account->value, found.value));
        auto const taken = co_await outcome_of(services.accounts.undo_move(back, *device, after, entry));
        if (!taken && taken.error().outcome != Outcome::phone_number_taken) co_return std::unexpected{taken.error()};
        // Somebody else has the number by now.
        if (!taken)
            co_await services.accounts.undo_move(changed(back, account::without_number(back.value)), *device, after,
                                                 entry);
    } else {
        co_await services.accounts.undo_open(*account, *device, after, entry);
    }
    // The code key is of no use without its phone; a vault that is away now loses nothing by keeping it.
    co_await outcome_of(services.vault.forget(account->value.id));
    services.wakeups.tell(Wakeups::of(account->value.id));
    services.wakeups.tell(Wakeups::of(undone.id));
    services.log.event("enrolment_undone", {{"account", account->value.id.text()}});
    co_return state_answer(200, undone, request, means, services);
}

} // namespace

http::Routes enrolment_routes(EnrolmentMeans const& means, Services services)
{
    using Work = Flow<Response> (*)(Request, EnrolmentMeans const&, Services);
    auto const route = [&](std::string method, std::string pattern, Work work) {
        return http::Route{
            .method = std::move(method),
            .pattern = std::move(pattern),
            .handler = [&means, services, work](Request request) { return work(std::move(request), means, services); }};
    };
    http::Routes routes{
        route("POST", "/enrolment", begin),           route("GET", "/enrolment", show),
        route("GET", "/enrolment/events", events),    route("GET", "/enrolment/contract.pdf", contract_file),
        route("POST", "/enrolment/link", new_link),   route("POST", "/enrolment/sign", sign),
        route("POST", "/enrolment/token", new_token), route("POST", "/enrolment/undo", undo),
        route("POST", "/enrolment/cancel", cancel),
    };
    routes.push_back({.method = "GET",
                      .pattern = "/enrolment/person-check",
                      .handler = [&means, services](Request const&) { return person_check(means, services); }});
    return routes;
}

} // namespace symbolon::page

#include "page/web_eid.hpp"

#include "card/web_eid.hpp"
#include "crypto/encoding.hpp"
#include "enrolment/steps.hpp"
#include "page/card_findings.hpp"
#include "page/enrolment_state.hpp"

namespace symbolon::page {

namespace {

using enrolment::Enrolment;
using http::Request;
using http::Response;
using ports::Services;

/// POST /enrolment/web-eid/nonce
Flow<Response> give_nonce(Request request, EnrolmentMeans const& means, Services services)
{
    if (!request.comes_from(means.id_url)) co_return fail(Outcome::origin_refused);
    co_await json_body(request, {});
    auto const found = co_await enrolment_of(std::move(request), services);
    auto const nonce = crypto::base64(services.random.bytes(card::web_eid_nonce_bytes));
    auto const given = co_await update(
        found.value.id,
        [&](Enrolment enrolment) {
            return enrolment::give_web_eid_nonce(std::move(enrolment), nonce, services.clock.now(), means.limits);
        },
        services);
    auto response =
        http::json(200, json::write(json::Object{{"nonce", nonce},
                                                 {"expires_at", numeric_date(given.value.web_eid_nonce_expires_at)}}));
    response.with("Cache-Control", "no-store");
    co_return std::move(response);
}

/// The nonce of an enrolment, which counts once: whoever asks second finds none.
Flow<std::string> take_nonce(EnrolmentId id, Services services)
{
    std::optional<enrolment::TakenNonce> taken;
    co_await update(
        id,
        [&](Enrolment enrolment) -> Result<Enrolment> {
            taken = TRY(enrolment::take_web_eid_nonce(std::move(enrolment), services.clock.now()));
            return taken->enrolment;
        },
        services);
    if (taken->failure) co_return std::unexpected{*std::move(taken->failure)};
    co_return std::move(taken->nonce);
}

/// The account of a card's holder, and what was judged.
struct Holder {
    account::Account account;
    std::string evidence; ///< JSON
};

/// Fails: those of card::judge_web_eid, web_eid_no_account.
Flow<Holder> judge(std::string token, card::WebEidQuestion question, EnrolmentMeans const& means, Services services)
{
    auto const now = services.clock.now();
    std::array<Byte, 32> chance{};
    services.random.fill(chance);
    auto const evidence =
        co_await card::judge_web_eid(std::move(token), std::move(question), means.cards, *means.issuers, chance, now);
    auto const holder = co_await services.accounts.find_by_national_number(evidence.national_number().text());
    if (!holder) co_return fail(Outcome::web_eid_no_account);
    co_return Holder{.account = holder->value, .evidence = evidence_json(evidence)};
}

Flow<StoredEnrolment> accept(EnrolmentId id, std::string token, card::WebEidQuestion question,
                             EnrolmentMeans const& means, Services services)
{
    auto const holder = co_await judge(std::move(token), std::move(question), means, services);
    auto accepted = co_await update(
        id,
        [&](Enrolment enrolment) -> Result<Enrolment> {
            auto const now = services.clock.now();
            enrolment = TRY(
                enrolment::web_eid_accepted(std::move(enrolment), holder.account, holder.evidence, now, means.limits));
            return with_new_token(std::move(enrolment), means, now);
        },
        services);
    co_return std::move(accepted);
}

/// POST /enrolment/web-eid
Flow<Response> judge_token(Request request, EnrolmentMeans const& means, Services services)
{
    if (!request.comes_from(means.id_url)) co_return fail(Outcome::origin_refused);
    co_await check_rate(request, "web_eid", means, services);
    auto const object = co_await json_body(request, {"token"});
    auto const token = co_await json::text(object, "token");
    auto const found = co_await enrolment_of(request, services);
    auto const nonce = co_await take_nonce(found.value.id, services);
    card::WebEidQuestion const question{.origin = origin_of(means), .nonce = nonce};

    auto const accepted = co_await outcome_of(accept(found.value.id, token, question, means, services));
    if (!accepted) {
        services.log.failure("web_eid_refused", accepted.error(), {});
        co_return std::unexpected{accepted.error()};
    }
    services.log.event("web_eid_accepted", {});
    co_return state_answer(200, accepted->value, request, means, services);
}

} // namespace

http::Routes web_eid_routes(EnrolmentMeans const& means, Services services)
{
    using Work = Flow<Response> (*)(Request, EnrolmentMeans const&, Services);
    auto const route = [&](std::string pattern, Work work) {
        return http::Route{
            .method = "POST", .pattern = std::move(pattern), .handler = [&means, services, work](Request request) {
                return work(std::move(request), means, services);
            }};
    };
    return {route("/enrolment/web-eid/nonce", give_nonce), route("/enrolment/web-eid", judge_token)};
}

} // namespace symbolon::page

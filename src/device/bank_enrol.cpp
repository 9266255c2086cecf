#include "device/bank_enrol.hpp"

#include "base/failure_json.hpp"
#include "base/secret.hpp"
#include "base/text.hpp"
#include "crypto/hash.hpp"
#include "device/enrolment_parts.hpp"
#include "device/messages.hpp"
#include "enrolment/landing_code.hpp"
#include "enrolment/phone_number.hpp"
#include "enrolment/sms_code.hpp"
#include "enrolment/steps.hpp"

#include <algorithm>

namespace symbolon::device {

namespace {

using enrolment::BankFindings;
using enrolment::Enrolment;
using ports::BankReturn;
using ports::BankStanding;
using ports::BankVisit;
using ports::Services;
using ports::Stored;
using State = enrolment::State;

constexpr std::string_view visit_cookie = "__Host-symbolon-bank";
constexpr std::string_view app_path = "/app/";
constexpr std::size_t state_characters = 43;

/// The cookie as the enrolment keeps it. Its name is part of it: the cookie of an enrolment page, which is found in
/// the same way, is never taken for it, nor it for one.
Bytes hash_of_cookie(std::string_view value)
{
    return crypto::sha256(std::string{visit_cookie} + '=' + std::string{value});
}

std::vector<BankStanding> standings(Settings const& settings)
{
    return settings.banks != nullptr ? settings.banks->list() : std::vector<BankStanding>{};
}

std::optional<BankStanding> standing_of(std::string const& bank, Settings const& settings)
{
    auto const all = standings(settings);
    auto const found = std::ranges::find(all, bank, [](auto const& one) { return one.terms.id; });
    if (found == all.end()) return std::nullopt;
    return *found;
}

json::Object outcome_of_visit(Enrolment const& enrolment, Language language, Settings const& settings)
{
    Failure const failure{.outcome = enrolment.outcome.value(),
                          .detail = {},
                          .where = {},
                          .tries_left = {},
                          .open_at = enrolment.outcome_open_at,
                          .fields = enrolment.outcome_fields};
    return failure_object(failure, language, settings.texts);
}

// ---- GET /bank/return
// ------------------------------------------------------------------------------------------------

/// A visit whose `state` has come back.
struct Visited {
    EnrolmentId enrolment;
    int visit = 0; ///< enrolment::check_bank_visit
    BankVisit at;
    account::PhoneNumber number;
    Language language = Language::fr;
    Instant open_until;
    bool is_at_home = false;     ///< in the browser that left
    std::optional<Failure> over; ///< the enrolment is: nobody is asked
};

/// An answer that counts.
struct Identified {
    BankFindings findings;
    std::optional<account::Account> known;
};

/// RFC 6749 §3.1: a parameter that stands twice is no request.
Result<BankReturn> parse_return(http::Parameters const& query)
{
    BankReturn back{.state = std::string{query.value("state")},
                    .code = std::string{query.value("code")},
                    .error = std::string{query.value("error")},
                    .issuer = std::string{query.value("iss")}};
    if (query.repeated_name() || back.state.size() != state_characters) return fail(Outcome::bank_visit_unknown);
    return back;
}

/// Uses the visit up, before anybody is asked: of two that come at once, the second one finds none.
Flow<Visited> take_visit(std::string state, std::optional<std::string> cookie, Services services)
{
    auto const state_hash = crypto::sha256(state);
    auto const found = co_await services.enrolments.find_by_ticket(state_hash);
    if (!found) co_return fail(Outcome::bank_visit_unknown);
    Enrolment before;
    auto const taken = co_await outcome_of(update_enrolment(
        found->value.id,
        [&](Enrolment enrolment) -> Result<Enrolment> {
            before = enrolment;
            return enrolment::take_bank_visit(std::move(enrolment), state_hash, services.clock.now());
        },
        services));
    auto const is_over = !taken && taken.error().outcome == Outcome::enrolment_expired;
    if (!taken && !is_over) co_return std::unexpected{taken.error()};
    auto const at_home =
        cookie && !before.browser_hash.empty() && equal_in_constant_time(hash_of_cookie(*cookie), before.browser_hash);
    co_return Visited{
        .enrolment = before.id,
        .visit = taken ? taken->value.ticket_generation : 0,
        .at = {.bank = before.bank, .state = state, .nonce = before.bank_nonce, .verifier = before.bank_verifier},
        .number = before.phone_number,
        .language = before.language,
        .open_until = before.ticket_expires_at,
        .is_at_home = at_home,
        .over = is_over ? std::optional{taken.error()} : std::nullopt};
}

Flow<std::optional<account::Account>> account_of_person(std::string national_number, Services services)
{
    if (national_number.empty()) co_return std::optional<account::Account>{};
    auto const holder = co_await services.accounts.find_by_national_number(national_number);
    if (!holder) co_return std::optional<account::Account>{};
    co_return std::optional{holder->value};
}

/// Keeps that the bank spoke for the holder of a blocked account. In whatever browser: nothing comes of it without the
/// holder's card. Where it can't be kept, another visit says the same.
Flow<void> keep_word_of_bank(AccountId id, std::string bank, Services services)
{
    constexpr int most_rounds = 3;
    for (int round = 1;; ++round) {
        auto const found = co_await services.accounts.find(id);
        auto const now = services.clock.now();
        if (!found || found->value.state != account::State::blocked) co_return {};
        ports::HistoryEntry entry{.account = id,
                                  .at = now,
                                  .event = "bank_spoke",
                                  .client = {},
                                  .detail = json::write(json::Object{{"bank", bank}})};
        auto const kept = co_await outcome_of(
            services.accounts.save(changed(*found, account::with_word_of_bank(found->value, now)), std::move(entry)));
        if (kept || kept.error().outcome != Outcome::conflict || round == most_rounds) co_return kept;
    }
}

/// Asks the bank, and judges what it says beside the account that the person has already, if any. Fails: those of
/// ports::Banks::redeem and of enrolment::judge_bank_answer, enrolment_expired, bank_visit_expired.
Flow<Identified> identify(Visited visited, BankReturn back, Services services, SharedSettings settings)
{
    if (visited.over) co_return std::unexpected{*visited.over};
    if (services.clock.now() >= visited.open_until) co_return fail(Outcome::bank_visit_expired);
    auto const standing = standing_of(visited.at.bank, *settings);
    if (!standing) co_return fail(Outcome::bank_unknown);
    auto const bank_answer = co_await settings->banks->redeem(visited.at, std::move(back));

    auto const known = co_await account_of_person(std::string{trimmed(bank_answer.national_number)}, services);
    auto findings = enrolment::judge_bank_answer(bank_answer, standing->terms, known, visited.number,
                                                 services.clock.now(), settings->limits);
    if (known && enrolment::speaks_for_blocked(findings, standing->terms, *known)) {
        auto const kept = co_await outcome_of(keep_word_of_bank(known->id, visited.at.bank, services));
        if (!kept) services.log.failure("bank_word_not_kept", kept.error(), {});
    }
    if (!findings) co_return std::unexpected{findings.error()};
    co_return Identified{.findings = *std::move(findings), .known = known};
}

/// Keeps what went wrong for the app.
Flow<void> keep_failure(Visited visited, Failure failure, Services services)
{
    auto const told = visited.is_at_home ? failure : enrolment::told_elsewhere(failure);
    auto const kept = co_await outcome_of(update_enrolment(
        visited.enrolment,
        [&](Enrolment enrolment) -> Result<Enrolment> {
            TRY(enrolment::check_bank_visit(enrolment, visited.visit, services.clock.now()));
            return enrolment::bank_failed(std::move(enrolment), told);
        },
        services));
    // The holder has gone on meanwhile: nothing is to be told any more.
    if (!kept) services.log.failure("bank_failure_not_kept", kept.error(), {});
    co_return {};
}

/// Keeps what the bank said. Fails: bank_visit_unknown (the holder has gone on meanwhile), the failures of check_open.
Flow<Stored<Enrolment>> keep_identity(Visited visited, Identified identified, Bytes landing_code_hash,
                                      Services services, SharedSettings settings)
{
    co_return co_await update_enrolment(
        visited.enrolment,
        [&](Enrolment enrolment) -> Result<Enrolment> {
            auto const now = services.clock.now();
            TRY(enrolment::check_bank_visit(enrolment, visited.visit, now));
            return enrolment::bank_accepted(std::move(enrolment), identified.findings, identified.known,
                                            landing_code_hash, now, settings->limits);
        },
        services);
}

/// The SMS code leaves by itself. Where it can't, the app asks for one.
Flow<void> send_first_code(Stored<Enrolment> accepted, Services services, SharedSettings settings)
{
    auto to_send = co_await prepare_code(accepted.value, services, settings);
    co_await services.enrolments.save(changed(accepted, to_send.enrolment));
    co_await send_code(std::move(to_send), services, settings);
    tell_of(accepted.value.id, services);
    co_return {};
}

http::Response page(int status, ports::BankEnd const& end, Settings const& settings)
{
    auto response = http::html(status, settings.bank_end_page(end));
    // Without a script, and the query of this address goes nowhere.
    response
        .with("Content-Security-Policy",
              "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
        .with("Referrer-Policy", "no-referrer")
        .with("Content-Language", std::string{name_of(end.language)});
    return response;
}

http::Response page_of(Failure const& failure, Language language, Settings const& settings)
{
    return page(row_of(failure.outcome).http_status,
                {.language = language, .number = {}, .code = {}, .failure = failure}, settings);
}

http::Response to_app() { return http::see_other(std::string{app_path}); }

} // namespace

Flow<http::Response> list_banks(http::Request /*request*/, Services /*services*/, SharedSettings settings)
{
    json::Array banks;
    for (auto const& [terms, down_until] : standings(*settings)) {
        json::Object bank{
            {"id", terms.id}, {"name", terms.name}, {"app_first", terms.app_first}, {"minors", terms.minors}};
        if (!terms.app_url.empty()) bank["app_url"] = terms.app_url;
        if (down_until) bank["down_until"] = numeric_date(*down_until);
        banks.emplace_back(std::move(bank));
    }
    co_return answer({{"banks", std::move(banks)}});
}

Flow<http::Response> keys_for_banks(http::Request /*request*/, Services /*services*/, SharedSettings settings)
{
    if (settings->banks == nullptr) co_return fail(Outcome::not_found);
    co_return http::json(200, settings->banks->public_keys());
}

Flow<http::Response> start_at_bank(http::Request request, Services services, SharedSettings settings)
{
    co_await check_rate("enrol_start", request, services, settings);
    auto const start = co_await parse_enrol_bank(request.body);
    auto const number = co_await enrolment::parse_phone_number(start.calling_code, start.number);
    auto const language = language_named(start.language);
    if (!language) co_return fail(Outcome::language_unknown);

    auto const now = services.clock.now();
    auto const session = services.random.token();
    Enrolment enrolment;
    enrolment.id = EnrolmentId{crypto::time_ordered_id(now, services.random)};
    enrolment.state = State::bank;
    enrolment.language = *language;
    enrolment.phone_number = number;
    enrolment.created_at = now;
    enrolment.expires_at = now + settings->limits.enrolment_lifetime;
    enrolment.phone_session_hash = crypto::sha256(session.reveal());
    enrolment.device_nonce = services.random.bytes(nonce_bytes);
    co_await services.enrolments.add(enrolment);
    co_return answer({{"session", session.reveal()}, {"language", name_of(*language)}});
}

Flow<http::Response> visit_bank(http::Request request, Services services, SharedSettings settings)
{
    auto const asked = co_await parse_enrol_bank_visit(request.body);
    auto const stored = co_await enrolment_of_session(asked.session, services);
    co_await enrolment::check_open(stored.value, services.clock.now());
    if (stored.value.state != State::bank) co_return fail(Outcome::enrolment_step_wrong);
    if (!standing_of(asked.bank, *settings)) co_return fail(Outcome::bank_unknown);
    co_await check_rate("bank_visit", request, services, settings);

    auto const cookie = services.random.token();
    BankVisit const visit{.bank = asked.bank,
                          .state = services.random.token().reveal(),
                          .nonce = services.random.token().reveal(),
                          .verifier = services.random.token().reveal()};
    auto const url = co_await settings->banks->begin(visit, stored.value.language);
    co_await update_enrolment(
        stored.value.id,
        [&](Enrolment enrolment) {
            return enrolment::open_bank_visit(std::move(enrolment),
                                              {.bank = visit.bank,
                                               .state_hash = crypto::sha256(visit.state),
                                               .browser_hash = hash_of_cookie(cookie.reveal()),
                                               .nonce = visit.nonce,
                                               .verifier = visit.verifier},
                                              services.clock.now(), settings->limits);
        },
        services);
    auto response = answer({{"url", url}});
    response.with("Set-Cookie", http::cookie(visit_cookie, cookie.reveal(), settings->limits.bank_visit_lifetime));
    co_return response;
}

Flow<http::Response> return_from_bank(http::Request request, Services services, SharedSettings settings)
{
    // HEAD asks what GET would say; only who goes there comes back.
    if (request.method != "GET") co_return http::no_content();
    if (settings->banks == nullptr) co_return fail(Outcome::bank_visit_unknown);
    auto language = accepted_language(request.header("accept-language"));
    auto back = parse_return(request.query);
    if (!back) co_return page_of(back.error(), language, *settings);
    auto const taken = co_await outcome_of(take_visit(back->state, request.cookie(visit_cookie), services));
    if (!taken) {
        services.log.failure("bank_return", taken.error(), {});
        co_return page_of(taken.error(), language, *settings);
    }
    auto const& visited = *taken;
    language = accepted_language(request.header("accept-language"), visited.language);

    auto const identified = co_await outcome_of(identify(visited, *std::move(back), services, settings));
    if (!identified) {
        services.log.failure("bank_refused", identified.error(), {{"bank", visited.at.bank}});
        co_await keep_failure(visited, identified.error(), services);
        if (visited.is_at_home) co_return to_app();
        co_return page_of(identified.error(), language, *settings);
    }

    std::string code;
    if (!visited.is_at_home) code = enrolment::landing_code(services.random.below(1'000'000));
    auto const accepted = co_await outcome_of(
        keep_identity(visited, *identified, code.empty() ? Bytes{} : crypto::sha256(code), services, settings));
    if (!accepted) {
        services.log.failure("bank_return", accepted.error(), {{"bank", visited.at.bank}});
        if (visited.is_at_home) co_return to_app();
        co_return page_of(accepted.error(), language, *settings);
    }
    services.log.event("bank_accepted",
                       {{"bank", visited.at.bank}, {"browser", visited.is_at_home ? "same" : "another"}});
    if (!visited.is_at_home)
        co_return page(200, {.language = language, .number = visited.number, .code = code, .failure = {}}, *settings);
    auto const sent = co_await outcome_of(send_first_code(*accepted, services, settings));
    if (!sent) services.log.failure("sms", sent.error(), {});
    co_return to_app();
}

Flow<http::Response> give_landing_code(http::Request request, Services services, SharedSettings settings)
{
    auto const given = co_await parse_enrol_sms(request.body);
    auto const stored = co_await enrolment_of_session(given.session, services);
    auto const code = co_await enrolment::parse_landing_code(given.code.reveal());
    auto judged =
        enrolment::judge_landing_code(stored.value, crypto::sha256(code), services.clock.now(), settings->limits);
    if (judged.failure) {
        co_await services.enrolments.save(changed(stored, std::move(judged.enrolment)));
        tell_of(stored.value.id, services);
        co_return std::unexpected{*std::move(judged.failure)};
    }
    auto to_send = co_await prepare_code(std::move(judged.enrolment), services, settings);
    co_await services.enrolments.save(changed(stored, to_send.enrolment));
    tell_of(stored.value.id, services);
    auto const over_the_limit = to_send.over_the_limit;
    auto const sent = co_await send_code(std::move(to_send), services, settings);
    co_return answer({{"sms_sent", !over_the_limit && !sent.sms_lost},
                      {"sms_again_at", numeric_date(enrolment::sms_again_at(sent, settings->limits))}});
}

Flow<http::Response> choose_bank_again(http::Request request, Services services, SharedSettings /*settings*/)
{
    auto const session = co_await parse_enrol_session(request.body);
    auto const stored = co_await enrolment_of_session(session, services);
    co_await update_enrolment(
        stored.value.id,
        [&](Enrolment enrolment) {
            auto const now = services.clock.now();
            return enrolment.state == State::bank ? enrolment::close_bank_visit(std::move(enrolment), now)
                                                  : enrolment::identify_again(std::move(enrolment), std::nullopt, now);
        },
        services);
    co_return answer({});
}

json::Object bank_state(Enrolment const& enrolment, Language language, Settings const& settings)
{
    json::Object state{{"step", enrolment.state == State::landed ? "landed" : "bank"},
                       {"language", name_of(enrolment.language)},
                       {"phone_number", enrolment.phone_number.e164()}};
    if (auto bank = bank_of(enrolment, settings)) state["bank"] = *std::move(bank);
    if (enrolment.outcome) state["outcome"] = outcome_of_visit(enrolment, language, settings);
    return state;
}

std::optional<json::Object> bank_of(Enrolment const& enrolment, Settings const& settings)
{
    if (enrolment.bank.empty()) return std::nullopt;
    auto const standing = standing_of(enrolment.bank, settings);
    if (!standing) return std::nullopt;
    return json::Object{{"id", standing->terms.id}, {"name", standing->terms.name}};
}

} // namespace symbolon::device

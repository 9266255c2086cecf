#include "page/reader.hpp"

#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "enrolment/steps.hpp"
#include "page/card_findings.hpp"
#include "page/papers.hpp"

#include <algorithm>

namespace symbolon::page {

namespace {

using enrolment::Enrolment;
using enrolment::State;
using http::Request;
using http::Response;
using ports::Services;

constexpr std::size_t most_secret_characters = 128;
constexpr std::size_t chip_number_bytes = 16;
constexpr std::size_t challenge_bytes = 48;
constexpr std::size_t most_tries = 15;

Response answer(json::Object const& object)
{
    auto response = http::json(200, json::write(object));
    response.with("Cache-Control", "no-store");
    return response;
}

/// A ticket or a session as the program sent it, as the store knows it.
Result<Bytes> hash_of_secret(json::Object const& object, std::string_view name)
{
    auto const text = TRY(json::text(object, name));
    if (text.empty() || text.size() > most_secret_characters) return fail(Outcome::ticket_unknown);
    return crypto::sha256(text);
}

Flow<StoredEnrolment> enrolment_of_session(Bytes session_hash, Services services)
{
    auto found = co_await services.enrolments.find_by_reader_session(std::move(session_hash));
    if (!found) co_return fail(Outcome::ticket_unknown, "no such session");
    co_await enrolment::check_reader_session(found->value, services.clock.now());
    co_return *std::move(found);
}

/// The session is still this one: the page may have made a new link while the card was judged.
Result<void> check_same_session(Enrolment const& enrolment, Bytes const& session_hash)
{
    if (enrolment.reader_session_hash != session_hash) return fail(Outcome::ticket_unknown, "another link was made");
    return {};
}

/// The session ends with what went wrong; the page shows it. Gives that failure back.
Flow<Response> end_session(EnrolmentId id, Bytes session_hash, Failure failure, Services services)
{
    services.log.failure("card_refused", failure, {});
    co_await outcome_of(update(
        id,
        [&](Enrolment enrolment) -> Result<Enrolment> {
            TRY(check_same_session(enrolment, session_hash));
            return enrolment::reader_failed(std::move(enrolment), failure);
        },
        services));
    co_return std::unexpected{std::move(failure)};
}

// ---- POST /eid/open ------------------------------------------------------------------------------------------------

json::Array texts_of(std::vector<std::string> const& all)
{
    json::Array array;
    for (auto const& one : all) array.emplace_back(one);
    return array;
}

Result<void> add_signing(json::Object& object, Enrolment const& enrolment, EnrolmentMeans const& means)
{
    auto const digest =
        TRY(papers_of(means)->digest_to_sign(enrolment.signed_attributes, enrolment.signature_certificate));
    object["purpose"] = "sign";
    object["digest"] = crypto::base64url(digest.value);
    object["digest_algorithm"] = digest.algorithm == crypto::HashAlgorithm::sha384 ? "sha384" : "sha256";
    object["chip_number"] = crypto::base64url(enrolment.chip_number);
    object["contract_title"] = means.texts.text(enrolment.language, "contract.title");
    return {};
}

Flow<Response> open(Request request, EnrolmentMeans const& means, Services services)
{
    auto const object = co_await json_body(request, {"ticket", "version"});
    auto const ticket_hash = co_await hash_of_secret(object, "ticket");
    co_await json::text(object, "version");
    auto const found = co_await services.enrolments.find_by_ticket(ticket_hash);
    if (!found) co_return fail(Outcome::ticket_unknown);

    auto const session = services.random.token();
    auto const challenge = services.random.bytes(challenge_bytes);
    auto const opened = co_await update(
        found->value.id,
        [&](Enrolment enrolment) -> Result<Enrolment> {
            if (enrolment.ticket_hash != ticket_hash) return fail(Outcome::ticket_unknown, "another link was made");
            auto const is_reading = enrolment.state == State::card;
            return enrolment::open_link(std::move(enrolment), crypto::sha256(session.reveal()),
                                        is_reading ? challenge : Bytes{}, services.clock.now(), means.limits);
        },
        services);

    auto const& enrolment = opened.value;
    json::Object object_out{{"session", session.reveal()},
                            {"origin", origin_of(means)},
                            {"phone_number", enrolment.phone_number.e164()},
                            {"email", enrolment.email},
                            {"language", name_of(enrolment.language)}};
    if (enrolment.state == State::card) {
        object_out["purpose"] = "read";
        object_out["symbols"] = texts_of(enrolment.symbols);
        object_out["challenge"] = crypto::base64url(challenge);
    } else {
        co_await add_signing(object_out, enrolment, means);
    }
    co_return answer(object_out);
}

// ---- POST /eid/progress --------------------------------------------------------------------------------------------

/// What the program may say of itself: the page shows the sentence, so that not every outcome is for a stranger to
/// choose.
constexpr std::array reader_outcomes{
    Outcome::reader_missing,
    Outcome::reader_service_missing,
    Outcome::card_missing,
    Outcome::card_removed,
    Outcome::card_not_belgian,
    Outcome::card_unresponsive,
    Outcome::card_generation_unsupported,
    Outcome::pin_wrong,
    Outcome::pin_blocked,
    Outcome::pin_malformed,
    Outcome::pin_last_try,
    Outcome::signature_certificate_missing,
    Outcome::other_card_than_read,
    Outcome::cancelled,
};

constexpr std::array<std::string_view, 5> places{"reader", "card", "reading", "pin", "sending"};

Result<enrolment::Progress> parse_progress(json::Object const& object)
{
    enrolment::Progress progress{.at = TRY(json::text(object, "at")), .outcome = {}, .tries_left = {}};
    if (std::ranges::find(places, progress.at) == places.end()) return fail(Outcome::request_malformed, "at");
    if (auto const name = TRY(json::optional_text(object, "outcome"))) {
        progress.outcome = outcome_named(*name);
        if (!progress.outcome || std::ranges::find(reader_outcomes, *progress.outcome) == reader_outcomes.end())
            return fail(Outcome::request_malformed, "outcome");
    }
    if (auto const tries = TRY(json::optional_integer(object, "tries_left"))) {
        if (*tries < 0 || *tries > static_cast<std::int64_t>(most_tries))
            return fail(Outcome::request_malformed, "tries_left");
        progress.tries_left = static_cast<int>(*tries);
    }
    return progress;
}

Flow<Response> progress(Request request, EnrolmentMeans const&, Services services)
{
    auto const object = co_await json_body(request, {"session", "at", "outcome", "tries_left"});
    auto const session_hash = co_await hash_of_secret(object, "session");
    auto const said = co_await parse_progress(object);
    auto const found = co_await enrolment_of_session(session_hash, services);
    co_await update(
        found.value.id,
        [&](Enrolment enrolment) -> Result<Enrolment> {
            TRY(check_same_session(enrolment, session_hash));
            enrolment.progress = said;
            return enrolment;
        },
        services);
    co_return http::no_content();
}

// ---- POST /eid/read ------------------------------------------------------------------------------------------------

Result<Bytes> optional_bytes(json::Object const& object, std::string_view name)
{
    auto const text = TRY(json::optional_text(object, name));
    if (!text) return Bytes{};
    return crypto::from_base64url(*text);
}

Result<card::CardReading> parse_reading(json::Object const& object)
{
    auto const files = TRY(json::object(object, "files"));
    card::CardReading reading;
    struct Member {
        std::string_view name;
        Bytes card::CardReading::* bytes;
    };
    constexpr std::array members{
        Member{"identity", &card::CardReading::identity},
        Member{"identity_signature", &card::CardReading::identity_signature},
        Member{"address", &card::CardReading::address},
        Member{"address_signature", &card::CardReading::address_signature},
        Member{"photo", &card::CardReading::photo},
        Member{"card_data", &card::CardReading::card_data},
        Member{"card_key", &card::CardReading::card_key},
        Member{"authentication_certificate", &card::CardReading::authentication_certificate},
        Member{"signature_certificate", &card::CardReading::signature_certificate},
        Member{"ca_certificate", &card::CardReading::ca_certificate},
        Member{"root_certificate", &card::CardReading::root_certificate},
        Member{"register_certificate", &card::CardReading::register_certificate},
    };
    for (auto const& file : files)
        if (std::ranges::find(members, std::string_view{file.key()}, &Member::name) == members.end())
            return fail(Outcome::request_malformed, "a file that is not known");
    for (auto const& member : members) reading.*(member.bytes) = TRY(optional_bytes(files, member.name));
    reading.internal_authenticate = TRY(optional_bytes(object, "internal_authenticate"));
    reading.authentication_signature = TRY(optional_bytes(object, "authentication_signature"));
    return reading;
}

/// The challenge of a session, which counts once: whoever asks second finds none.
Flow<card::Challenge> take_challenge(EnrolmentId id, Bytes session_hash, EnrolmentMeans const& means, Services services)
{
    Bytes taken;
    co_await update(
        id,
        [&](Enrolment enrolment) -> Result<Enrolment> {
            TRY(check_same_session(enrolment, session_hash));
            if (enrolment.state != State::card) return fail(Outcome::enrolment_step_wrong);
            if (enrolment.challenge.empty() || services.clock.now() >= enrolment.challenge_expires_at)
                return fail(Outcome::challenge_unknown);
            taken = std::exchange(enrolment.challenge, {});
            enrolment.progress = {.at = "sending", .outcome = {}, .tries_left = {}};
            return enrolment;
        },
        services);
    card::Challenge challenge{.bytes = {}, .origin = origin_of(means)};
    std::ranges::copy(taken, challenge.bytes.begin());
    co_return std::move(challenge);
}

/// Judges card and holder. Where the person has an account, it is the one that goes to the new phone (A8, E1, E3, E6,
/// E7).
Flow<enrolment::CardFindings> judge_card(card::CardReading reading, card::Challenge challenge,
                                         EnrolmentMeans const& means, Services services)
{
    auto const now = services.clock.now();
    std::array<Byte, 32> chance{};
    services.random.fill(chance);
    auto const papers = papers_of(means);
    auto findings = co_await papers->judge(std::move(reading), std::move(challenge), chance, now);
    auto const holder = co_await services.accounts.find_by_national_number(findings.person.national_number);
    if (holder) {
        co_await account::check_move(holder->value, findings.source, now);
        findings.moves = holder->value.id;
        findings.moves_from = holder->value.device;
    }
    co_return std::move(findings);
}

Flow<Response> read(Request request, EnrolmentMeans const& means, Services services)
{
    auto const object = co_await json_body(
        request, {"session", "symbol", "files", "internal_authenticate", "authentication_signature"});
    auto const session_hash = co_await hash_of_secret(object, "session");
    auto const symbol = co_await json::text(object, "symbol");
    auto reading = co_await parse_reading(object);
    auto const found = co_await enrolment_of_session(session_hash, services);
    auto const id = found.value.id;

    // A thief's page shows a symbol that the holder can't see (design.md §3, 7): a wrong one ends the link.
    if (found.value.state == State::card && symbol != found.value.symbol) {
        Failure const wrong{Outcome::page_symbol_wrong, {}, std::source_location::current(), {}, {}};
        co_return co_await end_session(id, session_hash, wrong, services);
    }
    auto challenge = co_await take_challenge(id, session_hash, means, services);
    auto const findings = co_await outcome_of(judge_card(std::move(reading), std::move(challenge), means, services));
    if (!findings) co_return co_await end_session(id, session_hash, findings.error(), services);

    auto const contract_id = crypto::time_ordered_id(services.clock.now(), services.random);
    co_await update(
        id,
        [&](Enrolment enrolment) -> Result<Enrolment> {
            TRY(check_same_session(enrolment, session_hash));
            enrolment = TRY(enrolment::card_accepted(std::move(enrolment), *findings, services.clock.now()));
            enrolment.contract_id = ContractId{contract_id};
            return enrolment;
        },
        services);
    services.log.event("card_accepted", {});
    co_return answer({});
}

// ---- POST /eid/sign ------------------------------------------------------------------------------------------------

Flow<Response> sign(Request request, EnrolmentMeans const& means, Services services)
{
    auto const object = co_await json_body(request, {"session", "signature", "chip_number"});
    auto const session_hash = co_await hash_of_secret(object, "session");
    auto const signature = co_await crypto::from_base64url(co_await json::text(object, "signature"));
    auto const chip_number = co_await crypto::from_base64url(co_await json::text(object, "chip_number"));
    if (chip_number.size() != chip_number_bytes) co_return fail(Outcome::request_malformed, "chip_number");
    auto const found = co_await enrolment_of_session(session_hash, services);
    auto const& before = found.value;
    if (before.state != State::sign) co_return fail(Outcome::enrolment_step_wrong);

    auto const signed_pdf =
        chip_number == before.chip_number
            ? papers_of(means)->complete({.pdf = before.contract, .signed_attributes = before.signed_attributes},
                                         signer_of(before), signature, authentication_certificate_of(before.source))
            : Result<Bytes>{fail(Outcome::other_card_than_read)};
    if (!signed_pdf) co_return co_await end_session(before.id, session_hash, signed_pdf.error(), services);

    co_await update(
        before.id,
        [&](Enrolment enrolment) -> Result<Enrolment> {
            TRY(check_same_session(enrolment, session_hash));
            auto const now = services.clock.now();
            return with_new_token(TRY(enrolment::contract_signed(std::move(enrolment), *signed_pdf, now)), means, now);
        },
        services);
    services.log.event("contract_signed", {});
    co_return answer({});
}

} // namespace

http::Routes reader_routes(EnrolmentMeans const& means, Services services)
{
    using Work = Flow<Response> (*)(Request, EnrolmentMeans const&, Services);
    auto const route = [&](std::string pattern, Work work) {
        return http::Route{
            .method = "POST", .pattern = std::move(pattern), .handler = [&means, services, work](Request request) {
                return work(std::move(request), means, services);
            }};
    };
    http::Routes routes{route("/eid/open", open), route("/eid/progress", progress), route("/eid/read", read),
                        route("/eid/sign", sign)};
    routes[2].body_bytes = means.limits.card_files_body_bytes;
    return routes;
}

} // namespace symbolon::page

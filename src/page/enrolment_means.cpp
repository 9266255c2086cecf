#include "page/enrolment_means.hpp"

#include "action/symbols.hpp"
#include "base/ensure.hpp"
#include "base/text.hpp"
#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "enrolment/identification_token.hpp"
#include "enrolment/steps.hpp"

#include <algorithm>

namespace symbolon::page {

namespace {

using enrolment::Enrolment;

constexpr int most_attempts = 5;

/// A secret of an enrolment, always the same for the same use and generation.
Bytes derived(EnrolmentMeans const& means, std::string_view use, EnrolmentId const& id, int generation, std::uint32_t n)
{
    auto const text = std::string{use} + '/' + id.text() + '/' + std::to_string(generation) + '/' + std::to_string(n);
    return crypto::hmac_sha256(means.key, bytes_of(text));
}

} // namespace

Flow<StoredEnrolment> update(EnrolmentId id, std::function<Result<Enrolment>(Enrolment)> step, ports::Services services)
{
    for (int attempt = 1;; ++attempt) {
        auto stored = co_await services.enrolments.find(id);
        if (!stored) co_return fail(Outcome::enrolment_unknown);
        auto const next = co_await step(stored->value);
        auto const saved = co_await outcome_of(services.enrolments.save(changed(*stored, next)));
        if (saved) {
            services.wakeups.tell(ports::Wakeups::of(id));
            co_return StoredEnrolment{next, stored->version + 1};
        }
        if (saved.error().outcome != Outcome::conflict || attempt == most_attempts)
            co_return std::unexpected{saved.error()};
    }
}

Flow<StoredEnrolment> enrolment_of(http::Request request, ports::Services services)
{
    auto const cookie = request.cookie(enrolment_cookie);
    if (!cookie || cookie->size() > 128) co_return fail(Outcome::enrolment_unknown);
    auto found = co_await services.enrolments.find_by_browser(crypto::sha256(*cookie));
    if (!found) co_return fail(Outcome::enrolment_unknown);
    if (services.clock.now() >= found->value.expires_at) co_return fail(Outcome::enrolment_expired);
    co_return *std::move(found);
}

Flow<void> check_rate(http::Request request, std::string counted, EnrolmentMeans const& means, ports::Services services)
{
    constexpr Seconds window = 1min;
    auto const now = services.clock.now();
    auto const tried = co_await services.counters.add(
        std::move(counted), crypto::hmac_sha256(means.counter_key, bytes_of(request.remote_address)), window, now);
    if (tried > means.limits.lookups_a_minute_per_address)
        co_return fail_until(Outcome::too_many_requests, now + window);
    co_return {};
}

std::string origin_of(EnrolmentMeans const& means)
{
    auto const url = http::parse_url(means.id_url);
    if (!url) return means.id_url;
    auto const is_default =
        (url->scheme == "https" && url->port == "443") || (url->scheme == "http" && url->port == "80");
    auto without_port = *url;
    if (is_default) without_port.port.clear();
    return without_port.origin();
}

SecretText reader_ticket(EnrolmentMeans const& means, EnrolmentId const& id, int generation)
{
    return SecretText{crypto::base64url(derived(means, "reader-ticket", id, generation, 0))};
}

SecretText identification_token(EnrolmentMeans const& means, EnrolmentId const& id, int generation)
{
    return SecretText{enrolment::identification_token(
        [&](std::uint32_t n) { return derived(means, "identification-token", id, generation, n); })};
}

Result<Enrolment> with_new_link(Enrolment enrolment, EnrolmentMeans const& means, Instant now, crypto::Random& random)
{
    auto const ticket = reader_ticket(means, enrolment.id, enrolment.ticket_generation + 1);
    enrolment = TRY(enrolment::give_link(std::move(enrolment), crypto::sha256(ticket.reveal()), now, means.limits));
    if (enrolment.state == enrolment::State::card) {
        auto draw = action::draw_symbols({enrolment.symbol}, [&](std::uint32_t n) { return random.below(n); });
        enrolment.symbol = std::move(draw.right);
        enrolment.symbols = std::move(draw.shown);
    }
    return enrolment;
}

Result<Enrolment> with_new_token(Enrolment enrolment, EnrolmentMeans const& means, Instant now)
{
    auto const token = identification_token(means, enrolment.id, enrolment.token_generation + 1);
    return enrolment::give_token(std::move(enrolment), crypto::sha256(token.reveal()), now, means.limits);
}

contract::ContractData contract_data(Enrolment const& enrolment, EnrolmentMeans const& means, Instant at)
{
    ENSURE(enrolment.person.has_value());
    return {.language = enrolment.language,
            .operator_name = means.operator_name,
            .holder_name = enrolment.person->full_name(),
            .birth_date = enrolment.person->birth_date,
            .card_number = enrolment.source.document_number,
            .phone_number = enrolment.phone_number.e164(),
            .email = enrolment.email,
            .location_consent = enrolment.location_consent,
            .is_test_pki = means.is_test_system,
            .reference = enrolment.contract_id.text(),
            .at = at};
}

contract::Signer signer_of(Enrolment const& enrolment)
{
    return {.certificate = enrolment.signature_certificate,
            .chain = contract::split_certificates(enrolment.certificate_chain)};
}

Language language_of(http::Request const& request, Language otherwise)
{
    if (auto const asked = language_named(request.query.value("lang"))) return *asked;
    return accepted_language(request.header("accept-language"), otherwise);
}

Result<json::Object> json_body(http::Request const& request, std::initializer_list<std::string_view> members)
{
    auto const type = trimmed(split(request.header("content-type"), ';').front());
    if (!equal_ignoring_case(type, "application/json")) return fail(Outcome::content_type_unsupported);
    if (request.body.empty()) return json::Object{};
    auto object = TRY(json::parse_object(request.body));
    for (auto const& member : object)
        if (std::ranges::find(members, std::string_view{member.key()}) == members.end())
            return fail(Outcome::request_malformed, "a member that is not known");
    return object;
}

} // namespace symbolon::page

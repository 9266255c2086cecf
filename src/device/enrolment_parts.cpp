#include "device/enrolment_parts.hpp"

#include "crypto/hash.hpp"
#include "enrolment/sms_code.hpp"
#include "message/sms.hpp"

namespace symbolon::device {

using enrolment::Enrolment;
using ports::Services;
using ports::Stored;
using ports::Wakeups;

namespace {

constexpr std::size_t session_characters = 43;
constexpr int most_rounds = 5;

bool is_spending_limit(Outcome outcome)
{
    return outcome == Outcome::sms_limit_in_all || outcome == Outcome::sms_limit_of_prefix ||
           outcome == Outcome::sms_limit_of_number;
}

} // namespace

Flow<Stored<Enrolment>> enrolment_of_session(SecretText session, Services services)
{
    if (session.reveal().size() != session_characters) co_return fail(Outcome::enrolment_unknown);
    auto found = co_await services.enrolments.find_by_phone_session(crypto::sha256(session.reveal()));
    if (!found) co_return fail(Outcome::enrolment_unknown);
    co_return *std::move(found);
}

Flow<void> check_rate(std::string what, http::Request request, Services services, SharedSettings settings)
{
    auto const now = services.clock.now();
    constexpr Seconds window = 1min;
    auto const tried = co_await services.counters.add(
        std::move(what), crypto::hmac_sha256(settings->counter_key, bytes_of(request.remote_address)), window, now);
    if (tried > settings->limits.lookups_a_minute_per_address)
        co_return fail_until(Outcome::too_many_requests, now + window);
    co_return {};
}

Flow<Stored<Enrolment>> update_enrolment(EnrolmentId id, std::function<Result<Enrolment>(Enrolment)> step,
                                         Services services)
{
    for (int round = 1;; ++round) {
        auto stored = co_await services.enrolments.find(id);
        if (!stored) co_return fail(Outcome::enrolment_unknown);
        auto const next = co_await step(stored->value);
        auto const saved = co_await outcome_of(services.enrolments.save(changed(*stored, next)));
        if (saved) {
            tell_of(id, services);
            co_return Stored<Enrolment>{next, stored->version + 1};
        }
        if (saved.error().outcome != Outcome::conflict || round == most_rounds)
            co_return std::unexpected{saved.error()};
    }
}

void tell_of(EnrolmentId const& id, Services const& services) { services.wakeups.tell(Wakeups::of(id)); }

Flow<CodeToSend> prepare_code(Enrolment enrolment, Services services, SharedSettings settings)
{
    CodeToSend it{.enrolment = enrolment, .code = enrolment::sms_code(services.random.below(1'000'000))};
    auto const with_code =
        enrolment::send_sms_code(enrolment, crypto::sha256(it.code), services.clock.now(), settings->limits);
    if (!with_code) co_return it;
    auto const counted = co_await outcome_of(
        message::count_sms(enrolment.phone_number, settings->limits, settings->counter_key, services));
    if (counted) {
        it.enrolment = *with_code;
        it.is_due = true;
        co_return it;
    }
    if (!is_spending_limit(counted.error().outcome)) co_return std::unexpected{counted.error()};
    // The phone is told when it asks again.
    services.log.failure("sms", counted.error(), {});
    if (counted.error().outcome == Outcome::sms_limit_of_number) it.enrolment.sms_sent_at = with_code->sms_sent_at;
    it.over_the_limit = true;
    co_return it;
}

Flow<Enrolment> send_code(CodeToSend to_send, Services services, SharedSettings settings)
{
    auto& enrolment = to_send.enrolment;
    if (!to_send.is_due) co_return enrolment;
    auto const minutes = std::chrono::duration_cast<std::chrono::minutes>(settings->limits.sms_code_lifetime).count();
    auto const sent_at = enrolment.sms_sent_at.back();
    ports::Sms sms{.to = enrolment.phone_number,
                   .text = settings->texts.text(enrolment.language, "sms.code",
                                                {{"code", to_send.code}, {"minutes", std::to_string(minutes)}}),
                   .reference = message::sms_reference(enrolment.id, sent_at, settings->sms_key, services.random)};
    auto const sent = co_await outcome_of(services.messages.send_sms(std::move(sms)));
    if (sent) co_return enrolment;
    services.log.failure("sms", sent.error(), {});
    if (sent.error().outcome != Outcome::sms_not_sent) co_return enrolment;
    // The gateway's report of it may come at this moment.
    for (int rounds_left = 3; rounds_left > 0; --rounds_left) {
        auto const stored = co_await services.enrolments.find(enrolment.id);
        auto refused = stored ? enrolment::sms_refused(stored->value, sent_at) : std::nullopt;
        if (!refused) break;
        auto const saved = co_await outcome_of(services.enrolments.save(changed(*stored, *refused)));
        if (saved) co_return *std::move(refused);
        if (saved.error().outcome != Outcome::conflict) break;
    }
    enrolment.sms_lost = true;
    co_return enrolment;
}

http::Response answer(json::Object const& object) { return http::json(200, json::write(object)); }

} // namespace symbolon::device

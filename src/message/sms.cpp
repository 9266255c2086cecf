#include "message/sms.hpp"

#include "base/json.hpp"
#include "crypto/aead.hpp"
#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "enrolment/sms_code.hpp"

#include <algorithm>
#include <charconv>

namespace symbolon::message {

namespace {

using ports::Services;

constexpr std::string_view reference_purpose = "symbolon sms reference 1";
constexpr std::size_t longest_reference = 200;

/// One limit: how many within a window that begins at a multiple of its length.
struct Cap {
    std::string_view name; ///< of the counter and in the log
    std::string what;      ///< is counted
    Seconds window;
    int most;
    Outcome outcome;
};

/// The block of 10,000 numbers that a number lies in: what operators are given, and what pumping goes through.
std::string block_of(account::PhoneNumber const& number)
{
    constexpr std::size_t digits_in_block = 4;
    auto const& e164 = number.e164();
    return e164.substr(0, e164.size() - std::min(e164.size(), digits_in_block));
}

/// Counts one. Gives whether the limit lets it through.
Flow<bool> count(Cap cap, SecretBytes key, Services services)
{
    auto const counted = co_await services.counters.add(
        std::string{cap.name}, crypto::hmac_sha256(key, bytes_of(cap.what)), cap.window, services.clock.now());
    if (counted == cap.most + 1)
        services.log.event("sms_limit_reached", {{"limit", std::string{cap.name}},
                                                 {"most", std::to_string(cap.most)},
                                                 {"seconds", std::to_string(cap.window.count())}});
    co_return counted <= cap.most;
}

Instant end_of(Seconds window, Instant now) { return now - now.time_since_epoch() % window + window; }

std::optional<enrolment::SmsReport> report_of(std::string_view status)
{
    int value = 0;
    auto const [end, error] = std::from_chars(status.data(), status.data() + status.size(), value);
    if (error != std::errc{} || end != status.data() + status.size()) return std::nullopt;
    switch (value) {
    case 1: return enrolment::SmsReport::delivered;
    case 2:
    case 16: return enrolment::SmsReport::not_delivered;
    case 4:
    case 8: return enrolment::SmsReport::under_way;
    default: return std::nullopt;
    }
}

std::string_view name_of(enrolment::SmsReport report)
{
    switch (report) {
    case enrolment::SmsReport::delivered: return "delivered";
    case enrolment::SmsReport::not_delivered: return "not_delivered";
    case enrolment::SmsReport::under_way: return "under_way";
    }
    return "";
}

struct Reference {
    EnrolmentId enrolment;
    Instant sent_at;
};

Result<Reference> open_reference(std::string_view text, SecretBytes const& key)
{
    if (text.size() > longest_reference) return fail(Outcome::request_malformed, "no reference");
    auto const sealed = crypto::from_base64url(text);
    if (!sealed) return fail(Outcome::request_malformed, "no reference");
    auto const plain = crypto::open_with_key(key, *sealed, bytes_of(reference_purpose));
    if (!plain) return fail(Outcome::request_malformed, "no reference of ours");
    auto const object = TRY(json::parse_object(text_of(plain->reveal())));
    return Reference{EnrolmentId{TRY(json::text(object, "enrolment"))},
                     instant_of(TRY(json::integer(object, "sent_at")))};
}

} // namespace

Flow<void> count_sms(account::PhoneNumber number, Limits limits, SecretBytes key, Services services)
{
    constexpr Seconds hour = 1h;
    constexpr Seconds day = 24h;
    auto const now = services.clock.now();
    // The whole is counted first: who asks for more than his number may have uses up of it what his enrolment's own
    // limit lets him, which is little; the other way round, an hour in which nobody is sent anything would cost people
    // their day.
    for (auto const& cap : {
             Cap{"sms_in_all", "sms in all", hour, limits.sms_sends_an_hour_in_all, Outcome::sms_limit_in_all},
             Cap{"sms_in_all_a_day", "sms in all", day, limits.sms_sends_a_day_in_all, Outcome::sms_limit_in_all},
             Cap{"sms_to_prefix", "sms to block " + block_of(number), hour, limits.sms_sends_an_hour_to_one_prefix,
                 Outcome::sms_limit_of_prefix},
         })
        if (!co_await count(cap, key, services))
            co_return fail_until(cap.outcome, std::min(end_of(cap.window, now), now + limits.longest_wait));

    auto const to_number = "sms to " + number.e164();
    Cap const of_day{"sms_to_number", to_number, day, limits.sms_sends_a_day_to_one_number,
                     Outcome::sms_limit_of_number};
    if (co_await count(of_day, key, services)) co_return {};
    Cap const slowly{"sms_to_number_slowly", to_number, limits.longest_wait, 1, Outcome::sms_limit_of_number};
    if (!co_await count(slowly, key, services)) co_return fail_until(slowly.outcome, end_of(slowly.window, now));
    co_return {};
}

std::string sms_reference(EnrolmentId const& enrolment, Instant sent_at, SecretBytes const& key, crypto::Random& random)
{
    auto const plain = json::write(json::Object{{"enrolment", enrolment.text()}, {"sent_at", numeric_date(sent_at)}});
    return crypto::base64url(crypto::seal_with_key(key, bytes_of(plain), bytes_of(reference_purpose), random));
}

Flow<http::Response> take_report(http::Request request, SecretBytes key, Services services)
{
    auto const reference = co_await open_reference(request.query.value("reference"), key);
    auto const report = report_of(request.query.value("status"));
    if (!report) co_return fail(Outcome::request_malformed, "status");
    services.log.event("sms_report", {{"status", std::string{name_of(*report)}}});

    // The phone may take its next step at this moment.
    for (int rounds_left = 3; rounds_left > 0; --rounds_left) {
        auto const stored = co_await services.enrolments.find(reference.enrolment);
        if (!stored) break; // over since, and swept
        auto const reported = enrolment::sms_reported(stored->value, reference.sent_at, *report);
        if (!reported) break;
        auto const saved = co_await outcome_of(services.enrolments.save(ports::changed(*stored, *reported)));
        if (!saved && saved.error().outcome == Outcome::conflict) continue;
        if (!saved) co_return std::unexpected{saved.error()};
        services.wakeups.tell(ports::Wakeups::of(reference.enrolment));
        break;
    }
    co_return http::no_content();
}

http::Routes gateway_routes(SecretBytes const& key, Services services)
{
    http::Routes routes;
    routes.push_back({"GET", "/sms/report", [key, services](http::Request request) {
                          return take_report(std::move(request), key, services);
                      }});
    return routes;
}

} // namespace symbolon::message

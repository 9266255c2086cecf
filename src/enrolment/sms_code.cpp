#include "enrolment/sms_code.hpp"

#include "base/ensure.hpp"
#include "base/secret.hpp"
#include "base/text.hpp"
#include "enrolment/steps.hpp"

#include <algorithm>

namespace symbolon::enrolment {

namespace {

constexpr std::size_t code_digits = 6;

/// The sends that still count against the limit.
std::vector<Instant> recent_sends(Enrolment const& enrolment, Instant now, Limits const& limits)
{
    std::vector<Instant> recent;
    for (auto const at : enrolment.sms_sent_at)
        if (now < at + limits.sms_sends_window) recent.push_back(at);
    return recent;
}

/// When the limit of sends lets the next one through. The epoch: it does now.
Instant window_opens_at(std::vector<Instant> const& recent, Limits const& limits)
{
    auto const most = static_cast<std::size_t>(limits.sms_sends);
    if (recent.size() < most) return {};
    return recent.at(recent.size() - most) + limits.sms_sends_window;
}

bool is_last(Enrolment const& enrolment, Instant sent_at)
{
    return !enrolment.sms_sent_at.empty() && enrolment.sms_sent_at.back() == sent_at;
}

} // namespace

std::string six_digits(std::uint32_t number)
{
    ENSURE(number < 1'000'000);
    auto digits = std::to_string(number);
    return std::string(code_digits - digits.size(), '0') + digits;
}

std::optional<std::string> parse_six_digits(std::string_view typed)
{
    if (typed.size() > 20) return std::nullopt;
    std::string digits;
    for (auto const c : typed)
        if (c != ' ') digits += c;
    if (digits.size() != code_digits || !is_digits(digits)) return std::nullopt;
    return digits;
}

std::string sms_code(std::uint32_t number) { return six_digits(number); }

Result<std::string> parse_sms_code(std::string_view typed)
{
    auto digits = parse_six_digits(typed);
    if (!digits) return fail(Outcome::sms_code_wrong, "not the form of a code");
    return *std::move(digits);
}

Instant sms_again_at(Enrolment const& enrolment, Limits const& limits)
{
    if (enrolment.sms_sent_at.empty()) return {};
    auto const last = enrolment.sms_sent_at.back();
    auto const countdown = enrolment.sms_lost ? last : last + limits.sms_again_after;
    return std::max(countdown, window_opens_at(recent_sends(enrolment, last, limits), limits));
}

Result<Enrolment> send_sms_code(Enrolment enrolment, Bytes code_hash, Instant now, Limits const& limits)
{
    TRY(check_open(enrolment, now));
    if (enrolment.state != State::sms) return fail(Outcome::enrolment_step_wrong);

    auto recent = recent_sends(enrolment, now, limits);
    if (auto const opens = window_opens_at(recent, limits); now < opens)
        return fail_until(Outcome::tries_used_up, opens);
    if (!recent.empty() && !enrolment.sms_lost && now < recent.back() + limits.sms_again_after)
        return fail_until(Outcome::sms_too_soon, recent.back() + limits.sms_again_after);

    recent.push_back(now);
    enrolment.sms_sent_at = std::move(recent);
    enrolment.sms_code_hash = std::move(code_hash);
    enrolment.sms_code_expires_at = now + limits.sms_code_lifetime;
    enrolment.sms_tries = {};
    enrolment.sms_lost = false;
    if (enrolment.outcome == Outcome::sms_not_delivered) enrolment.outcome.reset();
    return enrolment;
}

std::optional<Enrolment> sms_refused(Enrolment enrolment, Instant sent_at)
{
    if (enrolment.state != State::sms || !is_last(enrolment, sent_at)) return std::nullopt;
    enrolment.sms_sent_at.pop_back();
    enrolment.sms_lost = true;
    return enrolment;
}

std::optional<Enrolment> sms_reported(Enrolment enrolment, Instant sent_at, SmsReport report)
{
    auto const lost = report == SmsReport::not_delivered;
    if (enrolment.state != State::sms || !is_last(enrolment, sent_at) || enrolment.sms_lost == lost)
        return std::nullopt;
    // Under way says nothing new; delivered takes back what was said too early.
    if (report == SmsReport::under_way) return std::nullopt;
    enrolment.sms_lost = lost;
    if (lost) enrolment.outcome = Outcome::sms_not_delivered;
    else if (enrolment.outcome == Outcome::sms_not_delivered) enrolment.outcome.reset();
    return enrolment;
}

Judged judge_sms_code(Enrolment enrolment, ByteView typed_hash, Instant now, Limits const& limits)
{
    auto const refuse = [&](std::unexpected<Failure> failure) {
        return Judged{std::move(enrolment), std::move(failure).error()};
    };
    if (auto const open = check_open(enrolment, now); !open) return {std::move(enrolment), open.error()};

    auto const right = !enrolment.sms_code_hash.empty() && equal_in_constant_time(typed_hash, enrolment.sms_code_hash);
    if (enrolment.state == State::code && right && now < enrolment.sms_code_expires_at)
        return {std::move(enrolment), std::nullopt};
    if (enrolment.state != State::sms) return refuse(fail(Outcome::enrolment_step_wrong));

    auto& tries = enrolment.sms_tries;
    auto const used_up = tries.failed >= limits.sms_code_tries;
    if (used_up && now < tries.open_at) return refuse(fail_until(Outcome::tries_used_up, tries.open_at));
    if (used_up || now >= enrolment.sms_code_expires_at) return refuse(fail(Outcome::sms_code_expired));
    if (!right) {
        tries.failed += 1;
        auto const left = limits.sms_code_tries - tries.failed;
        if (left > 0) return refuse(fail_with_tries(Outcome::sms_code_wrong, left));
        tries.open_at = std::max(now, sms_again_at(enrolment, limits));
        return refuse(fail_until(Outcome::tries_used_up, tries.open_at));
    }

    tries = {};
    auto moved = move(enrolment, Event::sms_given, now);
    ENSURE(moved.has_value());
    return {*std::move(moved), std::nullopt};
}

} // namespace symbolon::enrolment

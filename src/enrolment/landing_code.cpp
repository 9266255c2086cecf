#include "enrolment/landing_code.hpp"

#include "base/ensure.hpp"
#include "base/secret.hpp"
#include "base/text.hpp"
#include "enrolment/sms_code.hpp"
#include "enrolment/steps.hpp"

namespace symbolon::enrolment {

std::string landing_code(std::uint32_t number) { return six_digits(number); }

Result<std::string> parse_landing_code(std::string_view typed)
{
    auto digits = parse_six_digits(typed);
    if (!digits) return fail(Outcome::landing_code_wrong, "not the form of a code");
    return *std::move(digits);
}

Judged judge_landing_code(Enrolment enrolment, ByteView typed_hash, Instant now, Limits const& limits)
{
    auto const refuse = [&](std::unexpected<Failure> failure) {
        return Judged{std::move(enrolment), std::move(failure).error()};
    };
    auto const begin_anew = [&](std::unexpected<Failure> failure) {
        auto again = identify_again(enrolment, failure.error(), now);
        ENSURE(again.has_value());
        return Judged{*std::move(again), std::move(failure).error()};
    };
    if (auto const open = check_open(enrolment, now); !open) return refuse(std::unexpected{open.error()});

    auto const right =
        !enrolment.landing_code_hash.empty() && equal_in_constant_time(typed_hash, enrolment.landing_code_hash);
    auto const in_time = now < enrolment.ticket_expires_at;
    if (enrolment.state == State::sms && right && in_time) return {std::move(enrolment), std::nullopt};
    if (enrolment.state != State::landed) return refuse(fail(Outcome::enrolment_step_wrong));

    if (!in_time) return begin_anew(fail(Outcome::bank_visit_expired));
    if (!right) {
        enrolment.landing_tries.failed += 1;
        auto const left = limits.landing_code_tries - enrolment.landing_tries.failed;
        if (left > 0) return refuse(fail_with_tries(Outcome::landing_code_wrong, left));
        return begin_anew(fail_until(Outcome::tries_used_up, now));
    }

    auto moved = move(enrolment, Event::landing_code_given, now);
    ENSURE(moved.has_value());
    return {*std::move(moved), std::nullopt};
}

} // namespace symbolon::enrolment

#include "enrolment/identification_token.hpp"

#include "base/ensure.hpp"
#include "base/secret.hpp"
#include "enrolment/steps.hpp"

#include <algorithm>

namespace symbolon::enrolment {

namespace {

constexpr std::size_t token_length = 8;

/// Bytes from here on would make the first signs likelier than the last ones.
constexpr std::size_t fair_bytes = 256 / token_signs.size() * token_signs.size();

/// Whether an enrolment is in a state in which its page shows a token.
bool shows_token(State state) { return state == State::token || state == State::sms || state == State::code; }

bool is_one_of(std::string_view signs, char sign) { return signs.find(sign) != std::string_view::npos; }

bool has_every_kind(std::string_view token)
{
    auto const has = [&](auto const& kind) { return std::ranges::any_of(token, kind); };
    return has([](char c) { return c >= 'A' && c <= 'Z'; }) && has([](char c) { return c >= 'a' && c <= 'z'; }) &&
           has([](char c) { return is_one_of("+-*?=#", c); });
}

/// The tries, opened again when their wait is over.
Tries opened(Tries tries, Instant now)
{
    if (tries.open_at != Instant{} && now >= tries.open_at) return {};
    return tries;
}

} // namespace

std::string identification_token(std::function<Bytes(std::uint32_t n)> const& block)
{
    std::string token;
    for (std::uint32_t n = 0; n < 10'000; ++n) {
        auto const bytes = block(n);
        for (auto const byte : bytes) {
            if (byte >= fair_bytes) continue;
            token += token_signs[byte % token_signs.size()];
            if (token.size() < token_length) continue;
            if (has_every_kind(token)) return token;
            token.clear();
        }
    }
    broken_promise("a stream of random bytes has a token in it", std::source_location::current());
}

Result<Enrolment> give_token(Enrolment enrolment, Bytes token_hash, Instant now, Limits const& limits)
{
    TRY(check_open(enrolment, now));
    if (!shows_token(enrolment.state)) return fail(Outcome::enrolment_step_wrong);
    enrolment.token_tries = opened(enrolment.token_tries, now);
    if (enrolment.token_tries.open_at != Instant{})
        return fail_until(Outcome::tries_used_up, enrolment.token_tries.open_at);

    // The tries that failed so far still count: a fresh token is no way around the wait.
    enrolment.token_hash = std::move(token_hash);
    enrolment.token_generation += 1;
    enrolment.token_expires_at = now + limits.identification_token_lifetime;
    return enrolment;
}

Judged judge_token(Enrolment enrolment, ByteView typed_hash, Instant now, Limits const& limits)
{
    auto const refuse = [&](std::unexpected<Failure> failure) {
        return Judged{std::move(enrolment), std::move(failure).error()};
    };
    if (auto const open = check_open(enrolment, now); !open) return {std::move(enrolment), open.error()};
    if (!shows_token(enrolment.state)) return refuse(fail(Outcome::enrolment_step_wrong));

    auto& tries = enrolment.token_tries;
    tries = opened(tries, now);
    if (tries.open_at != Instant{}) return refuse(fail_until(Outcome::tries_used_up, tries.open_at));

    if (!equal_in_constant_time(typed_hash, enrolment.token_hash)) {
        tries.failed += 1;
        auto const left = limits.identification_token_tries - tries.failed;
        if (left > 0) return refuse(fail_with_tries(Outcome::identification_token_wrong, left));
        tries.open_at = now + limits.identification_token_wait;
        return refuse(fail_until(Outcome::tries_used_up, tries.open_at));
    }
    if (now >= enrolment.token_expires_at) return refuse(fail(Outcome::identification_token_expired));

    tries = {};
    auto moved = move(enrolment, Event::token_given, now);
    ENSURE(moved.has_value());
    return {*std::move(moved), std::nullopt};
}

} // namespace symbolon::enrolment

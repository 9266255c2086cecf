#include "page/person_check.hpp"

#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"

#include <array>

namespace symbolon::page {

namespace {

constexpr std::string_view algorithm = "PBKDF2/SHA-256";
constexpr int key_length = 32;
constexpr std::size_t nonce_bytes = 16;
constexpr std::size_t salt_bytes = 16;
constexpr std::size_t hex_digits = 2 * nonce_bytes;

/// What differs between two challenges of one check.
struct Parameters {
    Instant expires_at;
    std::string nonce; ///< hexadecimal
    std::string salt;
};

/// Names in the order of the alphabet: this is also what is signed.
json::Object write(Parameters const& parameters, PersonCheck const& check)
{
    return {{"algorithm", algorithm},  {"cost", check.cost},        {"expiresAt", numeric_date(parameters.expires_at)},
            {"keyLength", key_length}, {"keyPrefix", check.prefix}, {"nonce", parameters.nonce},
            {"salt", parameters.salt}};
}

std::string signature_of(json::Object const& parameters, PersonCheck const& check)
{
    return crypto::hex(crypto::hmac_sha256(check.key, bytes_of(json::write(parameters))));
}

/// The key of one counter. Password: nonce ‖ counter in 4 bytes, most significant first.
std::string derived_key(Bytes nonce, ByteView salt, std::uint32_t counter, int cost)
{
    for (auto const shift : {24U, 16U, 8U, 0U}) nonce.push_back(static_cast<Byte>(counter >> shift));
    return crypto::hex(crypto::pbkdf2_sha256(nonce, salt, cost, key_length));
}

struct Answer {
    json::Object given; ///< the parameters, all of them, as they came
    Parameters parameters;
    std::string signature;
    std::uint32_t counter = 0;
    std::string derived_key;
};

Result<Answer> parse(json::Object const& object)
{
    auto const challenge = TRY(json::object(object, "challenge"));
    auto parameters = TRY(json::object(challenge, "parameters"));
    auto const solution = TRY(json::object(object, "solution"));
    Answer answer{.given = {},
                  .parameters = {.expires_at = instant_of(TRY(json::integer(parameters, "expiresAt"))),
                                 .nonce = TRY(json::text(parameters, "nonce")),
                                 .salt = TRY(json::text(parameters, "salt"))},
                  .signature = TRY(json::text(challenge, "signature")),
                  .counter = 0,
                  .derived_key = TRY(json::text(solution, "derivedKey"))};
    auto const counter = TRY(json::integer(solution, "counter"));
    if (counter < 0 || counter > UINT32_MAX) return fail(Outcome::person_check_failed);
    answer.counter = static_cast<std::uint32_t>(counter);
    if (answer.parameters.nonce.size() != hex_digits || answer.parameters.salt.size() != hex_digits)
        return fail(Outcome::person_check_failed);
    answer.given = std::move(parameters);
    return answer;
}

} // namespace

json::Object make_challenge(PersonCheck const& check, crypto::Random& random, Instant now)
{
    Parameters const parameters{.expires_at = now + check.lifetime,
                                .nonce = crypto::hex(random.bytes(nonce_bytes)),
                                .salt = crypto::hex(random.bytes(salt_bytes))};
    auto written = write(parameters, check);
    auto signature = signature_of(written, check);
    return {{"parameters", std::move(written)}, {"signature", std::move(signature)}};
}

Flow<void> judge_person_check(json::Object answer, PersonCheck const& check, ports::Services services)
{
    auto const given = parse(answer);
    if (!given) co_return fail(Outcome::person_check_failed, "not the form of an answer");

    // The signature covers the parameters that we wrote, our own cost and prefix among them: whoever changes one, or
    // adds one, has another challenge.
    auto const ours = write(given->parameters, check);
    auto const expected = signature_of(ours, check);
    if (given->given != ours || !equal_in_constant_time(bytes_of(expected), bytes_of(given->signature)))
        co_return fail(Outcome::person_check_failed, "not our challenge");
    if (services.clock.now() >= given->parameters.expires_at) co_return fail(Outcome::person_check_failed, "too late");

    auto nonce = crypto::from_hex(given->parameters.nonce);
    auto const salt = crypto::from_hex(given->parameters.salt);
    if (!nonce || !salt) co_return fail(Outcome::person_check_failed, "no hexadecimal");
    auto const key = derived_key(*std::move(nonce), *salt, given->counter, check.cost);
    if (key != given->derived_key || !key.starts_with(check.prefix))
        co_return fail(Outcome::person_check_failed, "not solved");

    auto const first =
        co_await services.nonces.use("person_check", given->parameters.nonce, given->parameters.expires_at);
    if (!first) co_return fail(Outcome::person_check_failed, "used before");
    co_return {};
}

} // namespace symbolon::page

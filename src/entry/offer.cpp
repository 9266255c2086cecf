#include "entry/offer.hpp"

#include "base/ensure.hpp"
#include "base/text.hpp"
#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"

#include <charconv>

namespace symbolon::entry {

namespace {

using grant::SignIn;

constexpr std::size_t secret_bytes = 32;
constexpr std::size_t mac_bytes = 16; // of a code that is good for two seconds, or can be tried only by asking us
constexpr std::size_t longest_value = 128;

// No vowel but A and E, so that few words come out; none of 0 O Q D, 1 I L, 2 Z, 5 S, 6 G, 8 B, U V together.
constexpr std::string_view short_code_alphabet = "ACDEFHJKMNPRTWXY3479";
static_assert(short_code_alphabet.size() == 20);

std::string mac_of(SignIn const& sign_in, std::string_view use, std::string_view about, std::size_t size)
{
    ENSURE(offers(sign_in));
    // Ids and numbers hold no zero byte.
    auto input = to_bytes(use);
    for (auto const part : {std::string_view{sign_in.id.text()}, about}) {
        input.push_back(0);
        append(input, bytes_of(part));
    }
    auto mac = crypto::hmac_sha256(SecretBytes{sign_in.entry_secret}, input);
    mac.resize(size);
    return crypto::base64url(mac);
}

std::string qr_mac(SignIn const& sign_in, std::int64_t step)
{
    return mac_of(sign_in, "symbolon-qr-v1", std::to_string(step), mac_bytes);
}

std::string link_mac(SignIn const& sign_in) { return mac_of(sign_in, "symbolon-link-v1", {}, mac_bytes); }

std::int64_t step_at(SignIn const& sign_in, Instant now) { return (now - sign_in.offered_at) / qr_step; }

std::unexpected<Failure> unknown() { return fail(Outcome::entry_unknown, "no such entry"); }

bool is_mac(std::string_view given, std::string const& right)
{
    return equal_in_constant_time(bytes_of(given), bytes_of(right));
}

} // namespace

void make_offer(SignIn& sign_in, Instant now, crypto::Random& random)
{
    sign_in.entry_secret = random.bytes(secret_bytes);
    sign_in.offered_at = now;
    sign_in.short_code.clear();
    for (std::size_t i = 0; i < short_code_signs; ++i)
        sign_in.short_code += short_code_alphabet[random.below(short_code_alphabet.size())];
}

std::string qr_value(SignIn const& sign_in, Instant now)
{
    auto const step = step_at(sign_in, now);
    return sign_in.id.text() + '.' + std::to_string(step) + '.' + qr_mac(sign_in, step);
}

std::string link_value(SignIn const& sign_in) { return sign_in.id.text() + '.' + link_mac(sign_in); }

std::string return_value(SignIn const& sign_in, ActionId const& action)
{
    constexpr std::size_t whole = 32;
    return mac_of(sign_in, "symbolon-return-v1", action.text(), whole);
}

Result<Value> parse_qr_value(std::string_view text)
{
    auto const parts = split(text, '.');
    if (text.size() > longest_value || parts.size() != 3 || parts[0].empty()) return unknown();
    std::int64_t step = 0;
    auto const [end, error] = std::from_chars(parts[1].data(), parts[1].data() + parts[1].size(), step);
    if (error != std::errc{} || end != parts[1].data() + parts[1].size() || step < 0) return unknown();
    return Value{.sign_in = SignInId{std::string{parts[0]}}, .step = step, .mac = std::string{parts[2]}};
}

Result<Value> parse_link_value(std::string_view text)
{
    auto const parts = split(text, '.');
    if (text.size() > longest_value || parts.size() != 2 || parts[0].empty()) return unknown();
    return Value{.sign_in = SignInId{std::string{parts[0]}}, .step = {}, .mac = std::string{parts[1]}};
}

Result<void> check_qr(SignIn const& sign_in, Value const& value, Instant now)
{
    if (!offers(sign_in) || !value.step || !is_mac(value.mac, qr_mac(sign_in, *value.step))) return unknown();
    auto const age = step_at(sign_in, now) - *value.step;
    if (age < 0 || age >= qr_steps_accepted) return fail(Outcome::qr_too_old);
    return {};
}

Result<void> check_link(SignIn const& sign_in, Value const& value)
{
    if (!offers(sign_in) || value.step || !is_mac(value.mac, link_mac(sign_in))) return unknown();
    return {};
}

Result<std::string> parse_short_code(std::string_view typed)
{
    std::string code;
    for (auto sign : typed) {
        if (sign == ' ' || sign == '-') continue;
        if (sign >= 'a' && sign <= 'z') sign = static_cast<char>(sign - 'a' + 'A');
        if (!short_code_alphabet.contains(sign)) return unknown();
        code += sign;
    }
    if (code.size() != short_code_signs) return unknown();
    return code;
}

std::string grouped_short_code(std::string_view code)
{
    constexpr std::size_t half = short_code_signs / 2;
    return std::string{code.substr(0, half)} + '-' + std::string{code.substr(std::min(half, code.size()))};
}

} // namespace symbolon::entry

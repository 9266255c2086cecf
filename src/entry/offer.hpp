#pragma once

#include "base/instant.hpp"
#include "base/result.hpp"
#include "crypto/random.hpp"
#include "grant/sign_in.hpp"

#include <optional>
#include <string>
#include <string_view>

/// The ways from a page to a phone (D3): what the page of a sign-in offers, and what a phone makes of it.
namespace symbolon::entry {

/// How long one QR code is shown.
inline constexpr Seconds qr_step = 1s;
/// How many of them are good at one time: the one that is shown, and the one before it, which may be on its way.
inline constexpr std::int64_t qr_steps_accepted = 2;
/// Signs of a short code. 20 to choose from: over 2³⁴ codes.
inline constexpr std::size_t short_code_signs = 8;

/// Gives a sign-in something new to offer; what it offered before is no longer good.
void make_offer(grant::SignIn& sign_in, Instant now, crypto::Random& random);

/// Whether the page has something to offer: sign-ins of programs before this one have not.
inline bool offers(grant::SignIn const& sign_in) { return !sign_in.entry_secret.empty(); }

/// What the QR code says at that time: "ID.STEP.MAC" (docs/device-protocol.md §5). Needs offers(sign_in).
std::string qr_value(grant::SignIn const& sign_in, Instant now);

/// What the link on the same device says: "ID.MAC". Needs offers(sign_in).
std::string link_value(grant::SignIn const& sign_in);

/// What the phone is given when a link was approved, and brings back to the page with its browser: 43 signs. Whoever
/// has the link alone can't make it. Needs offers(sign_in).
std::string return_value(grant::SignIn const& sign_in, ActionId const& action);

/// A value as a phone gives it back.
struct Value {
    SignInId sign_in;
    std::optional<std::int64_t> step; ///< of a QR code
    std::string mac;
};

/// Fails with entry_unknown: not of the one form.
Result<Value> parse_qr_value(std::string_view text);
Result<Value> parse_link_value(std::string_view text);

/// Whether this QR code is, or was a moment ago, on the page of the sign-in that it names. Fails: entry_unknown (none
/// of ours), qr_too_old (or, by a clock that goes wrong, too new).
Result<void> check_qr(grant::SignIn const& sign_in, Value const& value, Instant now);

/// Fails with entry_unknown.
Result<void> check_link(grant::SignIn const& sign_in, Value const& value);

/// A short code as it was typed: small letters, spaces and hyphens mean nothing. Fails with entry_unknown: it can't be
/// one.
Result<std::string> parse_short_code(std::string_view typed);

/// "ABCD-EFGH".
std::string grouped_short_code(std::string_view code);

} // namespace symbolon::entry

#pragma once

#include "account/phone_number.hpp"
#include "base/http.hpp"
#include "crypto/jws.hpp"
#include "oidc/provider.hpp"
#include "ports/services.hpp"

/// What happens between the authorization request and the way back: the browser waits while a phone is asked (D1).
namespace symbolon::oidc {

/// Where a sign-in stands, as far as the browser that began it may know.
struct Standing {
    enum class At : std::uint8_t {
        form,      ///< the page offers its ways to a phone
        waiting,   ///< a phone is asked, or none, and nobody can tell the difference (D7)
        shown,     ///< a phone shows the question
        returning, ///< a phone approved what a link opened; this browser has yet to show that it is on the same device
        approved,  ///< the way back leads to a code
        ended,     ///< it leads to an error, or a new try
        finished,  ///< the browser was sent back
    };
    At at = At::form;
    std::optional<Outcome> outcome; ///< ended: why
};

/// "waiting" and so on.
std::string_view name_of(Standing::At at);

/// The rule behind it. What a phone did that tells of the account (a code that is blocked, a suspected clone) looks
/// like a phone that does not answer: it ends when the action's time is over.
Standing standing_of(grant::SignIn const& sign_in, action::Action const* action, Instant now);

/// The network of a browser's machine as action::Origin keeps it: 32 bytes that tell nothing of the address.
Bytes network_of(std::string const& address, Provider const& provider);

/// A sign-in with what belongs to it.
struct FoundSignIn {
    ports::Stored<grant::SignIn> sign_in;
    std::optional<ports::Stored<action::Action>> action;
    partner::Client client;

    [[nodiscard]] Standing standing(Instant now) const
    {
        return standing_of(sign_in.value, action ? &action->value : nullptr, now);
    }
};

/// A sign-in, for the browser that began it. `browser`: its cookie. Changes nothing.
/// Fails: sign_in_unknown, sign_in_of_other_browser.
Flow<FoundSignIn> find_sign_in(SignInId id, std::optional<std::string> browser, ports::Services services);

/// Whom to ask, and what the phone says of who asks.
struct Question {
    account::PhoneNumber number;
    std::string address; ///< of the browser's machine, for limits
    std::string browser; ///< "Firefox – Linux"
};

/// Asks the phone of that number, if there is one that can be asked; else does the same without one, and takes as long.
/// While an action is open, nothing happens. Fails: sign_in_finished, sign_in_expired, too_many_requests, conflict.
Flow<void> ask_phone(FoundSignIn found, Question question, Provider const& provider, ports::Services services);

/// Back to the form: another number, or a new try. An open action ends. Fails: sign_in_finished, sign_in_expired,
/// conflict.
Flow<void> ask_again(FoundSignIn found, ports::Services services);

/// The person does not want to sign in here after all. An open action ends; the way back leads to access_denied.
/// Fails: sign_in_finished, conflict.
Flow<void> cancel_sign_in(FoundSignIn found, ports::Services services);

/// The way back to the client: a URL with a code once the phone has approved, or with an error once it will not.
/// Nothing while it is still open. Whoever takes it finishes the sign-in: it is given once. Fails: sign_in_finished,
/// conflict.
Flow<std::optional<std::string>> way_back(FoundSignIn found, Provider const& provider, ports::Services services);

/// The browser comes back from the phone with what the phone was given there (entry::return_value).
struct Return {
    SignInId sign_in;
    std::optional<std::string> browser; ///< its cookie
    std::string proof;
};

/// What a return leads to.
enum class Returned : std::uint8_t {
    here,      ///< it is the browser that began: the approval counts, or counted already
    elsewhere, ///< it is another one, and learns nothing: the page that began goes on after the symbol
};

/// Ties an approved link to the browser that began, if this is it. Another one is noted, so that phone and page ask for
/// the symbol: a link that was forwarded logs nobody in but who is at the page (design.md §6).
/// Fails: sign_in_unknown, conflict.
Flow<Returned> come_back(Return back, crypto::SigningKey const& record_key, ports::Services services);

/// Events `state` with data {"at": …, "outcome"?: …}: one at once and one for each change, until there will be none.
/// While the page offers its QR code, also events `qr`, one for each step, with what it says as data: `app_url`, then
/// "#qr=" and entry::qr_value.
Flow<void> tell_standing(SignInId id, std::string app_url, Provider const& provider, ports::Services services,
                         http::EventSink& sink);

} // namespace symbolon::oidc

#pragma once

#include "base/http.hpp"
#include "base/texts.hpp"
#include "crypto/jws.hpp"
#include "oidc/provider.hpp"
#include "ports/services.hpp"

namespace symbolon::page {

/// What the sign-in pages are made of. Lives as long as the routes.
struct SignInPages {
    oidc::Provider const& provider;
    Texts const& texts;
    std::string app_url;                  ///< "https://phone.example/app/": what QR codes and links open
    crypto::SigningKey const& record_key; ///< completes approval records
    bool is_test_system = false;          ///< virtual cards are accepted: every page says so
};

/// What browsers of people ask of the id origin on their way through a login (docs/partners.md, design.md §6):
///
/// - GET and POST /authorize: makes a sign-in, 303 to its page; what may not be sent to the partner is shown here;
/// - GET /sign-in/{id}: the page; looking at it changes nothing. `?by=code` shows the short code alone, for browsers
/// without a script;
/// - POST /sign-in/{id}: form with `continue`, `restart` or `cancel`; 303 to the page, or the form again with its
/// error;
/// - GET /sign-in/{id}/events: server-sent events (oidc::tell_standing);
/// - GET /sign-in/{id}/continue: 303 to the partner, once;
/// - GET /sign-in/{id}/return: where a phone sends its browser after a link was approved, with the proof of it behind
/// `#`; POST the same with the form's `proof` (oidc::come_back). Any browser may ask: one that did not begin the
/// sign-in is told to go back to the one that did, and nothing else.
///
/// Every failure is a page; nothing escapes, except from the stream of events.
http::Routes sign_in_routes(SignInPages const& pages, ports::Services services);

} // namespace symbolon::page

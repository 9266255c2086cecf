#pragma once

#include "base/http.hpp"
#include "base/instant.hpp"
#include "base/texts.hpp"

#include <optional>
#include <string>

/// The sign-in pages as they are sent. They work without a script; with one (/assets/sign-in.js) they go on sooner.
///
/// What automation and the script may rely on:
///
/// - form: `<form>` with select `calling_code`, input `identifier`, buttons `continue` and `cancel`;
/// - waiting: `<section id="waiting" data-events data-continue data-expires>`, the symbol's id in its `data-symbol`,
/// button
///   `restart` (another number) and `cancel`; `#status` (role=status) says where it stands, `#countdown` the minutes
///   left;
/// - leaving: `<section id="leaving" data-continue>`;
/// - ended: button `restart` (a new try), link `#back` (to the partner);
/// - whatever went wrong: its outcome in `<code id="error">`, its sentence in `#error-text`.
namespace symbolon::page {

/// What every page of a sign-in is drawn from.
struct SignInFrame {
    Language language = Language::fr;
    std::string path;             ///< "/sign-in/ID"
    std::optional<Language> lang; ///< that the URL asked for; every link keeps it
    std::string partner;          ///< its name in that language
    std::string domain;
    bool is_test_system = false;
};

struct NumberForm {
    std::string calling_code = "32";
    std::string identifier;       ///< as it was typed
    std::optional<Outcome> error; ///< of what was typed
};
std::string form_page(SignInFrame const& frame, NumberForm const& form, Texts const& texts);

struct Waiting {
    std::string symbol;
    std::string typed_hint; ///< the last digits of what was typed
    bool is_shown = false;
    Instant asked_at;
    Instant expires_at;
};
std::string waiting_page(SignInFrame const& frame, Waiting const& waiting, Instant now, Texts const& texts);

enum class Leaving : std::uint8_t { approved, cancelled };
std::string leaving_page(SignInFrame const& frame, Leaving why, Texts const& texts);

std::string ended_page(SignInFrame const& frame, Outcome outcome, Texts const& texts);

/// A page about something that belongs to no sign-in, or to none that this browser may see.
std::string error_page(Language language, Outcome outcome, bool is_test_system, Texts const& texts);

} // namespace symbolon::page

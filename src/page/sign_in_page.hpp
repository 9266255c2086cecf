#pragma once

#include "action/action.hpp"
#include "base/http.hpp"
#include "base/instant.hpp"
#include "base/texts.hpp"

#include <optional>
#include <string>

/// The sign-in pages as they are sent. They work without a script; with one (/assets/sign-in.js) they go on sooner.
///
/// What automation and the script may rely on:
///
/// - form: `<form>` with select `calling_code`, input `identifier`, buttons `continue` and `cancel`; around it
///   `<section id="entry" data-events data-first>` with the other ways: `#qr` (drawn by the script), `#short-code` with
///   the code in `data-code`, link `#open-app`; `data-first` names the way that stands first: qr, number or link;
/// - waiting: `<section id="waiting" data-at data-events data-continue data-expires>`, the symbol's id in its
///   `data-symbol` where there is one to pick, button `restart` (another way) and `cancel`; `#status` (role=status)
///   says where it stands, `#countdown` the minutes left; link `#open-app` where a link began it;
/// - return: `<section id="return" data-here>` (or `data-elsewhere`) with a form for the `proof`;
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

/// The ways to a phone that a page offers (D3).
enum class Way : std::uint8_t { qr, number, link };
std::string_view name_of(Way way);
std::optional<Way> way_named(std::string_view name);

struct Offer {
    Way first = Way::qr;    ///< what stands at the top
    std::string short_code; ///< "ABCD-EFGH"; empty: nothing but the number is offered
    std::string link;       ///< opens the app
};
std::string form_page(SignInFrame const& frame, NumberForm const& form, Offer const& offer, Texts const& texts);

/// The short code alone, on a page that looks for the answer by itself without a script.
std::string code_page(SignInFrame const& frame, Offer const& offer, Texts const& texts);

struct Waiting {
    action::Entry entry = action::Entry::number;
    enum class At : std::uint8_t { waiting, shown, returning } at = At::waiting;
    std::string symbol;     ///< that is to be picked; empty: none
    std::string typed_hint; ///< the last digits of what was typed
    std::string link;       ///< opens the app; of Entry::link
    Instant asked_at;
    Instant expires_at;
};
std::string waiting_page(SignInFrame const& frame, Waiting const& waiting, Instant now, Texts const& texts);

/// `returned`: in a tab that came back from the phone. It gives the one that began a moment to go on first.
enum class Leaving : std::uint8_t { approved, returned, cancelled };
std::string leaving_page(SignInFrame const& frame, Leaving why, Texts const& texts);

std::string ended_page(SignInFrame const& frame, Outcome outcome, Texts const& texts);

/// A phone sent this browser here. `frame`: of the browser that began; without one it is another browser, which learns
/// nothing but to go back.
std::string return_page(std::string const& path, std::optional<SignInFrame> const& frame, Language language,
                        bool is_test_system, Texts const& texts);

/// The sign-in went on, in another tab perhaps.
std::string finished_page(Language language, bool is_test_system, Texts const& texts);

/// A page about something that belongs to no sign-in, or to none that this browser may see.
std::string error_page(Language language, Outcome outcome, bool is_test_system, Texts const& texts);

} // namespace symbolon::page

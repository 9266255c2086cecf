#include "page/sign_in_page.hpp"

#include "action/symbols.hpp"
#include "page/brand.hpp"
#include "page/calling_codes.hpp"
#include "page/html.hpp"
#include "page/words.hpp"

#include <algorithm>
#include <array>
#include <memory>

namespace symbolon::page {

namespace {

std::string query_of(SignInFrame const& frame)
{
    return frame.lang ? "?lang=" + std::string{name_of(*frame.lang)} : "";
}

Html assets()
{
    auto head = element("link", {{"rel", "stylesheet"}, {"href", "/assets/sign-in.css"}});
    head += element("script", {{"src", "/assets/sign-in.js"}, {"type", "module"}});
    return head;
}

Html error_message(Words const& words, Outcome outcome)
{
    auto const sentence = element("p", {{"id", "error-text"}}, {text(words.texts.text(words.language, outcome))});
    auto const code = element("p", {}, {element("code", {{"id", "error"}}, {text(name_of(outcome))})});
    return element("div", {{"role", "alert"}, {"class", "notice bad"}}, {element("div", {}, {sentence, code})});
}

Html language_links(SignInFrame const& frame, Words const& words)
{
    constexpr std::array<std::string_view, all_languages.size()> own_names{"Français", "Nederlands", "Deutsch",
                                                                           "English"};
    Html items;
    for (auto const language : all_languages) {
        std::string const name{name_of(language)};
        auto const own_name = own_names.at(static_cast<std::size_t>(language));
        items += element("li", {},
                         {element("a",
                                  {{"href", frame.path + "?lang=" + name},
                                   {"hreflang", name},
                                   {"lang", name},
                                   {language == frame.language ? "aria-current" : "", "true"}},
                                  {element("span", {{"aria-hidden", "true"}}, {text(name)}),
                                   element("span", {{"class", "visually-hidden"}}, {text(own_name)})})});
    }
    return element("nav", {{"aria-label", words.plain("languages")}},
                   {element("ul", {{"class", "languages"}}, {items})});
}

Html body_of(Words const& words, Html const& header, Html const& main, bool is_test_system)
{
    auto body = element("a", {{"class", "skip"}, {"href", "#content"}}, {words("skip")});
    body += element("header", {{"class", "top"}}, {header});
    body += element("main", {{"id", "content"}, {"tabindex", "-1"}}, {main});
    body += test_banner(words.language, words.texts, is_test_system);
    return body;
}

std::string page_of(SignInFrame const& frame, Words const& words, Html const& more_head, Html const& main)
{
    auto head = assets();
    head += more_head;
    auto header = brand();
    header += language_links(frame, words);
    return document(frame.language, words.plain("title", {{"partner", frame.partner}}), head,
                    body_of(words, header, main, frame.is_test_system));
}

Html button(std::string_view name, Html const& label, std::string const& kind)
{
    // Whoever cancels need not have typed a number.
    return element("button",
                   {{"type", "submit"},
                    {"name", std::string{name}},
                    {"value", "1"},
                    {"class", kind},
                    flag("formnovalidate", name != "continue")},
                   {label});
}

Html form_to(SignInFrame const& frame, Html const& content)
{
    return element("form", {{"method", "post"}, {"action", frame.path + query_of(frame)}, {"class", "stack"}},
                   {content});
}

Html option(CallingCode const& country, bool is_chosen)
{
    return element("option", {{"value", country.code}, flag("selected", is_chosen)}, {text(country.text)});
}

/// The countries of calling_code_choice() as they look when they are not chosen: the longest part of the page, and
/// always the same.
std::vector<Html> const& country_options(Language language)
{
    static auto const all = [] {
        std::array<std::vector<Html>, all_languages.size()> made;
        for (auto const each : all_languages)
            for (auto const& country : calling_code_choice(each))
                made.at(static_cast<std::size_t>(each)).push_back(option(country, false));
        return made;
    }();
    return all.at(static_cast<std::size_t>(language));
}

Html country_choice(Words const& words, std::string const& chosen)
{
    auto const choice = calling_code_choice(words.language);
    auto const& options = country_options(words.language);
    // Several countries share a code: the first one of it is shown as chosen.
    auto const first = static_cast<std::size_t>(std::ranges::find(choice, chosen, &CallingCode::code) - choice.begin());
    auto const group = [&](std::string const& label, std::size_t begin, std::size_t end) {
        Html inside;
        for (auto at = begin; at < end; ++at) inside += at == first ? option(choice[at], true) : options.at(at);
        return element("optgroup", {{"label", words.plain(label)}}, {inside});
    };
    return element("select", {{"id", "calling_code"}, {"name", "calling_code"}, {"autocomplete", "tel-country-code"}},
                   {group("near", 0, near_countries), group("all_countries", near_countries, choice.size())});
}

/// A notification comes within a second or two; who waits longer is told what to do (sign-in.js says it then too).
constexpr Seconds hint_after = 8s;

std::string minutes_and_seconds(Seconds left)
{
    constexpr int minute = 60;
    auto const seconds = std::to_string(left.count() % minute);
    return std::to_string(left.count() / minute) + (seconds.size() < 2 ? ":0" : ":") + seconds;
}

} // namespace

std::string_view name_of(Way way)
{
    switch (way) {
    case Way::qr: return "qr";
    case Way::number: return "number";
    case Way::link: return "link";
    }
    return "qr";
}

std::optional<Way> way_named(std::string_view name)
{
    for (auto const way : {Way::qr, Way::number, Way::link})
        if (name_of(way) == name) return way;
    return std::nullopt;
}

namespace {

Html way_section(Way way, Html const& content)
{
    return element("section", {{"id", "by-" + std::string{name_of(way)}}, {"class", "card way"}}, {content});
}

/// The short code, sign by sign for those who listen.
Html code_shown(std::string const& code)
{
    std::string spelled;
    for (auto const sign : code)
        if (sign != '-') spelled += std::string{spelled.empty() ? "" : " "} + sign;
    return element("p", {{"id", "short-code"}, {"class", "short-code"}, {"data-code", code}},
                   {element("span", {{"aria-hidden", "true"}}, {text(code)}),
                    element("span", {{"class", "visually-hidden"}}, {text(spelled)})});
}

Html qr_section(SignInFrame const& frame, Offer const& offer, Words const& words)
{
    auto inside = element("h2", {}, {words("by_qr")});
    inside += element("p", {}, {words("by_qr_text")});
    // The picture's place is there before, while and after it is shown, so that nothing around it moves.
    auto const picture =
        element("div", {{"id", "qr"}, {"class", "qr"}, {"data-label", words.plain("qr_label")}, flag("hidden", true)});
    auto const lost = element("p", {{"id", "qr-lost"}, {"class", "hint"}, flag("hidden", true)}, {words("qr_lost")});
    auto const needs_script = element("noscript", {}, {element("p", {{"class", "hint"}}, {words("qr_needs_script")})});
    inside += element("div", {{"class", "qr-place"}}, {picture, lost, needs_script});
    inside += element("p", {}, {words("by_code")});
    inside += code_shown(offer.short_code);
    std::string const lang = frame.lang ? "&lang=" + std::string{name_of(*frame.lang)} : "";
    inside += element("noscript", {},
                      {element("p", {},
                               {element("a", {{"id", "code-typed"}, {"href", frame.path + "?by=code" + lang}},
                                        {words("code_typed")})})});
    return way_section(Way::qr, inside);
}

Html app_link(Words const& words, std::string const& link, std::string const& kind)
{
    return element("p", {}, {element("a", {{"id", "open-app"}, {"class", kind}, {"href", link}}, {words("open_app")})});
}

Html link_section(Offer const& offer, Words const& words)
{
    auto inside = element("h2", {}, {words("by_link")});
    inside += element("p", {}, {words("by_link_text")});
    inside += app_link(words, offer.link, offer.first == Way::link ? "button main" : "button");
    return way_section(Way::link, inside);
}

Html number_section(SignInFrame const& frame, NumberForm const& form, bool is_first, Words const& words)
{
    auto const country = element("div", {{"class", "field"}},
                                 {element("label", {{"for", "calling_code"}}, {words("calling_code")}),
                                  country_choice(words, form.calling_code)});
    auto const number = element("div", {{"class", "field"}},
                                {element("label", {{"for", "identifier"}}, {words("number")}),
                                 element("input", {{"id", "identifier"},
                                                   {"name", "identifier"},
                                                   {"type", "tel"},
                                                   {"inputmode", "tel"},
                                                   {"autocomplete", "tel-national"},
                                                   {"maxlength", "40"},
                                                   {"value", form.identifier},
                                                   {"aria-describedby", form.error ? "error-text hint" : "hint"},
                                                   {form.error ? "aria-invalid" : "", "true"},
                                                   flag("required", true)})});
    auto fields = element("div", {{"class", "number-fields"}}, {country, number});
    fields += element("p", {{"id", "hint"}, {"class", "hint"}}, {words("number_help")});
    fields += element("div", {{"class", "row"}},
                      {button("continue", words("continue"), is_first ? "button main" : "button"),
                       button("cancel", words("cancel"), "button plain")});
    auto inside = element("h2", {}, {words("by_number")});
    if (form.error) inside += error_message(words, *form.error);
    inside += form_to(frame, fields);
    return way_section(Way::number, inside);
}

Html entry_section(SignInFrame const& frame, Way first, Html const& ways)
{
    return element("section",
                   {{"id", "entry"},
                    {"class", "stack"},
                    {"data-first", std::string{name_of(first)}},
                    {"data-events", frame.path + "/events" + query_of(frame)}},
                   {ways});
}

/// Loads the page again for browsers without a script.
Html reload() { return element("noscript", {}, {element("meta", {{"http-equiv", "refresh"}, {"content", "3"}})}); }

} // namespace

std::string form_page(SignInFrame const& frame, NumberForm const& form, Offer const& offer, Texts const& texts)
{
    Words const words{"sign_in", frame.language, texts};
    Texts::Values const partner{{"partner", frame.partner}};

    auto main = element("h1", {{"class", "partner-name"}}, {words("title", partner)});
    main += element("p", {{"class", "lead"}}, {words("intro", partner)});
    if (!frame.domain.empty()) main += element("p", {{"class", "soft"}}, {words("site", {{"domain", frame.domain}})});

    // What was typed and is wrong stays in sight.
    auto const offers = !offer.short_code.empty();
    auto const first = form.error || !offers ? Way::number : offer.first;
    Html ways;
    auto const add = [&](Way way) {
        if (way == Way::number) ways += number_section(frame, form, first == Way::number, words);
        if (way == Way::qr && offers) ways += qr_section(frame, offer, words);
        if (way == Way::link && offers) ways += link_section(offer, words);
    };
    // Whoever is on the phone itself can scan nothing, but has a number.
    auto const order =
        first == Way::link ? std::array{Way::link, Way::number, Way::qr} : std::array{Way::qr, Way::number, Way::link};
    add(first);
    for (auto const way : order)
        if (way != first) add(way);
    main += entry_section(frame, first, ways);

    main += element("p", {{"class", "soft"}}, {words("never_told")});
    main +=
        element("p", {{"class", "soft"}},
                {words("no_account"), text(" "),
                 element("a", {{"href", "/" + std::string{name_of(frame.language)} + "/enrol/"}}, {words("enrol")})});
    return page_of(frame, words, {}, main);
}

std::string code_page(SignInFrame const& frame, Offer const& offer, Texts const& texts)
{
    Words const words{"sign_in", frame.language, texts};
    auto inside = element("h1", {{"class", "partner-name"}}, {words("title", {{"partner", frame.partner}})});
    inside += element("p", {}, {words("by_code")});
    inside += code_shown(offer.short_code);
    inside += element("p", {{"role", "status"}}, {words("waiting")});
    inside += element("noscript", {}, {element("p", {{"class", "hint"}}, {words("reloads")})});
    inside += element(
        "p", {}, {element("a", {{"id", "other-ways"}, {"href", frame.path + query_of(frame)}}, {words("other_way")})});
    return page_of(frame, words, reload(), entry_section(frame, Way::qr, inside));
}

std::string waiting_page(SignInFrame const& frame, Waiting const& waiting, Instant now, Texts const& texts)
{
    using At = Waiting::At;
    using action::Entry;
    Words const words{"sign_in", frame.language, texts};
    auto const left = minutes_and_seconds(std::max(Seconds{0}, waiting.expires_at - now));
    auto const is_returning = waiting.at == At::returning;
    auto const is_link = waiting.entry == Entry::link;
    // A page without a script is fetched again every few seconds; one with a script shows the hint by itself.
    auto const is_late = waiting.at == At::waiting && now - waiting.asked_at >= hint_after;

    Html symbol;
    if (!waiting.symbol.empty()) {
        auto const picture = element("svg", {{"class", "symbol"}, {"viewBox", "0 0 256 256"}, {"aria-hidden", "true"}},
                                     {element("use", {{"href", "/assets/symbols.svg#" + waiting.symbol}})});
        symbol = element("p", {{"class", "symbol-shown"}},
                         {picture, element("span", {{"class", "symbol-name"}},
                                           {text(action::symbol_name(waiting.symbol, frame.language))})});
    }

    auto inside = element("h1", {},
                          {words(is_returning ? "returning_title"
                                 : is_link    ? "link_title"
                                              : "waiting_title")});
    if (!waiting.typed_hint.empty())
        inside += element("p", {}, {words("waiting_number", {{"digits", waiting.typed_hint}})});
    if (waiting.entry == Entry::qr || waiting.entry == Entry::code) inside += element("p", {}, {words("claimed")});
    if (is_returning) {
        inside += element("p", {}, {words("returning_text")});
        inside += symbol;
        inside += element("p", {{"class", "soft"}}, {words("returning_warning")});
    } else {
        auto steps = is_link ? Html{} : element("li", {}, {words("step_open")});
        steps += element("li", {}, {words("step_check", {{"partner", frame.partner}})});
        if (!waiting.symbol.empty()) steps += element("li", {}, {words("step_symbol"), symbol});
        else steps += element("li", {}, {words(is_link ? "step_return" : "step_answer")});
        inside += element("ol", {{"class", "steps-list"}}, {steps});
    }
    if (is_link) inside += app_link(words, waiting.link, is_returning ? "button" : "button main");
    inside += element("p",
                      {{"id", "status"},
                       {"role", "status"},
                       {"data-shown", words.plain("shown")},
                       {"data-approved", words.plain("approved")}},
                      {words(waiting.at == At::shown ? "shown" : "waiting")});
    inside += element("p", {{"id", "countdown"}, {"data-text", words.plain("time", {{"time", "{time}"}})}},
                      {words("time", {{"time", left}})});
    inside += element("p", {{"id", "announce"}, {"role", "status"}, {"class", "visually-hidden"}});
    if (waiting.entry == Entry::number)
        inside += element("p", {{"id", "hint"}, {"class", "hint"}, flag("hidden", !is_late)}, {words("hint")});
    inside += element("noscript", {}, {element("p", {{"class", "hint"}}, {words("reloads")})});
    inside += form_to(frame, element("div", {{"class", "row"}},
                                     {button("restart", words("other_way"), "button"),
                                      button("cancel", words("cancel"), "button plain")}));
    constexpr std::array<std::string_view, 3> names{"waiting", "shown", "returning"};
    auto const main = element("section",
                              {{"id", "waiting"},
                               {"class", "stack"},
                               {"data-at", std::string{names.at(static_cast<std::size_t>(waiting.at))}},
                               {"data-events", frame.path + "/events" + query_of(frame)},
                               {"data-continue", frame.path + "/continue" + query_of(frame)},
                               {"data-expires", std::to_string(numeric_date(waiting.expires_at))},
                               {waiting.symbol.empty() ? "" : "data-symbol", waiting.symbol}},
                              {inside});
    return page_of(frame, words, reload(), main);
}

std::string leaving_page(SignInFrame const& frame, Leaving why, Texts const& texts)
{
    Words const words{"sign_in", frame.language, texts};
    Texts::Values const partner{{"partner", frame.partner}};
    auto const next = frame.path + "/continue" + query_of(frame);
    auto inside = element("h1", {}, {words("leaving_title", partner)});
    inside += element("p", {{"role", "status"}},
                      {words(why == Leaving::cancelled ? "leaving_cancelled" : "leaving_approved", partner)});
    inside +=
        element("p", {}, {element("a", {{"id", "back"}, {"class", "button main"}, {"href", next}}, {words("go_on")})});
    auto const main = element("section", {{"id", "leaving"}, {"class", "stack"}, {"data-continue", next}}, {inside});
    std::string const after = why == Leaving::returned ? "2" : "0";
    return page_of(frame, words, element("meta", {{"http-equiv", "refresh"}, {"content", after + "; url=" + next}}),
                   main);
}

std::string ended_page(SignInFrame const& frame, Outcome outcome, Texts const& texts)
{
    Words const words{"sign_in", frame.language, texts};
    auto inside = element("h1", {}, {words("ended_title")});
    inside += error_message(words, outcome);
    // Where the time of the whole sign-in is over, a new one begins at the partner.
    if (outcome != Outcome::sign_in_expired)
        inside +=
            form_to(frame, element("div", {{"class", "row"}}, {button("restart", words("new_try"), "button main")}));
    inside += element("p", {},
                      {element("a", {{"id", "back"}, {"href", frame.path + "/continue" + query_of(frame)}},
                               {words("back", {{"partner", frame.partner}})})});
    return page_of(frame, words, {}, element("section", {{"id", "ended"}, {"class", "stack"}}, {inside}));
}

std::string return_page(std::string const& path, std::optional<SignInFrame> const& frame, Language language,
                        bool is_test_system, Texts const& texts)
{
    Words const words{"sign_in", language, texts};
    auto const form = element("form", {{"method", "post"}, {"action", path + "/return"}},
                              {element("input", {{"type", "hidden"}, {"name", "proof"}})});
    if (!frame) {
        auto inside = element("h1", {}, {words("elsewhere_title")});
        inside += element("p", {{"class", "lead"}}, {words("elsewhere_text")});
        inside += element("p", {}, {words("elsewhere_symbol")});
        inside += element("p", {{"class", "soft"}}, {words("elsewhere_warning")});
        inside += form;
        auto const main =
            element("section", {{"id", "return"}, {"class", "stack"}, flag("data-elsewhere", true)}, {inside});
        return document(language, words.plain("elsewhere_title"), assets(),
                        body_of(words, brand(), main, is_test_system));
    }
    auto const page = path + query_of(*frame);
    auto inside = element("h1", {}, {words("return_title")});
    inside += element("p", {{"role", "status"}}, {words("return_text", {{"partner", frame->partner}})});
    inside += form;
    inside += element("p", {}, {element("a", {{"id", "back"}, {"class", "button"}, {"href", page}}, {words("go_on")})});
    auto const main = element(
        "section", {{"id", "return"}, {"class", "stack"}, flag("data-here", true), {"data-page", page}}, {inside});
    // Without a script the proof can't be read; the page then asks for the symbol.
    auto const refresh =
        element("noscript", {}, {element("meta", {{"http-equiv", "refresh"}, {"content", "0; url=" + page}})});
    return page_of(*frame, words, refresh, main);
}

std::string finished_page(Language language, bool is_test_system, Texts const& texts)
{
    Words const words{"sign_in", language, texts};
    auto main = element("h1", {}, {words("finished_title")});
    main += element("p", {{"role", "status"}}, {words("finished_text")});
    main += element("p", {{"class", "soft"}},
                    {element("code", {{"id", "error"}}, {text(symbolon::name_of(Outcome::sign_in_finished))})});
    return document(language, words.plain("finished_title"), assets(), body_of(words, brand(), main, is_test_system));
}

std::string error_page(Language language, Outcome outcome, bool is_test_system, Texts const& texts)
{
    Words const words{"sign_in", language, texts};
    auto main = element("h1", {}, {words("error_title")});
    main += error_message(words, outcome);
    return document(language, words.plain("error_title"), assets(), body_of(words, brand(), main, is_test_system));
}

} // namespace symbolon::page

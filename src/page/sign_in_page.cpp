#include "page/sign_in_page.hpp"

#include "action/symbols.hpp"
#include "enrolment/phone_number.hpp"
#include "page/html.hpp"

#include <algorithm>
#include <chrono>

namespace symbolon::page {

namespace {

/// The words of one page.
struct Words {
    Language language;
    Texts const& texts;

    [[nodiscard]] std::string plain(std::string const& key, Texts::Values const& values = {}) const
    {
        return texts.text(language, "sign_in." + key, values);
    }
    [[nodiscard]] Html operator()(std::string const& key, Texts::Values const& values = {}) const
    {
        return text(plain(key, values));
    }
};

std::string query_of(SignInFrame const& frame)
{
    return frame.lang ? "?lang=" + std::string{name_of(*frame.lang)} : "";
}

Html assets()
{
    auto head = element("link", {{"rel", "stylesheet"}, {"href", "/assets/sign-in.css"}});
    head += element("script", {{"src", "/assets/sign-in.js"}, flag("defer", true)});
    return head;
}

Html test_banner(Words const& words, bool is_test_system)
{
    if (!is_test_system) return {};
    return element("p", {{"class", "test-system"}, {"role", "note"}}, {words("test_system")});
}

Html error_message(Words const& words, Outcome outcome)
{
    return element("p", {{"role", "alert"}, {"class", "error"}},
                   {element("span", {{"id", "error-text"}}, {text(words.texts.text(words.language, outcome))}),
                    text(" "), element("code", {{"id", "error"}}, {text(name_of(outcome))})});
}

Html language_links(SignInFrame const& frame, Words const& words)
{
    constexpr std::array<std::string_view, all_languages.size()> own_names{"Français", "Nederlands", "Deutsch",
                                                                           "English"};
    Html links;
    for (auto const language : all_languages) {
        std::string const name{name_of(language)};
        auto const current = language == frame.language;
        links += element("a",
                         {{"href", frame.path + "?lang=" + name},
                          {"hreflang", name},
                          {"lang", name},
                          {current ? "aria-current" : "", "true"}},
                         {text(own_names.at(static_cast<std::size_t>(language)))});
        links += text(" ");
    }
    return element("nav", {{"class", "languages"}, {"aria-label", words.plain("languages")}}, {links});
}

std::string page_of(SignInFrame const& frame, Words const& words, Html const& more_head, Html const& main)
{
    auto head = assets();
    head += more_head;
    auto body = element("header", {},
                        {test_banner(words, frame.is_test_system),
                         element("p", {{"class", "brand"}}, {text("Symbolon")}), language_links(frame, words)});
    body += element("main", {}, {main});
    return document(frame.language, words.plain("title", {{"partner", frame.partner}}), head, body);
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
    return element("form", {{"method", "post"}, {"action", frame.path + query_of(frame)}}, {content});
}

Html calling_code_choice(std::string const& chosen)
{
    Html options;
    for (auto const code : enrolment::calling_codes())
        options += element("option", {{"value", std::string{code}}, flag("selected", code == chosen)},
                           {text("+" + std::string{code})});
    return element("select", {{"id", "calling_code"}, {"name", "calling_code"}, {"autocomplete", "tel-country-code"}},
                   {options});
}

/// A sentence with an element in the place of one of its values.
Html around(std::string const& sentence, std::string_view mark, Html const& inside)
{
    auto const at = sentence.find(mark);
    auto html = text(std::string_view{sentence}.substr(0, at));
    html += inside;
    html += text(std::string_view{sentence}.substr(at + mark.size()));
    return html;
}

} // namespace

std::string form_page(SignInFrame const& frame, NumberForm const& form, Texts const& texts)
{
    Words const words{frame.language, texts};
    Texts::Values const partner{{"partner", frame.partner}};

    auto fields = element(
        "div", {{"class", "field"}},
        {element("label", {{"for", "calling_code"}}, {words("calling_code")}), calling_code_choice(form.calling_code)});
    fields += element("div", {{"class", "field"}},
                      {element("label", {{"for", "identifier"}}, {words("number")}),
                       element("input", {{"id", "identifier"},
                                         {"name", "identifier"},
                                         {"type", "tel"},
                                         {"inputmode", "tel"},
                                         {"autocomplete", "tel-national"},
                                         {"maxlength", "40"},
                                         {"value", form.identifier},
                                         {"aria-describedby", form.error ? "error-text number-help" : "number-help"},
                                         {form.error ? "aria-invalid" : "", "true"},
                                         flag("required", true)}),
                       element("p", {{"id", "number-help"}, {"class", "help"}}, {words("number_help")})});
    fields +=
        element("div", {{"class", "buttons"}},
                {button("continue", words("continue"), "primary"), button("cancel", words("cancel"), "secondary")});

    auto main = element("h1", {}, {words("title", partner)});
    main += element("p", {}, {words("intro", partner)});
    if (!frame.domain.empty()) main += element("p", {{"class", "site"}}, {words("site", {{"domain", frame.domain}})});
    if (form.error) main += error_message(words, *form.error);
    main += form_to(frame, fields);
    main += element("p", {{"class", "help"}}, {words("never_told")});
    main +=
        element("p", {{"class", "help"}},
                {words("no_account"), text(" "),
                 element("a", {{"href", "/" + std::string{name_of(frame.language)} + "/enrol/"}}, {words("enrol")})});
    return page_of(frame, words, {}, main);
}

std::string waiting_page(SignInFrame const& frame, Waiting const& waiting, Instant now, Texts const& texts)
{
    Words const words{frame.language, texts};
    constexpr std::string_view mark = "\x01";
    auto const left = std::chrono::ceil<std::chrono::minutes>(std::max(Seconds{0}, waiting.expires_at - now));

    auto const picture = element("svg", {{"aria-hidden", "true"}, {"class", "symbol"}},
                                 {element("use", {{"href", "/assets/symbols.svg#" + waiting.symbol}})});
    auto const symbol =
        element("p", {{"class", "symbol-to-choose"}},
                {picture, element("strong", {}, {text(action::symbol_name(waiting.symbol, frame.language))})});
    auto const steps = element("ol", {},
                               {element("li", {}, {words("step_open")}),
                                element("li", {}, {words("step_check", {{"partner", frame.partner}})}),
                                element("li", {}, {words("step_symbol"), symbol})});
    auto const buttons = element(
        "div", {{"class", "buttons"}},
        {button("restart", words("other_number"), "secondary"), button("cancel", words("cancel"), "secondary")});

    auto inside = element("h1", {}, {words("waiting_title")});
    inside += element("p", {}, {words("waiting_number", {{"digits", waiting.typed_hint}})});
    inside += steps;
    inside += element("p", {{"id", "status"}, {"role", "status"}}, {words(waiting.is_shown ? "shown" : "waiting")});
    inside += element("p", {{"id", "time"}},
                      {around(words.plain("time", {{"minutes", std::string{mark}}}), mark,
                              element("span", {{"id", "countdown"}}, {text(std::to_string(left.count()))}))});
    inside += element("noscript", {}, {element("p", {{"class", "help"}}, {words("reloads")})});
    inside += form_to(frame, buttons);
    auto const main = element("section",
                              {{"id", "waiting"},
                               {"data-events", frame.path + "/events" + query_of(frame)},
                               {"data-continue", frame.path + "/continue" + query_of(frame)},
                               {"data-expires", std::to_string(numeric_date(waiting.expires_at))},
                               {"data-symbol", waiting.symbol},
                               {"data-waiting", words.plain("waiting")},
                               {"data-shown", words.plain("shown")}},
                              {inside});
    auto const refresh = element("noscript", {}, {element("meta", {{"http-equiv", "refresh"}, {"content", "3"}})});
    return page_of(frame, words, refresh, main);
}

std::string leaving_page(SignInFrame const& frame, Leaving why, Texts const& texts)
{
    Words const words{frame.language, texts};
    Texts::Values const partner{{"partner", frame.partner}};
    auto const next = frame.path + "/continue" + query_of(frame);
    auto const inside = [&] {
        auto html = element("h1", {}, {words("leaving_title", partner)});
        html += element("p", {{"role", "status"}},
                        {words(why == Leaving::approved ? "leaving_approved" : "leaving_cancelled", partner)});
        html += element("p", {}, {element("a", {{"id", "back"}, {"href", next}}, {words("go_on")})});
        return html;
    }();
    auto const main = element("section", {{"id", "leaving"}, {"data-continue", next}}, {inside});
    return page_of(frame, words, element("meta", {{"http-equiv", "refresh"}, {"content", "0; url=" + next}}), main);
}

std::string ended_page(SignInFrame const& frame, Outcome outcome, Texts const& texts)
{
    Words const words{frame.language, texts};
    auto main = element("h1", {}, {words("ended_title")});
    main += error_message(words, outcome);
    if (outcome != Outcome::sign_in_expired)
        main +=
            form_to(frame, element("div", {{"class", "buttons"}}, {button("restart", words("new_try"), "primary")}));
    main += element("p", {},
                    {element("a", {{"id", "back"}, {"href", frame.path + "/continue" + query_of(frame)}},
                             {words("back", {{"partner", frame.partner}})})});
    return page_of(frame, words, {}, element("section", {{"id", "ended"}}, {main}));
}

std::string error_page(Language language, Outcome outcome, bool is_test_system, Texts const& texts)
{
    Words const words{language, texts};
    auto body = element("header", {},
                        {test_banner(words, is_test_system), element("p", {{"class", "brand"}}, {text("Symbolon")})});
    auto main = element("h1", {}, {words("error_title")});
    main += error_message(words, outcome);
    body += element("main", {}, {main});
    return document(language, words.plain("error_title"), assets(), body);
}

} // namespace symbolon::page

#include "page/bank_end_page.hpp"

#include "base/brussels.hpp"
#include "base/dates.hpp"
#include "base/grouped_number.hpp"
#include "enrolment/bank.hpp"
#include "page/brand.hpp"
#include "page/html.hpp"
#include "page/words.hpp"

#include <chrono>

namespace symbolon::page {

namespace {

/// In two groups for who reads, digit by digit for who listens.
Html code_shown(std::string const& code)
{
    std::string spelled;
    for (auto const digit : code) spelled += std::string{spelled.empty() ? "" : " "} + digit;
    auto const half = code.size() / 2;
    return element(
        "p", {{"id", "landing-code"}, {"class", "landing-code"}, {"data-code", code}},
        {element("span", {{"aria-hidden", "true"}},
                 {element("span", {}, {text(code.substr(0, half))}), element("span", {}, {text(code.substr(half))})}),
         element("span", {{"class", "visually-hidden"}}, {text(spelled)})});
}

/// The warning stands before the code: who is not to type it has read why.
Html landed(ports::BankEnd const& end, Words const& words, Limits const& limits)
{
    auto const minutes = std::chrono::duration_cast<std::chrono::minutes>(limits.bank_visit_lifetime).count();
    auto inside = element("h1", {}, {words("landed_title")});
    inside += element("p", {}, {words("landed_text")});
    inside += element("p", {{"id", "number"}, {"class", "number"}}, {text(grouped_number(end.number.e164()))});
    inside += element(
        "div", {{"class", "notice warn"}},
        {element("div", {}, {element("h2", {}, {words("warning_title")}), element("p", {}, {words("warning")})})});
    inside += element("p", {}, {words("code_text")});
    inside += code_shown(end.code);
    inside += element("p", {{"class", "soft"}}, {words("code_note", {{"minutes", std::to_string(minutes)}})});
    return element("section", {{"id", "landed"}, {"class", "stack"}}, {inside});
}

Html fields_of(Failure const& failure, Words const& words)
{
    Html items;
    for (auto const& text : failure.fields) {
        auto const field = enrolment::OutdatedField::parse(text);
        auto const key = "field." + field.name;
        if (!words.texts.knows("bank_end." + key)) continue;
        auto const since =
            field.since ? words("since", {{"date", date_text(words.texts, words.language, *field.since)}}) : Html{};
        items += element("li", {}, {words(key), since});
    }
    if (items.empty()) return {};
    return element("div", {{"id", "fields"}}, {element("p", {}, {words("fields")}), element("ul", {}, {items})});
}

Html failed(Failure const& failure, Words const& words)
{
    auto message = element("p", {{"id", "error-text"}}, {text(words.texts.text(words.language, failure.outcome))});
    if (failure.outcome == Outcome::too_young && failure.open_at)
        message +=
            element("p", {},
                    {words("possible_from",
                           {{"date", date_text(words.texts, words.language, date_in_brussels(*failure.open_at))}})});
    message += fields_of(failure, words);
    message += element("p", {}, {element("code", {{"id", "error"}}, {text(name_of(failure.outcome))})});
    auto inside = element("h1", {}, {words("failed_title")});
    inside += element("div", {{"role", "alert"}, {"class", "notice bad"}}, {element("div", {}, {message})});
    inside += element("p", {}, {words("go_on")});
    return element("section", {{"id", "failed"}, {"class", "stack"}}, {inside});
}

} // namespace

std::string bank_end_page(ports::BankEnd const& end, Limits const& limits, bool is_test_system, Texts const& texts)
{
    Words const words{"bank_end", end.language, texts};
    auto body = element("header", {{"class", "top"}}, {brand()});
    body +=
        element("main", {{"id", "content"}}, {end.failure ? failed(*end.failure, words) : landed(end, words, limits)});
    body += test_banner(end.language, texts, is_test_system);
    auto const head = element("link", {{"rel", "stylesheet"}, {"href", "/assets/bank-end.css"}});
    return document(end.language, words.plain("title"), head, body);
}

} // namespace symbolon::page

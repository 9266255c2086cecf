#include "page/enrolment_state.hpp"

#include "base/failure_json.hpp"
#include "enrolment/steps.hpp"

#include <algorithm>

namespace symbolon::page {

namespace {

using enrolment::Enrolment;
using enrolment::State;

std::string_view step_of(State state)
{
    switch (state) {
    case State::card: return "card";
    case State::review: return "review";
    case State::sign: return "sign";
    case State::token:
    case State::sms:
    case State::code: return "phone";
    case State::done: return "done";
    case State::ended:
    case State::undone:
    case State::bank: // has no page
    case State::landed: return "ended";
    }
    return "ended";
}

bool is_at_the_reader(State state) { return state == State::card || state == State::sign; }
bool is_at_the_phone(State state) { return state == State::token || state == State::sms || state == State::code; }

/// "…60": enough to know one's own number by, too little to learn one.
std::string last_signs(std::string const& text, std::size_t count)
{
    return "…" + text.substr(text.size() - std::min(count, text.size()));
}

std::string percent_encoded(std::string_view text)
{
    http::Parameters one;
    one.add("", std::string{text});
    return http::write_parameters(one).substr(1);
}

void add_link(json::Object& state, Enrolment const& enrolment, Instant now, EnrolmentMeans const& means)
{
    // Once the program has opened it, the link is used up.
    if (enrolment.ticket_hash.empty() || !enrolment.reader_session_hash.empty() || now >= enrolment.ticket_expires_at)
        return;
    auto const host = means.id_url.substr(means.id_url.find("://") + 3);
    auto const link =
        "symbolon-eid://" + host + '/' + reader_ticket(means, enrolment.id, enrolment.ticket_generation).reveal();
    state["link"] = link;
    state["command"] = "symbolon-eid " + link;
    state["link_expires_at"] = numeric_date(enrolment.ticket_expires_at);
    if (!means.reader_page.empty()) state["reader_page"] = means.reader_page + "?link=" + percent_encoded(link);
}

json::Value progress_of(Enrolment const& enrolment, Language language, Texts const& texts)
{
    auto const& progress = enrolment.progress;
    if (progress.at.empty()) return nullptr;
    json::Object object{{"at", progress.at}};
    if (progress.outcome) {
        object["outcome"] = name_of(*progress.outcome);
        object["text"] = texts.text(language, *progress.outcome);
    }
    if (progress.tries_left) object["tries_left"] = *progress.tries_left;
    return object;
}

json::Object person_of(Enrolment const& enrolment)
{
    auto const& person = enrolment.person.value();
    json::Object object{{"name", person.full_name()}, {"birth_date", person.birth_date}};
    // The token says no more of the card than whose it is.
    if (enrolment.by_web_eid) return object;
    object["national_number_last"] = last_signs(person.national_number, 2);
    auto const& [street, zip, municipality] = person.address;
    if (!street.empty() || !municipality.empty()) object["address"] = street + ", " + zip + ' ' + municipality;
    object["card_number_last"] = last_signs(enrolment.source.document_number, 4);
    object["valid_until"] = enrolment.source.valid_until;
    return object;
}

bool tries_are_used_up(Enrolment const& enrolment, Instant now) { return now < enrolment.token_tries.open_at; }

void add_token(json::Object& state, Enrolment const& enrolment, Instant now, EnrolmentMeans const& means)
{
    auto const used_up = tries_are_used_up(enrolment, now);
    auto const waited = !used_up && enrolment.token_tries.open_at != Instant{};
    auto const left = means.limits.identification_token_tries - (waited ? 0 : enrolment.token_tries.failed);
    state["token_expires_at"] = numeric_date(enrolment.token_expires_at);
    state["token_tries_left"] = used_up ? 0 : left;
    if (used_up || now >= enrolment.token_expires_at) return;
    auto const token = identification_token(means, enrolment.id, enrolment.token_generation).reveal();
    state["token"] = token;
    state["token_qr"] = means.phone_url + "/app/#token=" + percent_encoded(token);
}

} // namespace

json::Object state_of(Enrolment const& enrolment, Language language, Instant now, EnrolmentMeans const& means)
{
    json::Object state{{"step", step_of(enrolment.state)},
                       {"language", name_of(enrolment.language)},
                       {"phone_number", enrolment.phone_number.e164()},
                       {"email", enrolment.email},
                       {"progress", nullptr},
                       {"test_pki", means.is_test_system}};

    if (is_at_the_reader(enrolment.state)) {
        add_link(state, enrolment, now, means);
        state["progress"] = progress_of(enrolment, language, means.texts);
        if (enrolment.state == State::card) state["symbol"] = enrolment.symbol;
    }
    if (enrolment.person && enrolment.state != State::card) state["person"] = person_of(enrolment);
    if (enrolment.moves) state["moves"] = true;
    if (enrolment.by_web_eid) state["web_eid"] = true;
    if (is_at_the_phone(enrolment.state)) add_token(state, enrolment, now, means);
    if (enrolment.state == State::done) {
        state["phone"] = json::Object{{"name", enrolment.device_name}, {"bound_at", numeric_date(enrolment.bound_at)}};
        state["can_undo"] = enrolment::can_undo(enrolment, now, means.limits);
    }

    auto const tell = [&](Outcome outcome, std::optional<Instant> open_at) {
        auto failure = fail(outcome).error();
        failure.open_at = open_at;
        state["outcome"] = failure_object(failure, language, means.texts);
    };
    if (is_at_the_phone(enrolment.state) && tries_are_used_up(enrolment, now))
        tell(Outcome::tries_used_up, enrolment.token_tries.open_at);
    else if (enrolment.outcome) tell(*enrolment.outcome, enrolment.outcome_open_at);
    return state;
}

http::Response state_answer(int status, Enrolment const& enrolment, http::Request const& request,
                            EnrolmentMeans const& means, ports::Services const& services)
{
    auto const language = language_of(request, enrolment.language);
    auto response = http::json(status, json::write(state_of(enrolment, language, services.clock.now(), means)));
    response.with("Cache-Control", "no-store");
    return response;
}

Instant changes_at(Enrolment const& enrolment, Instant now, EnrolmentMeans const& means, Instant latest)
{
    auto next = latest;
    auto const consider = [&](Instant at) {
        if (now < at) next = std::min(next, at);
    };
    consider(enrolment.expires_at);
    if (is_at_the_reader(enrolment.state)) consider(enrolment.ticket_expires_at);
    if (is_at_the_phone(enrolment.state)) {
        consider(enrolment.token_expires_at);
        consider(enrolment.token_tries.open_at);
    }
    if (enrolment.state == State::done) consider(enrolment.bound_at + means.limits.enrolment_undo_within);
    return next;
}

} // namespace symbolon::page

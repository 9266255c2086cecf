#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace symbolon {

/// How a request can end badly. The rows, their order and their meaning stand in outcomes.def.
enum class Outcome : std::uint16_t {
#define OUTCOME(name, http, oauth, way, retry) name,
#include "base/outcomes.def"
#undef OUTCOME
};

/// What the person who met the outcome can do about it; the texts and the pages offer it.
enum class WayOut : std::uint8_t {
    nothing,
    try_again,
    wait,
    correct_it,
    start_over,
    continue_there,
    new_link,
    new_sms,
    choose_another,
    use_other_way,
    connect_reader,
    insert_card,
    visit_commune,
    ask_helpdesk,
    link_again,
    unblock,
    reactivate,
    be_careful,
    tell_partner,
};

/// Whether the same request may succeed another time.
enum class Retry : std::uint8_t { never, now, later, fixed };

struct OutcomeRow {
    Outcome outcome;
    std::string_view name;        ///< the log field, the metric, the translation key, the heading in the docs
    int http_status;              ///< RFC 9110 §15
    std::string_view oauth_error; ///< RFC 6749 §4.1.2.1, §5.2 and the registry of RFC 6749 §11.4; empty: none
    WayOut way_out;
    Retry retry;
};

/// The row of an outcome.
OutcomeRow const& row_of(Outcome outcome);

/// All rows, in the order of outcomes.def.
std::span<OutcomeRow const> all_outcomes();

std::string_view name_of(Outcome outcome);
std::string_view name_of(WayOut way_out);
std::string_view name_of(Retry retry);

/// The outcome of that name, as another program of ours wrote it.
std::optional<Outcome> outcome_named(std::string_view name);

} // namespace symbolon

#include "base/outcome.hpp"

#include "base/ensure.hpp"

#include <algorithm>
#include <array>

namespace symbolon {

namespace {

constexpr std::array rows{
#define OUTCOME(name, http, oauth, way, retry) OutcomeRow{Outcome::name, #name, http, oauth, WayOut::way, Retry::retry},
#include "base/outcomes.def"
#undef OUTCOME
};

constexpr std::array<std::string_view, 19> way_out_names{
    "nothing",    "try_again",      "wait",          "correct_it",     "start_over",  "continue_there", "new_link",
    "new_sms",    "choose_another", "use_other_way", "connect_reader", "insert_card", "visit_commune",  "ask_helpdesk",
    "link_again", "unblock",        "reactivate",    "be_careful",     "tell_partner"};
static_assert(way_out_names.size() == static_cast<std::size_t>(WayOut::tell_partner) + 1);

constexpr std::array<std::string_view, 4> retry_names{"never", "now", "later", "fixed"};

} // namespace

OutcomeRow const& row_of(Outcome outcome)
{
    auto const index = static_cast<std::size_t>(outcome);
    ENSURE(index < rows.size());
    return rows[index]; // NOLINT: checked above
}

std::span<OutcomeRow const> all_outcomes() { return rows; }

std::string_view name_of(Outcome outcome) { return row_of(outcome).name; }

std::string_view name_of(WayOut way_out) { return way_out_names.at(static_cast<std::size_t>(way_out)); }

std::string_view name_of(Retry retry) { return retry_names.at(static_cast<std::size_t>(retry)); }

std::optional<Outcome> outcome_named(std::string_view name)
{
    auto const found = std::ranges::find(rows, name, &OutcomeRow::name);
    if (found == rows.end()) return std::nullopt;
    return found->outcome;
}

} // namespace symbolon

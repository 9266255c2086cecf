#include "sim/enrolment_watcher_testing.hpp"

#include "enrolment/steps.hpp"
#include "store/codec.hpp"

#include <algorithm>
#include <array>

namespace symbolon::sim {

namespace {

using enrolment::State;
using store::Table;

template <class T>
std::optional<T> value_of(Result<std::optional<ports::Stored<T>>> const& found)
{
    if (!found || !*found) return std::nullopt;
    return (*found)->value;
}

/// How far a page's step is.
int place_of(std::string const& step)
{
    constexpr std::array<std::string_view, 5> steps{"card", "review", "sign", "phone", "done"};
    return static_cast<int>(std::ranges::find(steps, step) - steps.begin());
}

bool is_way_back(State from, State to)
{
    return (to == State::card && from != State::card) || (to == State::bank && from != State::bank);
}

std::ptrdiff_t others_than(std::vector<Bytes> const& arrived, Bytes const& right)
{
    return std::ranges::count_if(arrived, [&](auto const& one) { return one != right; });
}

std::string named(AccountId const& account, std::string_view what) { return account.text() + ": " + std::string{what}; }

} // namespace

std::string_view sentence_of(EnrolmentInvariant invariant)
{
    switch (invariant) {
    case EnrolmentInvariant::one_person_one_account: return "one person has one account at most";
    case EnrolmentInvariant::one_number_one_account: return "one number leads to one account at most";
    case EnrolmentInvariant::last_end_has_the_account:
        return "an account's phone is the one whose enrolment ended last, and its person the one who was identified";
    case EnrolmentInvariant::acknowledged_end_is_kept: return "what a phone was told is done, is done";
    case EnrolmentInvariant::journey_goes_on:
        return "a journey goes on where it was, and back only for a reason that is true";
    case EnrolmentInvariant::only_failures_count: return "limits count real failures only";
    case EnrolmentInvariant::waits_are_bounded: return "nobody is told to wait for more than 20 minutes";
    case EnrolmentInvariant::winner_keeps_the_code: return "the code at the vault is the one of the account's phone";
    case EnrolmentInvariant::old_phone_is_out: return "the phone before is out at once";
    case EnrolmentInvariant::sms_code_is_of_its_number: return "an SMS code is good for the number it was sent to";
    case EnrolmentInvariant::only_its_source_unblocks:
        return "a blocked account is unblocked by what it was enrolled with";
    case EnrolmentInvariant::person_ends_enrolled: return "who is patient ends enrolled";
    }
    return {};
}

EnrolmentWatcher::EnrolmentWatcher(World& world, store::Engine& engine, store::Keys keys, Limits limits)
    : WatcherOf{world, engine, std::move(keys)},
      limits_{limits}
{}

// ---- what people, pages and phones tell

void EnrolmentWatcher::page_sees(std::string const& tab, std::string const& cookie, std::string const& step)
{
    auto const found = value_of(run_now(stored().enrolments().find_by_browser(crypto::sha256(cookie))));
    if (!found || step == "ended") return;
    auto const place = place_of(step);
    auto& look = looks_[tab];
    auto const back = steps_back_[found->id];
    if (look.enrolment == found->id && look.steps_back == back && place < look.step)
        violated(EnrolmentInvariant::journey_goes_on, tab + " was further than " + step);
    if (look.enrolment == found->id && look.steps_back != back && place < look.step)
        ++count["pages that went back to the card"];
    look = {.enrolment = found->id, .step = place, .steps_back = back};
}

void EnrolmentWatcher::page_is_unknown(std::string const& cookie)
{
    if (cookies_.contains(cookie))
        violated(EnrolmentInvariant::journey_goes_on, "a page's enrolment is not known any more");
}

void EnrolmentWatcher::phone_types_sms(std::string const& session, std::string const& code, std::string const& read_at)
{
    typed_[{crypto::sha256(session), crypto::sha256(code)}].insert(read_at);
}

void EnrolmentWatcher::phone_is_told_done(DeviceId const& device)
{
    ++count["phones told done"];
    told_done_.insert(device);
    check_acknowledged();
}

void EnrolmentWatcher::is_told_to_wait(Instant until)
{
    ++count["waits told"];
    auto const wait = until - world().clock_now();
    if (wait > limits_.longest_wait + clock_went_back())
        violated(EnrolmentInvariant::waits_are_bounded, std::to_string(wait.count()) + " s");
}

// ---- what the vault tells

void EnrolmentWatcher::vault_takes_code(AccountId const& account, DeviceId const& device)
{
    auto const now = account_now(account);
    auto const at = vault_codes_.find(account);
    auto const before = at == vault_codes_.end() ? std::optional<DeviceId>{} : std::optional{at->second};
    vault_codes_[account] = device;
    if (!now || now->device == device) return;
    // What lay about on the way while the account went on to another phone may still come first, never second.
    if (!had_phones_.contains({account, device}))
        violated(EnrolmentInvariant::winner_keeps_the_code,
                 named(account, "the vault took the code of " + device.text() + ", which never was its phone"));
    else if (now->device && before == now->device)
        violated(EnrolmentInvariant::winner_keeps_the_code,
                 named(account, "the vault took the code of " + device.text() + " in place of its phone's"));
}

// ---- what the World tells

void EnrolmentWatcher::knows(account::Account const& account)
{
    accounts_[account.id] = account;
    phones_[account.id] = account.device;
    if (account.device) had_phones_.emplace(account.id, *account.device);
}

std::optional<account::Account> EnrolmentWatcher::account_now(AccountId const& id)
{
    return value_of(run_now(stored().accounts().find(id)));
}

std::optional<account::Account> EnrolmentWatcher::account_of_person(std::string const& national_number)
{
    return value_of(run_now(stored().accounts().find_by_national_number(national_number)));
}

std::optional<enrolment::Enrolment> EnrolmentWatcher::enrolment_now(std::string const& id)
{
    return value_of(run_now(stored().enrolments().find(EnrolmentId{id})));
}

void EnrolmentWatcher::committed(std::vector<World::Change> const& changes)
{
    auto accounts_changed = false;
    for (auto const& change : changes) {
        if (change.table == Table::account || change.table == Table::device) accounts_changed = true;
        if (change.table == Table::account) accounts_.try_emplace(AccountId{change.id});
        if (change.table != Table::enrolment) continue;
        auto const after = enrolment_now(change.id);
        if (!after) {
            violated(EnrolmentInvariant::journey_goes_on, "an enrolment that was written can't be found");
            continue;
        }
        auto const known = enrolments_.find(change.id);
        judge_enrolment(known == enrolments_.end() ? std::nullopt : std::optional{known->second}, *after);
        enrolments_.insert_or_assign(change.id, *after);
    }
    if (accounts_changed) judge_accounts();
}

void EnrolmentWatcher::restarted()
{
    ++count["stops"];
    note("the server stops");
    for (auto const& [id, known] : enrolments_) {
        auto const now = enrolment_now(id);
        if (!now || now->state != known.state)
            violated(EnrolmentInvariant::journey_goes_on, "a stop of the server brought an enrolment to another step");
    }
    check_acknowledged();
}

void EnrolmentWatcher::clock_jumps(Seconds by)
{
    Watcher::clock_jumps(by);
    note("the clock jumps by ", std::to_string(by.count()), " s");
}

// ---- enrolments

void EnrolmentWatcher::judge_enrolment(std::optional<Enrolment> const& before, Enrolment const& after)
{
    judge_tries(after);
    // Nobody's: a number that nobody is enrolling counts its tries too.
    if (!before) return;
    if (before->state != after.state) judge_step(*before, after);
}

void EnrolmentWatcher::judge_step(Enrolment const& before, Enrolment const& after)
{
    note("enrolment of ", after.phone_number.e164(), ": ", store::word(before.state), " to ", store::word(after.state),
         after.outcome ? ", " : "", after.outcome ? name_of(*after.outcome) : "");
    auto const is_move = std::ranges::any_of(
        enrolment::moves, [&](auto const& move) { return move.from == before.state && move.to == after.state; });
    if (!is_move)
        violated(EnrolmentInvariant::journey_goes_on,
                 std::string{store::word(before.state)} + " to " + std::string{store::word(after.state)});
    if (is_way_back(before.state, after.state)) judge_step_back(before, after);
    if (before.state == State::sms && after.state == State::code) judge_sms_code(after);
    if (after.state == State::done) {
        ++count[enrolment::goes_through_bank(after) ? "ended through a bank" : "ended with the card"];
        if (after.moves) ++count["accounts moved"];
        phones_[after.account.value()] = after.device;
        had_phones_.emplace(after.account.value(), after.device.value());
    }
    if (after.state == State::undone) {
        ++count["undone"];
        phones_[after.account.value()] = std::nullopt;
    }
}

void EnrolmentWatcher::judge_step_back(Enrolment const& before, Enrolment const& after)
{
    ++steps_back_[after.id];
    if (!after.outcome) {
        // The holder chose so.
        auto& chosen = chosen_again_[before.phone_session_hash];
        if (after.state != State::bank || chosen == 0)
            violated(EnrolmentInvariant::journey_goes_on, "back without a reason");
        return;
    }
    ++count["back to the card or the bank: " + std::string{name_of(*after.outcome)}];
    if (!before.person) return;
    auto const holder = account_of_person(before.person->national_number);
    auto is_true = true;
    if (*after.outcome == Outcome::already_a_holder) is_true = holder && !before.moves;
    if (*after.outcome == Outcome::moved_meanwhile)
        is_true = !holder || holder->device != before.moves_from || holder->id != before.moves;
    if (!is_true)
        violated(EnrolmentInvariant::journey_goes_on,
                 "back for " + std::string{name_of(*after.outcome)} + ", which is not so");
}

void EnrolmentWatcher::judge_tries(Enrolment const& after)
{
    auto const wrong_tokens = others_than(tokens_[after.phone_number.e164()], after.token_hash);
    if (after.token_tries.failed > wrong_tokens)
        violated(EnrolmentInvariant::only_failures_count, "a try of the identification token");
    auto& sessions = sessions_[after.id];
    sessions.insert(after.phone_session_hash);
    std::ptrdiff_t wrong_codes = 0;
    for (auto const& session : sessions)
        wrong_codes +=
            others_than(codes_[session], after.sms_code_hash) + others_than(codes_[session], after.landing_code_hash);
    if (after.sms_tries.failed > wrong_codes || after.landing_tries.failed > wrong_codes)
        violated(EnrolmentInvariant::only_failures_count, "a try of a code");
}

void EnrolmentWatcher::judge_sms_code(Enrolment const& after)
{
    ++count["SMS codes taken"];
    auto const typed = typed_.find({after.phone_session_hash, after.sms_code_hash});
    if (typed == typed_.end() || !typed->second.contains(after.phone_number.e164()))
        violated(EnrolmentInvariant::sms_code_is_of_its_number,
                 "the code for " + after.phone_number.e164() + " was read elsewhere");
}

// ---- accounts

void EnrolmentWatcher::judge_accounts()
{
    std::set<std::string> persons;
    std::set<std::string> numbers;
    for (auto& [id, known] : accounts_) {
        auto const account = account_now(id);
        if (!account) continue;
        auto const is_new = known.id == AccountId{};
        if (!is_new && known.state == account::State::blocked && account->state == account::State::active) {
            ++count["accounts unblocked"];
            auto const is_same = known.source.kind == account->source.kind && known.source.bank == account->source.bank;
            auto const both_spoke = account->source.kind == account::Source::Kind::card &&
                                    world().clock_now() < known.card_may_unblock_until + clock_went_back();
            if (both_spoke) ++count["accounts unblocked by bank and card"];
            if (!is_same && !both_spoke) violated(EnrolmentInvariant::only_its_source_unblocks, id.text());
        }
        if (!is_new && known.phone_number != account->phone_number && account->phone_number.empty())
            ++count["numbers lost to their new owner"];
        known = *account;
        if (account->state == account::State::closed) continue;
        if (!persons.insert(account->person.national_number).second)
            violated(EnrolmentInvariant::one_person_one_account, id.text());
        if (!account->phone_number.empty() && !numbers.insert(account->phone_number.e164()).second)
            violated(EnrolmentInvariant::one_number_one_account, id.text());
        judge_account(*account);
    }
    for (auto const& record : *run_now(records().list({.table = Table::device, .at_most = everything}))) {
        auto const device = value_of(run_now(stored().devices().find(DeviceId{record.id})));
        if (!device || device->state == account::Device::State::unbound) continue;
        auto const account = account_now(device->account);
        if (!account || account->device != device->id)
            violated(EnrolmentInvariant::old_phone_is_out, device->id.text() + " is still bound");
    }
}

void EnrolmentWatcher::judge_account(account::Account const& account)
{
    auto const phone = phones_.find(account.id);
    if (phone == phones_.end() || account.device != phone->second)
        violated(EnrolmentInvariant::last_end_has_the_account, named(account.id, "another phone"));
    for (auto const& [id, enrolment] : enrolments_)
        if (enrolment.state == State::done && enrolment.device == account.device && enrolment.account == account.id &&
            enrolment.person && enrolment.person->national_number != account.person.national_number)
            violated(EnrolmentInvariant::last_end_has_the_account, named(account.id, "another person"));
}

void EnrolmentWatcher::check_acknowledged()
{
    for (auto const& id : told_done_) {
        auto const device = value_of(run_now(stored().devices().find(id)));
        auto const account = device ? account_now(device->account) : std::nullopt;
        // What came later may have taken it from the phone, and nothing else may.
        auto const is_its_phone = account && account->device == id;
        if (!device || !account || (!is_its_phone && account->device != phones_[account->id]))
            violated(EnrolmentInvariant::acknowledged_end_is_kept, id.text());
    }
}

void EnrolmentWatcher::judge()
{
    judge_accounts();
    check_acknowledged();
}

} // namespace symbolon::sim

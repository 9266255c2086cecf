#include "sim/sign_in_watcher_testing.hpp"

#include "action/symbols.hpp"
#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "passkey/ceremony.hpp"
#include "store/codec.hpp"
#include "store/log.hpp"
#include "vault/statement.hpp"

#include <algorithm>
#include <ranges>

namespace symbolon::sim {

namespace {

using store::Table;

constexpr std::size_t all_tries = 3;

/// From what to what a record of that table may go. A new one comes from nothing.
using Moves = std::set<std::pair<std::string, std::string>>;

Moves const& moves_of(Table table)
{
    static auto const action = [] {
        Moves moves{{"", std::string{store::word(action::State::waiting)}}};
        for (auto const& move : action::moves) moves.emplace(store::word(move.from), store::word(move.to));
        // One that waits too long among many is nobody's from then on; it waits all the same.
        moves.emplace(store::word(action::State::waiting), store::word(action::State::waiting));
        // Ended without an answer, and the history does not say so yet.
        for (auto const from : {action::State::waiting, action::State::shown, action::State::returning})
            moves.emplace(store::word(from), "unanswered");
        for (auto const to : {action::State::expired, action::State::failed})
            moves.emplace("unanswered", store::word(to));
        return moves;
    }();
    static auto const account = [] {
        Moves moves{{"", std::string{store::word(account::State::active)}}};
        for (auto const& move : account::moves) moves.emplace(store::word(move.from), store::word(move.to));
        // What is kept of an account may change without it.
        for (auto const& move : account::moves) moves.emplace(store::word(move.from), store::word(move.from));
        return moves;
    }();
    static Moves const sign_in{{"", "started"},         {"started", "started"}, {"started", "waiting"},
                               {"started", "finished"}, {"waiting", "waiting"}, {"waiting", "started"},
                               {"waiting", "finished"}};
    static Moves const grant{{"", "issued"}, {"issued", "redeemed"}, {"issued", "revoked"}, {"redeemed", "revoked"}};
    // Nobody copied a phone of this World, and nobody changed it.
    static Moves const device{{"", "bound"}, {"bound", "bound"}};
    static Moves const none;
    switch (table) {
    case Table::action: return action;
    case Table::account: return account;
    case Table::sign_in: return sign_in;
    case Table::grant: return grant;
    case Table::device: return device;
    default: return none;
    }
}

std::string in_quotes(std::string_view text) { return '"' + std::string{text} + '"'; }

/// The member of a line of history that names its action.
std::string action_of(ports::HistoryEntry const& entry)
{
    auto const detail = json::parse_object(entry.detail);
    if (!detail) return {};
    return json::text(*detail, "action").value_or("");
}

} // namespace

std::string_view sentence_of(Invariant invariant)
{
    switch (invariant) {
    case Invariant::approval_is_earned:
        return "no approval without a shown action, the right symbol, and the right code counted or a fingerprint";
    case Invariant::symbol_is_fresh: return "each try has a symbol of its own";
    case Invariant::late_answer_changes_nothing: return "a late answer changes nothing";
    case Invariant::table_is_obeyed: return "records go from state to state as their tables say";
    case Invariant::evidence_agrees: return "record and history agree with the action";
    case Invariant::acknowledged_is_kept: return "what somebody was told is in the store, whatever stops";
    case Invariant::code_is_redeemed_once: return "a code is redeemed at most once";
    case Invariant::second_use_takes_back: return "a second use of a code takes back what the first one got";
    case Invariant::result_goes_where_it_began: return "an approved action finishes only in the browser that began it";
    case Invariant::link_is_tied:
        return "an approved link goes on after its page's browser came back, or after its symbol";
    case Invariant::three_wrong_codes: return "at most three wrong codes in a row";
    case Invariant::fingerprint_is_earned:
        return "a fingerprint approves by its holder's finger, with a fresh challenge, while a try of the code is left";
    case Invariant::only_one_wanted_rings:
        return "one request rings at most, and none from where the holder denied one";
    case Invariant::nobody_locks_out: return "nobody is locked out by somebody else, nor by the network";
    case Invariant::holder_gets_in: return "when the storm is over, a holder who is not blocked logs in";
    }
    return {};
}

SignInWatcher::SignInWatcher(World& world, store::Engine& engine, store::Keys keys, Trust trust)
    : WatcherOf{world, engine, std::move(keys)},
      trust_{std::move(trust)}
{
    for (auto const table : {Table::account, Table::device})
        for (auto const& record : *run_now(records().list({.table = table, .at_most = everything})))
            states_[{table, record.id}] = record.state;
}

// ---- told as it happens

void SignInWatcher::browser_began(SignInId const& sign_in, std::string const& browser)
{
    began_[sign_in] = browser;
    ++count["sign-ins begun"];
}

void SignInWatcher::phone_shows(ActionId const& action, ByteView shown)
{
    Bytes bytes{shown.begin(), shown.end()};
    auto const [at, is_new] = shown_.try_emplace(action, bytes);
    if (!is_new && at->second != bytes) violated(Invariant::evidence_agrees, "an action was shown in two ways");
}

void SignInWatcher::phone_sends(Sent const& sent)
{
    if (sent.by_fingerprint && used_all_tries(sent.account)) ++count["fingerprints after three wrong codes"];
    if (sent.by_fingerprint) fingerprints_sent_[sent.account].insert(sent.proof);
    else if (!sent.proof.empty()) proofs_[sent.proof] = sent.code_is_right;
    sent_[sent.action].push_back(sent);
}

void SignInWatcher::phone_turns_on(Bytes const& credential, Bytes const& proof, bool code_is_right)
{
    proofs_[proof] = code_is_right;
    turned_on_[proof] = credential;
}

void SignInWatcher::phone_is_told(ActionId const& action, std::string const& state)
{
    note("phone is told: ", action.text(), " ", state);
    ++count["phones told " + state];
    if (world().stops() > 0) ++count["phones told after a stop"];
    told_[action] = state;
    check_acknowledged();
}

void SignInWatcher::phone_is_told_of_mute(ActionId const& id)
{
    ++count["origins muted"];
    auto const action = action_in_store(id);
    auto const device = action && action->device ? run_now(stored().devices().find(*action->device))
                                                 : Result<std::optional<ports::Stored<account::Device>>>{};
    if (!device || !*device) return violated(Invariant::acknowledged_is_kept, "a muted request or its phone is gone");
    auto const& mutes = (*device)->value.mutes;
    auto const mute = std::ranges::find_if(mutes, [&](account::Device::Mute const& each) {
        return each.browser == action->origin.browser && each.network == action->origin.network;
    });
    if (mute == mutes.end())
        return violated(Invariant::acknowledged_is_kept, "a phone was told of a mute, it is not kept");
    mutes_.push_back({.account = (*device)->value.account, .origin = action->origin, .until = mute->until});
}

void SignInWatcher::phone_lists(std::vector<device::PendingAction> const& list)
{
    auto const rings = std::ranges::count(list, true, &device::PendingAction::rings);
    if (rings > 1) violated(Invariant::only_one_wanted_rings, "two requests ring at once");
    if (list.size() > 1) ++count["lists of several requests"];
    for (auto const& each : list) {
        if (each.rings && each.muted) violated(Invariant::only_one_wanted_rings, "a muted request rings");
        if (mutes_.empty() || !each.rings) continue;
        auto const action = action_in_store(each.id);
        if (action && is_muted(*action, mutes_.size()))
            violated(Invariant::only_one_wanted_rings, "a request rings from where the holder denied one");
    }
}

void SignInWatcher::push_service_gets(ActionId const& id, std::size_t mutes_before)
{
    ++count["notifications sent"];
    auto const action = action_in_store(id);
    if (!action || !action->account)
        return violated(Invariant::only_one_wanted_rings, "a notification of a request that nobody's phone has");
    if (is_muted(*action, mutes_before))
        violated(Invariant::only_one_wanted_rings, "a notification from where the holder denied one");
    if (action->entry != action::Entry::number)
        return violated(Invariant::only_one_wanted_rings, "a notification of what the holder went to with the phone");
    // A flood: from one network so many in a while, however many there are.
    if (has_approved_from(*action->account, action->origin.browser)) return;
    auto& began = pushed_[{*action->account, action->origin.network}];
    began[id] = action->created_at;
    auto const together = std::ranges::count_if(began, [&](auto const& each) {
        return each.second <= action->created_at && each.second + trust_.limits.rings_window > action->created_at;
    });
    if (together > trust_.limits.rings_per_network)
        violated(Invariant::only_one_wanted_rings, "a flood from one network rings");
}

std::optional<action::Action> SignInWatcher::action_in_store(ActionId const& id)
{
    auto const found = run_now(stored().actions().find(id));
    if (!found || !*found) return std::nullopt;
    return (*found)->value;
}

bool SignInWatcher::is_muted(action::Action const& action, std::size_t of_mutes)
{
    // The server may have looked before its clock was set back.
    constexpr Seconds slack = 2min;
    auto const now = world().clock_now() + slack;
    return std::ranges::any_of(mutes_ | std::views::take(of_mutes), [&](Mute const& mute) {
        if (mute.account != action.account || now >= mute.until) return false;
        if (mute.origin.browser == action.origin.browser) return true;
        // With its network go those that asked by number, but for browsers that the holder has used.
        return action.entry == action::Entry::number && mute.origin.network == action.origin.network &&
               !has_approved_from(mute.account, action.origin.browser);
    });
}

bool SignInWatcher::has_approved_from(AccountId const& account, Bytes const& browser)
{
    return std::ranges::any_of(*run_now(records().list({.table = Table::action, .at_most = everything})),
                               [&](store::Record const& record) {
                                   if (record.state != store::word(action::State::approved)) return false;
                                   auto const found = action_in_store(ActionId{record.id});
                                   return found && found->account == account && found->origin.browser == browser;
                               });
}

void SignInWatcher::browser_returns(SignInId const& sign_in, std::string const& browser)
{
    note(browser, " comes back to ", sign_in.text());
    ++count["links brought back"];
    returned_[sign_in].insert(browser);
}

void SignInWatcher::phone_matches(ActionId const& action, std::string const& symbol)
{
    note("phone picks the symbol of the page of ", action.text(), ": ", symbol);
    ++count["links matched"];
    matched_[action].insert(symbol);
}

void SignInWatcher::browser_gets(std::string const& code, std::string const& browser, SignInId const& sign_in)
{
    ++count["codes given"];
    codes_[code] = {.browser = browser, .sign_in = sign_in, .access_tokens = {}};
    auto const began = began_.find(sign_in);
    if (began == began_.end() || began->second != browser)
        violated(Invariant::result_goes_where_it_began, browser + " got a code of a sign-in that it did not begin");
}

void SignInWatcher::partner_gets(std::string const& code, std::string const& access_token)
{
    ++count["codes redeemed"];
    auto& tokens = codes_[code].access_tokens;
    if (std::ranges::count(tokens, access_token) == 0) tokens.push_back(access_token);
    if (tokens.size() > 1) violated(Invariant::code_is_redeemed_once, "two access tokens for one code");
}

void SignInWatcher::token_is_believed()
{
    violated(Invariant::second_use_takes_back, "an access token is good after its code was used twice");
}

void SignInWatcher::vault_takes(AccountId const& account, Bytes const& proof)
{
    if (!proofs_.contains(proof)) {
        violated(Invariant::nobody_locks_out, "a try was taken for a message that no phone of the holder signed");
        return;
    }
    auto& tries = tries_[account];
    tries.lost.insert(proof);
    ++tries.lost_tries;
}

void SignInWatcher::vault_looks(AccountId const& account, Bytes const& proof, bool believed, ActionId const& action)
{
    auto& tries = tries_[account];
    if (tries.lost.contains(proof)) {
        tries.lost.erase(proof);
        --tries.lost_tries;
    }
    if (believed) {
        ++count["codes right"];
        granted_.insert(action);
        if (!is_right(proof)) violated(Invariant::approval_is_earned, "the vault believed a wrong code");
        if (tries.wrong.size() >= all_tries) violated(Invariant::three_wrong_codes, "a fourth code was believed");
        tries = {};
        if (auto const on = turned_on_.find(proof); on != turned_on_.end()) credentials_.insert(on->second);
        return;
    }
    ++count["codes wrong"];
    if (is_right(proof)) violated(Invariant::holder_gets_in, "the vault took a right code for a wrong one");
    tries.wrong.insert(proof);
    if (tries.wrong.size() > all_tries)
        violated(Invariant::three_wrong_codes, "the vault looked at a fourth wrong code in a row");
}

void SignInWatcher::vault_is_asked(AccountId const& account)
{
    if (used_all_tries(account)) return;
    fingerprints_in_time_.merge(fingerprints_sent_[account]);
    fingerprints_sent_[account].clear();
}

bool SignInWatcher::is_right(Bytes const& proof) const
{
    auto const found = proofs_.find(proof);
    return found != proofs_.end() && found->second;
}

bool SignInWatcher::used_all_tries(AccountId const& account) const
{
    auto const found = tries_.find(account);
    if (found == tries_.end()) return false;
    return found->second.wrong.size() + static_cast<std::size_t>(found->second.lost_tries) >= all_tries;
}

void SignInWatcher::committed(std::vector<World::Change> const& changes)
{
    for (auto const& change : changes) {
        auto const& moves = moves_of(change.table);
        if (moves.empty()) continue;
        auto& state = states_[{change.table, change.id}];
        auto const table = std::string{store::name_of(change.table)};
        // One that is kept in sight waits like any other.
        auto const now = change.state == "waiting_first" ? "waiting" : change.state;
        note("store: ", table, " ", change.id, " ", state, " -> ", now);
        if (!moves.contains({state, now}))
            violated(Invariant::table_is_obeyed, table + " went from " + in_quotes(state) + " to " + in_quotes(now));
        if (change.table == Table::action && state.empty()) started_[ActionId{change.id}] = world().scheduler().now();
        if (change.table == Table::action && change.state == store::word(action::State::approved)) {
            ++count["actions approved"];
            // What was in time may take a while to be kept; and a clock that was set back gives more time.
            constexpr Seconds slack = 1min;
            auto const way_back = state == store::word(action::State::returning) ? trust_.return_lifetime : 0s;
            auto const latest =
                started_[ActionId{change.id}] + trust_.action_lifetime + way_back + clock_went_back() + slack;
            if (world().scheduler().now() > latest)
                violated(Invariant::late_answer_changes_nothing, "approved long after its time");
        }
        state = now;
    }
}

void SignInWatcher::clock_jumps(Seconds by)
{
    note("the server's clock jumps by ", std::to_string(by.count()), " s");
    Watcher::clock_jumps(by);
}

void SignInWatcher::restarted()
{
    note("the process stops and starts again");
    ++count["stops"];
    check_acknowledged();
}

// ---- at any time

std::string SignInWatcher::state_in_store(ActionId const& action)
{
    auto const record = run_now(records().get(Table::action, action.text()));
    return record && *record ? (*record)->state : "";
}

void SignInWatcher::check_acknowledged()
{
    for (auto const& [action, state] : told_) {
        auto const now = state_in_store(action);
        // An approved link goes on to its own end.
        auto const goes_on = state == "returning" && now != "waiting" && now != "waiting_first" && now != "shown";
        if (now != state && !goes_on)
            violated(Invariant::acknowledged_is_kept,
                     "a phone was told " + in_quotes(state) + ", it is " + in_quotes(now));
    }
}

// ---- at the end

void SignInWatcher::judge_phone(device::PhoneState const& phone)
{
    auto const device = run_now(stored().devices().find(phone.device));
    if (!device || !*device) return violated(Invariant::acknowledged_is_kept, "a phone is gone");
    auto const& kept = (*device)->value;
    if (kept.state != account::Device::State::bound)
        violated(Invariant::holder_gets_in, "a phone that nobody copied may not act any more");
    if (phone.ratchet != kept.ratchet && phone.ratchet != kept.previous_ratchet)
        violated(Invariant::holder_gets_in, "the next approval of a phone would be taken for a copy's");
}

void SignInWatcher::judge(std::map<AccountId, int> const& tries_left)
{
    check_acknowledged();
    if (!run_now(store::verify_log(records()))) violated(Invariant::evidence_agrees, "the log does not hold together");

    std::map<std::string, std::vector<std::string>> history;
    for (auto const& [account, tries] : tries_left) {
        judge_account(account, tries);
        auto const lines = run_now(stored().history().list(account, static_cast<int>(everything)));
        if (!lines) {
            violated(Invariant::evidence_agrees, "the history can't be read");
            continue;
        }
        for (auto const& line : *lines) history[action_of(line)].push_back(line.event);
    }

    std::vector<action::Action> actions;
    for (auto const& record : *run_now(records().list({.table = Table::action, .at_most = everything}))) {
        auto const found = run_now(stored().actions().find(ActionId{record.id}));
        if (!found || !*found) {
            violated(Invariant::evidence_agrees, "an action can't be read");
            continue;
        }
        auto action = (*found)->value;
        auto kept = run_now(stored().actions().record_of(action));
        if (kept) action.record = *std::move(kept);
        else violated(Invariant::evidence_agrees, "the record of an action can't be read");
        actions.push_back(std::move(action));
    }
    judge_symbols(actions);
    judge_credentials();
    for (auto const& action : actions) judge_action(action, history);
    for (auto const& [code, got] : codes_) judge_code(code);
}

void SignInWatcher::judge_symbols(std::vector<action::Action> const& actions)
{
    // Two draws show the same symbols in the same order once in some thousands; three of one World, never.
    constexpr int too_often = 3;
    std::map<std::vector<std::string>, int> shown;
    std::map<SignInId, std::string> last;
    for (auto const& action : actions) {
        std::set<std::string> const different{action.symbols.begin(), action.symbols.end()};
        if (different.size() != action.symbols.size() || !different.contains(action.symbol))
            violated(Invariant::symbol_is_fresh, "the symbols of an action are not different, or lack the right one");
        if (last[action.sign_in] == action.symbol)
            violated(Invariant::symbol_is_fresh, "a second try has the symbol of the first");
        last[action.sign_in] = action.symbol;
        if (++shown[action.symbols] == too_often)
            violated(Invariant::symbol_is_fresh, "all sign-ins have the same symbols");
    }
}

void SignInWatcher::judge_action(action::Action const& action,
                                 std::map<std::string, std::vector<std::string>> const& history)
{
    using action::State;
    auto const lines = history.find(action.id.text());
    auto const times = [&](std::string_view event) {
        return lines == history.end() ? 0 : std::ranges::count(lines->second, event);
    };
    auto const wrong_symbol = action.state == State::failed && action.outcome == Outcome::symbol_wrong;
    auto const failed = action.state == State::failed && !wrong_symbol;
    auto const ran_out = action.state == State::expired && action.account;
    auto const cancelled = action.outcome != Outcome::action_expired;
    auto const agrees = times("approved") == (action.state == State::approved ? 1 : 0) &&
                        times("refused") == (action.state == State::refused ? 1 : 0) &&
                        times("symbol_wrong") == (wrong_symbol ? 1 : 0) && times("ended") == (failed ? 1 : 0) &&
                        times("cancelled") == (ran_out && cancelled ? 1 : 0) &&
                        times("expired") == (ran_out && !cancelled ? 1 : 0);
    if (ran_out) ++count[cancelled ? "actions cancelled" : "actions run out"];
    if (action.owes_history || (action::is_undecided(action) && world().clock_now() >= action.expires_at))
        violated(Invariant::evidence_agrees, "an action is over and nobody told its holder");
    if (!agrees) violated(Invariant::evidence_agrees, "the history does not tell how an action ended, once");

    auto const is_link = action.tie == action::Tie::browser;
    auto const has_evidence = action.state == State::approved || action.state == State::refused || wrong_symbol;
    if (!has_evidence) {
        // A link may run out after its approval.
        if (!action.record.empty() && !is_link)
            violated(Invariant::evidence_agrees, "a record of an action without an answer");
        return;
    }
    auto const jws = crypto::verify_jws(text_of(action.record), std::span{&trust_.record_key, 1},
                                        std::array{crypto::SignatureAlgorithm::es256});
    auto const record = jws ? json::parse_object(jws->payload) : json::parse_object("");
    if (!record) {
        violated(Invariant::evidence_agrees, "an action ended without a record, or with one that does not verify");
        return;
    }
    auto const says = [&](std::string_view name) { return json::text(*record, name).value_or(""); };
    auto const shown = shown_.find(action.id);
    if (says("action") != action.id.text() || says("state") != store::word(action.state) || shown == shown_.end() ||
        says("tx") != crypto::base64url(shown->second))
        violated(Invariant::evidence_agrees, "the record is of another action, state or text");
    auto const& sent = sent_[action.id];
    // Where a symbol ties, the answer has it; a link's comes afterwards.
    auto const wanted = action.tie == action::Tie::symbol ? action.symbol : std::string{};
    auto const is_sent = std::ranges::any_of(sent, [&](Sent const& each) {
        return crypto::base64url(each.message) == says("m") &&
               crypto::base64url(crypto::sha256(each.proof)) == says("proof_hash") &&
               each.approves == (action.state != State::refused) &&
               (action.state == State::refused || (each.symbol == wanted) == (is_link || !wrong_symbol));
    });
    if (!is_sent) {
        auto const earned = action.state == State::approved;
        violated(earned ? Invariant::approval_is_earned : Invariant::evidence_agrees,
                 "the holder's phone never sent the answer that ended an action");
    }
    if (action.state == State::approved) judge_approval(action);
    if (action.state == State::approved && is_link) judge_tie(action);
}

void SignInWatcher::judge_tie(action::Action const& action)
{
    if (passed_on_.contains(action.id))
        violated(Invariant::link_is_tied, "a link that was passed on logged its sender in");
    auto const came_back = returned_[action.sign_in].contains(began_[action.sign_in]);
    auto const matched = matched_[action.id].contains(action.symbol);
    if (!(action.tied == action::Tied::proven ? came_back : matched))
        violated(Invariant::link_is_tied, "neither did its browser come back, nor was its symbol picked");
}

void SignInWatcher::judge_approval(action::Action const& action)
{
    auto const record = json::parse_object(crypto::peek_jws(text_of(action.record)).value().payload).value();
    auto const shown = shown_.find(action.id);
    if (shown == shown_.end() || crypto::base64url(shown->second) != json::text(record, "tx").value_or(""))
        violated(Invariant::approval_is_earned, "approved, and the holder's phone never showed it");
    auto const message = crypto::from_base64url(json::text(record, "m").value_or("")).value_or(Bytes{});
    auto const& sent = sent_[action.id];
    auto const answer = std::ranges::find(sent, message, &Sent::message);
    if (answer != sent.end() && answer->by_fingerprint) judge_fingerprint(*answer, record);
    else judge_code_proof(action, record);
}

void SignInWatcher::judge_code_proof(action::Action const& action, json::Object const& record)
{
    if (!granted_.contains(action.id)) violated(Invariant::approval_is_earned, "approved, and the vault never saw it");
    auto const typed_right =
        std::ranges::any_of(sent_[action.id], [](Sent const& each) { return each.approves && each.code_is_right; });
    if (!typed_right) violated(Invariant::approval_is_earned, "approved, and nobody typed the right code");

    auto const grant = crypto::from_base64url(json::text(record, "grant").value_or("")).value_or(Bytes{});
    auto const message = crypto::from_base64url(json::text(record, "m").value_or("")).value_or(Bytes{});
    constexpr std::size_t signature_bytes = 64;
    if (grant.size() <= signature_bytes ||
        !trust_.grant_key.verifies(crypto::SignatureAlgorithm::eddsa,
                                   ByteView{grant}.first(grant.size() - signature_bytes),
                                   ByteView{grant}.last(signature_bytes)) ||
        text_of(grant).find(text_of(crypto::sha256(message))) == std::string_view::npos ||
        text_of(grant).find(action.id.text()) == std::string_view::npos)
        violated(Invariant::evidence_agrees, "the vault's grant in the record is not for this answer");
}

void SignInWatcher::judge_fingerprint(Sent const& sent, json::Object const& record)
{
    using enum Invariant;
    ++count["fingerprints approved"];
    // One message may have been sent with one assertion after the other, as long as no answer came.
    auto const bytes = [&](std::string_view name) {
        return crypto::from_base64url(json::text(record, name).value_or("")).value_or(Bytes{});
    };
    auto const proof = bytes("assertion");
    auto const is_of_proof = [&](Sent const& each) { return each.by_fingerprint && each.proof == proof; };
    auto const& all = sent_[sent.action];
    auto const used = std::ranges::find_if(all, is_of_proof);
    if (used == all.end() || used->message != sent.message)
        return violated(evidence_agrees, "the fingerprint in the record is not the one that the phone sent");
    if (!used->finger_is_right) violated(fingerprint_is_earned, "approved with a finger that is not the holder's");
    if (!fingerprints_in_time_.contains(proof))
        violated(fingerprint_is_earned, "approved, and the vault was not asked, or had no try of the code left");

    // WebAuthn §7.2, read from the bytes.
    auto const assertion = passkey::parse_assertion(proof);
    auto const data = assertion ? passkey::parse_authenticator_data(assertion->authenticator_data)
                                : Result<passkey::AuthenticatorData>{std::unexpected{assertion.error()}};
    auto const client = assertion ? json::parse_object(text_of(assertion->client_data))
                                  : Result<json::Object>{std::unexpected{assertion.error()}};
    auto const credential = bytes("passkey_key");
    auto const key = crypto::PublicKey::from_der(credential);
    auto const algorithm = crypto::signature_algorithm_named(json::text(record, "passkey_algorithm").value_or(""));
    if (!data || !client || !key || !algorithm)
        return violated(fingerprint_is_earned, "approved by what is no assertion of a passkey");
    if (!credentials_.contains(credential))
        violated(fingerprint_is_earned, "approved by a passkey that its holder did not turn on");
    if (!data->user_present || !data->user_verified)
        violated(fingerprint_is_earned, "approved without user verification");
    auto const challenge = crypto::sha256(sent.message);
    if (json::text(*client, "challenge").value_or("") != crypto::base64url(challenge) ||
        !challenges_.insert(challenge).second)
        violated(fingerprint_is_earned, "approved with the challenge of something else");
    if (data->sign_count > 0 && !counts_.emplace(credential, data->sign_count).second)
        violated(fingerprint_is_earned, "two approvals with one count of the authenticator");
    auto signed_bytes = assertion->authenticator_data;
    append(signed_bytes, crypto::sha256(assertion->client_data));
    if (!passkey::verifies({*key, *algorithm}, signed_bytes, assertion->signature))
        violated(fingerprint_is_earned, "approved without a signature of the passkey");
}

void SignInWatcher::judge_credentials()
{
    for (auto const& record : *run_now(records().list({.table = Table::device, .at_most = everything}))) {
        auto const device = run_now(stored().devices().find(DeviceId{record.id}));
        if (!device || !*device || !(*device)->value.passkey) continue;
        if (!credentials_.contains((*device)->value.passkey->public_key))
            violated(Invariant::fingerprint_is_earned, "a fingerprint is on that nobody turned on with the right code");
    }
    if (std::ranges::count(world().log, "passkey_clone_suspected") > 0)
        violated(Invariant::nobody_locks_out, "a fingerprint that nobody copied was taken for a copy");
}

void SignInWatcher::judge_code(std::string const& code)
{
    auto const& got = codes_[code];
    auto const found = run_now(stored().grants().find_by_code(crypto::sha256(code)));
    if (!found || !*found) {
        violated(Invariant::acknowledged_is_kept, "a browser got a code that the store does not know");
        return;
    }
    auto const& grant = (*found)->value;
    auto const action = run_now(stored().actions().find(grant.action));
    if (!action || !*action || (*action)->value.state != action::State::approved ||
        (*action)->value.account != grant.account || (*action)->value.sign_in != got.sign_in)
        violated(Invariant::result_goes_where_it_began, "a code is not of the approval that its sign-in asked for");

    using enum grant::Grant::State;
    if (!got.access_tokens.empty()) {
        auto const kept = grant.state == redeemed || grant.state == revoked;
        if (!kept || grant.access_token_hash != crypto::sha256(got.access_tokens.front()))
            violated(Invariant::acknowledged_is_kept, "a partner has tokens that the store does not know");
    }
    if (used_.contains(code)) {
        ++count["codes used twice"];
        if (grant.state != revoked) violated(Invariant::second_use_takes_back, "the grant of a code used twice stands");
    }
}

void SignInWatcher::judge_account(AccountId const& account, int tries_left)
{
    auto const& tries = tries_[account];
    auto const used = static_cast<int>(tries.wrong.size()) + tries.lost_tries;
    auto const least = std::max(0, static_cast<int>(all_tries) - used);
    if (tries_left < least)
        violated(Invariant::nobody_locks_out, "the holder has " + std::to_string(tries_left) + " tries left, not " +
                                                  std::to_string(least) + " or more");
    if (tries_left > 0 && tries.wrong.size() >= all_tries)
        violated(Invariant::three_wrong_codes, "a try is left after three wrong codes");
    auto const found = run_now(stored().accounts().find(account));
    if (!found || !*found) return violated(Invariant::acknowledged_is_kept, "an account is gone");
    auto const blocked = (*found)->value.state == account::State::blocked;
    if (blocked) ++count["accounts blocked"];
    if (blocked && used < static_cast<int>(all_tries))
        violated(Invariant::nobody_locks_out, "blocked after " + std::to_string(used) + " tries");
}

} // namespace symbolon::sim

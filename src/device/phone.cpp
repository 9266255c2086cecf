#include "device/phone.hpp"

#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "crypto/seal.hpp"
#include "crypto/tree_head.hpp"
#include "device/history_messages.hpp"
#include "vault/statement.hpp"

#include <algorithm>

namespace symbolon::device {

namespace {

using crypto::base64url;
using crypto::from_base64url;
constexpr auto es256 = crypto::SignatureAlgorithm::es256;
constexpr auto eddsa = crypto::SignatureAlgorithm::eddsa;
constexpr std::size_t kh_bytes = 32;
constexpr int most_sends = 3; ///< of one message that may be sent again

/// What an answer of the server means: its JSON, or its refusal.
Result<json::Object> judged(Transport::Reply const& reply)
{
    constexpr auto invalid = Outcome::json_malformed;
    auto object = json::parse_object(reply.body);
    if (!object) return fail(invalid, "HTTP " + std::to_string(reply.status) + " without JSON");
    if (reply.status == 200) return object;
    auto const name = json::text(*object, "outcome");
    auto const outcome = name ? outcome_named(*name) : std::nullopt;
    if (!outcome) return fail(invalid, "HTTP " + std::to_string(reply.status) + " without an outcome");
    auto failure = fail(*outcome, "the server's answer");
    if (auto const tries = json::optional_integer(*object, "tries_left"); tries && *tries)
        failure.error().tries_left = static_cast<int>(**tries);
    if (auto const open_at = json::optional_integer(*object, "open_at"); open_at && *open_at)
        failure.error().open_at = instant_of(**open_at);
    return failure;
}

/// A failure to read what the server said is the server's mistake, not the caller's.
template <class T>
Result<T> from_server(Result<T> result)
{
    if (!result) return fail(Outcome::json_malformed, std::move(result).error().detail);
    return result;
}

Result<Bytes> bytes_of_member(json::Object const& object, std::string_view name)
{
    return from_base64url(TRY(json::text(object, name)));
}

struct Place {
    SecretText session;
    Bytes nonce;
    crypto::PublicKey vault_key;
    std::string language;
};

Result<Place> place_in(json::Object const& answer)
{
    return Place{.session = SecretText{TRY(json::text(answer, "session"))},
                 .nonce = TRY(bytes_of_member(answer, "nonce")),
                 .vault_key = TRY(crypto::PublicKey::from_jwk(TRY(json::object(answer, "vault_key")))),
                 .language = TRY(json::text(answer, "language"))};
}

Result<CodeRules> rules_in(json::Object const& answer)
{
    return parse_code_rules(TRY(json::object(answer, "code_rules")));
}

Result<Phone::EnrolmentPlace> enrolment_place_in(json::Object const& answer)
{
    Phone::EnrolmentPlace place;
    place.step = TRY(json::text(answer, "step"));
    if (auto const at = TRY(json::optional_integer(answer, "sms_again_at"))) place.sms_again_at = instant_of(*at);
    if (answer.contains("code_rules")) place.code_rules = TRY(rules_in(answer));
    if (answer.contains("bank")) place.bank = TRY(json::text(TRY(json::object(answer, "bank")), "id"));
    if (answer.contains("outcome")) {
        auto const failure = TRY(json::object(answer, "outcome"));
        place.outcome = outcome_named(TRY(json::text(failure, "outcome")));
        if (!place.outcome) return fail(Outcome::json_malformed, "outcome");
        if (auto const at = TRY(json::optional_integer(failure, "open_at"))) place.open_at = instant_of(*at);
    }
    return place;
}

struct Bound {
    Bytes ratchet;
    std::string phone_number;
};

Result<Bound> bound_in(json::Object const& answer)
{
    return Bound{.ratchet = TRY(bytes_of_member(answer, "ratchet")),
                 .phone_number = TRY(json::text(TRY(json::object(answer, "account")), "phone_number"))};
}

json::Object written(PhonePasskey const& passkey)
{
    auto const& it = passkey.authenticator;
    return {{"credential_id", base64url(it.credential_id)},
            {"key", base64url(it.key.der().reveal())},
            {"algorithm", name_of(it.algorithm)},
            {"sign_count", it.sign_count},
            {"counts", it.counts},
            {"origin", passkey.party.origin},
            {"id", passkey.party.id}};
}

Result<PhonePasskey> read_passkey(json::Object const& object)
{
    PhonePasskey passkey;
    auto& it = passkey.authenticator;
    it.credential_id = TRY(bytes_of_member(object, "credential_id"));
    it.key = TRY(crypto::PrivateKey::from_der(SecretBytes{TRY(bytes_of_member(object, "key"))}));
    auto const algorithm = crypto::signature_algorithm_named(TRY(json::text(object, "algorithm")));
    if (!algorithm) return fail(Outcome::data_damaged, "algorithm");
    it.algorithm = *algorithm;
    it.sign_count = static_cast<std::uint32_t>(TRY(json::integer(object, "sign_count")));
    it.counts = TRY(json::boolean(object, "counts"));
    passkey.party = {.origin = TRY(json::text(object, "origin")), .id = TRY(json::text(object, "id"))};
    return passkey;
}

/// The address of a return in an answer; empty without one.
Result<std::string> return_address_in(json::Object const& answer)
{
    auto address = TRY(json::optional_text(answer, "return"));
    return address.value_or("");
}

} // namespace

PhoneState new_phone(crypto::Random& random)
{
    PhoneState state;
    state.device_key = crypto::PrivateKey::generate(crypto::KeyType::ec_p256);
    state.device = DeviceId{state.device_key.public_key().thumbprint()};
    state.kh = SecretBytes{random.bytes(kh_bytes)};
    return state;
}

SecretText write(PhoneState const& state)
{
    json::Object object{{"device_key", base64url(state.device_key.der().reveal())},
                        {"kh", base64url(state.kh.reveal())},
                        {"code_version", state.code_version},
                        {"ratchet", base64url(state.ratchet)},
                        {"phone_number", state.phone_number},
                        {"language", state.language},
                        {"enrolled", state.enrolled},
                        {"session", state.session.reveal()},
                        {"enrol_nonce", base64url(state.enrol_nonce)}};
    if (!state.vault_key.empty()) object["vault_key"] = state.vault_key.jwk();
    if (!state.log_key.empty()) object["log_key"] = state.log_key.jwk();
    if (!state.log_head.empty()) object["log_head"] = state.log_head;
    if (state.passkey) object["passkey"] = written(*state.passkey);
    return SecretText{json::write(object)};
}

Result<PhoneState> parse_phone_state(std::string_view text)
{
    auto const read = [text]() -> Result<PhoneState> {
        auto const object = TRY(json::parse_object(text));
        PhoneState state;
        state.device_key = TRY(crypto::PrivateKey::from_der(SecretBytes{TRY(bytes_of_member(object, "device_key"))}));
        state.device = DeviceId{state.device_key.public_key().thumbprint()};
        state.kh = SecretBytes{TRY(bytes_of_member(object, "kh"))};
        state.code_version = static_cast<int>(TRY(json::integer(object, "code_version")));
        state.ratchet = TRY(bytes_of_member(object, "ratchet"));
        state.phone_number = TRY(json::text(object, "phone_number"));
        state.language = TRY(json::text(object, "language"));
        state.enrolled = TRY(json::boolean(object, "enrolled"));
        state.session = SecretText{TRY(json::text(object, "session"))};
        state.enrol_nonce = TRY(bytes_of_member(object, "enrol_nonce"));
        if (object.contains("vault_key"))
            state.vault_key = TRY(crypto::PublicKey::from_jwk(TRY(json::object(object, "vault_key"))));
        if (object.contains("log_key"))
            state.log_key = TRY(crypto::PublicKey::from_jwk(TRY(json::object(object, "log_key"))));
        state.log_head = TRY(json::optional_text(object, "log_head")).value_or("");
        if (object.contains("passkey")) state.passkey = TRY(read_passkey(TRY(json::object(object, "passkey"))));
        return state;
    };
    auto state = read();
    if (!state) return fail(Outcome::data_damaged, "the phone's state");
    return state;
}

EnrolFinish make_finish(PhoneState const& state, SecretText const& code, std::string name)
{
    auto const key = code_key(state.kh, state.device, state.code_version, code);
    auto const e = vault::code_key_statement(state.enrol_nonce, state.device, state.code_version);
    auto content = raw_public_key(key.public_key());
    append(content, key.sign(eddsa, e));
    EnrolFinish finish{.session = state.session,
                       .device_key = state.device_key.public_key(),
                       .code_key = crypto::seal_to(state.vault_key, content, e),
                       .name = std::move(name),
                       .passkey = {},
                       .signature = {}};
    if (state.passkey)
        finish.passkey = passkey::write(register_with(
            state.passkey->authenticator, passkey_challenge(state.enrol_nonce, state.device), state.passkey->party));
    finish.signature = state.device_key.sign(es256, enrol_statement(state.enrol_nonce, state.device, state.code_version,
                                                                    finish.code_key, finish.name, finish.passkey));
    return finish;
}

std::string sign_request(PhoneState const& state, std::string_view method, std::string_view path,
                         std::string_view nonce, std::string_view body)
{
    auto const signed_bytes = request_statement(method, path, nonce, bytes_of(body));
    return write(Authorization{state.device, std::string{nonce}, state.device_key.sign(es256, signed_bytes)});
}

PasskeyOn make_passkey_on(PhoneState const& state, PhonePasskey const& passkey, ByteView challenge,
                          SecretText const& code)
{
    PasskeyOn on{.device = state.device,
                 .challenge = {challenge.begin(), challenge.end()},
                 .ratchet = state.ratchet,
                 .passkey = passkey::write(
                     register_with(passkey.authenticator, passkey_challenge(challenge, state.device), passkey.party)),
                 .proof = {},
                 .signature = {}};
    auto const message = message_of(on);
    auto const key = code_key(state.kh, state.device, state.code_version, code);
    on.proof = crypto::seal_to(state.vault_key, key.sign(eddsa, message),
                               vault::code_proof_context(passkey_on_name(challenge), state.device, state.code_version));
    on.signature = state.device_key.sign(es256, passkey_on_statement(message, on.proof));
    return on;
}

Answer make_answer(PhoneState const& state, Shown const& shown, ByteView shown_bytes, Choice const& choice)
{
    Answer answer{.device = state.device,
                  .shown = crypto::sha256(shown_bytes),
                  .decision = choice.decision,
                  .symbol = {},
                  .method = {},
                  .ratchet = state.ratchet,
                  .claims = {},
                  .reason = {},
                  .proof = {},
                  .signature = {}};
    if (choice.decision == Answer::Decision::approve) {
        answer.symbol = choice.symbol;
        answer.method = choice.code.reveal().empty() && state.passkey ? "passkey" : "code";
        if (choice.claims) answer.claims = *choice.claims;
        else
            for (auto const& claim : shown.claims) answer.claims.push_back(claim.name);
    } else {
        answer.reason = choice.reason;
    }
    auto const message = message_of(answer);
    if (answer.method == "passkey") {
        auto authenticator = state.passkey->authenticator;
        answer.proof = passkey::write(sign_with(authenticator, crypto::sha256(message), state.passkey->party));
    } else if (answer.method == "code") {
        auto const key = code_key(state.kh, state.device, state.code_version, choice.code);
        answer.proof = crypto::seal_to(state.vault_key, key.sign(eddsa, message),
                                       vault::code_proof_context(shown.action, state.device, state.code_version));
    }
    answer.signature = state.device_key.sign(es256, answer_statement(message, answer.proof));
    return answer;
}

Result<Claim> claim_of_address(std::string_view address, bool scanned)
{
    constexpr std::string_view qr = "qr=";
    constexpr std::string_view link = "link=";
    auto const mark = address.find('#');
    auto value = mark == std::string_view::npos ? address : address.substr(mark + 1);
    auto const is_link = value.starts_with(link) || (!value.starts_with(qr) && std::ranges::count(value, '.') == 1);
    if (value.starts_with(qr)) value.remove_prefix(qr.size());
    else if (value.starts_with(link)) value.remove_prefix(link.size());
    if (value.empty() || !value.contains('.')) return fail(Outcome::entry_unknown, "no address of a page");
    if (is_link) return Claim{.by = Claim::By::link, .value = std::string{value}};
    return Claim{.by = scanned ? Claim::By::scan : Claim::By::address, .value = std::string{value}};
}

Result<std::vector<PendingAction>> parse_pending(std::string_view text)
{
    auto const object = TRY(json::parse_object(text));
    std::vector<PendingAction> actions;
    for (auto const& value : TRY(json::array(object, "actions"))) {
        if (!value.is_object()) return fail(Outcome::json_malformed, "actions");
        auto const& one = value.get_object();
        actions.push_back({.id = ActionId{TRY(json::text(one, "id"))},
                           .created_at = instant_of(TRY(json::integer(one, "created_at"))),
                           .expires_at = instant_of(TRY(json::integer(one, "expires_at"))),
                           .shown = TRY(json::text(one, "state")) == "shown",
                           .returning = TRY(json::text(one, "state")) == "returning",
                           .returned_elsewhere = TRY(json::optional_boolean(one, "returned_elsewhere")).value_or(false),
                           .rings = TRY(json::optional_boolean(one, "rings")).value_or(true),
                           .muted = TRY(json::optional_boolean(one, "muted")).value_or(false)});
    }
    return actions;
}

// ---- the phone at work -------------------------------------------------------------------------------------------

Flow<json::Object> Phone::post(std::string path, std::string body)
{
    auto const reply =
        co_await transport_.send({.method = "POST", .path = std::move(path), .headers = {}, .body = std::move(body)});
    co_return judged(reply);
}

Flow<json::Object> Phone::post_until_answered(std::string path, std::string body)
{
    for (int sends_left = most_sends - 1;; --sends_left) {
        auto answered = co_await outcome_of(post(path, body));
        auto const lost = !answered && (answered.error().outcome == Outcome::upstream_unreachable ||
                                        answered.error().outcome == Outcome::conflict);
        if (!lost || sends_left == 0) co_return std::move(answered);
    }
}

Flow<void> Phone::start_enrolment(std::string calling_code, std::string number, SecretText token)
{
    auto const answer = co_await post("/d/enrol/start", write(EnrolStart{.calling_code = std::move(calling_code),
                                                                         .number = std::move(number),
                                                                         .token = std::move(token)}));
    auto place = co_await from_server(place_in(answer));
    state_.session = std::move(place.session);
    state_.enrol_nonce = std::move(place.nonce);
    state_.vault_key = std::move(place.vault_key);
    state_.language = std::move(place.language);
    co_return {};
}

Flow<CodeRules> Phone::give_sms_code(SecretText code)
{
    auto const answer = co_await post("/d/enrol/sms", write(EnrolSms{state_.session, std::move(code)}));
    co_return from_server(rules_in(answer));
}

Flow<void> Phone::send_sms_again()
{
    co_await post("/d/enrol/sms-again", write_enrol_session(state_.session));
    co_return {};
}

Flow<void> Phone::start_at_bank(std::string calling_code, std::string number, std::string language)
{
    auto const answer = co_await post("/d/enrol/bank", write(EnrolBank{.calling_code = std::move(calling_code),
                                                                       .number = std::move(number),
                                                                       .language = std::move(language)}));
    state_.session = SecretText{co_await from_server(json::text(answer, "session"))};
    state_.language = co_await from_server(json::text(answer, "language"));
    co_return {};
}

Flow<std::string> Phone::visit_bank(std::string bank)
{
    auto const answer = co_await post("/d/enrol/bank/visit", write(EnrolBankVisit{state_.session, std::move(bank)}));
    co_return from_server(json::text(answer, "url"));
}

Flow<void> Phone::give_landing_code(SecretText code)
{
    co_await post("/d/enrol/bank/landing", write(EnrolSms{state_.session, std::move(code)}));
    co_return {};
}

Flow<void> Phone::choose_bank_again()
{
    co_await post("/d/enrol/bank/again", write_enrol_session(state_.session));
    co_return {};
}

Flow<Phone::EnrolmentPlace> Phone::enrolment_place()
{
    auto const reply = co_await transport_.send({.method = "GET",
                                                 .path = "/d/enrol/state",
                                                 .headers = {{"Symbolon-Enrolment", state_.session.reveal()}},
                                                 .body = {}});
    auto const answer = co_await judged(reply);
    auto place = co_await from_server(enrolment_place_in(answer));
    state_.language = co_await from_server(json::text(answer, "language"));
    if (place.step == "bank" || place.step == "landed") co_return place;
    state_.enrol_nonce = co_await from_server(bytes_of_member(answer, "nonce"));
    auto const vault_key = co_await from_server(json::object(answer, "vault_key"));
    state_.vault_key = co_await from_server(crypto::PublicKey::from_jwk(vault_key));
    co_return place;
}

Flow<void> Phone::finish_enrolment(SecretText code, CodeRules rules, std::string name)
{
    co_await check_code(code, rules);
    auto const answer =
        co_await post_until_answered("/d/enrol/finish", write(make_finish(state_, code, std::move(name))));
    auto bound = co_await from_server(bound_in(answer));
    state_.ratchet = std::move(bound.ratchet);
    state_.phone_number = std::move(bound.phone_number);
    state_.enrolled = true;
    state_.session = {};
    state_.enrol_nonce.clear();
    co_return {};
}

Flow<std::string> Phone::fresh_nonce()
{
    auto const reply = co_await transport_.send({.method = "GET", .path = "/d/nonce", .headers = {}, .body = {}});
    auto const answer = co_await judged(reply);
    co_return from_server(json::text(answer, "nonce"));
}

Flow<Transport::Reply> Phone::send_signed(std::string method, std::string path, std::string body)
{
    if (nonce_.empty()) nonce_ = co_await fresh_nonce();
    for (auto again = true;; again = false) {
        auto reply =
            co_await transport_.send({.method = method,
                                      .path = path,
                                      .headers = {{"Authorization", sign_request(state_, method, path, nonce_, body)}},
                                      .body = body});
        auto const answer = judged(reply);
        if (!answer && answer.error().outcome == Outcome::device_nonce_needed && again) {
            nonce_ = co_await fresh_nonce();
            continue;
        }
        for (auto const& [name, value] : reply.headers)
            if (name == "symbolon-nonce") nonce_ = value;
        co_return reply;
    }
}

Flow<json::Object> Phone::ask(std::string method, std::string path, std::string body)
{
    auto const reply = co_await send_signed(std::move(method), std::move(path), std::move(body));
    co_return judged(reply);
}

Flow<json::Object> Phone::me()
{
    auto answer = co_await ask("GET", "/d/me", {});
    co_return answer;
}

Flow<void> Phone::turn_passkey_on(PhonePasskey passkey, SecretText code)
{
    auto const given = co_await ask("POST", "/d/passkey/challenge", "{}");
    auto const challenge = co_await from_server(bytes_of_member(given, "challenge"));
    auto const body = write(make_passkey_on(state_, passkey, challenge, code));
    auto const answer = co_await post_until_answered("/d/passkey/on", body);
    state_.ratchet = co_await from_server(bytes_of_member(answer, "ratchet"));
    state_.passkey = std::move(passkey);
    co_return {};
}

Flow<void> Phone::turn_passkey_off()
{
    co_await ask("POST", "/d/passkey/off", "{}");
    state_.passkey.reset();
    co_return {};
}

Flow<std::vector<PendingAction>> Phone::pending()
{
    auto const reply = co_await send_signed("GET", "/d/pending", {});
    co_await judged(reply);
    co_return from_server(parse_pending(reply.body));
}

Flow<Phone::HistoryPage> Phone::history(std::int64_t before)
{
    auto const known =
        state_.log_head.empty() ? 0 : (co_await crypto::verify_head(state_.log_head, state_.log_key)).size;
    auto const answer = co_await ask("POST", "/d/history", write(HistoryRequest{.before = before, .known = known}));
    auto read = co_await from_server(parse_history(answer));
    if (state_.log_key.empty()) state_.log_key = read.key;
    auto const head = co_await check_history(read, state_.log_key, state_.log_head);
    state_.log_head = read.head;

    HistoryPage page{.entries = {}, .log_size = head.size, .more = read.more};
    for (auto const& entry : read.entries) {
        auto const body = co_await from_server(json::parse_object(text_of(entry.line.body)));
        page.entries.push_back(
            {.sequence = entry.line.sequence,
             .at = entry.line.at,
             .id = entry.line.id,
             .event = entry.line.kind,
             .client = json::text(body, "client").value_or(""),
             // Some events have no details.
             .detail = json::parse_object(json::text(body, "detail").value_or("{}")).value_or(json::Object{})});
    }
    co_return page;
}

Flow<std::string> Phone::record_of(HistoryEntry entry)
{
    auto const answer = co_await ask("POST", "/d/history/record", json::write(json::Object{{"entry", entry.id}}));
    auto record = co_await from_server(json::text(answer, "record"));
    if (json::text(entry.detail, "record").value_or("") != base64url(crypto::sha256(record)))
        co_return fail(Outcome::data_damaged, "the record is not the one that was logged");
    co_return record;
}

Flow<ActionId> Phone::claim(Claim claim)
{
    auto const answer = co_await ask("POST", "/d/claims", write(claim));
    co_return ActionId{co_await from_server(json::text(answer, "action"))};
}

Flow<std::string> Phone::match(ShownAction action, std::string symbol)
{
    Match match{
        .device = state_.device, .shown = crypto::sha256(action.bytes), .symbol = std::move(symbol), .signature = {}};
    match.signature = state_.device_key.sign(es256, match_statement(match));
    auto const path = "/d/actions/" + action.shown.action.text() + "/match";
    auto const answer = co_await post_until_answered(path, write(match));
    co_return from_server(json::text(answer, "state"));
}

Flow<Phone::ShownAction> Phone::show(ActionId id)
{
    auto const answer = co_await ask("POST", "/d/actions/" + id.text() + "/show", "{}");
    ShownAction action;
    action.bytes = co_await from_server(bytes_of_member(answer, "tx"));
    action.shown = co_await parse_shown(action.bytes);
    action.return_address = co_await from_server(return_address_in(answer));
    if (action.shown.action != id || action.shown.device != state_.device)
        co_return fail(Outcome::request_malformed, "shown bytes of another action or phone");
    co_return action;
}

Flow<std::string> Phone::answer(ShownAction action, Choice choice)
{
    auto const path = "/d/actions/" + action.shown.action.text() + "/answer";
    auto const made = make_answer(state_, action.shown, action.bytes, choice);
    // An authenticator counts whether its answer arrives or not.
    if (made.method == "passkey" && state_.passkey->authenticator.counts) ++state_.passkey->authenticator.sign_count;
    auto const body = write(made);
    auto const answer = co_await post_until_answered(path, body);
    auto state = co_await from_server(json::text(answer, "state"));
    return_address_ = co_await from_server(return_address_in(answer));
    if (state != "refused") state_.ratchet = co_await from_server(bytes_of_member(answer, "ratchet"));
    co_return state;
}

} // namespace symbolon::device

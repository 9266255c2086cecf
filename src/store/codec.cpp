#include "store/codec.hpp"

#include "base/ensure.hpp"
#include "base/json.hpp"
#include "crypto/encoding.hpp"

#include <array>
#include <concepts>

namespace symbolon::store {

namespace {

// ---- words of enumerations -----------------------------------------------------------------------------------------
// What is written stays readable: a word may be added, never given to another value.

template <class E>
struct Word {
    E value;
    std::string_view name;
};

template <class E>
constexpr std::array<Word<E>, 0> words{};

template <>
constexpr std::array words<account::State>{
    Word{account::State::active, "active"},
    Word{account::State::blocked, "blocked"},
    Word{account::State::deactivated, "deactivated"},
    Word{account::State::closed, "closed"},
};
template <>
constexpr std::array words<account::Sex>{
    Word{account::Sex::male, "male"},
    Word{account::Sex::female, "female"},
    Word{account::Sex::unknown, "unknown"},
};
template <>
constexpr std::array words<account::Source::Kind>{
    Word{account::Source::Kind::card, "card"},
    Word{account::Source::Kind::bank, "bank"},
};
template <>
constexpr std::array words<account::Device::State>{
    Word{account::Device::State::bound, "bound"},
    Word{account::Device::State::suspended, "suspended"},
    Word{account::Device::State::unbound, "unbound"},
};
template <>
constexpr std::array words<account::PushSubscription::State>{
    Word{account::PushSubscription::State::on, "on"},
    Word{account::PushSubscription::State::off, "off"},
    Word{account::PushSubscription::State::ended, "ended"},
};
template <>
constexpr std::array words<action::State>{
    Word{action::State::waiting, "waiting"},     Word{action::State::shown, "shown"},
    Word{action::State::approved, "approved"},   Word{action::State::refused, "refused"},
    Word{action::State::expired, "expired"},     Word{action::State::failed, "failed"},
    Word{action::State::returning, "returning"},
};
template <>
constexpr std::array words<action::Entry>{
    Word{action::Entry::number, "number"}, Word{action::Entry::code, "code"}, Word{action::Entry::qr, "qr"},
    Word{action::Entry::link, "link"},     Word{action::Entry::ciba, "ciba"},
};
template <>
constexpr std::array words<action::Tie>{
    Word{action::Tie::symbol, "symbol"},
    Word{action::Tie::scan, "scan"},
    Word{action::Tie::browser, "browser"},
};
template <>
constexpr std::array words<action::Tied>{
    Word{action::Tied::matched, "matched"},
    Word{action::Tied::scanned, "scanned"},
    Word{action::Tied::proven, "proven"},
};
template <>
constexpr std::array words<action::RequestedClaim::Before>{
    Word{action::RequestedClaim::Before::nothing, "nothing"},
    Word{action::RequestedClaim::Before::shared, "shared"},
    Word{action::RequestedClaim::Before::kept_back, "kept_back"},
};
template <>
constexpr std::array words<enrolment::State>{
    Word{enrolment::State::card, "card"},     Word{enrolment::State::review, "review"},
    Word{enrolment::State::sign, "sign"},     Word{enrolment::State::token, "token"},
    Word{enrolment::State::sms, "sms"},       Word{enrolment::State::code, "code"},
    Word{enrolment::State::done, "done"},     Word{enrolment::State::ended, "ended"},
    Word{enrolment::State::undone, "undone"}, Word{enrolment::State::bank, "bank"},
    Word{enrolment::State::landed, "landed"},
};
template <>
constexpr std::array words<grant::Grant::State>{
    Word{grant::Grant::State::issued, "issued"},
    Word{grant::Grant::State::redeemed, "redeemed"},
    Word{grant::Grant::State::revoked, "revoked"},
};
template <>
constexpr std::array words<grant::SignIn::State>{
    Word{grant::SignIn::State::started, "started"},
    Word{grant::SignIn::State::waiting, "waiting"},
    Word{grant::SignIn::State::finished, "finished"},
};
template <>
constexpr std::array words<partner::Profile>{
    Word{partner::Profile::plain, "plain"},
};

template <class E>
std::string_view word_of(E value)
{
    for (auto const& each : words<E>)
        if (each.value == value) return each.name;
    ENSURE(false);
}

// ---- members
// --------------------------------------------------------------------------------------------------------- One list
// for writing and reading.

template <class T, class U>
concept Like = std::same_as<std::remove_const_t<T>, U>;

template <class V, Like<account::Address> T>
void describe(V& member, T& it)
{
    member("street", it.street);
    member("zip", it.zip);
    member("municipality", it.municipality);
}

template <class V, Like<account::Person> T>
void describe(V& member, T& it)
{
    member("family_name", it.family_name);
    member("given_names", it.given_names);
    member("third_initial", it.third_initial);
    member("birth_date", it.birth_date);
    member("birth_place", it.birth_place);
    member("sex", it.sex);
    member("nationality", it.nationality);
    member("national_number", it.national_number);
    member("address", it.address);
    member("photo", it.photo);
}

template <class V, Like<account::Source> T>
void describe(V& member, T& it)
{
    member("kind", it.kind);
    member("bank", it.bank);
    member("document_number", it.document_number);
    member("document_type", it.document_type);
    member("valid_from", it.valid_from);
    member("valid_until", it.valid_until);
    member("issued_by", it.issued_by);
    member("evidence", it.evidence);
}

template <class V, Like<account::Account> T>
void describe(V& member, T& it)
{
    member("id", it.id);
    member("state", it.state);
    member("phone_number", it.phone_number);
    member("email", it.email);
    member("language", it.language);
    member("location_consent", it.location_consent);
    member("person", it.person);
    member("source", it.source);
    member("device", it.device);
    member("contract", it.contract);
    member("move_number", it.move_number);
    member("card_may_unblock_until", it.card_may_unblock_until);
    member("created_at", it.created_at);
    // Accounts of before it was kept say nothing better.
    if constexpr (!std::is_const_v<T>) it.person_at = it.created_at;
    member("person_at", it.person_at);
}

template <class V, Like<account::Passkey> T>
void describe(V& member, T& it)
{
    member("id", it.id);
    member("public_key", it.public_key);
    member("algorithm", it.algorithm);
    member("sign_count", it.sign_count);
    member("backup_eligible", it.backup_eligible);
    member("backed_up", it.backed_up);
    member("aaguid", it.aaguid);
    member("used_counts", it.used_counts);
    member("turned_on_by", it.turned_on_by);
    member("registered_at", it.registered_at);
}

template <class V, Like<account::Device::KnownBrowser> T>
void describe(V& member, T& it)
{
    member("browser", it.browser);
    member("at", it.at);
}

template <class V, Like<account::Device::Mute> T>
void describe(V& member, T& it)
{
    member("browser", it.browser);
    member("network", it.network);
    member("partner_domain", it.partner_domain);
    member("at", it.at);
    member("until", it.until);
}

template <class V, Like<account::Device> T>
void describe(V& member, T& it)
{
    member("id", it.id);
    member("account", it.account);
    member("state", it.state);
    member("public_key", it.public_key);
    member("name", it.name);
    member("ratchet", it.ratchet);
    member("previous_ratchet", it.previous_ratchet);
    member("code_version", it.code_version);
    member("passkey", it.passkey);
    member("passkey_challenge", it.passkey_challenge);
    member("passkey_challenge_until", it.passkey_challenge_until);
    member("bound_at", it.bound_at);
    member("last_seen_at", it.last_seen_at);
    member("known_browsers", it.known_browsers);
    member("mutes", it.mutes);
}

template <class V, Like<account::PushSubscription> T>
void describe(V& member, T& it)
{
    member("device", it.device);
    member("account", it.account);
    member("state", it.state);
    member("endpoint", it.endpoint);
    member("point", it.point);
    member("auth", it.auth);
    member("language", it.language);
    member("since", it.since);
}

template <class V, Like<action::RequestedClaim> T>
void describe(V& member, T& it)
{
    member("name", it.name);
    member("essential", it.essential);
    member("before", it.before);
}

template <class V, Like<action::Origin> T>
void describe(V& member, T& it)
{
    member("browser", it.browser);
    member("network", it.network);
}

template <class V, Like<action::NumberTrace::Start> T>
void describe(V& member, T& it)
{
    member("at", it.at);
    member("network", it.network);
    member("client", it.client);
}

template <class V, Like<action::NumberTrace> T>
void describe(V& member, T& it)
{
    member("last_symbol", it.last_symbol);
    member("recent", it.recent);
    member("unseen", it.unseen);
}

template <class V, Like<consent::Consent> T>
void describe(V& member, T& it)
{
    member("account", it.account);
    member("client", it.client);
    member("partner_names", it.partner_names);
    member("partner_domain", it.partner_domain);
    member("shared", it.shared);
    member("kept_back", it.kept_back);
    member("since", it.since);
    member("at", it.at);
}

template <class V, Like<action::Action> T>
void describe(V& member, T& it)
{
    member("id", it.id);
    member("account", it.account);
    member("device", it.device);
    member("sign_in", it.sign_in);
    member("client", it.client);
    member("partner_names", it.partner_names);
    member("partner_domain", it.partner_domain);
    member("entry", it.entry);
    member("origin", it.origin);
    member("quiet", it.quiet);
    member("first", it.first);
    member("tie", it.tie);
    member("tied", it.tied);
    member("returned_elsewhere", it.returned_elsewhere);
    member("claims", it.claims);
    member("browser", it.browser);
    member("acr", it.acr);
    member("needs_passkey", it.needs_passkey);
    member("symbol", it.symbol);
    member("symbols", it.symbols);
    member("state", it.state);
    member("outcome", it.outcome);
    member("created_at", it.created_at);
    member("expires_at", it.expires_at);
    member("shown_at", it.shown_at);
    member("decided_at", it.decided_at);
    member("owes_history", it.owes_history);
    member("shown", it.shown);
    member("record", it.record);
    member("evidence", it.evidence);
    member("granted_claims", it.granted_claims);
    member("achieved_acr", it.achieved_acr);
}

template <class V, Like<enrolment::Tries> T>
void describe(V& member, T& it)
{
    member("failed", it.failed);
    member("open_at", it.open_at);
}

template <class V, Like<enrolment::Progress> T>
void describe(V& member, T& it)
{
    member("at", it.at);
    member("outcome", it.outcome);
    member("tries_left", it.tries_left);
}

template <class V, Like<enrolment::Enrolment> T>
void describe(V& member, T& it)
{
    member("id", it.id);
    member("state", it.state);
    member("browser_hash", it.browser_hash);
    member("language", it.language);
    member("phone_number", it.phone_number);
    member("email", it.email);
    member("location_consent", it.location_consent);
    member("created_at", it.created_at);
    member("expires_at", it.expires_at);
    member("outcome", it.outcome);
    member("outcome_open_at", it.outcome_open_at);
    member("outcome_fields", it.outcome_fields);
    member("ticket_hash", it.ticket_hash);
    member("ticket_generation", it.ticket_generation);
    member("ticket_expires_at", it.ticket_expires_at);
    member("reader_session_hash", it.reader_session_hash);
    member("challenge", it.challenge);
    member("challenge_expires_at", it.challenge_expires_at);
    member("symbol", it.symbol);
    member("symbols", it.symbols);
    member("progress", it.progress);
    member("bank", it.bank);
    member("bank_nonce", it.bank_nonce);
    member("bank_verifier", it.bank_verifier);
    member("landing_code_hash", it.landing_code_hash);
    member("landing_tries", it.landing_tries);
    member("web_eid_nonce", it.web_eid_nonce);
    member("web_eid_nonce_expires_at", it.web_eid_nonce_expires_at);
    member("by_web_eid", it.by_web_eid);
    member("person", it.person);
    member("source", it.source);
    member("chip_number", it.chip_number);
    member("signature_certificate", it.signature_certificate);
    member("certificate_chain", it.certificate_chain);
    member("ocsp_answers", it.ocsp_answers);
    member("moves", it.moves);
    member("moves_from", it.moves_from);
    member("move_number", it.move_number);
    member("number_before", it.number_before);
    member("email_before", it.email_before);
    member("contract", it.contract);
    member("signed_attributes", it.signed_attributes);
    member("contract_id", it.contract_id);
    member("token_hash", it.token_hash);
    member("token_generation", it.token_generation);
    member("token_expires_at", it.token_expires_at);
    member("token_tries", it.token_tries);
    member("phone_session_hash", it.phone_session_hash);
    member("sms_code_hash", it.sms_code_hash);
    member("sms_code_expires_at", it.sms_code_expires_at);
    member("sms_tries", it.sms_tries);
    member("sms_sent_at", it.sms_sent_at);
    member("sms_lost", it.sms_lost);
    member("device_nonce", it.device_nonce);
    member("account", it.account);
    member("device", it.device);
    member("device_name", it.device_name);
    member("bound_at", it.bound_at);
}

template <class V, Like<grant::ClaimRequest> T>
void describe(V& member, T& it)
{
    member("name", it.name);
    member("essential", it.essential);
    member("values", it.values);
}

template <class V, Like<grant::AuthorizationRequest> T>
void describe(V& member, T& it)
{
    member("client", it.client);
    member("redirect_uri", it.redirect_uri);
    member("response_mode", it.response_mode);
    member("scopes", it.scopes);
    member("state", it.state);
    member("nonce", it.nonce);
    member("code_challenge", it.code_challenge);
    member("prompt", it.prompt);
    member("max_age", it.max_age);
    member("ui_locales", it.ui_locales);
    member("acr_values", it.acr_values);
    member("login_hint", it.login_hint);
    member("id_token_claims", it.id_token_claims);
    member("userinfo_claims", it.userinfo_claims);
}

template <class V, Like<grant::SignIn> T>
void describe(V& member, T& it)
{
    member("id", it.id);
    member("state", it.state);
    member("browser_hash", it.browser_hash);
    member("request", it.request);
    member("language", it.language);
    member("action", it.action);
    member("symbol", it.symbol);
    member("typed_hint", it.typed_hint);
    member("outcome", it.outcome);
    member("browser", it.browser);
    member("network", it.network);
    member("entry_secret", it.entry_secret);
    member("offered_at", it.offered_at);
    member("short_code", it.short_code);
    member("created_at", it.created_at);
    member("expires_at", it.expires_at);
}

template <class V, Like<grant::Grant> T>
void describe(V& member, T& it)
{
    member("id", it.id);
    member("state", it.state);
    member("client", it.client);
    member("account", it.account);
    member("action", it.action);
    member("redirect_uri", it.redirect_uri);
    member("nonce", it.nonce);
    member("code_challenge", it.code_challenge);
    member("scopes", it.scopes);
    member("id_token_claims", it.id_token_claims);
    member("userinfo_claims", it.userinfo_claims);
    member("acr", it.acr);
    member("achieved_acr", it.achieved_acr);
    member("auth_time", it.auth_time);
    member("code_hash", it.code_hash);
    member("created_at", it.created_at);
    member("expires_at", it.expires_at);
    member("access_token_hash", it.access_token_hash);
    member("access_token_expires_at", it.access_token_expires_at);
}

template <class V, Like<partner::Client> T>
void describe(V& member, T& it)
{
    member("id", it.id);
    member("partner", it.partner);
    member("profile", it.profile);
    member("names", it.names);
    member("domain", it.domain);
    member("redirect_uris", it.redirect_uris);
    member("authentication", it.authentication);
    member("secret_hash", it.secret_hash);
    member("jwks", it.jwks);
    member("id_token_signed_response_alg", it.id_token_signed_response_alg);
    member("userinfo_signed_response_alg", it.userinfo_signed_response_alg);
    member("sector_identifier", it.sector_identifier);
    member("allowed_claims", it.allowed_claims);
    member("requires_pkce", it.requires_pkce);
    member("created_at", it.created_at);
}

template <class V, Like<HistoryBody> T>
void describe(V& member, T& it)
{
    member("event", it.event);
    member("client", it.client);
    member("detail", it.detail);
    member("record", it.record);
    member("salt", it.salt);
}

// ---- writing
// ---------------------------------------------------------------------------------------------------------

struct Writer;

template <class T>
concept Described = requires(Writer& writer, T const& value) { describe(writer, value); };

struct Writer {
    std::string& out; ///< JSON; what is written follows what stands there
    bool is_first = true;

    template <class T>
    void operator()(std::string_view name, T const& value)
    {
        if constexpr (requires { value.empty(); } && !std::same_as<T, std::string>) {
            if (value.empty()) return;
        }
        begin(name);
        write(value);
    }
    template <class T>
    void operator()(std::string_view name, std::optional<T> const& value)
    {
        if (!value) return;
        begin(name);
        write(*value);
    }

    void begin(std::string_view name)
    {
        if (!std::exchange(is_first, false)) out += ',';
        text(name);
        out += ':';
    }
    void text(std::string_view value) { json::append_text(out, value); }
    void number(std::int64_t value) { out += std::to_string(value); }

    void write(std::string const& value) { text(value); }
    void write(bool value) { out += value ? "true" : "false"; }
    void write(int value) { number(value); }
    void write(std::int64_t value) { number(value); }
    void write(Seconds value) { number(value.count()); }
    void write(Instant value) { number(numeric_date(value)); }
    void write(Bytes const& value) { text(crypto::base64url(value)); }
    void write(account::PhoneNumber const& value) { text(value.e164()); }
    void write(Language value) { text(name_of(value)); }
    void write(Outcome value) { text(name_of(value)); }
    void write(partner::ClientAuthentication value) { text(name_of(value)); }
    template <class Kind>
    void write(Id<Kind> const& value)
    {
        text(value.text());
    }
    template <class E>
        requires(!words<E>.empty())
    void write(E value)
    {
        text(word_of(value));
    }
    template <class T>
    void write(std::vector<T> const& values)
    {
        out += '[';
        for (bool first = true; auto const& value : values) {
            if (!std::exchange(first, false)) out += ',';
            write(value);
        }
        out += ']';
    }
    void write(std::map<Language, std::string> const& values)
    {
        out += '{';
        Writer inner{out};
        for (auto const& [language, text] : values) inner(name_of(language), text);
        out += '}';
    }
    template <Described T>
    void write(T const& value)
    {
        out += '{';
        Writer inner{out};
        describe(inner, value);
        out += '}';
    }
};

// ---- reading
// -----------------------------------------------------------------------------------------------------------

struct Reader {
    json::Object const& object;
    std::string_view damaged{}; ///< the first member that can't be read

    template <class T>
    void operator()(std::string_view name, T& value)
    {
        auto const* found = object.if_contains(name);
        if (found == nullptr || !damaged.empty()) return;
        if (!read(*found, value)) damaged = name;
    }
    template <class T>
    void operator()(std::string_view name, std::optional<T>& value)
    {
        if (object.contains(name)) (*this)(name, value.emplace());
    }

    static bool read(json::Value const& from, std::string& value)
    {
        if (!from.is_string()) return false;
        value = from.as_string();
        return true;
    }
    static bool read(json::Value const& from, bool& value)
    {
        if (!from.is_bool()) return false;
        value = from.as_bool();
        return true;
    }
    static bool read(json::Value const& from, std::int64_t& value)
    {
        if (!from.is_int64()) return false;
        value = from.as_int64();
        return true;
    }
    static bool read(json::Value const& from, int& value)
    {
        std::int64_t wide = 0;
        if (!read(from, wide) || !std::in_range<int>(wide)) return false;
        value = static_cast<int>(wide);
        return true;
    }
    static bool read(json::Value const& from, Seconds& value)
    {
        std::int64_t count = 0;
        if (!read(from, count)) return false;
        value = Seconds{count};
        return true;
    }
    static bool read(json::Value const& from, Instant& value)
    {
        std::int64_t count = 0;
        if (!read(from, count)) return false;
        value = instant_of(count);
        return true;
    }
    static bool read(json::Value const& from, Bytes& value)
    {
        if (!from.is_string()) return false;
        auto bytes = crypto::from_base64url(from.as_string());
        if (!bytes) return false;
        value = *std::move(bytes);
        return true;
    }
    static bool read(json::Value const& from, account::PhoneNumber& value)
    {
        std::string text;
        if (!read(from, text)) return false;
        value = account::PhoneNumber{std::move(text)};
        return true;
    }
    template <class Kind>
    static bool read(json::Value const& from, Id<Kind>& value)
    {
        std::string text;
        if (!read(from, text)) return false;
        value = Id<Kind>{std::move(text)};
        return true;
    }
    template <class T>
    static bool take(std::optional<T> found, T& value)
    {
        if (found) value = *found;
        return found.has_value();
    }
    static bool read(json::Value const& from, Language& value)
    {
        return from.is_string() && take(language_named(from.as_string()), value);
    }
    static bool read(json::Value const& from, Outcome& value)
    {
        return from.is_string() && take(outcome_named(from.as_string()), value);
    }
    static bool read(json::Value const& from, partner::ClientAuthentication& value)
    {
        return from.is_string() && take(partner::client_authentication_named(from.as_string()), value);
    }
    template <class E>
        requires(!words<E>.empty())
    static bool read(json::Value const& from, E& value)
    {
        if (!from.is_string()) return false;
        for (auto const& each : words<E>) {
            if (each.name != std::string_view{from.as_string()}) continue;
            value = each.value;
            return true;
        }
        return false;
    }
    template <class T>
    static bool read(json::Value const& from, std::vector<T>& values)
    {
        if (!from.is_array()) return false;
        for (auto const& each : from.as_array()) {
            T value{};
            if (!read(each, value)) return false;
            values.push_back(std::move(value));
        }
        return true;
    }
    static bool read(json::Value const& from, std::map<Language, std::string>& values)
    {
        if (!from.is_object()) return false;
        for (auto const& member : from.as_object()) {
            auto const language = language_named(member.key());
            if (!language || !member.value().is_string()) return false;
            values[*language] = member.value().as_string();
        }
        return true;
    }
    template <Described T>
    static bool read(json::Value const& from, T& value)
    {
        if (!from.is_object()) return false;
        Reader inner{.object = from.as_object()};
        describe(inner, value);
        return inner.damaged.empty();
    }
};

} // namespace

template <class T>
Bytes encode(T const& value)
{
    std::string json;
    Writer{json}.write(value);
    return to_bytes(json);
}

template <class T>
Result<T> decode(ByteView body)
{
    auto const object = json::parse_object(text_of(body));
    if (!object) return fail(Outcome::data_damaged, object.error().detail);
    T value{};
    Reader reader{.object = *object};
    describe(reader, value);
    if (!reader.damaged.empty()) return fail(Outcome::data_damaged, "member '" + std::string{reader.damaged} + "'");
    return value;
}

// NOLINTBEGIN(bugprone-macro-parentheses): these are types
#define SYMBOLON_STORED(T)                                                                                             \
    template Bytes encode<T>(T const&);                                                                                \
    template Result<T> decode<T>(ByteView);
// NOLINTEND(bugprone-macro-parentheses)
SYMBOLON_STORED(account::Account)
SYMBOLON_STORED(account::Device)
SYMBOLON_STORED(account::PushSubscription)
SYMBOLON_STORED(action::Action)
SYMBOLON_STORED(action::NumberTrace)
SYMBOLON_STORED(consent::Consent)
SYMBOLON_STORED(enrolment::Enrolment)
SYMBOLON_STORED(grant::Grant)
SYMBOLON_STORED(grant::SignIn)
SYMBOLON_STORED(partner::Client)
SYMBOLON_STORED(HistoryBody)
#undef SYMBOLON_STORED

std::string_view word(account::State state) { return word_of(state); }
std::string_view word(account::Device::State state) { return word_of(state); }
std::string_view word(account::PushSubscription::State state) { return word_of(state); }
std::string_view word(action::State state) { return word_of(state); }
std::string_view word(enrolment::State state) { return word_of(state); }
std::string_view word(grant::Grant::State state) { return word_of(state); }
std::string_view word(grant::SignIn::State state) { return word_of(state); }

} // namespace symbolon::store

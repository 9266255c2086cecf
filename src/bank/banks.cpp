#include "bank/banks.hpp"

#include "base/ensure.hpp"
#include "base/text.hpp"
#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"

#include <algorithm>
#include <array>

namespace symbolon::bank {

namespace {

constexpr std::string_view jwt_bearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"; // RFC 7523 §2.2
constexpr Seconds assertion_lifetime = 60s;
constexpr std::size_t longest_code = 4096;
constexpr std::size_t longest_request_uri = 2000;
constexpr std::size_t longest_error = 64;

std::unexpected<Failure> unreachable(std::string detail, std::source_location where = std::source_location::current())
{
    return fail(Outcome::bank_unreachable, std::move(detail), where);
}

std::unexpected<Failure> invalid(std::string detail, std::source_location where = std::source_location::current())
{
    return fail(Outcome::bank_answer_invalid, std::move(detail), where);
}

/// An error code for the log (RFC 6749 §5.2), if it looks like one: what a bank writes is not ours to repeat.
std::string error_code(std::string_view text)
{
    auto const is_plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
    return text.size() <= longest_error && !text.empty() && std::ranges::all_of(text, is_plain) ? std::string{text}
                                                                                                : "no error code";
}

std::string error_in(Answer const& answer)
{
    auto const object = json::parse_object(answer.body);
    return error_code(object ? json::text(*object, "error").value_or("") : "");
}

std::string status_of(Answer const& answer) { return "status " + std::to_string(answer.status); }

/// A request that may be made twice, since nothing of the first was sent. `too_long`: what an answer is that is longer
/// than any that we want.
template <class Ask>
Flow<Answer> asked(Ask ask, std::string what, Outcome too_long = Outcome::bank_unreachable)
{
    auto answer = co_await outcome_of(ask());
    if (!answer && answer.error().outcome == Outcome::upstream_unreachable) answer = co_await outcome_of(ask());
    if (!answer && answer.error().outcome == Outcome::bank_answer_invalid)
        co_return fail(too_long, what + ": " + answer.error().detail);
    if (!answer) co_return unreachable(what + ": " + answer.error().detail);
    if (answer->status >= 500) co_return unreachable(what + ": " + status_of(*answer));
    co_return *std::move(answer);
}

/// Who we are (OpenID Connect Core 1.0 §9, private_key_jwt). For the issuer alone, so that no other server can use it.
void authenticate(http::Parameters& parameters, Registration const& bank, Keys const& keys, Instant now,
                  crypto::Random& random)
{
    json::Object claims;
    claims["iss"] = bank.client_id;
    claims["sub"] = bank.client_id;
    claims["aud"] = bank.issuer;
    claims["jti"] = random.token().reveal();
    claims["iat"] = numeric_date(now);
    claims["exp"] = numeric_date(now + assertion_lifetime);
    parameters.add("client_id", bank.client_id);
    parameters.add("client_assertion_type", std::string{jwt_bearer});
    parameters.add("client_assertion", crypto::sign_jws(keys.signing_at(now), json::write(claims), "JWT"));
}

/// OpenID Connect Core 1.0 §5.5: each claim in the ID token, what a judgement needs as essential.
std::string claims_asked_for(Registration const& bank)
{
    constexpr std::array not_needed{std::string_view{"gender"}, std::string_view{"place_of_birth"},
                                    std::string_view{"nationality"}, std::string_view{"phone_number"}};
    json::Object wanted;
    for (auto const name : claim_names) {
        if (name == "acr") continue; // by acr_values: a level that is too low is to be told, not to end the visit there
        json::Value how = nullptr;
        if (std::ranges::find(not_needed, name) == not_needed.end()) how = json::Object{{"essential", true}};
        wanted[bank.claim(name)] = std::move(how);
    }
    json::Object claims;
    claims["id_token"] = std::move(wanted);
    return json::write(claims);
}

std::string joined(std::vector<std::string> const& words)
{
    std::string text;
    for (auto const& word : words) text += (text.empty() ? "" : " ") + word;
    return text;
}

/// What the bank's error says (RFC 6749 §4.1.2.1, OpenID Connect Core 1.0 §3.1.2.6).
Failure failure_of(std::string_view error)
{
    auto const as = [&](Outcome outcome) { return fail(outcome, error_code(error)).error(); };
    if (error == "access_denied") return as(Outcome::bank_cancelled);
    if (error == "server_error" || error == "temporarily_unavailable") return as(Outcome::bank_unreachable);
    if (error == "unmet_authentication_requirements") return as(Outcome::bank_assurance_too_low);
    return as(Outcome::bank_refused);
}

/// The code of an answer that is this bank's to this visit (RFC 6749 §4.1.2, RFC 9207 §2.4). The issuer first: what
/// another server sends in this bank's name is not looked at.
Result<std::string> code_in(ports::BankReturn const& back, ports::BankVisit const& visit, Registration const& bank)
{
    if (back.issuer.empty()) return invalid("no iss in the answer");
    if (back.issuer != bank.issuer) return invalid("another issuer in the answer");
    if (visit.state.empty() || !equal_in_constant_time(bytes_of(back.state), bytes_of(visit.state)))
        return invalid("state of another visit");
    if (!back.error.empty()) {
        if (!back.code.empty()) return invalid("a code and an error");
        return std::unexpected{failure_of(back.error)};
    }
    if (back.code.empty() || back.code.size() > longest_code) return invalid("no code");
    return back.code;
}

} // namespace

// ---- what is known of one bank -------------------------------------------------------------------------------------

std::optional<Instant> Connection::down_until(Instant now) const
{
    std::scoped_lock const lock{mutex_};
    if (down_until_ && now < *down_until_) return down_until_;
    return std::nullopt;
}

void Connection::is_up(Instant now)
{
    std::scoped_lock const lock{mutex_};
    answered_at_ = now;
    failures_ = 0;
    down_until_.reset();
    next_pause_ = shortest_pause;
}

Instant Connection::is_down(Instant now)
{
    std::scoped_lock const lock{mutex_};
    metadata_ = nullptr; // it may have moved
    ++failures_;
    if (answered_at_ && now < *answered_at_ + answered_lately && failures_ < failures_in_a_row) return now;
    if (!down_until_ || now >= *down_until_) {
        down_until_ = now + next_pause_;
        next_pause_ = std::min(next_pause_ * 2, longest_pause);
    }
    return *down_until_;
}

Connection::SharedMetadata Connection::metadata(Instant now) const
{
    std::scoped_lock const lock{mutex_};
    return now < metadata_at_ + metadata_kept_for ? metadata_ : nullptr;
}

Connection::SharedKeys Connection::keys(Instant now) const
{
    std::scoped_lock const lock{mutex_};
    return now < keys_at_ + keys_kept_for ? keys_ : nullptr;
}

void Connection::keep(SharedMetadata metadata, Instant now)
{
    std::scoped_lock const lock{mutex_};
    metadata_ = std::move(metadata);
    metadata_at_ = now;
}

void Connection::keep(SharedKeys keys, Instant now)
{
    std::scoped_lock const lock{mutex_};
    keys_ = std::move(keys);
    keys_at_ = now;
}

bool Connection::may_ask_again_for_keys(Instant now)
{
    std::scoped_lock const lock{mutex_};
    if (now < keys_asked_again_at_ + keys_asked_again_after) return false;
    keys_asked_again_at_ = now;
    return true;
}

// ---- requests and answers ------------------------------------------------------------------------------------------

http::Parameters pushed_request(ports::BankVisit const& visit, Language language, Registration const& bank,
                                Settings const& settings, Instant now, crypto::Random& random)
{
    http::Parameters parameters;
    parameters.add("response_type", "code");
    parameters.add("redirect_uri", settings.redirect_uri);
    parameters.add("scope", "openid");
    parameters.add("state", visit.state);
    parameters.add("nonce", visit.nonce);
    parameters.add("code_challenge", crypto::base64url(crypto::sha256(visit.verifier)));
    parameters.add("code_challenge_method", "S256");
    // Whoever is logged in at the bank already shows who they are once more: the browser may not be theirs.
    parameters.add("prompt", "login");
    parameters.add("acr_values", joined(bank.terms.acr));
    parameters.add("claims", claims_asked_for(bank));
    parameters.add("ui_locales", std::string{name_of(language)});
    authenticate(parameters, bank, settings.keys, now, random);
    return parameters;
}

Result<std::string> request_uri_in(Answer const& answer)
{
    // RFC 9126 §2.2: 201. Some say 200.
    if (answer.status != 201 && answer.status != 200)
        return unreachable("pushed request: " + status_of(answer) + ", " + error_in(answer));
    if (!is_json(answer)) return unreachable("pushed request: the answer is no JSON");
    auto const object = json::parse_object(answer.body);
    if (!object) return unreachable("pushed request: the answer is no JSON");
    auto const uri = json::text(*object, "request_uri");
    if (!uri || uri->empty() || uri->size() > longest_request_uri) return unreachable("pushed request: no request_uri");
    return *uri;
}

Result<std::vector<crypto::VerificationKey>> keys_in(Answer const& answer)
{
    if (answer.status != 200) return unreachable("keys: " + status_of(answer));
    if (!is_json(answer)) return unreachable("keys: the answer is no JSON");
    auto keys = crypto::parse_jwk_set(answer.body);
    if (!keys) return unreachable("keys: " + keys.error().detail);
    return *std::move(keys);
}

// ---- the port ------------------------------------------------------------------------------------------------------

Banks::Banks(Settings settings, Means means) : settings_{std::move(settings)}, means_{means}
{
    for (auto const& bank : settings_.banks) connections_.push_back(std::make_unique<Connection>(bank));
}

std::vector<ports::BankStanding> Banks::list()
{
    auto const now = means_.clock.now();
    std::vector<ports::BankStanding> standings;
    standings.reserve(connections_.size());
    for (auto const& connection : connections_)
        standings.push_back({.terms = connection->registration().terms, .down_until = connection->down_until(now)});
    return standings;
}

std::string Banks::public_keys() { return public_jwk_set(settings_.keys, means_.clock.now()); }

Result<Connection*> Banks::connection(std::string const& bank)
{
    for (auto const& connection : connections_)
        if (connection->registration().terms.id == bank) return connection.get();
    return fail(Outcome::bank_unknown);
}

Flow<Connection::SharedMetadata> Banks::metadata_of(Connection& connection)
{
    if (auto known = connection.metadata(means_.clock.now())) co_return std::move(known);
    auto const& issuer = connection.registration().issuer;
    auto const ask = [&] { return means_.fetcher.get(metadata_url(issuer)); };
    auto const answer = co_await asked(ask, "discovery");
    if (answer.status != 200) co_return unreachable("discovery: " + status_of(answer));
    if (!is_json(answer)) co_return unreachable("discovery: the answer is no JSON");
    auto const metadata = std::make_shared<Metadata const>(co_await parse_metadata(answer.body, issuer));
    connection.keep(metadata, means_.clock.now());
    co_return metadata;
}

Flow<Connection::SharedKeys> Banks::fetched_keys(Connection& connection, Metadata const& metadata)
{
    auto const ask = [&] { return means_.fetcher.get(metadata.jwks_uri); };
    auto const answer = co_await asked(ask, "keys");
    auto const keys = std::make_shared<std::vector<crypto::VerificationKey> const>(co_await keys_in(answer));
    connection.keep(keys, means_.clock.now());
    co_return keys;
}

Flow<Connection::SharedKeys> Banks::keys_of(Connection& connection, Metadata const& metadata)
{
    if (auto known = connection.keys(means_.clock.now())) co_return std::move(known);
    co_return co_await fetched_keys(connection, metadata);
}

Flow<std::string> Banks::pushed(Connection& connection, ports::BankVisit visit, Language language)
{
    auto const metadata = co_await metadata_of(connection);
    auto const& bank = connection.registration();
    // An assertion is for one request: a second try has its own.
    auto const ask = [&] {
        return means_.fetcher.post(metadata->pushed_authorization_request_endpoint,
                                   pushed_request(visit, language, bank, settings_, means_.clock.now(), means_.random));
    };
    auto const answer = co_await asked(ask, "pushed request");
    http::Parameters query;
    query.add("client_id", bank.client_id);
    query.add("request_uri", co_await request_uri_in(answer));
    co_return http::with_parameters(metadata->authorization_endpoint, query);
}

Flow<std::string> Banks::begin(ports::BankVisit visit, Language language)
{
    auto& connection = *co_await this->connection(visit.bank);
    if (auto const until = connection.down_until(means_.clock.now()))
        co_return fail_until(Outcome::bank_unreachable, *until);
    auto url = co_await outcome_of(pushed(connection, visit, language));
    if (url) {
        connection.is_up(means_.clock.now());
        co_return *std::move(url);
    }
    means_.log.failure("bank_begin", url.error(), {{"bank", visit.bank}});
    co_return fail_until(Outcome::bank_unreachable, connection.is_down(means_.clock.now()));
}

Flow<std::string> Banks::redeemed_token(Connection& connection, ports::BankVisit visit, std::string code)
{
    auto const metadata = co_await metadata_of(connection);
    auto const& bank = connection.registration();
    auto const ask = [&] {
        http::Parameters form;
        form.add("grant_type", "authorization_code");
        form.add("code", code);
        form.add("redirect_uri", settings_.redirect_uri);
        form.add("code_verifier", visit.verifier);
        authenticate(form, bank, settings_.keys, means_.clock.now(), means_.random);
        return means_.fetcher.post(metadata->token_endpoint, std::move(form));
    };
    auto const answer = co_await asked(ask, "token", Outcome::bank_answer_invalid);
    // RFC 6749 §5.2: invalid_grant is about this code: used, expired, of another client, verifier or redirect_uri.
    // Every other refusal is about us, and nobody gets through.
    if (answer.status != 200) {
        auto const error = error_in(answer);
        if (error == "invalid_grant") co_return invalid("token: invalid_grant");
        co_return unreachable("token: " + status_of(answer) + ", " + error);
    }
    if (!is_json(answer)) co_return invalid("token: the answer is no JSON");
    auto const object = json::parse_object(answer.body);
    if (!object) co_return invalid("token: " + object.error().detail);
    auto token = json::text(*object, "id_token");
    if (!token) co_return invalid("token: no id_token");
    co_return *std::move(token);
}

Flow<IdToken> Banks::judged_token(Connection& connection, ports::BankVisit visit, std::string token)
{
    auto const metadata = co_await metadata_of(connection);
    auto keys = co_await keys_of(connection, *metadata);
    auto const judge = [&] {
        return judge_id_token(
            token, {.bank = connection.registration(), .nonce = visit.nonce, .ours = settings_.keys, .theirs = *keys},
            means_.clock.now());
    };
    auto judged = judge();
    auto const is_unknown = [&] { return !judged && judged.error().outcome == Outcome::key_unknown; };
    // The bank may have taken a new key since (OpenID Connect Core 1.0 §10.1.1).
    if (is_unknown() && connection.may_ask_again_for_keys(means_.clock.now())) {
        keys = co_await fetched_keys(connection, *metadata);
        judged = judge();
    }
    if (is_unknown()) co_return invalid("ID token: signed with a key that the bank does not have");
    co_return std::move(judged);
}

Flow<enrolment::BankAnswer> Banks::redeem(ports::BankVisit visit, ports::BankReturn back)
{
    auto& connection = *co_await this->connection(visit.bank);
    auto const work = [&]() -> Flow<enrolment::BankAnswer> {
        auto const code = co_await code_in(back, visit, connection.registration());
        auto const token = co_await redeemed_token(connection, visit, code);
        auto const judged = co_await judged_token(connection, visit, token);
        co_return answer_in(judged, connection.registration());
    };
    // A visit that has come back is redeemed even while the bank counts as down: its code lives for a minute.
    auto answer = co_await outcome_of(work());
    if (answer) {
        connection.is_up(means_.clock.now());
        co_return *std::move(answer);
    }
    means_.log.failure("bank_redeem", answer.error(), {{"bank", visit.bank}});
    // Nothing of this closes the bank to others: what came back is the browser's, and could be made to.
    co_return std::unexpected{answer.error()};
}

} // namespace symbolon::bank

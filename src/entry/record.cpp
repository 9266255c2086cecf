#include "entry/record.hpp"

#include "action/assurance.hpp"
#include "base/ensure.hpp"
#include "base/json.hpp"
#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"

namespace symbolon::entry {

using action::Tied;
using crypto::base64url;

std::string_view name_of(std::optional<Tied> tied)
{
    if (!tied) return "none";
    switch (*tied) {
    case Tied::matched: return "matched";
    case Tied::scanned: return "scanned";
    case Tied::proven: return "proven";
    }
    return "none";
}

Bytes tied_record(ByteView record, Tying const& tying, crypto::SigningKey const& key)
{
    auto const jws = crypto::peek_jws(text_of(record));
    ENSURE(jws.has_value());
    auto payload = json::parse_object(jws->payload);
    ENSURE(payload.has_value());
    auto& object = *payload;
    object["state"] = tying.tied ? "approved" : "failed";
    object["tied"] = name_of(tying.tied);
    object["tied_at"] = numeric_date(tying.at);
    if (!tying.symbol.empty()) {
        object["symbol"] = tying.tied ? "right" : "wrong";
        object["match"] = json::Object{{"symbol", tying.symbol}, {"signature", base64url(tying.signature)}};
    }
    return to_bytes(crypto::sign_jws(key, json::write(object), "symbolon-record+jws"));
}

bool is_completed_by(ByteView record, std::string_view symbol, ByteView signature)
{
    auto const jws = crypto::peek_jws(text_of(record));
    if (!jws) return false;
    auto const payload = json::parse_object(jws->payload);
    if (!payload || !payload->contains("match")) return false;
    auto const match = json::object(*payload, "match");
    if (!match) return false;
    auto const picked = json::text(*match, "symbol");
    auto const by = json::text(*match, "signature");
    return picked && by && *picked == symbol && *by == base64url(signature);
}

ports::HistoryEntry history(AccountId account, action::Action const& action, std::string event, Instant at,
                            json::Object detail)
{
    json::Object names;
    for (auto const& [language, name] : action.partner_names) names.emplace(symbolon::name_of(language), name);
    detail["action"] = action.id.text();
    detail["partner"] = json::Object{{"name", std::move(names)}, {"domain", action.partner_domain}};
    detail["browser"] = action.browser;
    detail["entry"] = action::name_of(action.entry);
    if (!action.record.empty()) detail["record"] = base64url(crypto::sha256(action.record));
    return {.account = std::move(account),
            .at = at,
            .event = std::move(event),
            .client = action.client,
            .detail = json::write(detail),
            .record = action.record};
}

ports::HistoryEntry approval(action::Action const& action, Instant at, json::Object more)
{
    auto const by_passkey = action.achieved_acr == action::assurance_substantial;
    json::Array claims;
    for (auto const& claim : action.granted_claims) claims.emplace_back(claim);
    more["claims"] = std::move(claims);
    more["method"] = by_passkey ? "passkey" : "code";
    more["tied"] = name_of(action.tied);
    if (action.device) more["device"] = action.device->text();
    return history(action.account.value(), action, "approved", at, std::move(more));
}

} // namespace symbolon::entry

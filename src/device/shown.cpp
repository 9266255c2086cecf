#include "device/shown.hpp"

#include "base/json.hpp"
#include "crypto/encoding.hpp"

#include <algorithm>
#include <array>

namespace symbolon::device {

namespace {

constexpr int version = 1;
constexpr std::size_t symbols_shown = 6;

} // namespace

std::string_view name_of(action::RequestedClaim::Before before)
{
    using enum action::RequestedClaim::Before;
    return before == shared ? "shared" : before == kept_back ? "kept_back" : "";
}

Bytes shown_bytes(action::Action const& action, DeviceId const& device, ByteView nonce)
{
    json::Object names;
    for (auto const& [language, name] : action.partner_names) names.emplace(symbolon::name_of(language), name);
    json::Array claims;
    for (auto const& claim : action.claims)
        claims.push_back(
            json::Object{{"name", claim.name}, {"required", claim.essential}, {"before", name_of(claim.before)}});
    json::Array symbols;
    if (action.tie != action::Tie::scan)
        for (auto const& symbol : action.symbols) symbols.emplace_back(symbol);

    json::Object shown{
        {"v", version},
        {"action", action.id.text()},
        {"nonce", crypto::base64url(nonce)},
        {"did", device.text()},
        {"partner", json::Object{{"name", std::move(names)}, {"domain", action.partner_domain}}},
        {"verb", "log_in"},
        {"claims", std::move(claims)},
        {"from", json::Object{{"browser", action.browser}}},
        {"created_at", numeric_date(action.created_at)},
        {"expires_at", numeric_date(action.expires_at)},
        {"entry", name_of(action.entry)},
        {"symbols", std::move(symbols)},
    };
    if (action.needs_passkey) shown["needs_passkey"] = true;
    return to_bytes(json::write(shown));
}

Result<Shown> parse_shown(ByteView bytes)
{
    constexpr auto malformed = Outcome::request_malformed;
    auto const object = TRY(json::parse_object(text_of(bytes)));
    if (TRY(json::integer(object, "v")) != version) return fail(malformed, "version");

    Shown shown;
    shown.action = ActionId{TRY(json::text(object, "action"))};
    shown.device = DeviceId{TRY(json::text(object, "did"))};
    auto const partner = TRY(json::object(object, "partner"));
    for (auto const& name : TRY(json::object(partner, "name"))) {
        if (!name.value().is_string()) return fail(malformed, "name");
        shown.partner_names.emplace_back(name.key(), name.value().get_string());
    }
    if (shown.partner_names.empty()) return fail(malformed, "name");
    shown.partner_domain = TRY(json::text(partner, "domain"));
    shown.verb = TRY(json::text(object, "verb"));
    if (shown.verb != "log_in") return fail(malformed, "verb");
    for (auto const& value : TRY(json::array(object, "claims"))) {
        if (!value.is_object()) return fail(malformed, "claims");
        shown.claims.push_back({.name = TRY(json::text(value.get_object(), "name")),
                                .required = TRY(json::boolean(value.get_object(), "required")),
                                .before = TRY(json::optional_text(value.get_object(), "before")).value_or("")});
    }
    auto const from = TRY(json::object(object, "from"));
    shown.browser = TRY(json::text(from, "browser"));
    shown.place = TRY(json::optional_text(from, "place")).value_or("");
    shown.entry = TRY(json::text(object, "entry"));
    constexpr std::array<std::string_view, 4> entries{"number", "code", "qr", "link"};
    if (std::ranges::count(entries, std::string_view{shown.entry}) == 0) return fail(malformed, "entry");
    shown.needs_passkey = TRY(json::optional_boolean(object, "needs_passkey")).value_or(false);
    shown.created_at = instant_of(TRY(json::integer(object, "created_at")));
    shown.expires_at = instant_of(TRY(json::integer(object, "expires_at")));
    for (auto const& value : TRY(json::array(object, "symbols"))) {
        if (!value.is_string()) return fail(malformed, "symbols");
        shown.symbols.emplace_back(value.get_string());
    }
    auto const none = shown.symbols.empty() && shown.entry == "qr";
    if (!none && shown.symbols.size() != symbols_shown) return fail(malformed, "symbols");
    return shown;
}

} // namespace symbolon::device

#pragma once

#include "account/account.hpp"
#include "action/action.hpp"
#include "base/json.hpp"
#include "grant/request.hpp"
#include "partner/client.hpp"

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Which claims of a person go to which relying party (docs/partners.md "Claims").
namespace symbolon::consent {

enum class Entitlement : std::uint8_t {
    every_client,
    by_registration, ///< only where the client's allowed_claims name it
};

struct ClaimRow {
    std::string_view name;  ///< OpenID Connect Core 1.0 §5.1; ours where that has none
    std::string_view asked; ///< what the holder is asked about: one question may cover several claims
    std::string_view scope; ///< the scope value that asks for it (§5.4); empty: the `claims` parameter alone
    Entitlement entitlement;
};

// clang-format off
/// Every claim about a person. The order is the one in which the phone asks.
inline constexpr std::array claims{
    //       name                     asked             scope      entitlement
    ClaimRow{"name",                  "name",           "profile", Entitlement::every_client},
    ClaimRow{"given_name",            "name",           "profile", Entitlement::every_client},
    ClaimRow{"family_name",           "name",           "profile", Entitlement::every_client},
    ClaimRow{"updated_at",            "name",           "profile", Entitlement::every_client},
    ClaimRow{"gender",                "gender",         "profile", Entitlement::every_client},
    ClaimRow{"birthdate",             "birthdate",      "profile", Entitlement::every_client},
    ClaimRow{"place_of_birth",        "place_of_birth", "",        Entitlement::by_registration},
    ClaimRow{"nationality",           "nationality",    "",        Entitlement::by_registration},
    ClaimRow{"address",               "address",        "address", Entitlement::every_client},
    ClaimRow{"email",                 "email",          "email",   Entitlement::every_client},
    ClaimRow{"email_verified",        "email",          "email",   Entitlement::every_client},
    ClaimRow{"phone_number",          "phone_number",   "phone",   Entitlement::every_client},
    ClaimRow{"phone_number_verified", "phone_number",   "phone",   Entitlement::every_client},
    ClaimRow{"locale",                "locale",         "profile", Entitlement::every_client},
    ClaimRow{"picture",               "picture",        "profile", Entitlement::by_registration},
    ClaimRow{"national_number",       "national_number","eid",     Entitlement::by_registration},
    ClaimRow{"card_number",           "card_number",    "eid",     Entitlement::by_registration},
};
// clang-format on

/// The scope values that mean something here. Others are ignored (OpenID Connect Core 1.0 §3.1.2.1).
inline constexpr std::array<std::string_view, 6> scopes{"openid", "profile", "email", "phone", "address", "eid"};

/// Whether a client may ask for a claim.
bool may_have(partner::Client const& client, ClaimRow const& row);

/// What the phone asks its holder: one row for each thing that the request wants and the client may have, in the order
/// of `claims`. Essential are those that the `claims` parameter calls so; what a scope asks for is voluntary (§5.4).
std::vector<action::RequestedClaim> questions(grant::AuthorizationRequest const& request,
                                              partner::Client const& client);

/// Names of claims by the place where they are delivered.
struct Released {
    std::vector<std::string> id_token; ///< asked for there by the `claims` parameter
    std::vector<std::string> userinfo; ///< by scope, or asked for there
};

/// What goes to the client after the holder granted some of the questions.
Released release(grant::AuthorizationRequest const& request, partner::Client const& client,
                 std::span<std::string const> granted);

/// The values of claims, as tokens and userinfo carry them. What is empty is left out (§5.3.2). `picture_url`: where
/// the photo is, empty without one.
json::Object values(std::span<std::string const> names, account::Account const& account,
                    std::string const& picture_url);

} // namespace symbolon::consent

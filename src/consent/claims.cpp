#include "consent/claims.hpp"

#include <algorithm>

namespace symbolon::consent {

namespace {

bool holds(auto const& range, std::string_view value) { return std::ranges::count(range, value) > 0; }

grant::ClaimRequest const* find(std::vector<grant::ClaimRequest> const& requests, std::string_view name)
{
    auto const found = std::ranges::find(requests, name, &grant::ClaimRequest::name);
    return found == requests.end() ? nullptr : &*found;
}

bool wanted_by_scope(grant::AuthorizationRequest const& request, ClaimRow const& row)
{
    return !row.scope.empty() && holds(request.scopes, row.scope);
}

void put(json::Object& object, std::string_view name, std::string const& value)
{
    if (!value.empty()) object[name] = value;
}

/// OpenID Connect Core 1.0 §5.1: "YYYY-MM-DD" or, where only the year is known, "YYYY". A year and a month have no
/// form.
std::string birthdate(std::string const& date)
{
    constexpr std::size_t whole = 10;
    constexpr std::size_t year = 4;
    return date.size() == whole ? date : date.substr(0, year);
}

/// OpenID Connect Core 1.0 §5.1.1. A card's address lies in Belgium.
json::Object address_claim(account::Address const& address)
{
    auto const town = address.zip.empty()            ? address.municipality
                      : address.municipality.empty() ? address.zip
                                                     : address.zip + ' ' + address.municipality;
    json::Object object;
    if (town.empty() && address.street.empty()) return object;
    put(object, "formatted",
        address.street + (address.street.empty() || town.empty() ? "" : "\n") + town + "\nBelgium");
    put(object, "street_address", address.street);
    put(object, "postal_code", address.zip);
    put(object, "locality", address.municipality);
    put(object, "country", "Belgium");
    return object;
}

void put_value(json::Object& object, std::string_view name, account::Account const& account,
               std::string const& picture_url)
{
    auto const& person = account.person;
    if (name == "name") put(object, name, person.full_name());
    else if (name == "given_name") put(object, name, person.given_names);
    else if (name == "family_name") put(object, name, person.family_name);
    else if (name == "updated_at") object[name] = numeric_date(account.person_at);
    else if (name == "gender") {
        if (person.sex != account::Sex::unknown) object[name] = person.sex == account::Sex::male ? "male" : "female";
    } else if (name == "birthdate") put(object, name, birthdate(person.birth_date));
    else if (name == "place_of_birth") {
        if (!person.birth_place.empty()) object[name] = json::Object{{"locality", person.birth_place}};
    } else if (name == "nationality") put(object, name, person.nationality);
    else if (name == "address") {
        auto address = address_claim(person.address);
        if (!address.empty()) object[name] = std::move(address);
    } else if (name == "email") put(object, name, account.email);
    // Nobody has proven yet that the address is read by the holder.
    else if (name == "email_verified") {
        if (!account.email.empty()) object[name] = false;
    } else if (name == "phone_number") put(object, name, account.phone_number.e164());
    else if (name == "phone_number_verified") {
        if (!account.phone_number.empty()) object[name] = true;
    } else if (name == "locale") object[name] = name_of(account.language);
    else if (name == "picture") put(object, name, picture_url);
    else if (name == "national_number") put(object, name, person.national_number);
    else if (name == "card_number" && account.source.kind == account::Source::Kind::card)
        put(object, name, account.source.document_number);
}

} // namespace

bool may_have(partner::Client const& client, ClaimRow const& row)
{
    return row.entitlement == Entitlement::every_client || holds(client.allowed_claims, row.name);
}

std::vector<action::RequestedClaim> questions(grant::AuthorizationRequest const& request, partner::Client const& client)
{
    std::vector<action::RequestedClaim> questions;
    for (auto const& row : claims) {
        if (!may_have(client, row)) continue;
        auto const* in_id_token = find(request.id_token_claims, row.name);
        auto const* in_userinfo = find(request.userinfo_claims, row.name);
        if (in_id_token == nullptr && in_userinfo == nullptr && !wanted_by_scope(request, row)) continue;

        auto const essential =
            (in_id_token != nullptr && in_id_token->essential) || (in_userinfo != nullptr && in_userinfo->essential);
        auto const asked = std::ranges::find(questions, row.asked, &action::RequestedClaim::name);
        if (asked == questions.end()) questions.push_back({.name = std::string{row.asked}, .essential = essential});
        else asked->essential = asked->essential || essential;
    }
    return questions;
}

Released release(grant::AuthorizationRequest const& request, partner::Client const& client,
                 std::span<std::string const> granted)
{
    Released released;
    for (auto const& row : claims) {
        if (!may_have(client, row) || !holds(granted, row.asked)) continue;
        if (find(request.id_token_claims, row.name) != nullptr) released.id_token.emplace_back(row.name);
        if (find(request.userinfo_claims, row.name) != nullptr || wanted_by_scope(request, row))
            released.userinfo.emplace_back(row.name);
    }
    return released;
}

json::Object values(std::span<std::string const> names, account::Account const& account, std::string const& picture_url)
{
    json::Object object;
    for (auto const& name : names) put_value(object, name, account, picture_url);
    return object;
}

} // namespace symbolon::consent

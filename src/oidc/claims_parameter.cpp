#include "oidc/claims_parameter.hpp"

#include "base/json.hpp"
#include "base/text.hpp"

namespace symbolon::oidc {

namespace {

constexpr std::size_t longest_text = 16UZ * 1024;
constexpr std::size_t longest_name = 200;
constexpr std::size_t most_claims = 100;
constexpr std::size_t most_values = 20;

std::unexpected<Failure> malformed(std::string detail) { return fail(Outcome::claims_malformed, std::move(detail)); }

/// §5.5.1. "null: Indicates that this Claim is being requested in the default manner." Else an object of which we know
/// essential, value and values; "any members used that are not understood MUST be ignored".
Result<grant::ClaimRequest> claim_request(std::string name, json::Value const& value)
{
    grant::ClaimRequest request{.name = std::move(name), .essential = false, .values = {}};
    if (value.is_null()) return request;
    auto const* object = value.if_object();
    if (object == nullptr) return malformed("a member that is neither null nor an object");

    if (auto const* essential = object->if_contains("essential")) {
        if (!essential->is_bool()) return malformed("essential is no boolean");
        request.essential = essential->as_bool();
    }
    if (auto const* one = object->if_contains("value")) request.values.push_back(json::write(*one));
    if (auto const* several = object->if_contains("values")) {
        if (!several->is_array() || several->as_array().size() > most_values) return malformed("values");
        for (auto const& each : several->as_array()) request.values.push_back(json::write(each));
    }
    return request;
}

Result<std::vector<grant::ClaimRequest>> member(json::Object const& object, std::string_view name)
{
    std::vector<grant::ClaimRequest> requests;
    auto const* value = object.if_contains(name);
    if (value == nullptr || value->is_null()) return requests;
    auto const* claims = value->if_object();
    if (claims == nullptr) return malformed(std::string{name} + " is no object");
    if (claims->size() > most_claims) return malformed("too many claims");
    for (auto const& [claim, how] : *claims) {
        if (claim.empty() || claim.size() > longest_name) return malformed("the name of a claim");
        requests.push_back(TRY(claim_request(std::string{claim}, how)));
    }
    return requests;
}

} // namespace

Result<ClaimsParameter> parse_claims_parameter(std::string_view text)
{
    if (text.size() > longest_text) return malformed("too long");
    auto const object = json::parse_object(text);
    if (!object) return malformed("claims is no JSON object");
    return ClaimsParameter{.id_token = TRY(member(*object, "id_token")), .userinfo = TRY(member(*object, "userinfo"))};
}

} // namespace symbolon::oidc

#include "bank/id_token.hpp"

#include "base/secret.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>

namespace symbolon::bank {

namespace {

using crypto::SignatureAlgorithm;

constexpr std::array signed_with{SignatureAlgorithm::es256, SignatureAlgorithm::ps256, SignatureAlgorithm::rs256,
                                 SignatureAlgorithm::eddsa};
constexpr std::size_t longest_subject = 255; ///< OpenID Connect Core 1.0 §2
constexpr std::size_t printed_national_number = 15;

std::unexpected<Failure> invalid(std::string detail, std::source_location where = std::source_location::current())
{
    return fail(Outcome::bank_answer_invalid, "ID token: " + std::move(detail), where);
}

bool is_encrypted(std::string_view compact) { return std::ranges::count(compact, '.') == 4; }

/// RFC 8725 §3.11: another kind of JWT with the same claims is no ID token.
bool is_id_token_type(json::Object const& header)
{
    auto const* type = header.if_contains("typ");
    return type == nullptr || (type->is_string() && equal_ignoring_case(type->as_string(), "JWT"));
}

bool names_its_key(std::string_view token)
{
    auto const peeked = crypto::peek_jws(token);
    return peeked && peeked->header.contains("kid");
}

/// Steps 2 to 5: the audience is us, alone.
bool is_for(json::Object const& claims, std::string_view client)
{
    auto const* audience = claims.if_contains("aud");
    if (audience == nullptr) return false;
    auto const is_client = [&](json::Value const& each) { return each.is_string() && each.as_string() == client; };
    auto const& list = audience->is_array() ? audience->as_array() : json::Array{*audience};
    if (list.size() != 1 || !is_client(list.front())) return false;
    auto const* party = claims.if_contains("azp");
    return party == nullptr || is_client(*party);
}

Result<void> judge_claims(json::Object const& claims, Expected const& expected, Instant now)
{
    // 2. "The Issuer Identifier for the OpenID Provider MUST exactly match the value of the iss (issuer) Claim."
    if (json::text(claims, "iss").value_or("") != expected.bank.issuer) return invalid("iss");
    // 3 to 5.
    if (!is_for(claims, expected.bank.client_id)) return invalid("aud, azp");
    // 9. "The current time MUST be before the time represented by the exp Claim."
    auto const expires = json::integer(claims, "exp");
    if (!expires || instant_of(*expires) <= now - clock_skew) return invalid("exp");
    // 10. iat "can be used to reject tokens that were issued too far away from the current time".
    auto const issued = json::integer(claims, "iat");
    if (!issued || instant_of(*issued) > now + clock_skew || instant_of(*issued) < now - oldest_id_token)
        return invalid("iat");
    auto const not_before = json::optional_integer(claims, "nbf");
    if (!not_before || (*not_before && instant_of(**not_before) > now + clock_skew)) return invalid("nbf");
    // 11. "a nonce Claim MUST be present and its value checked".
    auto const nonce = json::text(claims, "nonce");
    if (!nonce || expected.nonce.empty() || !equal_in_constant_time(bytes_of(*nonce), bytes_of(expected.nonce)))
        return invalid("nonce");
    // 13. prompt=login asked for a new authentication: a login of before, in a browser that is not the holder's, is
    // none.
    auto const logged_in = json::optional_integer(claims, "auth_time");
    if (!logged_in || (*logged_in && (instant_of(**logged_in) > now + clock_skew ||
                                      instant_of(**logged_in) < now - longest_since_login)))
        return invalid("auth_time");
    auto const subject = json::text(claims, "sub");
    if (!subject || subject->empty() || subject->size() > longest_subject) return invalid("sub");
    return {};
}

/// A claim that is a text, absent or null.
Result<std::string> text_in(json::Object const& claims, std::string_view name, std::string_view what)
{
    auto const* found = claims.if_contains(name);
    if (found == nullptr || found->is_null()) return std::string{};
    if (!found->is_string()) return invalid(std::string{what} + " is no text");
    return std::string{found->as_string()};
}

/// OpenID Connect Core 1.0 §5.1.1, by its parts; a street may have several lines.
Result<account::Address> address_in(json::Object const& claims, std::string_view name)
{
    auto const* found = claims.if_contains(name);
    if (found == nullptr || found->is_null()) return account::Address{};
    if (!found->is_object()) return invalid("address is no object");
    auto const& address = found->as_object();
    account::Address parts{.street = TRY(text_in(address, "street_address", "street_address")),
                           .zip = TRY(text_in(address, "postal_code", "postal_code")),
                           .municipality = TRY(text_in(address, "locality", "locality"))};
    std::erase(parts.street, '\r');
    std::ranges::replace(parts.street, '\n', ' ');
    return parts;
}

/// A place as a text, or by its parts (OpenID Connect for Identity Assurance 1.0 §4.1).
Result<std::string> place_in(json::Object const& claims, std::string_view name)
{
    auto const* found = claims.if_contains(name);
    if (found != nullptr && found->is_object()) return text_in(found->as_object(), "locality", "place_of_birth");
    return text_in(claims, name, "place_of_birth");
}

account::Sex sex_in(std::string const& gender)
{
    if (gender == "male") return account::Sex::male;
    if (gender == "female") return account::Sex::female;
    return account::Sex::unknown;
}

/// The eleven digits, also where they come as cards print them: "85.07.30-001.60".
std::string digits_of(std::string number)
{
    if (number.size() <= printed_national_number)
        std::erase_if(number, [](char c) { return c == '.' || c == '-' || c == ' '; });
    return number;
}

std::string evidence_of(IdToken const& token, Registration const& bank)
{
    json::Object evidence;
    evidence["issuer"] = bank.issuer;
    evidence["id_token"] = token.signed_token;
    auto key = token.signed_by.key.jwk();
    if (!token.signed_by.key_id.empty()) key["kid"] = token.signed_by.key_id;
    evidence["signed_by"] = std::move(key);
    return json::write(evidence);
}

} // namespace

Result<IdToken> judge_id_token(std::string_view compact, Expected const& expected, Instant now)
{
    if (compact.size() > longest_id_token) return invalid("too long");
    std::string token{compact};
    // 1. "If the ID Token is encrypted, decrypt it using the keys and algorithms that the Client specified".
    if (is_encrypted(compact)) {
        auto const opened = crypto::decrypt_jwe(compact, expected.ours.decryption);
        if (!opened) return invalid(std::string{name_of(opened.error().outcome)} + ' ' + opened.error().detail);
        token = opened->plain.reveal();
    }
    // 6 to 8: its signature, by a key of the bank and an algorithm that is not "none" or a shared secret.
    auto verified = crypto::verify_jws(token, expected.theirs, signed_with);
    if (!verified) {
        // A bank with one key need not name it (OpenID Connect Core 1.0 §10.1): then it may be a new one as well.
        if (verified.error().outcome == Outcome::key_unknown ||
            (verified.error().outcome == Outcome::jws_signature_invalid && !names_its_key(token)))
            return fail(Outcome::key_unknown, "no key that the bank is known to have");
        return invalid(std::string{name_of(verified.error().outcome)} + ' ' + verified.error().detail);
    }
    if (!is_id_token_type(verified->header)) return invalid("typ");
    auto claims = json::parse_object(verified->payload);
    if (!claims) return invalid("claims: " + claims.error().detail);
    TRY(judge_claims(*claims, expected, now));

    auto const signer = std::ranges::find_if(expected.theirs, [&](auto const& key) {
        return crypto::verify_jws(token, std::span{&key, 1}, signed_with).has_value();
    });
    return IdToken{.claims = *std::move(claims), .signed_token = std::move(token), .signed_by = *signer};
}

Result<enrolment::BankAnswer> answer_in(IdToken const& token, Registration const& bank)
{
    auto const& claims = token.claims;
    auto const text = [&](std::string_view name) { return text_in(claims, bank.claim(name), name); };
    return enrolment::BankAnswer{
        .bank = bank.terms.id,
        .subject = TRY(json::text(claims, "sub")),
        .acr = TRY(text("acr")),
        .family_name = TRY(text("family_name")),
        .given_names = TRY(text("given_name")),
        .birth_date = TRY(text("birthdate")),
        .birth_place = TRY(place_in(claims, bank.claim("place_of_birth"))),
        .sex = sex_in(TRY(text("gender"))),
        .nationality = TRY(text("nationality")),
        .national_number = digits_of(TRY(text("national_number"))),
        .address = TRY(address_in(claims, bank.claim("address"))),
        .phone_number = TRY(text("phone_number")),
        .document_number = TRY(text("document_number")),
        .document_valid_until = TRY(text("document_valid_until")),
        .card_read_on = TRY(text("card_read_on")),
        .evidence = evidence_of(token, bank),
    };
}

} // namespace symbolon::bank

#include "bank/fake_bank_testing.hpp"

#include "base/ensure.hpp"
#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"

#include <algorithm>
#include <array>

namespace symbolon::bank::testing {

namespace {

Answer json_answer(int status, json::Object const& object)
{
    return {.status = status, .content_type = "application/json; charset=utf-8", .body = json::write(object)};
}

Answer refused(std::string_view error)
{
    json::Object object;
    object["error"] = error;
    object["error_description"] = "Janssens 85073000160 is not to be repeated";
    return json_answer(400, object);
}

} // namespace

FakeBank::FakeBank(std::string name, std::vector<crypto::VerificationKey> clients, SetClock const& clock,
                   crypto::Random& random)
    : issuer{std::move(name)},
      key{.key_id = "first",
          .algorithm = crypto::SignatureAlgorithm::es256,
          .key = crypto::PrivateKey::generate(crypto::KeyType::ec_p256)},
      published{key},
      clients_{std::move(clients)},
      clock_{clock},
      random_{random}
{
    claims = json::parse_object(R"({
        "sub":"person-1", "acr":"http://eidas.europa.eu/LoA/substantial",
        "family_name":"Janssens", "given_name":"Jan Pieter", "birthdate":"1985-07-30", "gender":"male",
        "place_of_birth":"Brugge", "nationality":"Belg", "national_number":"85073000160",
        "phone_number":"+32470123456", "document_number":"592123456789", "document_valid_until":"2030-01-01",
        "card_read_on":"2026-03-01",
        "address":{"street_address":"Dorpsstraat 1","postal_code":"8000","locality":"Brugge"}})")
                 .value();
}

bool FakeBank::knows_client(http::Parameters const& form)
{
    auto const jws =
        crypto::verify_jws(form.value("client_assertion"), clients_, std::array{crypto::SignatureAlgorithm::es256});
    if (!jws) return false;
    auto const said = json::parse_object(jws->payload).value();
    return json::text(said, "iss") == "symbolon" && json::text(said, "sub") == "symbolon" &&
           json::text(said, "aud") == issuer && form.value("client_id") == "symbolon" &&
           json::integer(said, "exp").value() > numeric_date(clock_.now()) &&
           assertions_.insert(json::text(said, "jti").value()).second;
}

Answer FakeBank::par(http::Parameters const& form)
{
    if (!knows_client(form)) return refused("invalid_client");
    if (form.value("response_type") != "code" || form.value("scope") != "openid" || form.repeated_name())
        return refused("invalid_request");
    pushed.push_back(form);
    auto const uri = "urn:ietf:params:oauth:request_uri:" + random_.token().reveal();
    requests_[uri] = form;
    json::Object object;
    object["request_uri"] = uri;
    object["expires_in"] = 60;
    return json_answer(201, object);
}

ports::BankReturn FakeBank::approve(std::string const& url)
{
    auto const query = http::parse_parameters(url.substr(url.find('?') + 1)).value();
    ENSURE(query.value("client_id") == "symbolon" && query.pairs().size() == 2);
    auto const request = requests_.extract(std::string{query.value("request_uri")});
    ENSURE(!request.empty());
    auto const code = random_.token().reveal();
    codes_[code] = {request.mapped()};
    return {.state = std::string{request.mapped().value("state")}, .code = code, .error = {}, .issuer = issuer};
}

Answer FakeBank::token(http::Parameters const& form)
{
    if (!knows_client(form)) return refused("invalid_client");
    auto const found = codes_.find(std::string{form.value("code")});
    if (found == codes_.end() || std::exchange(found->second.used, true)) return refused("invalid_grant");
    auto const& request = found->second.request;
    if (crypto::base64url(crypto::sha256(form.value("code_verifier"))) != request.value("code_challenge") ||
        form.value("redirect_uri") != request.value("redirect_uri"))
        return refused("invalid_grant");

    auto said = claims;
    said["iss"] = issuer;
    said["aud"] = "symbolon";
    said["nonce"] = request.value("nonce");
    said["iat"] = numeric_date(clock_.now());
    said["exp"] = numeric_date(clock_.now() + 5min);
    in_claims(said);
    auto token = in_token(crypto::sign_jws(key, json::write(said)));
    if (encrypts_to) token = crypto::encrypt_jwe(*encrypts_to, token, "JWT", random_);
    json::Object object;
    object["token_type"] = "Bearer";
    object["access_token"] = "not for us";
    object["id_token"] = token;
    auto answer = json_answer(200, object);
    in_answer(answer);
    return answer;
}

Answer FakeBank::answer(std::string const& method, std::string const& path, http::Parameters const& form)
{
    ++asked[path];
    auto const answered = [&]() -> Answer {
        if (method == "POST" && path == "/par") return par(form);
        if (method == "POST" && path == "/token") return token(form);
        if (method == "GET" && path == "/jwks") {
            json::Array keys;
            for (auto const& each : published) {
                auto jwk = each.key.public_key().jwk();
                jwk["kid"] = each.key_id;
                keys.emplace_back(std::move(jwk));
            }
            json::Object set;
            set["keys"] = std::move(keys);
            return json_answer(200, set);
        }
        if (method == "GET" && path == "/.well-known/openid-configuration") {
            json::Object metadata;
            metadata["issuer"] = issuer;
            metadata["authorization_endpoint"] = issuer + "/auth";
            metadata["token_endpoint"] = issuer + "/token";
            metadata["pushed_authorization_request_endpoint"] = issuer + "/par";
            metadata["jwks_uri"] = issuer + "/jwks";
            metadata["response_types_supported"] = json::Array{"code"};
            metadata["token_endpoint_auth_methods_supported"] = json::Array{"private_key_jwt"};
            metadata["code_challenge_methods_supported"] = json::Array{"S256"};
            metadata["id_token_signing_alg_values_supported"] = json::Array{"ES256"};
            metadata["authorization_response_iss_parameter_supported"] = true;
            metadata["claims_parameter_supported"] = true;
            in_metadata(metadata);
            return json_answer(200, metadata);
        }
        return {.status = 404, .content_type = "text/html", .body = "not found"};
    };
    auto result = answered();
    everywhere(result);
    return result;
}

Flow<Answer> FakeNetwork::ask(std::string method, std::string url, http::Parameters form)
{
    if (refuses > 0) {
        --refuses;
        co_return fail(Outcome::upstream_unreachable, "refused");
    }
    ++sent;
    for (auto* bank : banks) {
        if (!url.starts_with(bank->issuer + '/')) continue;
        auto answer = bank->answer(method, url.substr(bank->issuer.size()), form);
        if (breaks > 0) {
            --breaks;
            co_return fail(Outcome::unavailable, "broken off");
        }
        if (answer.body.size() > max_answer_bytes)
            co_return fail(Outcome::bank_answer_invalid, "an answer that is too long");
        co_return answer;
    }
    co_return fail(Outcome::upstream_unreachable, "nobody there");
}

} // namespace symbolon::bank::testing

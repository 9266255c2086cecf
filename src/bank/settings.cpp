#include "bank/settings.hpp"

#include "base/ensure.hpp"

namespace symbolon::bank {

std::string Registration::claim(std::string_view name) const
{
    auto const found = claims.find(name);
    return found == claims.end() ? std::string{name} : found->second;
}

crypto::SigningKey Keys::signing_at(Instant now) const
{
    auto const published = crypto::keys_at(signing, now);
    ENSURE(!published.empty());
    return published.front();
}

std::string public_jwk_set(Keys const& keys, Instant now)
{
    json::Array members;
    for (auto const& key : crypto::keys_at(keys.signing, now)) {
        auto jwk = key.key.public_key().jwk();
        jwk["kid"] = key.key_id;
        jwk["use"] = "sig";
        jwk["alg"] = name_of(key.algorithm);
        members.emplace_back(std::move(jwk));
    }
    for (auto const& key : keys.decryption) {
        auto jwk = key.key.public_key().jwk();
        jwk["kid"] = key.key_id;
        jwk["use"] = "enc";
        if (key.key.type() == crypto::KeyType::rsa) jwk["alg"] = name_of(crypto::KeyManagement::rsa_oaep_256);
        members.emplace_back(std::move(jwk));
    }
    json::Object set;
    set["keys"] = std::move(members);
    return json::write(set);
}

} // namespace symbolon::bank

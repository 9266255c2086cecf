#include "bank/settings.hpp"

namespace symbolon::bank {

std::string Registration::claim(std::string_view name) const
{
    auto const found = claims.find(name);
    return found == claims.end() ? std::string{name} : found->second;
}

crypto::SigningKey const& Keys::signing_at(Instant now) const
{
    for (auto const& each : timed)
        if (now >= each.signs_from && now < each.signs_until) return each.key;
    return signing;
}

std::string public_jwk_set(Keys const& keys, Instant now)
{
    json::Array members;
    auto const publish = [&](crypto::SigningKey const& key) {
        auto jwk = key.key.public_key().jwk();
        jwk["kid"] = key.key_id;
        jwk["use"] = "sig";
        jwk["alg"] = name_of(key.algorithm);
        members.emplace_back(std::move(jwk));
    };
    auto const& signing = keys.signing_at(now);
    publish(signing);
    for (auto const& each : keys.timed)
        if (now < each.published_until && each.key.key_id != signing.key_id) publish(each.key);
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

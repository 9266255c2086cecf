#include "bank/settings.hpp"

namespace symbolon::bank {

std::string Registration::claim(std::string_view name) const
{
    auto const found = claims.find(name);
    return found == claims.end() ? std::string{name} : found->second;
}

std::string public_jwk_set(Keys const& keys)
{
    json::Array members;
    auto signing = keys.signing.key.public_key().jwk();
    signing["kid"] = keys.signing.key_id;
    signing["use"] = "sig";
    signing["alg"] = name_of(keys.signing.algorithm);
    members.emplace_back(std::move(signing));
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

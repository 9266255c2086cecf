// links: crypto
#include "crypto/jws.hpp"

#include <cstdlib>

using namespace symbolon;

/// A compact JWS or a JWK Set from outside: nothing that arrives is accepted, nothing breaks us.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    std::string_view const text{reinterpret_cast<char const*>(data), size};
    static std::vector<crypto::SignatureAlgorithm> const all{
        crypto::SignatureAlgorithm::es256, crypto::SignatureAlgorithm::es384, crypto::SignatureAlgorithm::rs256,
        crypto::SignatureAlgorithm::ps256, crypto::SignatureAlgorithm::eddsa};
    // A key whose private half is gone.
    static std::vector<crypto::VerificationKey> const keys{
        {.key_id = "", .algorithm = {}, .key = crypto::PrivateKey::generate(crypto::KeyType::ec_p256).public_key()},
        {.key_id = "", .algorithm = {}, .key = crypto::PrivateKey::generate(crypto::KeyType::ed25519).public_key()}};

    auto const peeked = crypto::peek_jws(text);
    auto const verified = crypto::verify_jws(text, keys, all);
    if (verified) std::abort();
    if (!peeked && verified.error().outcome != Outcome::jws_malformed) std::abort();

    if (auto const set = crypto::parse_jwk_set(text)) {
        for (auto const& key : *set) {
            // What was accepted has one written form.
            auto const again = crypto::PublicKey::from_jwk(key.key.jwk());
            if (!again || again->thumbprint() != key.key.thumbprint()) std::abort();
        }
    }
    return 0;
}

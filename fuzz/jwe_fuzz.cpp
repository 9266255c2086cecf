// links: crypto
#include "crypto/jwe.hpp"

#include <cstdlib>

using namespace symbolon;

/// A compact JWE from outside, to keys that nobody knows the public half of: nothing opens, nothing breaks us.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    std::string_view const text{reinterpret_cast<char const*>(data), size};
    static std::vector<crypto::DecryptionKey> const keys{
        {.key_id = "", .key = crypto::PrivateKey::generate(crypto::KeyType::rsa)},
        {.key_id = "", .key = crypto::PrivateKey::generate(crypto::KeyType::ec_p256)}};
    auto const opened = crypto::decrypt_jwe(text, keys);
    if (opened) std::abort();
    switch (opened.error().outcome) {
    case Outcome::jwe_malformed:
    case Outcome::jwe_algorithm_refused:
    case Outcome::key_unknown:
    case Outcome::jwe_decryption_failed: return 0;
    default: std::abort();
    }
}

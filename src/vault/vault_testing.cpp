#include "vault/vault_testing.hpp"

#include "base/ensure.hpp"
#include "crypto/seal.hpp"
#include "vault/statement.hpp"

#include <cstdlib>

namespace symbolon::vault::testing {

namespace {

constexpr auto eddsa = crypto::SignatureAlgorithm::eddsa;

} // namespace

TestKeys test_keys(crypto::Random& random)
{
    auto permits = crypto::PrivateKey::generate(crypto::KeyType::ed25519);
    Keys keys{.seal = crypto::PrivateKey::generate(crypto::KeyType::ec_p256),
              .grants = crypto::PrivateKey::generate(crypto::KeyType::ed25519),
              .kek = SecretBytes{random.bytes(32)},
              .permits = permits.public_key()};
    return {std::move(keys), std::move(permits)};
}

Phone Phone::random()
{
    return {.code_key = crypto::PrivateKey::generate(crypto::KeyType::ed25519),
            .device = DeviceId{crypto::PrivateKey::generate(crypto::KeyType::ec_p256).public_key().thumbprint()}};
}

RegisterCode Phone::registers(AccountId const& account, crypto::PublicKey const& vault) const
{
    RegisterCode request{.account = account, .device = device, .code_version = code_version, .nonce = Bytes(32, 9)};
    auto const e = code_key_statement(request.nonce, device, code_version);
    auto const der = code_key.public_key().der();
    Bytes content{der.end() - 32, der.end()};
    append(content, code_key.sign(eddsa, e));
    request.sealed_code_key = crypto::seal_to(vault, content, e);
    return request;
}

JudgeCode Phone::answers(AccountId const& account, ActionId const& action, crypto::PublicKey const& vault,
                         std::string const& message) const
{
    auto const m = to_bytes(message);
    return {.account = account,
            .device = device,
            .action = action,
            .message = m,
            .proof = crypto::seal_to(vault, code_key.sign(eddsa, m), code_proof_context(action, device, code_version))};
}

JudgeCode Phone::guesses(AccountId const& account, ActionId const& action, crypto::PublicKey const& vault) const
{
    auto other = *this;
    other.code_key = crypto::PrivateKey::generate(crypto::KeyType::ed25519);
    return other.answers(account, action, vault);
}

TemporaryDirectory::TemporaryDirectory()
{
    auto text = (std::filesystem::temp_directory_path() / "symbolon-XXXXXX").string();
    ENSURE(::mkdtemp(text.data()) != nullptr);
    path_ = text;
}

TemporaryDirectory::~TemporaryDirectory()
{
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

} // namespace symbolon::vault::testing

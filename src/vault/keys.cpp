#include "vault/keys.hpp"

#include "base/json.hpp"
#include "crypto/encoding.hpp"

#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace symbolon::vault {

namespace {

constexpr auto invalid = Outcome::configuration_invalid;

/// Writes a new file with that mode and makes it durable. Fails when it exists already.
Result<void> write_new(std::filesystem::path const& path, std::string const& text, mode_t mode)
{
    auto const file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (file < 0) return fail(invalid, "can't make " + path.string());
    auto const written =
        ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(file) == 0;
    ::close(file);
    if (!written) return fail(invalid, "can't write " + path.string());
    return {};
}

Result<json::Object> read_private(std::filesystem::path const& path)
{
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) return fail(invalid, "there is no " + path.string());
    if ((status.st_mode & 0077U) != 0) return fail(invalid, "others may read " + path.string());
    std::ifstream file{path};
    std::ostringstream text;
    text << file.rdbuf();
    auto object = json::parse_object(text.view());
    if (!object) return fail(invalid, path.string() + " is damaged");
    return *std::move(object);
}

Result<SecretBytes> secret(json::Object const& object, std::string_view name)
{
    return SecretBytes{TRY(crypto::from_base64url(TRY(json::text(object, name))))};
}

} // namespace

Result<void> make_vault(std::filesystem::path const& directory, crypto::Random& random)
{
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error) return fail(invalid, "can't make " + directory.string());
    std::filesystem::permissions(directory, std::filesystem::perms::owner_all, error);
    if (std::filesystem::exists(directory / "vault.key"))
        return fail(invalid, "there is a vault in " + directory.string() + " already");

    auto const seal = crypto::PrivateKey::generate(crypto::KeyType::ec_p256);
    auto const grants = crypto::PrivateKey::generate(crypto::KeyType::ed25519);
    auto const permits = crypto::PrivateKey::generate(crypto::KeyType::ed25519);
    SecretBytes const kek{random.bytes(32)};
    TRY(write_new(directory / "permit.key",
                  json::write(json::Object{{"permits", crypto::base64url(permits.der().reveal())}}), 0600));
    TRY(write_new(directory / "vault.pub",
                  json::write(json::Object{{"seal", seal.public_key().jwk()}, {"grants", grants.public_key().jwk()}}),
                  0644));
    // Last, since it says that the vault is there.
    return write_new(directory / "vault.key",
                     json::write(json::Object{{"seal", crypto::base64url(seal.der().reveal())},
                                              {"grants", crypto::base64url(grants.der().reveal())},
                                              {"kek", crypto::base64url(kek.reveal())},
                                              {"permits", permits.public_key().jwk()}}),
                     0600);
}

Result<Keys> read_keys(std::filesystem::path const& directory)
{
    auto const object = TRY(read_private(directory / "vault.key"));
    auto const read = [&object]() -> Result<Keys> {
        return Keys{.seal = TRY(crypto::PrivateKey::from_der(TRY(secret(object, "seal")))),
                    .grants = TRY(crypto::PrivateKey::from_der(TRY(secret(object, "grants")))),
                    .kek = TRY(secret(object, "kek")),
                    .permits = TRY(crypto::PublicKey::from_jwk(TRY(json::object(object, "permits"))))};
    };
    auto keys = read();
    if (!keys || keys->kek.reveal().size() != 32 || keys->seal.type() != crypto::KeyType::ec_p256 ||
        keys->grants.type() != crypto::KeyType::ed25519 || keys->permits.type() != crypto::KeyType::ed25519)
        return fail(invalid, (directory / "vault.key").string() + " is damaged");
    return keys;
}

Result<crypto::PrivateKey> read_permit_key(std::filesystem::path const& directory)
{
    auto const object = TRY(read_private(directory / "permit.key"));
    auto der = secret(object, "permits");
    if (!der) return fail(invalid, "permit.key is damaged");
    auto key = crypto::PrivateKey::from_der(*der);
    if (!key) return fail(invalid, "permit.key is damaged");
    return key;
}

} // namespace symbolon::vault

#include "app/state_directory.hpp"

#include "base/ensure.hpp"
#include "base/json.hpp"
#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "vault/keys.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <span>
#include <sys/stat.h>
#include <unistd.h>

namespace symbolon::app {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t key_bytes = 32;
constexpr std::string_view former_master = "master.previous.key";
constexpr std::size_t largest_file = 1024UZ * 1024;
constexpr std::array signing_algorithms{crypto::SignatureAlgorithm::es256, crypto::SignatureAlgorithm::rs256};

std::unexpected<Failure> invalid(fs::path const& file, std::string const& what)
{
    return fail(Outcome::configuration_invalid, file.string() + ": " + what);
}

std::unexpected<Failure> system_error(fs::path const& file)
{
    return invalid(file, std::generic_category().message(errno));
}

class Descriptor {
public:
    explicit Descriptor(int number) : number_{number} {}
    Descriptor(Descriptor const&) = delete;
    Descriptor& operator=(Descriptor const&) = delete;
    ~Descriptor()
    {
        if (number_ >= 0) ::close(number_);
    }
    [[nodiscard]] int get() const { return number_; }
    explicit operator bool() const { return number_ >= 0; }

private:
    int number_;
};

/// The content of a file that only its owner may read.
Result<SecretBytes> read_secret_file(fs::path const& file)
{
    Descriptor const descriptor{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
    if (!descriptor) return system_error(file);
    struct stat status{};
    if (::fstat(descriptor.get(), &status) != 0) return system_error(file);
    if (!S_ISREG(status.st_mode)) return invalid(file, "is no regular file");
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return invalid(file, "others than its owner may read it; make its mode 0600");
    if (status.st_size < 0 || static_cast<std::size_t>(status.st_size) > largest_file)
        return invalid(file, "is too large");
    Bytes content(static_cast<std::size_t>(status.st_size));
    std::size_t have = 0;
    while (have < content.size()) {
        auto const got = ::read(descriptor.get(), content.data() + have, content.size() - have);
        if (got < 0) return system_error(file);
        if (got == 0) return invalid(file, "ended early");
        have += static_cast<std::size_t>(got);
    }
    return SecretBytes{std::move(content)};
}

fs::path signing_file(fs::path const& directory) { return directory / "signing.json"; }
fs::path bank_signing_file(fs::path const& directory) { return directory / "bank_signing.json"; }

crypto::KeyType key_type_of(crypto::SignatureAlgorithm algorithm)
{
    return algorithm == crypto::SignatureAlgorithm::rs256 ? crypto::KeyType::rsa : crypto::KeyType::ec_p256;
}

crypto::TimedKey new_row(crypto::SignatureAlgorithm algorithm, Instant signs_from)
{
    auto key = crypto::PrivateKey::generate(key_type_of(algorithm));
    auto name = key.public_key().thumbprint();
    return {
        .key = {.key_id = std::move(name), .algorithm = algorithm, .key = std::move(key)},
        .signs_from = signs_from,
        .signs_until = crypto::no_end,
        .published_until = crypto::no_end,
    };
}

Result<void> write_rows(fs::path const& path, std::vector<crypto::TimedKey> const& rows)
{
    json::Array keys;
    for (auto const& row : rows) {
        json::Object key;
        key["kid"] = row.key.key_id;
        key["alg"] = name_of(row.key.algorithm);
        key["signs_from"] = numeric_date(row.signs_from);
        if (row.signs_until != crypto::no_end) key["signs_until"] = numeric_date(row.signs_until);
        if (row.published_until != crypto::no_end) key["published_until"] = numeric_date(row.published_until);
        key["private_key"] = crypto::base64url(row.key.key.der().reveal());
        keys.push_back(std::move(key));
    }
    json::Object file;
    file["keys"] = std::move(keys);
    SecretText const text{json::write(file)};
    return write_secret_file(path, bytes_of(text.reveal()));
}

Result<crypto::TimedKey> row_in(json::Value const& value)
{
    if (!value.is_object()) return fail(Outcome::json_malformed, "a key is no object");
    auto const& object = value.as_object();
    auto const algorithm = crypto::signature_algorithm_named(TRY(json::text(object, "alg")));
    if (!algorithm) return fail(Outcome::json_malformed, "alg");
    auto const text = SecretText{TRY(json::text(object, "private_key"))};
    auto const pkcs8 = SecretBytes{TRY(crypto::from_base64url(text.reveal()))};
    auto key = TRY(crypto::PrivateKey::from_der(pkcs8));
    if (!fits(*algorithm, key.type())) return fail(Outcome::json_malformed, "the key is not of its algorithm");
    auto const end = [&](std::string_view name) -> Result<Instant> {
        auto const at = TRY(json::optional_integer(object, name));
        return at ? instant_of(*at) : crypto::no_end;
    };
    return crypto::TimedKey{
        .key = {.key_id = TRY(json::text(object, "kid")), .algorithm = *algorithm, .key = std::move(key)},
        .signs_from = instant_of(TRY(json::integer(object, "signs_from"))),
        .signs_until = TRY(end("signs_until")),
        .published_until = TRY(end("published_until")),
    };
}

} // namespace

Result<SecretBytes> read_key_file(fs::path const& file)
{
    auto content = TRY(read_secret_file(file));
    if (content.reveal().size() != key_bytes) return invalid(file, "is not a key of 32 bytes");
    return content;
}

Result<void> write_secret_file(fs::path const& file, ByteView content)
{
    auto const temporary = fs::path{file.string() + ".new"};
    {
        Descriptor const descriptor{
            ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)};
        if (!descriptor || ::fchmod(descriptor.get(), 0600) != 0) return system_error(temporary);
        std::size_t done = 0;
        while (done < content.size()) {
            auto const put = ::write(descriptor.get(), content.data() + done, content.size() - done);
            if (put < 0) return system_error(temporary);
            done += static_cast<std::size_t>(put);
        }
        if (::fsync(descriptor.get()) != 0) return system_error(temporary);
    }
    if (::rename(temporary.c_str(), file.c_str()) != 0) return system_error(file);
    Descriptor const directory{::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!directory || ::fsync(directory.get()) != 0) return system_error(file.parent_path());
    return {};
}

namespace {

/// A key on P-256. Fails with configuration_invalid.
Result<crypto::PrivateKey> read_p256_key(fs::path const& file)
{
    auto key = crypto::PrivateKey::from_der(TRY(read_secret_file(file)));
    if (!key || key->type() != crypto::KeyType::ec_p256) return invalid(file, "is no key on P-256");
    return *std::move(key);
}

Result<void> write_new_p256_key(fs::path const& file)
{
    return write_secret_file(file, crypto::PrivateKey::generate(crypto::KeyType::ec_p256).der().reveal());
}

} // namespace

Result<void> make_state_directory(fs::path const& directory, std::string_view settings, crypto::Random& random,
                                  Instant now)
{
    std::error_code error;
    if (fs::exists(directory, error) && !fs::is_empty(directory, error))
        return invalid(directory, "is there already and not empty; nothing was changed");
    fs::create_directories(directory, error);
    if (error) return invalid(directory, error.message());
    if (::chmod(directory.c_str(), 0700) != 0) return system_error(directory);

    for (auto const* name : {"master.key", "lookup.key", "pairwise.key", "server.key"}) {
        SecretBytes const key{random.bytes(key_bytes)};
        TRY(write_secret_file(directory / name, key.reveal()));
    }
    for (auto const* name : {"record.key", "push.key"}) TRY(write_new_p256_key(directory / name));
    std::vector<crypto::TimedKey> rows;
    rows.reserve(signing_algorithms.size());
    for (auto const algorithm : signing_algorithms) rows.push_back(new_row(algorithm, now));
    TRY(write_rows(signing_file(directory), rows));
    TRY(vault::make_vault(directory / "vault", random));
    // Last, since it is what the programs are pointed at: a half-made directory is not taken for a whole one.
    TRY(write_secret_file(directory / "symbolon.toml", bytes_of(settings)));
    return {};
}

namespace {

Result<std::vector<crypto::TimedKey>> read_rows(fs::path const& file)
{
    auto const content = TRY(read_secret_file(file));
    auto const object = json::parse_object(text_of(content.reveal()));
    if (!object) return invalid(file, object.error().detail);
    auto const keys = json::array(*object, "keys");
    if (!keys) return invalid(file, keys.error().detail);
    std::vector<crypto::TimedKey> rows;
    for (auto const& key : *keys) {
        auto row = row_in(key);
        if (!row) return invalid(file, row.error().detail);
        rows.push_back(*std::move(row));
    }
    return rows;
}

/// The keys after a rotation: a new one for each algorithm, known before it signs, and the old ones after.
std::vector<crypto::TimedKey> rotated(std::vector<crypto::TimedKey> rows,
                                      std::span<crypto::SignatureAlgorithm const> algorithms, Instant now,
                                      Seconds notice, Seconds overlap)
{
    std::erase_if(rows, [&](auto const& row) { return now >= row.published_until; });
    auto const change = now + notice;
    for (auto& row : rows) {
        if (row.signs_until <= change) continue;
        row.signs_until = change;
        row.published_until = change + overlap;
    }
    // What would never have signed is not needed.
    std::erase_if(rows, [](auto const& row) { return row.signs_from >= row.signs_until; });
    for (auto const algorithm : algorithms) rows.push_back(new_row(algorithm, change));
    return rows;
}

} // namespace

Result<std::vector<crypto::TimedKey>> read_signing_keys(fs::path const& directory)
{
    return read_rows(signing_file(directory));
}

Result<std::vector<crypto::TimedKey>> keys_of_provider(fs::path const& directory, Instant now)
{
    auto rows = TRY(read_signing_keys(directory));
    auto const published = crypto::keys_at(rows, now);
    for (auto const algorithm : signing_algorithms)
        if (std::ranges::find(published, algorithm, &crypto::SigningKey::algorithm) == published.end())
            return invalid(signing_file(directory), "has no key for " + std::string{name_of(algorithm)});
    if (std::ranges::any_of(rows, [](auto const& row) { return row.key.key_id.empty(); }))
        return invalid(signing_file(directory), "has a key without a kid");
    return rows;
}

Result<void> rotate_signing_keys(fs::path const& directory, Instant now, Seconds notice, Seconds overlap)
{
    auto rows = TRY(read_signing_keys(directory));
    return write_rows(signing_file(directory), rotated(std::move(rows), signing_algorithms, now, notice, overlap));
}

SecretBytes derived_key(State const& state, std::string_view purpose)
{
    return crypto::hkdf_sha256(state.server_secret, {}, "symbolon-server/" + std::string{purpose}, key_bytes);
}

Result<store::Keys> read_store_keys(fs::path const& directory)
{
    store::Keys keys{.master = TRY(read_key_file(directory / "master.key")),
                     .lookup = TRY(read_key_file(directory / "lookup.key"))};
    std::error_code error;
    if (auto const former = directory / former_master; fs::exists(fs::symlink_status(former, error)))
        keys.former_master = TRY(read_key_file(former));
    return keys;
}

Result<void> begin_master_rotation(fs::path const& directory, crypto::Random& random)
{
    auto const keys = TRY(read_store_keys(directory));
    // Stopped between the two files below, both are the same.
    if (!keys.former_master.empty() && !keys.former_master.equals(keys.master)) return {};
    TRY(write_secret_file(directory / former_master, keys.master.reveal()));
    SecretBytes const key{random.bytes(key_bytes)};
    return write_secret_file(directory / "master.key", key.reveal());
}

Result<void> end_master_rotation(fs::path const& directory)
{
    auto const former = directory / former_master;
    if (::unlink(former.c_str()) != 0 && errno != ENOENT) return system_error(former);
    Descriptor const folder{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!folder || ::fsync(folder.get()) != 0) return system_error(directory);
    return {};
}

Result<State> read_state(fs::path const& directory, Instant now)
{
    auto keys = TRY(keys_of_provider(directory, now));
    auto record = TRY(read_p256_key(directory / "record.key"));
    auto record_name = record.public_key().thumbprint();
    auto const push_file = directory / "push.key";
    std::error_code error;
    if (!fs::exists(fs::symlink_status(push_file, error))) TRY(write_new_p256_key(push_file));
    // Where the vault is another user's, the key lies beside ours.
    auto const permits = fs::exists(directory / "permit.key", error) ? directory : directory / "vault";
    return State{
        .keys = TRY(read_store_keys(directory)),
        .pairwise_secret = TRY(read_key_file(directory / "pairwise.key")),
        .server_secret = TRY(read_key_file(directory / "server.key")),
        .record_key = {.key_id = std::move(record_name),
                       .algorithm = crypto::SignatureAlgorithm::es256,
                       .key = std::move(record)},
        .push_key = {.key_id = {},
                     .algorithm = crypto::SignatureAlgorithm::es256,
                     .key = TRY(read_p256_key(push_file))},
        .permit_key = TRY(vault::read_permit_key(permits)),
        .signing_keys = std::move(keys),
    };
}

Result<bank::Keys> read_bank_keys(fs::path const& directory)
{
    constexpr int encryption_bits = 3072;
    auto const signing_file = directory / "bank.key";
    auto const encryption_file = directory / "bank_encryption.key";
    auto const is_missing = [](fs::path const& file) {
        std::error_code error;
        return !fs::exists(fs::symlink_status(file, error));
    };
    if (is_missing(signing_file)) TRY(write_new_p256_key(signing_file));
    if (is_missing(encryption_file))
        TRY(write_secret_file(encryption_file,
                              crypto::PrivateKey::generate(crypto::KeyType::rsa, encryption_bits).der().reveal()));
    auto first = TRY(read_p256_key(signing_file));
    auto first_name = first.public_key().thumbprint();
    std::vector<crypto::TimedKey> signing{{.key = {.key_id = std::move(first_name),
                                                   .algorithm = crypto::SignatureAlgorithm::es256,
                                                   .key = std::move(first)},
                                           .signs_from = Instant{}}};
    if (auto const rotated_keys = bank_signing_file(directory); !is_missing(rotated_keys))
        signing = TRY(read_rows(rotated_keys));
    auto encryption = crypto::PrivateKey::from_der(TRY(read_secret_file(encryption_file)));
    if (!encryption || encryption->type() != crypto::KeyType::rsa) return invalid(encryption_file, "is no RSA key");
    auto encryption_name = encryption->public_key().thumbprint();
    return bank::Keys{
        .signing = std::move(signing),
        .decryption = {{.key_id = std::move(encryption_name), .key = *std::move(encryption)}},
    };
}

Result<void> rotate_bank_keys(fs::path const& directory, Instant now, Seconds notice, Seconds overlap)
{
    auto rows = TRY(read_bank_keys(directory)).signing;
    return write_rows(bank_signing_file(directory),
                      rotated(std::move(rows), std::array{crypto::SignatureAlgorithm::es256}, now, notice, overlap));
}

bank::Settings bank_settings(Configuration const& configuration, bank::Keys keys)
{
    return {.banks = configuration.banks,
            .redirect_uri = configuration.server.phone_url + "/bank/return",
            .keys = std::move(keys)};
}

} // namespace symbolon::app

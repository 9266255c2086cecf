#include "crypto/jwe.hpp"

#include "base/ensure.hpp"
#include "base/text.hpp"
#include "crypto/encoding.hpp"
#include "crypto/gcm.hpp"
#include "crypto/hash.hpp"
#include "crypto/openssl.hpp"

#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>

namespace symbolon::crypto {

namespace {

constexpr std::size_t longest_jwe = 100'000;
constexpr std::size_t content_key_bytes = 32;                 ///< of both content encryptions
constexpr std::size_t cbc_half_bytes = content_key_bytes / 2; ///< MAC_KEY, then ENC_KEY (RFC 7518 §5.2.2.1)
constexpr std::size_t cbc_iv_bytes = 16;
constexpr std::size_t cbc_block_bytes = 16;
constexpr std::size_t tag_bytes = 16;                            ///< of both content encryptions
constexpr std::size_t wrapped_key_bytes = content_key_bytes + 8; ///< RFC 3394 §2.2.1
constexpr std::size_t longest_party_info = 1000;

struct ManagementRow {
    KeyManagement management;
    std::string_view name;
};
constexpr std::array managements{
    ManagementRow{KeyManagement::rsa_oaep_256, "RSA-OAEP-256"},
    ManagementRow{KeyManagement::ecdh_es, "ECDH-ES"},
    ManagementRow{KeyManagement::ecdh_es_a256kw, "ECDH-ES+A256KW"},
};

struct EncryptionRow {
    ContentEncryption encryption;
    std::string_view name;
};
constexpr std::array encryptions{
    EncryptionRow{ContentEncryption::a256gcm, "A256GCM"},
    EncryptionRow{ContentEncryption::a128cbc_hs256, "A128CBC-HS256"},
};

std::unexpected<Failure> malformed(std::string detail, std::source_location where = std::source_location::current())
{
    return fail(Outcome::jwe_malformed, std::move(detail), where);
}

std::unexpected<Failure> not_opened(std::source_location where = std::source_location::current())
{
    openssl::forget_errors();
    return fail(Outcome::jwe_decryption_failed, {}, where);
}

int size_of(ByteView bytes) { return static_cast<int>(bytes.size()); }

// ---- content ------------------------------------------------------------------------------------------------------

EVP_CIPHER const* aes_128_cbc()
{
    static EVP_CIPHER const* const cipher = EVP_CIPHER_fetch(nullptr, "AES-128-CBC", nullptr);
    ENSURE(cipher != nullptr);
    return cipher;
}

/// RFC 7518 §5.2.2.1: HMAC over A ‖ IV ‖ E ‖ AL under MAC_KEY, its first half.
Bytes cbc_tag(ByteView content_key, ByteView header, ByteView iv, ByteView encrypted)
{
    Bytes data{header.begin(), header.end()};
    append(data, iv);
    append(data, encrypted);
    auto const bits = static_cast<std::uint64_t>(header.size()) * 8;
    for (int shift = 56; shift >= 0; shift -= 8) data.push_back(static_cast<Byte>(bits >> shift));
    auto const mac_key = content_key.first(cbc_half_bytes);
    auto tag = hmac_sha256(SecretBytes{Bytes{mac_key.begin(), mac_key.end()}}, data);
    tag.resize(tag_bytes);
    return tag;
}

/// RFC 7518 §5.2.2.2: the tag first, then the padding.
std::optional<SecretBytes> open_cbc(ByteView key, ByteView header, ByteView iv, ByteView encrypted, ByteView tag)
{
    if (iv.size() != cbc_iv_bytes || encrypted.empty() || encrypted.size() % cbc_block_bytes != 0) return std::nullopt;
    if (!equal_in_constant_time(cbc_tag(key, header, iv, encrypted), tag)) return std::nullopt;
    openssl::CipherContext const context{EVP_CIPHER_CTX_new()};
    ENSURE(context);
    auto const* const half = key.subspan(cbc_half_bytes).data();
    ENSURE(EVP_DecryptInit_ex2(context.get(), aes_128_cbc(), half, iv.data(), nullptr) == 1);
    Bytes plain(encrypted.size() + cbc_block_bytes);
    int written = 0;
    int last = 0;
    auto const is_whole =
        EVP_DecryptUpdate(context.get(), plain.data(), &written, encrypted.data(), size_of(encrypted)) == 1 &&
        EVP_DecryptFinal_ex(context.get(), plain.data() + written, &last) == 1;
    SecretBytes const padded{std::move(plain)};
    if (!is_whole) return std::nullopt;
    auto const view =
        ByteView{padded.reveal()}.first(static_cast<std::size_t>(written) + static_cast<std::size_t>(last));
    return SecretBytes{Bytes{view.begin(), view.end()}};
}

Bytes seal_cbc(ByteView key, ByteView iv, ByteView plain)
{
    openssl::CipherContext const context{EVP_CIPHER_CTX_new()};
    ENSURE(context);
    auto const* const half = key.subspan(cbc_half_bytes).data();
    ENSURE(EVP_EncryptInit_ex2(context.get(), aes_128_cbc(), half, iv.data(), nullptr) == 1);
    Bytes encrypted(plain.size() + cbc_block_bytes);
    int written = 0;
    int last = 0;
    ENSURE(EVP_EncryptUpdate(context.get(), encrypted.data(), &written, plain.data(), size_of(plain)) == 1);
    ENSURE(EVP_EncryptFinal_ex(context.get(), encrypted.data() + written, &last) == 1);
    encrypted.resize(static_cast<std::size_t>(written) + static_cast<std::size_t>(last));
    return encrypted;
}

std::optional<SecretBytes> open_gcm(ByteView key, ByteView header, ByteView iv, ByteView encrypted, ByteView tag)
{
    if (iv.size() != gcm::nonce_bytes) return std::nullopt;
    Bytes sealed{encrypted.begin(), encrypted.end()};
    append(sealed, tag);
    return gcm::decrypt(key, iv, sealed, header);
}

// ---- RSA-OAEP-256 (RFC 7518 §4.3) -----------------------------------------------------------------------------------

void set_oaep(EVP_PKEY_CTX* context)
{
    ENSURE(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1);
    ENSURE(EVP_PKEY_CTX_set_rsa_oaep_md(context, openssl::digest(HashAlgorithm::sha256)) == 1);
    ENSURE(EVP_PKEY_CTX_set_rsa_mgf1_md(context, openssl::digest(HashAlgorithm::sha256)) == 1);
}

/// The content key; another one where it doesn't open (RFC 7516 §11.5), so that nobody learns which of the two it was.
SecretBytes open_oaep(PrivateKey const& key, ByteView encrypted_key)
{
    SecretBytes other{system_random()->bytes(content_key_bytes)};
    openssl::KeyContext const context{EVP_PKEY_CTX_new_from_pkey(nullptr, key.native(), nullptr)};
    ENSURE(context && EVP_PKEY_decrypt_init(context.get()) == 1);
    set_oaep(context.get());
    Bytes plain(static_cast<std::size_t>(EVP_PKEY_get_size(key.native())));
    auto size = plain.size();
    auto const opened =
        EVP_PKEY_decrypt(context.get(), plain.data(), &size, encrypted_key.data(), encrypted_key.size()) == 1 &&
        size == content_key_bytes;
    SecretBytes const whole{std::move(plain)};
    if (!opened) {
        openssl::forget_errors();
        return other;
    }
    auto const view = ByteView{whole.reveal()}.first(content_key_bytes);
    return SecretBytes{Bytes{view.begin(), view.end()}};
}

Bytes seal_oaep(PublicKey const& key, SecretBytes const& content_key)
{
    openssl::KeyContext const context{EVP_PKEY_CTX_new_from_pkey(nullptr, key.native(), nullptr)};
    ENSURE(context && EVP_PKEY_encrypt_init(context.get()) == 1);
    set_oaep(context.get());
    Bytes sealed(static_cast<std::size_t>(EVP_PKEY_get_size(key.native())));
    auto size = sealed.size();
    ENSURE(EVP_PKEY_encrypt(context.get(), sealed.data(), &size, content_key.reveal().data(), content_key_bytes) == 1);
    sealed.resize(size);
    return sealed;
}

// ---- ECDH-ES (RFC 7518 §4.6)
// -----------------------------------------------------------------------------------------

SecretBytes shared_secret(EVP_PKEY* own, EVP_PKEY* other)
{
    openssl::KeyContext const context{EVP_PKEY_CTX_new_from_pkey(nullptr, own, nullptr)};
    ENSURE(context && EVP_PKEY_derive_init(context.get()) == 1);
    ENSURE(EVP_PKEY_derive_set_peer(context.get(), other) == 1);
    std::size_t size = 0;
    ENSURE(EVP_PKEY_derive(context.get(), nullptr, &size) == 1);
    Bytes secret(size);
    ENSURE(EVP_PKEY_derive(context.get(), secret.data(), &size) == 1 && size == secret.size());
    return SecretBytes{std::move(secret)};
}

void append_number(Bytes& to, std::size_t number)
{
    for (int shift = 24; shift >= 0; shift -= 8) to.push_back(static_cast<Byte>(number >> shift));
}

void append_counted(Bytes& to, ByteView data)
{
    append_number(to, data.size());
    append(to, data);
}

struct PartyInfo {
    Bytes apu;
    Bytes apv;
};

/// RFC 7518 §4.6.2: the Concat KDF of NIST SP 800-56A with SHA-256, 32 bytes. `algorithm`: "enc" where the key is used
/// directly, "alg" where it wraps another one.
SecretBytes agreed_key(SecretBytes const& secret, std::string_view algorithm, PartyInfo const& parties)
{
    Bytes other_info;
    append_counted(other_info, bytes_of(algorithm));
    append_counted(other_info, parties.apu);
    append_counted(other_info, parties.apv);
    append_number(other_info, content_key_bytes * 8); // SuppPubInfo: keydatalen in bits

    static EVP_KDF* const kdf = EVP_KDF_fetch(nullptr, "SSKDF", nullptr); // one step: H(counter ‖ Z ‖ OtherInfo)
    ENSURE(kdf != nullptr);
    openssl::KdfContext const context{EVP_KDF_CTX_new(kdf)};
    ENSURE(context);
    std::array<char, 7> digest{"SHA256"};
    auto z = secret.reveal();
    std::array parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, z.data(), z.size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, other_info.data(), other_info.size()),
        OSSL_PARAM_construct_end(),
    };
    Bytes derived(content_key_bytes);
    ENSURE(EVP_KDF_derive(context.get(), derived.data(), derived.size(), parameters.data()) == 1);
    wipe(z.data(), z.size());
    return SecretBytes{std::move(derived)};
}

openssl::CipherContext key_wrap(SecretBytes const& key, bool encrypt)
{
    static EVP_CIPHER const* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-WRAP", nullptr);
    openssl::CipherContext context{EVP_CIPHER_CTX_new()};
    ENSURE(cipher != nullptr && context);
    EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    ENSURE(EVP_CipherInit_ex2(context.get(), cipher, key.reveal().data(), nullptr, encrypt ? 1 : 0, nullptr) == 1);
    return context;
}

/// RFC 3394 §2.2.2.
std::optional<SecretBytes> unwrap(SecretBytes const& key, ByteView wrapped)
{
    if (wrapped.size() != wrapped_key_bytes) return std::nullopt;
    auto const context = key_wrap(key, false);
    Bytes plain(wrapped.size());
    int written = 0;
    auto const opened =
        EVP_CipherUpdate(context.get(), plain.data(), &written, wrapped.data(), size_of(wrapped)) == 1 &&
        written == static_cast<int>(content_key_bytes);
    plain.resize(content_key_bytes);
    SecretBytes result{std::move(plain)};
    if (!opened) return std::nullopt;
    return result;
}

Bytes wrap(SecretBytes const& key, SecretBytes const& content_key)
{
    auto const context = key_wrap(key, true);
    Bytes wrapped(wrapped_key_bytes + 8);
    int written = 0;
    ENSURE(EVP_CipherUpdate(context.get(), wrapped.data(), &written, content_key.reveal().data(),
                            static_cast<int>(content_key_bytes)) == 1);
    ENSURE(written == static_cast<int>(wrapped_key_bytes));
    wrapped.resize(wrapped_key_bytes);
    return wrapped;
}

// ---- the whole -----------------------------------------------------------------------------------------------------

struct Parts {
    std::string_view protected_header; ///< as it stands: the additional authenticated data
    json::Object header;
    std::optional<std::string> key_id;
    Bytes encrypted_key;
    Bytes iv;
    Bytes encrypted;
    Bytes tag;
};

Result<Parts> take_apart(std::string_view compact)
{
    if (compact.size() > longest_jwe) return malformed("too long");
    auto const parts = split(compact, '.');
    if (parts.size() != 5) return malformed("not five parts");
    auto const header_text = from_base64url(parts[0]);
    auto encrypted_key = from_base64url(parts[1]);
    auto iv = from_base64url(parts[2]);
    auto encrypted = from_base64url(parts[3]);
    auto tag = from_base64url(parts[4]);
    if (!header_text || !encrypted_key || !iv || !encrypted || !tag) return malformed("base64url");
    auto header = json::parse_object(text_of(*header_text));
    if (!header) return malformed("header");
    auto key_id = json::optional_text(*header, "kid");
    if (!key_id) return malformed("kid");
    // RFC 7516 §4.1.13: what `crit` names must be understood, and we understand no extension. What was compressed tells
    // by its length what it was (RFC 8725 §3.6), and can grow without bound.
    if (header->contains("crit")) return malformed("crit");
    if (header->contains("zip")) return malformed("zip");
    return Parts{.protected_header = parts[0],
                 .header = *std::move(header),
                 .key_id = *std::move(key_id),
                 .encrypted_key = *std::move(encrypted_key),
                 .iv = *std::move(iv),
                 .encrypted = *std::move(encrypted),
                 .tag = *std::move(tag)};
}

/// RFC 7518 §4.6.1: the sender's half of the agreement.
struct Agreement {
    PublicKey ephemeral;
    PartyInfo parties;
};

Result<Bytes> party_info(json::Object const& header, std::string_view name)
{
    auto const text = json::optional_text(header, name);
    if (!text || text->value_or("").size() > longest_party_info) return malformed(std::string{name});
    auto bytes = from_base64url(text->value_or(""));
    if (!bytes) return malformed(std::string{name});
    return *std::move(bytes);
}

Result<Agreement> agreement_in(json::Object const& header)
{
    auto const jwk = json::object(header, "epk");
    if (!jwk) return malformed("epk");
    auto key = PublicKey::from_jwk(*jwk); // on its curve
    if (!key || !fits(KeyManagement::ecdh_es, key->type())) return malformed("epk");
    return Agreement{.ephemeral = *std::move(key),
                     .parties = {.apu = TRY(party_info(header, "apu")), .apv = TRY(party_info(header, "apv"))}};
}

/// The content key for one of ours. Nothing: not to be had with it.
std::optional<SecretBytes> content_key_of(Parts const& parts, KeyManagement management, ContentEncryption encryption,
                                          std::optional<Agreement> const& agreement, PrivateKey const& key)
{
    if (management == KeyManagement::rsa_oaep_256) return open_oaep(key, parts.encrypted_key);
    if (agreement->ephemeral.type() != key.type()) return std::nullopt;
    auto const secret = shared_secret(key.native(), agreement->ephemeral.native());
    if (management == KeyManagement::ecdh_es) {
        // RFC 7516 §5.2, 10: nothing stands where an encrypted key would.
        if (!parts.encrypted_key.empty()) return std::nullopt;
        return agreed_key(secret, name_of(encryption), agreement->parties);
    }
    return unwrap(agreed_key(secret, name_of(management), agreement->parties), parts.encrypted_key);
}

} // namespace

std::string_view name_of(KeyManagement management)
{
    return std::ranges::find(managements, management, &ManagementRow::management)->name;
}

std::string_view name_of(ContentEncryption encryption)
{
    return std::ranges::find(encryptions, encryption, &EncryptionRow::encryption)->name;
}

std::optional<KeyManagement> key_management_named(std::string_view name)
{
    for (auto const& row : managements)
        if (row.name == name) return row.management;
    return std::nullopt;
}

std::optional<ContentEncryption> content_encryption_named(std::string_view name)
{
    for (auto const& row : encryptions)
        if (row.name == name) return row.encryption;
    return std::nullopt;
}

bool fits(KeyManagement management, KeyType type)
{
    if (management == KeyManagement::rsa_oaep_256) return type == KeyType::rsa;
    return type == KeyType::ec_p256 || type == KeyType::ec_p384;
}

Result<Jwe> decrypt_jwe(std::string_view compact, std::span<DecryptionKey const> keys)
{
    auto parts = TRY(take_apart(compact));
    auto const management_name = json::text(parts.header, "alg");
    auto const encryption_name = json::text(parts.header, "enc");
    if (!management_name || !encryption_name) return malformed("alg, enc");
    auto const management = key_management_named(*management_name);
    auto const encryption = content_encryption_named(*encryption_name);
    if (!management || !encryption) return fail(Outcome::jwe_algorithm_refused, "alg or enc is not one of ours");
    std::optional<Agreement> agreement;
    if (*management != KeyManagement::rsa_oaep_256) agreement = TRY(agreement_in(parts.header));

    bool any = false;
    auto const header = bytes_of(parts.protected_header);
    for (auto const& key : keys) {
        if (!fits(*management, key.key.type())) continue;
        if (parts.key_id && !key.key_id.empty() && key.key_id != *parts.key_id) continue;
        any = true;
        auto const content_key = content_key_of(parts, *management, *encryption, agreement, key.key);
        if (!content_key || parts.tag.size() != tag_bytes) continue;
        auto* const open = *encryption == ContentEncryption::a256gcm ? &open_gcm : &open_cbc;
        auto const plain = open(content_key->reveal(), header, parts.iv, parts.encrypted, parts.tag);
        if (plain) return Jwe{.header = std::move(parts.header), .plain = SecretText{string_of(plain->reveal())}};
    }
    if (!any) return fail(Outcome::key_unknown, "no key of that name for that algorithm");
    return not_opened();
}

std::string encrypt_jwe(EncryptionKey const& to, std::string_view plain, std::string_view content_type, Random& random)
{
    ENSURE(!to.key.empty() && fits(to.management, to.key.type()));
    json::Object header;
    header["alg"] = name_of(to.management);
    header["enc"] = name_of(to.encryption);
    if (!to.key_id.empty()) header["kid"] = to.key_id;
    if (!content_type.empty()) header["cty"] = content_type;

    SecretBytes content_key{random.bytes(content_key_bytes)};
    Bytes encrypted_key;
    if (to.management == KeyManagement::rsa_oaep_256) {
        encrypted_key = seal_oaep(to.key, content_key);
    } else {
        auto const ephemeral = PrivateKey::generate(to.key.type());
        header["epk"] = ephemeral.public_key().jwk();
        auto const secret = shared_secret(ephemeral.native(), to.key.native());
        if (to.management == KeyManagement::ecdh_es) content_key = agreed_key(secret, name_of(to.encryption), {});
        else encrypted_key = wrap(agreed_key(secret, name_of(to.management), {}), content_key);
    }

    auto const protected_header = base64url(bytes_of(json::write(header)));
    auto const aad = bytes_of(protected_header);
    auto const& key = content_key.reveal();
    Bytes iv;
    Bytes encrypted;
    Bytes tag;
    if (to.encryption == ContentEncryption::a256gcm) {
        iv = random.bytes(gcm::nonce_bytes);
        gcm::encrypt(key, iv, bytes_of(plain), aad, encrypted);
        tag.assign(encrypted.end() - gcm::tag_bytes, encrypted.end());
        encrypted.resize(encrypted.size() - gcm::tag_bytes);
    } else {
        iv = random.bytes(cbc_iv_bytes);
        encrypted = seal_cbc(key, iv, bytes_of(plain));
        tag = cbc_tag(key, aad, iv, encrypted);
    }
    return protected_header + '.' + base64url(encrypted_key) + '.' + base64url(iv) + '.' + base64url(encrypted) + '.' +
           base64url(tag);
}

} // namespace symbolon::crypto

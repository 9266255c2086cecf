#include "virtual_card/openssl.hpp"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <fstream>
#include <iterator>

namespace symbolon::virtual_card {

Certificate parse_certificate(ByteView der)
{
    auto const* at = der.data();
    auto certificate = Certificate{d2i_X509(nullptr, &at, static_cast<long>(der.size())), &X509_free};
    if (certificate && at != der.data() + der.size()) return nullptr;
    return certificate;
}

Key new_ec_key()
{
    auto key = Key{EVP_EC_gen("P-384"), &EVP_PKEY_free};
    ENSURE(key);
    return key;
}

Key new_rsa_key(unsigned bits)
{
    auto key = Key{EVP_RSA_gen(bits), &EVP_PKEY_free};
    ENSURE(key);
    return key;
}

Result<Bytes> read_file(std::filesystem::path const& file)
{
    auto stream = std::ifstream{file, std::ios::binary};
    if (!stream) return fail(Outcome::configuration_invalid, "cannot read " + file.string());
    return Bytes{std::istreambuf_iterator<char>{stream}, {}};
}

Result<void> write_file(std::filesystem::path const& file, ByteView bytes)
{
    // Written beside and renamed, so that whoever reads while we write sees the old or the new.
    auto const beside = std::filesystem::path{file.string() + ".new"};
    {
        auto stream = std::ofstream{beside, std::ios::binary};
        stream << text_of(bytes);
        if (!stream.flush()) return fail(Outcome::configuration_invalid, "cannot write " + file.string());
    }
    std::error_code error;
    std::filesystem::rename(beside, file, error);
    if (error) return fail(Outcome::configuration_invalid, "cannot write " + file.string() + ": " + error.message());
    return {};
}

Result<Key> read_key(std::filesystem::path const& file)
{
    auto const pem = TRY(read_file(file));
    auto const bio = Bio{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
    auto key = Key{PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free};
    if (!key) return fail(Outcome::configuration_invalid, file.string() + " holds no private key");
    return key;
}

Result<void> write_key(Key const& key, std::filesystem::path const& file)
{
    auto const bio = Bio{BIO_new(BIO_s_mem())};
    ENSURE(PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
    char* text = nullptr;
    auto const size = BIO_get_mem_data(bio.get(), &text);
    TRY(write_file(file, bytes_of({text, static_cast<std::size_t>(size)})));
    std::error_code error;
    std::filesystem::permissions(file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, error);
    return {};
}

Bytes digest(EVP_MD const* algorithm, ByteView data)
{
    Bytes out(static_cast<std::size_t>(EVP_MD_get_size(algorithm)));
    ENSURE(EVP_Digest(data.data(), data.size(), out.data(), nullptr, algorithm, nullptr) == 1);
    return out;
}

Bytes sign(Key const& key, EVP_MD const* algorithm, ByteView data)
{
    auto const context = DigestContext{EVP_MD_CTX_new()};
    std::size_t size = 0;
    ENSURE(EVP_DigestSignInit(context.get(), nullptr, algorithm, nullptr, key.get()) == 1);
    ENSURE(EVP_DigestSign(context.get(), nullptr, &size, data.data(), data.size()) == 1);
    Bytes signature(size);
    ENSURE(EVP_DigestSign(context.get(), signature.data(), &size, data.data(), data.size()) == 1);
    signature.resize(size);
    return signature;
}

} // namespace symbolon::virtual_card

#pragma once

#include "base/bytes.hpp"
#include "base/ensure.hpp"
#include "virtual_card/pki.hpp"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/conf.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <filesystem>
#include <memory>

/// Ownership of OpenSSL's objects, for the units of this folder.
namespace symbolon::virtual_card {

template <auto free_function>
struct Freed {
    template <class T>
    void operator()(T* object) const
    {
        free_function(object);
    }
};

using Bio = std::unique_ptr<BIO, Freed<&BIO_free_all>>;
using Conf = std::unique_ptr<CONF, Freed<&NCONF_free>>;
using Crl = std::unique_ptr<X509_CRL, Freed<&X509_CRL_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freed<&EVP_MD_CTX_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<&EVP_PKEY_CTX_free>>;
using Name = std::unique_ptr<X509_NAME, Freed<&X509_NAME_free>>;
using OcspBasic = std::unique_ptr<OCSP_BASICRESP, Freed<&OCSP_BASICRESP_free>>;
using OcspId = std::unique_ptr<OCSP_CERTID, Freed<&OCSP_CERTID_free>>;
using OcspRequest = std::unique_ptr<OCSP_REQUEST, Freed<&OCSP_REQUEST_free>>;
using OcspResponse = std::unique_ptr<OCSP_RESPONSE, Freed<&OCSP_RESPONSE_free>>;
using Integer = std::unique_ptr<ASN1_INTEGER, Freed<&ASN1_INTEGER_free>>;
using Time = std::unique_ptr<ASN1_TIME, Freed<&ASN1_TIME_free>>;
using GeneralizedTime = std::unique_ptr<ASN1_GENERALIZEDTIME, Freed<&ASN1_GENERALIZEDTIME_free>>;
using Certificate = std::shared_ptr<X509>;

/// The DER encoding of an object, by its i2d function.
template <auto encode, class T>
Bytes der_of(T* object)
{
    unsigned char* out = nullptr;
    auto const size = encode(object, &out);
    ENSURE(size > 0);
    Bytes der(out, out + size);
    OPENSSL_free(out);
    return der;
}

/// Nothing when the bytes are not one whole certificate.
Certificate parse_certificate(ByteView der);

Key new_ec_key(); ///< P-384
Key new_rsa_key(unsigned bits);

/// A private key, PEM without a passphrase. Fails with configuration_invalid.
Result<Key> read_key(std::filesystem::path const& file);
Result<void> write_key(Key const& key, std::filesystem::path const& file);
Result<Bytes> read_file(std::filesystem::path const& file);
Result<void> write_file(std::filesystem::path const& file, ByteView bytes);

Bytes digest(EVP_MD const* algorithm, ByteView data);

/// A signature over `data`: ECDSA as DER, RSA as PKCS#1 v1.5.
Bytes sign(Key const& key, EVP_MD const* algorithm, ByteView data);

} // namespace symbolon::virtual_card

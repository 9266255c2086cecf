#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

/// Owners for OpenSSL's objects, and the few conversions that every unit of this folder needs. Not for other folders.
namespace symbolon::card {

template <auto free_function>
struct FreeWith {
    template <class T>
    void operator()(T* object) const
    {
        free_function(object);
    }
};

using X509Owner = std::unique_ptr<X509, FreeWith<X509_free>>;
using CrlOwner = std::unique_ptr<X509_CRL, FreeWith<X509_CRL_free>>;
using KeyOwner = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using StoreOwner = std::unique_ptr<X509_STORE, FreeWith<X509_STORE_free>>;
using StoreContextOwner = std::unique_ptr<X509_STORE_CTX, FreeWith<X509_STORE_CTX_free>>;
using DigestContextOwner = std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>>;
using KeyContextOwner = std::unique_ptr<EVP_PKEY_CTX, FreeWith<EVP_PKEY_CTX_free>>;
using OcspRequestOwner = std::unique_ptr<OCSP_REQUEST, FreeWith<OCSP_REQUEST_free>>;
using OcspResponseOwner = std::unique_ptr<OCSP_RESPONSE, FreeWith<OCSP_RESPONSE_free>>;
using OcspBasicOwner = std::unique_ptr<OCSP_BASICRESP, FreeWith<OCSP_BASICRESP_free>>;
using CertificateIdOwner = std::unique_ptr<OCSP_CERTID, FreeWith<OCSP_CERTID_free>>;
/// A stack that doesn't own what is in it.
using CertificateStackOwner =
    std::unique_ptr<STACK_OF(X509), decltype([](STACK_OF(X509) * stack) { sk_X509_free(stack); })>;

/// Keeps what OpenSSL complains about, when others sent us something wrong, out of its queue of errors.
class ErrorsLeftAlone {
public:
    ErrorsLeftAlone();
    ErrorsLeftAlone(ErrorsLeftAlone const&) = delete;
    ErrorsLeftAlone& operator=(ErrorsLeftAlone const&) = delete;
    ~ErrorsLeftAlone();
};

/// DER of an object through one of OpenSSL's i2d functions. Empty: it could not be written.
template <class Object, class Encode>
Bytes der_of(Object* object, Encode encode)
{
    auto const size = encode(object, nullptr);
    if (size <= 0) return {};
    Bytes der(static_cast<std::size_t>(size));
    auto* out = der.data();
    if (encode(object, &out) != size) return {};
    return der;
}

/// UTCTime or GeneralizedTime. Nothing: it is neither.
std::optional<Instant> instant_from(ASN1_TIME const* time);

/// Dotted, as in "2.16.56.12.1.1.2.1".
std::string oid_text(ASN1_OBJECT const* object);

/// The bytes of the outermost DER value at the start, its header included, or nothing if it is cut off, has no definite
/// length, or what follows it isn't zeros.
std::optional<ByteView> der_value_before_zeros(ByteView padded);

/// Whether `signature` (PKCS#1 v1.5 for RSA, ECDSA-Sig-Value for EC) is that key's over `data`.
bool verifies(EVP_PKEY* key, EVP_MD const* digest, ByteView data, ByteView signature);

/// The same where the digest is at hand.
bool verifies_digest(EVP_PKEY* key, EVP_MD const* digest_kind, ByteView digest, ByteView signature);

} // namespace symbolon::card

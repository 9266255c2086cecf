#include "contract/signed_data.hpp"

#include "base/ensure.hpp"
#include "crypto/key.hpp"

#include <openssl/asn1t.h>
#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <memory>

// SET OF Attribute, in the order of DER: the form in which attributes are signed (RFC 5652 §5.4).
using SignedAttributes = STACK_OF(X509_ATTRIBUTE);
extern "C" {
ASN1_ITEM_TEMPLATE(SignedAttributes) = ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SET_ORDER, 0, SignedAttributes, X509_ATTRIBUTE)
    ASN1_ITEM_TEMPLATE_END(SignedAttributes)
}

namespace symbolon::contract {

namespace {

template <auto free>
struct Free {
    template <class T>
    void operator()(T* object) const
    {
        free(object);
    }
};
struct FreeAttributes {
    void operator()(SignedAttributes* all) const { sk_X509_ATTRIBUTE_pop_free(all, X509_ATTRIBUTE_free); }
};
struct FreeBytes {
    void operator()(unsigned char* bytes) const { OPENSSL_free(bytes); }
};
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Cms = std::unique_ptr<CMS_ContentInfo, Free<CMS_ContentInfo_free>>;
using Bio = std::unique_ptr<BIO, Free<BIO_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using Attributes = std::unique_ptr<SignedAttributes, FreeAttributes>;

/// What OpenSSL allocated, as our bytes. `size` below 0: it failed.
Bytes taken(unsigned char* out, int size)
{
    ENSURE(size >= 0);
    std::unique_ptr<unsigned char, FreeBytes> const owner{out};
    return {out, out + size};
}

Result<Certificate> parse_certificate(ByteView der)
{
    auto const* at = der.data();
    Certificate certificate{d2i_X509(nullptr, &at, static_cast<long>(der.size()))};
    ERR_clear_error();
    if (certificate == nullptr || at != der.data() + der.size() || X509_get0_pubkey(certificate.get()) == nullptr)
        return fail(Outcome::certificate_malformed);
    return certificate;
}

/// How the key of a card signs (reader-protocol.md, digest_algorithm).
struct Scheme {
    EVP_MD const* digest;
    crypto::HashAlgorithm algorithm;
};

Result<Scheme> scheme_of(X509 const& certificate)
{
    auto const* const key = X509_get0_pubkey(&certificate);
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) == 2048)
        return Scheme{EVP_sha256(), crypto::HashAlgorithm::sha256};
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && EVP_PKEY_get_bits(key) == 384)
        return Scheme{EVP_sha384(), crypto::HashAlgorithm::sha384};
    return fail(Outcome::certificate_key_unsupported);
}

Bytes digest_of(SignedRanges const& content, EVP_MD const* algorithm)
{
    DigestContext const context{EVP_MD_CTX_new()};
    Bytes value(static_cast<std::size_t>(EVP_MD_get_size(algorithm)));
    ENSURE(EVP_DigestInit_ex(context.get(), algorithm, nullptr) == 1);
    for (auto const part : {content.before, content.after})
        ENSURE(EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1);
    ENSURE(EVP_DigestFinal_ex(context.get(), value.data(), nullptr) == 1);
    return value;
}

/// A SignedData with one signer whose signature is still missing. OpenSSL wants the key that signs, compares its public
/// half with the certificate, and needs the private one only to sign: which is what the card does.
struct Draft {
    Cms cms;
    CMS_SignerInfo* signer; ///< of cms
};

Draft draft_for(X509& certificate, Scheme const& scheme, unsigned flags)
{
    Cms cms{CMS_sign(nullptr, nullptr, nullptr, nullptr, CMS_PARTIAL | CMS_DETACHED | CMS_BINARY)};
    ENSURE(cms != nullptr);
    auto* const signer = CMS_add1_signer(cms.get(), &certificate, X509_get0_pubkey(&certificate), scheme.digest,
                                         CMS_PARTIAL | CMS_NOSMIMECAP | CMS_BINARY | flags);
    ENSURE(signer != nullptr);
    return {std::move(cms), signer};
}

/// What the card gave, in the form of CMS: ECDSA as DER (RFC 5753 §7.2).
Result<Bytes> signature_in_cms_form(X509 const& certificate, ByteView signature)
{
    if (EVP_PKEY_get_base_id(X509_get0_pubkey(&certificate)) != EVP_PKEY_EC)
        return Bytes{signature.begin(), signature.end()};
    auto der = crypto::ecdsa_der_from_raw(signature, 48);
    if (!der) return fail(Outcome::contract_signature_invalid, "not r and s");
    return der;
}

/// Whether that certificate's key made the signature over a digest.
bool made_by(X509 const& certificate, Scheme const& scheme, ByteView digest, ByteView signature)
{
    KeyContext const context{EVP_PKEY_CTX_new(X509_get0_pubkey(&certificate), nullptr)};
    ENSURE(context != nullptr);
    ENSURE(EVP_PKEY_verify_init(context.get()) == 1);
    ENSURE(EVP_PKEY_CTX_set_signature_md(context.get(), scheme.digest) == 1);
    auto const verdict =
        EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest.data(), digest.size());
    ERR_clear_error();
    return verdict == 1;
}

bool made_by_authentication_key(ByteView authentication_certificate, ByteView digest, ByteView signature)
{
    auto const other = parse_certificate(authentication_certificate);
    if (!other) return false;
    auto const scheme = scheme_of(**other);
    if (!scheme) return false;
    auto const in_cms_form = signature_in_cms_form(**other, signature);
    return in_cms_form && made_by(**other, *scheme, digest, *in_cms_form);
}

/// Reads our own result as a stranger would.
bool verifies(CMS_ContentInfo& cms, SignedRanges const& content)
{
    Bytes whole{content.before.begin(), content.before.end()};
    append(whole, content.after);
    Bio const bio{BIO_new_mem_buf(whole.data(), static_cast<int>(whole.size()))};
    auto const verdict =
        CMS_verify(&cms, nullptr, nullptr, bio.get(), nullptr, CMS_BINARY | CMS_DETACHED | CMS_NO_SIGNER_CERT_VERIFY);
    ERR_clear_error();
    return verdict == 1;
}

} // namespace

std::vector<Bytes> split_certificates(ByteView chain)
{
    std::vector<Bytes> all;
    auto const* at = chain.data();
    auto const* const end = at + chain.size();
    while (at != end) {
        auto const* const begin = at;
        Certificate const certificate{d2i_X509(nullptr, &at, end - at)};
        if (certificate == nullptr) break;
        all.emplace_back(begin, at);
    }
    ERR_clear_error();
    return all;
}

Result<Bytes> make_signed_attributes(SignedRanges const& content, ByteView signer_certificate)
{
    auto const certificate = TRY(parse_certificate(signer_certificate));
    auto const scheme = TRY(scheme_of(*certificate));
    auto const draft = draft_for(*certificate, scheme, CMS_CADES); // adds signing-certificate-v2
    auto const digest = digest_of(content, scheme.digest);
    ENSURE(CMS_signed_add1_attr_by_NID(draft.signer, NID_pkcs9_contentType, V_ASN1_OBJECT, OBJ_nid2obj(NID_pkcs7_data),
                                       -1) == 1);
    ENSURE(CMS_signed_add1_attr_by_NID(draft.signer, NID_pkcs9_messageDigest, V_ASN1_OCTET_STRING, digest.data(),
                                       static_cast<int>(digest.size())) == 1);

    Attributes const attributes{sk_X509_ATTRIBUTE_new_null()};
    for (int i = 0; i < CMS_signed_get_attr_count(draft.signer); ++i)
        ENSURE(sk_X509_ATTRIBUTE_push(attributes.get(), X509_ATTRIBUTE_dup(CMS_signed_get_attr(draft.signer, i))) > 0);
    unsigned char* out = nullptr;
    auto const size =
        ASN1_item_i2d(reinterpret_cast<ASN1_VALUE const*>(attributes.get()), &out, ASN1_ITEM_rptr(SignedAttributes));
    return taken(out, size);
}

Result<SignatureDigest> digest_to_sign(ByteView signed_attributes, ByteView signer_certificate)
{
    auto const certificate = TRY(parse_certificate(signer_certificate));
    auto const scheme = TRY(scheme_of(*certificate));
    return SignatureDigest{scheme.algorithm, crypto::hash(scheme.algorithm, signed_attributes)};
}

Result<Bytes> make_signed_data(SignedRanges const& content, ByteView signed_attributes, Signer const& signer,
                               ByteView signature, ByteView authentication_certificate)
{
    auto const certificate = TRY(parse_certificate(signer.certificate));
    auto const scheme = TRY(scheme_of(*certificate));
    auto const digest = crypto::hash(scheme.algorithm, signed_attributes);
    auto const in_cms_form = TRY(signature_in_cms_form(*certificate, signature));
    if (!made_by(*certificate, scheme, digest, in_cms_form))
        return fail(made_by_authentication_key(authentication_certificate, digest, signature)
                        ? Outcome::contract_not_signed_by_signature_key
                        : Outcome::contract_signature_invalid);

    auto const draft = draft_for(*certificate, scheme, 0);
    auto const* at = signed_attributes.data();
    Attributes const attributes{reinterpret_cast<SignedAttributes*>(
        ASN1_item_d2i(nullptr, &at, static_cast<long>(signed_attributes.size()), ASN1_ITEM_rptr(SignedAttributes)))};
    ERR_clear_error();
    if (attributes == nullptr) return fail(Outcome::data_damaged, "signed attributes");
    for (int i = 0; i < sk_X509_ATTRIBUTE_num(attributes.get()); ++i)
        ENSURE(CMS_signed_add1_attr(draft.signer, sk_X509_ATTRIBUTE_value(attributes.get(), i)) == 1);
    for (auto const& der : signer.chain) {
        auto const link = TRY(parse_certificate(der));
        ENSURE(CMS_add1_cert(draft.cms.get(), link.get()) == 1);
    }
    ENSURE(ASN1_STRING_set(CMS_SignerInfo_get0_signature(draft.signer), in_cms_form.data(),
                           static_cast<int>(in_cms_form.size())) == 1);

    if (!verifies(*draft.cms, content)) return fail(Outcome::data_damaged, "contract and attributes are not of one");
    unsigned char* out = nullptr;
    auto const size = i2d_CMS_ContentInfo(draft.cms.get(), &out);
    return taken(out, size);
}

} // namespace symbolon::contract

#pragma once

#include "base/ensure.hpp"
#include "base/json.hpp"
#include "card/judgement.hpp"
#include "card/reading.hpp"
#include "card/web_eid.hpp"
#include "crypto/encoding.hpp"
#include "crypto/key.hpp"
#include "virtual_card/card.hpp"
#include "virtual_card/openssl.hpp"
#include "virtual_card/pki.hpp"

#include <memory>
#include <string>

/// For tests that need a card that was read, without a reader: they link virtual_card.
namespace symbolon::card {

/// What the keys of a virtual card sign `digest` with, as the card gives it: r‖s or PKCS#1 v1.5.
inline Bytes sign_digest_as_card(virtual_card::Key const& key, ByteView digest)
{
    virtual_card::KeyContext const context{EVP_PKEY_CTX_new(key.get(), nullptr)};
    auto const ec = EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_EC;
    ENSURE(EVP_PKEY_sign_init(context.get()) == 1);
    if (!ec) ENSURE(EVP_PKEY_CTX_set_rsa_padding(context.get(), 1) == 1); // PKCS#1 v1.5
    ENSURE(EVP_PKEY_CTX_set_signature_md(context.get(), ec ? EVP_sha384() : EVP_sha256()) == 1);
    std::size_t size = 512;
    Bytes signature(size);
    ENSURE(EVP_PKEY_sign(context.get(), signature.data(), &size, digest.data(), digest.size()) == 1);
    signature.resize(size);
    return ec ? crypto::ecdsa_raw_from_der(signature, 48).value() : signature;
}

/// The JSON text of what the Web eID extension gives for a card, for that question: RS256 or ES384.
inline std::string web_eid_token(virtual_card::Card const& card, WebEidQuestion const& question)
{
    auto const ec = EVP_PKEY_get_base_id(card.authentication_key.get()) == EVP_PKEY_EC;
    auto const algorithm =
        ec ? WebEidAlgorithm{WebEidScheme::ecdsa, 384} : WebEidAlgorithm{WebEidScheme::rsa_pkcs1, 256};
    auto const leaf = Certificate::parse(card.files.at(virtual_card::files::authentication_certificate)).value();
    return json::write(json::Object{{"unverifiedCertificate", crypto::base64(leaf.der())},
                                    {"algorithm", ec ? "ES384" : "RS256"},
                                    {"signature", crypto::base64(sign_digest_as_card(
                                                      card.authentication_key, web_eid_digest(question, algorithm)))},
                                    {"format", "web-eid:1.0"},
                                    {"appVersion", "https://web-eid.eu/web-eid-app/releases/2.7.0+0"}});
}

/// What symbolon-eid would have read from the card, for that challenge.
inline CardReading read_virtual_card(virtual_card::Card const& card, Challenge const& challenge)
{
    namespace files = virtual_card::files;
    auto const file = [&](virtual_card::FilePath path) {
        auto const found = card.files.find(path);
        return found == card.files.end() ? Bytes{} : found->second;
    };
    CardReading reading{
        .identity = file(files::identity),
        .identity_signature = file(files::identity_signature),
        .address = file(files::address),
        .address_signature = file(files::address_signature),
        .photo = file(files::photo),
        .card_data = card.card_data,
        .card_key = file(files::basic_key),
        .authentication_certificate = file(files::authentication_certificate),
        .signature_certificate = file(files::signature_certificate),
        .ca_certificate = file(files::ca_certificate),
        .root_certificate = file(files::root_certificate),
        .register_certificate = file(files::register_certificate),
    };
    if (card.basic_key) {
        reading.internal_authenticate = sign_digest_as_card(card.basic_key, challenge_for_card_key(challenge));
    } else if (card.authentication_key) {
        reading.authentication_signature =
            sign_digest_as_card(card.authentication_key, challenge_for_authentication_key(challenge));
    }
    return reading;
}

/// The anchors of a virtual PKI, with its own host as the one that may be asked.
inline Anchors anchors_of(virtual_card::Pki const& pki)
{
    Anchors anchors;
    anchors.roots.push_back(make_anchor(pki.root_ec().certificate, "2.16.56.13.6", true).value());
    anchors.roots.push_back(make_anchor(pki.root_rsa().certificate, "2.16.56.12.1.1", true).value());
    anchors.revocation_hosts.push_back(pki.base_url.substr(pki.base_url.find("://") + 3));
    anchors.accept_test_pki = true;
    return anchors;
}

/// The virtual PKI's responder without a network: every answer is there at once.
class VirtualFetcher final : public RevocationFetcher {
public:
    VirtualFetcher(virtual_card::Pki const& pki, Instant now) : pki_{pki}, now_{now} {}

    Flow<Bytes> post_ocsp(std::string url, Bytes request) override
    {
        ++questions;
        co_return co_await answered(virtual_card::answer_url(pki_, pki_.standings, "POST", url, request, now_));
    }

    Flow<Bytes> get_crl(std::string url) override
    {
        ++lists;
        co_return co_await answered(virtual_card::answer_url(pki_, pki_.standings, "GET", url, {}, now_));
    }

    Flow<Bytes> get_certificate(std::string url) override
    {
        ++certificates;
        if (publishes_roots) co_return Bytes{pki_.root_ec().certificate};
        co_return co_await answered(virtual_card::answer_url(pki_, pki_.standings, "GET", url, {}, now_));
    }

    int questions = 0;
    int lists = 0;
    int certificates = 0;
    bool publishes_roots = false; ///< where a leaf says that its CA is, the root is

private:
    static Result<Bytes> answered(virtual_card::PkiAnswer answer)
    {
        if (answer.status != 200) return fail(Outcome::revocation_unreachable, "HTTP " + std::to_string(answer.status));
        return std::move(answer.body);
    }

    virtual_card::Pki const& pki_;
    Instant now_;
};

} // namespace symbolon::card

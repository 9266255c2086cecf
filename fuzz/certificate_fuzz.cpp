// links: card
#include "card/certificate.hpp"
#include "card/certificate_path.hpp"
#include "card/genuineness.hpp"
#include "card/register_signatures.hpp"
#include "card/revocation.hpp"

#include <array>
#include <cstdlib>

using namespace symbolon;
using namespace symbolon::card;

/// Certificates, chains and answers about revocation from somebody who made them. The input is pieces of two length
/// bytes and content: leaf, CA, root, Register, OCSP answer, CRL, and a signature.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    ByteView rest{data, size};
    auto const piece = [&] {
        if (rest.size() < 2) return std::exchange(rest, {});
        auto const length = std::min<std::size_t>(rest[0] * 256U + rest[1], rest.size() - 2);
        auto const content = rest.subspan(2, length);
        rest = rest.subspan(2 + length);
        return content;
    };
    auto const leaf_file = piece();
    auto const issuer_file = piece();
    auto const root_file = piece();
    auto const register_file = piece();
    auto const ocsp = piece();
    auto const crl = piece();
    auto const signature = piece();

    constexpr auto noon = Instant{Seconds{1'772'366'400}};
    auto const leaf = Certificate::parse(leaf_file);
    auto const issuer = Certificate::parse(issuer_file);
    if (leaf) {
        // What was accepted is accepted again from its own bytes, and is the same.
        auto const again = Certificate::parse(leaf->der());
        if (!again || !(*again == *leaf) || leaf->der().size() > max_certificate_bytes) std::abort();
        for (auto const& url : leaf->ocsp_urls()) (void)host_is_allowed(url, {"127.0.0.1:8406"});
        (void)leaf->serial_hex();
        (void)leaf->path_length();
        (void)leaf->public_key_info();
        (void)verify_contract_signature(
            *leaf, *leaf, ByteView{signature}.first(std::min<std::size_t>(signature.size(), 48)), signature);
        (void)check_authentication_answer(*leaf, {}, signature);
    }
    (void)check_card_key_answer(ByteView{signature}.first(std::min<std::size_t>(signature.size(), 120)), {}, signature);
    if (!leaf || !issuer) return 0;

    (void)judge_crl(crl, *leaf, *issuer, noon);
    static std::array<Byte, 4> const nonce{1, 2, 3, 4};
    (void)judge_ocsp_response(ocsp, make_ocsp_request(*leaf, *issuer, nonce), *leaf, *issuer, noon);

    auto anchor = make_anchor(root_file, "2.16.56.13.6", true);
    if (!anchor) return 0;
    Anchors anchors;
    anchors.roots.push_back(*anchor);
    anchors.accept_test_pki = true;
    auto const path = check_leaf_path(*leaf, LeafRole::authentication, *issuer, anchors, noon);
    if (path && (path->leaf.is_ca() || !path->issuer.is_ca() || path->leaf.not_after() < noon)) std::abort();
    anchors.accept_test_pki = false;
    if (check_leaf_path(*leaf, LeafRole::authentication, *issuer, anchors, noon)) std::abort();
    if (auto const national_register = Certificate::parse(register_file)) {
        (void)check_register_path(*national_register, *anchor, anchors, noon, noon);
        CardReading reading;
        reading.identity.assign(signature.begin(), signature.end());
        reading.identity_signature.assign(crl.begin(), crl.end());
        (void)check_register_signatures(reading, *national_register, Sha1::accepted);
    }
    return 0;
}

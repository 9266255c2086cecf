// links: card
#include "base/json.hpp"
#include "card/web_eid.hpp"
#include "crypto/encoding.hpp"

#include <cstdlib>

using namespace symbolon;
using namespace symbolon::card;

namespace {

/// Nobody answers: a token that gets so far was signed by the key of its own certificate.
class Silence final : public RevocationFetcher {
public:
    Flow<Bytes> post_ocsp(std::string, Bytes) override { co_return fail(Outcome::revocation_unreachable); }
    Flow<Bytes> get_crl(std::string) override { co_return fail(Outcome::revocation_unreachable); }
    Flow<Bytes> get_certificate(std::string) override { co_return fail(Outcome::revocation_unreachable); }
};

} // namespace

/// A Web eID token from a browser: nothing that arrives is accepted where nobody vouches for it, nothing breaks us.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    std::string const text{reinterpret_cast<char const*>(data), size};
    WebEidQuestion const question{.origin = "https://id.example",
                                  .nonce = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="};
    auto const token = parse_web_eid_token(text);
    if (token) {
        if (size < min_web_eid_token_characters || size > max_web_eid_token_characters) std::abort();
        if (token->certificate.empty() || token->signature.empty()) std::abort();
        // What was read is in the text, in its one base64 form.
        auto const object = json::parse_object(text).value();
        if (crypto::base64(token->signature) != std::string_view{object.at("signature").as_string()}) std::abort();
        if (auto const certificate = Certificate::parse(token->certificate)) {
            auto const good = check_web_eid_signature(*token, *certificate, question);
            if (good && certificate->key_type() != KeyType::p384 && certificate->key_type() != KeyType::rsa_2048)
                std::abort();
        }
    }

    Silence silence;
    CrlCache lists;
    KnownIssuers issuers;
    Anchors anchors;
    anchors.revocation_hosts = {"127.0.0.1:8406"};
    auto const judged =
        run_now(judge_web_eid(text, question, {anchors, silence, lists}, issuers, {}, Instant{Seconds{1'772'366'400}}));
    if (judged) std::abort();
    return 0;
}

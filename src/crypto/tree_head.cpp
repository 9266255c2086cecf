#include "crypto/tree_head.hpp"

#include "crypto/encoding.hpp"

#include <array>

namespace symbolon::crypto {

namespace {

constexpr std::string_view head_type = "symbolon-log-head+jws";

Result<TreeHead> head_in(std::string_view payload)
{
    auto const object = TRY(json::parse_object(payload));
    return TreeHead{.size = TRY(json::integer(object, "size")),
                    .root = TRY(from_base64url(TRY(json::text(object, "root")))),
                    .at = instant_of(TRY(json::integer(object, "at")))};
}

} // namespace

std::string sign_head(TreeHead const& head, SigningKey const& key)
{
    return sign_jws(key,
                    json::write(json::Object{
                        {"v", 1}, {"size", head.size}, {"root", base64url(head.root)}, {"at", numeric_date(head.at)}}),
                    head_type);
}

Result<TreeHead> verify_head(std::string_view head, PublicKey const& key)
{
    std::array const keys{VerificationKey{.key_id = {}, .algorithm = {}, .key = key}};
    constexpr std::array allowed{SignatureAlgorithm::es256};
    auto const jws = TRY(verify_jws(head, keys, allowed));
    if (json::text(jws.header, "typ").value_or("") != head_type) return fail(Outcome::jws_malformed, "typ");
    auto said = head_in(jws.payload);
    if (!said || said->size < 0) return fail(Outcome::jws_malformed, "no head");
    return said;
}

} // namespace symbolon::crypto

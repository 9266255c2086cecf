#include "oidc/subject.hpp"

#include "base/http.hpp"
#include "crypto/hash.hpp"

namespace symbolon::oidc {

namespace {

constexpr std::size_t subject_length = 36;
constexpr std::string_view digits = "0123456789abcdefghijklmnopqrstuvwxyz";

/// The last `subject_length` digits in base 36 of a number of 32 bytes: 186 of its 256 bits.
std::string in_base_36(Bytes number)
{
    std::string text(subject_length, '0');
    for (auto place = text.rbegin(); place != text.rend(); ++place) {
        unsigned remainder = 0;
        for (auto& byte : number) {
            auto const value = remainder * 256 + byte;
            byte = static_cast<Byte>(value / 36);
            remainder = value % 36;
        }
        *place = digits[remainder];
    }
    return text;
}

} // namespace

std::string sector_of(partner::Client const& client)
{
    if (!client.sector_identifier.empty()) return client.sector_identifier;
    if (!client.redirect_uris.empty())
        if (auto const url = http::parse_url(client.redirect_uris.front())) return url->host;
    return client.id.text();
}

std::string subject_of(AccountId const& account, partner::Client const& client, Provider const& provider)
{
    auto const sector = sector_of(client);
    // The length goes before the sector, so that no two pairs have one text.
    auto const pair = "sub " + std::to_string(sector.size()) + ' ' + sector + ' ' + account.text();
    return in_base_36(crypto::hmac_sha256(provider.pairwise_secret(), bytes_of(pair)));
}

} // namespace symbolon::oidc

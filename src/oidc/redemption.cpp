#include "oidc/redemption.hpp"

#include "consent/consent.hpp"
#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"

#include <algorithm>

namespace symbolon::oidc {

namespace {

using grant::Grant;

/// RFC 7636 §4.1: 43 to 128 signs of ALPHA / DIGIT / "-" / "." / "_" / "~".
bool is_verifier(std::string_view text)
{
    constexpr std::size_t shortest = 43;
    constexpr std::size_t longest = 128;
    return text.size() >= shortest && text.size() <= longest && std::ranges::all_of(text, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                      c == '.' || c == '_' || c == '~';
           });
}

/// RFC 6749, 4.1.2: "If an authorization code is used more than once, the authorization server MUST deny the request
/// and SHOULD revoke (when possible) all tokens previously issued based on that authorization code."
Flow<void> take_back(Bytes code_hash, ports::Services services)
{
    // Somebody may change the grant between our look and our save; there are few changes that it can still see.
    constexpr int looks = 4;
    for (int look = 0; look < looks; ++look) {
        auto const stored = co_await services.grants.find_by_code(code_hash);
        if (!stored || stored->value.state == Grant::State::revoked) co_return {};
        auto revoked = stored->value;
        revoked.state = Grant::State::revoked;
        auto const saved = co_await outcome_of(services.grants.save(changed(*stored, revoked)));
        if (saved) {
            services.log.event("tokens_taken_back", {{"client", revoked.client.text()}});
            co_return {};
        }
        if (saved.error().outcome != Outcome::conflict) co_return std::unexpected{saved.error()};
    }
    co_return fail(Outcome::conflict);
}

/// Deactivation takes effect on what is under way too (E8), and a blocked holder proves nothing until unblocked.
Result<void> check_account(std::optional<ports::Stored<account::Account>> const& account)
{
    if (!account) return fail(Outcome::code_unknown, "its account is gone");
    if (account->value.state == account::State::active) return {};
    return fail(Outcome::code_unknown, "its account is no longer active");
}

/// Gives whether `once`, where there is any, was used for the first time.
Flow<bool> saved_once(ports::Stored<Grant> grant, std::optional<ports::Once> once, ports::Services services)
{
    if (once) co_return co_await services.grants.save(std::move(grant), *std::move(once));
    co_await services.grants.save(std::move(grant));
    co_return true;
}

/// The redemption itself; a second use leaves what the first one gave. Fails as redeem_code.
Flow<Redeemed> redeem(CodeRedemption request, AuthenticatedClient client, Provider const& provider,
                      ports::Services services)
{
    auto const now = services.clock.now();
    auto const stored = co_await services.grants.find_by_code(crypto::sha256(request.code.reveal()));
    if (!stored) co_return fail(Outcome::code_unknown);

    // "If possible, verify that the Authorization Code has not been previously used." Only the code's own client is
    // believed in this.
    if (stored->value.client == client.get().id && stored->value.state != Grant::State::issued)
        co_return fail(Outcome::code_used);
    auto grant = co_await check_redemption(stored->value, request, client.get(), now);
    auto account = co_await services.accounts.find(grant.account);
    co_await check_account(account);
    if (!co_await is_consented(grant, services)) co_return fail(Outcome::code_unknown, "its consent was taken back");

    auto access_token = services.random.token();
    grant.state = Grant::State::redeemed;
    grant.access_token_hash = crypto::sha256(access_token.reveal());
    grant.access_token_expires_at = now + provider.limits().access_token_lifetime;

    // Requests may race: the store decides who is first, in one statement. Whoever is second has used the code twice.
    auto const saved = co_await outcome_of(saved_once(changed(*stored, grant), client.once(), services));
    if (!saved && saved.error().outcome == Outcome::conflict) co_return fail(Outcome::code_used);
    if (!co_await saved) co_return fail(Outcome::client_assertion_replayed);
    co_return Redeemed{.grant = std::move(grant), .account = std::move(account->value), .access_token = access_token};
}

} // namespace

Flow<bool> is_consented(Grant grant, ports::Services services)
{
    if (grant.id_token_claims.empty() && grant.userinfo_claims.empty()) co_return true;
    auto const consent = co_await services.consents.find(grant.account, grant.client);
    co_return !consent || !consent::is_withdrawn(consent->value);
}

bool answers_challenge(std::string_view code_verifier, std::string_view code_challenge)
{
    if (code_challenge.empty()) return code_verifier.empty();
    // 4.6: BASE64URL-ENCODE(SHA256(ASCII(code_verifier))) == code_challenge
    return is_verifier(code_verifier) &&
           equal_in_constant_time(bytes_of(crypto::base64url(crypto::sha256(code_verifier))), bytes_of(code_challenge));
}

// OpenID Connect Core 1.0, 3.1.3.2 Token Request Validation.
Result<Grant> check_redemption(Grant grant, CodeRedemption const& request, partner::Client const& client, Instant now)
{
    // "Ensure the Authorization Code was issued to the authenticated Client."
    if (grant.client != client.id) return fail(Outcome::code_of_other_client);

    // "Verify that the Authorization Code is valid."
    if (now >= grant.expires_at) return fail(Outcome::code_expired);

    // "Ensure that the redirect_uri parameter value is identical to the redirect_uri parameter value that was included
    // in the initial Authorization Request."
    if (grant.redirect_uri != request.redirect_uri) return fail(Outcome::code_redirect_uri_mismatch);

    // RFC 7636, 4.6: the verifier must answer the challenge of the authorization request.
    if (!answers_challenge(request.code_verifier, grant.code_challenge)) return fail(Outcome::verifier_mismatch);

    return grant;
}

Flow<Redeemed> redeem_code(CodeRedemption request, AuthenticatedClient client, Provider const& provider,
                           ports::Services services)
{
    auto const code_hash = crypto::sha256(request.code.reveal());
    auto redeemed = co_await outcome_of(redeem(std::move(request), client, provider, services));
    if (redeemed || redeemed.error().outcome == Outcome::client_assertion_replayed) co_return redeemed;

    // What is refused has used up the assertion too, and who repeats one learns and changes nothing.
    co_await use_assertion(std::move(client), services);
    if (redeemed.error().outcome == Outcome::code_used) co_await take_back(code_hash, services);
    co_return redeemed;
}

} // namespace symbolon::oidc

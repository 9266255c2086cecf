#include "bank/check.hpp"

#include "base/text.hpp"

namespace symbolon::bank {

namespace {

/// Why an answer can't be read as JSON; empty: it can.
std::string wrong_with(Result<Answer> const& answer)
{
    if (!answer) return "no answer: " + answer.error().detail;
    if (answer->status != 200) return "status " + std::to_string(answer->status);
    if (!is_json(*answer)) return "Content-Type is \"" + answer->content_type + "\", not JSON";
    return {};
}

/// What a bank writes, on an operator's screen.
std::string readable(std::string_view text) { return displayable(text, 300).value_or("(no readable text)"); }

} // namespace

Flow<std::vector<Finding>> check_connection(Registration bank, Settings const& settings, Means means)
{
    std::vector<Finding> findings;
    auto const add = [&](std::string what, std::string wrong = {}) {
        findings.push_back({std::move(what), std::move(wrong)});
    };

    auto const url = metadata_url(bank.issuer);
    auto const discovered = co_await outcome_of(means.fetcher.get(url));
    auto wrong = wrong_with(discovered);
    add("discovery: " + url, wrong);
    if (!wrong.empty()) co_return findings;
    for (auto& finding : examine_metadata(discovered->body, bank.issuer))
        add("metadata: " + finding.what, readable(finding.wrong));
    auto const metadata = parse_metadata(discovered->body, bank.issuer);
    if (!metadata) co_return findings;

    auto const published = co_await outcome_of(means.fetcher.get(metadata->jwks_uri));
    wrong = wrong_with(published);
    add("keys: " + metadata->jwks_uri, wrong);
    if (wrong.empty()) {
        auto const keys = keys_in(*published);
        add("keys: " + (keys ? std::to_string(keys->size()) + " to verify signatures with" : "a JWK Set"),
            !keys           ? keys.error().detail
            : keys->empty() ? "none that we can use (RSA, P-256, P-384, Ed25519; use, alg and key_ops for signatures)"
                            : "");
    }

    ports::BankVisit const visit{.bank = bank.terms.id,
                                 .state = means.random.token().reveal(),
                                 .nonce = means.random.token().reveal(),
                                 .verifier = means.random.token().reveal()};
    auto const pushed = co_await outcome_of(
        means.fetcher.post(metadata->pushed_authorization_request_endpoint,
                           pushed_request(visit, Language::en, bank, settings, means.clock.now(), means.random)));
    std::string why;
    if (!pushed) {
        why = "no answer: " + pushed.error().detail;
    } else if (auto const uri = request_uri_in(*pushed); !uri) {
        why = uri.error().detail;
        auto const object = json::parse_object(pushed->body).value_or(json::Object{});
        if (auto const said = json::text(object, "error_description")) why += " (" + readable(*said) + ')';
    }
    add("pushed request as \"" + bank.client_id + "\" with our key and " + settings.redirect_uri, why);
    co_return findings;
}

} // namespace symbolon::bank

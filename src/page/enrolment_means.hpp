#pragma once

#include "account/account.hpp"
#include "base/http.hpp"
#include "base/json.hpp"
#include "base/limits.hpp"
#include "base/secret.hpp"
#include "base/texts.hpp"
#include "card/judgement.hpp"
#include "card/web_eid.hpp"
#include "contract/contract.hpp"
#include "enrolment/enrolment.hpp"
#include "page/person_check.hpp"
#include "ports/services.hpp"

#include <functional>
#include <memory>
#include <string>

namespace symbolon::page {

class Papers;

/// What the enrolment page and the reader program's API are made of. Lives as long as the routes.
struct EnrolmentMeans {
    std::string id_url;      ///< origin of these routes: "https://id.example", without a slash at the end
    std::string phone_url;   ///< origin of the phone app
    std::string reader_page; ///< a page that plays the reader beside a virtual card; empty: none
    std::string operator_name;
    bool is_test_system = false; ///< virtual cards are accepted: every page says so
    SecretBytes
        key; ///< 32 bytes: links and identification tokens are derived from it, so that a reload shows them again
    SecretBytes counter_key; ///< 32 bytes: addresses in counters are HMACs under it
    PersonCheck person_check;
    contract::Fonts fonts;
    card::JudgementMeans cards;
    Limits limits;
    Texts const& texts;
    std::shared_ptr<card::KnownIssuers> issuers = std::make_shared<card::KnownIssuers>(); ///< for Web eID tokens
    std::vector<std::string> calling_codes = {}; ///< of the numbers that may enrol; empty: all that are known
    Papers* papers = nullptr;                    ///< in the simulation alone: what takes the place of certificates
};

inline constexpr std::string_view enrolment_cookie = "__Host-symbolon-enrolment";

using StoredEnrolment = ports::Stored<enrolment::Enrolment>;

/// Finds an enrolment, applies `step` and stores what it gives; when somebody else was faster, once more with what they
/// left. The page is told. Fails: enrolment_unknown, the failures of `step`, conflict (again and again).
Flow<StoredEnrolment> update(EnrolmentId id, std::function<Result<enrolment::Enrolment>(enrolment::Enrolment)> step,
                             ports::Services services);

/// The enrolment that the browser's cookie names. Fails: enrolment_unknown, enrolment_expired.
Flow<StoredEnrolment> enrolment_of(http::Request request, ports::Services services);

/// One address can't do without end what `counted` names. Fails: too_many_requests, with the time of the next try.
Flow<void> check_rate(http::Request request, std::string counted, EnrolmentMeans const& means,
                      ports::Services services);

/// Our origin as the card's holder's programs know it: default ports are left out (RFC 6454 §6.2).
std::string origin_of(EnrolmentMeans const& means);

/// The ticket of an enrolment's link, 43 signs: the n-th one, whenever it is asked for.
SecretText reader_ticket(EnrolmentMeans const& means, EnrolmentId const& id, int generation);

/// The n-th identification token of an enrolment, whenever it is asked for.
SecretText identification_token(EnrolmentMeans const& means, EnrolmentId const& id, int generation);

/// The enrolment with its next link for the reader program; in the step card with a new symbol. Fails as
/// enrolment::give_link.
Result<enrolment::Enrolment> with_new_link(enrolment::Enrolment enrolment, EnrolmentMeans const& means, Instant now,
                                           crypto::Random& random);

/// The enrolment with its next identification token. Fails as enrolment::give_token.
Result<enrolment::Enrolment> with_new_token(enrolment::Enrolment enrolment, EnrolmentMeans const& means, Instant now);

/// What the contract of an enrolment says. The enrolment has a person.
contract::ContractData contract_data(enrolment::Enrolment const& enrolment, EnrolmentMeans const& means, Instant at);

/// The card that is to sign the contract of an enrolment.
contract::Signer signer_of(enrolment::Enrolment const& enrolment);

/// The language in which a request wants to be answered: `?lang`, then Accept-Language.
Language language_of(http::Request const& request, Language otherwise);

/// The body of a request: a JSON object with these members and no others; nothing at all is an empty object.
/// Fails: content_type_unsupported, json_malformed, request_malformed (another member).
Result<json::Object> json_body(http::Request const& request, std::initializer_list<std::string_view> members);

} // namespace symbolon::page

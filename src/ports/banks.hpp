#pragma once

#include "base/flow.hpp"
#include "base/language.hpp"
#include "enrolment/bank.hpp"

#include <optional>
#include <string>
#include <vector>

namespace symbolon::ports {

/// One visit at a bank, from the moment the holder leaves for it until the bank sends them back. What the enrolment
/// keeps of it.
struct BankVisit {
    std::string bank;
    std::string state;    ///< 256 random bits, base64url; the enrolment keeps its SHA-256
    std::string nonce;    ///< that the ID token must carry
    std::string verifier; ///< RFC 7636 §4.1
};

/// What the bank's redirect brought (RFC 6749 §4.1.2, RFC 9207): the parameters as they came, each at most once.
struct BankReturn {
    std::string state;
    std::string code;  ///< empty where there is an error
    std::string error; ///< RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6
    std::string issuer;
};

/// A bank as the choice shows it (B4).
struct BankStanding {
    enrolment::BankTerms terms;
    std::optional<Instant> down_until; ///< it did not answer lately; asked again from then on
};

/// The banks of the configuration (src/bank).
class Banks {
public:
    virtual ~Banks() = default;

    /// In the order of the configuration. Asks nobody.
    virtual std::vector<BankStanding> list() = 0;

    /// What the banks know us by, as it is to be published now: a JWK Set (RFC 7517 §5).
    virtual std::string public_keys() = 0;

    /// Where the holder's browser goes: the bank's authorization endpoint with a pushed request (RFC 9126).
    /// Fails: bank_unknown, bank_unreachable (open_at: when it is asked again).
    virtual Flow<std::string> begin(BankVisit visit, Language language) = 0;

    /// What the bank says of the person, for that visit alone. Fails: bank_unknown; bank_cancelled and bank_refused
    /// (the bank's error); bank_answer_invalid (another issuer, code, client, nonce or key, or too late);
    /// bank_unreachable.
    virtual Flow<enrolment::BankAnswer> redeem(BankVisit visit, BankReturn back) = 0;
};

} // namespace symbolon::ports

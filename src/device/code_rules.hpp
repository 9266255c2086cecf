#pragma once

#include "account/phone_number.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

#include <string>
#include <string_view>
#include <vector>

/// Which codes are too easy to guess (docs/device-protocol.md §4, journey A6). The server makes the lists, the phone
/// judges: the server never sees a code.
namespace symbolon::device {

struct CodeRules {
    std::vector<std::string> birth_date; ///< five digits each
    std::vector<std::string> number;
    std::vector<std::string> common;
};

/// The rules for one holder. `birth_date` in ISO 8601, perhaps without day or month.
CodeRules code_rules(std::string_view birth_date, account::PhoneNumber const& number);

/// Fails: code_malformed (not five digits), code_trivial (the detail is the reason: repeat, run, birth_date, number,
/// common).
Result<void> check_code(SecretText const& code, CodeRules const& rules);

json::Object write(CodeRules const& rules);
Result<CodeRules> parse_code_rules(json::Object const& object); ///< Fails with json_malformed.

} // namespace symbolon::device

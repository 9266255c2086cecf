#pragma once

#include "account/phone_number.hpp"
#include "base/language.hpp"
#include "base/result.hpp"

#include <functional>
#include <optional>
#include <string>

namespace symbolon::ports {

/// What is said where a visit at a bank ends in a browser that did not leave for it: with a code, or with a failure.
struct BankEnd {
    Language language = Language::fr;
    account::PhoneNumber number; ///< that is being enrolled; with a code
    std::string code;            ///< six digits, to be typed in the app
    std::optional<Failure> failure;
};

/// Draws that page: a whole HTML document (src/page/bank_end_page).
using BankEndPage = std::function<std::string(BankEnd const&)>;

} // namespace symbolon::ports

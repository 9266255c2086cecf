#pragma once

#include "ports/banks.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

/// Banks without a network.
namespace symbolon::device::testing {

class FakeBanks final : public ports::Banks {
public:
    FakeBanks();

    std::vector<ports::BankStanding> standing; ///< kbc, ing
    Result<enrolment::BankAnswer> answer;      ///< what the next visits come to; of "Jan Janssens" at first
    std::optional<Failure> down;               ///< begin fails so
    std::function<void()> while_asked = [] {}; ///< what happens between a bank's question and its answer
    std::vector<ports::BankVisit> begun;       ///< newest last
    std::vector<ports::BankVisit> redeemed;    ///<
    std::vector<ports::BankReturn> brought;    ///< with them

    std::vector<ports::BankStanding> list() override { return standing; }
    std::string public_keys() override { return R"({"keys":[]})"; }
    Flow<std::string> begin(ports::BankVisit visit, Language language) override;
    Flow<enrolment::BankAnswer> redeem(ports::BankVisit visit, ports::BankReturn back) override;
};

/// What a bank says of a person of age whose card it read lately.
enrolment::BankAnswer good_answer(std::string national_number = "85073003328");

} // namespace symbolon::device::testing

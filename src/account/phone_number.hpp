#pragma once

#include <compare>
#include <string>
#include <utility>

namespace symbolon::account {

/// A mobile number in the form of ITU-T E.164: "+" and up to 15 digits. Made by enrolment::parse_phone_number alone, or
/// read back from our own store. Personal data: never in logs, URLs or error texts.
class PhoneNumber {
public:
    PhoneNumber() = default;
    explicit PhoneNumber(std::string e164) : e164_{std::move(e164)} {}

    [[nodiscard]] std::string const& e164() const { return e164_; }
    [[nodiscard]] bool empty() const { return e164_.empty(); }

    friend bool operator==(PhoneNumber const&, PhoneNumber const&) = default;
    friend auto operator<=>(PhoneNumber const&, PhoneNumber const&) = default;

private:
    std::string e164_;
};

} // namespace symbolon::account

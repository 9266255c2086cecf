#pragma once

#include <compare>
#include <functional>
#include <string>
#include <utility>

namespace symbolon {

/// A name that cannot be mixed up with another kind's. `Kind` is an empty struct.
///
/// The text is opaque: base64url of random or time-ordered bytes (crypto/random.hpp), or a name that an operator chose.
template <class Kind>
class Id {
public:
    Id() = default;
    explicit Id(std::string text) : text_{std::move(text)} {}

    [[nodiscard]] std::string const& text() const { return text_; }
    [[nodiscard]] bool empty() const { return text_.empty(); }

    friend bool operator==(Id const&, Id const&) = default;
    friend auto operator<=>(Id const&, Id const&) = default;

private:
    std::string text_;
};

using AccountId = Id<struct AccountKind>;
using DeviceId = Id<struct DeviceKind>; ///< RFC 7638 thumbprint of the device key
using EnrolmentId = Id<struct EnrolmentKind>;
using ActionId = Id<struct ActionKind>;
using SignInId = Id<struct SignInKind>;
using GrantId = Id<struct GrantKind>;
using PartnerId = Id<struct PartnerKind>;
using ClientId = Id<struct ClientKind>; ///< RFC 6749 §2.2
using ContractId = Id<struct ContractKind>;

} // namespace symbolon

template <class Kind>
struct std::hash<symbolon::Id<Kind>> {
    std::size_t operator()(symbolon::Id<Kind> const& id) const noexcept { return std::hash<std::string>{}(id.text()); }
};

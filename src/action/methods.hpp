#pragma once

#include <cstdint>

/// What a holder must show for what: the code, the fingerprint, or both.
namespace symbolon::action {

/// What is to be approved, or changed.
enum class Matter : std::uint8_t {
    log_in,
    share_data,
    change_phone_number,
    replace_device,
    sign_contract,
    change_code,
    turn_on_passkey,
    first_payment_to_account,
    payment,
    deactivate_account,
    export_data,
};

/// How a holder approved, beside the device key that signs everything.
enum class Method : std::uint8_t {
    code,    ///< the five digits, judged by the vault
    passkey, ///< WebAuthn with user verification: the fingerprint, the face, or the lock of the screen
};

enum class Needs : std::uint8_t { either, code, both };

/// A phone's user verification may be the lock of its screen, which others may know. So what gives the account away, or
/// can't be undone, needs the code; what ends it or takes everything out of it needs both, where a passkey is there.
constexpr Needs needs_of(Matter matter)
{
    switch (matter) {
    case Matter::log_in:
    case Matter::share_data:
    case Matter::payment: return Needs::either;
    case Matter::change_phone_number:
    case Matter::replace_device:
    case Matter::sign_contract:
    case Matter::change_code:
    case Matter::turn_on_passkey:
    case Matter::first_payment_to_account: return Needs::code;
    case Matter::deactivate_account:
    case Matter::export_data: return Needs::both;
    }
    return Needs::both;
}

/// Whether one method alone may approve the matter.
constexpr bool is_enough(Method method, Matter matter)
{
    auto const needs = needs_of(matter);
    return needs == Needs::either || (needs == Needs::code && method == Method::code);
}

static_assert(is_enough(Method::passkey, Matter::log_in), "a fingerprint logs in");
static_assert(!is_enough(Method::passkey, Matter::turn_on_passkey), "no fingerprint makes another one");
static_assert(!is_enough(Method::passkey, Matter::change_code), "who unlocks the screen doesn't get the code");
static_assert(!is_enough(Method::passkey, Matter::replace_device) &&
              !is_enough(Method::passkey, Matter::sign_contract));
static_assert(!is_enough(Method::code, Matter::export_data), "not with the code alone, where a passkey is there");

} // namespace symbolon::action

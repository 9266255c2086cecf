#pragma once

#include "device/phone.hpp"
#include "device/settings.hpp"
#include "oidc/provider.hpp"
#include "page/sign_in.hpp"
#include "push/message.hpp"
#include "store/memory/memory_engine.hpp"
#include "store/store.hpp"
#include "vault/keys.hpp"

#include <vector>

namespace symbolon::sim {

/// What every World of sign-ins begins with: partners, and holders who enrolled long ago. Made once in a program.
struct Beginning {
    struct Holder {
        AccountId account;
        std::string typed_number; ///< without the calling code
        device::PhoneState phone;
        Bytes code_key;                   ///< sealed to the vault, with its signature over code_nonce
        device::PhonePasskey fingerprint; ///< known to the server in `engine_with_fingerprints`
    };

    Beginning();

    [[nodiscard]] std::string basic_authorization() const; ///< of `with_secret`
    /// A client assertion of `with_key` (RFC 7523).
    [[nodiscard]] std::string assertion(std::string id, Instant now) const;

    store::Keys keys;
    store::MemoryEngine engine;                   ///< to be copied
    store::MemoryEngine engine_with_fingerprints; ///< the same, and every holder has one
    vault::Keys vault_keys;
    oidc::Provider provider;
    Texts texts;
    device::SharedSettings settings;
    page::SignInPages pages;
    std::vector<partner::Client> clients;
    ClientId with_secret{"shop"};
    ClientId with_key{"bank"};
    push::Settings push;
    account::PushSubscription nobodys_subscription;
    std::vector<Holder> holders;
    device::PhoneState strangers_phone; ///< whose device the server does not know
    Bytes code_nonce = Bytes(32, 9);
    SecretText right_code{"38214"};
    SecretText wrong_code{"48213"};

private:
    void add_clients();
    void add_holder(std::string const& id, std::string const& number, std::string const& national_number);
    void add_fingerprints();

    crypto::PrivateKey clients_key_;
};

Beginning const& beginning();

} // namespace symbolon::sim

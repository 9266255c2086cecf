#pragma once

#include "ports/services.hpp"
#include "vault/protocol.hpp"

namespace symbolon::device {

/// The vault's verbs as requests of its protocol (docs/vault.md), however they reach it.
class VaultRequests : public ports::Vault {
public:
    Flow<Bytes> public_key() override;
    Flow<void> register_code(AccountId account, DeviceId device, int code_version, Bytes nonce,
                             Bytes sealed_code_key) override;
    /// Fails besides with configuration_invalid: there is no key for permits.
    Flow<void> replace_code(AccountId account, DeviceId device, int code_version, Bytes nonce, Bytes sealed_code_key,
                            std::string by, std::int64_t move) override;
    Flow<ports::CodeVerdict> judge(AccountId account, DeviceId device, ActionId action, Bytes message,
                                   Bytes sealed_proof) override;
    Flow<int> tries_left(AccountId account) override;
    Flow<void> forget(AccountId account) override;

protected:
    /// Gives a reply without an outcome. Fails with the reply's outcome, or vault_unreachable.
    virtual Flow<vault::Reply> ask(vault::Request request) = 0;

    /// The server's key for permits (vault::read_permit_key), where it has one.
    [[nodiscard]] virtual crypto::PrivateKey const* permits() const { return nullptr; }
};

} // namespace symbolon::device

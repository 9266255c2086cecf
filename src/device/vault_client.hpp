#pragma once

#include "ports/services.hpp"
#include "vault/protocol.hpp"

#include <filesystem>
#include <memory>

namespace symbolon::device {

/// The vault behind its Unix socket. One connection for the whole program, opened when it is needed and again after it
/// broke; requests of all threads go over it, and those that wait while the vault writes share its commit.
class VaultClient final : public ports::Vault {
public:
    /// `patience`: how long a reply is waited for.
    explicit VaultClient(std::filesystem::path socket, std::chrono::milliseconds patience = 5s);
    VaultClient(VaultClient const&) = delete;
    VaultClient& operator=(VaultClient const&) = delete;
    ~VaultClient() override;

    Flow<Bytes> public_key() override;
    Flow<void> register_code(AccountId account, DeviceId device, int code_version, Bytes nonce,
                             Bytes sealed_code_key) override;
    Flow<ports::CodeVerdict> judge(AccountId account, DeviceId device, ActionId action, Bytes message,
                                   Bytes sealed_proof) override;
    Flow<int> tries_left(AccountId account) override;
    Flow<void> forget(AccountId account) override;

    /// The vault's public key for grants (SubjectPublicKeyInfo, Ed25519), to check records with.
    Flow<Bytes> grant_key();

private:
    struct Connection;
    Flow<vault::Reply> ask(vault::Request request);
    std::shared_ptr<Connection> connection_;
};

} // namespace symbolon::device

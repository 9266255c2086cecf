#pragma once

#include "crypto/key.hpp"
#include "device/vault_requests.hpp"

#include <filesystem>
#include <memory>

namespace symbolon::device {

/// The vault behind its Unix socket. One connection for the whole program, opened when it is needed and again after it
/// broke; requests of all threads go over it, and those that wait while the vault writes share its commit.
class VaultClient final : public VaultRequests {
public:
    /// `patience`: how long a reply is waited for.
    explicit VaultClient(std::filesystem::path socket, std::chrono::milliseconds patience = 5s);
    /// One that may replace code keys: `permits` is the server's key for it (vault::read_permit_key).
    VaultClient(std::filesystem::path socket, crypto::PrivateKey permits, std::chrono::milliseconds patience = 5s);
    VaultClient(VaultClient const&) = delete;
    VaultClient& operator=(VaultClient const&) = delete;
    ~VaultClient() override;

    /// The vault's public key for grants (SubjectPublicKeyInfo, Ed25519), to check records with.
    Flow<Bytes> grant_key();

private:
    struct Connection;
    Flow<vault::Reply> ask(vault::Request request) override;
    [[nodiscard]] crypto::PrivateKey const* permits() const override { return permits_ ? &*permits_ : nullptr; }
    std::shared_ptr<Connection> connection_;
    std::optional<crypto::PrivateKey> permits_;
};

} // namespace symbolon::device

#pragma once

#include "crypto/random.hpp"
#include "vault/judge.hpp"

#include <filesystem>
#include <string>

namespace symbolon::vault::testing {

/// Keys of a vault that lives in memory; `permits` is the server's half.
struct TestKeys {
    Keys keys;
    crypto::PrivateKey permits;
};
TestKeys test_keys(crypto::Random& random);

/// The half of the protocol that a phone plays for the vault.
struct Phone {
    crypto::PrivateKey code_key; ///< of the right code
    DeviceId device;
    int code_version = 1;

    static Phone random();

    [[nodiscard]] RegisterCode registers(AccountId const& account, crypto::PublicKey const& vault) const;
    [[nodiscard]] JudgeCode answers(AccountId const& account, ActionId const& action, crypto::PublicKey const& vault,
                                    std::string const& message = "message") const;
    /// The same with a wrong code.
    [[nodiscard]] JudgeCode guesses(AccountId const& account, ActionId const& action,
                                    crypto::PublicKey const& vault) const;
};

/// A directory that goes with it.
class TemporaryDirectory {
public:
    TemporaryDirectory();
    TemporaryDirectory(TemporaryDirectory const&) = delete;
    TemporaryDirectory& operator=(TemporaryDirectory const&) = delete;
    ~TemporaryDirectory();
    [[nodiscard]] std::filesystem::path const& path() const { return path_; }

private:
    std::filesystem::path path_;
};

} // namespace symbolon::vault::testing

#pragma once

#include "base/ensure.hpp"
#include "ports/ports.hpp"
#include "store/memory/memory_engine.hpp"
#include "store/sqlite/sqlite_engine.hpp"
#include "store/store.hpp"

#include <filesystem>

/// For tests of whoever uses the store: engines to run over, and values of invented people.
namespace symbolon::store::testing {

/// Chance that repeats itself: a counter under SHA-256.
class RepeatableRandom final : public crypto::Random {
public:
    explicit RepeatableRandom(std::uint64_t seed) : seed_{seed} {}
    void fill(std::span<Byte> bytes) override;

private:
    std::uint64_t seed_;
    std::uint64_t drawn_ = 0;
};

/// A directory of its own that goes with it.
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

/// Master and lookup key made from a number.
Keys keys(std::uint8_t number = 1);

inline Instant const noon = instant_of(1'790'164'800); ///< 2026-09-23 12:00 UTC

account::Account account(std::string const& id, std::string phone_number, std::string national_number);
account::Device device(std::string id, AccountId account);
enrolment::Enrolment enrolment(std::string const& id, std::string phone_number);
action::Action action(std::string id, std::optional<AccountId> account, std::optional<DeviceId> device);
grant::SignIn sign_in(std::string id);
grant::Grant grant(std::string const& id, AccountId account);
partner::Client client(std::string id);
ports::HistoryEntry entry(AccountId account, std::string event);

} // namespace symbolon::store::testing

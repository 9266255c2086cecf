#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <utility>

namespace symbolon::vault {

/// A file descriptor with an owner.
class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int descriptor) : descriptor_{descriptor} {}
    Descriptor(Descriptor&& other) noexcept : descriptor_{std::exchange(other.descriptor_, -1)} {}
    Descriptor& operator=(Descriptor&& other) noexcept;
    Descriptor(Descriptor const&) = delete;
    Descriptor& operator=(Descriptor const&) = delete;
    ~Descriptor();

    [[nodiscard]] int get() const { return descriptor_; }
    [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }

private:
    int descriptor_ = -1;
};

/// A Unix socket that others of the same user can connect to (mode 0600); what a dead program left there is replaced.
/// Fails with configuration_invalid: the path is too long or can't be made, or somebody answers on it.
Result<Descriptor> listen_on(std::filesystem::path const& path);

/// Fails with vault_unreachable: nobody answers, or it is another user's program.
Result<Descriptor> connect_to(std::filesystem::path const& path);

/// Whether the program at the other end runs as the same user as this one.
bool peer_is_same_user(int socket);

} // namespace symbolon::vault

#pragma once

#include "base/result.hpp"

#include <filesystem>

namespace symbolon::virtual_card {

inline constexpr char const* vpcd_driver = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so";

/// A PC/SC daemon of one's own, so that several stacks run side by side and no virtual reader is reachable from
/// outside: pcscd with the vpcd reader in a network namespace that this process enters too (vpcd listens on all
/// addresses), activated by a Unix socket at a path of choice. Clients find it through PCSCLITE_CSOCK_NAME.
class OwnReader {
public:
    /// `socket`: where clients will connect; at most 107 bytes. Needs root or unprivileged user namespaces.
    /// `driver`: pcscd's driver of the reader.
    /// Fails with reader_service_missing: no pcscd, no namespace, no socket there.
    static Result<OwnReader> start(std::filesystem::path const& socket,
                                   std::filesystem::path const& driver = vpcd_driver);

    OwnReader(OwnReader&& other) noexcept;
    OwnReader& operator=(OwnReader&&) = delete;
    /// Ends pcscd and takes the socket away.
    ~OwnReader();

private:
    OwnReader(int pid, std::filesystem::path socket, std::filesystem::path configuration);

    int pid_;
    std::filesystem::path socket_;
    std::filesystem::path configuration_;
};

} // namespace symbolon::virtual_card

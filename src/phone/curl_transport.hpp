#pragma once

#include "device/phone.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace symbolon::phone {

/// Where the phone API is, and whom to trust there.
struct ServerAddress {
    std::string url;               ///< origin, without a slash at the end
    std::filesystem::path ca_file; ///< PEM; empty: the system's
    std::string language = "en";   ///< of the answers' texts
};

/// An origin: https, or http on loopback. Fails with request_malformed.
Result<std::string> parse_origin(std::string_view url);

/// Messages by libcurl. Calls wait on the calling thread; not for two threads at once.
///
/// No redirects, no proxies from the environment, answers up to 256 KiB, 30 s.
class CurlTransport final : public device::Transport {
public:
    explicit CurlTransport(ServerAddress server);
    CurlTransport(CurlTransport const&) = delete;
    CurlTransport& operator=(CurlTransport const&) = delete;
    ~CurlTransport() override;

    Flow<Reply> send(Call call) override;

    /// Reads a stream of server-sent events (HTML Living Standard §9.2) until it ends, breaks, or `go_on` says no,
    /// which is asked about once a second. Gives the answer when it was no stream. Fails with upstream_unreachable.
    Result<Reply> stream(Call const& call, std::function<void(std::string event, std::string data)> const& on_event,
                         std::function<bool()> const& go_on);

private:
    struct Exchange;
    Result<void> perform(Call const& call, Exchange& exchange);

    ServerAddress server_;
    struct Close {
        void operator()(void* handle) const;
    };
    std::unique_ptr<void, Close> handle_;
};

} // namespace symbolon::phone

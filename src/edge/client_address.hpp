#pragma once

#include "base/http.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace symbolon::edge {

/// Which header our proxy writes. Only that one is read: the other may have come through from anybody.
enum class ForwardedHeader { x_forwarded_for, forwarded };

/// The proxies whose word on the person's address counts: nobody else's does. A Unix socket's peer is a proxy of ours.
class TrustedProxies {
public:
    TrustedProxies();
    ~TrustedProxies();
    TrustedProxies(TrustedProxies&&) noexcept;
    TrustedProxies& operator=(TrustedProxies&&) noexcept;

    /// Addresses and networks ("10.0.0.7", "10.1.0.0/16", "fd00::/8").
    /// Fails with configuration_invalid; the detail names the wrong one.
    static Result<TrustedProxies> of(std::vector<std::string> const& networks, ForwardedHeader header);

    [[nodiscard]] bool trusts(std::string_view address) const;

    /// The address of the person's machine: the peer's, or where the peer is trusted, the last one on the way here that
    /// is not one of our own (X-Forwarded-For from the right; RFC 7239 §5.2 likewise). `peer` is empty for a Unix
    /// socket. What is no address is passed over to the last that was one.
    [[nodiscard]] std::string address_of(std::string_view peer,
                                         std::vector<std::pair<std::string, std::string>> const& headers) const;

private:
    struct Networks;
    std::unique_ptr<Networks> networks_;
    ForwardedHeader header_ = ForwardedHeader::x_forwarded_for;
};

/// What counts as one address for limits: an IPv4 address, an IPv6 network of 64 bits.
std::string counted_as(std::string_view address);

/// Whether an address is one of the Internet at large: not loopback, private, link-local, shared, multicast, for
/// documentation or reserved (RFC 6890), nor an IPv6 form of such an IPv4 address. What is no address is not public.
bool is_public_address(std::string_view address);

} // namespace symbolon::edge

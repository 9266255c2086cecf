#pragma once

#include "base/result.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Web Push: notifications of phones (RFC 8030, 8291, 8292).
namespace symbolon::push {

/// The push services of Firefox, of Chrome and its relatives, of Safari, and of Edge.
std::vector<std::string> default_hosts();

/// Whether an entry of the allow-list is of the form that is expected: "push.example", "*.push.example" (every name
/// below it), and for this machine alone "localhost:8407", with its port.
bool is_host_pattern(std::string const& text);

/// A push resource of a browser, taken apart as far as we need it.
struct Endpoint {
    std::string origin; ///< "https://push.example": VAPID's `aud`
    std::string host;   ///< "push.example", with a port where it is not the usual one
};

/// Judges what a browser gave as the endpoint of its subscription: an absolute URL, https on the usual port, of a host
/// on the allow-list (whoever may name any URL would have our server knock on doors for him). An entry with a port is
/// met by that host and port, over plain http too where it is this machine's.
///
/// Fails with push_endpoint_refused.
Result<Endpoint> check_endpoint(std::string_view url, std::span<std::string const> hosts);

} // namespace symbolon::push

#include "edge/client_address.hpp"

#include "base/text.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace symbolon::edge {

namespace ip = boost::asio::ip;

namespace {

constexpr std::size_t most_hops = 32;

std::optional<ip::address> parse(std::string_view text)
{
    boost::system::error_code error;
    auto address = ip::make_address(text, error);
    if (error) return std::nullopt;
    if (address.is_v6() && address.to_v6().is_v4_mapped())
        return ip::address{ip::make_address_v4(ip::v4_mapped, address.to_v6())};
    if (address.is_v6()) { // without a scope: it means nothing elsewhere
        auto plain = address.to_v6();
        plain.scope_id(0);
        return ip::address{plain};
    }
    return address;
}

/// Without a port and brackets: "192.0.2.1:80", "[2001:db8::1]:80".
std::string_view without_port(std::string_view text)
{
    if (text.starts_with('[')) return text.substr(1, text.find(']') - 1);
    return std::ranges::count(text, ':') == 1 ? text.substr(0, text.find(':')) : text;
}

/// RFC 7239 §4: the value of `for` in one element.
std::string_view for_of(std::string_view element)
{
    for (auto const pair : split(element, ';')) {
        auto const equals = pair.find('=');
        if (equals == std::string_view::npos || !equal_ignoring_case(trimmed(pair.substr(0, equals)), "for")) continue;
        auto value = trimmed(pair.substr(equals + 1));
        if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
        return value;
    }
    return {};
}

} // namespace

struct TrustedProxies::Networks {
    std::vector<ip::network_v4> v4;
    std::vector<ip::network_v6> v6;
};

TrustedProxies::TrustedProxies() : networks_{std::make_unique<Networks>()} {}
TrustedProxies::~TrustedProxies() = default;
TrustedProxies::TrustedProxies(TrustedProxies&&) noexcept = default;
TrustedProxies& TrustedProxies::operator=(TrustedProxies&&) noexcept = default;

Result<TrustedProxies> TrustedProxies::of(std::vector<std::string> const& networks, ForwardedHeader header)
{
    TrustedProxies proxies;
    proxies.header_ = header;
    for (auto const& text : networks) {
        boost::system::error_code error;
        bool const with_length = text.find('/') != std::string::npos;
        if (text.find(':') == std::string::npos)
            proxies.networks_->v4.push_back(ip::make_network_v4(with_length ? text : text + "/32", error));
        else proxies.networks_->v6.push_back(ip::make_network_v6(with_length ? text : text + "/128", error));
        if (error) return fail(Outcome::configuration_invalid, "not an address or network: " + text);
    }
    return proxies;
}

bool TrustedProxies::trusts(std::string_view text) const
{
    auto const address = parse(text);
    if (!address) return false;
    if (address->is_v4())
        return std::ranges::any_of(networks_->v4, [&](ip::network_v4 const& network) {
            return ip::network_v4{address->to_v4(), network.prefix_length()}.canonical() == network.canonical();
        });
    return std::ranges::any_of(networks_->v6, [&](ip::network_v6 const& network) {
        return ip::network_v6{address->to_v6(), network.prefix_length()}.canonical() == network.canonical();
    });
}

std::string TrustedProxies::address_of(std::string_view peer,
                                       std::vector<std::pair<std::string, std::string>> const& headers) const
{
    auto const parsed_peer = parse(peer);
    std::string address = parsed_peer ? parsed_peer->to_string() : "local";
    if (!peer.empty() && !trusts(peer)) return address;

    std::vector<std::string_view> hops;
    for (auto const& [name, value] : headers) {
        if (header_ == ForwardedHeader::x_forwarded_for && name == "x-forwarded-for")
            std::ranges::copy(split(value, ','), std::back_inserter(hops));
        if (header_ == ForwardedHeader::forwarded && name == "forwarded")
            std::ranges::transform(split(value, ','), std::back_inserter(hops), for_of);
    }
    std::ranges::reverse(hops);
    if (hops.size() > most_hops) hops.resize(most_hops);
    for (auto const hop : hops) {
        auto const parsed = parse(without_port(trimmed(hop)));
        if (!parsed) break;
        address = parsed->to_string();
        if (!trusts(address)) break;
    }
    return address;
}

bool is_public_address(std::string_view text)
{
    auto const address = parse(text);
    if (!address) return false;
    auto const is_in = [](auto const& host, auto const& networks, auto const& make) {
        return std::ranges::any_of(networks, [&](char const* network) {
            auto const whole = make(network);
            return decltype(whole){host, whole.prefix_length()}.canonical() == whole.canonical();
        });
    };
    if (address->is_v4()) {
        constexpr std::array special{"0.0.0.0/8",      "10.0.0.0/8",     "100.64.0.0/10", "127.0.0.0/8",
                                     "169.254.0.0/16", "172.16.0.0/12",  "192.0.0.0/24",  "192.0.2.0/24",
                                     "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
                                     "203.0.113.0/24", "224.0.0.0/4",    "240.0.0.0/4"};
        return !is_in(address->to_v4(), special, [](char const* network) { return ip::make_network_v4(network); });
    }
    // Of IPv6 only what is given out (RFC 4291 §2.4), without tunnels and documentation.
    constexpr std::array given_out{"2000::/3"};
    constexpr std::array special{"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"};
    auto const make = [](char const* network) { return ip::make_network_v6(network); };
    return is_in(address->to_v6(), given_out, make) && !is_in(address->to_v6(), special, make);
}

std::string counted_as(std::string_view text)
{
    auto const address = parse(text);
    if (!address || address->is_v4()) return std::string{text};
    return ip::network_v6{address->to_v6(), 64}.canonical().to_string();
}

} // namespace symbolon::edge

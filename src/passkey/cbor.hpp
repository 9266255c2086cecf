#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

/// Passkeys: what an authenticator and a browser say, read and judged (Web Authentication Level 3). Nothing here waits,
/// keeps anything, or knows what a passkey is used for.
namespace symbolon::passkey {

/// A value of CBOR (RFC 8949), of the kinds that WebAuthn uses: no tags, no floating point, nothing of open length.
struct Item {
    struct Member;
    using List = std::vector<Item>;
    using Map = std::vector<Member>;
    enum class Simple : std::uint8_t { no, yes, null };

    std::variant<std::int64_t, Bytes, std::string, List, Map, Simple> value;

    friend bool operator==(Item const& one, Item const& other);

    /// The member of a map: null when this is no map, or has no such key.
    [[nodiscard]] Item const* member(std::string_view key) const;
    [[nodiscard]] Item const* member(std::int64_t key) const;
    [[nodiscard]] std::int64_t const* integer() const { return std::get_if<std::int64_t>(&value); }
    [[nodiscard]] Bytes const* bytes() const { return std::get_if<Bytes>(&value); }
    [[nodiscard]] std::string const* text() const { return std::get_if<std::string>(&value); }
    [[nodiscard]] Map const* map() const { return std::get_if<Map>(&value); }
};

/// One row of a map.
struct Item::Member {
    Item key;
    Item value;
    friend bool operator==(Member const&, Member const&) = default;
};

enum class Form : std::uint8_t {
    any,      ///< any length of a head, any order of keys
    canonical ///< CTAP2: shortest heads, keys in their order (FIDO CTAP 2.1 §8)
};

/// The first item of `from`, which then begins behind it. Keys of a map occur once; at most 8 levels. Fails with
/// passkey_refused.
Result<Item> take_item(ByteView& from, Form form);

/// The one item that `from` is. Fails with passkey_refused.
Result<Item> read_item(ByteView from, Form form);

/// In canonical form, except that the order of keys is the one given.
Bytes write(Item const& item);

} // namespace symbolon::passkey

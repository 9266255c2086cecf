#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace symbolon {

using Byte = std::uint8_t;
using Bytes = std::vector<Byte>;
using ByteView = std::span<Byte const>;

/// The bytes of a text, as they stand. Nothing is copied: the text must outlive the view.
inline ByteView bytes_of(std::string_view text)
{
    // Reading any object as unsigned char is what the language allows (basic.lval).
    return {reinterpret_cast<Byte const*>(text.data()), text.size()};
}

/// The text of some bytes, as they stand.
inline std::string_view text_of(ByteView bytes) { return {reinterpret_cast<char const*>(bytes.data()), bytes.size()}; }

inline std::string string_of(ByteView bytes) { return std::string{text_of(bytes)}; }

inline Bytes to_bytes(std::string_view text)
{
    auto const view = bytes_of(text);
    return {view.begin(), view.end()};
}

inline void append(Bytes& to, ByteView what) { to.insert(to.end(), what.begin(), what.end()); }

} // namespace symbolon

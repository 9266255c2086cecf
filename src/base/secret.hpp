#pragma once

#include "base/bytes.hpp"

#include <string>
#include <utility>

namespace symbolon {

/// Overwrites memory in a way that the compiler keeps.
void wipe(void* memory, std::size_t size_bytes);

/// Whether two byte strings are the same, in a time that depends on their lengths alone.
bool equal_in_constant_time(ByteView left, ByteView right);

/// A value that cannot be logged, compared by accident or left behind in memory. `T` is std::string or Bytes.
template <class T>
class Secret {
public:
    Secret() = default;
    explicit Secret(T value) : value_{std::move(value)} {}
    Secret(Secret const& other) = default;
    Secret(Secret&& other) noexcept : value_{std::move(other.value_)} { other.clear(); }
    Secret& operator=(Secret const& other)
    {
        if (this != &other) {
            clear();
            value_ = other.value_;
        }
        return *this;
    }
    Secret& operator=(Secret&& other) noexcept
    {
        if (this != &other) {
            clear();
            value_ = std::move(other.value_);
            other.clear();
        }
        return *this;
    }
    ~Secret() { clear(); }

    /// The one way out, easy to search for.
    [[nodiscard]] T const& reveal() const { return value_; }
    [[nodiscard]] bool empty() const { return value_.empty(); }

    [[nodiscard]] bool equals(Secret const& other) const { return equals(other.value_); }
    [[nodiscard]] bool equals(T const& other) const
    {
        return equal_in_constant_time({reinterpret_cast<Byte const*>(value_.data()), value_.size()},
                                      {reinterpret_cast<Byte const*>(other.data()), other.size()});
    }

private:
    void clear()
    {
        wipe(value_.data(), value_.size());
        value_.clear();
    }

    T value_;
};

using SecretText = Secret<std::string>;
using SecretBytes = Secret<Bytes>;

} // namespace symbolon

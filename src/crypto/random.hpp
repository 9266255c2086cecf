#pragma once

#include "base/bytes.hpp"
#include "base/id.hpp"
#include "base/instant.hpp"
#include "base/secret.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace symbolon::crypto {

/// Where chance comes from: the operating system in programs, a seed in the simulation.
class Random {
public:
    virtual ~Random() = default;
    virtual void fill(std::span<Byte> bytes) = 0;

    Bytes bytes(std::size_t size);
    /// Every value of 0 … bound-1 equally likely. bound > 0.
    std::uint32_t below(std::uint32_t bound);
    /// 256 random bits, base64url: 43 signs. For secrets that a URL or a cookie carries.
    SecretText token();
};

/// OpenSSL's generator, seeded by the operating system.
std::unique_ptr<Random> system_random();

/// An id of 16 bytes, base64url (22 signs): 48 bits of time in milliseconds, then chance, so that new rows lie
/// together.
std::string time_ordered_id(Instant now, Random& random);

} // namespace symbolon::crypto

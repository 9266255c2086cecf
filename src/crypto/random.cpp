#include "crypto/random.hpp"

#include "base/ensure.hpp"
#include "crypto/encoding.hpp"

#include <openssl/rand.h>

#include <array>
#include <limits>

namespace symbolon::crypto {

namespace {

class SystemRandom final : public Random {
public:
    void fill(std::span<Byte> bytes) override
    {
        ENSURE(bytes.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max()));
        // Without chance nothing here is safe: rather stop.
        ENSURE(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
    }
};

} // namespace

Bytes Random::bytes(std::size_t size)
{
    Bytes drawn(size);
    fill(drawn);
    return drawn;
}

std::uint32_t Random::below(std::uint32_t bound)
{
    ENSURE(bound > 0);
    // Draws again above the largest multiple of `bound`, so that no value is likelier than another.
    constexpr std::uint64_t range = std::uint64_t{1} << 32U;
    auto const usable = range - range % bound;
    for (;;) {
        std::array<Byte, 4> drawn{};
        fill(drawn);
        std::uint64_t number = 0;
        for (auto const byte : drawn) number = number << 8U | byte;
        if (number < usable) return static_cast<std::uint32_t>(number % bound);
    }
}

SecretText Random::token()
{
    SecretBytes const drawn{bytes(32)};
    return SecretText{base64url(drawn.reveal())};
}

std::unique_ptr<Random> system_random() { return std::make_unique<SystemRandom>(); }

std::string time_ordered_id(Instant now, Random& random)
{
    auto const milliseconds = static_cast<std::uint64_t>(numeric_date(now)) * 1000U;
    std::array<Byte, 16> id{};
    random.fill(std::span{id}.subspan(6));
    for (std::size_t i = 0; i < 6; ++i) id[i] = static_cast<Byte>((milliseconds >> (8U * (5U - i))) & 255U);
    return base64url(id);
}

} // namespace symbolon::crypto

#include "crypto/random.hpp"

#include "base/ensure.hpp"
#include "crypto/encoding.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <array>
#include <limits>
#include <unistd.h>

namespace symbolon::crypto {

namespace {

void draw(std::span<Byte> bytes)
{
    ENSURE(bytes.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max()));
    // Without chance nothing here is safe: rather stop.
    ENSURE(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
}

/// Draws for a thread ahead, since each call of OpenSSL's generator costs as much as hundreds of bytes. What was given
/// out is wiped, and a forked process begins anew.
class Block {
public:
    Block() = default;
    Block(Block const&) = delete;
    Block& operator=(Block const&) = delete;
    ~Block() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

    void fill(std::span<Byte> bytes)
    {
        auto const process = ::getpid();
        if (process != process_ || bytes.size() > bytes_.size() - used_) {
            draw(bytes_);
            used_ = 0;
            process_ = process;
        }
        auto const next = std::span{bytes_}.subspan(used_, bytes.size());
        std::ranges::copy(next, bytes.begin());
        OPENSSL_cleanse(next.data(), next.size());
        used_ += bytes.size();
    }

    static constexpr std::size_t size = 1024;

private:
    std::array<Byte, size> bytes_{};
    std::size_t used_ = size;
    ::pid_t process_ = 0;
};

class SystemRandom final : public Random {
public:
    void fill(std::span<Byte> bytes) override
    {
        if (bytes.size() > Block::size / 4) {
            draw(bytes);
            return;
        }
        thread_local Block block;
        block.fill(bytes);
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

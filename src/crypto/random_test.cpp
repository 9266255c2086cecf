#include "crypto/random.hpp"

#include <gtest/gtest.h>

#include <set>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace symbolon::crypto {
namespace {

TEST(SystemRandom, gives_nothing_twice)
{
    auto const random = system_random();
    std::set<Bytes> seen;
    for (std::size_t i = 0; i < 1000; ++i) seen.insert(random->bytes(16 + i % 7));
    EXPECT_EQ(seen.size(), 1000U);
    std::set<Bytes> large{random->bytes(5000), random->bytes(5000)};
    EXPECT_EQ(large.size(), 2U);
}

TEST(SystemRandom, gives_every_byte_asked_for)
{
    auto const random = system_random();
    for (std::size_t size : {0U, 1U, 255U, 256U, 257U, 4096U}) {
        Bytes any(size);
        for (int draws = 0; draws < 40; ++draws) {
            auto const drawn = random->bytes(size);
            ASSERT_EQ(drawn.size(), size);
            for (std::size_t i = 0; i < size; ++i) any[i] |= drawn[i];
        }
        EXPECT_EQ(any, Bytes(size, 0xff)) << "a bit that 40 draws left at zero";
    }
}

TEST(SystemRandom, threads_draw_their_own)
{
    auto const random = system_random();
    Bytes there;
    std::thread{[&] { there = random->bytes(32); }}.join();
    EXPECT_NE(random->bytes(32), there);
}

TEST(SystemRandom, a_forked_process_draws_anew)
{
    auto const random = system_random();
    random->bytes(16); // something is drawn ahead
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    auto const child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        auto const drawn = random->bytes(32);
        auto const written = ::write(ends[1], drawn.data(), drawn.size());
        ::_exit(written == 32 ? 0 : 1);
    }
    Bytes theirs(32);
    ASSERT_EQ(::read(ends[0], theirs.data(), theirs.size()), 32);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_NE(random->bytes(32), theirs);
    ::close(ends[0]);
    ::close(ends[1]);
}

} // namespace
} // namespace symbolon::crypto

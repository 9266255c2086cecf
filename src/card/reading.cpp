#include "card/reading.hpp"

#include "crypto/hash.hpp"

#include <algorithm>

namespace symbolon::card {

namespace {

template <std::size_t size>
std::array<Byte, size> digest(crypto::HashAlgorithm algorithm, Challenge const& challenge)
{
    Bytes text{challenge.bytes.begin(), challenge.bytes.end()};
    append(text, bytes_of(challenge.origin));
    std::array<Byte, size> result{};
    std::ranges::copy(crypto::hash(algorithm, text), result.begin());
    return result;
}

} // namespace

std::array<Byte, 48> challenge_for_card_key(Challenge const& challenge)
{
    return digest<48>(crypto::HashAlgorithm::sha384, challenge);
}

std::array<Byte, 32> challenge_for_authentication_key(Challenge const& challenge)
{
    return digest<32>(crypto::HashAlgorithm::sha256, challenge);
}

} // namespace symbolon::card

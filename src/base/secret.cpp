#include "base/secret.hpp"

#include <cstring>

namespace symbolon {

void wipe(void* memory, std::size_t size_bytes)
{
    if (size_bytes != 0) explicit_bzero(memory, size_bytes);
}

bool equal_in_constant_time(ByteView left, ByteView right)
{
    if (left.size() != right.size()) return false;
    Byte volatile difference = 0;
    for (std::size_t i = 0; i < left.size(); ++i) difference = static_cast<Byte>(difference | (left[i] ^ right[i]));
    return difference == 0;
}

} // namespace symbolon

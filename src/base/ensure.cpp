#include "base/ensure.hpp"

#include <cstdio>
#include <cstdlib>

namespace symbolon {

void broken_promise(char const* what, std::source_location where)
{
    std::fprintf(stderr, "symbolon: broken promise: %s at %s:%u\n", what, where.file_name(), where.line());
    std::abort();
}

} // namespace symbolon

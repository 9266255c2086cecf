#pragma once

#include <source_location>

namespace symbolon {

/// Ends the program after saying where it went wrong. For our own mistakes only.
[[noreturn]] void broken_promise(char const* what, std::source_location where);

} // namespace symbolon

/// What we promised ourselves, checked in every build. Never what somebody sent us: that is a Result.
#define ENSURE(condition)                                                                                              \
    do {                                                                                                               \
        if (!(condition)) ::symbolon::broken_promise(#condition, std::source_location::current());                     \
    } while (false)

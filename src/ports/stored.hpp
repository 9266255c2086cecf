#pragma once

#include <cstdint>
#include <utility>

namespace symbolon::ports {

/// A value as the store has it. Saving it succeeds only while the store still has this version: whoever comes second
/// fails with `conflict`, and nothing of the verb is done.
template <class T>
struct Stored {
    T value;
    std::int64_t version = 0;
};

/// The same place with another value.
template <class T>
Stored<T> changed(Stored<T> const& before, T value)
{
    return {std::move(value), before.version};
}

} // namespace symbolon::ports

#pragma once

#include "bank/banks.hpp"

#include <vector>

namespace symbolon::bank {

/// What is right and wrong with the connection to one bank, step by step as a visit goes: discovery, what the metadata
/// say, the keys, and a pushed request with our key, which nobody goes on with. A step without which the next ones
/// can't be made is the last.
Flow<std::vector<Finding>> check_connection(Registration bank, Settings const& settings, Means means);

} // namespace symbolon::bank

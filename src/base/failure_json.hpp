#pragma once

#include "base/json.hpp"
#include "base/texts.hpp"

namespace symbolon {

/// What people's programs are told of a failure: {"outcome", "text", "way_out"} and, where it has them, "tries_left",
/// "open_at" (seconds since 1970) and "fields". The detail stays with the operator.
json::Object failure_object(Failure const& failure, Language language, Texts const& texts);

} // namespace symbolon

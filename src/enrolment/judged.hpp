#pragma once

#include "base/result.hpp"
#include "enrolment/enrolment.hpp"

#include <optional>

namespace symbolon::enrolment {

/// An enrolment after somebody tried something. It is stored in both cases, since a failed try counts; then the
/// failure, if there is one, is the answer.
struct Judged {
    Enrolment enrolment;
    std::optional<Failure> failure;
};

} // namespace symbolon::enrolment

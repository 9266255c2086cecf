#pragma once

#include "base/json.hpp"
#include "page/enrolment_means.hpp"

namespace symbolon::page {

/// What the page shows of an enrolment (docs/enrolment-api.md, "State"), in the language of the reader.
json::Object state_of(enrolment::Enrolment const& enrolment, Language language, Instant now,
                      EnrolmentMeans const& means);

/// That as an answer, in the language of the request.
http::Response state_answer(int status, enrolment::Enrolment const& enrolment, http::Request const& request,
                            EnrolmentMeans const& means, ports::Services const& services);

/// When that changes by itself next: a link or token that ends, a step that opens again. At most `latest`.
Instant changes_at(enrolment::Enrolment const& enrolment, Instant now, EnrolmentMeans const& means, Instant latest);

} // namespace symbolon::page

#pragma once

#include "base/http.hpp"
#include "page/enrolment_means.hpp"
#include "ports/services.hpp"

namespace symbolon::page {

/// The API of the enrolment page at the id origin (docs/enrolment-api.md; journeys A1 to A5). The cookie only names the
/// enrolment: who has it sees the state and no more than the page shows.
http::Routes enrolment_routes(EnrolmentMeans const& means, ports::Services services);

} // namespace symbolon::page

#pragma once

#include "base/http.hpp"
#include "page/enrolment_means.hpp"
#include "ports/services.hpp"

namespace symbolon::page {

/// The card through the Web eID extension of the browser, for people who have an account (docs/enrolment-api.md;
/// docs/decisions/0016-web-eid.md; journeys E1, E3, E4, E6, E7): POST /enrolment/web-eid/nonce and POST
/// /enrolment/web-eid. They belong to the enrolment page: same cookie, same origin.
http::Routes web_eid_routes(EnrolmentMeans const& means, ports::Services services);

} // namespace symbolon::page

#pragma once

#include "base/http.hpp"
#include "page/enrolment_means.hpp"
#include "ports/services.hpp"

namespace symbolon::page {

/// What the program beside the card reader asks of the id origin: POST /eid/open, /eid/progress, /eid/read, /eid/sign
/// (docs/reader-protocol.md). No cookie, no browser: the ticket and then the session are what names the enrolment.
http::Routes reader_routes(EnrolmentMeans const& means, ports::Services services);

} // namespace symbolon::page

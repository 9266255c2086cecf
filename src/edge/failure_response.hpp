#pragma once

#include "base/http.hpp"
#include "base/texts.hpp"

namespace symbolon::edge {

/// Who reads an answer, as far as a failure's answer depends on it.
struct Reader {
    http::Origin origin = http::Origin::id;
    Language language = Language::fr; ///< `?lang`, then Accept-Language
    bool is_person = false;           ///< a browser goes to a page
};
Reader reader_of(http::Request const& request);

/// The one place that turns a Failure into an answer: the status of its outcome's row, and
///
/// - a page, where a browser asked for one (`<code id="error">` holds the outcome's name);
/// - else `{"outcome", "text", "way_out", "tries_left"?, "open_at"?}`.
///
/// Retry-After where the failure says when the step opens again. `is_test_system`: pages say so.
http::Response failure_response(Failure const& failure, Reader const& reader, Texts const& texts, Instant now,
                                bool is_test_system);

} // namespace symbolon::edge

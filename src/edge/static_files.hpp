#pragma once

#include "base/http.hpp"

#include <filesystem>

namespace symbolon::edge {

/// An origin's files (web/dist/id, web/dist/phone), read once, as rows of its table: what is no row is not served, so
/// no path can lead out of the directory. Names that begin with a dot and symbolic links are passed over.
///
/// - `dir/index.html` answers at `dir/`, and `dir` leads there.
/// - `/` leads to the start page in the language of the browser (`/fr/`), or to `/app/`.
/// - Under `/assets/`, `name-XXXXXXXX.ext` with a hash in its name never changes (RFC 8246); everything else is asked
///   again each time, by ETag.
/// - `file.gz` beside `file` goes to whoever takes gzip.
///
/// Fails with configuration_invalid: the directory can't be read, a file is longer than 16 MiB.
Result<http::Routes> static_routes(std::filesystem::path const& directory);

} // namespace symbolon::edge

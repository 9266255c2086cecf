#pragma once

#include "virtual_card/pki_folder.hpp"

#include <functional>

namespace symbolon::virtual_card {

/// Serves OCSP, CRLs and CA certificates of a PKI folder over HTTP at 127.0.0.1, until SIGTERM or SIGINT. What the
/// responder says is read from the folder at each request. `port` 0: one that the system chooses. Prints "listening on
/// 127.0.0.1:PORT".
///
/// Fails with configuration_invalid: no PKI there, the port is taken.
Result<void> serve_pki(Folders const& folders, std::uint16_t port, std::function<Instant()> const& now);

/// The port of the PKI's base URL.
Result<std::uint16_t> port_of(std::string_view base_url);

} // namespace symbolon::virtual_card

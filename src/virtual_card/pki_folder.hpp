#pragma once

#include "virtual_card/card_core.hpp"

#include <functional>

/// A PKI on disk with the cards that it issued: what `symbolon-card` works on, and what card and responder share.
///
///     roots/         the trust anchors, for a server's configuration
///     authorities/   certificates and keys
///     base-url       where the responder is
///     cards/NAME/    files, keys and PIN state of a card, made at its first use
///     standings      what differs from personas.toml: lines "NAME authentication=… signature=… responder=…", NAME or
///     `all`
namespace symbolon::virtual_card {

struct Folders {
    std::filesystem::path pki;
    std::filesystem::path data;     ///< personas.toml and photos/ (the project's data/)
    std::filesystem::path personas; ///< another file than data/personas.toml, or empty
};

Result<std::vector<Persona>> personas_of(Folders const& folders);

/// The card of that name from the folder, or a new one issued as of `now`. Fails with not_found, configuration_invalid.
Result<Card> card_of(Folders const& folders, std::string_view persona, Instant now);

/// Keeps a card's PIN state.
Result<void> keep_pin(Folders const& folders, CardCore const& card);

/// What the responder says as of this moment: personas.toml, then the file `standings`. Fails with
/// configuration_invalid.
Result<Standings> standings_of(Folders const& folders);

/// What shall differ for a persona, or for `all`. What is not given stays.
struct StandingChange {
    std::string persona;
    std::optional<CertificateStatus> authentication, signature;
    std::optional<Conduct> responder;
};

/// Writes a change into the file `standings`. Fails with not_found (no such persona), configuration_invalid.
Result<void> change_standing(Folders const& folders, StandingChange const& change);

} // namespace symbolon::virtual_card

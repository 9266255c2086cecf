#include "virtual_card/pki_folder.hpp"

#include "base/text.hpp"
#include "virtual_card/openssl.hpp"

#include <fmt/format.h>

#include <unistd.h>

namespace symbolon::virtual_card {

namespace {

using Changes = std::map<std::string, StandingChange, std::less<>>;

constexpr std::string_view everybody = "all";

Result<Changes> read_changes(std::filesystem::path const& file)
{
    Changes changes;
    if (!std::filesystem::exists(file)) return changes;
    auto const text = string_of(TRY(read_file(file)));
    for (auto const line : split(text, '\n')) {
        if (line.empty()) continue;
        auto const words = split(line, ' ');
        StandingChange change{.persona = std::string{words.front()}};
        for (auto const word : words | std::views::drop(1)) {
            auto const equals = word.find('=');
            auto const key = word.substr(0, equals);
            auto const value = equals == std::string_view::npos ? std::string_view{} : word.substr(equals + 1);
            auto const understood = key == "authentication" ? (change.authentication = status_named(value)).has_value()
                                    : key == "signature"    ? (change.signature = status_named(value)).has_value()
                                    : key == "responder"    ? (change.responder = conduct_named(value)).has_value()
                                                            : false;
            if (!understood)
                return fail(Outcome::configuration_invalid, fmt::format("{}: {}: not understood", file.string(), word));
        }
        changes[change.persona] = change;
    }
    return changes;
}

Bytes written(Changes const& changes)
{
    std::string text;
    for (auto const& [name, change] : changes) {
        text += name;
        if (change.authentication) text += fmt::format(" authentication={}", name_of(*change.authentication));
        if (change.signature) text += fmt::format(" signature={}", name_of(*change.signature));
        if (change.responder) text += fmt::format(" responder={}", name_of(*change.responder));
        text += '\n';
    }
    return to_bytes(text);
}

} // namespace

Result<std::vector<Persona>> personas_of(Folders const& folders)
{
    return load_personas(folders.personas.empty() ? folders.data / "personas.toml" : folders.personas);
}

Result<Card> card_of(Folders const& folders, std::string_view name, Instant now)
{
    auto const persona = TRY(persona_named(TRY(personas_of(folders)), name));
    auto const folder = folders.pki / "cards" / persona.name;
    if (std::filesystem::exists(folder)) return load_card(folder);

    auto pki = TRY(load_pki(folders.pki));
    auto const card = TRY(issue(persona, pki, folders.data / "photos", now));
    // Made beside and renamed: of two that issue the same card, the first one's stays.
    auto const beside = folders.pki / "cards" / fmt::format(".{}-{}", persona.name, ::getpid());
    TRY(save_card(card, beside));
    std::error_code error;
    std::filesystem::rename(beside, folder, error);
    if (error) std::filesystem::remove_all(beside, error);
    return load_card(folder);
}

Result<void> keep_pin(Folders const& folders, CardCore const& card)
{
    return save_pin(card.pin(), card.pin_tries(), folders.pki / "cards" / card.card().persona);
}

Result<Standings> standings_of(Folders const& folders)
{
    auto const changes = TRY(read_changes(folders.pki / "standings"));
    Standings standings;
    for (auto persona : TRY(personas_of(folders))) {
        if (auto const found = changes.find(persona.name); found != changes.end()) {
            auto const& change = found->second;
            persona.authentication_standing.status =
                change.authentication.value_or(persona.authentication_standing.status);
            persona.signature_standing.status = change.signature.value_or(persona.signature_standing.status);
            persona.authentication_standing.conduct =
                change.responder.value_or(persona.authentication_standing.conduct);
            persona.signature_standing.conduct = change.responder.value_or(persona.signature_standing.conduct);
        }
        record_standings(persona, standings);
    }
    if (auto const found = changes.find(everybody); found != changes.end())
        standings.conduct = found->second.responder.value_or(Conduct::honest);
    return standings;
}

Result<void> change_standing(Folders const& folders, StandingChange const& change)
{
    if (change.persona != everybody) TRY(persona_named(TRY(personas_of(folders)), change.persona));
    auto const file = folders.pki / "standings";
    auto changes = TRY(read_changes(file));
    auto& kept = changes[change.persona];
    kept.persona = change.persona;
    if (change.authentication) kept.authentication = change.authentication;
    if (change.signature) kept.signature = change.signature;
    if (change.responder) kept.responder = change.responder;
    return write_file(file, written(changes));
}

} // namespace symbolon::virtual_card

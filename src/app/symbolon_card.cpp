#include "app/command_line.hpp"
#include "virtual_card/pki_server.hpp"
#include "virtual_card/runner.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>

/// symbolon-card: a virtual Belgian identity card with its own PKI (docs/virtual-card.md).
namespace {

using namespace symbolon;
using namespace symbolon::virtual_card;

Instant real_now() { return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()); }

/// data/ beside the program's build folder, or where it is installed.
std::filesystem::path data_folder()
{
    std::error_code error;
    auto const bin = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
    for (auto const* const there : {"../../../data", "../share/symbolon"})
        if (std::filesystem::exists(bin / there / "personas.toml")) return (bin / there).lexically_normal();
    return "data";
}

int told(Result<void> const& result)
{
    if (result) return 0;
    std::fprintf(stderr, "symbolon-card: %s: %s\n", std::string{name_of(result.error().outcome)}.c_str(),
                 result.error().detail.c_str());
    return 1;
}

Result<void> init_pki(std::filesystem::path const& folder, std::string const& url, bool again)
{
    if (!again && std::filesystem::exists(folder / "base-url")) return {};
    static_cast<void>(TRY(port_of(url)));
    std::error_code error;
    std::filesystem::remove_all(folder / "cards", error); // cards of the old keys
    return save_pki(make_pki({.base_url = url, .now = real_now()}), folder);
}

Result<void> list_personas(Folders const& folders)
{
    for (auto const& persona : TRY(personas_of(folders)))
        std::printf("%-28s %s\n", persona.name.c_str(), persona.shows.c_str());
    return {};
}

Result<void> pki_server(Folders const& folders, std::optional<std::uint16_t> port)
{
    auto const pki = TRY(load_pki(folders.pki));
    return serve_pki(folders, port ? *port : TRY(port_of(pki.base_url)), real_now);
}

} // namespace

int main(int argc, char** argv)
{
    CLI::App app{"A virtual Belgian identity card with a PKI of its own. Nothing that it shows is real."};
    app.require_subcommand(1);
    Folders folders{.data = data_folder()};
    auto const add_folders = [&](CLI::App* command, bool needs_pki) {
        if (needs_pki) command->add_option("--pki", folders.pki, "folder of the PKI")->required();
        command->add_option("--data", folders.data, "folder with personas.toml and photos/")->capture_default_str();
        command->add_option("--personas", folders.personas, "another file of personas");
    };

    auto* const init = app.add_subcommand("init-pki", "make a PKI in a folder; one that is there already stays");
    std::string url = "http://127.0.0.1:8406";
    auto again = false;
    init->add_option("DIR", folders.pki, "the folder")->required();
    init->add_option("--url", url, "where pki-server will answer")->capture_default_str();
    init->add_flag("--again", again, "make new keys even if there is one");

    auto* const run = app.add_subcommand("run", "keep a card in the virtual reader");
    RunOptions options{.now = real_now};
    add_folders(run, true);
    run->add_option("--persona", options.persona, "whose card is in the reader at the start");
    run->add_option("--port", options.port, "where vpcd listens")->capture_default_str();
    run->add_option("--control", options.control,
                    "take commands at this Unix socket, or port of 127.0.0.1: insert NAME, remove, status, quit");
    run->add_option("--own-reader", options.own_reader,
                    "start pcscd in a network namespace of its own; its clients set PCSCLITE_CSOCK_NAME to this path");

    run->add_flag("--pin-pad", options.pin_pad,
                  "our own reader has keys: each PIN is asked for at the Unix socket that SYMBOLON_PIN_PAD names")
        ->needs("--own-reader");

    auto* const server = app.add_subcommand("pki-server", "answer for the PKI: OCSP, CRLs, CA certificates");
    std::optional<std::uint16_t> port;
    add_folders(server, true);
    server->add_option("--port", port, "port of 127.0.0.1; 0: any free one (default: that of the PKI)");

    auto* const standing = app.add_subcommand("standing", "change what the responder says, at once");
    StandingChange change;
    add_folders(standing, true);
    standing->add_option("PERSONA", change.persona, "a persona, or all (--responder only)")->required();
    auto const add_choice = [&](char const* option, auto& into, auto parse, char const* what) {
        standing->add_option_function<std::string>(
            option,
            [&into, parse, option](std::string const& name) {
                into = parse(name);
                if (!into) throw CLI::ValidationError(option, "no such choice: " + name);
            },
            what);
    };
    add_choice("--authentication", change.authentication, status_named, "good, suspended, revoked or unknown");
    add_choice("--signature", change.signature, status_named, "good, suspended, revoked or unknown");
    add_choice("--responder", change.responder, conduct_named,
               "honest, stale, stranger, forged, without-nonce, wrong-nonce, try-later or down");

    auto* const personas = app.add_subcommand("personas", "list the personas and what each shows");
    add_folders(personas, false);

    if (auto const end = symbolon::app::end_of_command_line(app, argc, argv)) return *end;
    if (init->parsed()) return told(init_pki(folders.pki, url, again));
    if (run->parsed()) {
        options.folders = folders;
        return told(run_card(options));
    }
    if (server->parsed()) return told(pki_server(folders, port));
    if (standing->parsed()) return told(change_standing(folders, change));
    return told(list_personas(folders));
}

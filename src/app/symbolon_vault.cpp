// symbolon-vault: the process that alone can judge a code (docs/vault.md).

#include "app/command_line.hpp"
#include "crypto/random.hpp"
#include "vault/keys.hpp"
#include "vault/server.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace symbolon;

int complain(Failure const& failure)
{
    std::fprintf(stderr, "symbolon-vault: %s [%s]\n", failure.detail.c_str(),
                 std::string{name_of(failure.outcome)}.c_str());
    return 1;
}

Instant now() { return std::chrono::floor<Seconds>(std::chrono::system_clock::now()); }

/// A descriptor that can be read once the program is asked to end.
vault::Descriptor asked_to_end()
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, nullptr);
    return vault::Descriptor{signalfd(-1, &signals, SFD_CLOEXEC)};
}

/// No key in a core file, nor for a debugger of the same user.
void keep_memory_to_ourselves()
{
    rlimit const none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
}

} // namespace

int main(int argc, char** argv)
{
    CLI::App app{"Judges codes and counts tries: the only program that can."};
    std::filesystem::path make;
    std::filesystem::path directory;
    std::filesystem::path socket;
    app.add_option("--init", make, "make the keys of a new vault in this directory, and end");
    app.add_option("--dir", directory, "the vault's directory");
    app.add_option("--socket", socket, "the Unix socket to listen on (default: vault.sock in the directory)");
    if (auto const end = symbolon::app::end_of_command_line(app, argc, argv)) return *end;
    if (make.empty() == directory.empty()) {
        std::fputs("symbolon-vault: one of --init DIR and --dir DIR, please\n", stderr);
        return 2;
    }
    keep_memory_to_ourselves();
    auto const random = crypto::system_random();

    if (!make.empty()) {
        auto const made = vault::make_vault(make, *random);
        return made ? 0 : complain(made.error());
    }

    auto const end = asked_to_end();
    auto keys = vault::read_keys(directory);
    if (!keys) return complain(keys.error());
    ::umask(0077);
    auto judge = vault::Judge::open(directory / "vault.sqlite", *std::move(keys), *random);
    if (!judge) return complain(judge.error());
    auto server = vault::Server::listen(*std::move(judge),
                                        {.socket = socket.empty() ? directory / "vault.sock" : socket, .now = now});
    if (!server) return complain(server.error());
    std::fputs("symbolon-vault: ready\n", stderr);
    server->run(end.get());
    return 0;
}

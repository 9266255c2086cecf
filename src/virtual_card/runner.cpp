#include "virtual_card/runner.hpp"

#include "virtual_card/control.hpp"
#include "virtual_card/own_reader.hpp"
#include "virtual_card/vpcd.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace symbolon::virtual_card {

namespace {

/// How often a connection that failed is tried again, and for how long `insert` waits for the reader to look.
constexpr int retry_milliseconds = 100;
constexpr int patience_in_retries = 100;

class Runner {
public:
    Runner(RunOptions const& options, std::optional<Control> control)
        : options_{options},
          control_{std::move(control)},
          slot_{options.port, [this](CardCore const& card) { keep(card); }}
    {}

    Result<void> run()
    {
        sigset_t ends;
        ::sigemptyset(&ends);
        ::sigaddset(&ends, SIGTERM);
        ::sigaddset(&ends, SIGINT);
        ::sigaddset(&ends, SIGCHLD);
        ::sigprocmask(SIG_BLOCK, &ends, nullptr);
        auto const signals = ::signalfd(-1, &ends, SFD_CLOEXEC);

        if (options_.persona.empty()) say_ready();
        else TRY(insert(options_.persona));
        while (!quit_) {
            std::vector<pollfd> polled{{signals, POLLIN, 0}};
            if (slot_.descriptor() >= 0) polled.push_back({slot_.descriptor(), POLLIN, 0});
            if (control_)
                for (auto const descriptor : control_->descriptors()) polled.push_back({descriptor, POLLIN, 0});
            // Without a connection, or with somebody waiting for it, time passes in steps; otherwise nothing happens by
            // itself.
            auto const idle = !slot_.card() || (slot_.descriptor() >= 0 && !inserting_ && ready_);
            auto const count = ::poll(polled.data(), polled.size(), idle ? -1 : retry_milliseconds);
            if (count < 0) continue;
            for (auto const& p : polled)
                if (p.revents != 0) happened(p.fd, signals);
            slot_.connect();
            report(count == 0);
        }
        ::close(signals);
        return std::move(failure_);
    }

private:
    struct Inserting {
        int client;
        int retries_left;
    };

    void happened(int descriptor, int signals)
    {
        if (descriptor == signals) end(signals);
        else if (descriptor == slot_.descriptor()) slot_.readable();
        else if (control_)
            for (auto const& line : control_->readable(descriptor)) obey(line);
    }

    void end(int signals)
    {
        quit_ = true;
        signalfd_siginfo signal{};
        auto const read = ::read(signals, &signal, sizeof signal);
        if (read == sizeof signal && signal.ssi_signo == SIGCHLD)
            failure_ = fail(Outcome::reader_service_missing, "pcscd has ended");
    }

    void obey(Control::Line const& line)
    {
        auto const space = line.text.find(' ');
        auto const verb = line.text.substr(0, space);
        auto const name = space == std::string::npos ? std::string{} : line.text.substr(space + 1);
        if (verb == "insert" && !name.empty()) {
            if (auto const inserted = insert(name); !inserted)
                return control_->answer(line.client, "error " + inserted.error().detail);
            inserting_ = Inserting{line.client, patience_in_retries};
        } else if (line.text == "remove") {
            if (inserting_) control_->answer(std::exchange(inserting_, std::nullopt)->client, "error removed");
            slot_.remove();
            control_->answer(line.client, "ok");
        } else if (line.text == "status") {
            control_->answer(line.client, status());
        } else if (line.text == "quit") {
            control_->answer(line.client, "ok");
            quit_ = true;
        } else {
            control_->answer(line.client, "error expected: insert NAME, remove, status or quit");
        }
    }

    Result<void> insert(std::string const& persona)
    {
        auto card = TRY(card_of(options_.folders, persona, options_.now()));
        slot_.insert(CardCore{std::move(card)});
        slot_.connect();
        return {};
    }

    /// Tells who waits that the reader has seen the card, or that patience is at its end.
    void report(bool time_passed)
    {
        if (slot_.seen()) say_ready();
        if (!inserting_) return;
        auto const name = slot_.card() != nullptr ? slot_.card()->card().persona : std::string{};
        if (slot_.seen()) {
            control_->answer(inserting_->client, "ok " + name);
            inserting_.reset();
        } else if (time_passed && --inserting_->retries_left <= 0) {
            control_->answer(inserting_->client, "waiting " + name);
            inserting_.reset();
        }
    }

    std::string status() const
    {
        auto const* const card = slot_.card();
        if (card == nullptr) return "empty";
        return fmt::format("card {} {} {}", card->card().persona, slot_.seen() ? "present" : "waiting",
                           card->pin_tries());
    }

    void say_ready()
    {
        if (std::exchange(ready_, true)) return;
        std::puts("ready");
        std::fflush(stdout);
    }

    /// A PIN that can't be kept would come back with a restart: better no card at all.
    void keep(CardCore const& card)
    {
        if (auto kept = keep_pin(options_.folders, card); !kept) {
            failure_ = std::move(kept);
            quit_ = true;
        }
    }

    RunOptions const& options_;
    std::optional<Control> control_;
    Slot slot_;
    std::optional<Inserting> inserting_;
    bool ready_ = false;
    bool quit_ = false;
    Result<void> failure_;
};

} // namespace

Result<void> run_card(RunOptions const& options)
{
    // Before the namespace is entered, so that a control port stays reachable from outside it.
    std::optional<Control> control;
    if (!options.control.empty()) control.emplace(TRY(Control::listen(options.control)));
    std::optional<OwnReader> reader;
    if (!options.own_reader.empty()) {
        auto const pin_pad = std::filesystem::read_symlink("/proc/self/exe").replace_filename("ifd_pin_pad.so");
        reader.emplace(TRY(OwnReader::start(options.own_reader, options.pin_pad ? pin_pad.c_str() : vpcd_driver)));
    }
    return Runner{options, std::move(control)}.run();
}

} // namespace symbolon::virtual_card

// symbolon-phone: a phone without a screen (docs/symbolon-phone.md).

#include "app/command_line.hpp"
#include "base/text.hpp"
#include "crypto/random.hpp"
#include "device/vectors.hpp"
#include "phone/runner.hpp"

#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <iostream>
#include <thread>
#include <unistd.h>

namespace {

using namespace symbolon;
using device::Phone;
using phone::CurlTransport;
using phone::Habits;
using phone::ServerAddress;

/// Says what went wrong; gives the exit status (docs/symbolon-phone.md).
int complain(Failure const& failure)
{
    std::cerr << "symbolon-phone: " << failure.detail;
    if (failure.tries_left) std::cerr << ", tries left: " << *failure.tries_left;
    std::cerr << "\n[" << name_of(failure.outcome) << "]\n";
    switch (failure.outcome) {
    case Outcome::upstream_unreachable:
    case Outcome::json_malformed: return 6;
    case Outcome::not_found:
    case Outcome::configuration_invalid:
    case Outcome::code_trivial:
    case Outcome::code_malformed: return 2;
    case Outcome::data_damaged:
    case Outcome::store_failed: return 1;
    default: return 7;
    }
}

void print(json::Object const& object) { std::cout << json::write(object) << std::endl; }

struct Options {
    ServerAddress server;
    std::filesystem::path state;
    std::string calling_code = "32";
    std::string number;
    std::string token;
    std::string bank;
    std::string sms_code;
    std::string outbox;
    std::string code;
    std::string name = "symbolon-phone";
    std::string symbol;
    std::string policy = "wait";
    std::string reason;
    std::string scan;
    std::string open;
    std::string type;
    int delay_seconds = 0;
    int control = -1;
};

/// Six digits that stand in a text.
std::optional<std::string> digits_in(std::string_view text)
{
    constexpr std::size_t digits = 6;
    for (std::size_t at = 0; at + digits <= text.size(); ++at)
        if (is_digits(text.substr(at, digits))) return std::string{text.substr(at, digits)};
    return std::nullopt;
}

/// What the demo's outbox keeps: how many messages, and the newest one to a number from the `seen`th on.
class Outbox {
public:
    explicit Outbox(std::string url) : transport_{{.url = std::move(url), .ca_file = {}, .language = "en"}} {}

    std::size_t count() { return messages().size(); }

    /// Waits half a minute for it.
    std::optional<std::string> next_code(std::string_view number, std::size_t seen)
    {
        for (int tries = 0; tries < 150; ++tries) {
            auto const all = messages();
            for (auto at = all.size(); at > seen; --at) {
                auto const& one = all[at - 1];
                if (!one.is_object()) continue;
                auto const to = json::text(one.get_object(), "to");
                auto const text = json::text(one.get_object(), "text");
                if (to && text && *to == number)
                    if (auto code = digits_in(*text)) return code;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds{200});
        }
        return std::nullopt;
    }

private:
    json::Array messages()
    {
        auto const reply =
            run_now(transport_.send({.method = "GET", .path = "/messages.json", .headers = {}, .body = {}}));
        if (!reply || reply->status != 200) return {};
        auto const value = json::parse(reply->body);
        return value && value->is_array() ? value->get_array() : json::Array{};
    }
    CurlTransport transport_;
};

/// A line that the holder types.
std::optional<std::string> typed_line(std::string_view what)
{
    std::cerr << what << ": " << std::flush;
    std::string typed;
    if (!std::getline(std::cin, typed)) return std::nullopt;
    return std::string{trimmed(typed)};
}

/// The SMS code: given, from the outbox, or typed.
std::optional<std::string> sms_code(Options const& options, Outbox* outbox, std::size_t seen)
{
    if (!options.sms_code.empty()) return options.sms_code;
    if (outbox != nullptr) {
        // The outbox names the number as the gateway was told it; the page's field is in national form.
        auto national = std::string{};
        for (auto const sign : options.number)
            if (sign >= '0' && sign <= '9') national += sign;
        if (!options.number.starts_with('+')) {
            if (national.starts_with('0')) national.erase(0, 1);
            national = options.calling_code + national;
        }
        return outbox->next_code("+" + national, seen);
    }
    return typed_line("SMS code");
}

/// As far as the SMS code, with the identification token of the page.
Result<void> begin_with_token(Phone& phone, Options const& options)
{
    return run_now(phone.start_enrolment(options.calling_code, options.number, SecretText{options.token}));
}

/// As far as the SMS code, through a bank. This phone is no browser: the holder opens the address in one, and types the
/// code of the page where the visit ends.
Result<void> begin_at_bank(Phone& phone, Options const& options)
{
    TRY(run_now(phone.start_at_bank(options.calling_code, options.number, options.server.language)));
    print({{"url", TRY(run_now(phone.visit_bank(options.bank)))}});
    auto const typed = typed_line("Code of the page where the visit ended");
    auto const place = TRY(run_now(phone.enrolment_place()));
    if (place.outcome) {
        auto failure = fail(*place.outcome, "the visit at the bank");
        failure.error().open_at = place.open_at;
        return failure;
    }
    TRY(run_now(phone.give_landing_code(SecretText{typed.value_or("")})));
    TRY(run_now(phone.enrolment_place()));
    return {};
}

int enrol(Options const& options)
{
    auto const random = crypto::system_random();
    CurlTransport transport{options.server};
    Phone phone{device::new_phone(*random), transport};
    std::optional<Outbox> outbox;
    if (!options.outbox.empty()) outbox.emplace(options.outbox);
    auto const seen = outbox ? outbox->count() : 0;

    auto const started = options.bank.empty() ? begin_with_token(phone, options) : begin_at_bank(phone, options);
    if (!started) return complain(started.error());
    // Before anything is bound, what the binding needs is on disk.
    if (auto const kept = phone::write_state(options.state, phone.state()); !kept) return complain(kept.error());
    auto const typed = sms_code(options, outbox ? &*outbox : nullptr, seen);
    if (!typed) {
        std::cerr << "symbolon-phone: no SMS came\n[sms_not_sent]\n";
        return 7;
    }
    auto const rules = run_now(phone.give_sms_code(SecretText{*typed}));
    if (!rules) return complain(rules.error());
    auto const finished = run_now(phone.finish_enrolment(SecretText{options.code}, *rules, options.name));
    if (!finished) return complain(finished.error());
    if (auto const kept = phone::write_state(options.state, phone.state()); !kept) return complain(kept.error());
    print({{"did", phone.state().device.text()}, {"phone_number", phone.state().phone_number}});
    return 0;
}

Habits habits_of(Options const& options)
{
    return {.policy = phone::policy_named(options.policy).value_or(phone::Policy::wait),
            .symbol = options.symbol,
            .code = SecretText{options.code},
            .delay = Seconds{options.delay_seconds}};
}

/// A command, on a phone that is switched on for it.
int command(Options const& options, std::string const& line)
{
    auto state = phone::read_state(options.state);
    if (!state) return complain(state.error());
    phone::Runner runner{options.server, *std::move(state), options.state, habits_of(options)};
    runner.start();
    auto const claim = !options.scan.empty()   ? "scan " + options.scan
                       : !options.open.empty() ? "open " + options.open
                       : !options.type.empty() ? "type " + options.type
                                               : std::string{};
    auto answer = claim.empty() ? json::Object{} : runner.command(claim);
    if (!answer.contains("outcome") && !line.empty()) answer = runner.command(line);
    runner.stop();
    print(answer);
    return answer.contains("outcome") ? 7 : 0;
}

int run(Options const& options)
{
    auto state = phone::read_state(options.state);
    if (!state) return complain(state.error());
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);

    phone::Runner runner{options.server, *std::move(state), options.state, habits_of(options)};
    std::unique_ptr<phone::ControlPort> control;
    if (options.control >= 0) {
        auto opened = phone::ControlPort::open(runner, options.control);
        if (!opened) return complain(opened.error());
        control = *std::move(opened);
        print({{"control", control->port()}});
    }
    runner.start();
    std::thread signalled{[&] {
        timespec const look_again{.tv_sec = 0, .tv_nsec = 200'000'000};
        while (!runner.is_stopped())
            if (sigtimedwait(&signals, nullptr, &look_again) > 0) runner.command("quit");
    }};
    if (control) control->run();
    signalled.join();
    runner.stop();
    return 0;
}

} // namespace

int main(int argc, char** argv)
{
    CLI::App app{"A phone without a screen: enrols, waits for requests, and answers them."};
    app.require_subcommand(1);
    Options options;
    std::string server;
    app.add_option("--server", server, "origin of the phone API")->default_val("http://localhost:8401");
    app.add_option("--ca", options.server.ca_file, "certificate authorities to trust, PEM");
    app.add_option("--language", options.server.language, "en, fr, nl or de");
    app.add_option("--state", options.state, "the file that is this phone");
    app.add_option("--code", options.code, "the holder's five digits")->default_val("38214");

    auto* const enrolling = app.add_subcommand("enrol", "bind this phone to an account");
    enrolling->add_option("--calling-code", options.calling_code, "of the number (default 32)");
    enrolling->add_option("--number", options.number, "mobile number")->required();
    auto* const how = enrolling->add_option_group("how");
    how->add_option("--token", options.token, "identification token of the page");
    how->add_option("--bank", options.bank, "through this bank: prints the address to open in a browser");
    how->require_option(1);
    enrolling->add_option("--sms-code", options.sms_code,
                          "the code of the SMS; without it, it is read from standard input");
    enrolling->add_option("--outbox", options.outbox, "take the SMS from the demo's outbox at this origin");
    enrolling->add_option("--name", options.name, "what the phone calls itself");

    auto const with_symbol = [&options](CLI::App* subcommand) {
        subcommand->add_option("--symbol", options.symbol, "the symbol that the login page shows");
        return subcommand;
    };
    auto const answering = [&](char const* name, char const* what) {
        return with_symbol(app.add_subcommand(name, what));
    };
    auto* const approving = answering("approve", "wait for a request and approve it");
    auto* const wrong_coding = answering("wrong-code", "wait for a request and answer it with a wrong code");
    auto* const wrong_symboling = answering("wrong-symbol", "wait for a request and pick another symbol");
    auto* const refusing = app.add_subcommand("refuse", "wait for a request and refuse it");
    refusing->add_option("--reason", options.reason, "not_me or changed_mind");
    auto* const showing = app.add_subcommand("show", "wait for a request and print what the phone shows");
    auto* const claiming = app.add_subcommand("claim", "go to a page, and answer nothing yet");
    auto* const matching =
        with_symbol(app.add_subcommand("match", "pick the symbol of a page that was approved by link"));
    for (auto* const subcommand : {approving, wrong_coding, wrong_symboling, refusing, showing, claiming}) {
        subcommand->add_option("--scan", options.scan, "what the QR code of a page says: the camera saw it");
        subcommand->add_option("--open", options.open, "an address of a QR code or link that opens the phone");
        subcommand->add_option("--type", options.type, "the short code of a page");
    }
    auto* const asking = app.add_subcommand("me", "print what the server knows of this phone");

    auto* const running = with_symbol(app.add_subcommand("run", "stay on; take commands at a port"));
    running->alias("serve");
    running->add_option("--control", options.control, "port on 127.0.0.1 for commands; 0: any, printed");
    running->add_option("--policy", options.policy, "wait, approve, touch, refuse, ignore, wrong-code, wrong-symbol")
        ->check([](std::string const& name) {
            return phone::policy_named(name) ? std::string{} : "no such policy: " + name;
        });
    running->add_option("--delay", options.delay_seconds, "seconds before it answers by itself");
    auto* const vectors = app.add_subcommand("vectors", "print test vectors of the protocol, with new keys");

    // What comes after the subcommand may also be an option of the program itself.
    for (auto* const subcommand : app.get_subcommands([](CLI::App*) { return true; })) subcommand->fallthrough();
    if (auto const end = symbolon::app::end_of_command_line(app, argc, argv)) return *end;

    if (vectors->parsed()) {
        print(device::make_vectors());
        return 0;
    }
    auto origin = phone::parse_origin(server);
    if (!origin || options.state.empty()) {
        std::cerr << "symbolon-phone: " << (origin ? "--state FILE, please" : origin.error().detail) << "\n";
        return 2;
    }
    options.server.url = *std::move(origin);
    if (enrolling->parsed()) return enrol(options);
    if (running->parsed()) return run(options);
    if (refusing->parsed()) return command(options, "refuse " + options.reason);
    if (showing->parsed()) return command(options, "show");
    if (claiming->parsed()) return command(options, "");
    if (matching->parsed()) return command(options, "match " + options.symbol);
    if (asking->parsed()) return command(options, "me");
    if (approving->parsed()) return command(options, "approve " + options.symbol);
    if (wrong_coding->parsed()) return command(options, "wrong-code " + options.symbol);
    if (wrong_symboling->parsed()) return command(options, "wrong-symbol " + options.symbol);
    return 2;
}

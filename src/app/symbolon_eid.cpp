/// symbolon-eid: reads and signs with the Belgian identity card, for the page that shows its link
/// (docs/reader-protocol.md).

#include "action/symbols.hpp"
#include "app/command_line.hpp"
#include "app/symbolon_eid_window.hpp"
#include "base/text.hpp"
#include "base/texts.hpp"
#include "card_reader/eid_program.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <iostream>
#include <termios.h>
#include <thread>
#include <unistd.h>

namespace symbolon {
namespace {

using namespace card_reader;
using namespace std::chrono_literals;

constexpr std::chrono::seconds patience_of_a_person{120};
constexpr std::size_t longest_pin_line = 64;

struct Options {
    std::string link;
    std::string language;
    std::string reader;
    std::string symbol;
    std::string ca_file;
    bool window = false;
    bool headless = false;
    bool yes = false;
    bool last_try = false;
    int pin_fd = -1;
    int wait_seconds = -1;
};

/// Digits as they were read, overwritten when they are no longer needed.
struct PinLine {
    std::array<char, longest_pin_line> digits{};
    std::size_t size = 0;

    PinLine() = default;
    PinLine(PinLine const&) = delete;
    PinLine& operator=(PinLine const&) = delete;
    ~PinLine() { wipe(digits.data(), digits.size()); }

    /// False: it is full.
    bool add(char c)
    {
        if (size == digits.size()) return false;
        digits.at(size++) = c;
        return true;
    }
    [[nodiscard]] Result<SecretText> pin() const { return pin_from_digits({digits.data(), size}); }
};

/// The first line of a file descriptor.
Result<SecretText> pin_from(int fd)
{
    PinLine line;
    for (char c = 0;;) {
        auto const read = ::read(fd, &c, 1);
        if (read < 0 && errno == EINTR) continue;
        if (read <= 0 || c == '\n') break;
        if (c != '\r' && !line.add(c)) return fail(Outcome::pin_malformed);
    }
    return line.pin();
}

/// A terminal that shows nothing of what is typed, as long as this lives. Signals from keys are off too: the terminal
/// must not be left like this.
class SilentTerminal {
public:
    SilentTerminal() : fd_{::open("/dev/tty", O_RDWR | O_CLOEXEC)}
    {
        if (fd_ < 0 || ::tcgetattr(fd_, &before_) != 0) return;
        auto silent = before_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON | ISIG);
        silent.c_cc[VMIN] = 1;
        silent.c_cc[VTIME] = 0;
        is_silent_ = ::tcsetattr(fd_, TCSAFLUSH, &silent) == 0;
    }
    SilentTerminal(SilentTerminal const&) = delete;
    SilentTerminal& operator=(SilentTerminal const&) = delete;
    ~SilentTerminal()
    {
        if (is_silent_) ::tcsetattr(fd_, TCSAFLUSH, &before_);
        if (fd_ >= 0) ::close(fd_);
    }

    /// Fails: cancelled (Ctrl-C, Ctrl-D, no terminal), pin_malformed.
    Result<SecretText> read_pin() const
    {
        constexpr char control_c = 3;
        constexpr char control_d = 4;
        constexpr char backspace = 8;
        constexpr char del = 127;
        if (!is_silent_) return fail(Outcome::cancelled, "no terminal to type the PIN on");
        PinLine line;
        for (char c = 0;;) {
            auto const read = ::read(fd_, &c, 1);
            if (read < 0 && errno == EINTR) continue;
            if (read <= 0 || c == control_c || c == control_d) return fail(Outcome::cancelled);
            if (c == '\n' || c == '\r') return line.pin();
            if (c == backspace || c == del) line.size -= line.size > 0 ? 1 : 0;
            else if (!line.add(c)) return fail(Outcome::pin_malformed);
        }
    }

private:
    int fd_;
    termios before_{};
    bool is_silent_ = false;
};

/// The person at the terminal; what an option already says is not asked.
class TerminalHolder final : public Holder {
public:
    TerminalHolder(Options const& options, Texts const& texts) : options_{options}, texts_{texts} {}

    void speak(Language language) override { language_ = language; }

    void say(std::string_view text) override { fmt::print("{}\n", text), std::fflush(stdout); }

    void complain(std::string_view text) override { say(text); }

    bool agrees(Request const& request) override
    {
        say(request.asks);
        say(request.phone_number);
        if (!request.email.empty()) say(request.email);
        say(request.warning);
        return options_.yes || is_answered_with_yes(request.question);
    }

    bool risks_last_try(std::string_view question) override
    {
        return options_.last_try || is_answered_with_yes(question);
    }

    std::optional<std::string> choose_symbol(std::string_view question,
                                             std::vector<std::string> const& symbols) override
    {
        if (!options_.symbol.empty()) return by_name(options_.symbol, symbols);
        if (options_.headless) return std::nullopt;
        say(question);
        for (std::size_t i = 0; i < symbols.size(); ++i)
            say(fmt::format("  {}  {}", i + 1, name_of_symbol(symbols[i], language_)));
        auto const line = ask(texts_.text(language_, "eid.symbol_number") + ": ");
        if (!line) return std::nullopt;
        auto const answer = trimmed(*line);
        if (is_digits(answer) && answer.size() <= 2) {
            auto const number = std::stoul(std::string{answer});
            if (number >= 1 && number <= symbols.size()) return symbols[number - 1];
        }
        return by_name(answer, symbols);
    }

    Result<SecretText> type_pin(std::string_view question) override
    {
        if (options_.pin_fd >= 0) return pin_from(options_.pin_fd);
        if (options_.headless) return fail(Outcome::cancelled, "no --pin-fd");
        fmt::print("{}: ", question);
        std::fflush(stdout);
        auto pin = SilentTerminal{}.read_pin();
        fmt::print("\n");
        return pin;
    }

    [[nodiscard]] bool can_try_again() const override { return !options_.headless && options_.pin_fd < 0; }

private:
    bool is_answered_with_yes(std::string_view question)
    {
        if (options_.headless) return false;
        auto const line = ask(fmt::format("{} ({}): ", question, texts_.text(language_, "eid.yes_or_no")));
        auto const yes = texts_.text(language_, "eid.yes_letters");
        return line && !line->empty() && yes.find(line->front()) != std::string::npos;
    }

    /// By its id, or its name in any language. Another word is passed on: it is none of the six.
    static std::string by_name(std::string_view name, std::vector<std::string> const& symbols)
    {
        for (auto const& symbol : symbols) {
            if (equal_ignoring_case(symbol, name)) return symbol;
            for (auto const language : all_languages)
                if (folded(name_of_symbol(symbol, language)) == folded(name)) return symbol;
        }
        return std::string{name};
    }

    static std::optional<std::string> ask(std::string const& question)
    {
        fmt::print("{}", question);
        std::fflush(stdout);
        std::string line;
        if (!std::getline(std::cin, line) || !is_utf8(line)) return std::nullopt;
        return line;
    }

    Options const& options_;
    Texts const& texts_;
    Language language_ = Language::en;
};

/// The language of the session: LC_ALL, LC_MESSAGES, LANG (POSIX.1-2017 §8.2).
Language language_of_environment()
{
    for (auto const* const name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
        auto const* const value = std::getenv(name);
        if (value == nullptr || *value == '\0') continue;
        return language_named(std::string_view{value}.substr(0, 2)).value_or(Language::en);
    }
    return Language::en;
}

int end_with(Exit exit, std::string_view text, std::string_view outcome)
{
    if (exit == Exit::done) {
        fmt::print("{}\n", text);
    } else {
        fmt::print(stderr, "{}\n[{}]\n", text, outcome);
    }
    return static_cast<int>(exit);
}

/// Looks for a card as long as the holder is there and has patience, both of which are asked every second.
Result<std::unique_ptr<Transceiver>> wait_for_card(std::optional<Readers>& readers, Options const& options,
                                                   Holder const& holder, std::function<void(Waiting)> const& waiting)
{
    auto const patience = options.wait_seconds >= 0 ? std::chrono::seconds{options.wait_seconds}
                          : options.headless        ? std::chrono::seconds{0}
                                                    : patience_of_a_person;
    if (!readers) readers.emplace(TRY(Readers::connect([](auto time) { std::this_thread::sleep_for(time); })));
    std::optional<Waiting> told;
    auto const tell_once = [&](Waiting for_what) {
        if (told != for_what) waiting(for_what);
        told = for_what;
    };
    for (auto left = patience;; left -= 1s) {
        auto card = readers->find_card(options.reader, std::min<std::chrono::seconds>(left, 1s), tell_once);
        auto const nothing_there =
            !card && (card.error().outcome == Outcome::reader_missing || card.error().outcome == Outcome::card_missing);
        if (!nothing_there || left <= 1s) return card;
        if (!holder.is_there()) return fail(Outcome::cancelled);
    }
}

Ending converse(Options const& options, Texts const& texts, Language language, Holder& holder)
{
    auto const link = parse_link(options.link, options.ca_file.empty() ? Loopback::plain : Loopback::tls);
    if (!link) return {Exit::usage, texts.text(language, "eid.link_wrong"), std::string{name_of(link.error().outcome)}};

    HttpServer server{link->origin, options.ca_file, language};
    std::optional<Readers> readers; // outlives the card that it finds
    auto const find_card = [&](std::function<void(Waiting)> const& waiting) {
        return wait_for_card(readers, options, holder, waiting);
    };
    return run_program(*link, {.server = server,
                               .holder = holder,
                               .find_card = find_card,
                               .texts = texts,
                               .language = language,
                               .language_is_chosen = !options.language.empty()});
}

int run(Options const& options)
{
    Texts const texts;
    auto const language = language_named(options.language).value_or(language_of_environment());
    Ending ending;
    if (options.window) {
        auto const window = Window::open(texts, language);
        if (!window)
            return end_with(Exit::usage, texts.text(language, "eid.window.no_screen"),
                            name_of(Outcome::request_malformed));
        ending = window->run([&] { return converse(options, texts, language, *window); });
    } else {
        TerminalHolder holder{options, texts};
        ending = converse(options, texts, language, holder);
    }
    return end_with(ending.exit, ending.text, ending.outcome);
}

} // namespace
} // namespace symbolon

int main(int argc, char** argv)
{
    symbolon::Options options;
    CLI::App app{"Reads and signs with the Belgian identity card, for the page that shows the link.", "symbolon-eid"};
    app.set_version_flag("--version", "symbolon-eid 0.1.0");
    app.add_option("link", options.link, "symbolon-eid://HOST[:PORT]/TICKET, as the page shows it")->required();
    app.add_option("--lang", options.language, "fr, nl, de or en; else the page's language")
        ->check(CLI::IsMember({"fr", "nl", "de", "en"}));
    app.add_option("--reader", options.reader, "only a reader whose name contains this");
    auto* const symbol = app.add_option("--symbol", options.symbol, "the symbol that the page shows");
    app.add_option("--ca", options.ca_file, "authorities for TLS, a PEM file; also for a loopback host");
    auto* const pin_fd =
        app.add_option("--pin-fd", options.pin_fd, "read the PIN from this file descriptor, its first line");
    pin_fd->check(CLI::Range(0, 1023));
    app.add_option("--wait", options.wait_seconds, "seconds to wait for a reader and a card (120; headless: 0)")
        ->check(CLI::Range(0, 600));
    auto* const headless = app.add_flag("--headless", options.headless, "ask nothing: what no option says is a no");
    auto* const yes = app.add_flag("--yes", options.yes, "agree to the reading or the signature");
    auto* const last_try = app.add_flag("--last-try", options.last_try, "use the PIN's last try, too");
    auto* const window = app.add_flag("--window", options.window, "talk in a window instead of the terminal");
    // In a window the person answers, nobody for them.
    for (auto* const answer : {pin_fd, symbol, headless, yes, last_try}) window->excludes(answer);
    app.footer(
        "Exit status: 0 done, 2 wrong use, 3 not agreed, 4 reader or card, 5 PIN, 6 server out of reach, 7 refused.\n"
        "The last line on standard error names the outcome in square brackets.");
    static_assert(symbolon::app::wrong_use == static_cast<int>(symbolon::card_reader::Exit::usage));
    if (auto const end = symbolon::app::end_of_command_line(app, argc, argv)) return *end;
    try {
        return symbolon::run(options);
    } catch (std::exception const& error) {
        fmt::print(stderr, "{}\n[internal]\n", error.what());
        return static_cast<int>(symbolon::card_reader::Exit::unexpected);
    }
}

#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"
#include "base/texts.hpp"
#include "card_reader/belpic.hpp"
#include "card_reader/link.hpp"
#include "card_reader/pcsc.hpp"
#include "card_reader/server.hpp"
#include "card_reader/transceiver.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What symbolon-eid does, apart from the terminal, PC/SC and HTTP that it does it with.
namespace symbolon::card_reader {

/// Exit statuses (docs/reader-protocol.md).
enum class Exit : std::uint8_t {
    done = 0,
    unexpected = 1,
    usage = 2,
    not_agreed = 3,
    card = 4,
    pin = 5,
    unreachable = 6,
    refused = 7,
};

/// What the holder is asked to agree to, in sentences of their language.
struct Request {
    std::string asks;         ///< which host wants what
    std::string phone_number; ///< which one the account will have
    std::string email;        ///< likewise; may be empty
    std::string warning;
    std::string question;
};

/// Who sits before the reader, or the options that speak for them. Texts are in the language that was spoken last.
class Holder {
public:
    virtual ~Holder() = default;

    /// The language from now on.
    virtual void speak(Language language) = 0;
    /// What goes on, or what to do at the reader. It holds until the next call of any kind.
    virtual void say(std::string_view text) = 0;
    /// What went wrong; another question follows.
    virtual void complain(std::string_view text) = 0;
    /// Consent to the reading or the signature.
    virtual bool agrees(Request const& request) = 0;
    /// Whether to go on although a wrong PIN would block the card.
    virtual bool risks_last_try(std::string_view question) = 0;
    /// One of the symbols, or another word: that is none of them. Nothing: the holder gives up.
    virtual std::optional<std::string> choose_symbol(std::string_view question,
                                                     std::vector<std::string> const& symbols) = 0;
    /// Fails: cancelled, pin_malformed.
    virtual Result<SecretText> type_pin(std::string_view question) = 0;
    /// Whether a wrong PIN leads to another question.
    [[nodiscard]] virtual bool can_try_again() const = 0;
    /// False: the holder went away while the card was busy. Asked before anything of the card leaves this computer.
    [[nodiscard]] virtual bool is_there() const { return true; }
};

/// Finds a card, and says while it waits what for.
using FindCard = std::function<Result<std::unique_ptr<Transceiver>>(std::function<void(Waiting)> const&)>;

struct ProgramMeans {
    Server& server;
    Holder& holder;
    FindCard find_card;
    Texts const& texts;
    Language language = Language::en; ///< until the server says which one the page has
    bool language_is_chosen = false;  ///< --lang: the server's word doesn't count
};

/// How it ended: the last thing that the holder is told, and what the exit status is.
struct Ending {
    Exit exit = Exit::done;
    std::string text;
    std::string outcome; ///< its name; empty when all is well
};

Ending run_program(Link const& link, ProgramMeans means);

} // namespace symbolon::card_reader

#pragma once

#include "card_reader/eid_program.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

/// symbolon-eid for people: the conversation with the holder in a window.
namespace symbolon {

/// A symbol as one reads it; the id of one that this version doesn't know.
std::string name_of_symbol(std::string const& id, Language language);

/// One window, which shows one page at a time: what goes on, or a question.
///
/// Made and run in the main thread; the conversation calls it as its Holder from another one. When the holder closes
/// the window every question is answered with a no, and is_there() is false.
class Window final : public card_reader::Holder {
public:
    /// Null: there is no screen. `language`: until the first speak().
    static std::unique_ptr<Window> open(Texts const& texts, Language language);

    Window(Window const&) = delete;
    Window& operator=(Window const&) = delete;
    ~Window() override;

    /// Runs `conversation` in a thread of its own, shows how it ended until the holder closes the window, and gives
    /// that ending.
    card_reader::Ending run(std::function<card_reader::Ending()> conversation);

    void speak(Language language) override;
    void say(std::string_view text) override;
    void complain(std::string_view text) override;
    bool agrees(card_reader::Request const& request) override;
    bool risks_last_try(std::string_view question) override;
    std::optional<std::string> choose_symbol(std::string_view question,
                                             std::vector<std::string> const& symbols) override;
    Result<SecretText> type_pin(std::string_view question) override;
    [[nodiscard]] bool can_try_again() const override { return is_there(); }
    [[nodiscard]] bool is_there() const override;

private:
    struct State;
    explicit Window(std::unique_ptr<State> state);

    std::unique_ptr<State> state_;
};

} // namespace symbolon

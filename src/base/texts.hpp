#pragma once

#include "base/language.hpp"
#include "base/outcome.hpp"

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace symbolon {

/// One file of texts/: `outcomes.fr.json` is the catalogue "outcomes" in French.
struct TextFile {
    std::string_view catalogue;
    Language language;
    std::string_view json; ///< an object of texts, or of objects of texts
};

/// The files of texts/ as they were when the program was built.
std::span<TextFile const> embedded_text_files();

/// Every sentence that people read, in the four languages (F5).
///
/// A key is the catalogue's name and the names on the way to the text: "sms.code", "outcomes.pin_wrong". A text may
/// hold `{name}` for a value.
class Texts {
public:
    using Values = std::vector<std::pair<std::string_view, std::string>>;

    Texts() : Texts{embedded_text_files()} {}

    /// A catalogue that is not the same in the four languages (a key, a placeholder) is our own mistake: it ends the
    /// program at its start and names the key.
    explicit Texts(std::span<TextFile const> files);

    /// The text of a key with its values in place. A key that is in no catalogue, a value that is missing or too much:
    /// our own mistake.
    [[nodiscard]] std::string text(Language language, std::string_view key, Values const& values = {}) const;

    /// The sentence of an outcome: catalogue "outcomes".
    [[nodiscard]] std::string text(Language language, Outcome outcome) const;

    [[nodiscard]] bool knows(std::string_view key) const;

    /// For what a program needs at its start: ends it with the name of the first key that is in no catalogue.
    void require(std::span<std::string_view const> keys) const;

    /// Every outcome has its text. At the start of a program that shows them.
    void require_outcomes() const;

    [[nodiscard]] std::vector<std::string_view> keys() const;

private:
    using InLanguages = std::array<std::optional<std::string>, all_languages.size()>;
    InLanguages const& find(std::string_view key) const;

    std::map<std::string, InLanguages, std::less<>> texts_;
};

} // namespace symbolon

#pragma once

#include "base/texts.hpp"
#include "page/html.hpp"

#include <string>

namespace symbolon::page {

/// The words of one page: those of a catalogue, in the language of who reads.
struct Words {
    std::string_view catalogue;
    Language language;
    Texts const& texts;

    [[nodiscard]] std::string plain(std::string const& key, Texts::Values const& values = {}) const
    {
        return texts.text(language, std::string{catalogue} + '.' + key, values);
    }
    [[nodiscard]] Html operator()(std::string const& key, Texts::Values const& values = {}) const
    {
        return text(plain(key, values));
    }
};

} // namespace symbolon::page

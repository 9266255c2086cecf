#pragma once

#include "base/texts.hpp"
#include "page/html.hpp"

namespace symbolon::page {

/// The mark and the name that stand at the head of every page.
Html brand();

/// What every page of a test system says. Empty where it is none.
Html test_banner(Language language, Texts const& texts, bool is_test_system);

} // namespace symbolon::page

#pragma once

#include "page/html.hpp"

namespace symbolon::page {

/// The mark and the name that stand at the head of every page.
Html brand();

} // namespace symbolon::page

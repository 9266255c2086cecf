#pragma once

#include <string>
#include <string_view>

namespace symbolon {

/// `+32 470 12 34 56`: a phone number in E.164 form in groups, for the eye only, with U+00A0 between them so that it
/// stays on one line. Belgium and its neighbours are grouped as people there do, the others are given back as they are;
/// what is no such number too. The pages do the same in web/shared/number-shown.ts.
std::string grouped_number(std::string_view e164);

} // namespace symbolon

#include "base/failure_json.hpp"

namespace symbolon {

json::Object failure_object(Failure const& failure, Language language, Texts const& texts)
{
    json::Object object{{"outcome", name_of(failure.outcome)},
                        {"text", texts.text(language, failure.outcome)},
                        {"way_out", name_of(row_of(failure.outcome).way_out)}};
    if (failure.tries_left) object["tries_left"] = *failure.tries_left;
    if (failure.open_at) object["open_at"] = numeric_date(*failure.open_at);
    if (!failure.fields.empty()) object["fields"] = json::Array(failure.fields.begin(), failure.fields.end());
    return object;
}

} // namespace symbolon

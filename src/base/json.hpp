#pragma once

#include "base/result.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <string_view>

/// JSON (RFC 8259) through Boost.JSON, stricter: names of an object are unique (RFC 7493 §2.3), depth is bounded.
namespace symbolon::json {

using Value = boost::json::value;
using Object = boost::json::object;
using Array = boost::json::array;

/// Parses a whole text. Fails with json_malformed: bad syntax or UTF-8, a name twice in one object, deeper than 16.
Result<Value> parse(std::string_view text);

/// The same, where an object is expected.
Result<Object> parse_object(std::string_view text);

std::string write(Value const& value);
std::string write(Object const& object);

/// Appends a string of JSON, with its quotation marks: `text` is UTF-8.
void append_text(std::string& json, std::string_view text);

/// A member that must be there, of that type. Fails with json_malformed; the detail names the member.
Result<std::string> text(Object const& object, std::string_view name);
Result<std::int64_t> integer(Object const& object, std::string_view name);
Result<bool> boolean(Object const& object, std::string_view name);
Result<Object> object(Object const& object, std::string_view name);
Result<Array> array(Object const& object, std::string_view name);

/// A member that may be absent; of another type it is a failure.
Result<std::optional<std::string>> optional_text(Object const& object, std::string_view name);
Result<std::optional<std::int64_t>> optional_integer(Object const& object, std::string_view name);
Result<std::optional<bool>> optional_boolean(Object const& object, std::string_view name);

} // namespace symbolon::json

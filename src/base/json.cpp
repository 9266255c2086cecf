#include "base/json.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse_options.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_stack.hpp>

#include <algorithm>
#include <set>
#include <vector>

namespace symbolon::json {

namespace bj = boost::json;

namespace {

constexpr std::size_t deepest = 16;

// Builds values as Boost's own parser does, and stops at a name that stands twice in one object.
struct Builder {
    static constexpr std::size_t max_object_size = 10'000;
    static constexpr std::size_t max_array_size = 100'000;
    static constexpr std::size_t max_key_size = 64'000;
    static constexpr std::size_t max_string_size = 1'000'000;

    bj::value_stack stack;
    std::vector<std::set<std::string, std::less<>>> names;
    std::string key;
    bool repeated = false;

    bool on_document_begin(bj::error_code&)
    {
        stack.reset();
        return true;
    }
    static bool on_document_end(bj::error_code&) { return true; }
    bool on_object_begin(bj::error_code&)
    {
        names.emplace_back();
        return true;
    }
    bool on_object_end(std::size_t size, bj::error_code&)
    {
        names.pop_back();
        stack.push_object(size);
        return true;
    }
    static bool on_array_begin(bj::error_code&) { return true; }
    bool on_array_end(std::size_t size, bj::error_code&)
    {
        stack.push_array(size);
        return true;
    }
    bool on_key_part(bj::string_view part, std::size_t, bj::error_code&)
    {
        key.append(part.data(), part.size());
        stack.push_chars(part);
        return true;
    }
    bool on_key(bj::string_view part, std::size_t, bj::error_code& error)
    {
        key.append(part.data(), part.size());
        auto const fresh = names.back().insert(std::exchange(key, {})).second;
        if (!fresh) {
            repeated = true;
            error = bj::error::extra_data;
            return false;
        }
        stack.push_key(part);
        return true;
    }
    bool on_string_part(bj::string_view part, std::size_t, bj::error_code&)
    {
        stack.push_chars(part);
        return true;
    }
    bool on_string(bj::string_view part, std::size_t, bj::error_code&)
    {
        stack.push_string(part);
        return true;
    }
    static bool on_number_part(bj::string_view, bj::error_code&) { return true; }
    bool on_int64(std::int64_t number, bj::string_view, bj::error_code&)
    {
        stack.push_int64(number);
        return true;
    }
    bool on_uint64(std::uint64_t number, bj::string_view, bj::error_code&)
    {
        stack.push_uint64(number);
        return true;
    }
    bool on_double(double number, bj::string_view, bj::error_code&)
    {
        stack.push_double(number);
        return true;
    }
    bool on_bool(bool value, bj::error_code&)
    {
        stack.push_bool(value);
        return true;
    }
    bool on_null(bj::error_code&)
    {
        stack.push_null();
        return true;
    }
    static bool on_comment_part(bj::string_view, bj::error_code&) { return true; }
    static bool on_comment(bj::string_view, bj::error_code&) { return true; }
};

std::unexpected<Failure> wrong_member(std::string_view name)
{
    return fail(Outcome::json_malformed, "member '" + std::string{name} + "'");
}

} // namespace

Result<Value> parse(std::string_view text)
{
    bj::parse_options options;
    options.max_depth = deepest;
    bj::basic_parser<Builder> parser{options};
    bj::error_code error;
    auto const read = parser.write_some(false, text.data(), text.size(), error);
    if (parser.handler().repeated) return fail(Outcome::json_malformed, "a name stands twice in one object");
    if (error) return fail(Outcome::json_malformed, error.message());
    if (read != text.size()) return fail(Outcome::json_malformed, "more follows the value");
    return parser.handler().stack.release();
}

Result<Object> parse_object(std::string_view text)
{
    auto value = TRY(parse(text));
    if (!value.is_object()) return fail(Outcome::json_malformed, "no object");
    return std::move(value.as_object());
}

std::string write(Value const& value) { return bj::serialize(value); }
std::string write(Object const& object) { return bj::serialize(object); }

void append_text(std::string& json, std::string_view text)
{
    // RFC 8259 §7: "the characters that MUST be escaped". Most texts have none.
    // Looked through to its end, many characters at a time.
    auto const must_be_escaped = [](char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; };
    bool any = false;
    for (auto const c : text) any |= must_be_escaped(c);
    if (any) {
        json += bj::serialize(bj::string_view{text.data(), text.size()});
        return;
    }
    json += '"';
    json += text;
    json += '"';
}

Result<std::string> text(Object const& object, std::string_view name)
{
    auto const* value = object.if_contains(name);
    if (value == nullptr || !value->is_string()) return wrong_member(name);
    return std::string{value->as_string()};
}

Result<std::int64_t> integer(Object const& object, std::string_view name)
{
    auto const* value = object.if_contains(name);
    if (value == nullptr || !value->is_int64()) return wrong_member(name);
    return value->as_int64();
}

Result<bool> boolean(Object const& object, std::string_view name)
{
    auto const* value = object.if_contains(name);
    if (value == nullptr || !value->is_bool()) return wrong_member(name);
    return value->as_bool();
}

Result<Object> object(Object const& object, std::string_view name)
{
    auto const* value = object.if_contains(name);
    if (value == nullptr || !value->is_object()) return wrong_member(name);
    return value->as_object();
}

Result<Array> array(Object const& object, std::string_view name)
{
    auto const* value = object.if_contains(name);
    if (value == nullptr || !value->is_array()) return wrong_member(name);
    return value->as_array();
}

Result<std::optional<std::string>> optional_text(Object const& object, std::string_view name)
{
    if (!object.contains(name)) return std::nullopt;
    return TRY(text(object, name));
}

Result<std::optional<std::int64_t>> optional_integer(Object const& object, std::string_view name)
{
    if (!object.contains(name)) return std::nullopt;
    return TRY(integer(object, name));
}

Result<std::optional<bool>> optional_boolean(Object const& object, std::string_view name)
{
    if (!object.contains(name)) return std::nullopt;
    return TRY(boolean(object, name));
}

} // namespace symbolon::json

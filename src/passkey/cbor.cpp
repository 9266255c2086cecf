#include "passkey/cbor.hpp"

#include "base/ensure.hpp"

#include <algorithm>
#include <array>
#include <cbor.h>
#include <limits>
#include <optional>

namespace symbolon::passkey {

namespace {

constexpr int most_levels = 8;
constexpr auto malformed = Outcome::passkey_refused;

/// What libcbor found at the head of some bytes.
struct Head {
    enum class Kind : std::uint8_t { none, positive, negative, bytes, text, list, map, simple } kind = Kind::none;
    std::uint64_t number = 0; ///< of an integer (a negative one: -1 - number), or how many items follow
    ByteView content;         ///< of a string
    Item::Simple simple = Item::Simple::null;
};

Head& head_at(void* context) { return *static_cast<Head*>(context); }

template <class T, Head::Kind kind>
void take_number(void* context, T number)
{
    head_at(context) = {.kind = kind, .number = number};
}
template <Head::Kind kind>
void take_string(void* context, cbor_data data, std::size_t size)
{
    head_at(context) = {.kind = kind, .number = size, .content = {data, size}};
}

cbor_callbacks callbacks()
{
    using enum Head::Kind;
    // Whatever is not taken here (tags, floating point, open lengths, undefined) leaves the head's kind at none.
    auto calls = cbor_empty_callbacks;
    calls.uint8 = take_number<std::uint8_t, positive>;
    calls.uint16 = take_number<std::uint16_t, positive>;
    calls.uint32 = take_number<std::uint32_t, positive>;
    calls.uint64 = take_number<std::uint64_t, positive>;
    calls.negint8 = take_number<std::uint8_t, negative>;
    calls.negint16 = take_number<std::uint16_t, negative>;
    calls.negint32 = take_number<std::uint32_t, negative>;
    calls.negint64 = take_number<std::uint64_t, negative>;
    calls.byte_string = take_string<bytes>;
    calls.string = take_string<text>;
    calls.array_start = take_number<std::size_t, list>;
    calls.map_start = take_number<std::size_t, map>;
    calls.null = [](void* context) { head_at(context) = {.kind = simple, .simple = Item::Simple::null}; };
    calls.boolean = [](void* context, bool yes) {
        head_at(context) = {.kind = simple, .simple = yes ? Item::Simple::yes : Item::Simple::no};
    };
    return calls;
}

/// How many bytes a head with that number has at least.
std::size_t shortest_head(std::uint64_t number)
{
    if (number < 24) return 1;
    if (number <= std::numeric_limits<std::uint8_t>::max()) return 2;
    if (number <= std::numeric_limits<std::uint16_t>::max()) return 3;
    return number <= std::numeric_limits<std::uint32_t>::max() ? 5 : 9;
}

/// CTAP 2.1 §8: the shorter key first, then the one that is lower byte by byte. `one` and `other` are encoded keys.
bool stands_before(ByteView one, ByteView other)
{
    // Keys of another major type: the lower type first. It is the first three bits of the first byte.
    constexpr int type_shift = 5;
    auto const type = [](ByteView key) { return key.front() >> type_shift; };
    if (type(one) != type(other)) return type(one) < type(other);
    if (one.size() != other.size()) return one.size() < other.size();
    return std::ranges::lexicographical_compare(one, other);
}

Result<Item> take(ByteView& from, Form form, int levels_left);

Result<Item> take_map(ByteView& from, std::uint64_t size, Form form, int levels_left)
{
    Item::Map map;
    ByteView last;
    for (std::uint64_t at = 0; at < size; ++at) {
        auto const begin = from;
        auto key = TRY(take(from, form, levels_left));
        auto const encoded = begin.first(begin.size() - from.size());
        if (form == Form::canonical && !last.empty() && !stands_before(last, encoded))
            return fail(malformed, "CBOR: order of keys");
        last = encoded;
        for (auto const& member : map)
            if (member.key == key) return fail(malformed, "CBOR: a key twice");
        auto value = TRY(take(from, form, levels_left));
        map.push_back({std::move(key), std::move(value)});
    }
    return Item{std::move(map)};
}

Result<Item> take(ByteView& from, Form form, int levels_left)
{
    static auto const calls = callbacks();
    if (from.empty()) return fail(malformed, "CBOR: too short");
    if (levels_left == 0) return fail(malformed, "CBOR: too deep");
    Head head;
    auto const decoded = cbor_stream_decode(from.data(), from.size(), &calls, &head);
    using enum Head::Kind;
    if (decoded.status != CBOR_DECODER_FINISHED || head.kind == none)
        return fail(malformed, "CBOR: short, or of a kind that has no place here");
    auto const head_size = decoded.read - head.content.size();
    if (form == Form::canonical && head_size != shortest_head(head.number))
        return fail(malformed, "CBOR: not the shortest form");
    from = from.subspan(decoded.read);
    // Each item has a byte at least: a number of items that can't be there is not waited for.
    auto const is_collection = head.kind == list || head.kind == map;
    if (is_collection && head.number > from.size()) return fail(malformed, "CBOR: too short");

    switch (head.kind) {
    case positive:
    case negative: {
        if (head.number > std::uint64_t{std::numeric_limits<std::int64_t>::max()})
            return fail(malformed, "CBOR: number out of bounds");
        auto const number = static_cast<std::int64_t>(head.number);
        return Item{head.kind == positive ? number : -1 - number};
    }
    case bytes: return Item{Bytes{head.content.begin(), head.content.end()}};
    case text: return Item{string_of(head.content)};
    case list: {
        Item::List items;
        for (std::uint64_t at = 0; at < head.number; ++at) items.push_back(TRY(take(from, form, levels_left - 1)));
        return Item{std::move(items)};
    }
    case map: return take_map(from, head.number, form, levels_left - 1);
    case simple: return Item{head.simple};
    case none: break;
    }
    return fail(malformed, "CBOR");
}

using Buffer = std::array<Byte, 16>;

template <class Encode>
void append_head(Bytes& to, Encode encode)
{
    Buffer buffer{};
    auto const size = encode(buffer.data(), buffer.size());
    ENSURE(size > 0);
    append(to, ByteView{buffer}.first(size));
}

void write_to(Bytes& to, Item const& item)
{
    auto const head = [&to](auto encode, std::uint64_t number) {
        append_head(to, [&](Byte* at, std::size_t size) { return encode(number, at, size); });
    };
    if (auto const* integer = item.integer()) {
        if (*integer >= 0) head(cbor_encode_uint, static_cast<std::uint64_t>(*integer));
        else head(cbor_encode_negint, static_cast<std::uint64_t>(-1 - *integer));
    } else if (auto const* bytes = item.bytes()) {
        head(cbor_encode_bytestring_start, bytes->size());
        append(to, *bytes);
    } else if (auto const* text = item.text()) {
        head(cbor_encode_string_start, text->size());
        append(to, bytes_of(*text));
    } else if (auto const* list = std::get_if<Item::List>(&item.value)) {
        head(cbor_encode_array_start, list->size());
        for (auto const& each : *list) write_to(to, each);
    } else if (auto const* map = item.map()) {
        head(cbor_encode_map_start, map->size());
        for (auto const& [key, value] : *map) {
            write_to(to, key);
            write_to(to, value);
        }
    } else {
        auto const simple = std::get<Item::Simple>(item.value);
        append_head(to, [simple](Byte* at, std::size_t size) {
            return simple == Item::Simple::null ? cbor_encode_null(at, size)
                                                : cbor_encode_bool(simple == Item::Simple::yes, at, size);
        });
    }
}

} // namespace

bool operator==(Item const& one, Item const& other) { return one.value == other.value; }

Item const* Item::member(std::string_view key) const
{
    if (auto const* members = map())
        for (auto const& [name, item] : *members)
            if (name.text() != nullptr && *name.text() == key) return &item;
    return nullptr;
}

Item const* Item::member(std::int64_t key) const
{
    if (auto const* members = map())
        for (auto const& [name, item] : *members)
            if (name.integer() != nullptr && *name.integer() == key) return &item;
    return nullptr;
}

Result<Item> take_item(ByteView& from, Form form) { return take(from, form, most_levels); }

Result<Item> read_item(ByteView from, Form form)
{
    auto item = TRY(take_item(from, form));
    if (!from.empty()) return fail(malformed, "CBOR: something behind it");
    return item;
}

Bytes write(Item const& item)
{
    Bytes bytes;
    write_to(bytes, item);
    return bytes;
}

} // namespace symbolon::passkey

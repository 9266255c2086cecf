#include "store/log.hpp"

#include "crypto/hash.hpp"

namespace symbolon::store {

namespace {

void append_field(Bytes& to, ByteView field)
{
    auto const size = static_cast<std::uint32_t>(field.size());
    for (auto const shift : {24U, 16U, 8U, 0U}) to.push_back(static_cast<Byte>((size >> shift) & 255U));
    append(to, field);
}

Bytes const no_entry(32, 0);

} // namespace

Bytes entry_bytes(LogEntry const& entry)
{
    Bytes bytes;
    append_field(bytes, bytes_of("symbolon-log-v1"));
    append_field(bytes, bytes_of(std::to_string(entry.sequence)));
    append_field(bytes, bytes_of(std::to_string(numeric_date(entry.at))));
    append_field(bytes, bytes_of(entry.kind));
    append_field(bytes, bytes_of(entry.id));
    append_field(bytes, entry.account);
    append_field(bytes, entry.content);
    append_field(bytes, entry.previous);
    return bytes;
}

Bytes leaf_hash(LogEntry const& entry)
{
    Bytes prefixed{0};
    append(prefixed, entry_bytes(entry));
    return crypto::sha256(prefixed);
}

void chain(LogEntry& entry, LogEntry const* last)
{
    entry.sequence = last != nullptr ? last->sequence + 1 : 1;
    entry.previous = last != nullptr ? last->hash : no_entry;
    entry.hash = leaf_hash(entry);
}

Flow<LogHead> verify_log(Engine& engine)
{
    constexpr std::size_t at_once = 1000;
    LogHead head{.size = 0, .hash = no_entry};
    for (;;) {
        auto const entries = co_await engine.log_from(head.size + 1, at_once);
        for (auto const& entry : entries) {
            auto const name = "entry " + std::to_string(head.size + 1);
            if (entry.sequence != head.size + 1) co_return fail(Outcome::data_damaged, name + " is missing");
            if (entry.previous != head.hash)
                co_return fail(Outcome::data_damaged, name + " does not follow the one before");
            if (entry.hash != leaf_hash(entry)) co_return fail(Outcome::data_damaged, name + " was changed");
            head = {.size = entry.sequence, .hash = entry.hash};
        }
        if (entries.size() < at_once) break;
    }
    if (head.size == 0) head.hash.clear();
    co_return head;
}

} // namespace symbolon::store

#pragma once

#include "base/result.hpp"
#include "store/engine.hpp"

namespace symbolon::store {

/// The bytes of an entry that are hashed: each field as its length in 4 bytes, most significant first, and the field:
/// "symbolon-log-v1", sequence, time (both decimal), kind, id, account, content, previous.
Bytes entry_bytes(LogEntry const& entry);

/// RFC 9162 §2.1.1: "The hash of a list with one entry (also known as a leaf hash)": SHA-256(0x00 ‖ entry).
Bytes leaf_hash(LogEntry const& entry);

/// Gives a new entry its place after `last` (none: it is the first).
void chain(LogEntry& entry, LogEntry const* last);

struct LogHead {
    std::int64_t size = 0; ///< how many entries
    Bytes hash;            ///< of the last one; empty when there is none
};

/// Reads the whole log and checks numbers, hashes and the chain. Fails with data_damaged; the detail names the entry.
Flow<LogHead> verify_log(Engine& engine);

} // namespace symbolon::store

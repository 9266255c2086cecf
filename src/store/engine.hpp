#pragma once

#include "base/flow.hpp"
#include "store/record.hpp"

namespace symbolon::store {

/// What the ports need of a database (docs/decisions/0002-ports-over-a-record-engine.md). Every verb may fail with
/// store_failed, or unavailable when too much waits.
class Engine {
public:
    virtual ~Engine() = default;

    /// The record. Where it has the version `known`, its body and keys are left out.
    virtual Flow<std::optional<Record>> get(Table table, std::string id, std::int64_t known = 0) = 0;

    /// The id of the newest record with that key.
    virtual Flow<std::optional<std::string>> find(Column const& column, Bytes value) = 0;

    virtual Flow<std::vector<Record>> list(Query query) = 0;

    /// Does all of the writes, in their order, or none. Goes on when they are durable.
    virtual Flow<Committed> commit(std::vector<Write> writes) = 0;

    /// The entries of an owner, newest first.
    virtual Flow<std::vector<LogEntry>> log_of(std::string owner, std::size_t at_most) = 0;

    /// The entries from a sequence number on, in their order.
    virtual Flow<std::vector<LogEntry>> log_from(std::int64_t sequence, std::size_t at_most) = 0;

    /// Removes records whose time is over, at most so many of each table. Gives how many went.
    virtual Flow<std::size_t> sweep(Instant now, std::size_t at_most) = 0;
};

} // namespace symbolon::store

#pragma once

#include "base/flow.hpp"
#include "crypto/merkle_tree.hpp"
#include "store/record.hpp"

namespace symbolon::store {

/// What the ports need of a database (docs/decisions/0002-ports-over-a-record-engine.md). Every verb may fail with
/// store_failed, or unavailable when too much waits.
class Engine {
public:
    virtual ~Engine() = default;

    /// The record. Where it has the version `known`, all but its id, version and owner is left out.
    virtual Flow<std::optional<Record>> get(Table table, std::string id, std::int64_t known = 0) = 0;

    /// The id of the newest record with that key.
    virtual Flow<std::optional<std::string>> find(Column const& column, Bytes value) = 0;

    virtual Flow<std::vector<Record>> list(Query query) = 0;

    /// Does all of the writes, in their order, or none. Goes on when they are durable.
    virtual Flow<Committed> commit(std::vector<Write> writes) = 0;

    /// The entries of an owner with a smaller sequence number than `before`, newest first.
    virtual Flow<std::vector<LogEntry>> log_of(std::string owner, std::int64_t before, std::size_t at_most) = 0;

    /// The entries from a sequence number on, in their order.
    virtual Flow<std::vector<LogEntry>> log_from(std::int64_t sequence, std::size_t at_most) = 0;

    /// How many entries the log has.
    virtual Flow<std::int64_t> log_size() = 0;

    /// The hashes of subtrees of the log, whose entry `index` has the sequence number `index` + 1. Fails with
    /// data_damaged when one ends beyond the log.
    virtual Flow<std::vector<Bytes>> log_hashes(std::vector<crypto::merkle::Node> nodes) = 0;

    /// Removes records whose time is over, at most so many of each table. Gives how many went.
    virtual Flow<std::size_t> sweep(Instant now, std::size_t at_most) = 0;
};

} // namespace symbolon::store

#pragma once

#include "store/engine.hpp"

#include <map>

namespace symbolon::store {

/// Records in memory, for the simulation and for tests: one thread, nothing waits, all gone at the end.
class MemoryEngine final : public Engine {
public:
    Flow<std::optional<Record>> get(Table table, std::string id, std::int64_t known = 0) override;
    Flow<std::optional<std::string>> find(Column const& column, Bytes value) override;
    Flow<std::vector<Record>> list(Query query) override;
    Flow<Committed> commit(std::vector<Write> writes) override;
    Flow<std::vector<LogEntry>> log_of(std::string owner, std::int64_t before, std::size_t at_most) override;
    Flow<std::vector<LogEntry>> log_from(std::int64_t sequence, std::size_t at_most) override;
    Flow<std::int64_t> log_size() override;
    Flow<std::vector<Bytes>> log_hashes(std::vector<crypto::merkle::Node> nodes) override;
    Flow<std::size_t> sweep(Instant now, std::size_t at_most) override;

private:
    struct Kept {
        Record record;
        std::uint64_t inserted = 0; ///< the how-manieth insertion it was
    };
    struct Content {
        std::map<Table, std::map<std::string, Kept>> tables;
        std::vector<LogEntry> log;
        std::uint64_t insertions = 0;
    };
    struct Doing;

    Content content_;
};

} // namespace symbolon::store

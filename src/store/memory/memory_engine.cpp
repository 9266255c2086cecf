#include "store/memory/memory_engine.hpp"

#include "store/log.hpp"

namespace symbolon::store {

/// A batch under way: what it changes, and how to take it back.
struct MemoryEngine::Doing {
    Content& content;
    Committed result;
    std::vector<std::function<void()>> undo;

    void remember(std::map<std::string, Kept>& rows, std::string const& id)
    {
        auto const at = rows.find(id);
        if (at == rows.end()) {
            undo.emplace_back([&rows, id] { rows.erase(id); });
        } else {
            undo.emplace_back([&rows, id, before = at->second] { rows[id] = before; });
        }
    }

    /// The unique key that another record has.
    [[nodiscard]] Column const* taken_key(Table table, Record const& record)
    {
        for (auto const& column : columns_of(table)) {
            auto const& key = record.keys[column.index];
            if (column.values != Column::Values::unique || !key) continue;
            for (auto const& [id, kept] : content.tables[table])
                if (id != record.id && kept.record.keys[column.index] == key) return &column;
        }
        return nullptr;
    }

    bool conflict(std::size_t write, Column const* key = nullptr)
    {
        result.conflict = Conflict{.write = write, .key = key};
        return false;
    }

    void put(Table table, Record record, std::int64_t version)
    {
        auto& rows = content.tables[table];
        remember(rows, record.id);
        record.version = version;
        auto& kept = rows[record.id];
        if (version == 1) kept.inserted = ++content.insertions;
        kept.record = std::move(record);
        result.versions.push_back(version);
    }

    bool operator()(std::size_t place, Insert& write)
    {
        if (content.tables[write.table].contains(write.record.id)) return conflict(place);
        if (auto const* key = taken_key(write.table, write.record)) return conflict(place, key);
        put(write.table, std::move(write.record), 1);
        return true;
    }

    bool operator()(std::size_t place, Update& write)
    {
        auto const& rows = content.tables[write.table];
        auto const at = rows.find(write.record.id);
        if (at == rows.end() || at->second.record.version != write.record.version) return conflict(place);
        if (auto const* key = taken_key(write.table, write.record)) return conflict(place, key);
        auto const version = write.record.version + 1;
        put(write.table, std::move(write.record), version);
        return true;
    }

    bool operator()(std::size_t place, Remove& write)
    {
        auto& rows = content.tables[write.table];
        auto const at = rows.find(write.id);
        if (at == rows.end() || at->second.record.version != write.version) return conflict(place);
        remember(rows, write.id);
        rows.erase(write.id);
        result.versions.push_back(0);
        return true;
    }

    bool operator()(std::size_t place, Count& write)
    {
        auto const& rows = content.tables[write.table];
        auto const at = rows.find(write.record.id);
        auto const count = at == rows.end() ? 1 : at->second.record.version + 1;
        if (count > write.at_most.value_or(count)) return conflict(place);
        if (at == rows.end()) {
            put(write.table, std::move(write.record), 1);
        } else {
            auto record = at->second.record;
            put(write.table, std::move(record), count);
        }
        return true;
    }

    bool operator()(std::size_t, RemoveAllOf& write)
    {
        auto& rows = content.tables[write.table];
        std::vector<std::string> ids;
        for (auto const& [id, kept] : rows)
            if (kept.record.owner == write.owner) ids.push_back(id);
        for (auto const& id : ids) {
            remember(rows, id);
            rows.erase(id);
        }
        result.versions.push_back(0);
        return true;
    }

    bool operator()(std::size_t, Append& write)
    {
        auto const& log = content.log;
        auto const before = static_cast<std::int64_t>(log.size());
        chain(write.entry, before, log.empty() ? Bytes{} : log.back().hash,
              [&](std::int64_t sequence) { return hashes_of(log.at(static_cast<std::size_t>(sequence - 1))); });
        result.versions.push_back(write.entry.sequence);
        content.log.push_back(std::move(write.entry));
        undo.emplace_back([this] { content.log.pop_back(); });
        return true;
    }
};

Flow<std::optional<Record>> MemoryEngine::get(Table table, std::string id, std::int64_t known)
{
    auto const& rows = content_.tables[table];
    auto const at = rows.find(id);
    if (at == rows.end()) co_return std::optional<Record>{};
    auto const& record = at->second.record;
    co_return record.version == known ? head_of(record) : record;
}

Flow<std::optional<std::string>> MemoryEngine::find(Column const& column, Bytes value)
{
    Kept const* newest = nullptr;
    for (auto const& [id, kept] : content_.tables[column.table])
        if (kept.record.keys[column.index] == value && (newest == nullptr || kept.inserted > newest->inserted))
            newest = &kept;
    co_return newest != nullptr ? std::optional{newest->record.id} : std::optional<std::string>{};
}

Flow<std::vector<Record>> MemoryEngine::list(Query query)
{
    std::vector<Kept const*> found;
    for (auto const& [id, kept] : content_.tables[query.table]) {
        auto const& record = kept.record;
        if (query.owner && record.owner != *query.owner) continue;
        if (query.column != nullptr && record.keys[query.column->index] != query.value) continue;
        if (!query.states.empty() && std::ranges::find(query.states, record.state) == query.states.end()) continue;
        if (query.kept_after && (!record.kept_until || *record.kept_until <= *query.kept_after)) continue;
        if (query.kept_up_to && (!record.kept_until || *record.kept_until > *query.kept_up_to)) continue;
        found.push_back(&kept);
    }
    std::ranges::sort(found, {}, &Kept::inserted);
    if (query.order == Query::Order::newest_first) std::ranges::reverse(found);
    if (found.size() > query.at_most) found.resize(query.at_most);
    std::vector<Record> records;
    records.reserve(found.size());
    for (auto const* kept : found) records.push_back(kept->record);
    co_return records;
}

Flow<Committed> MemoryEngine::commit(std::vector<Write> writes)
{
    Doing doing{.content = content_};
    for (std::size_t place = 0; place < writes.size(); ++place) {
        auto const done = std::visit([&](auto& write) { return doing(place, write); }, writes[place]);
        if (done) continue;
        while (!doing.undo.empty()) {
            doing.undo.back()();
            doing.undo.pop_back();
        }
        doing.result.versions.clear();
        break;
    }
    co_return std::move(doing.result);
}

Flow<std::vector<LogEntry>> MemoryEngine::log_of(std::string owner, std::int64_t before, std::size_t at_most)
{
    std::vector<LogEntry> entries;
    for (auto at = content_.log.rbegin(); at != content_.log.rend() && entries.size() < at_most; ++at)
        if (at->owner == owner && at->sequence < before) entries.push_back(*at);
    co_return entries;
}

Flow<std::vector<LogEntry>> MemoryEngine::log_from(std::int64_t sequence, std::size_t at_most)
{
    std::vector<LogEntry> entries;
    for (auto const& entry : content_.log)
        if (entry.sequence >= sequence && entries.size() < at_most) entries.push_back(entry);
    co_return entries;
}

Flow<std::int64_t> MemoryEngine::log_size() { co_return static_cast<std::int64_t>(content_.log.size()); }

Flow<std::vector<Bytes>> MemoryEngine::log_hashes(std::vector<crypto::merkle::Node> nodes)
{
    std::vector<Bytes> hashes;
    for (auto const& node : nodes) {
        if (last_of(node) > static_cast<std::int64_t>(content_.log.size()))
            co_return fail(Outcome::data_damaged, "log");
        hashes.push_back(subtree_hash(node, [&](std::int64_t sequence) {
            return hashes_of(content_.log.at(static_cast<std::size_t>(sequence - 1)));
        }));
    }
    co_return hashes;
}

Flow<std::size_t> MemoryEngine::sweep(Instant now, std::size_t at_most)
{
    std::size_t gone = 0;
    for (auto& [table, rows] : content_.tables) {
        std::size_t here = 0;
        for (auto at = rows.begin(); at != rows.end() && here < at_most;) {
            auto const& until = at->second.record.kept_until;
            if (until && *until <= now) {
                at = rows.erase(at);
                ++here;
            } else {
                ++at;
            }
        }
        gone += here;
    }
    co_return gone;
}

} // namespace symbolon::store

#include "store/sqlite/row_memory.hpp"

namespace symbolon::store::sqlite {

namespace {

std::string place_of(Table table, std::string const& id)
{
    std::string place(1, static_cast<char>(table));
    place += id;
    return place;
}

std::string place_of(Column const& column, Bytes const& value)
{
    std::string place{static_cast<char>(column.table), static_cast<char>(column.index)};
    place += text_of(value);
    return place;
}

} // namespace

RowMemory::Known RowMemory::find(Table table, std::string const& id, std::int64_t known)
{
    std::scoped_lock const lock{mutex_};
    if (!known_at_.is_known() || known_at_ != connection_.last_commit()) return {};
    auto const* row = rows_.find(place_of(table, id));
    if (row == nullptr) return {};
    if (!*row || (*row)->version != known) return {.is_known = true, .row = *row};
    return {.is_known = true, .row = head_of(**row)};
}

std::optional<std::string> RowMemory::find(Column const& column, Bytes const& value)
{
    std::scoped_lock const lock{mutex_};
    if (!known_at_.is_known() || known_at_ != connection_.last_commit()) return std::nullopt;
    auto const* id = ids_.find(place_of(column, value));
    if (id == nullptr) return std::nullopt;
    auto const* row = rows_.find(place_of(column.table, *id));
    if (row == nullptr || !*row || (*row)->keys.at(column.index) != value) return std::nullopt;
    return *id;
}

void RowMemory::remember(CommitMark const& read_at, Table table, std::string const& id, std::optional<Record> row)
{
    std::scoped_lock const lock{mutex_};
    if (!read_at.is_known() || known_at_ != read_at || connection_.last_commit() != read_at) return;
    put(table, id, std::move(row));
}

void RowMemory::written(Table table, Record row, std::int64_t version)
{
    auto const id = row.id;
    row.version = version;
    put(table, id, std::move(row));
}

void RowMemory::changed(Table table, std::string const& id) { rows_.erase(place_of(table, id)); }

void RowMemory::clear()
{
    rows_.clear();
    ids_.clear();
}

void RowMemory::put(Table table, std::string const& id, std::optional<Record> row)
{
    if (row) {
        row->body = {};
        for (auto const& column : columns_of(table)) {
            auto const& key = row->keys.at(column.index);
            if (column.values == Column::Values::unique && key) ids_.put(place_of(column, *key), id);
        }
    }
    rows_.put(place_of(table, id), std::move(row));
}

} // namespace symbolon::store::sqlite

#pragma once

#include "base/recent_map.hpp"
#include "store/record.hpp"
#include "store/sqlite/connection.hpp"

#include <mutex>

namespace symbolon::store::sqlite {

/// Rows without their bodies, as they stand in the file now, so that "which version has it?" needn't be asked of
/// SQLite: that takes and gives back a lock of the file, which costs more than the row. What is remembered counts only
/// while the index of the write-ahead log says that nobody, in whatever process, has committed since
/// (Connection::last_commit). The one writer of this process tells what it changes, and so carries the memory from one
/// commit to the next. For any number of threads.
class RowMemory {
public:
    /// Reads the index through this connection, which must outlive it.
    RowMemory(Connection const& connection, std::size_t most_rows)
        : connection_{connection},
          rows_{most_rows},
          ids_{most_rows}
    {}

    /// Where the file stands now; pass it to remember().
    [[nodiscard]] CommitMark now() const { return connection_.last_commit(); }

    struct Known {
        bool is_known = false;
        std::optional<Record> row; ///< all but its body; nothing: it isn't there
    };
    /// Of a row at the version `known`, head_of() it.
    [[nodiscard]] Known find(Table table, std::string const& id, std::int64_t known = 0);

    /// The id of the row with that unique key, if it is known.
    [[nodiscard]] std::optional<std::string> find(Column const& column, Bytes const& value);

    /// A row as it was read; nothing: it isn't there. Forgotten at once unless the file stood at `read_at` then and
    /// does so still. Its body is dropped.
    void remember(CommitMark const& read_at, Table table, std::string const& id, std::optional<Record> row);

    /// After a commit of the writer. `before`: where the file stood when its transaction had the lock. `change` is
    /// called with this, and calls written(), changed() and clear().
    template <class Change>
    void committed(CommitMark const& before, Change change)
    {
        std::scoped_lock const lock{mutex_};
        auto const now = connection_.last_commit();
        auto const nothing_between = now.is_known() && (now == before || now.follows(before));
        // Another process had written before us, or did so right after.
        if (!nothing_between || known_at_ != before) clear();
        change(*this);
        known_at_ = nothing_between ? now : CommitMark{};
    }

    /// Within committed(): this is the row now.
    void written(Table table, Record row, std::int64_t version);
    /// Within committed(): whatever was known of the row no longer holds.
    void changed(Table table, std::string const& id);
    /// Within committed(): rows went that nobody named.
    void clear();

private:
    void put(Table table, std::string const& id, std::optional<Record> row);

    Connection const& connection_;
    std::mutex mutex_;
    CommitMark known_at_; ///< what is remembered is the file as it stood there
    RecentMap<std::optional<Record>> rows_;
    RecentMap<std::string> ids_; ///< by unique key; counts if the row still has it
};

} // namespace symbolon::store::sqlite

#pragma once

#include "store/record.hpp"

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace symbolon::store {

/// Values that were read or written a moment ago, opened and decoded already: a login looks at each of its records
/// several times. A value counts only at the version and under the owner that the engine names for its record, which
/// the reader asks each time; so another process may change the store, and what is erased is found no more. For any
/// number of threads.
class ValueCache {
public:
    explicit ValueCache(std::size_t most_values) : most_values_{most_values} {}

    /// The version that is remembered of a record; 0: none is.
    [[nodiscard]] std::int64_t version_of(Table table, std::string const& id) const
    {
        std::scoped_lock const lock{mutex_};
        auto const found = remembered_.find(View{table, id});
        return found == remembered_.end() ? 0 : found->second.version;
    }

    /// The value, if it is that of this version and owner. T is the type that the table keeps.
    template <class T>
    std::shared_ptr<T const> find(Table table, Record const& record)
    {
        std::scoped_lock const lock{mutex_};
        auto const found = remembered_.find(View{table, record.id});
        if (found == remembered_.end() || found->second.version != record.version ||
            found->second.owner != record.owner)
            return nullptr;
        recently_used_.splice(recently_used_.begin(), recently_used_, found->second.turn);
        return std::static_pointer_cast<T const>(found->second.value);
    }

    void remember(Table table, std::string const& id, std::int64_t version, std::string owner,
                  std::shared_ptr<void const> value)
    {
        std::scoped_lock const lock{mutex_};
        auto const [at, is_new] = remembered_.try_emplace(Place{table, id});
        auto& kept = at->second;
        // A slow reader must not bring back what a writer has replaced.
        if (!is_new && kept.version > version && kept.owner == owner) return;
        kept.version = version;
        kept.owner = std::move(owner);
        kept.value = std::move(value);
        if (!is_new) {
            recently_used_.splice(recently_used_.begin(), recently_used_, kept.turn);
            return;
        }
        recently_used_.push_front(&at->first);
        kept.turn = recently_used_.begin();
        if (remembered_.size() <= most_values_) return;
        remembered_.erase(remembered_.find(View{*recently_used_.back()}));
        recently_used_.pop_back();
    }

    /// The record is no longer there.
    void forget(Table table, std::string const& id)
    {
        std::scoped_lock const lock{mutex_};
        auto const found = remembered_.find(View{table, id});
        if (found == remembered_.end()) return;
        recently_used_.erase(found->second.turn);
        remembered_.erase(found);
    }

private:
    using Place = std::pair<Table, std::string>;
    using View = std::pair<Table, std::string_view>; ///< to look for a place without a copy of its id
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(View place) const
        {
            return std::hash<std::string_view>{}(place.second) + static_cast<std::size_t>(place.first);
        }
    };
    struct Equal {
        using is_transparent = void;
        bool operator()(View left, View right) const { return left == right; }
    };
    struct Remembered {
        std::int64_t version = 0;
        std::string owner;
        std::shared_ptr<void const> value;
        std::list<Place const*>::iterator turn;
    };

    std::size_t most_values_;
    mutable std::mutex mutex_;
    std::list<Place const*> recently_used_; ///< the keys of `remembered_`, newest first
    std::unordered_map<Place, Remembered, Hash, Equal> remembered_;
};

} // namespace symbolon::store

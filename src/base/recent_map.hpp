#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>
#include <utility>

namespace symbolon {

/// A map that keeps what was used a moment ago: at most `most` entries, and at least the half of them.
template <class Value>
class RecentMap {
public:
    explicit RecentMap(std::size_t most) : half_{most / 2} {}

    /// The value, or null.
    Value* find(std::string const& key)
    {
        if (auto const found = newer_.find(key); found != newer_.end()) return &found->second;
        auto const found = older_.find(key);
        if (found == older_.end()) return nullptr;
        auto node = older_.extract(found);
        make_room();
        return &newer_.insert(std::move(node)).position->second;
    }

    void put(std::string key, Value value)
    {
        older_.erase(key);
        make_room();
        newer_.insert_or_assign(std::move(key), std::move(value));
    }

    void erase(std::string const& key)
    {
        newer_.erase(key);
        older_.erase(key);
    }

    void clear()
    {
        newer_.clear();
        older_.clear();
    }

private:
    void make_room()
    {
        if (newer_.size() < half_) return;
        older_ = std::exchange(newer_, {});
    }

    std::size_t half_;
    std::unordered_map<std::string, Value> newer_;
    std::unordered_map<std::string, Value> older_;
};

} // namespace symbolon

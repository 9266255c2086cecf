#pragma once

#include "base/bytes.hpp"

#include <compare>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

/// Merkle trees of RFC 9162 §2.1 (and RFC 6962 before it) with SHA-256. Entries are numbered 0 … size - 1; hashes are
/// 32 bytes.
namespace symbolon::crypto::merkle {

/// "MTH({}) = HASH()", for a list without entries.
Bytes empty_root();
/// "MTH({d[0]}) = HASH(0x00 || d[0])".
Bytes leaf_hash(ByteView entry);
/// HASH(0x01 || left || right).
Bytes node_hash(ByteView left, ByteView right);

/// The entries [begin, end). What §2.1 asks for are always ranges that begin at a multiple of the smallest power of two
/// that is not less than their size.
struct Range {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    auto operator<=>(Range const&) const = default;
};

/// A perfect subtree: the entries index·2^level … (index + 1)·2^level - 1. Its hash never changes again.
struct Node {
    int level = 0;
    std::int64_t index = 0;
    auto operator<=>(Node const&) const = default;
};

/// The perfect subtrees of which a range consists, from the left to the right; at most 63.
std::vector<Node> nodes_of(Range range);

/// MTH of a range that is not empty, given the hashes of nodes_of(range) in their order.
Bytes hash_of(std::span<Bytes const> nodes);

/// PATH(index, D_size) of §2.1.3.1 as ranges, in the order of the path. 0 <= index < size.
std::vector<Range> inclusion_path(std::int64_t index, std::int64_t size);

/// PROOF(first, D_second) of §2.1.4.1 as ranges, in the order of the proof. 0 < first <= second.
std::vector<Range> consistency_path(std::int64_t first, std::int64_t second);

/// §2.1.3.2. Whether the entry with that leaf hash is entry `index` of the tree with that size and root.
bool proves_inclusion(ByteView leaf, std::int64_t index, std::int64_t size, std::span<Bytes const> path, ByteView root);

/// §2.1.4.2. Whether the tree of size `second` begins with the tree of size `first`. 0 < first <= second.
bool proves_consistency(std::int64_t first, ByteView first_root, std::int64_t second, ByteView second_root,
                        std::span<Bytes const> path);

/// The root of a list that grows entry by entry, without keeping them: the hashes of its perfect subtrees.
class Growing {
public:
    /// Takes the next entry in and gives the subtrees that it completes, levels 1 and up.
    std::vector<Bytes> add(Bytes leaf);

    [[nodiscard]] Bytes root() const;
    [[nodiscard]] std::int64_t size() const { return size_; }

private:
    std::int64_t size_ = 0;
    std::vector<Bytes> peaks_; ///< largest first
};

} // namespace symbolon::crypto::merkle

#include "crypto/merkle_tree.hpp"

#include "base/ensure.hpp"
#include "crypto/hash.hpp"

#include <algorithm>
#include <bit>

namespace symbolon::crypto::merkle {

namespace {

Bytes prefixed(Byte prefix, ByteView first, ByteView second = {})
{
    Bytes bytes;
    bytes.reserve(1 + first.size() + second.size());
    bytes.push_back(prefix);
    append(bytes, first);
    append(bytes, second);
    return sha256(bytes);
}

/// "let k be the largest power of two smaller than n".
std::int64_t split_of(std::int64_t size)
{
    return static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(size - 1)));
}

bool is_odd(std::int64_t number) { return (number & 1) != 0; }

} // namespace

Bytes empty_root() { return sha256(ByteView{}); }
Bytes leaf_hash(ByteView entry) { return prefixed(0, entry); }
Bytes node_hash(ByteView left, ByteView right) { return prefixed(1, left, right); }

std::vector<Node> nodes_of(Range range)
{
    ENSURE(0 <= range.begin && range.begin <= range.end);
    std::vector<Node> nodes;
    for (auto begin = range.begin; begin < range.end;) {
        auto const left = static_cast<std::uint64_t>(range.end - begin);
        auto const level = static_cast<int>(std::bit_width(left)) - 1;
        auto const size = std::int64_t{1} << level;
        ENSURE(begin % size == 0);
        nodes.push_back({.level = level, .index = begin >> level});
        begin += size;
    }
    return nodes;
}

Bytes hash_of(std::span<Bytes const> nodes)
{
    ENSURE(!nodes.empty());
    // The left part of every list is perfect, so lists are put together from their right end.
    auto hash = nodes.back();
    for (auto at = nodes.size() - 1; at > 0; --at) hash = node_hash(nodes[at - 1], hash);
    return hash;
}

std::vector<Range> inclusion_path(std::int64_t index, std::int64_t size)
{
    ENSURE(0 <= index && index < size);
    // "PATH(m, D_n) = PATH(m, D[0:k]) : MTH(D[k:n]) for m < k"; the other half for m >= k. The last comes first here.
    std::vector<Range> path;
    Range part{.begin = 0, .end = size};
    while (part.end - part.begin > 1) {
        auto const middle = part.begin + split_of(part.end - part.begin);
        if (index < middle) {
            path.push_back({.begin = middle, .end = part.end});
            part.end = middle;
        } else {
            path.push_back({.begin = part.begin, .end = middle});
            part.begin = middle;
        }
    }
    std::ranges::reverse(path);
    return path;
}

std::vector<Range> consistency_path(std::int64_t first, std::int64_t second)
{
    ENSURE(0 < first && first <= second);
    // "SUBPROOF(m, D_n, b)": down to the list that is the first tree's right end.
    std::vector<Range> path;
    Range part{.begin = 0, .end = second};
    auto is_whole_first_tree = true;
    while (part.end != first) {
        auto const middle = part.begin + split_of(part.end - part.begin);
        if (first <= middle) {
            path.push_back({.begin = middle, .end = part.end});
            part.end = middle;
        } else {
            path.push_back({.begin = part.begin, .end = middle});
            part.begin = middle;
            is_whole_first_tree = false;
        }
    }
    if (!is_whole_first_tree) path.push_back(part);
    std::ranges::reverse(path);
    return path;
}

bool proves_inclusion(ByteView leaf, std::int64_t index, std::int64_t size, std::span<Bytes const> path, ByteView root)
{
    if (index < 0 || index >= size) return false;
    auto fn = index;
    auto sn = size - 1;
    Bytes r{leaf.begin(), leaf.end()};
    for (auto const& p : path) {
        if (sn == 0) return false;
        if (is_odd(fn) || fn == sn) {
            r = node_hash(p, r);
            while (!is_odd(fn) && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            r = node_hash(r, p);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && std::ranges::equal(r, root);
}

bool proves_consistency(std::int64_t first, ByteView first_root, std::int64_t second, ByteView second_root,
                        std::span<Bytes const> path)
{
    if (first <= 0 || first > second) return false;
    if (first == second) return path.empty() && std::ranges::equal(first_root, second_root);

    // "If consistency_path is an empty array, stop and fail"; "If first is an exact power of 2, then prepend
    // first_hash".
    if (path.empty()) return false;
    std::vector<Bytes> whole;
    if (std::has_single_bit(static_cast<std::uint64_t>(first)))
        whole.emplace_back(first_root.begin(), first_root.end());
    whole.insert(whole.end(), path.begin(), path.end());

    auto fn = first - 1;
    auto sn = second - 1;
    while (is_odd(fn)) {
        fn >>= 1;
        sn >>= 1;
    }
    auto fr = whole.front();
    auto sr = whole.front();
    for (auto const& c : std::span{whole}.subspan(1)) {
        if (sn == 0) return false;
        if (is_odd(fn) || fn == sn) {
            fr = node_hash(c, fr);
            sr = node_hash(c, sr);
            while (!is_odd(fn) && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            sr = node_hash(sr, c);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && std::ranges::equal(fr, first_root) && std::ranges::equal(sr, second_root);
}

std::vector<Bytes> Growing::add(Bytes leaf)
{
    std::vector<Bytes> completed;
    auto node = std::move(leaf);
    for (auto full = size_; is_odd(full); full >>= 1) {
        node = node_hash(peaks_.back(), node);
        peaks_.pop_back();
        completed.push_back(node);
    }
    peaks_.push_back(std::move(node));
    ++size_;
    return completed;
}

Bytes Growing::root() const { return size_ == 0 ? empty_root() : hash_of(peaks_); }

} // namespace symbolon::crypto::merkle

#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "crypto/merkle_tree.hpp"

#include <gtest/gtest.h>

namespace symbolon::crypto::merkle {
namespace {

/// The entries that implementations of RFC 6962 compare themselves by.
std::vector<Bytes> const entries{
    {},
    {0x00},
    {0x10},
    {0x20, 0x21},
    {0x30, 0x31},
    {0x40, 0x41, 0x42, 0x43},
    {0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57},
    {0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f},
};

std::vector<std::string> const roots{
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

/// "Merkle Tree Hash (MTH)" as §2.1.1 words it.
Bytes mth(std::span<Bytes const> d)
{
    if (d.empty()) return sha256(ByteView{});
    if (d.size() == 1) return leaf_hash(d[0]);
    std::size_t k = 1;
    while (k * 2 < d.size()) k *= 2;
    return node_hash(mth(d.first(k)), mth(d.subspan(k)));
}

Bytes mth(std::span<Bytes const> d, Range range)
{
    return mth(d.subspan(static_cast<std::size_t>(range.begin), static_cast<std::size_t>(range.end - range.begin)));
}

std::vector<Bytes> numbered(std::int64_t size)
{
    std::vector<Bytes> made;
    made.reserve(static_cast<std::size_t>(size));
    for (std::int64_t i = 0; i < size; ++i) made.push_back(to_bytes(std::to_string(i)));
    return made;
}

std::vector<Bytes> hashes(std::span<Bytes const> d, std::vector<Range> const& path)
{
    std::vector<Bytes> made;
    for (auto const& range : path) {
        std::vector<Bytes> nodes;
        for (auto const& node : nodes_of(range))
            nodes.push_back(mth(d, {node.index << node.level, (node.index + 1) << node.level}));
        made.push_back(hash_of(nodes));
    }
    return made;
}

Bytes leaf(std::span<Bytes const> d, std::int64_t index) { return leaf_hash(d[static_cast<std::size_t>(index)]); }

TEST(MerkleTree, has_the_roots_of_the_known_entries)
{
    Growing growing;
    for (std::size_t size = 0; size <= entries.size(); ++size) {
        EXPECT_EQ(hex(growing.root()), roots[size]) << size;
        EXPECT_EQ(hex(mth(std::span{entries}.first(size))), roots[size]) << size;
        if (size < entries.size()) growing.add(leaf_hash(entries[size]));
    }
}

// RFC 9162 §2.1.5: the tree of seven entries, whose nodes are named in the text.
TEST(MerkleTree, gives_the_paths_of_the_example_in_the_specification)
{
    using Path = std::vector<Range>;
    Range const a{0, 1}, b{1, 2}, c{2, 3}, d{3, 4}, e{4, 5}, f{5, 6}, g{0, 2}, h{2, 4}, i{4, 6}, j{6, 7}, k{0, 4},
        l{4, 7};
    EXPECT_EQ(inclusion_path(0, 7), (Path{b, h, l}));
    EXPECT_EQ(inclusion_path(3, 7), (Path{c, g, l}));
    EXPECT_EQ(inclusion_path(4, 7), (Path{f, j, k}));
    EXPECT_EQ(inclusion_path(6, 7), (Path{i, k}));
    EXPECT_EQ(consistency_path(3, 7), (Path{c, d, g, l}));
    EXPECT_EQ(consistency_path(4, 7), (Path{l}));
    EXPECT_EQ(consistency_path(6, 7), (Path{i, j, k}));
    EXPECT_EQ(consistency_path(7, 7), Path{});
    EXPECT_EQ(inclusion_path(0, 1), Path{});
    EXPECT_EQ(inclusion_path(5, 7), (Path{e, j, k}));
    EXPECT_EQ(inclusion_path(1, 7), (Path{a, h, l}));
}

TEST(MerkleTree, proves_every_entry_of_every_size_and_nothing_else)
{
    auto const d = numbered(40);
    for (std::int64_t size = 1; size <= 40; ++size) {
        auto const tree = std::span{d}.first(static_cast<std::size_t>(size));
        auto const root = mth(tree);
        for (std::int64_t index = 0; index < size; ++index) {
            auto const path = hashes(tree, inclusion_path(index, size));
            EXPECT_TRUE(proves_inclusion(leaf(d, index), index, size, path, root)) << index << " of " << size;
            EXPECT_FALSE(proves_inclusion(leaf(d, index), index, size, path, sha256("other")));
            EXPECT_FALSE(proves_inclusion(sha256("other"), index, size, path, root));
            EXPECT_FALSE(proves_inclusion(leaf(d, index), size, size, path, root));
            EXPECT_FALSE(proves_inclusion(leaf(d, index), -1, size, path, root));
            if (size > 1) {
                EXPECT_FALSE(proves_inclusion(leaf(d, index), index == 0 ? 1 : index - 1, size, path, root));
                auto shorter = path;
                shorter.pop_back();
                EXPECT_FALSE(proves_inclusion(leaf(d, index), index, size, shorter, root));
                auto changed = path;
                changed.front().front() ^= 1;
                EXPECT_FALSE(proves_inclusion(leaf(d, index), index, size, changed, root));
            }
            auto longer = path;
            longer.push_back(root);
            EXPECT_FALSE(proves_inclusion(leaf(d, index), index, size, longer, root));
        }
    }
}

TEST(MerkleTree, proves_that_a_tree_began_as_another_one_and_no_third)
{
    auto const d = numbered(33);
    auto other = d;
    other.front() = to_bytes("another first entry");
    for (std::int64_t second = 1; second <= 33; ++second) {
        auto const tree = std::span{d}.first(static_cast<std::size_t>(second));
        auto const root = mth(tree);
        for (std::int64_t first = 1; first <= second; ++first) {
            SCOPED_TRACE(std::to_string(first) + " in " + std::to_string(second));
            auto const first_root = mth(d, {0, first});
            auto const path = hashes(tree, consistency_path(first, second));
            EXPECT_TRUE(proves_consistency(first, first_root, second, root, path));
            EXPECT_FALSE(proves_consistency(first, mth(other, {0, first}), second, root, path));
            EXPECT_FALSE(proves_consistency(first, first_root, second, mth(other, {0, second}), path));
            auto longer = path;
            longer.push_back(root);
            EXPECT_FALSE(proves_consistency(first, first_root, second, root, longer));
            for (std::size_t at = 0; at < path.size(); ++at) {
                auto changed = path;
                changed[at].front() ^= 1;
                EXPECT_FALSE(proves_consistency(first, first_root, second, root, changed));
            }
        }
        EXPECT_FALSE(proves_consistency(0, empty_root(), second, root, {}));
        EXPECT_FALSE(proves_consistency(second + 1, root, second, root, {}));
    }
}

TEST(MerkleTree, tells_which_subtrees_an_entry_completes)
{
    auto const d = numbered(16);
    Growing growing;
    for (std::int64_t index = 0; index < 16; ++index) {
        auto const completed = growing.add(leaf(d, index));
        auto level = 0;
        for (auto end = index + 1; end % 2 == 0; end /= 2) {
            ++level;
            ASSERT_GE(completed.size(), static_cast<std::size_t>(level));
            EXPECT_EQ(completed[static_cast<std::size_t>(level - 1)], mth(d, {index + 1 - (1 << level), index + 1}));
        }
        EXPECT_EQ(completed.size(), static_cast<std::size_t>(level));
    }
}

} // namespace
} // namespace symbolon::crypto::merkle

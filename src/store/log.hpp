#pragma once

#include "base/result.hpp"
#include "crypto/merkle_tree.hpp"
#include "crypto/tree_head.hpp"
#include "store/engine.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace symbolon::store {

class Keyring;

/// The bytes of an entry that are hashed: each field as its length in 4 bytes, most significant first, and the field:
/// "symbolon-log-v1", sequence, time (both decimal), kind, id, account, content, previous.
Bytes entry_bytes(LogEntry const& entry);

/// RFC 9162 §2.1.1: "The hash of a list with one entry (also known as a leaf hash)": SHA-256(0x00 ‖ entry).
Bytes leaf_hash(LogEntry const& entry);

// ---- what an engine needs of it ------------------------------------------------------------------------------------

/// What of an entry the tree is made of.
struct LogHashes {
    Bytes hash;
    Bytes subtrees;
};
inline LogHashes hashes_of(LogEntry const& entry) { return {.hash = entry.hash, .subtrees = entry.subtrees}; }

/// Reads the hashes of an entry that is there, by its sequence number.
using ReadHashes = std::function<LogHashes(std::int64_t sequence)>;

/// The sequence number of the entry that a subtree ends with.
inline std::int64_t last_of(crypto::merkle::Node node) { return (node.index + 1) << node.level; }

/// The hash of a subtree whose entries are all there: read from its last entry, or made where the program before us
/// wrote that.
Bytes subtree_hash(crypto::merkle::Node node, ReadHashes const& read);

/// Gives a new entry its place after `before` others, of which the last one has the hash `previous` (empty: none).
void chain(LogEntry& entry, std::int64_t before, Bytes previous, ReadHashes const& read);

// ---- the check -----------------------------------------------------------------------------------------------------

struct LogHead {
    std::int64_t size = 0;     ///< how many entries
    Bytes hash;                ///< of the last one; empty when there is none
    Bytes root;                ///< of the tree (RFC 9162 §2.1.1)
    int heads = 0;             ///< how many signed heads were found to be of this log
    std::int64_t evidence = 0; ///< of how many entries there is evidence, which is what the entry says
};

/// With what the log is compared. Without a key the heads are not looked at, without a keyring the bodies aren't.
struct LogCheck {
    std::optional<crypto::PublicKey> key; ///< of the signed heads
    std::vector<std::string> heads;       ///< signed heads that were kept elsewhere, besides those in the store
    Keyring* keyring = nullptr;           ///< to open bodies
};

/// Reads the whole log and checks numbers, hashes, chain, subtrees; that every signed head is of this very log, at its
/// size; that each body that can be opened is what the log's hash is of; and that the evidence with it is there, and is
/// what the body holds the hash of.
///
/// Fails with data_damaged; the detail names the entry or head, and what is wrong with it: changed, missing, in another
/// place, forked, cut off.
Flow<LogHead> verify_log(Engine& engine, LogCheck check = {});

} // namespace symbolon::store

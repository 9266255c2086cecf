#include "store/log.hpp"

#include "crypto/hash.hpp"
#include "store/codec.hpp"
#include "store/keyring.hpp"

#include <algorithm>
#include <map>

namespace symbolon::store {

namespace merkle = crypto::merkle;

namespace {

constexpr std::size_t hash_bytes = 32;
constexpr std::string_view account_owner = "account/";

void append_field(Bytes& to, ByteView field)
{
    auto const size = static_cast<std::uint32_t>(field.size());
    for (auto const shift : {24U, 16U, 8U, 0U}) to.push_back(static_cast<Byte>((size >> shift) & 255U));
    append(to, field);
}

Bytes const no_entry(hash_bytes, 0);

std::unexpected<Failure> damaged(std::string what) { return fail(Outcome::data_damaged, std::move(what)); }

/// Every signed head that is known, by its size. Of one size there may be several.
using Heads = std::multimap<std::int64_t, crypto::TreeHead>;

Result<void> take_head(Heads& heads, std::string_view text, std::string const& name, crypto::PublicKey const& key)
{
    auto const head = crypto::verify_head(text, key);
    if (!head) return damaged(name + " has no good signature");
    heads.emplace(head->size, *head);
    return {};
}

Flow<Heads> known_heads(Engine& engine, LogCheck check)
{
    Heads heads;
    if (!check.key) co_return heads;
    constexpr std::size_t most_heads = 10'000'000;
    auto const records = co_await engine.list({.table = Table::log_head, .at_most = most_heads});
    for (auto const& record : records)
        co_await take_head(heads, text_of(record.body), "the signed head of " + record.id + " entries", *check.key);
    for (auto const& head : check.heads) co_await take_head(heads, head, "a signed head kept elsewhere", *check.key);
    co_return heads;
}

/// The evidence that an entry holds the hash of.
Flow<void> check_evidence(LogEntry entry, Bytes hash, SecretBytes key, Engine& engine)
{
    auto const name = "the evidence of entry " + std::to_string(entry.sequence);
    auto const kept = co_await engine.get(Table::evidence, entry.id);
    if (!kept) co_return damaged(name + " is missing");
    if (kept->owner != entry.owner) co_return damaged(name + " was given to another account");
    auto const record = Keyring::open(key, name_of(Table::evidence), kept->id, kept->version, kept->body);
    if (!record || crypto::sha256(record->reveal()) != hash) co_return damaged(name + " was changed");
    co_return {};
}

/// The body is under a key of its owner that may be gone with the person; what can be opened must be what was logged.
/// Gives whether there is evidence with it, which is as it was then.
Flow<bool> check_body(LogEntry entry, Engine& engine, Keyring& keyring)
{
    auto const name = "entry " + std::to_string(entry.sequence);
    if (entry.body.empty() && entry.owner.empty()) co_return false;
    auto const account = std::string_view{entry.owner}.starts_with(account_owner)
                             ? std::string_view{entry.owner}.substr(account_owner.size())
                             : std::string_view{};
    if (keyring.lookup("log_account", account) != entry.account)
        co_return damaged(name + " was given to another account");
    auto const key = co_await outcome_of(keyring.key_of(entry.owner));
    if (!key) co_return false;
    auto const plain = Keyring::open(*key, "log", entry.id, 1, entry.body);
    if (!plain || crypto::sha256(plain->reveal()) != entry.content)
        co_return damaged("the body of " + name + " was changed");
    auto const body = decode<HistoryBody>(plain->reveal());
    if (!body || body->event != entry.kind) co_return damaged("the body of " + name + " tells of something else");
    if (body->record.empty()) co_return false;
    co_await check_evidence(std::move(entry), body->record, *key, engine);
    co_return true;
}

Result<void> check_heads(Heads const& heads, merkle::Growing const& tree, LogHead& result)
{
    auto const [begin, end] = heads.equal_range(tree.size());
    for (auto at = begin; at != end; ++at) {
        if (at->second.root != tree.root())
            return damaged("the signed head of " + std::to_string(tree.size()) + " entries is of another log: forked");
        ++result.heads;
    }
    return {};
}

} // namespace

Bytes entry_bytes(LogEntry const& entry)
{
    Bytes bytes;
    append_field(bytes, bytes_of("symbolon-log-v1"));
    append_field(bytes, bytes_of(std::to_string(entry.sequence)));
    append_field(bytes, bytes_of(std::to_string(numeric_date(entry.at))));
    append_field(bytes, bytes_of(entry.kind));
    append_field(bytes, bytes_of(entry.id));
    append_field(bytes, entry.account);
    append_field(bytes, entry.content);
    append_field(bytes, entry.previous);
    return bytes;
}

Bytes leaf_hash(LogEntry const& entry) { return merkle::leaf_hash(entry_bytes(entry)); }

Bytes subtree_hash(merkle::Node node, ReadHashes const& read)
{
    auto const last = read(last_of(node));
    if (node.level == 0) return last.hash;
    auto const begin = static_cast<std::size_t>(node.level - 1) * hash_bytes;
    if (last.subtrees.size() >= begin + hash_bytes) {
        auto const hash = ByteView{last.subtrees}.subspan(begin, hash_bytes);
        return {hash.begin(), hash.end()};
    }
    return merkle::node_hash(subtree_hash({.level = node.level - 1, .index = node.index * 2}, read),
                             subtree_hash({.level = node.level - 1, .index = node.index * 2 + 1}, read));
}

void chain(LogEntry& entry, std::int64_t before, Bytes previous, ReadHashes const& read)
{
    entry.sequence = before + 1;
    if (before > 0) entry.previous = std::move(previous);
    else entry.previous = no_entry;
    entry.hash = leaf_hash(entry);
    entry.subtrees.clear();
    auto node = entry.hash;
    for (int level = 0; ((entry.sequence >> level) & 1) == 0; ++level) {
        merkle::Node const left{.level = level, .index = (entry.sequence >> level) - 2};
        node = merkle::node_hash(subtree_hash(left, read), node);
        append(entry.subtrees, node);
    }
}

Flow<LogHead> verify_log(Engine& engine, LogCheck check)
{
    constexpr std::size_t at_once = 1000;
    auto const heads = co_await known_heads(engine, check);
    LogHead head{.size = 0, .hash = no_entry, .root = {}};
    merkle::Growing tree;
    co_await check_heads(heads, tree, head);
    for (;;) {
        auto const entries = co_await engine.log_from(head.size + 1, at_once);
        for (auto const& entry : entries) {
            auto const name = "entry " + std::to_string(head.size + 1);
            if (entry.sequence != head.size + 1) co_return damaged(name + " is missing");
            if (entry.previous != head.hash) co_return damaged(name + " does not follow the one before");
            if (entry.hash != leaf_hash(entry)) co_return damaged(name + " was changed");
            Bytes subtrees;
            for (auto const& subtree : tree.add(entry.hash)) append(subtrees, subtree);
            if (!entry.subtrees.empty() && entry.subtrees != subtrees)
                co_return damaged("the subtrees of " + name + " were changed");
            if (check.keyring != nullptr) {
                auto const has_evidence = co_await check_body(entry, engine, *check.keyring);
                head.evidence += has_evidence ? 1 : 0;
            }
            head.size = entry.sequence;
            head.hash = entry.hash;
            co_await check_heads(heads, tree, head);
        }
        if (entries.size() < at_once) break;
    }
    if (auto const beyond = heads.upper_bound(head.size); beyond != heads.end())
        co_return damaged("a signed head tells of " + std::to_string(beyond->first) + " entries, there are " +
                          std::to_string(head.size) + ": cut off");
    if (head.size == 0) head.hash.clear();
    head.root = tree.root();
    co_return head;
}

} // namespace symbolon::store

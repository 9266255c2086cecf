#pragma once

#include "base/json.hpp"
#include "crypto/tree_head.hpp"
#include "ports/ports.hpp"

/// POST /d/history as values, for both sides, and how a phone checks what it was given (docs/device-protocol.md §7).
namespace symbolon::device {

struct HistoryRequest {
    std::int64_t before = 0; ///< entries with a smaller number; 0: the newest
    std::int64_t known = 0;  ///< size of the last head that the phone saw; 0: none
};
std::string write(HistoryRequest const& request);
Result<HistoryRequest> parse_history_request(std::string_view body); ///< Fails: json_malformed, request_malformed.

struct ProvenLine {
    ports::LogLine line;
    std::vector<Bytes> path; ///< RFC 9162 §2.1.3.1
};

struct HistoryAnswer {
    std::vector<ProvenLine> entries; ///< newest first
    std::string head;                ///< signed (crypto/tree_head.hpp)
    crypto::PublicKey key;           ///< by which
    std::vector<Bytes> consistency;  ///< with the head that the phone knew; RFC 9162 §2.1.4.1
    bool more = false;               ///< whether there are entries before these
};
json::Object write(HistoryAnswer const& answer);
Result<HistoryAnswer> parse_history(json::Object const& answer); ///< Fails: json_malformed, encoding_malformed …

/// The leaf hash of an entry: RFC 9162 §2.1.1 over S("symbolon-log-v1", sequence, at, kind, id, account, content,
/// previous).
Bytes leaf_hash(ports::LogLine const& line);

/// Whether head, history and every entry are what they should be. `key` is the pinned one, `known` the last head that
/// was seen (empty: none). Gives what the head says. Fails with data_damaged; the detail says what is wrong.
Result<crypto::TreeHead> check_history(HistoryAnswer const& answer, crypto::PublicKey const& key,
                                       std::string_view known);

} // namespace symbolon::device

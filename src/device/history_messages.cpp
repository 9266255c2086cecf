#include "device/history_messages.hpp"

#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "crypto/merkle_tree.hpp"
#include "device/messages.hpp"
#include "vault/statement.hpp"

namespace symbolon::device {

namespace {

using crypto::base64url;
using crypto::from_base64url;
namespace merkle = crypto::merkle;

json::Array texts_of(std::vector<Bytes> const& hashes)
{
    json::Array texts;
    for (auto const& hash : hashes) texts.emplace_back(base64url(hash));
    return texts;
}

Result<std::vector<Bytes>> hashes_in(json::Object const& object, std::string_view name)
{
    std::vector<Bytes> hashes;
    for (auto const& value : TRY(json::array(object, name))) {
        if (!value.is_string()) return fail(Outcome::json_malformed, std::string{name});
        hashes.push_back(TRY(from_base64url(std::string_view{value.get_string()})));
    }
    return hashes;
}

Result<Bytes> bytes_in(json::Object const& object, std::string_view name)
{
    return from_base64url(TRY(json::text(object, name)));
}

Result<ProvenLine> line_in(json::Object const& object)
{
    return ProvenLine{.line = {.sequence = TRY(json::integer(object, "sequence")),
                               .at = instant_of(TRY(json::integer(object, "at"))),
                               .kind = TRY(json::text(object, "kind")),
                               .id = TRY(json::text(object, "id")),
                               .account = TRY(bytes_in(object, "account")),
                               .content = TRY(bytes_in(object, "content")),
                               .previous = TRY(bytes_in(object, "previous")),
                               .body = TRY(bytes_in(object, "body"))},
                      .path = TRY(hashes_in(object, "path"))};
}

/// The event that a body tells of.
std::string event_in(ByteView body)
{
    auto const object = json::parse_object(text_of(body));
    return object ? json::text(*object, "event").value_or("") : "";
}

} // namespace

std::string write(HistoryRequest const& request)
{
    return json::write(json::Object{{"before", request.before}, {"known", request.known}});
}

Result<HistoryRequest> parse_history_request(std::string_view body)
{
    auto const object = TRY(json::parse_object(body));
    for (auto const& member : object)
        if (member.key() != "before" && member.key() != "known")
            return fail(Outcome::request_malformed, "an unknown member");
    HistoryRequest const request{.before = TRY(json::integer(object, "before")),
                                 .known = TRY(json::integer(object, "known"))};
    if (request.before < 0 || request.known < 0) return fail(Outcome::request_malformed, "negative");
    return request;
}

json::Object write(HistoryAnswer const& answer)
{
    json::Array entries;
    for (auto const& [line, path] : answer.entries)
        entries.push_back(json::Object{{"sequence", line.sequence},
                                       {"at", numeric_date(line.at)},
                                       {"kind", line.kind},
                                       {"id", line.id},
                                       {"account", base64url(line.account)},
                                       {"content", base64url(line.content)},
                                       {"previous", base64url(line.previous)},
                                       {"body", base64url(line.body)},
                                       {"path", texts_of(path)}});
    return {{"entries", std::move(entries)},
            {"head", answer.head},
            {"key", answer.key.jwk()},
            {"consistency", texts_of(answer.consistency)},
            {"more", answer.more}};
}

Result<HistoryAnswer> parse_history(json::Object const& answer)
{
    HistoryAnswer read;
    for (auto const& value : TRY(json::array(answer, "entries"))) {
        if (!value.is_object()) return fail(Outcome::json_malformed, "entries");
        read.entries.push_back(TRY(line_in(value.get_object())));
    }
    read.head = TRY(json::text(answer, "head"));
    read.key = TRY(crypto::PublicKey::from_jwk(TRY(json::object(answer, "key"))));
    read.consistency = TRY(hashes_in(answer, "consistency"));
    read.more = TRY(json::boolean(answer, "more"));
    return read;
}

Bytes leaf_hash(ports::LogLine const& line)
{
    return merkle::leaf_hash(vault::statement(
        "symbolon-log-v1", {bytes_of(std::to_string(line.sequence)), bytes_of(std::to_string(numeric_date(line.at))),
                            bytes_of(line.kind), bytes_of(line.id), line.account, line.content, line.previous}));
}

Result<crypto::TreeHead> check_history(HistoryAnswer const& answer, crypto::PublicKey const& key,
                                       std::string_view known)
{
    auto const damaged = [](std::string what) { return fail(Outcome::data_damaged, std::move(what)); };
    auto head = crypto::verify_head(answer.head, key);
    if (!head) return damaged("the head is not signed by the log's key");
    if (!known.empty()) {
        auto const before = TRY(crypto::verify_head(known, key));
        auto const follows = before.size == 0 || merkle::proves_consistency(before.size, before.root, head->size,
                                                                            head->root, answer.consistency);
        if (!follows) return damaged("the log is not the one that was seen before, with entries added");
    }
    for (auto const& [line, path] : answer.entries) {
        auto const name = "entry " + std::to_string(line.sequence);
        if (!merkle::proves_inclusion(leaf_hash(line), line.sequence - 1, head->size, path, head->root))
            return damaged(name + " is not in the log");
        if (crypto::sha256(line.body) != line.content || event_in(line.body) != line.kind)
            return damaged(name + " was logged with another content");
    }
    return head;
}

} // namespace symbolon::device

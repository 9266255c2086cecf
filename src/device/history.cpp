#include "device/history.hpp"

#include "base/json.hpp"
#include "crypto/tree_head.hpp"
#include "device/authentication.hpp"
#include "device/history_messages.hpp"
#include "device/nonce.hpp"
#include "entry/unanswered.hpp"

#include <limits>

namespace symbolon::device {

using ports::Services;

Flow<ports::SignedHead> current_head(Services services, crypto::SigningKey key)
{
    auto const size = co_await services.ledger.size();
    auto newest = co_await services.ledger.newest_head();
    if (newest && newest->size >= size) co_return *std::move(newest);
    crypto::TreeHead const head{.size = size, .root = co_await services.ledger.root(size), .at = services.clock.now()};
    ports::SignedHead made{.size = size, .jws = crypto::sign_head(head, key)};
    co_return co_await services.ledger.keep_head(std::move(made));
}

Flow<http::Response> history_page(http::Request request, Services services, SharedSettings settings)
{
    constexpr int page_size = 20;
    auto const who = co_await authenticate(request, services, settings);
    auto const asked = co_await parse_history_request(request.body);
    auto const before = asked.before == 0 ? std::numeric_limits<std::int64_t>::max() : asked.before;

    // What ran out a moment ago belongs to it.
    if (asked.before == 0) co_await entry::tell_of_unanswered(who.account.value.id, services);
    // Lines first: the head is then of a log that has them.
    auto lines = co_await services.history.lines(who.account.value.id, before, page_size + 1);
    auto const head = co_await current_head(services, settings->record_key);
    HistoryAnswer answer{.entries = {},
                         .head = head.jws,
                         .key = settings->record_key.key.public_key(),
                         .consistency = {},
                         .more = lines.size() > page_size};
    if (answer.more) lines.pop_back();
    for (auto& line : lines) {
        auto path = co_await services.ledger.inclusion(line.sequence, head.size);
        answer.entries.push_back({.line = std::move(line), .path = std::move(path)});
    }
    // A phone that knows more than there is gets no proof, since there is none: it must notice.
    if (asked.known > 0 && asked.known <= head.size)
        answer.consistency = co_await services.ledger.consistency(asked.known, head.size);

    auto response = http::json(200, json::write(write(answer)));
    response.with("Symbolon-Nonce", make_nonce(settings->nonce_key, services.clock.now()));
    co_return response;
}

Flow<http::Response> history_record(http::Request request, Services services, SharedSettings settings)
{
    constexpr std::size_t longest_id = 64;
    auto const who = co_await authenticate(request, services, settings);
    auto const body = co_await json::parse_object(request.body);
    auto const entry = co_await json::text(body, "entry");
    if (body.size() != 1 || entry.size() > longest_id) co_return fail(Outcome::request_malformed);
    auto const record = co_await services.history.record(who.account.value.id, entry);
    if (!record) co_return fail(Outcome::record_unknown);
    auto response = http::json(200, json::write(json::Object{{"record", text_of(*record)}}));
    response.with("Symbolon-Nonce", make_nonce(settings->nonce_key, services.clock.now()));
    co_return response;
}

} // namespace symbolon::device

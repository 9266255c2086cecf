#pragma once

#include "base/flow.hpp"
#include "base/http.hpp"
#include "device/settings.hpp"
#include "ports/services.hpp"

/// The holder's history, each entry with the proof that it is in the append-only log (F3, docs/log.md).
namespace symbolon::device {

/// A signed head of the log as it is now: the newest that is kept, or a new one where entries came since.
Flow<ports::SignedHead> current_head(ports::Services services, crypto::SigningKey key);

/// POST /d/history. Fails: those of authenticate, json_malformed, request_malformed.
Flow<http::Response> history_page(http::Request request, ports::Services services, SharedSettings settings);

/// POST /d/history/record: the evidence that an entry of this account holds the hash of. Fails besides: record_unknown.
Flow<http::Response> history_record(http::Request request, ports::Services services, SharedSettings settings);

} // namespace symbolon::device

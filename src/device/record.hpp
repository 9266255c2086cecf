#pragma once

#include "account/device.hpp"
#include "action/action.hpp"
#include "crypto/jws.hpp"
#include "device/messages.hpp"

namespace symbolon::device {

/// The evidence of an answer (docs/device-protocol.md §6): a JWS by the server over what the phone showed and signed.
struct Record {
    action::Action const& action; ///< with the bytes that were shown
    account::Device const& device;
    crypto::PublicKey const& device_key; ///< of that device
    Answer const& answer;
    Bytes grant;                    ///< of the vault; empty unless approved
    std::string_view symbol;        ///< "right", "wrong", "none"
    std::string_view state;         ///< "approved", "returning", "refused", "failed"
    std::string_view tied = "none"; ///< "matched", "scanned", "none"; what comes later: entry::tied_record
    Instant at;
};

/// The record as it is kept: compact JWS, type symbolon-record+jws.
Bytes sign_record(Record const& record, crypto::SigningKey const& key);

/// Whether a record is of exactly this answer, proof included.
bool is_record_of(ByteView record, Answer const& answer);

} // namespace symbolon::device

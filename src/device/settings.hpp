#pragma once

#include "base/limits.hpp"
#include "base/secret.hpp"
#include "base/texts.hpp"
#include "crypto/jws.hpp"
#include "ports/bank_end.hpp"
#include "ports/banks.hpp"

#include <memory>
#include <string>
#include <vector>

namespace symbolon::device {

/// What main() gives the phone API besides Services. Lives as long as the program.
struct Settings {
    std::string origin;                  ///< of the phone API: "https://phone.example"
    std::string id_origin;               ///< of the sign-in pages: "https://id.example"
    SecretBytes nonce_key;               ///< 32 bytes: server nonces
    SecretBytes counter_key;             ///< 32 bytes: addresses in counters are HMACs under it
    SecretBytes sms_key;                 ///< 32 bytes: what delivery reports bring back is sealed with it
    crypto::SigningKey record_key;       ///< signs approval records
    Bytes push_key;                      ///< what phones subscribe with (RFC 8292 §4): our P-256 point, 65 bytes
    std::vector<std::string> push_hosts; ///< push services that are sent to (push::check_endpoint)
    Limits limits;
    Texts texts;
    ports::Banks* banks = nullptr;    ///< none: nobody enrols through a bank
    ports::BankEndPage bank_end_page; ///< with banks
};

using SharedSettings = std::shared_ptr<Settings const>;

} // namespace symbolon::device

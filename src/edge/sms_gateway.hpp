#pragma once

#include "base/secret.hpp"
#include "edge/http_client.hpp"
#include "ports/log.hpp"
#include "ports/services.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace symbolon::edge {

/// How a text goes over the air (3GPP TS 23.038): the fewest bytes that hold it.
struct SmsForm {
    int coding = 0;         ///< Kannel's `coding`: 0 GSM-7, 2 UCS-2
    std::size_t units = 0;  ///< septets, or 16-bit units
    std::size_t most = 160; ///< units that one message holds
};
/// Nothing: no UTF-8, or a NUL.
std::optional<SmsForm> sms_form(std::string_view text);

struct SmsGatewaySettings {
    std::string url; ///< Kannel's sendsms: "http://127.0.0.1:13013/cgi-bin/sendsms"
    std::string user;
    SecretText password;
    std::string sender;     ///< at most 11 letters and digits, or a number
    std::string report_url; ///< where delivery reports go; empty: none are asked for
};

/// Messages through Kannel's HTTP interface (Kannel User Guide, "SMS-push"): GET with username, password, from, to,
/// text, coding, charset. What the gateway says:
///
///     202, 200             accepted
///     401, 403             the gateway doesn't know us
///     other 4xx            the gateway doesn't take this message
///     5xx, no connection   tried again after half a second, and after two
///     no whole answer      not tried again: it may have been sent, and the failure is `unavailable`
///
/// A text that doesn't fit one message is not sent. Delivery reports are asked for (dlr-mask, dlr-url) where the
/// settings say where to and the SMS has a reference; Kannel fills in the status.
std::unique_ptr<ports::Messages> sms_gateway(HttpClient& client, SmsGatewaySettings settings, ports::Log& log);

} // namespace symbolon::edge

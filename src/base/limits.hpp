#pragma once

#include "base/instant.hpp"

#include <cstddef>

namespace symbolon {

/// Every bound of the system, in one place (design.md §10). `main()` builds it from the configuration and hands it on;
/// members marked ° can be changed there, in section [limits] under the same name.
struct Limits {
    // ---- the SMS that proves a number
    int sms_code_digits = 6;
    Seconds sms_code_lifetime = 10min;
    int sms_code_tries = 3;
    int sms_sends = 3;                        ///< ° within sms_sends_window
    Seconds sms_sends_window = 20min;         ///< °
    Seconds sms_again_after = 30s;            ///< ° the countdown on the button
    int sms_sends_a_day_to_one_number = 6;    ///< ° then one in longest_wait
    int sms_sends_an_hour_to_one_prefix = 60; ///< ° a block of 10,000 numbers: SMS pumping
    int sms_sends_an_hour_in_all = 5000;      ///< ° spending limit
    int sms_sends_a_day_in_all = 50'000;      ///< ° spending limit

    // ---- the 5-digit code
    int code_digits = 5;
    int code_tries = 3; ///< then the account is blocked

    // ---- enrolment
    int identification_token_characters = 8;
    int identification_token_tries = 5;
    Seconds identification_token_lifetime = 30min;
    Seconds identification_token_wait = 20min; ///< after the last try
    Seconds reader_ticket_lifetime = 10min;
    Seconds card_challenge_lifetime = 5min;
    Seconds enrolment_lifetime = 24h; ///< ° resumable so long
    Seconds enrolment_undo_within = 30min;
    Seconds desk_ticket_lifetime = 10min;
    Seconds bank_visit_lifetime = 10min;
    int landing_code_tries = 3;
    int minimum_age_years = 16;
    int minimum_age_with_card_years = 18;

    // ---- actions
    Seconds action_lifetime = 3min; ///< °
    Seconds action_extension = 2min;
    Seconds return_lifetime = 2min; ///< from the approval of a link to the return of the page that began it
    Seconds device_nonce_lifetime = 5min;

    // ---- OpenID
    Seconds authorization_code_lifetime = 60s;         ///< °
    Seconds authorization_code_lifetime_compat = 180s; ///< °
    Seconds pushed_request_lifetime = 60s;             ///< °
    Seconds access_token_lifetime = 1h;                ///< °
    Seconds id_token_lifetime = 5min;                  ///< °
    Seconds sign_in_lifetime = 15min;                  ///< ° from the request to its end, the form included
    Seconds clock_skew = 30s;                          ///< of partners' assertions

    // ---- HTTP
    std::size_t request_body_bytes = 64UZ * 1024;
    std::size_t card_files_body_bytes = 128UZ * 1024;
    std::size_t header_block_bytes = 16UZ * 1024;
    std::size_t open_connections = 20'000;          ///< °
    std::size_t open_connections_per_address = 200; ///< °
    std::size_t event_streams_per_address = 50;     ///< °
    Seconds header_timeout = 15s;                   ///< ° for a whole header block, from its first byte
    Seconds body_timeout = 30s;                     ///< °
    Seconds idle_timeout = 75s;                     ///< ° between requests
    Seconds write_timeout = 60s;                    ///< ° for a reader that takes nothing
    Seconds request_timeout = 60s;                  ///< ° for an answer (event streams: none)
    Seconds event_heartbeat = 15s;                  ///< °
    Seconds event_stream_lifetime = 1h;             ///< ° then the reader connects again

    // ---- tries by strangers (D7, E9)
    int lookups_a_minute_per_address = 60;   ///< ° enrolments begun
    int sign_ins_a_minute_per_address = 600; ///< ° by number; for a browser that its holder knows there is no limit
    int authorization_requests_a_minute_per_address = 600; ///< ° of new browsers, and as many of those that came before

    // ---- many requests to one phone (D5): who is one too many is not refused, but never rings
    Seconds rings_window = 10min;
    int rings_per_number = 6;   ///< ° of strangers, for one number
    int rings_per_network = 3;  ///< ° from one network
    int rings_per_partner = 4;  ///< ° through one partner
    Seconds mute_lifetime = 1h; ///< ° after "this was not me"

    int short_codes_per_account = 20; ///< ° typed within short_codes_window, right or wrong
    Seconds short_codes_window = 10min;

    Seconds longest_wait = 20min; ///< the longest that a person is ever told to wait
};

} // namespace symbolon

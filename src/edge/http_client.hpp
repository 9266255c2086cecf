#pragma once

#include "bank/fetcher.hpp"
#include "base/flow.hpp"
#include "card/revocation.hpp"
#include "edge/loops.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace symbolon::edge {

struct OutgoingRequest {
    std::string method = "GET"; ///< or POST
    std::string url;            ///< absolute
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    std::size_t most_answer_bytes = 64UZ * 1024;
    Outcome when_too_long = Outcome::unavailable; ///< what a longer answer fails with
    std::chrono::milliseconds patience = 10s;     ///< for the whole answer; 5 s of it for the connection
    enum class Schemes { https, http_too } schemes = Schemes::https;
};

struct OutgoingAnswer {
    int status = 0;
    std::string content_type;
    Seconds retry_after{0}; ///< of the header Retry-After, in both its forms (RFC 9110 §10.2.3); 0: none
    std::string body;
};

/// Asks other servers, on the event loop of the flow that asks. No redirects, no proxies from the environment,
/// certificates checked against the system's anchors. A machine of a private or special network is not asked, whatever
/// its name resolves to (SSRF), unless host and port are in `local_hosts`: those may speak plain http too.
class HttpClient {
public:
    /// `local_hosts`: "127.0.0.1:8405", "localhost:8405".
    HttpClient(Loops& loops, std::vector<std::string> local_hosts);
    ~HttpClient();
    HttpClient(HttpClient const&) = delete;
    HttpClient& operator=(HttpClient const&) = delete;

    /// Any status is an answer. Fails: upstream_unreachable (nothing was sent), unavailable (something was, but no
    /// whole answer came: too late, too long, broken off), the request's when_too_long.
    Flow<OutgoingAnswer> send(OutgoingRequest request);

private:
    class Multi;
    std::vector<std::string> local_hosts_;
    std::vector<std::shared_ptr<Multi>> multis_; ///< one a loop, by its index
};

/// Who asks the responders and fetches the lists of identity cards' certificates (card/revocation.hpp).
std::unique_ptr<card::RevocationFetcher> revocation_fetcher(HttpClient& client);

/// Who asks the banks (bank/fetcher.hpp). Plain http only to `local_hosts`.
std::unique_ptr<bank::Fetcher> bank_fetcher(HttpClient& client);

} // namespace symbolon::edge

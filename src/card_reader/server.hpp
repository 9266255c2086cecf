#pragma once

#include "base/json.hpp"
#include "base/language.hpp"
#include "base/result.hpp"

#include <expected>
#include <optional>
#include <string>
#include <string_view>

/// The id origin, as the reader program speaks with it (docs/reader-protocol.md).
namespace symbolon::card_reader {

/// Why there is no answer of the protocol.
struct ServerFailure {
    enum class Kind : std::uint8_t {
        unreachable, ///< no connection, no valid certificate, too late, too long
        no_protocol, ///< it answered something else: another status, no JSON, a redirect
        refused,     ///< it refused, and says why
    };

    Kind kind = Kind::unreachable;
    std::string detail;            ///< for who operates this computer
    std::string outcome;           ///< of a refusal: its name, perhaps of a newer server
    std::string text;              ///< of a refusal: the sentence for the holder, fit for a terminal; may be empty
    std::optional<int> tries_left; ///< of a refusal
};

template <class T>
using ServerResult = std::expected<T, ServerFailure>;

class Server {
public:
    virtual ~Server() = default;

    /// POST of a JSON object; an answer without content is an empty object.
    virtual ServerResult<json::Object> post(std::string_view path, json::Object const& body) = 0;

    /// Which language its sentences come in from now on.
    virtual void speak(Language language) = 0;
};

/// What an HTTP answer says. For every status and any body.
ServerResult<json::Object> judge_answer(long status, std::string_view body);

/// Over libcurl: TLS with the system's authorities, or those of `ca_file`; no redirects; 256 KiB and 30 s at most.
class HttpServer final : public Server {
public:
    HttpServer(std::string origin, std::string ca_file, Language language);
    ServerResult<json::Object> post(std::string_view path, json::Object const& body) override;
    void speak(Language language) override { language_ = language; }

private:
    std::string origin_;
    std::string ca_file_;
    Language language_;
};

} // namespace symbolon::card_reader

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace symbolon::edge::testing {

/// A client of HTTP that sends exactly the bytes it is told. Blocking; gives up after 20 s.
class RawClient {
public:
    explicit RawClient(std::uint16_t port);
    explicit RawClient(std::string const& unix_path);
    ~RawClient();
    RawClient(RawClient const&) = delete;
    RawClient& operator=(RawClient const&) = delete;

    struct Answer {
        int status = 0;
        std::vector<std::pair<std::string, std::string>> headers; ///< names in small letters
        std::string body;                                         ///< unchunked

        [[nodiscard]] std::string header(std::string_view name) const;
    };

    /// Gives whether all bytes were taken.
    bool send(std::string_view bytes) const;
    void end_sending() const;
    /// Leaves without a word: the server sees a reset.
    void reset();
    void close();

    /// The next answer, `of_head`: of a HEAD request. Nothing: the connection was closed before one was complete.
    std::optional<Answer> read_answer(bool of_head = false);
    /// The head of the next answer alone.
    std::optional<Answer> read_answer_head();
    /// One chunk of a body. Nothing: the last one, or the connection was closed.
    std::optional<std::string> read_chunk();
    /// Whether the server has closed, after whatever else it sends.
    bool is_closed_by_server();

    /// send() and read_answer().
    std::optional<Answer> ask(std::string_view bytes);

private:
    bool fill();
    bool read_until(std::string_view mark, std::string& into);
    bool read_exactly(std::size_t count, std::string& into);

    int descriptor_ = -1;
    std::string in_;
};

} // namespace symbolon::edge::testing
